import { sql } from 'kysely';
import { prepare, type Reading } from '../store/store.ts';

/** Attempts that ended, by the minute in which they began. */
export type Minute = { at: number; done: number; failed: number };

const minuteMs = 60_000;

const first = prepare<{ from: number }, { id: number; started_at: number }>(
  (_, p) => sql<{ id: number; started_at: number }>`
    select id, started_at from attempts where id >= ${p.from} order by id limit 1`,
);
const last = prepare<Record<string, never>, { id: number }>(
  () => sql<{ id: number }>`select id from attempts order by id desc limit 1`,
);
const count = prepare<{ from: number; since: number }, { minute: number; done: number; count: number }>(
  (_, p) => sql<{ minute: number; done: number; count: number }>`
    select cast(floor(started_at / 60000) as bigint) as minute, case when outcome = 'done' then 1 else 0 end as done,
      count(*) as count
    from attempts where id >= ${p.from} and started_at >= ${p.since} and outcome is not null group by 1, 2`,
);

/**
 * The last `minutes`, the oldest first, those without attempts too. Ids rise with time, so where the first of them is
 * is found by halving, without an index that every attempt would have to pay for. Reads all attempts since then.
 */
export async function readThroughput(reading: Reading, minutes: number): Promise<Minute[]> {
  const until = Math.floor(reading.now / minuteMs);
  const since = (until - minutes + 1) * minuteMs;
  const found = new Map<number, Minute>();
  const from = await findFirst(reading, since);
  for (const row of from === undefined ? [] : await reading.run(count, { from, since })) {
    const at = Number(row.minute) * minuteMs;
    const minute = found.get(at) ?? { at, done: 0, failed: 0 };
    minute[Number(row.done) === 1 ? 'done' : 'failed'] += Number(row.count);
    found.set(at, minute);
  }
  return Array.from({ length: minutes }, (_, n) => {
    const at = since + n * minuteMs;
    return found.get(at) ?? { at, done: 0, failed: 0 };
  });
}

/**
 * An id before which no attempt began at `since` or later; undefined when there are no attempts. Of a few that were
 * begun at the same moment on several nodes, the ids may be out of order: hence a little further back.
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
  return low - outOfOrder;
}

const outOfOrder = 1_000;
