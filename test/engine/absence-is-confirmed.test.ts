import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { askWhichSystem } from '../../src/provisioning/same-system.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200 };

eachDatabase('absence is confirmed', (database) => {
  it('makes an account anew that vanished at the target, in all its groups', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.addGroup('team', [ada]);
    await bed.rest();
    const old = (await bed.account(ada))!.remote_id!;
    await bed.removeThere('users', old);
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.notEqual((await bed.account(ada))?.remote_id, old);
    await bed.assertAgrees();
  });

  it('makes a group anew with all its members', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = [await bed.addUser('a'), await bed.addUser('b'), await bed.addUser('c')];
    const team = await bed.addGroup('team', people);
    await bed.rest();
    await bed.removeThere('groups', (await bed.account(team))!.remote_id!);
    await bed.renameGroup(team, 'crew', people);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('does not believe a passing 404', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const old = (await bed.account(ada))!.remote_id;
    bed.fake.misbehave({ when: { method: 'PATCH' }, act: { kind: 'answer', status: 404, body: {} } });
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.remote_id, old, 'found again by its mark, not made a second time');
    await bed.assertAgrees();
  });

  it('does not believe a passing 404 where nothing keeps our mark: it is not made again, and goes when it should', async () => {
    await using bed = await openEngineBed(database, {
      policy: { ...limits, adopt: 'ask' },
      fake: { keepsMarks: false },
    });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const old = (await bed.account(ada))!.remote_id!;
    const passing = (method: string) => bed.fake.misbehave({ when: { method }, act: { kind: 'answer', status: 404 } });
    passing('PATCH');
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.deepEqual([(await bed.account(ada))?.remote_id, (await bed.account(ada))?.state], [old, 'done']);
    assert.equal(bed.fake.users.get(old)?.['title'], 'two');
    passing('DELETE');
    await bed.removeUser(ada);
    await bed.rest();
    assert.deepEqual([...bed.fake.users.keys()], []);
  });

  it('does not leave behind what was adopted and could not be marked before it had to go', async () => {
    const policy = { ...limits, adopt: 'name', deprovisionAdopted: 'delete' };
    await using bed = await openEngineBed(database, { policy });
    const there = bed.fake.seedUser({ userName: 'ada', active: true });
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'PATCH' },
      act: { kind: 'answer', status: 503, body: {} },
    });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.account(ada))?.remote_id === there);
    await bed.removeUser(ada);
    bed.fake.heal();
    bed.fake.misbehave({ when: { method: 'DELETE' }, act: { kind: 'answer', status: 404, body: {} } });
    await bed.rest();
    assert.equal(bed.fake.users.has(there), false, 'the leaver has no account any more');
  });

  it('does not take back what another of ours has adopted meanwhile', async () => {
    const policy = { ...limits, settleMs: 5_000, adopt: 'name', deprovisionAdopted: 'delete' };
    await using bed = await openEngineBed(database, { policy, fake: { keepsMarks: false } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    const there = (await bed.account(ada))!.remote_id!;
    bed.fake.misbehave({ when: { method: 'DELETE' }, act: { kind: 'answer', status: 404, body: {} } });
    await bed.removeUser(ada);
    await bed.clock.runUntil(async () => (await bed.account(ada))?.remote_id === null, { stepMs: 20 });
    const other = await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.account(other))?.remote_id === there, { stepMs: 20 });
    await bed.rest();
    assert.equal(bed.fake.users.has(there), true);
    assert.equal(await bed.account(ada), undefined);
    assert.deepEqual([(await bed.account(other))?.state, (await bed.account(other))?.remote_id], ['done', there]);
  });

  it('asks whether it is the same system also while all ids are set aside: at another they are of somebody else', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, settleMs: 60_000 } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'PATCH' }, act: { kind: 'answer', status: 404, body: {} } });
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.clock.runUntil(async () => (await bed.account(ada))?.remote_id === null, { stepMs: 20 });
    const settings = (usersEndpoint: string) => ({ 'scim2-user-ep': usersEndpoint });
    await assert.rejects(
      bed.store.read((reading) =>
        askWhichSystem(
          reading,
          { id: bed.targetId, name: 'partner:SCIM2' },
          connectorKinds.find(({ type }) => type === 'SCIM2')!,
          { before: settings(bed.fake.usersEndpoint), after: settings('https://other.example/scim2/Users') },
          undefined,
        ),
      ),
      /is it the same system\? .* 1 account is known there/,
    );
  });

  it('is not misled by a search that still shows what is gone', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const old = (await bed.account(ada))!.remote_id!;
    bed.fake.options.findLagMs = Number.POSITIVE_INFINITY;
    await bed.removeThere('users', old);
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.notEqual((await bed.account(ada))?.remote_id, old);
    await bed.assertAgrees();
  });

  it('holds the lane when everybody is answered not found', async () => {
    // No more than what may be sent within two seconds is on its way before the first answers are written down.
    const policy = { ...limits, concurrency: 4, requestsPerSecond: 20, burst: 20 };
    await using bed = await openEngineBed(database, { policy });
    await bed.start();
    const people: string[] = [];
    for (let n = 0; n < 200; n++) people.push(await bed.addUser(`p${n}`, { title: 'one' }));
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { on: 'users', resource: true },
      act: { kind: 'answer', status: 404, body: {} },
    });
    const made = bed.fake.requests.length;
    for (const [n, id] of people.entries()) await bed.changeUser(id, `p${n}`, { title: 'two' });
    await bed.clock.runUntil(async () => (await bed.lanes()).some((lane) => /not found/.test(lane.hold ?? '')), {
      stepMs: 20,
    });
    const asked = bed.fake.requests.filter((request) => request.n > made && request.status === 404);
    const accounts = new Set(asked.map((request) => request.id)).size;
    assert.ok(accounts <= 100, `${accounts} accounts were asked about before the lane was held`);
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 200);
  });
});
