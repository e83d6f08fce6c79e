import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 3_000, settleMs: 200, concurrency: 4 };

eachDatabase('a lease is lost', (database) => {
  it('has the attempt, the lease and the doubt on disk before the request leaves', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
    // Another connection sees only what is committed.
    const node = await database.openAgain(bed.store, { clock: bed.clock, time: 'clock' }).catch(() => bed.store);
    const account = await node.read((r) => r.first(r.q.selectFrom('accounts').selectAll()));
    const attempts = await node.read((r) => r.all(r.q.selectFrom('attempts').selectAll()));
    assert.deepEqual(
      attempts.map((attempt) => [attempt.id, attempt.subject_id, attempt.ended_at]),
      [[account?.lease_attempt, ada, null]],
    );
    assert.deepEqual(JSON.parse(account?.doubt ?? 'null').names, ['ada']);
    assert.ok(account!.due_at! >= bed.clock.now() + limits.timeoutMs, 'the lease outlasts the request');
    await bed.fake.release();
    await bed.rest();
    assert.equal((await bed.account(ada))?.doubt, null);
  });

  for (const then of ['is left alone', 'changes meanwhile', 'goes meanwhile'] as const) {
    it(`writes the late answer to its attempt and finds out what is there; the subject ${then}`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: true } });
      const ada = await bed.addUser('ada', { title: 'one' });
      await bed.start();
      await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
      const late = (await bed.attempts(ada))[0]!;
      if (then === 'changes meanwhile') await bed.changeUser(ada, 'ada.l', { title: 'two' });
      if (then === 'goes meanwhile') await bed.removeUser(ada);
      // Database time jumps past the lease while the answer is on its way: to everybody the lease is over.
      bed.clock.stepWall(120_000);
      await bed.clock.runUntil(async () => (await bed.attempts(ada)).length > 1, { stepMs: 1, limitMs: 2_900 });
      await bed.fake.release();
      await bed.rest();
      const [first] = await bed.attempts(ada);
      assert.deepEqual([first?.id, first?.outcome], [late.id, 'done']);
      assert.match(first?.reason ?? '', /lease was lost/);
      await bed.assertAgrees();
      assert.equal(bed.fake.users.size, then === 'goes meanwhile' ? 0 : 1);
      assert.equal((await bed.account(ada))?.doubt ?? null, null);
      assert.deepEqual(
        (await bed.attempts(ada)).filter((attempt) => attempt.outcome === null),
        [],
      );
    });
  }

  it('never uses an attempt id twice, though rows go', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    const last = (await bed.attempts(ada)).at(-1)!.id;
    await bed.store.write((tx) => tx.all(tx.q.deleteFrom('attempts')));
    await bed.changeUser(ada, 'ada', { title: 'x' });
    await bed.rest();
    assert.ok((await bed.attempts(ada))[0]!.id > last);
  });

  it('says at most one thing that changes something in each attempt, and asks again only as a new attempt', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const marks = [500, 503, 429, 409, 502];
    for (const status of marks) {
      bed.fake.misbehave({ when: { method: ['POST', 'PATCH', 'DELETE'] }, act: { kind: 'answer', status, body: {} } });
    }
    await bed.start();
    const ada = await bed.addUser('ada');
    const team = await bed.addGroup('team', [ada]);
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'x' });
    await bed.removeGroup(team);
    await bed.rest();
    const exchanges = await bed.store.read((r) => r.all(r.q.selectFrom('exchanges').selectAll()));
    assert.equal(exchanges.length, bed.fake.requests.length, 'every request is on record, and none was made twice');
    const said = new Map<number, number>();
    for (const one of exchanges.filter((exchange) => exchange.method !== 'GET')) {
      said.set(one.attempt_id, (said.get(one.attempt_id) ?? 0) + 1);
    }
    assert.deepEqual([...new Set(said.values())], [1]);
    await bed.assertAgrees();
  });
});
