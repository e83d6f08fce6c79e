import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { claimLane } from '../../src/provisioning/claim.ts';
import { recordResults } from '../../src/provisioning/complete.ts';
import { deliverAccount } from '../../src/provisioning/deliver.ts';
import { openLookups } from '../../src/provisioning/lookups.ts';
import { planStep } from '../../src/provisioning/plan.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { addUsers, bind, listWaves } from './waves.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };

const statesOf = async (bed: EngineBed) => [...new Set((await bed.accounts()).map((row) => row.state))].sort();

eachDatabase('a change of settings or policy reaches every account', (database) => {
  it('removes those outside a narrowed scope first, and says nothing about those inside', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, concurrency: 1 } });
    await bed.start();
    const out: string[] = [];
    // More than one chunk, and those to go are at its end.
    await addUsers(bed, 290, (n) => `stays${n}`);
    for (let n = 0; n < 10; n++) out.push(await bed.addUser(`goes${n}`, { title: 'Guest' }));
    await bed.rest();
    assert.equal(bed.fake.users.size, 300);
    const heard = bed.fake.requests.length;
    await resetTarget(bed, { policy: { ...limits, concurrency: 1, scopeUsers: 'not (title eq "Guest")' } });
    await bed.rest();
    const said = bed.fake.requests.slice(heard);
    assert.deepEqual([...new Set(said.map((request) => request.method))], ['DELETE']);
    assert.equal(said.length, 10);
    assert.equal(bed.fake.users.size, 290);
    for (const id of out) assert.equal(await bed.account(id), undefined);
    assert.deepEqual(await statesOf(bed), ['done']);
    assert.deepEqual(bed.fake.faults, []);
    const [wave] = await listWaves(bed);
    assert.deepEqual([wave?.state, wave?.cause, wave?.seen, wave?.raised], ['done', 'policy changed', 300, 300]);
    // A removal goes before the many that are only compared: not after their attempts.
    const attempts = (await bed.attempts()).filter((attempt) => attempt.version === 2);
    const lastRemoval = attempts.findLastIndex((attempt) => attempt.operation === 'remove');
    assert.ok(lastRemoval < 200, `the last removal was attempt ${lastRemoval} of ${attempts.length}`);
  });

  it('lets nobody in who was outside before and is inside now: that is a sync’s to do, or their next change’s', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title eq "Seller"' } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'Seller' });
    const bob = await bed.addUser('bob', { title: 'Buyer' });
    await bed.rest();
    await resetTarget(bed, { policy: limits });
    await bed.rest();
    assert.deepEqual(
      (await bed.accounts()).map((row) => row.subject_id),
      [ada],
    );
    await bed.changeUser(bob, 'bob', { title: 'Baker' });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('brings back, switched on, whom a narrowed scope had switched off when it is widened again', async () => {
    const policy = { ...limits, deprovision: 'disable' };
    await using bed = await openEngineBed(database, { policy });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'Guest' });
    await bed.rest();
    const remoteId = (await bed.account(ada))?.remote_id;
    await resetTarget(bed, { policy: { ...policy, scopeUsers: 'not (title eq "Guest")' } });
    await bed.rest();
    assert.deepEqual([(await bed.account(ada))?.state, bed.fake.userNamed('ada')?.active], ['disabled', false]);
    await resetTarget(bed, { policy });
    await bed.rest();
    assert.equal((await bed.account(ada))?.remote_id, remoteId);
    await bed.assertAgrees();
  });

  it('leaves those alone who left under another policy', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, deprovision: 'disable' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.addUser('bob');
    await bed.rest();
    await bed.removeUser(ada);
    await bed.rest();
    const heard = bed.fake.requests.length;
    await resetTarget(bed, { policy: { ...limits, deprovision: 'delete' } });
    await bed.rest();
    assert.equal(bed.fake.requests.length, heard);
    assert.deepEqual([(await bed.account(ada))?.state, bed.fake.userNamed('ada')?.active], ['disabled', false]);
  });

  it('renames everybody when the user store domain at the target changes', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addUsers(bed, 40, (n) => `p${n}`);
    const team = await bed.addGroup('team', people);
    await bed.rest();
    const ids = new Map((await bed.accounts()).map((row) => [row.subject_id, row.remote_id]));
    await resetTarget(bed, { settings: { 'scim2-user-store-domain': 'SALES' }, policy: limits });
    await bed.rest();
    const names = [...bed.fake.users.values()].map((user) => user.userName).sort();
    assert.deepEqual(names, people.map((_, n) => `SALES/p${n}`).sort());
    assert.deepEqual(new Map((await bed.accounts()).map((row) => [row.subject_id, row.remote_id])), ids);
    assert.equal(bed.fake.membersOf(ids.get(team)!).length, 40);
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.version))], [2]);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('takes up again what was refused: accounts, and more memberships than one step does', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, membersPerRequest: 100 } });
    await bed.start();
    const people = await addUsers(bed, 300, (n) => `p${n}`);
    const team = await bed.addGroup('team', people);
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'POST' },
      act: { kind: 'answer', status: 400, body: { detail: 'not today' } },
    });
    const refused = await bed.addUser('refused');
    await bed.rest();
    assert.equal((await bed.account(refused))?.state, 'parked');
    const removals = people.map((id) => ({ target_id: bed.targetId, group_id: team, member_id: id }));
    const remoteIds = new Map((await bed.accounts()).map((row) => [row.subject_id, row.remote_id]));
    await bed.store.write(async (tx) => {
      for (const row of removals) {
        const remote_id = remoteIds.get(row.member_id)!;
        await tx.all(
          tx.q
            .insertInto('links')
            .values({ ...row, remote_id, op: 'add', state: 'parked', reason: 'refused', attempt_id: null }),
        );
      }
    });
    bed.fake.heal();
    await resetTarget(bed, { policy: { ...limits, membersPerRequest: 60 } });
    await bed.rest();
    assert.equal((await bed.account(refused))?.state, 'done');
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll())), []);
    await bed.assertAgrees();
  });

  it('reaches those who change, come and go while it passes', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addUsers(bed, 120, (n) => `p${n}`);
    await bed.rest();
    await resetTarget(bed, { settings: { 'scim2-user-store-domain': 'SALES' }, policy: limits });
    for (let n = 0; n < 30; n++) {
      await bed.changeUser(people[n]!, `p${n}`, { title: `t${n}` });
      if (n % 5 === 0) await bed.removeUser(people[60 + n]!);
      if (n % 5 === 1) await bed.addUser(`new${n}`);
      await bed.clock.advance(3);
    }
    await bed.rest();
    for (const user of bed.fake.users.values()) assert.match(String(user.userName), /^SALES\//);
    assert.equal(bed.fake.users.size, 120 - 6 + 6);
    for (let n = 0; n < 30; n++) assert.equal(bed.fake.userNamed(`SALES/p${n}`)?.title, `t${n}`);
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.version))], [2]);
  });

  it('starts over when it changes again meanwhile, instead of queueing', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await addUsers(bed, 30, (n) => `p${n}`);
    await bed.rest();
    await bed.stop();
    for (const domain of ['ONE', 'TWO', 'THREE']) {
      await resetTarget(bed, { settings: { 'scim2-user-store-domain': domain }, policy: limits });
    }
    const waves = await listWaves(bed);
    assert.deepEqual(
      waves.map((wave) => [wave.state, wave.version]),
      [['running', 4]],
    );
    await bed.start();
    await bed.rest();
    for (const user of bed.fake.users.values()) assert.match(String(user.userName), /^THREE\//);
  });

  it('opens a held lane by itself, though nobody there has anything to be told', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await addUsers(bed, 60, (n) => `p${n}`);
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { on: 'users' },
      act: { kind: 'answer', status: 401, body: {} },
    });
    const eve = await bed.addUser('eve');
    await bed.pass(20_000);
    assert.notEqual((await bed.lanes()).find((lane) => lane.kind === 'user')?.hold, null);
    await resetTarget(bed, { policy: { ...limits, maxTries: 9 } });
    await bed.pass(20_000);
    bed.fake.heal();
    await bed.rest(120_000);
    assert.equal((await bed.account(eve))?.state, 'done');
    assert.equal((await bed.lanes()).find((lane) => lane.kind === 'user')?.hold, null);
    await bed.assertAgrees();
  });
});

