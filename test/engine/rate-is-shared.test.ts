import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sleep } from '../../src/base/clock.ts';
import { drawRequests, type Rate } from '../../src/provisioning/budgets.ts';
import { openGovernor } from '../../src/provisioning/governor.ts';
import { readPolicy } from '../../src/provisioning/policy.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase, oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { openRandom } from './explorer/random.ts';

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
    // Nor does it wait until the clock shows again what it showed before.
    for (let s = 0; s < 50; s++) {
      granted += (await drawRequests(store, 1, rate, 1)).granted;
      await clock.advance(1_000);
    }
    assert.ok(granted >= 28 && granted <= 31, String(granted));
  });

  it('changes with the policy at once, also for who waits already', async () => {
    const policy = { ...limits, requestsPerSecond: 0.05, burst: 1 };
    await using bed = await openEngineBed(database, { policy });
    for (let n = 0; n < 30; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await live(bed, 2_000);
    assert.equal(bed.fake.requests.length, 1);
    await resetTarget(bed, { policy: { ...policy, requestsPerSecond: 100, burst: 10 } });
    await live(bed, 1_000);
    assert.equal(bed.fake.users.size, 30);
    await resetTarget(bed, { policy });
    for (let n = 0; n < 30; n++) await bed.addUser(`q${n}`);
    await live(bed, 1_000);
    const slow = bed.fake.users.size;
    assert.ok(slow <= 32, `${slow} with the slow rate`);
    await resetTarget(bed, { policy: limits });
    await live(bed, 1_000);
    assert.equal(bed.fake.users.size, 60);
    await bed.rest();
    await bed.assertAgrees();
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

// How far somebody is from a database is a matter of the test's clock here, which PostgreSQL would not keep to.
oneDatabase('sqlite', 'the budget of a target', (database) => {
  for (const [what, rate] of Object.entries({
    'a usual burst': { requestsPerSecond: 50, burst: 50 },
    'a small burst': { requestsPerSecond: 50, burst: 5 },
    'no burst': { requestsPerSecond: 10, burst: 1 },
  })) {
    it(`is not emptied by the node nearest to the database alone, with ${what}`, async () => {
      const clock = openTestClock();
      const store = await database.open({ clock, time: 'clock' });
      const stop = new AbortController();
      const passed = { near: 0, far: 0 };
      const seconds = 60;
      for (const [n, name] of (['near', 'far'] as const).entries()) {
        const draw = async (limit: Rate, want: number) => {
          if (name === 'far') await sleep(clock, 3);
          return drawRequests(store, 1, limit, want);
        };
        const governor = openGovernor(readPolicy({ ...rate }), clock, draw, openRandom(n + 1).next);
        for (let waiting = 0; waiting < 40; waiting++) {
          void (async () => {
            for (;;) {
              await governor.pass(stop.signal);
              if (stop.signal.aborted) return;
              passed[name] += 1;
            }
          })();
        }
      }
      for (let ms = 0; ms < seconds * 1_000; ms += 5) await clock.advance(5);
      stop.abort();
      const all = passed.near + passed.far;
      const allowed = rate.burst + rate.requestsPerSecond * seconds;
      assert.ok(all <= allowed + 1, `${all} of ${allowed}`);
      assert.ok(all >= 0.85 * allowed, `${all} of ${allowed}`);
      assert.ok(Math.min(passed.near, passed.far) >= all / 6, JSON.stringify(passed));
    });
  }
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
