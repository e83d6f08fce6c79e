import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 500, concurrency: 4 };
const refusal = { kind: 'answer', status: 400, body: { detail: 'bad title' } } as const;

eachDatabase('settings change while attempts are under way', (database) => {
  it('does not take what was decided by the old policy for the last word', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, adopt: 'ask' } });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const remoteId = bed.fake.seedUser({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'ada',
      active: true,
    });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
    await resetTarget(bed, { policy: { ...limits, adopt: 'name' } });
    await bed.fake.release();
    await bed.rest();
    assert.match((await bed.attempts(ada))[0]?.reason ?? '', /which Purvey did not make/, 'it was about to park');
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.remote_id, account?.version], ['done', remoteId, 2]);
  });

  it('adopts what was parked once the policy lets it', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, adopt: 'ask' } });
    const remoteId = bed.fake.seedUser({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'ada',
      active: true,
    });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    await resetTarget(bed, { policy: { ...limits, adopt: 'name' } });
    await bed.rest();
    assert.deepEqual([(await bed.account(ada))?.state, (await bed.account(ada))?.remote_id], ['done', remoteId]);
    await bed.assertAgrees();
  });

  it('removes by the policy as it is when the removal is sent', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, deprovision: 'delete' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    bed.fake.misbehave({
      when: { method: 'DELETE' },
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '30' }, body: {} },
    });
    await bed.removeUser(ada);
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unavailable', { stepMs: 20 });
    await resetTarget(bed, { policy: { ...limits, deprovision: 'disable' } });
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.active, false);
    assert.equal((await bed.account(ada))?.state, 'disabled');
  });

  it('says nothing before a request in doubt can have landed, though new settings make the account due', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, timeoutMs: 20_000, maxTries: 1 } });
    await bed.start();
    await bed.addUser('healthy');
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: false } });
    const ada = await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.account(ada))?.state === 'parked', { stepMs: 20 });
    const doubtful = (await bed.attempts(ada)).at(-1)!;
    await resetTarget(bed, { policy: { ...limits, timeoutMs: 20_000, maxTries: 3 } });
    await bed.rest();
    const next = (await bed.attempts(ada)).find((attempt) => attempt.id > doubtful.id)!;
    assert.ok(
      next.started_at >= doubtful.started_at + 20_000 + limits.settleMs,
      `${next.started_at - doubtful.started_at} ms after the request in doubt`,
    );
    await bed.assertAgrees();
  });

  it('does not park for tries that were made with old settings', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 1 } });
    await bed.start();
    await bed.addUser('healthy');
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const ada = await bed.addUser('ada');
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
    await resetTarget(bed, { policy: { ...limits, maxTries: 5 } });
    // The request under way times out: one try without an answer, and the old policy parks at the first.
    await bed.clock.runUntil(async () => (await bed.attempts(ada))[0]?.outcome === 'unknown', { stepMs: 50 });
    await bed.fake.release();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.assertAgrees();
  });

  it('says refused memberships again', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    const team = await bed.addGroup('team');
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'PATCH', on: 'groups' },
      act: refusal,
    });
    await bed.addMember(team, ada);
    await bed.rest();
    const states = async () =>
      (await bed.store.read((r) => r.all(r.q.selectFrom('links').select('state')))).map((link) => link.state);
    assert.deepEqual(await states(), ['parked']);
    bed.fake.heal();
    await resetTarget(bed, { policy: { ...limits, concurrency: 5 } });
    await bed.rest();
    assert.deepEqual(await states(), []);
    await bed.assertAgrees();
  });

  it('never touches remote ids by itself', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.addGroup('team', [ada]);
    await bed.rest();
    const ids = async () => (await bed.accounts()).map((row) => [row.subject_id, row.remote_id, row.acked, row.state]);
    const before = await ids();
    const heard = bed.fake.requests.length;
    await resetTarget(bed, { policy: { ...limits, deprovision: 'disable' } });
    await bed.pass(3_000);
    await resetTarget(bed, { settings: { 'scim2-group-ep': '', 'scim2-user-ep': `${bed.fake.url}/elsewhere` } });
    await bed.pass(3_000);
    await resetTarget(bed, { enabled: false });
    await bed.pass(3_000);
    await resetTarget(bed, {});
    await bed.rest();
    assert.deepEqual(await ids(), before);
    assert.equal(bed.fake.requests.length, heard, 'nothing is said for it');
  });

  it('goes on with groups once there is an endpoint for them again', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    const team = await bed.addGroup('team', [ada]);
    await bed.rest();
    await resetTarget(bed, { settings: { 'scim2-group-ep': '' } });
    await bed.renameGroup(team, 'crew', [ada]);
    await bed.rest();
    assert.equal((await bed.account(team))?.state, 'unbound');
    await resetTarget(bed, {});
    await bed.rest();
    await bed.assertAgrees();
  });
});
