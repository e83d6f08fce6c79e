import { sql } from 'kysely';
import { readSubjects, type Subject } from '../directory/subjects.ts';
import type { AccountRow, AccountState, AttemptRow, ExchangeRow, LaneRow } from '../store/schema.ts';
import { prepare, type Reading } from '../store/store.ts';

/**
 * What accounts, attempts and changes look like to somebody who asks: read only, paged by key, so that a page costs the
 * same however far down the list it is.
 */

export type AccountFilter = {
  targetId?: number;
  subjectId?: string;
  states?: readonly AccountState[];
  kind?: 'user' | 'group';
  /** Only those with something still to deliver. */
  due?: boolean;
  /** Whether somebody left them parked (`decisions.ts`). */
  left?: boolean;
  /** The id it has at the target, exactly. */
  remoteId?: string;
};

export type AccountKey = { targetId: number; subjectId: string };

const isLeft = sql<boolean>`accounts.decision is not null and accounts.state = 'parked' and exists (
  select 1 from decisions d where d.id = accounts.decision and d.what = 'leave' and d.noted = accounts.wanted)`;

const unordered = [sql<number>`target_id + 0`, sql<string>`subject_id || ''`] as const;

/** In the order of target and subject, from the one after `after`. */
export function listAccounts(
  reading: Reading,
  filter: AccountFilter,
  page: { after?: AccountKey; limit: number },
): Promise<AccountRow[]> {
  const { remoteId } = filter;
  // An order that no index has, so that of the few with a remote id none is looked for in the order of all accounts.
  const order = remoteId === undefined ? (['target_id', 'subject_id'] as const) : unordered;
  let query = reading.q.selectFrom('accounts').selectAll().orderBy(order[0]).orderBy(order[1]).limit(page.limit);
  if (filter.targetId !== undefined) query = query.where('target_id', '=', filter.targetId);
  if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
  if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states]);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.due === true) query = query.where('due_at', 'is not', null);
  if (filter.due === false) query = query.where('due_at', 'is', null);
  if (filter.left !== undefined) query = query.where(filter.left ? isLeft : sql<boolean>`not (${isLeft})`);
  if (remoteId !== undefined) {
    // All of the index that knows remote ids is named, so that it is used: targets and kinds are few.
    query = query
      .where('remote_id', '=', remoteId)
      .where('kind', 'in', ['user', 'group'])
      .where('target_id', 'in', (e) => e.selectFrom('targets').select('id'));
  }
  const { after } = page;
  if (after) {
    query = query.where((e) =>
      e.or([
        e('target_id', '>', after.targetId),
        e.and([e('target_id', '=', after.targetId), e('subject_id', '>', after.subjectId)]),
      ]),
    );
  }
  return reading.all(query);
}

export function readAccount(reading: Reading, key: AccountKey): Promise<AccountRow | undefined> {
  return reading.first(
    reading.q
      .selectFrom('accounts')
      .selectAll()
      .where('target_id', '=', key.targetId)
      .where('subject_id', '=', key.subjectId),
  );
}

export type AttemptFilter = {
  targetId?: number;
  subjectId?: string;
  outcome?: string;
  /** Part of the reason, without regard to case. Read from the latest on, until there are enough. */
  text?: string;
  /** Of an answer of the target. */
  status?: number;
};

/** So many attempts are looked at for one page, however few of them are like what is asked for. */
const lookedAtOnce = 5_000;

export type FoundAttempts = {
  attempts: Attempt[];
  /** Before this id there may be more; null when all were looked at. */
  next: number | null;
  /** When the last one began that was looked at, where the search stopped before the page was full; else null. */
  searchedBack: number | null;
};

type Attempt = AttemptRow & { id: number };

/**
 * The latest first, from the one before the id `before`. Those of one account are known by an index; whatever else is asked
 * for is looked for in so many attempts at a time, and whoever asks goes on with `next`.
 */
export async function listAttempts(
  reading: Reading,
  filter: AttemptFilter,
  page: { before?: number; limit: number; lookAt?: number },
): Promise<FoundAttempts> {
  const { targetId, subjectId, outcome, text, status } = filter;
  const { before, limit, lookAt = lookedAtOnce } = page;
  const asks = [targetId, outcome, text, status].some((each) => each !== undefined);
  const last = asks && subjectId === undefined ? await lastToLookAt(reading, before, lookAt) : undefined;
  let query = reading.q
    .selectFrom('attempts')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (targetId !== undefined) query = query.where('target_id', '=', targetId);
  if (subjectId !== undefined) {
    query = query.where('subject_id', '=', subjectId);
    // The index that knows subjects begins with the target; there are few.
    if (targetId === undefined) query = query.where('target_id', 'in', (e) => e.selectFrom('targets').select('id'));
  }
  if (outcome !== undefined) query = query.where('outcome', '=', outcome);
  if (text !== undefined) {
    const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`lower(reason) like ${pattern} escape '\\'`);
  }
  if (status !== undefined) {
    const said = sql<boolean>`exists (select 1 from exchanges e where e.attempt_id = attempts.id and e.status = ${status})`;
    query = query.where(said);
  }
  if (before !== undefined) query = query.where('id', '<', before);
  if (last) query = query.where('id', '>=', last.id);
  const rows = (await reading.all(query)) as unknown as Attempt[];
  const attempts = rows.slice(0, limit);
  if (rows.length > limit) return { attempts, next: attempts.at(-1)!.id, searchedBack: null };
  return { attempts, next: last?.id ?? null, searchedBack: last?.started_at ?? null };
}

