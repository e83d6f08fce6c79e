import { newId } from '../base/ids.ts';
import { isJsonObject, type JsonValue } from '../protocol/scim/json.ts';
import { applyPatch, type MembershipOperation, type PatchOperation, splitMembership } from '../protocol/scim/patch.ts';
import { replaceResource } from '../protocol/scim/replace.ts';
import type { Resource } from '../protocol/scim/resource.ts';
import { groupType, type ResourceType } from '../protocol/scim/schema.ts';
import type { Tx } from '../store/store.ts';
import { deleteSubject } from './burial.ts';
import { insertChange, insertMembershipChanges, type Origin, urgency } from './changes.ts';
import type { Circle } from './circle.ts';
import { applyToForwardedGroup, createForwarded, readPlace, writeForwardedGroup } from './forwarded.ts';
import {
  addMembers,
  keepNestings,
  lockMembers,
  lockWithMembers,
  type MembershipChange,
  type Moved,
  moveMembers,
} from './membership-writes.ts';
import { readMembers, type Shown } from './memberships.ts';
import { readNewName } from './names.ts';
import { insertRow, isSame, renamed, toAttributes, touchRows, updateRow } from './rows.ts';
import { checkVersion, presentOrNotFound, type Subject } from './subjects.ts';

/**
 * Groups and who is in them. Each of these writes and appends its changes in the caller's transaction; after commit
 * the caller signals `changes`. Creation and deletion append one change; otherwise each member that came or left has
 * its own (the group, other = the member), and the group's own attributes one more. What changes nothing appends
 * nothing. Of a group that is only forwarded the attributes are handed on to `forwarded.ts`; its members are kept here.
 */

/** `type`: what a group is; default: without extensions of the administrator. */
type WriteOptions = { type?: ResourceType; origin: Origin; ifVersion?: readonly number[] };

/**
 * Makes a group, its members included. `id`: as for `createUser`. `circle`: members in it may
 * come later. Throws `Problem`: `invalidValue` (unknown domain, a displayName that cannot be
 * one, a member that is not there), `uniqueness`, `notAllowed` (to be forwarded, to nobody).
 */
export async function createGroup(
  tx: Tx,
  resource: Resource,
  options: { type?: ResourceType; origin: Origin; domain?: string; id?: string; circle?: Circle },
): Promise<Subject> {
  const { type = groupType, origin, domain, circle } = options;
  const { forwarding, userStoreDomain } = await readPlace(tx, origin);
  const place = { domain, only: userStoreDomain };
  const name = await readNewName(tx, resource.displayName as string, 'displayName', place);
  const now = tx.now;
  const id = options.id ?? newId(now);
  const wanted = memberIds(resource.members);
  // The group itself is no member that comes later: it is refused as always.
  const comesLater = (member: string) => member !== id && circle !== undefined && circle.coming.has(member);
  const later = wanted.filter(comesLater);
  const members = later.length === 0 ? wanted : wanted.filter((member) => !comesLater(member));
  if (forwarding) {
    await lockMembers(tx, { id, life: 'forwarded' }, members);
    return fill(await createForwarded(tx, 'group', resource, name, { id, origin, forwarding }));
  }
  const attributes = toAttributes('group', resource, name);
  await lockMembers(tx, { id, life: 'live' }, members);
  const seq = await insertChange(tx, { subjectId: id, origin, urgency: urgency.creation });
  const group = await insertRow(
    tx,
    { id, kind: 'group', life: 'live', seq, version: 1, attributes, createdAt: now, modifiedAt: now },
    name,
    type,
  );
  return fill(group);

  async function fill(made: Subject): Promise<Subject> {
    await addMembers(tx, id, members);
    if (later.length > 0) circle!.rest.push((tx) => addMembers(tx, id, later));
    return made;
  }
}

/**
 * Puts a checked resource in the place of what a group has, members included (RFC 7644 section 3.5.1). Reads all
 * member ids: who knows what changes should PATCH. Throws `Problem` as `patchGroup` does.
 */
export async function replaceGroup(tx: Tx, id: string, resource: Resource, options: WriteOptions): Promise<Subject> {
  const wanted = { base: 'empty', added: new Set(memberIds(resource.members)), removed: new Set<string>() } as const;
  const type = options.type ?? groupType;
  return writeGroup(tx, id, wanted, 'replace', (before) => replaceResource(type, before, resource), options);
}

/**
 * Applies the operations that `readPatch` answered. The cost of adding and removing members by id follows the
 * operation, not the group. Throws `Problem`: `notFound`, `preconditionFailed`, `uniqueness`, `mutability`,
 * `invalidValue` (also: a member that is not there, or the group itself), `noTarget`.
 */
