import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { type Bed, eachDatabase, oneDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { startMortalNode } from './mortal-node.ts';

// Engine rule 9 when a node is gone: what it had claimed is taken over when nothing it sent can land any more, not later.

const limits = { timeoutMs: 10_000, settleMs: 2_000, concurrency: 4 };
/** The longest a request that left may be on its way. */
const landsMs = limits.timeoutMs + limits.settleMs;
const seconds = { silentMs: 3_000 };

const posts = (bed: EngineBed) => bed.fake.requests.filter((request) => request.method === 'POST').length;
const nodesOf = (store: Store) => store.read((r) => r.all(r.q.selectFrom('nodes').selectAll()));
/** Where a second process works: on SQLite there is none, only the one before. */
const placeOfAnother = async (database: Bed, bed: EngineBed): Promise<Store> =>
  database.kind === 'sqlite' ? bed.store : database.openAgain(bed.store, { clock: bed.clock, time: 'clock' });

/** Eight people are claimed by a node that is killed while the creations of four are on their way. */
async function killInTheMiddle(database: Bed, bed: EngineBed) {
  bed.fake.misbehave({ when: { method: 'POST' }, times: 4, act: { kind: 'hold', applied: false } });
  for (let n = 0; n < 8; n++) await bed.addUser(`p${n}`);
  const node = await startMortalNode(bed, await placeOfAnother(database, bed));
  await bed.clock.runUntil(() => bed.fake.held === 4, { stepMs: 2, what: 'four creations on their way' });
  assert.equal((await bed.attempts()).length, 8);
  node.kill();
  return node;
}

eachDatabase('a node is gone', (database) => {
  it('and others have its work when nothing it sent can land any more, which is long before its leases end', async () => {
    await using bed = await openEngineBed(database, { policy: limits, ...seconds });
    await using _killed = await killInTheMiddle(database, bed);
    const killedAt = bed.clock.now();
    await bed.start();
    // Whoever owns the database alone knows at its start; others wait until nobody can take the node for alive.
    const earliest = (database.kind === 'sqlite' ? 0 : 3_000) + landsMs;
    await bed.clock.runUntil(() => bed.clock.now() >= killedAt + earliest - 100, { stepMs: 50 });
    assert.equal((await bed.attempts()).length, 8, 'nobody is touched while a request may land');
    // At the last moment what was on its way arrives.
    await bed.fake.release();
    await bed.clock.runUntil(async () => (await bed.attempts()).length > 8, { stepMs: 50, limitMs: 6_000 });
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 8);
    assert.equal(posts(bed), 8, 'four arrived late, four had not been sent');
  });

  it('and a held lane whose probe it was is probed by another as soon', async () => {
    await using bed = await openEngineBed(database, { policy: limits, ...seconds });
    await bed.start();
    bed.fake.misbehave({ when: { on: 'users' }, act: { kind: 'answer', status: 401, body: {} } });
    await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.lanes()).some((lane) => lane.hold !== null), { stepMs: 10 });
    await bed.stop();
    const heard = bed.fake.requests.length;
    bed.fake.misbehave({ when: { on: 'users' }, act: { kind: 'silence', applied: false } });
    await using probing = await startMortalNode(bed, await placeOfAnother(database, bed));
    await bed.clock.runUntil(() => bed.fake.requests.length > heard, { stepMs: 10, what: 'the probe' });
    probing.kill();
    const killedAt = bed.clock.now();
    await bed.start();
    await bed.rest();
    const took = bed.clock.now() - killedAt;
    assert.ok(took >= landsMs && took <= landsMs + 7_000, `${took} ms`);
    await bed.assertAgrees();
  });

  it('without a trace when it ended in order', async () => {
    await using bed = await openEngineBed(database, { policy: limits, ...seconds });
    await bed.start();
    assert.equal((await nodesOf(bed.store)).length, 1);
    bed.fake.misbehave({ when: { method: 'POST' }, times: 2, act: { kind: 'delay', ms: 20 } });
    for (let n = 0; n < 20; n++) await bed.addUser(`p${n}`);
    await bed.clock.runUntil(() => posts(bed) > 2, { stepMs: 1 });
    await bed.stop();
    assert.deepEqual(await nodesOf(bed.store), []);
    assert.deepEqual(
      (await bed.accounts()).filter((row) => row.lease_attempt !== null),
      [],
    );
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(posts(bed), 20);
  });
});

oneDatabase('postgres', 'a node that cannot say that it is there', (database) => {
  it('sends nothing more; others take over, and it comes back as another', async () => {
    let isCut = false;
    await using bed = await openEngineBed(database, {
      policy: limits,
      ...seconds,
      onStatement(sql) {
        if (isCut && /nodes/.test(sql)) throw new Error('the connection is gone');
      },
    });
    bed.fake.misbehave({ when: { method: 'POST' }, times: 4, act: { kind: 'hold', applied: true } });
    for (let n = 0; n < 8; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 4, { stepMs: 2 });
    const [before] = await nodesOf(bed.store);
    isCut = true;
    // Longer than it may be silent, and not so long that somebody else may take over.
    await bed.clock.runUntil(() => bed.clock.now() >= before!.seen_at + 3_100, { stepMs: 20 });
    await bed.fake.release();
    await bed.clock.runUntil(() => bed.clock.now() >= before!.seen_at + 8_000, { stepMs: 20 });
    assert.equal(posts(bed), 4, 'what stood in line behind was not sent');
    assert.equal(bed.fake.users.size, 4);
    const back = await bed.accounts();
    assert.deepEqual(
      back.filter((row) => row.lease_attempt !== null),
      [],
      'what was answered is written down, the rest was given back',
    );
    const store = await database.openAgain(bed.store, { clock: bed.clock, time: 'clock' });
    await using other = await startMortalNode(bed, store);
    await bed.clock.runUntil(async () => (await bed.accounts()).every((row) => row.state === 'done'), { stepMs: 20 });
    assert.equal(posts(bed), 8);
    const isTaken = async () => !(await nodesOf(store)).some((node) => node.id === before!.id);
    await bed.clock.runUntil(isTaken, { stepMs: 20, limitMs: 5_000, what: 'somebody taking its row away' });
    const during = await nodesOf(store);
    other.kill();
    isCut = false;
    await bed.addUser('late');
    await bed.rest();
    await bed.assertAgrees();
    const attempts = await bed.attempts();
    const last = attempts.at(-1)!.node!;
    assert.ok(last > Math.max(...during.map((node) => node.id)), `a new node: ${last}`);
    assert.deepEqual(
      attempts.filter((attempt) => attempt.ended_at === null),
      [],
    );
  });
});
