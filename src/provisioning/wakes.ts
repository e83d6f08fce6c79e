import { sql } from 'kysely';
import { listGroupsOf, listMembers } from '../directory/memberships.ts';
import { listReferrers } from '../directory/references.ts';
import { readSubjects } from '../directory/subjects.ts';
import type { WakeRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { type Raise, raiseAccounts, readAccounts } from './accounts.ts';
import { requestDescents } from './descents.ts';
import { nestingOf, presentMode, type Regime } from './group-modes.ts';
import { planLinks, settleRemovals } from './links.ts';
import { isNestedOtherwise, listHolders } from './nested-groups.ts';
import type { TargetBook } from './target-book.ts';

/**
 * Who has to be told that a subject arrived at a target: the groups that hold it, the people who name it as manager
 * (engine rule 19). When it left, they are told as well: the memberships wait for it again, nobody is named who is not
 * there, and a group that was refused because of it is tried once more. Completing an attempt only appends a row here;
 * the planner folds them later, many in one step.
 *
 * A wake is written whenever the directory knows a group or referrer, whatever their accounts look like at the moment,
 * and is folded only by the planner, which is also the only one that makes links. So no membership can slip through
 * between a group that is being planned and a member that is just arriving.
 */
export type Wake = { targetId: number; subjectId: string; cause: WakeRow['cause'] };

const insertWakes = prepare<{ rows: string }, { id: number }>((_, p, d) => {
  const rows = d.rowsOf<{ target_id: number; subject_id: string; cause: string }, 'r'>(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    cause: 'text',
  });
  return sql<{ id: number }>`
    insert into wakes (target_id, subject_id, cause)
    select target_id, subject_id, cause from ${rows} where r.cause = 'relink' or r.cause like 'members after %'
      or exists (select 1 from members where member_id = r.subject_id)
      or exists (select 1 from refs where ref_id = r.subject_id)
      or exists (select 1 from links where target_id = r.target_id and member_id = r.subject_id and state = 'waiting')
    returning id`;
});

/** Answers how many of these somebody has to hear of. After the commit `store.signal('changes')` says so to the planner. */
export async function appendWakes(tx: Tx, wakes: readonly Wake[]): Promise<number> {
  if (wakes.length === 0) return 0;
  const rows = wakes.map((wake) => ({ target_id: wake.targetId, subject_id: wake.subjectId, cause: wake.cause }));
  return (await tx.run(insertWakes, { rows: JSON.stringify(rows) })).length;
}

const takeWakes = prepare<{ limit: number }, WakeRow>(
  (_, p) => sql<WakeRow>`
    delete from wakes where id in (select id from wakes order by id limit ${p.limit})
    returning id, target_id, subject_id, cause`,
);

/** How many arrivals are not folded yet. */
export async function countWakes(reading: Reading): Promise<number> {
  const row = await reading.first(reading.q.selectFrom('wakes').select((e) => e.fn.countAll<number>().as('n')));
  return Number(row?.n ?? 0);
}

/** Members arrive in bursts: a group waits this long for more of them before it is delivered. */
const debounceMs = 200;
/**
 * A group that is new at a target has all its members noted, this many in one transaction; the others follow by a wake
 * `members after <the last one>`. Measured on SQLite: 10 microseconds each, so a group of 100,000 noted at once stopped
 * the process for a second, for each target.
 */
const membersPerStep = 500;

