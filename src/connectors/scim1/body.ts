import type { Attributes } from '../../mapping/rows.ts';
import { coreUrn } from '../../protocol/scim/v1/names.ts';
import type { RemoteMember, SubjectKind } from '../connector.ts';
import { isSendable, type JsonObject, writeMember, writeResourceBody } from '../scim/resource.ts';
import { scim1Dialect } from './dialect.ts';

/**
 * The parts of a resource that are to change (draft-scim-api-01 section 3.3.2); `undefined` when there are none. What
 * is to go stands in `meta.attributes`, and so does what has many values: those given would be merged into the old ones.
 */
export function writePartialResource(
  kind: SubjectKind,
  set: Attributes,
  unset: readonly string[],
): JsonObject | undefined {
  const body = writeResourceBody(kind, set, undefined, scim1Dialect);
  const replaced = Object.keys(set).filter((path) => isSendable(path) && Array.isArray(set[path]));
  const removed = [...unset.filter(isSendable), ...replaced];
  if (removed.length > 0) body.meta = { attributes: removed };
  return Object.keys(body).length > 1 ? body : undefined;
}

/** Members who come and who leave; the others are not named. `undefined` when nobody does. */
export function writeMemberChange(
  add: readonly RemoteMember[],
  remove: readonly RemoteMember[],
): JsonObject | undefined {
  if (add.length + remove.length === 0) return undefined;
  const leaving = remove.map((member) => ({ ...writeMember(member), operation: 'delete' }));
  return { schemas: [coreUrn], members: [...leaving, ...add.map(writeMember)] };
}
