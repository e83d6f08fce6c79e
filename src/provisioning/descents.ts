import { sql } from 'kysely';
import { forgetFormerMembers, listEveryMember } from '../directory/memberships.ts';
import type { DescentRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { raiseAccounts } from './accounts.ts';
import { type Regrouped, raisesByGroups, targetsThatReadGroups } from './scope-changes.ts';
import type { TargetBook } from './target-book.ts';

/**
 * Looking again at everybody in a group, and in the groups in it, when scopes read groups (engine rule 4): the group was
 * made, renamed or deleted, or came to another group or left one. That may be a hundred thousand people, so it goes on
 * step by step behind a stored cursor, and only the planner does it:
 *
 *     (no row) --request--> at a member --a page is looked at--> at a later member … --the end--> seen
 *                               ^                                                                  |
 *                               +-----------------request, of a later round-----------------------+
 *     all rows seen: they go
 *
 * A group that is found in a group is requested in the same round, and one that the round has met is not met again:
 * so it ends, also where groups are in each other. A request of a later round that finds its group half looked through
 * goes on from there and comes round to where it was (`stop`), so that however often it is asked for, the end is
 * reached. Rounds are counted under the planner's lock: what a later round has looked at, it saw after everything that
 * started an earlier one.
 */

type Columns = { group_id: string; sp_id: number; round: number };

const insertDescents = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Columns, 'r'>(p.rows, 'r', { group_id: 'text', sp_id: 'int', round: 'int' });
  return sql`
    insert into descents (group_id, sp_id, round, cursor, stop)
    select r.group_id, r.sp_id, r.round, '', null from ${rows} where true
    on conflict (group_id, sp_id) do update set
      round = excluded.round,
      stop = case when descents.cursor = '' then null else descents.cursor end,
      cursor = coalesce(descents.cursor, '')
    where descents.round < excluded.round`;
});

async function request(tx: Tx, groups: readonly { groupId: string; spId: number; round: number }[]): Promise<void> {
  // One statement cannot write a row twice: of several rounds the latest counts.
  const byKey = new Map<string, Columns>();
  for (const { groupId, spId, round } of groups) {
    const seen = byKey.get(`${groupId} ${spId}`);
    byKey.set(`${groupId} ${spId}`, { group_id: groupId, sp_id: spId, round: Math.max(round, seen?.round ?? 0) });
  }
  if (byKey.size > 0) await tx.run(insertDescents, { rows: JSON.stringify([...byKey.values()]) });
}

const lastRound = prepare<Record<string, never>, { round: number | null }>(
  () => sql<{ round: number | null }>`select max(round) as round from descents`,
);

/** Has everybody in these groups looked at, soon and step by step. Only for the planner. Safe to repeat. */
export async function requestDescents(tx: Tx, groups: readonly { groupId: string; spId: number }[]): Promise<void> {
  if (groups.length === 0) return;
  const round = ((await tx.run(lastRound, {}))[0]?.round ?? 0) + 1;
  await request(
    tx,
    groups.map((group) => ({ ...group, round })),
  );
}

const takeOpen = prepare<{ limit: number }, DescentRow>(
  (_, p) => sql<DescentRow>`
    select group_id, sp_id, round, cursor, stop from descents where cursor is not null order by round limit ${p.limit}`,
);

const moveOn = prepare<{ group: string; sp: number; cursor: string | null; stop: string | null }, never>(
  (_, p) => sql`
    update descents set cursor = ${p.cursor}, stop = ${p.stop} where group_id = ${p.group} and sp_id = ${p.sp}`,
);

const forgetSeen = prepare<Record<string, never>, never>(
  () => sql`delete from descents where not exists (select 1 from descents where cursor is not null)`,
);

/** One step looks at about so many accounts, but never at fewer people than that, in at most so many groups. */
const accountsPerStep = 200;
const peoplePerStep = 20;
const groupsPerStep = 20;
/** Where no scope reads groups, there is nothing to do but to forget those who were in groups that are gone. */
const forgottenPerStep = 2_000;

/** Looks at the next members of requested groups; answers how many groups it went on with, 0 when none is left. */
export async function descend(tx: Tx, book: TargetBook): Promise<number> {
  const open = await tx.run(takeOpen, { limit: groupsPerStep });
  if (open.length === 0) return 0;
  const targets = targetsThatReadGroups(book).length;
  let room = targets === 0 ? forgottenPerStep : Math.max(peoplePerStep, Math.floor(accountsPerStep / targets));
  const people: Regrouped[] = [];
  const below: { groupId: string; spId: number; round: number }[] = [];
  let taken = 0;
  for (const row of open) {
    if (room <= 0) break;
    taken += 1;
    const page = await nextPage(tx, row, room);
    room -= Math.max(1, page.length);
    for (const { id, kind } of page) {
      if (kind === 'user') people.push({ subjectId: id, spId: row.sp_id });
      else below.push({ groupId: id, spId: row.sp_id, round: row.round });
    }
  }
  if (targets > 0) await request(tx, below);
  await raiseAccounts(tx, await raisesByGroups(tx, book, people));
  await tx.run(forgetSeen, {});
  return taken;
}

/** The next members of a group; the cursor moves behind them. */
async function nextPage(tx: Tx, row: DescentRow, limit: number) {
  const { group_id: groupId, sp_id: spId, stop } = row;
  const after = row.cursor ?? '';
  const cameRound = stop !== null && after < stop;
  const page = await listEveryMember(tx, groupId, { after, until: cameRound ? stop : null, limit });
  const [first, last] = [page[0]?.id, page.at(-1)?.id];
  if (first !== undefined && last !== undefined) {
    await forgetFormerMembers(tx, { groupId, spId }, { first, last });
  }
  const next =
    page.length === limit && !(cameRound && last === stop)
      ? { cursor: last!, stop }
      : stop !== null && !cameRound
        ? { cursor: '', stop }
        : { cursor: null, stop: null };
  await tx.run(moveOn, { group: groupId, sp: spId, ...next });
  return page;
}

const countOpen = prepare<Record<string, never>, { n: number }>(
  () => sql<{ n: number }>`select count(*) as n from descents where cursor is not null`,
);

/** How many groups are not looked through yet. */
export async function countDescents(reading: Reading): Promise<number> {
  return (await reading.run(countOpen, {}))[0]!.n;
}
