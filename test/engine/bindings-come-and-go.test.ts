import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  readIdentityProvider,
  replaceIdentityProvider,
  settableOf,
} from '../../src/provisioning/identity-providers.ts';
import { removeTarget } from '../../src/provisioning/remove-target.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

async function bind(bed: EngineBed, spId: number, enabled: boolean | 'not at all'): Promise<void> {
  const bindings = enabled === 'not at all' ? [] : [{ target: bed.targetId, enabled }];
  await bed.store.write((tx) => replaceBindings(tx, spId, bindings));
  bed.store.signal('targets');
}

async function switchProvider(bed: EngineBed, enabled: boolean): Promise<void> {
  await bed.store.write(async (tx) => {
    const provider = await readIdentityProvider(tx, 'partner');
    await replaceIdentityProvider(tx, provider.id, { ...settableOf(provider), enabled });
  });
  bed.store.signal('targets');
}

eachDatabase('a binding is taken away and comes again', (database) => {
  for (const how of ['not at all', false] as const) {
    const word = how === false ? 'switched off' : 'removed';

    it(`rests while the binding is ${word}, then catches up by itself, leavers included`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      await bed.start();
      const ada = await bed.addUser('ada', { title: 'one' });
      const bob = await bed.addUser('bob');
      const cyd = await bed.addUser('cyd');
      const team = await bed.addGroup('team', [ada, bob]);
      await bed.rest();
      const ids = new Map((await bed.accounts()).map((row) => [row.subject_id, row.remote_id]));
      const heard = bed.fake.requests.length;
      await bind(bed, bed.resident.spId, how);
      await bed.changeUser(ada, 'ada', { title: 'two' });
      await bed.removeUser(bob);
      await bed.addMember(team, cyd);
      const newcomer = await bed.addUser('newcomer');
      await bed.rest();
      await bed.pass(5_000);
      assert.equal(bed.fake.requests.length, heard, 'nothing is sent, nothing removed');
      assert.equal((await bed.account(ada))?.state, 'unbound');
      assert.equal((await bed.account(newcomer))?.state, undefined, 'nobody is let in');

      await bind(bed, bed.resident.spId, true);
      await bed.rest();
      assert.equal(bed.fake.userNamed('ada')?.title, 'two');
      assert.equal(bed.fake.userNamed('bob'), undefined, 'a leaver does not stay behind');
      assert.deepEqual(
        bed.fake.membersOf(ids.get(team)!),
        [ids.get(ada), ids.get(cyd)].sort(),
        'memberships of the meantime are said',
      );
      assert.equal((await bed.account(ada))?.remote_id, ids.get(ada));
      assert.equal(bed.fake.userNamed('newcomer'), undefined, 'a binding by itself loads nobody (rule 21)');
      await bed.changeUser(newcomer, 'newcomer', { title: 'x' });
      await bed.rest();
      await bed.assertAgrees();
    });
  }

  it('does not rest for good when the binding comes back while the attempt is being written down', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    for (let n = 0; n < 20; n++) {
      await bind(bed, bed.resident.spId, 'not at all');
      await bed.changeUser(ada, 'ada', { title: `t${n}` });
      await bed.clock.advance(n);
      await bind(bed, bed.resident.spId, true);
      await bed.rest();
      assert.equal(bed.fake.userNamed('ada')?.title, `t${n}`);
    }
  });

  it('follows another service provider that spoke for the subject and is bound', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await bind(bed, bed.stranger.spId, true);
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.changeUser(ada, 'ada', { title: 'two' }, bed.stranger);
    await bed.rest();
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.changeUser(ada, 'ada', { title: 'three' });
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'three');
    await bed.assertAgrees();
  });

  it('keeps no row of somebody who came and went without ever being there', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await resetTarget(bed, { enabled: false, policy: limits });
    const ada = await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.account(ada))?.state === 'due');
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.removeUser(ada);
    await resetTarget(bed, { enabled: true, policy: limits });
    await bed.rest();
    assert.deepEqual(await bed.accounts(), []);
    await bed.store.write((tx) => removeTarget(tx, bed.targetId));
  });
});

eachDatabase('an identity provider is disabled and enabled', (database) => {
  it('sends nothing meanwhile, forgets nobody, and goes on', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    const bob = await bed.addUser('bob');
    await bed.rest();
    await switchProvider(bed, false);
    await bed.pass(2_000);
    const heard = bed.fake.requests.length;
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.removeUser(bob);
    await bed.addUser('cyd');
    await bed.pass(10_000);
    assert.equal(bed.fake.requests.length, heard);
    await switchProvider(bed, true);
    await bed.rest();
    await bed.assertAgrees();
  });
});

eachDatabase('removing a target', (database) => {
  it('is refused while accounts are known there, counting them, and keeps remote accounts', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.addUser('bob');
    await bed.rest();
    const remove = () => bed.store.write((tx) => removeTarget(tx, bed.targetId));
    await assert.rejects(remove, /bound to resident/);
    await bind(bed, bed.resident.spId, 'not at all');
    await assert.rejects(remove, /knows 2 accounts at partner:SCIM2.*forget=2/);
    await bed.changeUser(ada, 'ada', { title: 'x' });
    await bed.rest();
    assert.equal(bed.fake.users.size, 2);
    assert.equal((await bed.accounts()).length, 2);
  });
});
