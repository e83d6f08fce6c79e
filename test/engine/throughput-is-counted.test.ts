import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { type Bucket, openThroughput } from '../../src/provisioning/throughput.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';

const minute = 60_000;
const hour = { minutes: 60, minutesPerBucket: 1 };
const day = { minutes: 1_440, minutesPerBucket: 15 };

type Attempt = { startedAt: number; outcome: string | null; targetId?: number };

eachDatabase('deliveries by time', (bed) => {
  const open = async () => {
    const clock = openTestClock();
    const store = await bed.open({ clock, time: 'clock' });
    return { clock, store };
  };
  const add = (store: Store, attempts: readonly Attempt[]) =>
    store.write(async (tx) => {
      for (const { startedAt, outcome, targetId = 1 } of attempts) {
        await tx.all(
          tx.q.insertInto('attempts').values({
            target_id: targetId,
            subject_id: 's',
            kind: 'user',
            noted: 1,
            operation: 'create',
            started_at: startedAt,
            deadline: startedAt,
            ended_at: outcome === null ? null : startedAt,
            outcome: outcome as 'done',
            reason: null,
            version: 1,
            node: null,
            rule: null,
          }),
        );
      }
    });
  const sumOf = (buckets: readonly Bucket[]) => buckets.reduce((sum, { done, failed }) => sum + done + failed, 0);
  const toldOf = (buckets: readonly Bucket[], from: number) =>
    buckets.flatMap(({ at, done, failed }) => (done + failed === 0 ? [] : [[(at - from) / minute, done, failed]]));

  it('without attempts every bucket is empty', async () => {
    const { clock, store } = await open();
    const { buckets, countedSince } = await openThroughput({ store, clock }).read(hour);
    assert.equal(buckets.length, 60);
    assert.equal(sumOf(buckets), 0);
    assert.equal(countedSince, buckets[0]!.at);
  });

  it('each attempt that ended is counted in its minute, and none that is older or under way', async () => {
    const { clock, store } = await open();
    const now = clock.now();
    const start = Math.floor(now / minute) * minute;
    const old = Array.from({ length: 40 }, (_, n) => ({ startedAt: start - 180 * minute + n, outcome: 'done' }));
    await add(store, [
      ...old,
      { startedAt: start - 60 * minute, outcome: 'done' },
      { startedAt: start - 59 * minute, outcome: 'done' },
      { startedAt: start - 10 * minute + 1, outcome: 'refused' },
      { startedAt: start - 10 * minute + 59_999, outcome: 'done', targetId: 2 },
      { startedAt: now, outcome: null },
      { startedAt: now, outcome: 'unknown' },
      { startedAt: now, outcome: 'done' },
    ]);
    const throughput = openThroughput({ store, clock });
    const told = toldOf((await throughput.read(hour)).buckets, start);
    assert.deepEqual(told, [
      [-59, 1, 0],
      [-10, 1, 1],
      [0, 1, 1],
    ]);
    assert.deepEqual(toldOf((await throughput.read({ ...hour, targetId: 2 })).buckets, start), [[-10, 1, 0]]);
    assert.equal(sumOf((await throughput.read(day)).buckets), 46);
  });

  it('what comes later is counted too, what ends late in its own minute, and what is a day old no more', async () => {
    const { clock, store } = await open();
    const throughput = openThroughput({ store, clock });
    await add(store, [{ startedAt: clock.now(), outcome: null }]);
    assert.equal(sumOf((await throughput.read(day)).buckets), 0);
    await clock.advance(2 * minute);
    await store.write((tx) => tx.all(tx.q.updateTable('attempts').set({ outcome: 'done', ended_at: tx.now })));
    assert.equal(sumOf((await throughput.read(hour)).buckets), 1);
    for (let n = 0; n < 30; n++) {
      await add(store, [{ startedAt: clock.now(), outcome: 'done' }]);
      await clock.advance(10 * minute);
      assert.equal(sumOf((await throughput.read(day)).buckets), n + 2);
    }
    await clock.advance(1_441 * minute);
    assert.equal(sumOf((await throughput.read(day)).buckets), 0);
  });

  it('equals counting by hand, whenever it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            later: fc.integer({ min: 0, max: 400 * minute }),
            outcome: fc.constantFrom('done', 'refused'),
            ask: fc.boolean(),
          }),
          { maxLength: 12 },
        ),
        async (steps) => {
          const { clock, store } = await open();
          const throughput = openThroughput({ store, clock });
          const all: number[] = [];
          for (const { later, outcome, ask } of steps) {
            await clock.advance(later);
            await add(store, [{ startedAt: clock.now(), outcome }]);
            all.push(clock.now());
            if (!ask) continue;
            const { buckets, countedSince } = await throughput.read(day);
            const since = buckets[0]!.at;
            assert.equal(countedSince, since);
            assert.equal(sumOf(buckets), all.filter((at) => at >= since).length);
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  it('a day that takes long is counted in several answers, each of which says how far it came', async () => {
    const { clock, store } = await open();
    const now = clock.now();
    await add(
      store,
      Array.from({ length: 100 }, (_, n) => ({ startedAt: now - (100 - n) * 14 * minute, outcome: 'done' })),
    );
    let steps = 0;
    // Every look at this clock takes a tenth of a second.
    const monotonic = () => {
      steps += 1;
      return steps * 100;
    };
    const slow: Clock = { ...clock, monotonic };
    const throughput = openThroughput({ store, clock: slow });
    const seen: number[] = [];
    let answers = 0;
    for (let since = Number.POSITIVE_INFINITY; answers < 200; answers++) {
      const { buckets, countedSince } = await throughput.read(day);
      assert.ok(countedSince < since || countedSince === buckets[0]!.at, 'every answer comes further');
      since = countedSince;
      seen.push(sumOf(buckets));
      if (since === buckets[0]!.at) break;
    }
    assert.ok(answers > 5 && answers < 200, `${answers} answers`);
    assert.equal(seen.at(-1), 100);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });
});
