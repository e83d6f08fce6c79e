import assert from 'node:assert/strict';
import { it } from 'node:test';
import { retryAccount } from '../../src/provisioning/retry.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { askForSync, listWaves } from './waves.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };
const membersOnly = { ...limits, groups: 'membership-only' };
const groupSchema = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
const userSchema = ['urn:ietf:params:scim:schemas:core:2.0:User'];

/** A group that somebody else made at the target. */
const seedGroup = (bed: EngineBed, displayName: string, members: string[] = []) =>
  bed.fake.seedGroup({ schemas: groupSchema, displayName }, members);

const toGroups = (bed: EngineBed, after = 0) =>
  bed.fake.requests.filter((one) => one.n > after && one.on === 'groups').map((one) => one.method);

const remoteOf = async (bed: EngineBed, id: string) => (await bed.account(id))!.remote_id!;

const placed = (bed: EngineBed) =>
  bed.store.read(async (r) => (await r.all(r.q.selectFrom('placed_members').selectAll())).map((row) => row.member_id));

eachDatabase('groups: membership-only', (database) => {
  it('says who is in a group that is there, and never makes, renames or removes it', async () => {
    await using bed = await openEngineBed(database, { policy: membersOnly });
    const stranger = bed.fake.seedUser({ schemas: userSchema, userName: 'stranger', active: true });
    const role = seedGroup(bed, 'role', [stranger]);
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const group = await bed.addGroup('role', [ada, bob]);
    await bed.rest();
    const [a, b] = [await remoteOf(bed, ada), await remoteOf(bed, bob)];
    assert.deepEqual(bed.fake.membersOf(role), [a, b, stranger].sort());
    assert.equal((await bed.account(group))?.origin, 'linked');
    await bed.renameGroup(group, 'called otherwise', [bob]);
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(role), [b, stranger].sort());
    assert.equal(bed.fake.groups.get(role)?.resource.displayName, 'role');
    assert.equal(bed.fake.groups.get(role)?.resource.externalId, undefined);
    await bed.removeGroup(group);
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(role), [stranger], 'whom we put there goes with our group, nobody else');
    assert.equal(await bed.account(group), undefined);
    assert.deepEqual(await placed(bed), []);
    assert.deepEqual([...new Set(toGroups(bed))].sort(), ['GET', 'PATCH']);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('takes nobody out whom somebody else put there, and says nothing about them', async () => {
    await using bed = await openEngineBed(database, { policy: membersOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    const a = await remoteOf(bed, ada);
    const role = seedGroup(bed, 'role', [a]);
    const group = await bed.addGroup('role');
    await bed.rest();
    await bed.stop();
    const heard = bed.fake.requests.length;
    // She comes and goes before it is said: nothing of it was ours.
    await bed.addMember(group, ada);
    await bed.removeMember(group, ada);
    await bed.start();
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(role), [a]);
    assert.deepEqual(toGroups(bed, heard), []);
    await bed.addMember(group, ada);
    await bed.rest();
    await bed.removeMember(group, ada);
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(role), [], 'whom we said belongs there is ours from then on');
  });

  it('takes many out in chunks when the group goes, through a lost answer and a restart', async () => {
    await using bed = await openEngineBed(database, { policy: { ...membersOnly, membersPerRequest: 10 } });
    const role = seedGroup(bed, 'role');
    await bed.start();
    const people: string[] = [];
    for (let n = 0; n < 45; n++) people.push(await bed.addUser(`p${n}`));
    const group = await bed.addGroup('role', people);
    await bed.rest();
    assert.equal(bed.fake.membersOf(role).length, 45);
    let seen = 0;
    bed.fake.misbehave({
      when: { method: 'PATCH', on: 'groups', that: () => ++seen === 2 },
      times: 1,
      act: { kind: 'drop', applied: true },
    });
    const heard = bed.fake.requests.length;
    await bed.removeGroup(group);
    await bed.clock.runUntil(() => seen === 2, { what: 'the second chunk' });
    await bed.stop();
    await bed.start();
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(role), []);
    assert.equal(await bed.account(group), undefined);
    const said = bed.fake.requests.filter((one) => one.n > heard && one.method === 'PATCH');
    for (const one of said) {
      assert.ok(JSON.stringify(one.body).split('value').length - 1 <= 10, 'no request names more than its chunk');
    }
  });

  it('does not send a whole group to a target without PATCH, and says why', async () => {
    await using bed = await openEngineBed(database, { policy: membersOnly, fake: { patch: false } });
    const stranger = bed.fake.seedUser({ schemas: userSchema, userName: 'stranger', active: true });
    const role = seedGroup(bed, 'role', [stranger]);
    await bed.start();
    const group = await bed.addGroup('role', [await bed.addUser('ada')]);
    await bed.rest();
    const account = await bed.account(group);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', /only as a whole/);
    assert.deepEqual(bed.fake.membersOf(role), [stranger]);
  });
});

