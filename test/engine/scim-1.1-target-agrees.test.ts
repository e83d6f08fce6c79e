import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { enterpriseUserUrn } from '../../src/protocol/scim/schema.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { createTarget } from '../../src/provisioning/targets.ts';
import { type FakeScim1, type Scim1Options, startFakeScim1 } from '../connectors/fakes/scim1.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';

/** The bed's directory with one target, which speaks SCIM 1.1. */
async function addScim1Target(
  bed: EngineBed,
  options: Partial<Scim1Options> = {},
): Promise<FakeScim1 & AsyncDisposable> {
  const fake = await startFakeScim1(options);
  await bed.store.write(async (tx) => {
    const idp = await createIdentityProvider(tx, { name: 'older' });
    const target = await createTarget(tx, { key: bed.key, kinds: connectorKinds }, idp.id, {
      type: 'scim',
      settings: {
        'scim-username': 'purvey',
        'scim-password': 'fake-password',
        'scim-user-ep': fake.usersEndpoint,
        'scim-group-ep': fake.groupsEndpoint,
      },
      policy: {},
    });
    await replaceBindings(tx, bed.resident.spId, [{ target: target.id }]);
  });
  bed.store.signal('targets');
  return {
    ...fake,
    async [Symbol.asyncDispose]() {
      fake.heal();
      await bed.stop();
      await fake.close();
    },
  };
}

const held = (fake: FakeScim1) =>
  Object.fromEntries(
    [...fake.users.values()].map((user) => {
      const { userName, title, nickName, emails, [enterprise]: more } = user;
      return [userName, JSON.parse(JSON.stringify({ title, nickName, emails, more }))];
    }),
  );

function groupsOf(fake: FakeScim1): Record<string, string[]> {
  const nameOf = (id: string) => String(fake.users.get(id)?.userName ?? fake.groups.get(id)?.resource.displayName);
  return Object.fromEntries(
    [...fake.groups].map(([id, group]) => [String(group.resource.displayName), fake.membersOf(id).map(nameOf).sort()]),
  );
}

eachDatabase('a target of SCIM 1.1 agrees', (database) => {
  it('with users, enterprise attributes, groups, renames, swaps of members and deletions', async () => {
    await using bed = await openEngineBed(database);
    await using fake = await addScim1Target(bed);
    await bed.start();
    const ann = await bed.addUser('ann', { title: 'Boss', [enterpriseUserUrn]: { department: 'Top' } });
    const bob = await bed.addUser('bob', {
      emails: [
        { value: 'b@example.com', type: 'work' },
        { value: 'bob@home.example', type: 'home' },
      ],
      nickName: 'B',
      [enterpriseUserUrn]: { department: 'Sales', manager: { value: ann } },
    });
    const cyd = await bed.addUser('cyd');
    const staff = await bed.addGroup('staff', [ann, bob]);
    const all = await bed.addGroup('all', [staff, cyd]);
    await bed.rest();
    const annThere = String(fake.userNamed('ann')?.id);
    assert.deepEqual(held(fake), {
      ann: { title: 'Boss', more: { department: 'Top' } },
      bob: {
        nickName: 'B',
        emails: [
          { value: 'b@example.com', type: 'work' },
          { value: 'bob@home.example', type: 'home' },
        ],
        more: { department: 'Sales', manager: { managerId: annThere } },
      },
      cyd: {},
    });
    assert.deepEqual(groupsOf(fake), { staff: ['ann', 'bob'], all: ['cyd', 'staff'] });

    const from = fake.requests.length;
    await bed.changeUser(bob, 'robert', {
      emails: [{ value: 'bob@home.example', type: 'home' }],
      [enterpriseUserUrn]: { department: 'Research' },
    });
    await bed.removeMember(staff, ann);
    await bed.addMember(staff, cyd);
    await bed.rest();
    await bed.renameGroup(all, 'everybody', [staff, cyd]);
    await bed.removeUser(ann);
    await bed.rest();
    assert.deepEqual(held(fake), {
      robert: { emails: [{ value: 'bob@home.example', type: 'home' }], more: { department: 'Research' } },
      cyd: {},
    });
    assert.deepEqual(groupsOf(fake), { staff: ['cyd', 'robert'], everybody: ['cyd', 'staff'] });
    const said = fake.requests.slice(from).filter(({ on, method }) => on === 'groups' && method !== 'GET');
    assert.ok(
      said.every(({ method }) => method === 'PATCH'),
      'groups are changed by what changed',
    );

    await bed.removeGroup(staff);
    await bed.removeUser(cyd);
    await bed.rest();
    assert.deepEqual(Object.keys(held(fake)), ['robert']);
    assert.deepEqual(groupsOf(fake), { everybody: [] });
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
    assert.deepEqual(fake.faults, [], 'what was sent keeps to the drafts');
  });

  it('after creations that it did and did not answer, failures, and patience that it asked for', async () => {
    await using bed = await openEngineBed(database);
    await using fake = await addScim1Target(bed);
    fake.misbehave({ when: { method: 'POST' }, times: 2, act: { kind: 'drop', applied: true } });
    fake.misbehave({ when: { method: 'POST' }, times: 2, act: { kind: 'drop', applied: false } });
    fake.misbehave({ when: { method: 'POST' }, times: 2, act: { kind: 'answer', status: 500 } });
    fake.misbehave({
      when: { method: 'POST' },
      act: { kind: 'answer', status: 429, headers: { 'retry-after': '5' } },
    });
    await bed.start();
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push(await bed.addUser(`p${n}`));
    await bed.addGroup('staff', ids);
    await bed.rest();
    assert.deepEqual(
      Object.keys(held(fake)).sort(),
      ids.map((_, n) => `p${n}`),
    );
    assert.deepEqual(groupsOf(fake), { staff: ids.map((_, n) => `p${n}`) });
    assert.deepEqual(fake.faults, []);
  });

  it('by whole resources where it does no PATCH', async () => {
    await using bed = await openEngineBed(database);
    await using fake = await addScim1Target(bed, { patch: 'none', config: 'missing', deleted: 204 });
    await bed.start();
    const ann = await bed.addUser('ann', { title: 'Boss' });
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', [ann]);
    await bed.rest();
    await bed.changeUser(ann, 'ann', { nickName: 'A' });
    await bed.addMember(staff, bob);
    await bed.rest();
    assert.deepEqual(held(fake), { ann: { nickName: 'A' }, bob: {} });
    assert.deepEqual(groupsOf(fake), { staff: ['ann', 'bob'] });
    assert.deepEqual(fake.faults, []);
  });
});
