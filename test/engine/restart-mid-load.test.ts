import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { addTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

eachDatabase('the engine stops and starts in the middle of a load', (database) => {
  it('loses nothing, makes nobody twice, and needs no lease to run out', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const people: string[] = [];
    for (let n = 0; n < 60; n++) people.push(await bed.addUser(`p${n}`));
    await bed.addGroup('all', people);
    for (let n = 1; n <= 6; n++) {
      await bed.start();
      await bed.clock.runUntil(() => bed.fake.users.size + other.fake.users.size >= n * 12, { stepMs: 1 });
      await bed.changeUser(people[n]!, `p${n}`, { title: `t${n}` });
      await bed.removeUser(people[30 + n]!);
      await bed.stop();
      const leased = (await bed.accounts()).filter((row) => row.lease_attempt !== null);
      assert.deepEqual(leased, [], 'an orderly stop leaves no lease behind');
      assert.deepEqual(
        (await bed.attempts()).filter((attempt) => attempt.ended_at === null),
        [],
        'and no attempt without an end',
      );
    }
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(other.fake.users.size, bed.fake.users.size);
    const names = bed.fake.requests
      .filter((request) => request.method === 'POST' && request.on === 'users')
      .map((request) => (request.body as { userName: string }).userName);
    assert.equal(new Set(names).size, names.length, 'nobody is made twice');
  });

  for (const trouble of [
    'none',
    'accounts wait to be tried again',
    'a lane is held',
    'results are just being written',
  ] as const) {
    it(`leaves no timer behind after a stop (${trouble})`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      if (trouble === 'a lane is held' || trouble === 'accounts wait to be tried again') {
        bed.fake.misbehave({
          times: trouble === 'a lane is held' ? Number.POSITIVE_INFINITY : 3,
          when: { method: 'POST' },
          act: { kind: 'answer', status: 503, headers: { 'retry-after': '60' }, body: {} },
        });
      }
      for (let n = 0; n < 20; n++) await bed.addUser(`p${n}`);
      const before = bed.clock.waiting();
      await bed.start();
      if (trouble === 'results are just being written') {
        bed.fake.misbehave({ when: { method: 'POST' }, times: 4, act: { kind: 'hold', applied: false } });
        await bed.clock.runUntil(() => bed.fake.held === 4, { stepMs: 1 });
        bed.fake.misbehave({ when: { on: 'users' }, times: 100, act: { kind: 'answer', status: 401, body: {} } });
        const stopped = bed.stop();
        await bed.fake.release();
        await stopped;
      } else {
        await bed.pass(3_000);
        await bed.stop();
      }
      assert.equal(bed.clock.waiting(), before);
      const heard = bed.fake.requests.length;
      await bed.pass(20_000);
      assert.equal(bed.fake.requests.length, heard, 'a stopped engine says nothing');
      bed.fake.heal();
      await bed.start();
      await bed.rest();
      await bed.assertAgrees();
    });
  }

  it('keeps to the rate of a target also while it stops', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, requestsPerSecond: 1, burst: 1 } });
    for (let n = 0; n < 20; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await bed.pass(3_000);
    const heard = bed.fake.requests.length;
    await bed.stop();
    assert.ok(bed.fake.requests.length <= heard + 1, `${bed.fake.requests.length - heard} requests at once`);
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
  });
});
