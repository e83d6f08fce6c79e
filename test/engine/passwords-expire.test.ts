import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eraseUnowedPasswords } from '../../src/provisioning/account-passwords.ts';
import { eachDatabase, oneDatabase } from '../database.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';

const hour = 3_600_000;

eachDatabase('passwords expire', (database) => {
  it('unsent after its time it is erased and noted, the account is told the rest, and nothing parks', async () => {
    await using bed = await openEngineBed(database, { passwordsLastMs: hour });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await resetTarget(bed, { enabled: false });
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.pass(2_000);
    assert.equal((await bed.secrets()).length, 1);
    await bed.clock.runUntil(async () => (await bed.secrets()).length === 0, { stepMs: 10_000, limitMs: 2 * hour });
    const waiting = await bed.account(ada);
    assert.match(waiting?.pw_note ?? '', /^password expired unsent at 20/);
    assert.equal(waiting?.pw_seq, null);
    await resetTarget(bed, { enabled: true });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    assert.match((await bed.account(ada))?.pw_note ?? '', /^password expired unsent/);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    assert.equal(bed.fake.heardPasswords().length, 1);
    await bed.assertAgrees();
    await bed.changeUser(ada, 'ada', { password: 'Clear-3', title: 'two' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.pw_note, null);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-3');
  });

  it('is not sent after its time, also when nobody looked at it yet', async () => {
    await using bed = await openEngineBed(database, { passwordsLastMs: hour });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await bed.stop();
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.clock.advance(2 * hour);
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.heardPasswords().length, 1);
    assert.match((await bed.account(ada))?.pw_note ?? '', /^password expired unsent/);
    await bed.clock.runUntil(async () => (await bed.secrets()).length === 0, { stepMs: 10_000, limitMs: hour });
  });

  it('a creation after its time carries the Default Password, and the note stays', async () => {
    const settings = { 'scim2-default-pwd': 'Default-1' };
    await using bed = await openEngineBed(database, { passwordsLastMs: hour, settings });
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.clock.advance(2 * hour);
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Default-1');
    assert.match((await bed.account(ada))?.pw_note ?? '', /^password expired unsent/);
  });

  it('one target has it in time, the other does not: only that one says so', async () => {
    await using bed = await openEngineBed(database, { passwordsLastMs: hour });
    await using other = await addTarget(bed, 'other');
    const down = { kind: 'answer', status: 503, headers: { 'retry-after': '60' } } as const;
    other.fake.misbehave({ act: down, times: Infinity });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.clock.runUntil(async () => (await bed.secrets()).length === 0, { stepMs: 10_000, limitMs: 2 * hour });
    other.fake.heal();
    await bed.rest();
    const notes = (await bed.accounts()).map((row) => [row.target_id === other.targetId, row.pw_note !== null]);
    assert.deepEqual(notes.sort(), [
      [false, false],
      [true, true],
    ]);
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    assert.equal(other.fake.passwordOf('ada'), undefined);
    assert.equal((await other.account(ada))?.state, 'done');
  });

  it('one that nobody owes any more, however that came, is found and erased', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    await bed.rest();
    await resetTarget(bed, { enabled: false });
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.clock.runUntil(async () => (await bed.account(ada)) !== undefined);
    await bed.pass(2_000);
    assert.equal((await bed.secrets()).length, 1);
    // As a target that is taken away takes its accounts with it.
    await bed.store.write((tx) => tx.all(tx.q.deleteFrom('accounts')));
    await bed.clock.runUntil(async () => (await bed.secrets()).length === 0, { stepMs: 5_000, limitMs: hour });
  });
});

oneDatabase('postgres', 'passwords of several nodes', (database) => {
  it('two targets that have it at the same moment: the later of the two erases it', async () => {
    await using bed = await openEngineBed(database);
    await using other = await addTarget(bed, 'other');
    await resetTarget(bed, { enabled: false });
    other.fake.misbehave({ act: { kind: 'answer', status: 503, headers: { 'retry-after': '60' } }, times: Infinity });
    await bed.start();
    await bed.addUser('ada', { password: 'Clear-1' });
    await bed.clock.runUntil(async () => (await bed.accounts()).length === 2);
    await bed.stop();
    const seq = (await bed.secrets())[0]!;
    const meet = () => {
      let all = () => {};
      let count = 0;
      const both = new Promise<void>((resolve) => {
        all = resolve;
      });
      return (patienceMs: number) => {
        count += 1;
        if (count === 2) all();
        return Promise.race([both, sleep(patienceMs)]);
      };
    };
    const [written, erased] = [meet(), meet()];
    const complete = (targetId: number) =>
      bed.store.write(async (tx) => {
        await tx.all(tx.q.updateTable('accounts').set({ pw_seq: null }).where('target_id', '=', targetId));
        await written(5_000);
        await eraseUnowedPasswords(tx, [seq]);
        // Each commits after both have looked, unless one of them waits for the other.
        await erased(300);
      });
    await Promise.all([complete(bed.targetId), complete(other.targetId)]);
    assert.deepEqual(await bed.secrets(), []);
  });
});
