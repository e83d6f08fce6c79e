import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 500 };
const passwordsOf = (bed: EngineBed) => bed.fake.heardPasswords().map((one) => `${one.method} ${one.password}`);
const sayingPassword = {
  method: ['PATCH', 'PUT'],
  that: (request: { body: unknown }) => JSON.stringify(request.body).includes('Clear-'),
};

eachDatabase('passwords in doubt', (database) => {
  for (const passwordHistory of [false, true]) {
    for (const applied of [true, false]) {
      const was = `${applied ? 'arrived' : 'did not arrive'}${passwordHistory ? ', by a target that takes none twice' : ''}`;
      it(`a change whose answer was lost is said once more when it ${was}`, async () => {
        await using bed = await openEngineBed(database, { policy: limits, fake: { passwordHistory } });
        await bed.start();
        const ada = await bed.addUser('ada', { password: 'Clear-1' });
        await bed.rest();
        bed.fake.misbehave({ when: sayingPassword, act: { kind: 'drop', applied } });
        await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
        await bed.rest();
        assert.deepEqual(passwordsOf(bed), ['POST Clear-1', 'PATCH Clear-2', 'PATCH Clear-2']);
        assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
        const account = await bed.account(ada);
        const { state, doubt, pw_seq, pw_sent, pw_note } = account!;
        assert.deepEqual([state, doubt, pw_seq, pw_sent, pw_note], ['done', null, null, null, null]);
        assert.deepEqual(await bed.secrets(), []);
        await bed.assertAgrees();
      });
    }
  }

  it('is not said a third time, which is noted, and parks nothing', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 2 } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    bed.fake.misbehave({ when: sayingPassword, act: { kind: 'drop', applied: false }, times: Infinity });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.rest();
    assert.deepEqual(passwordsOf(bed), ['POST Clear-1', 'PATCH Clear-2', 'PATCH Clear-2']);
    const account = await bed.account(ada);
    assert.equal(account?.state, 'done');
    assert.match(account?.pw_note ?? '', /^password in doubt: it was sent twice/);
    assert.deepEqual([account?.pw_seq, account?.pw_sent, account?.doubt], [null, null, null]);
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
  });

  it('what surely did not arrive does not count as said', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    const later = { kind: 'answer', status: 503, headers: { 'retry-after': '1' } } as const;
    bed.fake.misbehave({ when: sayingPassword, act: { kind: 'drop', applied: false } });
    bed.fake.misbehave({ when: sayingPassword, act: later, times: 5 });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    assert.equal((await bed.account(ada))?.pw_note, null);
  });

  it('a newer password is waited for by none in doubt, and is said however often the older was', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    bed.fake.misbehave({ when: sayingPassword, act: { kind: 'drop', applied: true }, times: 2 });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.clock.runUntil(async () => (await bed.account(ada))?.pw_sent === 'twice', { stepMs: 20 });
    await bed.changeUser(ada, 'ada', { password: 'Clear-3' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-3');
    const account = await bed.account(ada);
    assert.deepEqual([account?.pw_seq, account?.pw_sent, account?.pw_note], [null, null, null]);
    assert.deepEqual(await bed.secrets(), []);
  });

  it('a creation that arrived after all carried its password: it is not said again', async () => {
    await using bed = await openEngineBed(database, { policy: limits, fake: { passwordHistory: true } });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    assert.deepEqual(passwordsOf(bed), ['POST Clear-1']);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.pw_seq, account?.pw_note], ['done', null, null]);
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
  });

  it('a creation that did not arrive is said again with its password, however often', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: false }, times: 4 });
    await bed.start();
    await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    assert.equal(passwordsOf(bed).length, 5);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    assert.deepEqual(await bed.secrets(), []);
    await bed.assertAgrees();
  });

  it('a password set while its creation is in doubt follows when the creation is found', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown');
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.rest();
    assert.deepEqual(passwordsOf(bed), ['POST Clear-1', 'PATCH Clear-2']);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    assert.deepEqual(await bed.secrets(), []);
  });

  it('a creation tried without its password and lost is not given the refused password later', async () => {
    const judgePassword = () => 'never';
    await using bed = await openEngineBed(database, { policy: limits, fake: { judgePassword } });
    const bare = (request: { body: unknown }) => !JSON.stringify(request.body).includes('Clear-');
    bed.fake.misbehave({ when: { method: 'POST', that: bare }, act: { kind: 'drop', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    assert.deepEqual(passwordsOf(bed), ['POST Clear-1']);
    const account = await bed.account(ada);
    assert.match(account?.pw_note ?? '', /^password refused: /);
    assert.deepEqual([account?.state, account?.pw_seq, account?.chunk], ['done', null, null]);
    assert.deepEqual(await bed.secrets(), []);
  });

  it('an id answered "not found" in between does not make a lost change a creation that arrived', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    bed.fake.misbehave({ when: sayingPassword, act: { kind: 'drop', applied: false } });
    bed.fake.misbehave({ when: { method: 'GET', resource: true }, act: { kind: 'answer', status: 404 } });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    assert.equal((await bed.account(ada))?.pw_seq, null);
    await bed.assertAgrees();
  });
});
