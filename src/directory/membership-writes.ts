import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { prepare, type Tx } from '../store/store.ts';
import { idRows, readPresent, type Subject } from './subjects.ts';

/**
 * What becomes of a group's members: those of `added` come and those of `removed` leave, from the members there are
 * (`current`) or from none (`empty`: who is not in `added` leaves).
 */
export type MembershipChange = {
  readonly base: 'current' | 'empty';
  readonly added: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
};

const lock = prepare<{ ids: string }, { id: string; life: Subject['life'] }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<{ id: string; life: Subject['life'] }>`
    select id, life from subjects where id in (select r.id from ${ids}) order by id${d.forUpdate}`;
});

/**
 * Holds the rows of a group and of members that are about to come until commit, in the order of their ids as everyone
 * does: a member cannot be deleted between this check and its membership. Answers the group, `undefined` when it is
 * neither live nor forwarded. Throws `Problem('invalidValue')` naming members that cannot be, and for the group itself.
 */
export async function lockWithMembers(
  tx: Tx,
  groupId: string,
  memberIds: readonly string[],
): Promise<Subject | undefined> {
  const locked = await tx.run(lock, { ids: idRows([groupId, ...memberIds]) });
  const group = await readPresent(tx, 'group', groupId);
  if (!group || memberIds.length === 0) return group;
  checkMembers(group, memberIds, locked);
  return group;
}

/** `lockWithMembers` for a group that is about to be made, or whose row is held. */
export async function lockMembers(
  tx: Tx,
  group: Pick<Subject, 'id' | 'life'>,
  memberIds: readonly string[],
): Promise<void> {
  if (memberIds.length === 0) return;
  checkMembers(group, memberIds, await tx.run(lock, { ids: idRows(memberIds) }));
}

/** A group of the directory holds who is in the directory; one that is only forwarded may hold anybody. */
function checkMembers(
  group: Pick<Subject, 'id' | 'life'>,
  memberIds: readonly string[],
  locked: readonly { id: string; life: Subject['life'] }[],
): void {
  if (memberIds.includes(group.id)) refuse('A group cannot be a member of itself.');
  const lifeOf = new Map(locked.map((row) => [row.id, row.life]));
  const mayHold: readonly Subject['life'][] = group.life === 'forwarded' ? ['live', 'forwarded'] : ['live'];
  const missing = memberIds.filter((id) => !mayHold.some((life) => lifeOf.get(id) === life));
  if (missing.length === 0) return;
  const forwarded = missing.find((id) => lifeOf.get(id) === 'forwarded');
  if (forwarded !== undefined) {
    refuse(
      `"${forwarded}" was only forwarded and is not in the directory, so no group of the directory can hold it; a group that is forwarded too can.`,
    );
  }
  const named = missing.slice(0, 5).map((id) => `"${id.slice(0, 100)}"`);
  const rest = missing.length > named.length ? ` and ${missing.length - named.length} more` : '';
  refuse(`There is no user or group with the id ${named.join(', ')}${rest}; a member must be one that is there.`);
}

function refuse(detail: string): never {
  throw new Problem('invalidValue', detail, { field: 'members' });
}

const insert = prepare<{ group: string; ids: string }, { member_id: string }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<{ member_id: string }>`
    insert into members (group_id, member_id) select cast(${p.group} as text), r.id from ${ids} where true
    on conflict do nothing returning member_id`;
});

const remove = prepare<{ group: string; ids: string }, { member_id: string }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<{ member_id: string }>`
    delete from members where group_id = ${p.group} and member_id in (select r.id from ${ids}) returning member_id`;
});

/** Answers those that were not in the group before. The caller holds the rows of group and members. */
export async function addMembers(tx: Tx, groupId: string, memberIds: readonly string[]): Promise<string[]> {
  if (memberIds.length === 0) return [];
  return (await tx.run(insert, { group: groupId, ids: idRows(memberIds) })).map((row) => row.member_id);
}

/** Answers those that were in the group. The caller holds the group's row. */
export async function removeMembers(tx: Tx, groupId: string, memberIds: readonly string[]): Promise<string[]> {
  if (memberIds.length === 0) return [];
  return (await tx.run(remove, { group: groupId, ids: idRows(memberIds) })).map((row) => row.member_id);
}

const insertFormer = prepare<{ group: string; sp: number; seq: number; ids: string }, never>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql`
    insert into former_members (group_id, member_id, sp_id, seq)
    select cast(${p.group} as text), s.id, cast(${p.sp} as bigint), cast(${p.seq} as bigint)
    from ${ids} ${d.lookUp('subjects', 's', sql`s.id = r.id`)} where s.kind = 'group'
    on conflict (group_id, member_id) do update set sp_id = excluded.sp_id, seq = excluded.seq`;
});

/**
 * Keeps which groups left a group by the change `seq`, until the planner has followed what that means for everybody in
 * them (`forgetFormerMembers`). Those of `memberIds` that are users are passed over.
 */
export async function keepNestings(
  tx: Tx,
  group: { id: string; spId: number; seq: number },
  memberIds: readonly string[],
): Promise<void> {
  await tx.run(insertFormer, { group: group.id, sp: group.spId, seq: group.seq, ids: idRows(memberIds) });
}

const idsOf = prepare<{ group: string }, { member_id: string }>(
  (_, p) => sql<{ member_id: string }>`select member_id from members where group_id = ${p.group}`,
);

/** All members of a group: the cost is the size of the group. */
export async function readMemberIds(tx: Tx, groupId: string): Promise<string[]> {
  return (await tx.run(idsOf, { group: groupId })).map((row) => row.member_id);
}

/** Who left a group and who came. */
export type Moved = { left: string[]; came: string[] };

/** Does what is wished. The caller holds the group's row; with `current` those of `added` too. */
export async function moveMembers(
  tx: Tx,
  group: Pick<Subject, 'id' | 'life'>,
  change: MembershipChange,
): Promise<Moved> {
  const { id } = group;
  if (change.base === 'current') {
    const left = await removeMembers(tx, id, [...change.removed]);
    return { left, came: await addMembers(tx, id, [...change.added]) };
  }
  const present = new Set(await readMemberIds(tx, id));
  const leaving = [...present].filter((member) => !change.added.has(member));
  const coming = [...change.added].filter((member) => !present.has(member));
  await lockMembers(tx, group, coming);
  return { left: await removeMembers(tx, id, leaving), came: await addMembers(tx, id, coming) };
}
