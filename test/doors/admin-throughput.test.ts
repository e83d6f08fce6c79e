import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readThroughput } from '../../src/provisioning/throughput.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';

const minute = 60_000;

eachDatabase('deliveries by minute', (bed) => {
  const open = async () => {
    const clock = openTestClock();
    const store = await bed.open({ clock, time: 'clock' });
    return { clock, store };
  };
  const attempt = (store: Store, startedAt: number, outcome: string | null) =>
    store.write((tx) =>
      tx.all(
        tx.q.insertInto('attempts').values({
          target_id: 1,
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
      ),
    );
  const read = (store: Store) => store.read((reading) => readThroughput(reading, 60));

  it('without attempts every minute is empty', async () => {
    const { store } = await open();
    const minutes = await read(store);
    assert.equal(minutes.length, 60);
    assert.ok(minutes.every(({ done, failed }) => done + failed === 0));
  });

  it('each attempt that ended is counted in its minute, and none that is older or under way', async () => {
    const { clock, store } = await open();
    const now = clock.now();
    const start = Math.floor(now / minute) * minute;
    for (let n = 0; n < 40; n++) await attempt(store, start - 3 * 3_600_000 + n, 'done');
    await attempt(store, start - 60 * minute, 'done');
    await attempt(store, start - 59 * minute, 'done');
    await attempt(store, start - 10 * minute + 1, 'refused');
    await attempt(store, start - 10 * minute + 59_999, 'done');
    await attempt(store, now, null);
    await attempt(store, now, 'unknown');
    await attempt(store, now, 'done');
    const minutes = await read(store);
    const told = minutes.flatMap(({ at, done, failed }) =>
      done + failed === 0 ? [] : [[(at - start) / minute, done, failed]],
    );
    assert.deepEqual(told, [
      [-59, 1, 0],
      [-10, 1, 1],
      [0, 1, 1],
    ]);
  });

  it('where all that there is is old, nothing is counted; where all is new, all', async () => {
    const { clock, store } = await open();
    const now = clock.now();
    for (let n = 0; n < 5; n++) await attempt(store, now - 24 * 3_600_000, 'done');
    const sum = async () => (await read(store)).reduce((total, one) => total + one.done, 0);
    assert.equal(await sum(), 0);
    const other = await open();
    for (let n = 0; n < 5; n++) await attempt(other.store, other.clock.now(), 'done');
    assert.equal(
      (await read(other.store)).reduce((total, one) => total + one.done, 0),
      5,
    );
  });
});
