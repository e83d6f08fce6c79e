import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import type { Connector, RemoteMember, UpdateRequest } from '../../src/connectors/connector.ts';
import { scim2Dialect } from '../../src/connectors/scim/dialect.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { type FakeOptions, type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';
import { makeOutbound } from './setting.ts';

const { managerPath } = scim2Dialect;

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const opened: { fake: FakeScim2; outbound: Outbound }[] = [];
afterEach(async () => {
  for (const { fake, outbound } of opened.splice(0)) {
    await outbound.close();
    await fake.close();
  }
});

async function meet(options: Partial<FakeOptions> = {}, settings: Record<string, string | boolean> = {}) {
  const fake = await startFakeScim2(options);
  const way = makeOutbound();
  opened.push({ fake, outbound: way.outbound });
  const values = fake.settings(settings);
  assert.deepEqual(scim2.checkSettings(values), []);
  return { ...way, fake, connector: scim2.open(values, way.outbound) };
}

const user = (remoteId: string): RemoteMember => ({ kind: 'user', remoteId });

function updateOf(remoteId: string, change: Partial<UpdateRequest>): UpdateRequest {
  return { kind: 'user', remoteId, attributes: { userName: 'bob' }, set: {}, unset: [], ...change };
}

async function failureOf(asked: Promise<{ outcome: string; reason?: string; scope?: string }>) {
  const { outcome, scope, reason } = await asked;
  return { outcome, scope, reason: reason ?? '' };
}

test('create: flat attributes become one resource with its schemas', async () => {
  const { fake, connector, courier } = await meet();
  await connector.create(courier(), {
    kind: 'user',
    attributes: {
      userName: 'bob',
      externalId: 'id-bob',
      'name.familyName': 'B',
      'name.givenName': 'Bob',
      emails: [{ value: 'b@x', primary: true }],
      [`${enterprise}:department`]: 'D',
      [managerPath]: 'u9',
      password: 'from a mapping',
      id: 'ours',
      'meta.location': 'nowhere',
      groups: [{ value: 'g' }],
    },
  });
  assert.deepEqual(fake.requests[0]!.body, {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
    userName: 'bob',
    externalId: 'id-bob',
    name: { familyName: 'B', givenName: 'Bob' },
    emails: [{ value: 'b@x', primary: true }],
    [enterprise]: { department: 'D', manager: { value: 'u9' } },
  });
  assert.deepEqual(fake.faults, []);
});

test('update by PATCH: one operation with a path for each difference', async () => {
  const { fake, connector, courier } = await meet();
  const id = fake.seedUser({ schemas: [], userName: 'bob', nickName: 'b', title: 't' });
  const set = {
    'name.familyName': 'B',
    [`${enterprise}:department`]: 'D',
    [managerPath]: 'u9',
    id: 'x',
    password: 'y',
  };
  const unset = ['nickName', `${enterprise}:costCenter`, 'meta', 'title'];
  assert.deepEqual(await connector.update(courier(), updateOf(id, { set, unset })), { outcome: 'done' });
  assert.deepEqual(fake.requests.at(-1)!.body, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'replace', path: 'name.familyName', value: 'B' },
      { op: 'replace', path: `${enterprise}:department`, value: 'D' },
      { op: 'replace', path: managerPath, value: { value: 'u9' } },
      { op: 'remove', path: 'nickName' },
      { op: 'remove', path: `${enterprise}:costCenter` },
      { op: 'remove', path: 'title' },
    ],
  });
  assert.deepEqual(fake.faults, []);
});

test('nothing to say is no request', async () => {
  const { fake, connector, courier } = await meet();
  await connector.describe(courier());
  const before = fake.requests.length;
  assert.deepEqual(await connector.update(courier(), updateOf('u1', {})), { outcome: 'done' });
  assert.deepEqual(await connector.update(courier(), updateOf('u1', { set: { password: 'x' } })), { outcome: 'done' });
  assert.deepEqual(await connector.changeMembers(courier(), { remoteId: 'g1', add: [], remove: [] }), {
    outcome: 'done',
  });
  assert.equal(fake.requests.length, before);
});

