import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestClock } from '../clock.ts';
import { oneDatabase } from '../database.ts';

// On PostgreSQL the time is the server's; here it is this machine's, whose wall clock may be set.
oneDatabase('sqlite', 'the time of the database', (bed) => {
  test('goes on at its pace when the wall clock is set back, and follows it when it is set forward', async () => {
    const clock = openTestClock();
    const store = await bed.open({ clock });
    const times = async () => {
      const [now, written, read] = [
        store.now(),
        await store.write(async (tx) => tx.now),
        await store.read(async (reading) => reading.now),
      ];
      assert.deepEqual([written, read], [now, now], 'one time for all');
      return now;
    };
    const start = await times();
    assert.equal(start, clock.now());
    clock.stepWall(-3_600_000);
    assert.equal(await times(), start);
    await clock.advance(1_500);
    assert.equal(await times(), start + 1_500);
    clock.stepWall(1_800_000);
    await clock.advance(500);
    assert.equal(await times(), start + 2_000, 'still behind what was shown before');
    clock.stepWall(2_000_000);
    assert.equal(await times(), clock.now());
    assert.ok(clock.now() > start + 2_000);
  });
});
