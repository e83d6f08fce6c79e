import { sql } from 'kysely';
import { listEveryMember } from '../directory/memberships.ts';
import type { DescentRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { raiseAccounts } from './accounts.ts';
import { everNested } from './group-modes.ts';
import { findConcerned, lookAtMembers, type Page } from './nested-groups.ts';
import { type Regrouped, raisesByGroups, targetsThatReadGroups } from './scope-changes.ts';
import type { TargetBook } from './target-book.ts';

/**
 * Looking again at everybody in a group, and in the groups in it: when scopes read groups (engine rule 4) and the group was
 * made, renamed or deleted, or came to another group or left one; and where everybody in a group is a member of the groups
 * above (`nested-groups.ts`). That may be a hundred thousand people, so it goes on step by step behind a stored cursor,
 * and only the planner does it:
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

/** What a descent is for (`DescentRow`). Left out: `scope`, for every target. */
export type Request = {
  groupId: string;
  spId: number;
  why?: DescentRow['why'];
  topId?: string;
  targetId?: number;
};

type Columns = Pick<DescentRow, 'group_id' | 'why' | 'top_id' | 'target_id' | 'sp_id' | 'round'>;

const insertDescents = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Columns, 'r'>(p.rows, 'r', {
    group_id: 'text',
    why: 'text',
    top_id: 'text',
    target_id: 'int',
    sp_id: 'int',
    round: 'int',
  });
  return sql`
    insert into descents (group_id, why, top_id, target_id, sp_id, round, cursor, stop)
    select r.group_id, r.why, r.top_id, r.target_id, r.sp_id, r.round, '', null from ${rows} where true
    on conflict (group_id, why, top_id, target_id, sp_id) do update set
      round = excluded.round,
      stop = case when descents.cursor = '' then null else descents.cursor end,
      cursor = coalesce(descents.cursor, '')
    where descents.round < excluded.round`;
});

async function request(tx: Tx, requests: readonly (Request & { round: number })[]): Promise<void> {
  // One statement cannot write a row twice: of several rounds the latest counts.
  const byKey = new Map<string, Columns>();
  for (const { groupId, spId, why = 'scope', topId = '', targetId = 0, round } of requests) {
    const key = [groupId, why, topId, targetId, spId].join(' ');
    const row = { group_id: groupId, why, top_id: topId, target_id: targetId, sp_id: spId };
    byKey.set(key, { ...row, round: Math.max(round, byKey.get(key)?.round ?? 0) });
  }
  if (byKey.size > 0) await tx.run(insertDescents, { rows: JSON.stringify([...byKey.values()]) });
}

const lastRound = prepare<Record<string, never>, { round: number | null }>(
  () => sql<{ round: number | null }>`select max(round) as round from descents`,
);

/** Has everybody in these groups looked at, soon and step by step. Only for the planner. Safe to repeat. */
export async function requestDescents(tx: Tx, groups: readonly Request[]): Promise<void> {
  if (groups.length === 0) return;
  const round = ((await tx.run(lastRound, {}))[0]?.round ?? 0) + 1;
  await request(
    tx,
    groups.map((group) => ({ ...group, round })),
  );
}

const takeOpen = prepare<{ limit: number }, DescentRow>(
  (_, p) => sql<DescentRow>`select * from descents where cursor is not null order by round limit ${p.limit}`,
);

type Position = { cursor: string | null; stop: string | null };

const moveOn = prepare<Omit<DescentRow, 'round'>, never>(
  (_, p) => sql`
    update descents set cursor = ${p.cursor}, stop = ${p.stop}
    where group_id = ${p.group_id} and why = ${p.why} and top_id = ${p.top_id} and target_id = ${p.target_id}
      and sp_id = ${p.sp_id}`,
);

const forgetSeen = prepare<Record<string, never>, never>(
  () => sql`delete from descents where not exists (select 1 from descents where cursor is not null)`,
);

