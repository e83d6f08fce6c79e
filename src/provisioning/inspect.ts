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

/** So many due accounts of a target are sorted for a page; where there are more, the next ones are met soon. */
const sortedAtMost = 5_000;

type Page = { after?: AccountKey; limit: number };

/** In the order of target and subject, from the one after `after`. */
export async function listAccounts(reading: Reading, filter: AccountFilter, page: Page): Promise<AccountRow[]> {
  const { targetId, subjectId, remoteId } = filter;
  if (targetId !== undefined) return listAtTarget(reading, targetId, filter, page);
  if (subjectId !== undefined || remoteId !== undefined) return readRows(reading, filter, page);
  // What knows states and what is due begins with the target, so each is asked by itself.
  const { after, limit } = page;
  const targets = await reading.all(
    reading.q
      .selectFrom('targets')
      .select('id')
      .where('id', '>=', after?.targetId ?? 0)
      .orderBy('id'),
  );
  const rows: AccountRow[] = [];
  for (const { id } of targets) {
    const rest = { limit: limit - rows.length, ...(after?.targetId === id ? { after } : {}) };
    rows.push(...(await listAtTarget(reading, id, filter, rest)));
    if (rows.length >= limit) break;
  }
  return rows;
}

async function listAtTarget(
  reading: Reading,
  targetId: number,
  filter: AccountFilter,
  page: Page,
): Promise<AccountRow[]> {
  const { states, after } = { ...filter, ...page };
  if (after && after.targetId > targetId) return [];
  const own = { ...filter, targetId };
  const from = after?.targetId === targetId ? page : { limit: page.limit };
  if (states === undefined || filter.subjectId !== undefined) return readRows(reading, own, from);
  // The index has those of one state in order.
  const lists: AccountRow[] = [];
  for (const state of new Set(states)) lists.push(...(await readRows(reading, { ...own, states: [state] }, from)));
  return lists.sort((a, b) => (a.subject_id < b.subject_id ? -1 : 1)).slice(0, page.limit);
}

async function readRows(reading: Reading, filter: AccountFilter, page: Page): Promise<AccountRow[]> {
  const { targetId, subjectId, states, remoteId } = filter;
  const isFew =
    remoteId !== undefined ||
    (filter.due === true &&
      states === undefined &&
      targetId !== undefined &&
      (await reading.run(countSomeDue, { targetId, limit: sortedAtMost + 1 }))[0]!.count <= sortedAtMost);
  // An order that no index has, so that few are not looked for in the order of all accounts.
  const order = isFew ? unordered : (['target_id', 'subject_id'] as const);
  let query = reading.q.selectFrom('accounts').selectAll().orderBy(order[0]).orderBy(order[1]).limit(page.limit);
  if (targetId !== undefined) query = query.where('target_id', '=', targetId);
  if (subjectId !== undefined) query = query.where('subject_id', '=', subjectId);
  if (states !== undefined) {
    query = query.where('state', 'in', [...states]);
    // As the partial index says it, which is used for nothing else.
    if (!states.includes('done')) query = query.where(sql<boolean>`state <> 'done'`);
  }
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
  if (after && targetId === after.targetId) query = query.where('subject_id', '>', after.subjectId);
  else if (after) {
    query = query.where((e) =>
      e.or([
        e('target_id', '>', after.targetId),
        e.and([e('target_id', '=', after.targetId), e('subject_id', '>', after.subjectId)]),
      ]),
    );
  }
  return reading.all(query);
}

const countSomeDue = prepare<{ targetId: number; limit: number }, { count: number }>(
  (_, p) => sql<{ count: number }>`
    select count(*) as count from (
      select 1 from accounts where target_id = ${p.targetId} and due_at is not null limit ${p.limit}) as few`,
);

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
  // Of a target alone no index knows the order; asked in this way, none is used that has all of it.
  if (targetId !== undefined) {
    query = query.where(subjectId === undefined ? sql<number>`target_id + 0` : 'target_id', '=', targetId);
  }
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

const countUnsettled = prepare<Record<string, never>, { target_id: number; state: AccountState; count: number }>(
  () => sql<{ target_id: number; state: AccountState; count: number }>`
    select target_id, state, count(*) as count from accounts where state <> 'done' group by target_id, state`,
);
const countDue = prepare<Record<string, never>, { target_id: number; count: number; oldest: number }>(
  () => sql<{ target_id: number; count: number; oldest: number }>`
    select target_id, count(*) as count, min(due_at) as oldest from accounts where due_at is not null group by target_id`,
);

/**
 * Counts of every target that has accounts, of which `all` says how many there are (`tally.ts`). Of those that are not
 * done it reads the index entries, and all of them: for people, not for hot paths.
 */
export async function countAccounts(
  reading: Reading,
  all: ReadonlyMap<number, number>,
): Promise<Map<number, TargetCounts>> {
  const counts = new Map<number, TargetCounts>();
  const of = (id: number) => {
    const known = counts.get(id) ?? { accounts: all.get(id) ?? 0, byState: {}, pending: 0, oldestDueAt: null };
    counts.set(id, known);
    return known;
  };
  for (const id of all.keys()) of(id);
  for (const row of await reading.run(countUnsettled, {})) of(row.target_id).byState[row.state] = Number(row.count);
  for (const row of await reading.run(countDue, {})) {
    Object.assign(of(row.target_id), { pending: Number(row.count), oldestDueAt: row.oldest });
  }
  for (const one of counts.values()) {
    const unsettled = Object.values(one.byState).reduce((sum, count) => sum + count, 0);
    // Those that are not done are counted now, and all of them perhaps a while ago.
    if (one.accounts > unsettled) one.byState.done = one.accounts - unsettled;
    else one.accounts = unsettled;
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