eachDatabase('a group that has to be at the target', (database) => {
  for (const groups of ['membership-only', 'link-existing']) {
    it(`comes right by itself within the hour when it is made there later (${groups})`, async () => {
      await using bed = await openEngineBed(database, { policy: { ...limits, groups } });
      await bed.start();
      const ada = await bed.addUser('ada');
      const group = await bed.addGroup('role', [ada]);
      await bed.rest();
      const parked = await bed.account(group);
      assert.equal(parked?.state, 'parked');
      assert.match(parked?.reason ?? '', /no group named "role".*Make it at the target/);
      assert.equal(bed.fake.groups.size, 0);
      const heard = bed.fake.requests.length;
      // People come and go: noted, and nothing asked.
      const bob = await bed.addUser('bob');
      await bed.addMember(group, bob);
      await bed.removeMember(group, ada);
      await bed.rest();
      await sleep(bed, 25);
      assert.deepEqual(toGroups(bed, heard), []);
      const role = seedGroup(bed, 'role');
      await sleep(bed, 10);
      assert.deepEqual(bed.fake.membersOf(role), [await remoteOf(bed, bob)]);
      assert.equal((await bed.account(group))?.state, 'done');
    });
  }

  it('is looked for at once by a retry, a rename and a sync', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, groups: 'link-existing' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    const groups = [await bed.addGroup('one', [ada]), await bed.addGroup('two'), await bed.addGroup('three')];
    await bed.rest();
    seedGroup(bed, 'one');
    seedGroup(bed, 'zwei');
    const began = bed.clock.now();
    await bed.store.write(async (tx) => retryAccount(tx, (await bed.account(groups[0]!))!));
    bed.store.signal('work');
    await bed.renameGroup(groups[1]!, 'zwei', []);
    await bed.rest();
    assert.deepEqual(await statesOf(bed, groups), ['done', 'done', 'parked']);
    seedGroup(bed, 'three');
    await askForSync(bed);
    await bed.rest();
    assert.deepEqual(await statesOf(bed, groups), ['done', 'done', 'done']);
    assert.ok(bed.clock.now() - began < 60_000);
    await bed.assertAgrees();
    assert.equal(toGroups(bed).includes('POST'), false);
  });

  it('is kept as in full once it is taken over, and goes as adopted accounts do', async () => {
    const policy = { ...limits, groups: 'link-existing', deprovisionAdopted: 'delete' };
    await using bed = await openEngineBed(database, { policy });
    const role = seedGroup(bed, 'role');
    seedGroup(bed, 'stays');
    await bed.start();
    const group = await bed.addGroup('role', [await bed.addUser('ada')]);
    const stays = await bed.addGroup('stays');
    await bed.rest();
    await bed.renameGroup(group, 'role two', []);
    await bed.rest();
    assert.equal(bed.fake.groups.get(role)?.resource.displayName, 'role two');
    await bed.assertAgrees();
    await bed.removeGroup(group);
    await bed.rest();
    assert.equal(bed.fake.groups.has(role), false);
    await resetTarget(bed, { policy: { ...limits, groups: 'link-existing' } });
    await bed.rest();
    await bed.removeGroup(stays);
    await bed.rest();
    assert.equal((await bed.account(stays))?.state, 'kept');
    assert.equal(bed.fake.groups.size, 1);
  });

  it('is not made again when it goes there, and not shared by two', async () => {
    await using bed = await openEngineBed(database, { policy: membersOnly });
    const role = seedGroup(bed, 'role');
    await bed.start();
    const group = await bed.addGroup('role', [await bed.addUser('ada')]);
    await bed.rest();
    await bed.removeThere('groups', role);
    await bed.addMember(group, await bed.addUser('bob'));
    await bed.rest();
    assert.equal((await bed.account(group))?.state, 'parked');
    assert.equal(bed.fake.groups.size, 0);
    const again = seedGroup(bed, 'role');
    await sleep(bed, 31);
    assert.equal(bed.fake.membersOf(again).length, 2);
    await bed.renameGroup(group, 'elsewhere', []);
    const other = await bed.addGroup('role');
    await bed.rest();
    const account = await bed.account(other);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', /held by the account of our own subject/);
  });
});

