import type { Filter } from './filter.ts';
import { isJsonObject, type JsonValue } from './json.ts';
import type { PatchOperation } from './operation.ts';

export type MemberRef = { value: string; type?: string; display?: string };

export type MembershipOperation =
  | { op: 'add' | 'remove' | 'replace'; ids: MemberRef[] }
  /** Every member leaves. */
  | { op: 'clear' };

/**
 * Separates what a PATCH of a group says about its members from the rest, so that it can be done without reading
 * them: the cost follows the operation, not the group. `undefined` when one of the operations on members chooses them
 * by anything but their ids; then the whole PATCH needs `applyPatch`.
 */
export function splitMembership(
  operations: readonly PatchOperation[],
): { rest: PatchOperation[]; members: MembershipOperation[] } | undefined {
  const rest: PatchOperation[] = [];
  const members: MembershipOperation[] = [];
  for (const operation of operations) {
    const { attribute, extension } = operation.target;
    if (attribute.name !== 'members' || extension !== undefined) {
      rest.push(operation);
      continue;
    }
    const said = readMembership(operation);
    if (!said) return undefined;
    members.push(said);
  }
  return { rest, members };
}

function readMembership({ op, target, value }: PatchOperation): MembershipOperation | undefined {
  if (target.sub) return undefined;
  if (target.filter) {
    const ids = op === 'remove' ? listIds(target.filter) : undefined;
    return ids && { op: 'remove', ids };
  }
  if (value === undefined) return { op: 'clear' };
  return { op, ids: (value as JsonValue[]).flatMap(readRef) };
}

/** The ids of `value eq "a"` and of `value eq "a" or value eq "b"`; any other filter needs the members themselves. */
function listIds(filter: Filter): MemberRef[] | undefined {
  if (filter.op === 'eq') {
    const { path, value } = filter;
    return path.attr.toLowerCase() === 'value' && typeof value === 'string' ? [{ value }] : undefined;
  }
  if (filter.op !== 'or') return undefined;
  const lists = filter.parts.map(listIds);
  return lists.every((list) => list !== undefined) ? lists.flat() : undefined;
}

function readRef(member: JsonValue): MemberRef[] {
  if (!isJsonObject(member) || typeof member.value !== 'string') return [];
  const ref: MemberRef = { value: member.value };
  if (typeof member.type === 'string') ref.type = member.type;
  if (typeof member.display === 'string') ref.display = member.display;
  return [ref];
}
