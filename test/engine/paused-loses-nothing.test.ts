import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pauseTarget } from '../../src/provisioning/targets.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 1 };

async function pause(bed: EngineBed, by: string | null): Promise<void> {
  await bed.store.write((tx) => pauseTarget(tx, bed.targetId, by === null ? null : { by }));
  bed.store.signal('targets');
}

eachDatabase('a target that is paused', (database) => {
  it('gets nothing, loses nothing, and leavers go first when it goes on', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const leaver = await bed.addUser('leaver');
    const ada = await bed.addUser('ada');
    await bed.addGroup('team', [leaver, ada]);
    await bed.rest();
    await pause(bed, 'olga');
    await bed.pass(2_000);
    const heard = bed.fake.requests.length;
    for (let n = 0; n < 12; n++) await bed.addUser(`p${n}`);
    await bed.changeUser(ada, 'ada', { title: 'changed' });
    await bed.removeUser(leaver);
    await bed.pass(30_000);
    assert.equal(bed.fake.requests.length, heard, 'nothing is sent while it is paused');
    assert.deepEqual((await bed.attempts()).filter((one) => one.ended_at === null).length, 0);
    // A restart changes nothing about it.
    await bed.stop();
    await bed.start();
    await bed.pass(5_000);
    assert.equal(bed.fake.requests.length, heard);
    await pause(bed, null);
    await bed.rest();
    await bed.assertAgrees();
    const changes = bed.fake.requests.slice(heard).filter((one) => one.method !== 'GET' && one.on === 'users');
    assert.equal(changes[0]?.method, 'DELETE', 'the leaver goes first');
  });

  it('lets what is under way end, and gives back what stood in line', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, times: 1, act: { kind: 'hold', applied: false } });
    for (let n = 0; n < 6; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 5, what: 'a creation under way' });
    await pause(bed, 'olga');
    await bed.clock.runUntil(
      async () => {
        const leased = (await bed.accounts()).filter((row) => row.lease_attempt !== null);
        return leased.length === 1;
      },
      { stepMs: 5, limitMs: 900, what: 'the line being given back' },
    );
    await bed.fake.release();
    await bed.pass(2_000);
    assert.equal(bed.fake.users.size, 1, 'what was under way is done');
    const { version } = (await bed.store.read((r) =>
      r.first(r.q.selectFrom('targets').select('version').where('id', '=', bed.targetId)),
    ))!;
    assert.equal(version, 1, 'pausing recomputes nothing');
    await pause(bed, null);
    await bed.rest();
    await bed.assertAgrees();
  });
});