eachDatabase('a binding that goes and comes reaches every account', (database) => {
  it('lets them rest without a word, and brings them up to date when it is back', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addUsers(bed, 20, (n) => `p${n}`);
    await bed.addGroup('team', people);
    await bed.rest();
    const heard = bed.fake.requests.length;
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.rest();
    assert.deepEqual(await statesOf(bed), ['unbound']);
    assert.equal(bed.fake.requests.length, heard);
    await bed.changeUser(people[0]!, 'p0', { title: 'changed' });
    await bed.removeUser(people[1]!);
    await bed.rest();
    assert.equal(bed.fake.requests.length, heard);
    await bind(bed, bed.resident.spId, true);
    await bed.rest();
    assert.deepEqual(await statesOf(bed), ['done']);
    await bed.assertAgrees();
    const said = bed.fake.requests.slice(heard).map((request) => `${request.method} ${request.on}`);
    assert.deepEqual(
      said.filter((one) => /users/.test(one)),
      said.filter((one) => /^(PATCH|PUT|DELETE) users/.test(one)),
      'nobody is made again',
    );
  });

  it('does not take what an old binding decided for the last word, also after the wave has passed', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { store, key, outbound, targetId } = bed;
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    // A node that has not heard of it yet claims when all is over.
    const old = await store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.rest();
    await bed.stop();
    await bed.changeUser(ada, 'ada', { title: 'two' });
    const book = await store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
    await planStep(store, book);
    const { claims } = await claimLane(store, bed.clock, old, { targetId, kind: 'user' }, 1);
    const [claim] = claims;
    assert.equal(claim?.wish, 'present');
    const courier = outbound.courier({ deadline: claim!.sendBefore, timeoutMs: limits.timeoutMs });
    const result = await deliverAccount(claim!, courier, openLookups(store));
    assert.deepEqual([result.operation, result.outcome, result.state], ['update', 'done', 'done']);
    await recordResults(store, () => 0.5, [{ result, exchanges: courier.exchanges, mutatedAt: bed.clock.now() }]);
    const left = await bed.account(ada);
    assert.ok(left!.wanted > left!.done, 'it is due still');
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
  });
});