test('without PATCH, or without ServiceProviderConfig, an update is a PUT of the whole', async () => {
  for (const options of [{ patch: false }, { config: false, patch: false }]) {
    const { fake, connector, courier } = await meet(options);
    const described = await connector.describe(courier());
    assert.deepEqual(described, { outcome: 'done', patch: false, membersPerRequest: 100 });
    const id = fake.seedUser({ schemas: [], userName: 'bob', nickName: 'gone' });
    const attributes = { userName: 'bob', title: 'Boss' };
    const update = updateOf(id, { attributes, set: { title: 'Boss' }, unset: ['nickName'] });
    assert.deepEqual(await connector.update(courier(), update), { outcome: 'done' });
    assert.deepEqual([fake.users.get(id)!.title, fake.users.get(id)!.nickName], ['Boss', undefined]);
    const group = fake.seedGroup({ schemas: [], displayName: 'g' }, [id]);
    const whole: UpdateRequest = { ...updateOf(group, {}), kind: 'group', attributes: { displayName: 'h' } };
    assert.deepEqual(await connector.update(courier(), { ...whole, members: [user(id)] }), { outcome: 'done' });
    assert.deepEqual(fake.membersOf(group), [id]);
    // A PUT without members would empty the group.
    const before = fake.requests.length;
    assert.equal((await connector.update(courier(), whole)).outcome, 'unavailable');
    assert.equal(fake.requests.length, before);
    assert.deepEqual(fake.faults, []);
  }
});

test('a target that says it can PATCH and cannot is PUT to from the next try on', async () => {
  const { fake, connector, courier } = await meet();
  await connector.describe(courier());
  fake.options.patch = false;
  const id = fake.seedUser({ schemas: [], userName: 'bob' });
  const update = updateOf(id, { attributes: { userName: 'bob', title: 'x' }, set: { title: 'x' } });
  const first = await connector.update(courier(), update);
  assert.equal(first.outcome === 'unavailable' && first.scope, 'account');
  assert.deepEqual(await connector.update(courier(), update), { outcome: 'done' });
  assert.equal(fake.users.get(id)!.title, 'x');
  assert.deepEqual(
    fake.requests.slice(1).map((request) => request.method),
    ['PATCH', 'PUT'],
  );
});

test('what a target can do is asked once in an hour, also by many at once; trouble is not remembered', async () => {
  const { fake, connector, courier, clock } = await meet();
  fake.misbehave({ when: { on: 'config' }, act: { kind: 'answer', status: 500 } });
  assert.equal((await connector.describe(courier())).outcome, 'unknown');
  await Promise.all(Array.from({ length: 20 }, () => connector.describe(courier())));
  assert.equal(fake.requests.length, 2);
  clock.step(3_599_000);
  await connector.describe(courier());
  assert.equal(fake.requests.length, 2);
  clock.step(2_000);
  await connector.describe(courier());
  assert.equal(fake.requests.length, 3);
});

test('find: by externalId and names, quoted, without members, only what fits', async () => {
  const { fake, connector, courier } = await meet();
  const odd = 'o\'"neill\\ (x) or userName pr';
  const byName = fake.seedUser({ schemas: [], userName: odd.toUpperCase(), externalId: 'other' });
  const byMark = fake.seedUser({ schemas: [], userName: 'renamed', externalId: 'id-"x' });
  const found = await connector.find(courier(), { kind: 'user', externalId: 'id-"x', names: [odd, odd.toUpperCase()] });
  const ids = found.outcome === 'done' ? found.found.map((remote) => remote.remoteId) : [];
  assert.deepEqual(ids.sort(), [byName, byMark].sort());
  assert.equal(fake.requests.length, 2, 'names that differ only by case are one question');
  await connector.find(courier(), { kind: 'group', externalId: 'x', names: ['g'] });
  assert.equal(fake.requests.at(-1)!.query.excludedAttributes, 'members');
  assert.deepEqual(fake.faults, []);
});

