import { sql } from 'kysely';
import type { LinkRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { storableText } from './storable-text.ts';

/**
 * The only writer of `links`: memberships that a target has not been told yet (engine rules 18 and 19). A settled
 * membership has no row, so cost follows the change and not the size of the group.
 *
 *     plan --> due      the member has a remote id: may be said
 *          --> waiting  the member has none yet; its arrival makes the row due
 *          --> waiting  (a removal) the member's id is in doubt: if it turns up, it is taken out, else it was in no group
 *     due --said and acknowledged--> (no row)
 *     due --refused alone--> parked, until the membership changes or an operator asks again
 */

export type MembershipToSay = { targetId: number; groupId: string; memberId: string; op: 'add' | 'remove' };

type LinkColumns = { target_id: number; group_id: string; member_id: string; op: string };
const linkColumns = { target_id: 'int', group_id: 'text', member_id: 'text', op: 'text' } as const;

// A row that is there becomes a removal in any case: whether it may be forgotten is asked in one place only, because on
// PostgreSQL the member may be claimed between two statements.
const upsertLinks = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<LinkColumns, 'r'>(p.rows, 'r', linkColumns);
  return sql`
    insert into links (target_id, group_id, member_id, op, state, remote_id)
    select r.target_id, r.group_id, r.member_id, r.op,
      case when a.remote_id is null then 'waiting' else 'due' end, a.remote_id
    from ${rows} left join accounts a on a.target_id = r.target_id and a.subject_id = r.member_id
    where r.op = 'add' or a.remote_id is not null or a.doubt is not null
      or exists (select 1 from links l
        where l.target_id = r.target_id and l.group_id = r.group_id and l.member_id = r.member_id)
    on conflict (target_id, group_id, member_id) do update set
      op = excluded.op, state = excluded.state, remote_id = excluded.remote_id, reason = null, attempt_id = null`;
});

const forgetRemovals = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<LinkColumns, 'r'>(p.rows, 'r', linkColumns);
  return sql`
    delete from links where (target_id, group_id, member_id) in (
      select r.target_id, r.group_id, r.member_id
      from ${rows} left join accounts a on a.target_id = r.target_id and a.subject_id = r.member_id
      where r.op = 'remove' and a.remote_id is null and a.doubt is null)`;
});

/** A JSON parameter this long is still quick to take apart on both databases. */
const rowsPerStatement = 5_000;

/**
 * Notes memberships that a target has to be told. A removal of a member that has no remote id needs no words: whoever
 * is not there is in no group. One whose id was set aside may be there still, so its removal waits. Safe to repeat.
 */
export async function planLinks(tx: Tx, memberships: readonly MembershipToSay[]): Promise<void> {
  const byKey = new Map(memberships.map((one) => [`${one.targetId} ${one.groupId} ${one.memberId}`, one]));
  const ordered = [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  for (let from = 0; from < ordered.length; from += rowsPerStatement) {
    const rows = JSON.stringify(
      ordered.slice(from, from + rowsPerStatement).map((one) => ({
        target_id: one.targetId,
        group_id: one.groupId,
        member_id: one.memberId,
        op: one.op,
      })),
    );
    // In this order: a member that is claimed between the two is in doubt only for the second, which then notes the removal.
    await tx.run(forgetRemovals, { rows });
    await tx.run(upsertLinks, { rows });
  }
}

type MemberColumns = { target_id: number; member_id: string };
const memberColumns = { target_id: 'int', member_id: 'text' } as const;

// `cross join` makes SQLite go from the few members to their rows by `links_waiting` instead of walking all that wait;
// it takes that index only while the inner query asks for nothing that is not in it.
const dueRemovals = prepare<{ rows: string }, { target_id: number; group_id: string }>((_, p, d) => {
  const rows = d.rowsOf<MemberColumns, 'r'>(p.rows, 'r', memberColumns);
  return sql<{ target_id: number; group_id: string }>`
    update links set state = 'due', remote_id = (
      select a.remote_id from accounts a where a.target_id = links.target_id and a.subject_id = links.member_id)
    where op = 'remove' and state = 'waiting' and (target_id, group_id, member_id) in (
      select l.target_id, l.group_id, l.member_id from ${rows} cross join links l
      where l.state = 'waiting' and l.target_id = r.target_id and l.member_id = r.member_id)
      and exists (select 1 from accounts a
        where a.target_id = links.target_id and a.subject_id = links.member_id and a.remote_id is not null)
    returning target_id, group_id`;
});

const dropRemovals = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<MemberColumns, 'r'>(p.rows, 'r', memberColumns);
  return sql`
    delete from links where op = 'remove' and state = 'waiting' and (target_id, group_id, member_id) in (
      select l.target_id, l.group_id, l.member_id from ${rows} cross join links l
      where l.state = 'waiting' and l.target_id = r.target_id and l.member_id = r.member_id)
      and not exists (select 1 from accounts a
        where a.target_id = links.target_id and a.subject_id = links.member_id
          and (a.remote_id is not null or a.doubt is not null))`;
});

