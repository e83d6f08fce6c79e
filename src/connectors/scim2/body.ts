import type { Attributes } from '../../mapping/rows.ts';
import { formatFilter } from '../../protocol/scim/filter.ts';
import type { RemoteMember } from '../connector.ts';
import { isSendable, type JsonObject, writeMember, writeValue } from '../scim/resource.ts';

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

export function writeMemberOperations(add: readonly RemoteMember[], remove: readonly RemoteMember[]): JsonObject[] {
  const operations: JsonObject[] = [];
  if (add.length > 0) operations.push({ op: 'add', path: 'members', value: add.map(writeMember) });
  for (const member of remove) {
    const filter = formatFilter({ op: 'eq', path: { attr: 'value' }, value: member.remoteId });
    operations.push({ op: 'remove', path: `members[${filter}]` });
  }
  return operations;
}

export function writePatch(operations: readonly JsonObject[]): JsonObject {
  return { schemas: [patchUrn], Operations: [...operations] };
}
