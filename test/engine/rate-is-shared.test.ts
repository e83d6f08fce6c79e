import assert from 'node:assert/strict';
import { it } from 'node:test';
import { drawRequests } from '../../src/provisioning/budgets.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase, oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

// Engine rule 11: what a target may be asked in a second is one budget, whoever asks.

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };

/** Time goes on slowly enough for a database on the network to keep up with it. */
async function live(bed: EngineBed, ms: number, eachStep: () => void = () => {}): Promise<void> {
  for (let left = ms; left > 0; left -= 20) {
    await bed.clock.advance(20);
    await new Promise((resolve) => setTimeout(resolve, 8));
    eachStep();
  }
}

eachDatabase('the budget of a target', (database) => {
  it('gives no more than rate x time + burst, in whatever pieces it is asked for', async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const rate = { requestsPerSecond: 50, burst: 5 };
    let granted = 0;
    for (let ms = 0; ms < 4_000; ms += 7) {
      const draws = await Promise.all([1, 3, 9].map((want) => drawRequests(store, 1, rate, want)));
      granted += draws.reduce((sum, draw) => sum + draw.granted, 0);
      assert.ok(granted <= 5 + (50 * ms) / 1_000 + 1e-6, `${granted} after ${ms} ms`);
      clock.stepWall(7);
    }
    assert.ok(granted >= 0.97 * (5 + 200), `only ${granted} of 205`);
  });

  it('keeps a slow rate exact, and is not filled by a clock that steps back', async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const rate = { requestsPerSecond: 0.2, burst: 1 };
    let granted = 0;
    for (let s = 0; s < 100; s++) {
      granted += (await drawRequests(store, 1, rate, 1)).granted;
      clock.stepWall(1_000);
    }
    assert.equal(granted, 20);
    clock.stepWall(-3_600_000);
    for (let n = 0; n < 5; n++) granted += (await drawRequests(store, 1, rate, 1)).granted;
    assert.ok(granted <= 21, String(granted));
  });

  it('is not fresh after a restart', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, requestsPerSecond: 2, burst: 20 } });
    for (let n = 0; n < 60; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await live(bed, 3_000);
    const before = bed.fake.requests.length;
    assert.ok(before >= 20 && before <= 26, `${before} requests in three seconds`);
    const began = bed.clock.monotonic();
    for (let n = 0; n < 3; n++) {
      await bed.stop();
      await bed.start();
      await live(bed, 1_000);
    }
    const more = bed.fake.requests.length - before;
    const seconds = (bed.clock.monotonic() - began) / 1_000;
    assert.ok(more <= 2 * seconds + 2, `${more} requests in ${seconds} s and three restarts`);
    await bed.rest();
    await bed.assertAgrees();
  });
});

oneDatabase('postgres', 'the rate of a target over two nodes', (database) => {
  it('is kept by both together, and used up', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, requestsPerSecond: 50, burst: 5 } });
    for (let n = 0; n < 260; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await using _other = await startAnotherNode(database, bed);
    const began = bed.clock.monotonic();
    const heard: number[] = [];
    const start = bed.fake.requests.length;
    await live(bed, 4_000, () => heard.push(bed.fake.requests.length - start));
    const seconds = (bed.clock.monotonic() - began) / 1_000;
    for (const [n, count] of heard.entries()) {
      const at = (n + 1) * 0.02;
      assert.ok(count <= 5 + 50 * at + 1, `${count} requests after ${at.toFixed(2)} s`);
    }
    const used = heard.at(-1)! / (5 + 50 * seconds);
    assert.ok(used >= 0.9, `${Math.round(used * 100)} % of the rate was used`);
    await bed.rest();
    await bed.assertAgrees();
  });
});
