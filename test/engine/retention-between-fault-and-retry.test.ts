import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Keep, openPass, readForgotten, readOldest, startRetention } from '../../src/provisioning/retention.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { silentLog } from './explorer/ground.ts';

const limits = { timeoutMs: 1_000, settleMs: 500, maxTries: 50 };
const keep: Keep = { attemptsDays: 30, changesDays: 400 };
const dayMs = 86_400_000;

async function forgetAll(
  store: Store,
  days: Keep = keep,
): Promise<{ attempts: number; changes: number; steps: number }> {
  const pass = openPass(store, days, 'at once');
  let steps = 1;
  while (await pass.step()) steps += 1;
  return { ...pass.forgotten, steps };
}

const seqs = (store: Store) =>
  store
    .read((r) => r.all(r.q.selectFrom('changes').select('seq').orderBy('seq')))
    .then((rows) => rows.map((row) => Number(row.seq)));
const exchanges = (store: Store) =>
  store
    .read((r) => r.all(r.q.selectFrom('exchanges').select('attempt_id').distinct().orderBy('attempt_id')))
    .then((rows) => rows.map((row) => row.attempt_id));

eachDatabase('retention between fault and retry', (database) => {
  for (const applied of [true, false]) {
    it(`a creation whose process died is found out about a year later, when it ${applied ? 'was' : 'was not'} applied`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied } });
      const ada = await bed.addUser('ada');
      // As it is after a kill between the request and the record: leased, in doubt, never ended.
      await bed.start();
      await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unknown');
      await bed.stop();
      const doubtful = (await bed.attempts(ada)).at(-1)!;
      await bed.store.write(async (tx) => {
        await tx.all(tx.q.updateTable('attempts').set({ ended_at: null, outcome: null }).where('id', '=', doubtful.id));
        await tx.all(tx.q.updateTable('accounts').set({ lease_attempt: doubtful.id }).where('subject_id', '=', ada));
      });
      const before = await bed.account(ada);
      bed.clock.stepWall(500 * dayMs);
      await forgetAll(bed.store);
      assert.deepEqual(await bed.account(ada), before, 'lease and doubt are as they were');
      assert.equal((await bed.attempts(ada)).at(-1)?.id, doubtful.id, 'the attempt of the lease is there');
      assert.equal((await seqs(bed.store)).length, 1, 'nobody was told of the change yet');
      await bed.start();
      await bed.rest();
      await bed.assertAgrees();
      assert.equal(bed.fake.requests.filter((one) => one.method === 'POST').length, applied ? 1 : 2);
    });
  }

  it('a target that is down for longer than attempts are kept gets everything when it is back', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    const bob = await bed.addUser('bob');
    await bed.rest();
    const outage = bed.fake.misbehave({
      when: {},
      act: { kind: 'answer', status: 503, body: {} },
      times: Number.POSITIVE_INFINITY,
    });
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.removeUser(bob);
    let forgotten = 0;
    for (let week = 0; week < 6; week++) {
      await bed.pass(40_000);
      await bed.stop();
      bed.clock.stepWall(7 * dayMs);
      forgotten += (await forgetAll(bed.store)).attempts;
      await bed.start();
    }
    assert.ok(forgotten > 3, `the first weeks' attempts are gone: ${forgotten}`);
    outage.stop();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(await bed.account(bob), undefined);
  });

  it('an attempt that stood still for longer than it is kept can still be written down, and is found out about', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, timeoutMs: 3_000 } });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: true } });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
    const late = (await bed.attempts(ada))[0]!;
    bed.clock.stepWall(40 * dayMs);
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).length > 1, { stepMs: 1, limitMs: 2_900 });
    await forgetAll(bed.store);
    await bed.fake.release();
    await bed.rest();
    const first = (await bed.attempts(ada)).find((one) => one.id === late.id);
    assert.match(first?.reason ?? '', /lease was lost/);
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 1);
  });

  it('changes nobody has planned are kept however old they are, and are delivered', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const ada = await bed.addUser('ada');
    const team = await bed.addGroup('team', [ada]);
    const before = await seqs(bed.store);
    bed.clock.stepWall(1_000 * dayMs);
    await forgetAll(bed.store);
    assert.deepEqual(await seqs(bed.store), before);
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    await bed.stop();
    await forgetAll(bed.store);
    assert.deepEqual(await seqs(bed.store), [], 'once they are delivered they go');
    assert.equal((await bed.account(team))?.state, 'done');
  });

  it('keeps the change of a clear password that a target is still to be told', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    await bed.addUser('cyd');
    await bed.rest();
    await bed.stop();
    const [ofAda, ofBob] = await seqs(bed.store);
    await bed.store.write(async (tx) => {
      await tx.all(tx.q.updateTable('accounts').set({ pw_seq: ofAda! }).where('subject_id', '=', ada));
      const secret = { seq: ofBob!, subject_id: bob, sealed: 'sealed', expires_at: 0 };
      await tx.all(tx.q.insertInto('secrets').values(secret));
    });
    bed.clock.stepWall(401 * dayMs);
    await forgetAll(bed.store);
    assert.deepEqual(await seqs(bed.store), [ofAda, ofBob]);
  });

  it('the last attempt of an account stays with its exchanges; those before it go, and all of somebody who left', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    const bob = await bed.addUser('bob');
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.removeUser(bob);
    await bed.rest();
    await bed.stop();
    const last = (await bed.attempts(ada)).at(-1)!;
    bed.clock.stepWall(29 * dayMs);
    assert.equal((await forgetAll(bed.store)).attempts, 0, 'not before their time');
    const all = await bed.attempts();
    bed.clock.stepWall(2 * dayMs);
    const { attempts } = await forgetAll(bed.store);
    assert.equal(attempts, all.length - 1);
    assert.deepEqual(
      (await bed.attempts()).map((one) => one.id),
      [last.id],
    );
    assert.deepEqual(await exchanges(bed.store), [last.id]);
    const gone = await bed.store.read(readForgotten);
    assert.equal(gone.attempts, Math.max(...all.map((one) => one.id).filter((id) => id !== last.id)));
    const { at } = (await bed.store.read((r) => r.first(r.q.selectFrom('changes').select('at').orderBy('seq'))))!;
    assert.deepEqual(await bed.store.read(readOldest), { attempt: last.started_at, change: at });
  });

  it('0 days is for ever', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.removeUser(ada);
    await bed.rest();
    const before = { seqs: await seqs(bed.store), attempts: await bed.attempts() };
    bed.clock.stepWall(10_000 * dayMs);
    await forgetAll(bed.store, { attemptsDays: 0, changesDays: 0 });
    assert.deepEqual({ seqs: await seqs(bed.store), attempts: await bed.attempts() }, before);
  });

  it('a number that was given is never given again, though every row of before is gone', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.removeUser(ada);
    await bed.rest();
    await bed.stop();
    const before = { seq: (await seqs(bed.store)).at(-1)!, attempt: (await bed.attempts()).at(-1)!.id };
    bed.clock.stepWall(401 * dayMs);
    await forgetAll(bed.store);
    assert.deepEqual({ seqs: await seqs(bed.store), attempts: await bed.attempts() }, { seqs: [], attempts: [] });
    const again = await database.openAgain(bed.store, { clock: bed.clock, time: 'clock' }).catch(() => bed.store);
    assert.deepEqual(await again.read(readForgotten), { attempts: before.attempt, changes: before.seq });
    await bed.addUser('bob');
    await bed.start();
    await bed.rest();
    assert.ok((await seqs(bed.store))[0]! > before.seq);
    assert.ok((await bed.attempts())[0]!.id > before.attempt);
  });

  it('goes on where rows are left after it was cut short, a bounded number of rows at a time', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const rows = 1_000;
    await addOldAttempts(bed, rows);
    bed.clock.stepWall(31 * dayMs);
    const first = openPass(bed.store, keep, 'at once');
    await first.step();
    await first.step();
    assert.ok(first.forgotten.attempts > 0 && first.forgotten.attempts <= rows / 2, `${first.forgotten.attempts}`);
    const rest = await forgetAll(bed.store);
    assert.equal(first.forgotten.attempts + rest.attempts, rows - 1);
    assert.deepEqual((await bed.attempts()).length, 1);
  });

  it('one node at a time walks, about once an hour, and the turn of one that died passes on', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await addOldAttempts(bed, 1_000);
    bed.clock.stepWall(31 * dayMs);
    const one = openPass(bed.store, keep);
    assert.equal(await one.step(), true);
    const other = openPass(bed.store, keep);
    assert.equal(await other.step(), false, 'somebody walks already');
    assert.deepEqual(other.forgotten, { attempts: 0, changes: 0 });
    bed.clock.stepWall(3_600_000);
    const heir = openPass(bed.store, keep);
    assert.equal(await heir.step(), true, 'the first was silent for an hour');
    assert.equal(await one.step(), false, 'and has lost its turn');
    while (await heir.step());
    assert.equal((await bed.attempts()).length, 1);
    assert.equal(await openPass(bed.store, keep).step(), false, 'an hour has to go by');
  });

  it('works by itself beside the engine, and stops in the middle when it is told to', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await addOldAttempts(bed, 2_000);
    bed.clock.stepWall(31 * dayMs);
    const options = { store: bed.store, clock: bed.clock, log: silentLog, keep };
    const cut = startRetention(options);
    await bed.clock.runUntil(() => cut.busy, { stepMs: 1_000 });
    await bed.clock.runUntil(async () => (await bed.attempts()).length < 2_000, { stepMs: 10 });
    await cut.stop();
    const left = (await bed.attempts()).length;
    assert.ok(left > 1, `${left}`);
    bed.clock.stepWall(3_600_000);
    const retention = startRetention(options);
    await bed.clock.runUntil(() => retention.busy, { stepMs: 1_000 });
    await bed.start();
    await bed.addUser('bob');
    await bed.clock.runUntil(async () => (await bed.attempts()).length <= 2 && !retention.busy, { stepMs: 20 });
    await retention.stop();
    await bed.rest();
    assert.deepEqual(
      (await bed.accounts()).map((account) => account.state),
      ['done', 'done'],
    );
  });
});

/** As after thirty days of an account that was tried again and again. */
async function addOldAttempts(bed: EngineBed, count: number): Promise<void> {
  const ada = await bed.addUser('ada');
  await bed.start();
  await bed.rest();
  await bed.stop();
  const [made] = await bed.attempts(ada);
  await bed.store.write(async (tx) => {
    const { id, ...row } = made!;
    for (let left = count - 1; left > 0; left -= 500) {
      const rows = Array.from({ length: Math.min(left, 500) }, () => row);
      await tx.all(tx.q.insertInto('attempts').values(rows));
    }
    assert.ok(id > 0);
  });
}