/** One step looks at about so many accounts, but never at fewer people than that, in at most so many groups. */
const accountsPerStep = 200;
const peoplePerStep = 20;
const groupsPerStep = 20;
/** One step notes at most about so many memberships, of at most so many members. */
const membershipsPerStep = 1_000;
const membersPerStep = 500;

/** Looks at the next members of requested groups; answers how many groups it went on with, 0 when none is left. */
export async function descend(tx: Tx, book: TargetBook): Promise<number> {
  const open = await tx.run(takeOpen, { limit: groupsPerStep });
  if (open.length === 0) return 0;
  const below: (Request & { round: number })[] = [];
  const looked =
    (await lookForScopes(
      tx,
      book,
      open.filter((row) => row.why === 'scope'),
      below,
    )) +
    (await lookForMembers(
      tx,
      book,
      open.filter((row) => row.why !== 'scope'),
      below,
    ));
  await request(tx, below);
  await tx.run(forgetSeen, {});
  return looked;
}

async function lookForScopes(
  tx: Tx,
  book: TargetBook,
  rows: readonly DescentRow[],
  below: (Request & { round: number })[],
): Promise<number> {
  const targets = Math.max(1, targetsThatReadGroups(book).length);
  let room = Math.max(peoplePerStep, Math.floor(accountsPerStep / targets));
  const people: Regrouped[] = [];
  let taken = 0;
  for (const row of rows) {
    if (room <= 0) break;
    taken += 1;
    const page = await nextPage(tx, row, room);
    room -= Math.max(1, page.length);
    for (const { id, kind } of page) {
      if (kind === 'user') people.push({ subjectId: id, spId: row.sp_id });
      else below.push(belowOf(row, id));
    }
  }
  await raiseAccounts(tx, await raisesByGroups(tx, book, people));
  return taken;
}

async function lookForMembers(
  tx: Tx,
  book: TargetBook,
  rows: readonly DescentRow[],
  below: (Request & { round: number })[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const concerned = await findConcerned(tx, book, rows);
  const pages: Page[] = [];
  let room = membersPerStep;
  let links = membershipsPerStep;
  for (const walk of rows) {
    if (room <= 0 || links <= 0) break;
    const groups = concerned.get(walk)!;
    // However many groups there are above, some members are looked at.
    const most = Math.max(peoplePerStep, Math.floor(links / Math.max(1, groups.length)));
    const members = await nextPage(tx, walk, Math.min(room, most));
    room -= Math.max(1, members.length);
    links -= members.length * groups.length;
    pages.push({ walk, concerned: groups, members });
    const goesBelow = walk.why === 'edge' || groups.some((group) => everNested(group.regime, 'flatten'));
    if (goesBelow) below.push(...members.filter(({ kind }) => kind === 'group').map(({ id }) => belowOf(walk, id)));
  }
  await lookAtMembers(tx, pages);
  return pages.length;
}

function belowOf({ why, top_id: topId, target_id: targetId, sp_id: spId, round }: DescentRow, groupId: string) {
  return { groupId, spId, why, topId, targetId, round };
}

/** The next members of a group; the cursor moves behind them. */
async function nextPage(tx: Tx, row: DescentRow, limit: number) {
  const { group_id: groupId, stop } = row;
  const after = row.cursor ?? '';
  const cameRound = stop !== null && after < stop;
  const page = await listEveryMember(tx, groupId, { after, until: cameRound ? stop : null, limit });
  const last = page.at(-1)?.id;
  const next: Position =
    page.length === limit && !(cameRound && last === stop)
      ? { cursor: last!, stop }
      : stop !== null && !cameRound
        ? { cursor: '', stop }
        : { cursor: null, stop: null };
  await tx.run(moveOn, { ...row, ...next });
  return page;
}

const countOpen = prepare<Record<string, never>, { n: number }>(
  () => sql<{ n: number }>`select count(*) as n from descents where cursor is not null`,
);

/** How many groups are not looked through yet. */
export async function countDescents(reading: Reading): Promise<number> {
  return (await reading.run(countOpen, {}))[0]!.n;
}
