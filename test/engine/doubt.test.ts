import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 500 };

eachDatabase('doubt', (database) => {
  for (const applied of [true, false]) {
    const was = applied ? 'was applied' : 'was not applied';

    it(`creates once when the answer to a creation is lost and it ${was}`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied } });
      await bed.addUser('ada');
      await bed.start();
      await bed.rest();
      await bed.assertAgrees();
      assert.equal(bed.fake.requests.filter((request) => request.method === 'POST').length, applied ? 1 : 2);
    });

    it(`agrees after a lost answer to an update that ${was}, though the directory went back meanwhile`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      await bed.start();
      const ada = await bed.addUser('ada', { title: 'one' });
      await bed.rest();
      bed.fake.misbehave({ when: { method: 'PATCH' }, act: { kind: 'drop', applied } });
      await bed.changeUser(ada, 'ada', { title: 'two' });
      await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown');
      await bed.changeUser(ada, 'ada', { title: 'one' });
      await bed.rest();
      await bed.assertAgrees();
    });

    it(`leaves no account of a leaver when the answer to the creation is lost and it ${was}`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied } });
      const ada = await bed.addUser('ada');
      await bed.start();
      await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown');
      await bed.removeUser(ada);
      await bed.rest();
      assert.equal(bed.fake.users.size, 0);
      assert.equal(await bed.account(ada), undefined);
    });
  }

  it('finds its creation under the old name after a rename in doubt, where externalId cannot be searched', async () => {
    await using bed = await openEngineBed(database, { policy: limits, fake: { externalIdFilter: false } });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: true } });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown');
    await bed.changeUser(ada, 'ada.lovelace');
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 1);
  });

  it('waits until a late request can no longer land before it says anything else', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: false } });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown', { stepMs: 10 });
    const doubtful = (await bed.attempts(ada)).at(-1)!;
    await bed.changeUser(ada, 'ada', { title: 'impatient' });
    await bed.rest();
    const next = (await bed.attempts(ada)).find((attempt) => attempt.id > doubtful.id)!;
    assert.ok(
      next.started_at >= doubtful.started_at + limits.timeoutMs + limits.settleMs,
      'deadline and settle time passed',
    );
    await bed.assertAgrees();
  });

  it('takes an answer without an id, or half an answer, for no answer', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'half', applied: true } });
    await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 201, body: {}, applied: true } });
    await bed.addUser('bob');
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 2);
  });
});