test('find: a target that ignores filters misleads nobody', async () => {
  const { fake, connector, courier } = await meet({ ignoreFilters: true, pageSize: 7 });
  for (let n = 0; n < 30; n++) fake.seedUser({ schemas: [], userName: `stranger-${n}`, externalId: `x${n}` });
  const ask = { kind: 'user' as const, externalId: 'ours', names: ['bob'] };
  assert.deepEqual(await connector.find(courier(), ask), { outcome: 'done', found: [] });
  const bob = fake.seedUser({ schemas: [], userName: 'Bob' });
  const found = await connector.find(courier(), ask);
  assert.deepEqual(found.outcome === 'done' && found.found.map((remote) => remote.remoteId), [bob]);
});

test('find: a target that cannot search by externalId is asked by name, and not asked again for an hour', async () => {
  const { fake, connector, courier, clock } = await meet({ externalIdFilter: false });
  const bob = fake.seedUser({ schemas: [], userName: 'bob', externalId: 'id-bob' });
  const ask = { kind: 'user' as const, externalId: 'id-bob', names: ['bob'] };
  for (const requests of [2, 3]) {
    const found = await connector.find(courier(), ask);
    assert.deepEqual(found.outcome === 'done' && found.found.map((remote) => remote.remoteId), [bob]);
    assert.equal(fake.requests.length, requests);
  }
  assert.equal((await connector.find(courier(), { ...ask, names: [] })).outcome, 'unavailable');
  clock.step(3_600_001);
  await connector.find(courier(), ask);
  assert.equal(fake.requests.length, 5);
});

test('find: lists that cannot be true are no answer', async () => {
  const { fake, connector, courier } = await meet();
  const ask = { kind: 'user' as const, externalId: '', names: ['bob'] };
  const list = (body: object) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], ...body });
  for (const body of [
    {},
    [],
    list({ Resources: [] }),
    list({ totalResults: 1 }),
    list({ totalResults: 3, Resources: [] }),
    list({ totalResults: 1, Resources: [{ userName: 'bob' }] }),
    list({ totalResults: 1, Resources: [{ userName: 'bob', id: '' }] }),
    list({ totalResults: 1, Resources: [null] }),
    list({ totalResults: 1, Resources: { id: 'u1' } }),
    list({ totalResults: -1, Resources: [] }),
    list({ totalResults: '', Resources: [] }),
    list({ totalResults: null, Resources: [] }),
    list({ totalResults: [], Resources: [] }),
    list({ totalResults: false, Resources: [] }),
  ]) {
    fake.misbehave({ act: { kind: 'answer', status: 200, body } });
    assert.equal((await connector.find(courier(), ask)).outcome, 'unknown', JSON.stringify(body));
  }
  fake.misbehave({ act: { kind: 'answer', status: 200, body: list({ totalResults: 0 }) } });
  assert.deepEqual(await connector.find(courier(), ask), { outcome: 'done', found: [] });
});

test('a search that the target does not let anyone make belongs to the lane', async () => {
  const { fake, connector, courier } = await meet();
  const ask = { kind: 'user' as const, externalId: 'x', names: ['bob'] };
  for (const status of [403, 404, 405]) {
    fake.misbehave({ act: { kind: 'answer', status } });
    const failed = await failureOf(connector.find(courier(), ask));
    assert.deepEqual([failed.outcome, failed.scope], ['unavailable', 'lane'], String(status));
    assert.ok(failed.reason.includes(fake.usersEndpoint));
  }
});

