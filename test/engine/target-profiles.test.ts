import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import { acceptableUser, profileTargets } from '../connectors/fakes/profiles.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const policy = { timeoutMs: 1_000, settleMs: 200 };
const bedOf = (profile: string, overrides = 'rate: none') => ({
  policy,
  fake: profileTargets[profile]!,
  settings: { 'scim2-target-profile': profile, 'scim2-profile-overrides': overrides },
});

/** As a person is in the directory. */
function person(name: string) {
  const { 'name.givenName': givenName, 'name.familyName': familyName, ...flat } = acceptableUser(name, '');
  const { userName: _, externalId: __, ...more } = flat;
  return { ...more, name: { givenName, familyName } };
}

eachDatabase('a target with a profile', (database) => {
  for (const profile of Object.keys(profileTargets)) {
    it(`gets people and a group of 130, and lets some go, by the rules of ${profile}`, async () => {
      await using bed = await openEngineBed(database, bedOf(profile));
      await bed.start();
      const ids: string[] = [];
      for (let n = 0; n < 130; n++) ids.push(await bed.addUser(`p${n}`, person(`p${n}`)));
      const group = await bed.addGroup('staff', ids);
      await bed.rest();
      await bed.assertAgrees();
      for (const id of ids.slice(0, 3)) await bed.removeMember(group, id);
      await bed.changeUser(ids[4]!, 'renamed', { ...person('renamed'), displayName: 'Renamed' });
      await bed.renameGroup(group, 'crew', ids.slice(3));
      await bed.rest();
      await bed.assertAgrees();
      await bed.removeUser(ids[5]!);
      await bed.rest();
      const held = bed.fake.userNamed('p5');
      if (profile === 'strict' || profile === 'aws') assert.equal(held, undefined);
      else assert.equal(held?.active, false, 'its profile says that who goes is switched off');
      assert.deepEqual(bed.fake.faults, []);
      const asked = bed.fake.requests.filter((request) => request.on === 'config').length;
      assert.equal(asked > 0, profile === 'strict', 'a profile that knows does not ask');
    });
  }

  it('parks who would be refused without asking it, and sends them once they are as it wants', async () => {
    await using bed = await openEngineBed(database, bedOf('aws'));
    await bed.start();
    const { displayName: _, ...nameless } = person('bob');
    const bob = await bed.addUser('bob', nameless);
    const odd = await bed.addUser('odd', { ...person('odd'), emails: [{ value: 'a@x', type: 'work' }] });
    await bed.rest();
    assert.equal(bed.fake.requests.length, 0);
    const account = await bed.account(bob);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', /^not sent: displayName is required and has no value \(https:/);
    assert.match((await bed.account(odd))?.reason ?? '', /emails needs a value that is marked as primary/);
    await bed.changeUser(bob, 'bob', person('bob'));
    await bed.changeUser(odd, 'odd', person('odd'));
    await bed.rest();
    await bed.assertAgrees();
    await bed.changeUser(bob, 'bob bobson', person('bob'));
    await bed.rest();
    assert.match((await bed.account(bob))?.reason ?? '', /^not sent: userName may hold only letters/);
    assert.equal(bed.fake.userNamed('bob')?.id, 'u1');
  });

  it('parks one group in a group alone, and says the people', async () => {
    await using bed = await openEngineBed(database, bedOf('aws'));
    await bed.start();
    const ann = await bed.addUser('ann', person('ann'));
    const inner = await bed.addGroup('inner', [ann]);
    await bed.addGroup('outer', [ann, inner]);
    await bed.rest();
    const outer = bed.fake.groupNamed('outer')!;
    assert.deepEqual(bed.fake.membersOf(String(outer.resource.id)), ['u1']);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('is asked as fast as its profile says where the policy says nothing', async () => {
    const rateOf = async (overrides: string, requestsPerSecond?: number) => {
      const options = bedOf('github', overrides);
      const rate = requestsPerSecond === undefined ? {} : { requestsPerSecond };
      await using bed = await openEngineBed(database, { ...options, policy: { ...policy, ...rate } });
      const parts = { key: bed.key, kinds: connectorKinds, outbound: bed.outbound };
      const book = await bed.store.read((reading) => openTargetBook(reading, parts));
      const again = await bed.store.read((reading) => openTargetBook(reading, parts, book));
      const rates = [book, again].map((each) => each.targets.get(bed.targetId)!.target.policy.requestsPerSecond);
      assert.equal(rates[0], rates[1]);
      return rates[0];
    };
    assert.equal(await rateOf(''), 1_000 / 3_600);
    assert.equal(await rateOf('rate: 5/s'), 5);
    assert.equal(await rateOf('rate: none'), undefined);
    assert.equal(await rateOf('', 2), 2);
  });
});
