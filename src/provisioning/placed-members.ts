import { sql } from 'kysely';
import type { LinkRow } from '../store/schema.ts';
import { prepare, type Tx } from '../store/store.ts';

/**
 * The only writer of `placed_members`: whom we put into a group that is not ours (`groups: membership-only`), so that
 * nobody is taken out whom somebody else put there, and everybody is whom we did, also when the group is gone here.
 *
 * A row is written in the transaction that claims the addition, before it can be said, and goes when the removal was
 * answered: it may be one too many after a crash, never one too few.
 */

type GroupKey = { targetId: number; groupId: string };
type Columns = { target_id: number; group_id: string; member_id: string };
const columns = { target_id: 'int', group_id: 'text', member_id: 'text' } as const;
const rowsOf = (links: readonly Columns[]) =>
  JSON.stringify(links.map(({ target_id, group_id, member_id }) => ({ target_id, group_id, member_id })));

const insertPlaced = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Columns, 'r'>(p.rows, 'r', columns);
  return sql`
    insert into placed_members (target_id, group_id, member_id)
    select r.target_id, r.group_id, r.member_id from ${rows} where true on conflict do nothing`;
});

/** Notes that these additions are about to be said. */
export async function notePlaced(tx: Tx, links: readonly LinkRow[]): Promise<void> {
  const added = links.filter((link) => link.op === 'add');
  if (added.length > 0) await tx.run(insertPlaced, { rows: rowsOf(added) });
}

const deletePlaced = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Columns, 'r'>(p.rows, 'r', columns);
  return sql`
    delete from placed_members where (target_id, group_id, member_id) in (
      select r.target_id, r.group_id, r.member_id from ${rows})`;
});

/** The target confirmed that these are out; only for the attempt that holds the lease. */
export async function forgetPlaced(tx: Tx, links: readonly LinkRow[]): Promise<void> {
  const removed = links.filter((link) => link.op === 'remove');
  if (removed.length > 0) await tx.run(deletePlaced, { rows: rowsOf(removed) });
}

const deleteUnplaced = prepare<GroupKey & { attempt: number; first: string; last: string }, { member_id: string }>(
  (_, p) => sql<{ member_id: string }>`
    delete from links
    where target_id = ${p.targetId} and group_id = ${p.groupId} and member_id >= ${p.first} and member_id <= ${p.last}
      and attempt_id = ${p.attempt} and op = 'remove' and state = 'due'
      and not exists (select 1 from placed_members b
        where b.target_id = links.target_id and b.group_id = links.group_id and b.member_id = links.member_id)
    returning member_id`,
);

/** Of what an attempt claimed (in the order of members) without removals of those whom we never put there: these are forgotten. */
export async function withoutUnplaced(tx: Tx, claimed: readonly LinkRow[], attempt: number): Promise<LinkRow[]> {
  const removals = claimed.filter((link) => link.op === 'remove');
  if (removals.length === 0) return [...claimed];
  const members = removals.map((link) => link.member_id).sort();
  const { target_id: targetId, group_id: groupId } = removals[0]!;
  const range = { targetId, groupId, attempt, first: members[0]!, last: members.at(-1)! };
  const gone = new Set((await tx.run(deleteUnplaced, range)).map((row) => row.member_id));
  return claimed.filter((link) => !(link.op === 'remove' && gone.has(link.member_id)));
}

const deleteGone = prepare<GroupKey & { limit: number }, never>(
  (_, p) => sql`
    delete from placed_members where target_id = ${p.targetId} and group_id = ${p.groupId} and member_id in (
      select b.member_id from placed_members b
      left join accounts a on a.target_id = b.target_id and a.subject_id = b.member_id
      where b.target_id = ${p.targetId} and b.group_id = ${p.groupId} and a.remote_id is null and a.doubt is null
      order by b.member_id limit ${p.limit})`,
);

const selectThere = prepare<GroupKey & { limit: number }, { member_id: string; remote_id: string }>(
  (_, p) => sql<{ member_id: string; remote_id: string }>`
    select b.member_id, a.remote_id from placed_members b
    inner join accounts a on a.target_id = b.target_id and a.subject_id = b.member_id
    where b.target_id = ${p.targetId} and b.group_id = ${p.groupId} and a.remote_id is not null
    order by b.member_id limit ${p.limit}`,
);

const countLeft = prepare<GroupKey, { n: number }>(
  (_, p) => sql<{ n: number }>`
    select count(*) as n from (
      select 1 from placed_members where target_id = ${p.targetId} and group_id = ${p.groupId} limit 1) as placed`,
);

/** Gone here: whom to take out next, and whether there is anybody left whom we put there (also one whose id is in doubt). */
export type Leaving = { links: LinkRow[]; anyLeft: boolean };

/** The next of those whom we put into a group that is gone here. Who is not at the target any more is in no group there. */
export async function listLeaving(tx: Tx, group: GroupKey, attemptId: number, limit: number): Promise<Leaving> {
  await tx.run(deleteGone, { ...group, limit });
  const there = await tx.run(selectThere, { ...group, limit });
  const links = there.map(({ member_id, remote_id }): LinkRow => {
    const key = { target_id: group.targetId, group_id: group.groupId, member_id };
    return { ...key, op: 'remove', state: 'due', remote_id, reason: null, attempt_id: attemptId };
  });
  return { links, anyLeft: links.length > 0 || (await tx.run(countLeft, group))[0]!.n > 0 };
}