test('what a target answers is read back as it would be mapped', async () => {
  const { fake, connector, courier } = await meet();
  const id = fake.seedUser({});
  const body = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id,
    USERNAME: 'bob',
    externalid: 'id-bob',
    active: 'True',
    title: '',
    nickName: null,
    name: { FamilyName: 'B', givenName: null },
    emails: [{ Value: 'b@x', Primary: 'true', display: 'b@x' }],
    phoneNumbers: [],
    groups: [{ value: 'g1' }],
    meta: { resourceType: 'User' },
    [enterprise.toUpperCase()]: { Department: 'D', manager: { value: 'u9', displayName: 'Ann' } },
    'urn:acme:User': { badge: { number: '7' } },
  };
  fake.misbehave({ act: { kind: 'answer', status: 200, body } });
  const read = await connector.read(courier(), 'user', id);
  assert.deepEqual(read.outcome === 'done' && read.remote, {
    remoteId: id,
    externalId: 'id-bob',
    name: 'bob',
    attributes: {
      userName: 'bob',
      externalId: 'id-bob',
      active: true,
      'name.familyName': 'B',
      emails: [{ value: 'b@x', primary: true, display: 'b@x' }],
      [`${enterprise}:department`]: 'D',
      [managerPath]: 'u9',
      'urn:acme:User:badge.number': '7',
    },
  });
});

test('ids: anything a URL has trouble with goes through; what cannot be addressed is no id', async () => {
  const { fake, connector, courier } = await meet({ idPrefix: 'ä/b ?#%2F"' });
  const made = await connector.create(courier(), { kind: 'user', attributes: { userName: 'bob' } });
  const remoteId = made.outcome === 'done' ? made.remoteId : '';
  assert.ok(fake.users.has(remoteId));
  assert.equal((await connector.read(courier(), 'user', remoteId)).outcome, 'done');
  const group = await connector.create(courier(), {
    kind: 'group',
    attributes: { displayName: 'g' },
    members: [user(remoteId)],
  });
  const groupId = group.outcome === 'done' ? group.remoteId : '';
  const change = { remoteId: groupId, add: [], remove: [user(remoteId)] };
  assert.equal((await connector.changeMembers(courier(), change)).outcome, 'done');
  assert.deepEqual(fake.membersOf(groupId), []);
  assert.equal((await connector.remove(courier(), 'user', remoteId)).outcome, 'done');
  assert.equal(fake.users.size, 0);
  assert.deepEqual(fake.faults, []);
  for (const id of [undefined, null, '', '.', '..', {}, 'x'.repeat(2_000)]) {
    fake.misbehave({ act: { kind: 'answer', status: 201, body: { id } } });
    const odd = await connector.create(courier(), { kind: 'user', attributes: { userName: 'x' } });
    assert.equal(odd.outcome, 'unknown', JSON.stringify(id));
  }
});

test('an answer about somebody else is not believed', async () => {
  const { fake, connector, courier } = await meet();
  const id = fake.seedUser({ schemas: [], userName: 'bob' });
  fake.misbehave({ when: { resource: true }, times: 2, act: { kind: 'answer', status: 200, body: { id: 'other' } } });
  assert.equal((await connector.read(courier(), 'user', id)).outcome, 'unknown');
  const update = updateOf(id, { set: { title: 'x' } });
  assert.equal((await connector.update(courier(), update)).outcome, 'unknown');
});

test('members: groups within groups, a member that is not in, one that does not exist', async () => {
  const { fake, connector, courier } = await meet();
  const bob = fake.seedUser({ schemas: [], userName: 'bob' });
  const inner = fake.seedGroup({ schemas: [], displayName: 'inner' });
  const outer = fake.seedGroup({ schemas: [], displayName: 'outer' });
  const change = { remoteId: outer, add: [user(bob), { kind: 'group' as const, remoteId: inner }], remove: [] };
  assert.deepEqual(await connector.changeMembers(courier(), change), { outcome: 'done' });
  assert.deepEqual(fake.groups.get(outer)!.members.get(inner), { value: inner, type: 'Group' });
  assert.deepEqual(fake.groups.get(outer)!.members.get(bob), { value: bob });

  const noTarget = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], scimType: 'noTarget', detail: 'no' };
  fake.misbehave({ times: 2, act: { kind: 'answer', status: 400, body: noTarget } });
  const one = { remoteId: outer, add: [], remove: [user('u77')] };
  assert.deepEqual(await connector.changeMembers(courier(), one), { outcome: 'done' });
  const two = { remoteId: outer, add: [], remove: [user('u77'), user('u78')] };
  assert.equal((await connector.changeMembers(courier(), two)).outcome, 'refused');

  const unknown = await failureOf(
    connector.changeMembers(courier(), { remoteId: outer, add: [user('u99')], remove: [] }),
  );
  assert.equal(unknown.outcome, 'refused');
  assert.ok(unknown.reason.includes('there is no resource u99'));
  fake.options.membersPerPatch = 1;
  const both = { remoteId: outer, add: [], remove: [user(bob), { kind: 'group' as const, remoteId: inner }] };
  assert.equal((await connector.changeMembers(courier(), both)).outcome, 'refused');
  assert.equal(fake.membersOf(outer).length, 2, 'refused means not applied');
});

