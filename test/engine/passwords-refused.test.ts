import assert from 'node:assert/strict';
import { it } from 'node:test';
import { retryAccount } from '../../src/provisioning/retry.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const judgePassword = (password: string) => (password.length < 8 ? `too short: ${password}` : undefined);

const passwordsOf = (bed: EngineBed) => bed.fake.heardPasswords().map((one) => `${one.method} ${one.password}`);

eachDatabase('passwords refused', (database) => {
  it('a refused change parks nothing, says so, delivers the rest, and is not asked again', async () => {
    await using bed = await openEngineBed(database, { fake: { judgePassword } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-one' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { password: 'Shorty', title: 'two' });
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'done');
    assert.equal(account?.reason, null);
    assert.match(account?.pw_note ?? '', /^password refused: the target answered 400: .*too short/);
    assert.ok(!account?.pw_note?.includes('Shorty'), 'what the target echoes is hidden');
    assert.equal(account?.pw_seq, null);
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
    await bed.changeUser(ada, 'ada', { title: 'three' });
    await bed.rest();
    assert.deepEqual(passwordsOf(bed), ['POST Clear-one', 'PATCH Shorty']);
    assert.ok((await bed.account(ada))?.pw_note, 'the note stays until another password comes');
    await bed.changeUser(ada, 'ada', { title: 'three', password: 'Clear-three' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.pw_note, null);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-three');
  });

  it('a creation refused for its password is made without it, which is noted', async () => {
    await using bed = await openEngineBed(database, { fake: { judgePassword } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Shorty' });
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'done');
    assert.match(account?.pw_note ?? '', /^password refused: /);
    assert.equal(account?.pw_seq, null);
    assert.equal(account?.chunk, null);
    assert.deepEqual(passwordsOf(bed), ['POST Shorty']);
    assert.equal(bed.fake.requests.filter((request) => request.method === 'POST').length, 2);
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
  });

  it('the same for a Default Password, and no default goes in its place', async () => {
    const settings = { 'scim2-default-pwd': 'Short' };
    await using bed = await openEngineBed(database, { fake: { judgePassword }, settings });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob', { password: 'Shorty' });
    await bed.rest();
    assert.match((await bed.account(ada))?.pw_note ?? '', /^Default Password refused: /);
    assert.match((await bed.account(bob))?.pw_note ?? '', /^password refused: /);
    assert.deepEqual(passwordsOf(bed).sort(), ['POST Short', 'POST Shorty']);
    await bed.assertAgrees();
  });

  it('a creation refused with and without its password parks, and a retry begins with the password again', async () => {
    await using bed = await openEngineBed(database);
    const refused = { kind: 'answer', status: 400, body: { detail: 'no such department' } } as const;
    bed.fake.misbehave({ when: { method: 'POST' }, act: refused, times: 2 });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-one' });
    await bed.rest();
    const parked = (await bed.account(ada))!;
    assert.equal(parked.state, 'parked');
    assert.match(parked.reason ?? '', /no such department$/);
    assert.equal(parked.pw_note, null, 'the password was not at fault');
    assert.deepEqual(await bed.secrets(), [parked.pw_seq]);
    await bed.store.write((tx) => retryAccount(tx, parked));
    bed.store.signal('work');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-one');
    assert.deepEqual(passwordsOf(bed), ['POST Clear-one', 'POST Clear-one']);
    assert.deepEqual(await bed.secrets(), []);
  });

  it('a password that comes between a refused creation and its second try is not lost', async () => {
    await using bed = await openEngineBed(database, { fake: { judgePassword } });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Shorty' });
    await bed.clock.runUntil(() => bed.fake.held === 1);
    await bed.changeUser(ada, 'ada', { password: 'Clear-two' });
    await bed.clock.runUntil(async () => (await bed.account(ada))?.wanted === 2);
    await bed.fake.release();
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-two');
    const account = await bed.account(ada);
    assert.deepEqual([account?.pw_seq, account?.pw_note, account?.state], [null, null, 'done']);
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
  });

  it('an account that is parked for something else still gets its new password', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-one' });
    await bed.rest();
    const isUpdate = (body: unknown) => JSON.stringify(body).includes('"title"');
    const refused = { kind: 'answer', status: 400, body: { detail: 'no such title' } } as const;
    bed.fake.misbehave({ when: { that: (request) => isUpdate(request.body) }, act: refused, times: Infinity });
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    await bed.changeUser(ada, 'ada', { title: 'two', password: 'Clear-two' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-two');
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.pw_seq, account?.pw_note], ['parked', null, null]);
  });
});