eachDatabase('the mode of groups changes', (database) => {
  it('from full to none and back: nothing is sent of groups meanwhile, and nothing is forgotten', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const group = await bed.addGroup('team', [ada]);
    await bed.rest();
    await resetTarget(bed, { policy: { ...limits, groups: 'none' } });
    await bed.rest();
    const heard = bed.fake.requests.length;
    assert.match((await bed.account(group))?.reason ?? '', /send no groups/);
    await bed.addMember(group, bob);
    await bed.removeMember(group, ada);
    const later = await bed.addGroup('later', [ada]);
    await bed.rest();
    assert.equal((await bed.account(group))?.state, 'unbound');
    assert.equal(await bed.account(later), undefined);
    assert.deepEqual(toGroups(bed, heard), []);
    await resetTarget(bed, { policy: limits });
    await bed.rest();
    await askForSync(bed);
    await bed.rest();
    await bed.assertAgrees();
    assert.deepEqual((await listWaves(bed)).map((wave) => wave.cause).slice(0, 2), [
      'policy changed',
      'policy changed',
    ]);
  });

  it('from full to membership-only and back: whom we put there before is taken out as well', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const [ada, bob, cyd] = [await bed.addUser('ada'), await bed.addUser('bob'), await bed.addUser('cyd')];
    const group = await bed.addGroup('team', [ada, bob]);
    const goes = await bed.addGroup('goes', [ada, bob]);
    await bed.rest();
    const there = await remoteOf(bed, goes);
    await resetTarget(bed, { policy: membersOnly });
    await bed.rest();
    await bed.renameGroup(group, 'renamed', [bob, cyd]);
    await bed.removeGroup(goes);
    await bed.rest();
    const remote = await remoteOf(bed, group);
    assert.deepEqual(bed.fake.membersOf(remote), [await remoteOf(bed, bob), await remoteOf(bed, cyd)].sort());
    assert.equal(bed.fake.groups.get(remote)?.resource.displayName, 'team');
    assert.deepEqual(bed.fake.membersOf(there), [], 'those of a group that is gone here');
    assert.equal(bed.fake.groups.has(there), true);
    await bed.removeThere('groups', there);
    await resetTarget(bed, { policy: limits });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('from membership-only to full: the group is ours from then on', async () => {
    await using bed = await openEngineBed(database, { policy: membersOnly });
    const role = seedGroup(bed, 'Role');
    await bed.start();
    const group = await bed.addGroup('role', [await bed.addUser('ada')]);
    await bed.rest();
    await resetTarget(bed, { policy: limits });
    await bed.rest();
    assert.equal((await bed.account(group))?.origin, 'adopted');
    assert.equal((await bed.account(group))?.remote_id, role);
    await bed.assertAgrees();
  });
});

/** So many minutes go by while the server is off: every second of them would cost the test as much as a start. */
async function sleep(bed: EngineBed, minutes: number): Promise<void> {
  await bed.stop();
  await bed.clock.advance(minutes * 60_000);
  await bed.start();
  await bed.pass(3_000);
  await bed.rest();
}

async function statesOf(bed: EngineBed, ids: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await bed.account(id))?.state));
}
