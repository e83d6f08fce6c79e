import type { Attributes } from '../../mapping/rows.ts';
import { formatFilter } from '../../protocol/scim/filter.ts';
import type { RemoteMember, SubjectKind } from '../connector.ts';
import { isSendable, type JsonObject, writeMember, writeResourceBody, writeValue } from '../scim/resource.ts';

export const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/**
 * One operation for each path, none without (RFC 7644 section 3.5.2): some targets refuse path-less ones, and a
 * `replace` of an unassigned path counts as `add` (section 3.5.2.3).
 */
export function writeUpdateOperations(set: Attributes, unset: readonly string[]): JsonObject[] {
  const operations: JsonObject[] = [];
  for (const path in set) {
    const value = set[path];
    if (value === undefined || value === null || !isSendable(path)) continue;
    operations.push({ op: 'replace', path, value: writeValue(path, value) });
  }
  for (const path of unset) if (isSendable(path)) operations.push({ op: 'remove', path });
  return operations;
}

/**
 * The same in one operation without a path, for targets that know no other (RFC 7644 sections 3.5.2.1 and 3.5.2.3). A
 * removal has a path in any case (section 3.5.2.2).
 */
export function writeUpdateObject(kind: SubjectKind, set: Attributes, unset: readonly string[]): JsonObject[] {
  const { schemas: _, ...value } = writeResourceBody(kind, set, undefined);
  const operations = writeUpdateOperations({}, unset);
  return Object.keys(value).length > 0 ? [{ op: 'replace', value }, ...operations] : operations;
}

/** How a target takes members in a PATCH: see the lines `memberValues` and `memberRemoval` of its profile. */
export type MemberForm = { memberValues: 'together' | 'each'; memberRemoval: 'filter' | 'value' };

/** Never a `replace`: what we do not know of would be lost, and some targets refuse it. */
export function writeMemberOperations(
  add: readonly RemoteMember[],
  remove: readonly RemoteMember[],
  form: MemberForm,
): JsonObject[] {
  const operations: JsonObject[] = [];
  const name = (op: 'add' | 'remove', members: readonly RemoteMember[]) => {
    const values = members.map(writeMember);
    if (form.memberValues === 'each')
      for (const value of values) operations.push({ op, path: 'members', value: [value] });
    else if (values.length > 0) operations.push({ op, path: 'members', value: values });
  };
  name('add', add);
  if (form.memberRemoval === 'value') name('remove', remove);
  else
    for (const member of remove) {
      const filter = formatFilter({ op: 'eq', path: { attr: 'value' }, value: member.remoteId });
      operations.push({ op: 'remove', path: `members[${filter}]` });
    }
  return operations;
}

export function writePatch(operations: readonly JsonObject[]): JsonObject {
  return { schemas: [patchUrn], Operations: [...operations] };
}
