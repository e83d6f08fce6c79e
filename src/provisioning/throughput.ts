import { setImmediate as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { prepare, type Reading, type Store } from '../store/store.ts';

/** Attempts that ended, by when they began: well, or in any other way. */
export type Bucket = { at: number; done: number; failed: number };

export type Throughput = {
  /** The oldest first, those without attempts too. */
  buckets: Bucket[];
  /** From when on all are counted; later than the first bucket while the rest is still to be counted. */
  countedSince: number;
};

/** `targetId` undefined: of all targets. */
export type Span = { minutes: number; minutesPerBucket: number; targetId?: number | undefined };

const minuteMs = 60_000;
export const longestSpan = 24 * 60;
/** Attempts of a minute that is so long over have ended, but for those of servers that died. */
const settledAfter = 5;
/** So many minutes are counted by one statement. */
const minutesPerPiece = 10;
/** After so long a question is answered with what is counted; the next one goes on. */
const patienceMs = 300;

type Count = { done: number; failed: number };
type Minute = Map<number, Count>;

/**
 * Counts attempts by minute and target, at most a day back. Minutes that are settled are remembered: with fifty busy
 * targets some 70,000 small counts. So a question costs the last minutes, and once after a start the day.
 */
export function openThroughput({ store, clock }: { store: Store; clock: Clock }) {
  /** Every minute from `from` to before `to`; a minute without attempts is not in it. */
  const known = new Map<number, Minute>();
  let from = 0;
  let to = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function read({ minutes, minutesPerBucket, targetId }: Span): Promise<Throughput> {
    const started = clock.monotonic();
    const now = Math.floor(store.now() / minuteMs);
    const buckets = Math.ceil(minutes / minutesPerBucket);
    const first = (Math.floor(now / minutesPerBucket) - buckets + 1) * minutesPerBucket;
    forgetBefore(now - longestSpan - minutesPerBucket);
    const settled = now - settledAfter;
    if (to < first || to > settled) from = to = settled;
    const latest = await store.read((reading) => countMinutes(reading, to, now + 1));
    for (; to < settled; to++) keep(to, latest.get(to));
    while (from > first && clock.monotonic() - started < patienceMs) {
      const start = Math.max(first, from - minutesPerPiece);
      const piece = await store.read((reading) => countMinutes(reading, start, from));
      while (from > start) keep(--from, piece.get(from));
      // Others are answered meanwhile.
      await pause();
    }
    const counted = Array.from({ length: buckets }, (_, n): Bucket => {
      const bucket = { at: (first + n * minutesPerBucket) * minuteMs, done: 0, failed: 0 };
      for (let minute = first + n * minutesPerBucket; minute < first + (n + 1) * minutesPerBucket; minute++) {
        const counts = known.get(minute) ?? latest.get(minute) ?? new Map<number, Count>();
        for (const [id, { done, failed }] of counts) {
          if (targetId !== undefined && targetId !== id) continue;
          bucket.done += done;
          bucket.failed += failed;
        }
      }
      return bucket;
    });
    return { buckets: counted, countedSince: Math.max(from, first) * minuteMs };
  }

  function keep(minute: number, counts: Minute | undefined): void {
    if (counts) known.set(minute, counts);
  }
  function forgetBefore(minute: number): void {
    for (const at of known.keys()) if (at < minute) known.delete(at);
    from = Math.max(from, minute);
  }

  return {
    /** `minutes` at most a day. Questions wait for one another. */
    read(span: Span): Promise<Throughput> {
      const answer = turn.then(() => read(span));
      turn = answer.catch(() => {});
      return answer;
    },
  };
}

type Row = { minute: number; target_id: number; done: number; count: number };

const countRows = prepare<{ low: number; high: number; since: number; until: number }, Row>(
  (_, p) => sql<Row>`
    select cast(floor(started_at / 60000) as bigint) as minute, target_id,
      case when outcome = 'done' then 1 else 0 end as done, count(*) as count
    from attempts
    where id >= ${p.low} and id < ${p.high} and started_at >= ${p.since} and started_at < ${p.until}
      and outcome is not null
    group by 1, 2, 3`,
);

/** Of the minutes from `from` to before `to`. */
async function countMinutes(reading: Reading, from: number, to: number): Promise<Map<number, Minute>> {
  const found = new Map<number, Minute>();
  const [since, until] = [from * minuteMs, to * minuteMs];
  const low = await findFirst(reading, since);
  const high = await findFirst(reading, until);
  if (low === undefined || high === undefined) return found;
  const range = { low: low - outOfOrder, high: high + outOfOrder, since, until };
  for (const row of await reading.run(countRows, range)) {
    const minute = found.get(Number(row.minute)) ?? new Map<number, Count>();
    found.set(Number(row.minute), minute);
    const count = minute.get(row.target_id) ?? { done: 0, failed: 0 };
    count[Number(row.done) === 1 ? 'done' : 'failed'] += Number(row.count);
    minute.set(row.target_id, count);
  }
  return found;
}

const lately = 20_000;

// Grouped by what no index has, or SQLite reads all of the one that begins with the target.
const countLately = prepare<{ from: number; since: number }, { target_id: number; count: number }>(
  (_, p) => sql<{ target_id: number; count: number }>`
    select target_id + 0 as target_id, count(*) as count from attempts
    where id >= ${p.from} and started_at >= ${p.since} and outcome = 'done' group by target_id + 0`,
);

/** Deliveries a second that were done in the last seconds, by target; those without any are missing. */
export async function readRates(reading: Reading): Promise<Map<number, number>> {
  const since = reading.now - lately;
  const from = await findFirst(reading, since);
  if (from === undefined) return new Map();
  const rows = await reading.run(countLately, { from: from - outOfOrder, since });
  return new Map(rows.map((row) => [row.target_id, (Number(row.count) * 1_000) / lately]));
}

/** Of attempts that were begun at the same moment on several nodes, the ids may be out of order by so many. */
const outOfOrder = 1_000;

const first = prepare<{ from: number }, { id: number; started_at: number }>(
  (_, p) => sql<{ id: number; started_at: number }>`
    select id, started_at from attempts where id >= ${p.from} order by id limit 1`,
);
const last = prepare<Record<string, never>, { id: number }>(
  () => sql<{ id: number }>`select id from attempts order by id desc limit 1`,
);

/**
 * The id of the first attempt that began at `since` or later, or the one after the last; undefined when there are none.
 * Ids rise with time, so it is found by halving, without an index that every attempt would have to pay for.
 */
async function findFirst(reading: Reading, since: number): Promise<number | undefined> {
  const newest = (await reading.run(last, {}))[0];
  if (!newest) return undefined;
  let low = (await reading.run(first, { from: 0 }))[0]!.id;
  let high = newest.id + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = (await reading.run(first, { from: middle }))[0];
    if (row && row.started_at < since) low = Math.max(middle + 1, row.id + 1);
    else high = middle;
  }
  return low;
}