/** Undefined: there are no more than may be looked at. */
async function lastToLookAt(
  reading: Reading,
  before: number | undefined,
  lookAt: number,
): Promise<{ id: number; started_at: number } | undefined> {
  const query = reading.q.selectFrom('attempts').select(['id', 'started_at']).orderBy('id', 'desc');
  const own = before === undefined ? query : query.where('id', '<', before);
  const [last, more] = await reading.all(own.limit(2).offset(lookAt - 1));
  return last && more ? last : undefined;
}

export async function readAttempt(reading: Reading, id: number): Promise<(AttemptRow & { id: number }) | undefined> {
  const row = await reading.first(reading.q.selectFrom('attempts').selectAll().where('id', '=', id));
  return row as unknown as (AttemptRow & { id: number }) | undefined;
}

/** By attempt, in the order they were said. */
export async function listExchanges(
  reading: Reading,
  attemptIds: readonly number[],
): Promise<Map<number, ExchangeRow[]>> {
  const byAttempt = new Map<number, ExchangeRow[]>(attemptIds.map((id) => [id, []]));
  if (attemptIds.length === 0) return byAttempt;
  const query = reading.q
    .selectFrom('exchanges')
    .selectAll()
    .where('attempt_id', 'in', [...attemptIds]);
  for (const row of await reading.all(query.orderBy('attempt_id').orderBy('n')))
    byAttempt.get(row.attempt_id)!.push(row);
  return byAttempt;
}

/** Sequence of the latest change; 0 when there is none. */
export async function readLastSeq(reading: Reading): Promise<number> {
  const row = await reading.first(reading.q.selectFrom('changes').select((e) => e.fn.max('seq').as('seq')));
  return Number(row?.seq ?? 0);
}

/** The subjects that these ids name, tombstones included; for showing names beside ids. */
export async function nameSubjects(reading: Reading, ids: Iterable<string | null>): Promise<Map<string, Subject>> {
  return readSubjects(reading, [...new Set([...ids].filter((id) => id !== null))]);
}

export type TargetCounts = {
  accounts: number;
  byState: Partial<Record<AccountState, number>>;
  pending: number;
  /** The earliest time at which a due account may be (or could have been) claimed. */
  oldestDueAt: number | null;
};

const countAll = prepare<Record<string, never>, { target_id: number; count: number }>(
  () => sql<{ target_id: number; count: number }>`select target_id, count(*) as count from accounts group by target_id`,
);
const countUnsettled = prepare<Record<string, never>, { target_id: number; state: AccountState; count: number }>(
  () => sql<{ target_id: number; state: AccountState; count: number }>`
    select target_id, state, count(*) as count from accounts where state <> 'done' group by target_id, state`,
);
const countDue = prepare<Record<string, never>, { target_id: number; count: number; oldest: number }>(
  () => sql<{ target_id: number; count: number; oldest: number }>`
    select target_id, count(*) as count, min(due_at) as oldest from accounts where due_at is not null group by target_id`,
);

/** Counts of every target that has accounts. Reads index entries only, but all of them: for people, not for hot paths. */
export async function countAccounts(reading: Reading): Promise<Map<number, TargetCounts>> {
  const counts = new Map<number, TargetCounts>();
  for (const row of await reading.run(countAll, {})) {
    counts.set(row.target_id, { accounts: Number(row.count), byState: {}, pending: 0, oldestDueAt: null });
  }
  for (const row of await reading.run(countUnsettled, {})) {
    const of = counts.get(row.target_id);
    if (of) of.byState[row.state] = Number(row.count);
  }
  for (const row of await reading.run(countDue, {})) {
    const of = counts.get(row.target_id);
    if (of) Object.assign(of, { pending: Number(row.count), oldestDueAt: row.oldest });
  }
  for (const of of counts.values()) {
    const unsettled = Object.values(of.byState).reduce((sum, count) => sum + count, 0);
    if (of.accounts > unsettled) of.byState.done = of.accounts - unsettled;
  }
  return counts;
}

const countDueAt = prepare<{ targetId: number }, { count: number }>(
  (_, p) => sql<{ count: number }>`
    select count(*) as count from accounts where target_id = ${p.targetId} and due_at is not null`,
);

/** How many accounts at a target have something to be delivered. */
export async function countPending(reading: Reading, targetId: number): Promise<number> {
  return (await reading.run(countDueAt, { targetId }))[0]!.count;
}

/** Lanes that hold now, and why. */
export function listHeldLanes(reading: Reading): Promise<LaneRow[]> {
  const query = reading.q.selectFrom('lanes').selectAll().where('hold', 'is not', null);
  return reading.all(query.orderBy('target_id').orderBy('kind', 'desc'));
}
