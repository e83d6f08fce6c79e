import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const down = { act: { kind: 'answer', status: 503, headers: { 'retry-after': '2' } }, times: Infinity } as const;

/** Nothing is owed, kept or amiss. */
async function assertSettled(bed: EngineBed): Promise<void> {
  assert.deepEqual(await bed.secrets(), [], 'no password is kept');
  for (const row of await bed.accounts()) {
    assert.deepEqual([row.pw_seq, row.pw_sent, row.pw_note], [null, null, null], row.subject_id);
  }
}

eachDatabase('passwords on their way', (database) => {
  it('a creation carries the clear password of its change, and it is erased then', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-default-pwd': 'Default-1' } });
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    assert.equal((await bed.secrets()).length, 1);
    await bed.start();
    await bed.rest();
    assert.deepEqual(bed.fake.heardPasswords(), [{ method: 'POST', id: undefined, password: 'Clear-1', alone: false }]);
    assert.equal((await bed.account(ada))?.state, 'done');
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('without a clear password the Default Password goes with a creation, and with nothing else', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-default-pwd': 'Default-1' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'changed' });
    await bed.rest();
    const heard = bed.fake.heardPasswords();
    assert.deepEqual(heard, [{ method: 'POST', id: undefined, password: 'Default-1', alone: false }]);
    await assertSettled(bed);
  });

  it('without either, none is sent', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    await bed.addUser('ada');
    await bed.rest();
    assert.deepEqual(bed.fake.heardPasswords(), []);
    await bed.assertAgrees();
  });

  it('with Enable Password Provisioning off nothing is ever sent, and nothing kept', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-enable-pwd-provisioning': false } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'changed' });
    await bed.rest();
    assert.deepEqual(bed.fake.heardPasswords(), []);
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('switched off while one was owed: it is let go', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    bed.fake.misbehave(down);
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unavailable');
    await resetTarget(bed, { settings: { 'scim2-enable-pwd-provisioning': false } });
    bed.fake.heal();
    await bed.rest();
    const before = bed.fake.heardPasswords().length;
    await bed.changeUser(ada, 'ada', { title: 'changed' });
    await bed.rest();
    assert.equal(bed.fake.heardPasswords().length, before);
    assert.equal(bed.fake.passwordOf('ada'), undefined);
    await assertSettled(bed);
  });

  it('a new password goes as a PATCH of password alone, before the rest of the change', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-default-pwd': 'Default-1' } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'changed' });
    await bed.rest();
    const remoteId = (await bed.account(ada))?.remote_id;
    assert.deepEqual(bed.fake.heardPasswords().slice(1), [
      { method: 'PATCH', id: remoteId, password: 'Clear-2', alone: true },
    ]);
    const operations = (await bed.attempts(ada)).map((attempt) => attempt.operation);
    assert.deepEqual(operations, ['create', 'password', 'update']);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('a target without PATCH gets the whole resource and the password, and keeps what it has', async () => {
    await using bed = await openEngineBed(database, { fake: { patch: false } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1', title: 'one' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.rest();
    const said = bed.fake.requests.filter((request) => request.method === 'PUT').map((request) => request.body);
    const parts = said.map((body) => [(body as { title?: string }).title, (body as { password?: string }).password]);
    assert.deepEqual(parts, [
      ['one', 'Clear-2'],
      ['two', undefined],
    ]);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('of several passwords set while the target was down only the last arrives', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    // The target is away, so these never reach it.
    await resetTarget(bed, { enabled: false });
    for (const password of ['Clear-2', 'Clear-3', 'Clear-4']) {
      await bed.changeUser(ada, 'ada', { password });
      await bed.pass(2_000);
    }
    assert.equal((await bed.secrets()).length, 1, 'a newer password takes the place of an older one');
    await resetTarget(bed, { enabled: true });
    await bed.rest();
    const heard = bed.fake.heardPasswords().map((one) => one.password);
    assert.deepEqual(heard, ['Clear-1', 'Clear-4']);
    await assertSettled(bed);
  });

  it('a password set before the account was made goes with its creation, whichever change is planned first', async () => {
    await using bed = await openEngineBed(database);
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.start();
    await bed.rest();
    const heard = bed.fake.heardPasswords();
    assert.deepEqual(heard, [{ method: 'POST', id: undefined, password: 'Clear-2', alone: false }]);
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('is kept until every target has it, over a restart of the engine, and erased then', async () => {
    await using bed = await openEngineBed(database);
    await using other = await addTarget(bed, 'other');
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await assertSettled(bed);
    other.fake.misbehave(down);
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.clock.runUntil(() => bed.fake.passwordOf('ada') === 'Clear-2');
    await bed.pass(5_000);
    const [seq] = await bed.secrets();
    assert.equal((await other.account(ada))?.pw_seq, seq);
    await bed.stop();
    await bed.start();
    await bed.pass(5_000);
    assert.deepEqual(await bed.secrets(), [seq]);
    other.fake.heal();
    await bed.rest();
    assert.equal(other.fake.passwordOf('ada'), 'Clear-2');
    assert.equal(bed.fake.heardPasswords().length, 2, 'the first target was told once');
    await assertSettled(bed);
  });

  it('is erased when it is planned and nobody wants it', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    await bed.addUser('ada', { password: 'Clear-1' }, bed.stranger);
    await bed.rest();
    assert.deepEqual(await bed.secrets(), []);
    assert.deepEqual(bed.fake.requests, []);
  });

  it('goes with the user who is deleted, to no target', async () => {
    await using bed = await openEngineBed(database, { policy: { deprovision: 'disable' } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await resetTarget(bed, { enabled: false, policy: { deprovision: 'disable' } });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.pass(2_000);
    await bed.removeUser(ada);
    assert.deepEqual(await bed.secrets(), []);
    await resetTarget(bed, { enabled: true, policy: { deprovision: 'disable' } });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'disabled');
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    await assertSettled(bed);
  });

  it('waits for somebody who is out of scope, and arrives when they come back', async () => {
    const policy = { deprovision: 'disable', scopeUsers: 'not (userType eq "outside")' };
    await using bed = await openEngineBed(database, { policy });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { userType: 'outside', password: 'Clear-2' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'disabled');
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1', 'nothing but the removal goes there');
    await bed.changeUser(ada, 'ada');
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    await assertSettled(bed);
    await bed.assertAgrees();
  });

  it('an adoption sends none, neither the new one nor the default, and says so; a later change does', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-default-pwd': 'Default-1' } });
    const held = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ada', active: true };
    bed.fake.seedUser({ ...held, password: 'their own' });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.origin, 'adopted');
    assert.equal(account?.state, 'done');
    assert.match(account?.pw_note ?? '', /^password not sent: .*adopted/);
    assert.equal(bed.fake.passwordOf('ada'), 'their own');
    assert.deepEqual(await bed.secrets(), []);
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    await assertSettled(bed);
  });

  it('a password that was removed meanwhile is not sent', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await resetTarget(bed, { enabled: false });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.pass(2_000);
    await bed.removePassword(ada);
    assert.deepEqual(await bed.secrets(), []);
    await resetTarget(bed, { enabled: true });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    await assertSettled(bed);
  });
});