/**
 * Members arrived or left: removals that waited for them are due, or forgotten with them. Answers with the groups that
 * have something to say by it.
 */
export async function settleRemovals(
  tx: Tx,
  members: readonly { targetId: number; memberId: string }[],
): Promise<{ targetId: number; groupId: string }[]> {
  const rows = JSON.stringify(members.map((one) => ({ target_id: one.targetId, member_id: one.memberId })));
  const due = await tx.run(dueRemovals, { rows });
  await tx.run(dropRemovals, { rows });
  return due.map((row) => ({ targetId: row.target_id, groupId: row.group_id }));
}

const forgetGone = prepare<
  { targetId: number; groupId: string; attempt: number; first: string; last: string },
  { member_id: string }
>(
  (_, p) => sql<{ member_id: string }>`
    delete from links
    where target_id = ${p.targetId} and group_id = ${p.groupId} and member_id >= ${p.first} and member_id <= ${p.last}
      and attempt_id = ${p.attempt} and op = 'remove' and state = 'due'
      and not exists (select 1 from accounts a
        where a.target_id = links.target_id and a.subject_id = links.member_id
          and (a.remote_id = links.remote_id or (a.remote_id is null and a.doubt is not null)))
    returning member_id`,
);

const selectNext = prepare<{ targetId: number; groupId: string; limit: number }, { member_id: string }>(
  (_, p) => sql<{ member_id: string }>`
    select member_id from links
    where target_id = ${p.targetId} and group_id = ${p.groupId} and state = 'due' order by member_id limit ${p.limit}`,
);

// A range of the primary key and not a list: PostgreSQL without statistics joined the list with every membership of the
// group, 1.5 s for a chunk of 100 of 20,000.
const claimRange = prepare<
  { targetId: number; groupId: string; attempt: number; first: string; last: string },
  LinkRow
>(
  (_, p) => sql<LinkRow>`
    update links set attempt_id = ${p.attempt}
    where target_id = ${p.targetId} and group_id = ${p.groupId} and member_id >= ${p.first} and member_id <= ${p.last}
      and state = 'due'
    returning target_id, group_id, member_id, op, state, remote_id, reason, attempt_id`,
);

/**
 * The next memberships of a group to say, marked as said by this attempt. Removals of members whose account is gone
 * from the target are forgotten: the target dropped them with it.
 */
export async function claimLinks(
  tx: Tx,
  group: { targetId: number; groupId: string },
  attemptId: number,
  limit: number,
): Promise<LinkRow[]> {
  const next = await tx.run(selectNext, { ...group, limit });
  if (next.length === 0) return [];
  const [first, last] = [next[0]!.member_id, next.at(-1)!.member_id];
  const claimed = await tx.run(claimRange, { ...group, attempt: attemptId, first, last });
  const removed = claimed.filter((link) => link.op === 'remove').map((link) => link.member_id);
  if (removed.length === 0) return claimed;
  // Only those claimed are looked at: the cost of a chunk does not grow with what is left to say.
  const gone = await tx.run(forgetGone, { ...group, attempt: attemptId, first, last });
  const forgotten = new Set(gone.map((row) => row.member_id));
  return claimed.filter((link) => !forgotten.has(link.member_id));
}

type SaidColumns = {
  target_id: number;
  group_id: string;
  member_id: string;
  op: string;
  attempt: number;
  reason: string;
};
const saidColumns = {
  target_id: 'int',
  group_id: 'text',
  member_id: 'text',
  op: 'text',
  attempt: 'int',
  reason: 'text',
} as const;

const deleteSaid = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<SaidColumns, 'r'>(p.rows, 'r', saidColumns);
  return sql`
    delete from links where (target_id, group_id, member_id, op, attempt_id) in (
      select r.target_id, r.group_id, r.member_id, r.op, r.attempt from ${rows})`;
});

const parkSaid = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<SaidColumns, 'r'>(p.rows, 'r', saidColumns);
  return sql`
    update links set state = 'parked', reason = r.reason from ${rows}
    where r.target_id = links.target_id and r.group_id = links.group_id and r.member_id = links.member_id
      and r.op = links.op and r.attempt = links.attempt_id`;
});

export type SaidLink = { link: LinkRow; attemptId: number; refused?: string };