export async function patchGroup(
  tx: Tx,
  id: string,
  operations: readonly PatchOperation[],
  options: WriteOptions,
): Promise<Subject> {
  const type = options.type ?? groupType;
  const split = splitMembership(operations);
  if (split) {
    const change = foldOperations(split.members);
    return writeGroup(tx, id, change, 'patch', (group) => applyPatch(type, group, split.rest), options);
  }
  // Members are chosen by something else than their ids, so they have to be looked at.
  const before = await lockWithMembers(tx, id, []);
  const group = checkVersion(presentOrNotFound(before, 'group', id), options.ifVersion);
  const members = (await readMembers(tx, [id])).get(id);
  const patch = (base: Resource): Resource =>
    applyPatch(type, members ? { ...base, members: members.map(describeMember) } : base, operations);
  const after = patch({ schemas: [], id, ...group.attributes });
  const wanted = { base: 'empty', added: new Set(memberIds(after.members)), removed: new Set<string>() } as const;
  return writeGroup(tx, id, wanted, 'patch', patch, options);
}

/** Deletes a group (see `deleteSubject`); its members stay. Throws `Problem`: `notFound`, `preconditionFailed`. */
export async function deleteGroup(tx: Tx, id: string, options: WriteOptions): Promise<Subject> {
  return deleteSubject(tx, 'group', id, options);
}

async function writeGroup(
  tx: Tx,
  id: string,
  change: MembershipChange,
  how: 'replace' | 'patch',
  apply: (group: Resource) => Resource,
  options: WriteOptions,
): Promise<Subject> {
  const locked = await lockWithMembers(tx, id, change.base === 'empty' ? [] : [...change.added]);
  const before = checkVersion(presentOrNotFound(locked, 'group', id), options.ifVersion);
  if (before.life === 'forwarded') return writeForwarded(tx, before, change, how, apply, options);
  const resource = apply({ schemas: [], id, ...before.attributes });
  const name = await renamed(tx, before, resource.displayName as string, 'displayName', options.origin);
  const attributes = toAttributes('group', resource, name);

  const moved = await moveMembers(tx, before, change);
  const same = isSame(before.attributes, attributes);
  if (same && isNobody(moved)) return before;
  const seqs = await appendMoves(tx, id, moved, options.origin);
  if (same) return touch(tx, before, seqs);
  const seq = await insertChange(tx, { subjectId: id, origin: options.origin, urgency: urgency.cosmetic });
  return updateRow(tx, before, { attributes, name, seq }, options.type ?? groupType);
}

async function writeForwarded(
  tx: Tx,
  row: Subject,
  change: MembershipChange,
  how: 'replace' | 'patch',
  apply: (group: Resource) => Resource,
  options: WriteOptions,
): Promise<Subject> {
  const { before, ...after } = await applyToForwardedGroup(tx, row, how, apply, options.origin);
  const moved = await moveMembers(tx, before, change);
  if (!after.attributes && isNobody(moved)) return before;
  const seqs = await appendMoves(tx, before.id, moved, options.origin);
  return after.attributes ? writeForwardedGroup(tx, before, after, options) : touch(tx, before, seqs);
}

function isNobody({ left, came }: Moved): boolean {
  return left.length + came.length === 0;
}

async function appendMoves(tx: Tx, id: string, moved: Moved, origin: Origin): Promise<Map<string, number>> {
  if (isNobody(moved)) return new Map();
  const { left, came } = moved;
  const pairs = [...left, ...came].map((memberId) => ({ groupId: id, memberId }));
  const seqs = await insertMembershipChanges(tx, pairs, origin);
  if (left.length > 0) await keepNestings(tx, { id, spId: origin.spId, seq: seqs.get(id)! }, left);
  return seqs;
}

/** Only members came or left. */
async function touch(tx: Tx, before: Subject, seqs: ReadonlyMap<string, number>): Promise<Subject> {
  await touchRows(tx, seqs);
  return { ...before, seq: seqs.get(before.id)!, version: before.version + 1, modifiedAt: tx.now };
}

/** What operations in their order come to: who is in the group afterwards, whoever was before. */
function foldOperations(operations: readonly MembershipOperation[]): MembershipChange {
  let base: MembershipChange['base'] = 'current';
  const added = new Set<string>();
  const removed = new Set<string>();
  for (const operation of operations) {
    if (operation.op === 'clear' || operation.op === 'replace') {
      base = 'empty';
      added.clear();
      removed.clear();
      if (operation.op === 'clear') continue;
    }
    for (const { value } of operation.ids) {
      const [to, from] = operation.op === 'remove' ? [removed, added] : [added, removed];
      to.add(value);
      from.delete(value);
    }
  }
  return { base, added, removed };
}

function memberIds(members: JsonValue | undefined): string[] {
  if (!Array.isArray(members)) return [];
  const ids = members.map((member) => (isJsonObject(member) ? member.value : undefined));
  return [...new Set(ids.filter((id) => typeof id === 'string'))];
}

/** A member as filters in a PATCH path see it. */
function describeMember({ id, kind, display }: Shown): JsonValue {
  return { value: id, type: kind === 'user' ? 'User' : 'Group', display };
}
