import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cancelSync, pauseSync } from '../../src/provisioning/waves.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { addUsers, askForSync, bind, listWaves } from './waves.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };

const act = (bed: EngineBed, what: typeof pauseSync) =>
  bed.store.write((tx) => what(tx, { id: bed.targetId, name: 'partner:SCIM2' }));

/** A directory of before the target was bound. */
async function fillUnbound(bed: EngineBed, count: number): Promise<string[]> {
  await bind(bed, bed.resident.spId, 'not at all');
  const people = await addUsers(bed, count, (n) => `p${n}`);
  await bed.rest();
  return people;
}

eachDatabase('a sync sends who is here, when somebody asks for it', (database) => {
  it('nothing by the binding alone; everybody by the sync, members and managers too, and none of the dead', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'not (title eq "Guest")' } });
    await bed.start();
    const people = await fillUnbound(bed, 30);
    await bed.addUser('guest', { title: 'Guest' });
    await bed.addUser('stranger', {}, bed.stranger);
    const team = await bed.addGroup('team', people);
    await bed.addGroup('all', [team]);
    await bed.removeUser(people[7]!);
    await bed.rest();
    await bind(bed, bed.resident.spId, true);
    await bed.rest();
    await bed.pass(5_000);
    assert.equal(bed.fake.requests.length, 0, 'a binding by itself sends nobody (rule 21)');
    assert.deepEqual(await bed.accounts(), []);

    await askForSync(bed);
    await bed.rest();
    assert.equal(bed.fake.users.size, 29);
    for (const name of ['guest', 'stranger', 'p7']) assert.equal(bed.fake.userNamed(name), undefined, name);
    const made = await bed.account(team);
    assert.equal(bed.fake.membersOf(made!.remote_id!).length, 29);
    assert.equal(made?.sp_id, bed.resident.spId, 'let in by the service provider that spoke for it');
    assert.equal(bed.fake.groups.size, 2);
    const [wave] = await listWaves(bed);
    assert.deepEqual([wave?.kind, wave?.state, wave?.actor, wave?.raised], ['everyone', 'done', 'operator', 31]);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('says nothing where everybody is in step', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addUsers(bed, 300, (n) => `p${n}`);
    await bed.addGroup('team', people);
    await bed.rest();
    const heard = bed.fake.requests.length;
    const attempts = (await bed.attempts()).length;
    await askForSync(bed);
    await bed.rest();
    assert.equal((await bed.attempts()).length, attempts + 301, 'everybody was looked at');
    assert.equal(bed.fake.requests.length, heard);
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
  });

  it('mends what an operator left: parked accounts, accounts that rest, somebody out of scope', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body: { detail: 'no' } } });
    const parked = await bed.addUser('parked');
    await bed.rest();
    assert.equal((await bed.account(parked))?.state, 'parked');
    await askForSync(bed);
    await bed.rest();
    assert.equal((await bed.account(parked))?.state, 'done');
    await bed.assertAgrees();
  });

  it('makes nobody due by the thousand: who comes meanwhile is not behind everybody, and cancelling stops it', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, requestsPerSecond: 10, burst: 1 } });
    const people = 2_400;
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.store.write(async (tx) => {
      // Written without their changes: only a sync can find them.
      for (let n = 0; n < people; n++) {
        const id = `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
        await tx.all(
          tx.q.insertInto('subjects').values({
            id,
            kind: 'user',
            domain: 'PRIMARY',
            name_key: `p${n}`,
            life: 'live',
            seq: 0,
            external_id: null,
            display_key: null,
            doc: JSON.stringify({ userName: `p${n}` }),
            version: 1,
            created_at: tx.now,
            modified_at: tx.now,
          }),
        );
        await tx.all(tx.q.insertInto('subject_sps').values({ subject_id: id, sp_id: bed.resident.spId }));
      }
    });
    await bind(bed, bed.resident.spId, true);
    await bed.start();
    await askForSync(bed);
    await bed.clock.runUntil(async () => (await listWaves(bed))[0]!.seen >= 2_000, { stepMs: 20 });
    await bed.pass(3_000);
    const [wave] = await listWaves(bed);
    assert.equal(wave?.state, 'running');
    assert.ok(wave!.seen < people, `${wave!.seen} looked at`);
    await act(bed, cancelSync);
    const due = (await bed.accounts()).length;
    const urgent = await bed.addUser('urgent');
    await bed.clock.runUntil(() => bed.fake.users.size >= 150, { what: 'what was due is delivered' });
    assert.equal((await bed.accounts()).length, due + 1, 'it goes on after it was cancelled');
    await bed.removeUser(urgent);
    await bed.clock.runUntil(async () => (await bed.account(urgent)) === undefined, { limitMs: 5_000 });
  });

  it('stands still while it is paused, and goes on from there', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const people = await fillUnboundStopped(bed, 600);
    await askForSync(bed);
    await act(bed, pauseSync);
    await act(bed, pauseSync);
    await bed.start();
    await bed.pass(5_000);
    assert.deepEqual(await bed.accounts(), []);
    const resumed = await askForSync(bed);
    assert.deepEqual([resumed.state, resumed.paused_ms >= 5_000], ['running', true]);
    await bed.rest();
    assert.equal(bed.fake.users.size, people.length);
    const waves = await listWaves(bed);
    assert.deepEqual(
      waves.map((wave) => [wave.kind, wave.state, wave.seen]),
      [['everyone', 'done', 600]],
    );
    await assert.rejects(act(bed, pauseSync), /no sync of partner:SCIM2 is under way/);
    await assert.rejects(act(bed, cancelSync), /no sync of partner:SCIM2 is under way/);
  });

  it('is one, however often it is asked for; a change of the target lets it start over', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title eq "Seller"' } });
    await fillUnboundStopped(bed, 10);
    const first = await askForSync(bed);
    assert.equal((await askForSync(bed)).id, first.id);
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.users.size, 0, 'nobody is in scope');
    await bed.stop();
    const second = await askForSync(bed);
    assert.notEqual(second.id, first.id);
    // As if it had passed everybody already.
    await bed.store.write((tx) => tx.all(tx.q.updateTable('waves').set({ cursor: '~' }).where('id', '=', second.id)));
    await resetTarget(bed, { policy: limits });
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.users.size, 10, 'who is in scope now was passed already');
  });
});

/** As `fillUnbound`, bound again at the end; the engine does not run. */
async function fillUnboundStopped(bed: EngineBed, count: number): Promise<string[]> {
  await bed.start();
  const people = await fillUnbound(bed, count);
  await bed.stop();
  await bind(bed, bed.resident.spId, true);
  return people;
}