/**
 * What an attempt said about memberships: acknowledged ones are settled, refused ones park with their reason. One that
 * the directory changed meanwhile stays due.
 */
export async function settleLinks(tx: Tx, said: readonly SaidLink[]): Promise<void> {
  const rowsOf = (links: readonly SaidLink[]) =>
    JSON.stringify(
      links.map(({ link, attemptId, refused }) => ({
        target_id: link.target_id,
        group_id: link.group_id,
        member_id: link.member_id,
        op: link.op,
        attempt: attemptId,
        reason: refused === undefined ? null : storableText(refused),
      })),
    );
  const done = said.filter((one) => one.refused === undefined);
  const refused = said.filter((one) => one.refused !== undefined);
  for (let from = 0; from < done.length; from += rowsPerStatement) {
    await tx.run(deleteSaid, { rows: rowsOf(done.slice(from, from + rowsPerStatement)) });
  }
  if (refused.length > 0) await tx.run(parkSaid, { rows: rowsOf(refused) });
}

/** Makes the refused memberships of a group due again. */
export async function unparkLinks(tx: Tx, targetId: number, groupId: string): Promise<void> {
  await tx.all(
    tx.q
      .updateTable('links')
      .set({ state: 'due', reason: null, attempt_id: null })
      .where('target_id', '=', targetId)
      .where('group_id', '=', groupId)
      .where('state', '=', 'parked'),
  );
}

type KeyColumns = { group_id: string; member_id: string };

const selectParked = prepare<
  { targetId: number; group: string; member: string; last: string; limit: number },
  KeyColumns
>(
  (_, p) => sql<KeyColumns>`
    select group_id, member_id from links
    where target_id = ${p.targetId} and state = 'parked' and (group_id, member_id) > (${p.group}, ${p.member})
      and group_id <= ${p.last}
    order by group_id, member_id limit ${p.limit}`,
);

const unparkSome = prepare<{ targetId: number; rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<KeyColumns, 'r'>(p.rows, 'r', { group_id: 'text', member_id: 'text' });
  return sql`
    update links set state = 'due', reason = null, attempt_id = null
    where target_id = ${p.targetId} and state = 'parked'
      and (group_id, member_id) in (select r.group_id, r.member_id from ${rows})`;
});

/**
 * Makes up to `limit` refused memberships at a target due again, in the order of group and member: those after `after`
 * of groups up to `last`. Answers with them.
 */
export async function unparkLinksBetween(
  tx: Tx,
  targetId: number,
  range: { after: { groupId: string; memberId: string }; last: string; limit: number },
): Promise<{ groupId: string; memberId: string }[]> {
  const { after, last, limit } = range;
  const parked = await tx.run(selectParked, { targetId, group: after.groupId, member: after.memberId, last, limit });
  if (parked.length > 0) await tx.run(unparkSome, { targetId, rows: JSON.stringify(parked) });
  return parked.map((row) => ({ groupId: row.group_id, memberId: row.member_id }));
}

const selectGroupsWithDue = prepare<{ rows: string }, { target_id: number; group_id: string }>((_, p, d) => {
  const rows = d.rowsOf<{ target_id: number; group_id: string }, 'r'>(p.rows, 'r', {
    target_id: 'int',
    group_id: 'text',
  });
  return sql<{ target_id: number; group_id: string }>`
    select r.target_id, r.group_id from ${rows} where exists (
      select 1 from links where links.target_id = r.target_id and links.group_id = r.group_id and links.state = 'due')`;
});

/** Which of these groups still have something to say, as `<target> <group>`. */
export async function groupsWithDueLinks(
  reading: Reading,
  groups: readonly { targetId: number; groupId: string }[],
): Promise<Set<string>> {
  if (groups.length === 0) return new Set();
  const rows = JSON.stringify(groups.map((one) => ({ target_id: one.targetId, group_id: one.groupId })));
  const due = await reading.run(selectGroupsWithDue, { rows });
  return new Set(due.map((row) => `${row.target_id} ${row.group_id}`));
}

const deleteLinksOf = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ target_id: number; group_id: string }, 'r'>(p.rows, 'r', {
    target_id: 'int',
    group_id: 'text',
  });
  return sql`
    delete from links where (target_id, group_id) in (select r.target_id, r.group_id from ${rows})`;
});

/** Forgets all that was to be said of groups that no longer are at the target. */
export async function forgetLinksOf(tx: Tx, groups: readonly { targetId: number; subjectId: string }[]): Promise<void> {
  if (groups.length === 0) return;
  await tx.run(deleteLinksOf, {
    rows: JSON.stringify(groups.map((one) => ({ target_id: one.targetId, group_id: one.subjectId }))),
  });
}