test('passwords: the clear one, else the default one, only on creation, only when provisioned', async () => {
  const { fake, connector, courier, outbound } = await meet({}, { 'scim2-default-pwd': 'Default-1' });
  const passwordOf = async (asked: Connector, password?: Secret) => {
    await asked.create(courier(), {
      kind: 'user',
      attributes: { userName: `p${fake.requests.length}` },
      ...(password ? { password } : {}),
    });
    return (fake.requests.at(-1)!.body as { password?: string }).password;
  };
  assert.equal(await passwordOf(connector, new Secret('Clear-1')), 'Clear-1');
  assert.equal(await passwordOf(connector), 'Default-1');
  const off = fake.settings({ 'scim2-default-pwd': 'Default-1', 'scim2-enable-pwd-provisioning': false });
  assert.equal(await passwordOf(scim2.open(off, outbound), new Secret('Clear-1')), undefined);
  assert.equal(await passwordOf(scim2.open(fake.settings(), outbound)), undefined);
  await connector.create(courier(), { kind: 'group', attributes: { displayName: 'g' } });
  assert.equal('password' in (fake.requests.at(-1)!.body as object), false);
});

test('a refusal that repeats the password does not show it', async () => {
  const { fake, connector, courier } = await meet();
  const detail = 'password hunter2-hunter2 is too weak; you signed in as purvey with fake-password';
  fake.misbehave({ act: { kind: 'answer', status: 400, body: { detail } } });
  const mine = courier();
  const made = await failureOf(
    connector.create(mine, {
      kind: 'user',
      attributes: { userName: 'bob' },
      password: new Secret('hunter2-hunter2'),
    }),
  );
  const shown = JSON.stringify([made, mine.exchanges]);
  assert.ok(!shown.includes('hunter2-hunter2') && !shown.includes('fake-password'), shown);
  assert.ok(made.reason.includes('is too weak'));
});

test('names: the store at the target replaces ours; blank, other domains than PRIMARY keep theirs', async () => {
  const { fake, outbound } = await meet();
  const there = (domain?: string) =>
    scim2.open(fake.settings(domain === undefined ? {} : { 'scim2-user-store-domain': domain }), outbound);
  const names = (connector: Connector) => [
    connector.writeName('PRIMARY', 'bob'),
    connector.writeName('SALES', 'bob'),
    connector.writeName('primary', 'bob'),
  ];
  assert.deepEqual(names(there()), ['bob', 'SALES/bob', 'bob']);
  assert.deepEqual(names(there('PARTNER')), ['PARTNER/bob', 'PARTNER/bob', 'PARTNER/bob']);
  assert.deepEqual(names(there('PRIMARY')), ['bob', 'bob', 'bob']);
});

test('a blank Group Endpoint: groups are not sent', async () => {
  const { fake, connector, outbound, courier } = await meet();
  assert.equal(connector.sends('group'), true);
  const without = scim2.open(fake.settings({ 'scim2-group-ep': '' }), outbound);
  assert.deepEqual([without.sends('user'), without.sends('group')], [true, false]);
  const last = (await without.test(courier())).at(-1)!;
  assert.deepEqual([last.step, last.ok, last.skipped], ['groups endpoint', true, true]);
});