/** Folds up to `limit` wakes into due links and raised accounts; answers how many it took. Only for the planner. */
export async function foldWakes(tx: Tx, book: TargetBook, limit: number): Promise<number> {
  const taken = await tx.run(takeWakes, { limit });
  if (taken.length === 0) return 0;
  const raises: Raise[] = [];
  const movedAt = new Map<string, Set<number>>();
  for (const wake of taken) {
    if (isContinued(wake.cause)) continue;
    const targets = movedAt.get(wake.subject_id) ?? new Set();
    movedAt.set(wake.subject_id, targets.add(wake.target_id));
  }
  const moved = [...movedAt.keys()];
  const isNamed = (targetId: number) => book.targets.get(targetId)?.target.nestedOtherwise !== true;
  const pairs = (await listGroupsOf(tx, moved)).flatMap(({ groupId, memberId }) =>
    [...movedAt.get(memberId)!].filter(isNamed).map((targetId) => ({ targetId, groupId, memberId })),
  );
  if (isNestedOtherwise(book)) {
    const subjects = await readSubjects(tx, moved);
    pairs.push(
      ...(await listHolders(
        tx,
        book,
        [...subjects.values()].flatMap(({ id, kind }) =>
          [...movedAt.get(id)!].map((targetId) => ({ id, kind, targetId })),
        ),
      )),
    );
  }
  const referrers = (await listReferrers(tx, moved)).flatMap(({ subjectId, refId }) =>
    [...movedAt.get(refId)!].map((targetId) => ({ targetId, subjectId })),
  );
  const losing = await settleRemovals(
    tx,
    taken.map((wake) => ({ targetId: wake.target_id, memberId: wake.subject_id })),
  );
  const groups = [...pairs, ...losing].map(({ targetId, groupId }) => ({ targetId, subjectId: groupId }));
  const present = await readAccounts(tx, uniqueKeys([...groups, ...referrers]));
  const accountAt = new Map(present.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  const links = pairs.filter((pair) => accountAt.has(`${pair.targetId} ${pair.groupId}`));
  await planLinks(
    tx,
    links.map((pair) => ({ ...pair, op: 'add' as const })),
  );
  const fresh = taken.flatMap(({ target_id: targetId, subject_id: groupId, cause }) =>
    isContinued(cause)
      ? [{ targetId, groupId, after: cause.slice(continued.length) }]
      : cause === 'relink'
        ? [{ targetId, groupId }]
        : [],
  );
  const groupsThere = await readAccounts(tx, uniqueKeys(fresh.map((one) => ({ ...one, subjectId: one.groupId }))));
  const there = new Map(groupsThere.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  await relinkMembers(
    tx,
    fresh.flatMap((one) => {
      const row = there.get(`${one.targetId} ${one.groupId}`);
      return row ? [{ ...one, regime: row.regime }] : [];
    }),
  );
  for (const row of groupsThere) raises.push(raiseOf(row, 1, tx.now));
  for (const row of present) {
    // A person's manager is a cosmetic change; who is in a group decides what somebody may do.
    raises.push(row.kind === 'group' ? raiseOf(row, 1, tx.now + debounceMs) : raiseOf(row, 3, tx.now));
  }
  await raiseAccounts(tx, raises);
  return taken.length;

  function raiseOf(
    row: { target_id: number; subject_id: string; kind: 'user' | 'group'; sp_id: number },
    urgency: number,
    at: number,
  ): Raise {
    return {
      targetId: row.target_id,
      subjectId: row.subject_id,
      kind: row.kind,
      urgency,
      spId: row.sp_id,
      makes: false,
      unlessMissing: true,
      at,
    };
  }
}

const continued = 'members after ';

function isContinued(cause: WakeRow['cause']): boolean {
  return cause.startsWith(continued);
}

/**
 * Notes every member of these groups as still to be said at a target: the group is new there. Some at once, the others
 * by wakes, and by descents where everybody in the groups in it is a member. `after`: only members after this one; default all.
 */
export async function relinkMembers(
  tx: Tx,
  groups: readonly { targetId: number; groupId: string; after?: string; regime: Regime }[],
): Promise<void> {
  const later: Wake[] = [];
  let room = membersPerStep;
  const isFlat = ({ regime }: { regime: Regime }) => nestingOf(presentMode(regime)) === 'flatten';
  await requestDescents(
    tx,
    groups
      .filter(isFlat)
      .map(({ targetId, groupId }) => ({ groupId, spId: 0, why: 'whole' as const, topId: groupId, targetId })),
  );
  for (const { targetId, groupId, after = '', regime } of groups.filter((one) => !isFlat(one))) {
    const names = nestingOf(presentMode(regime));
    const page = room > 0 ? await listMembers(tx, groupId, { limit: room, after }) : [];
    await planLinks(
      tx,
      page
        .filter((member) => member.kind === 'user' || names === 'native')
        .map((member) => ({ targetId, groupId, memberId: member.id, op: 'add' as const })),
    );
    const last = page.at(-1)?.id ?? after;
    if (page.length === room) later.push({ targetId, subjectId: groupId, cause: `${continued}${last}` });
    // Each group costs its statements, also when it is empty.
    room = Math.max(0, room - Math.max(1, page.length));
  }
  await appendWakes(tx, later);
}

function uniqueKeys(keys: readonly { targetId: number; subjectId: string }[]) {
  return [...new Map(keys.map((key) => [`${key.targetId} ${key.subjectId}`, key])).values()];
}
