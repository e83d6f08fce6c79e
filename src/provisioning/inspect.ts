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

/** In the order of target and subject, from the one after `after`. */
export function listAccounts(
  reading: Reading,
  filter: AccountFilter,
  page: { after?: AccountKey; limit: number },
): Promise<AccountRow[]> {
  let query = reading.q.selectFrom('accounts').selectAll().orderBy('target_id').orderBy('subject_id').limit(page.limit);
  if (filter.targetId !== undefined) query = query.where('target_id', '=', filter.targetId);
  if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
  if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states]);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.due === true) query = query.where('due_at', 'is not', null);
  if (filter.due === false) query = query.where('due_at', 'is', null);
  if (filter.left !== undefined) query = query.where(filter.left ? isLeft : sql<boolean>`not (${isLeft})`);
  const { remoteId } = filter;
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

/** The latest first, from the one before the id `before`. */
export async function listAttempts(
  reading: Reading,
  filter: AttemptFilter,
  page: { before?: number; limit: number },
): Promise<(AttemptRow & { id: number })[]> {
  let query = reading.q.selectFrom('attempts').selectAll().orderBy('id', 'desc').limit(page.limit);
  if (filter.targetId !== undefined) query = query.where('target_id', '=', filter.targetId);
  if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  const { text, status } = filter;
  if (text !== undefined) {
    const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`lower(reason) like ${pattern} escape '\\'`);
  }
  if (status !== undefined) {
    const said = sql<boolean>`exists (select 1 from exchanges e where e.attempt_id = attempts.id and e.status = ${status})`;
    query = query.where(said);
  }
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  return (await reading.all(query)) as unknown as (AttemptRow & { id: number })[];
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
