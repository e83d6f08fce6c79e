import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Act } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };

async function addPeople(bed: EngineBed, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await bed.addUser(`p${n}`));
  return ids;
}

const statesOf = async (bed: EngineBed) => [...new Set((await bed.accounts()).map((row) => row.state))];

eachDatabase('a failure belongs to somebody', (database) => {
  const outages: { name: string; act: Act; held: RegExp | null }[] = [
    { name: 'credentials refused', act: { kind: 'answer', status: 401, body: {} }, held: /401|credential|sign/i },
    { name: 'server errors', act: { kind: 'answer', status: 500, body: {} }, held: /every delivery fails/ },
    { name: 'gateway timeouts', act: { kind: 'answer', status: 504, body: {} }, held: /every delivery fails/ },
    { name: 'service unavailable', act: { kind: 'answer', status: 503, body: {} }, held: /every delivery fails/ },
    { name: 'closed connections', act: { kind: 'drop', applied: false }, held: /every delivery fails/ },
    { name: 'a wrong endpoint', act: { kind: 'answer', status: 404, body: {} }, held: /404|not found|endpoint/i },
    { name: 'a web page', act: { kind: 'html', status: 200 }, held: /every delivery fails/ },
  ];
  for (const outage of outages) {
    it(`parks nobody in an outage (${outage.name}), probes one at a time, and converges by itself`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, when: { on: 'users' }, act: outage.act });
      const people = await addPeople(bed, 40);
      await bed.start();
      await bed.pass(60_000);
      const heard = bed.fake.requests.length;
      await bed.pass(5 * 60_000);
      const [lane] = (await bed.lanes()).filter((one) => one.kind === 'user');
      assert.match(lane?.hold ?? '', outage.held!);
      assert.deepEqual(await statesOf(bed), ['due'], 'nothing is parked by an outage');
      assert.ok(
        bed.fake.requests.length - heard <= 25,
        `${bed.fake.requests.length - heard} requests in five minutes of outage`,
      );
      bed.fake.heal();
      await bed.rest();
      assert.deepEqual(await statesOf(bed), ['done']);
      assert.equal(bed.fake.users.size, people.length);
      await bed.assertAgrees();
      assert.equal((await bed.lanes()).find((one) => one.kind === 'user')?.hold, null);
    });
  }

  it('honours Retry-After of a throttling target and takes no more than it allows', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const throttle = bed.fake.misbehave({
      when: { method: 'POST' },
      skip: 3,
      times: 1,
      act: { kind: 'answer', status: 429, headers: { 'retry-after': '20' }, body: {} },
    });
    await addPeople(bed, 40);
    await bed.start();
    await bed.clock.runUntil(() => throttle.hits === 1, { stepMs: 1 });
    await bed.pass(2_000);
    const heard = bed.fake.requests.length;
    await bed.pass(16_000);
    assert.equal(bed.fake.requests.length, heard, 'silent until the time it named');
    await bed.rest();
    await bed.assertAgrees();
    assert.deepEqual(await statesOf(bed), ['done']);
  });

  it('parks the one account that always fails while others succeed, with its reason', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 4 } });
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'poison' },
      act: { kind: 'answer', status: 500, body: { detail: 'index out of range' } },
    });
    await bed.start();
    const poison = await bed.addUser('poison');
    for (let n = 0; (await bed.account(poison))?.state !== 'parked'; n++) {
      assert.ok(n < 400, 'parked at last');
      await bed.addUser(`healthy${n}`);
      await bed.pass(1_000);
    }
    assert.match((await bed.account(poison))?.reason ?? '', /given up after 4 tries/);
    bed.fake.heal();
    await bed.changeUser(poison, 'poison', { title: 'changed' });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('sends a removal that arrives while the account is refused', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'PATCH' },
      act: { kind: 'answer', status: 400, body: { detail: 'no such title' } },
    });
    await bed.changeUser(ada, 'ada', { title: 'bad' });
    await bed.rest();
    const parked = await bed.account(ada);
    assert.equal(parked?.state, 'parked');
    assert.match(parked?.reason ?? '', /no such title/);
    await bed.removeUser(ada);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
  });

  it('does not let users wait for a broken groups endpoint', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { on: 'groups' },
      act: { kind: 'answer', status: 500, body: {} },
    });
    const ada = await bed.addUser('ada');
    await bed.addGroup('team', [ada]);
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.account(ada))?.state === 'done');
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
  });
});
