import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { RemoteMember } from '../../src/connectors/connector.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import type { Attributes } from '../../src/mapping/rows.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { acceptableUser, profileTargets } from './fakes/profiles.ts';
import { type FakeOptions, type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';
import { makeOutbound } from './setting.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const opened: { fake: FakeScim2; outbound: Outbound }[] = [];
afterEach(async () => {
  for (const { fake, outbound } of opened.splice(0)) {
    await outbound.close();
    await fake.close();
  }
});

async function meet(profile: string, overrides = '', options: Partial<FakeOptions> = profileTargets[profile]!) {
  const fake = await startFakeScim2(options);
  const way = makeOutbound();
  opened.push({ fake, outbound: way.outbound });
  const values = fake.settings({ 'scim2-target-profile': profile, 'scim2-profile-overrides': overrides });
  assert.deepEqual(scim2.checkSettings(values), []);
  const connector = scim2.open(values, way.outbound);
  return {
    ...way,
    fake,
    connector,
    create: (attributes: Attributes) => connector.create(way.courier(), { kind: 'user', attributes }),
    sent: () => fake.requests.map((request) => request.body) as Record<string, unknown>[],
  };
}

const user = (remoteId: string): RemoteMember => ({ kind: 'user', remoteId });
const reasonOf = (answer: { outcome: string; reason?: string }) => {
  assert.equal(answer.outcome, 'refused');
  return answer.reason ?? '';
};

test('a value that the target refuses is refused before anything is sent, with the rule and its source', async () => {
  const whole = acceptableUser('bob', 'id-bob');
  const mail = whole.emails[0]!;
  const without = (path: string) => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== path));
  const cases: [string, Attributes, RegExp][] = [
    ['aws', without('displayName'), /displayName is required and has no value \(https:.*createuser/],
    ['aws', { ...whole, userName: 'bob bobson' }, /userName may hold only letters, marks, .* \(https:/],
    ['aws', { ...whole, userName: '𝒷'.repeat(129) }, /userName has more than 128 characters/],
    ['aws', { ...whole, userName: 'administrator' }, /userName is a name that the target keeps for itself/],
    ['aws', { ...whole, externalId: 'f:1' }, /externalId must not hold ":" \(https:.*keycloak-scim2-storage/],
    ['aws', { ...whole, emails: [mail, { value: 'b@x' }] }, /emails has 2 values, and the target takes 1/],
    ['aws', { ...whole, emails: [{ value: 'b@x' }] }, /emails needs a value that is marked as primary/],
    ['github', without('emails'), /emails is required .*docs.github.com/],
    ['github', { ...whole, emails: [{ value: 'b@x', primary: true }] }, /emails needs type in each value/],
    ['entra', { ...whole, emails: [mail, { value: 'b@x', type: 'Work' }] }, /emails has two values of the same type/],
  ];
  for (const [profile, attributes, reason] of cases) {
    const { create, fake } = await meet(profile);
    assert.match(reasonOf(await create(attributes)), /^not sent: /);
    assert.match(reasonOf(await create(attributes)), reason);
    assert.equal(fake.requests.length, 0);
    assert.equal((await create({ ...whole, userName: '𝒷ø-b'.repeat(32) })).outcome, 'done');
    assert.deepEqual(fake.faults, []);
  }
});

test('a change that the target refuses is refused too, but not for what it does not touch', async () => {
  const { create, connector, courier, fake } = await meet('aws');
  await create(acceptableUser('bob', 'id-bob'));
  const before = fake.requests.length;
  const update = { kind: 'user' as const, remoteId: 'u1', attributes: {} };
  const refused = await connector.update(courier(), { ...update, set: {}, unset: ['displayName'] });
  assert.match(reasonOf(refused), /displayName is required/);
  assert.match(
    reasonOf(await connector.update(courier(), { ...update, set: { userName: 'a b' }, unset: [] })),
    /userName/,
  );
  assert.equal(fake.requests.length, before);
  // Whoever leaves is switched off, whatever else was found there.
  const odd = { userName: 'b b', emails: [{ value: '1' }, { value: '2' }], active: false };
  const off = await connector.update(courier(), { ...update, attributes: odd, set: { active: false }, unset: [] });
  assert.deepEqual(off, { outcome: 'done' });
  assert.equal(fake.users.get('u1')!.active, false);
});

test('what the target does not take is not sent, in a creation as in a change', async () => {
  const { create, connector, courier, sent, fake } = await meet('aws');
  const more = {
    photos: [{ value: 'p' }],
    roles: [{ value: 'r' }],
    emails: [{ value: 'b@x', primary: true, display: 'Bob' }],
    [`${enterprise}:department`]: 'D',
  };
  const attributes = { ...acceptableUser('bob', 'id-bob'), ...more };
  assert.equal((await create(attributes)).outcome, 'done');
  assert.ok(!('photos' in sent()[0]!) && !('roles' in sent()[0]!));
  assert.deepEqual(sent()[0]!.emails, [{ value: 'b@x', primary: true }]);
  assert.deepEqual(sent()[0]!['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'], { department: 'D' });
  assert.equal(attributes.emails[0]!.display, 'Bob', 'what was given is left as it is');
  const update = { kind: 'user' as const, remoteId: 'u1', attributes, unset: ['ims'] };
  assert.deepEqual(await connector.update(courier(), { ...update, set: { photos: [] } }), { outcome: 'done' });
  assert.equal(fake.requests.length, 1, 'nothing was left to say');
  const set = { photos: more.photos, title: 'Boss' };
  assert.deepEqual(await connector.update(courier(), { ...update, set }), { outcome: 'done' });
  assert.deepEqual(sent()[1]!.Operations, [{ op: 'replace', path: 'title', value: 'Boss' }]);
  assert.deepEqual(fake.faults, []);
});

test('members leave in the form that the profile names, together or one by one', async () => {
  const change = { remoteId: 'g1', add: [user('u3')], remove: [user('u1'), user('u2')] };
  const forms: [string, string, unknown[]][] = [
    [
      'strict',
      '',
      [
        { op: 'add', path: 'members', value: [{ value: 'u3' }] },
        { op: 'remove', path: 'members[value eq "u1"]' },
        { op: 'remove', path: 'members[value eq "u2"]' },
      ],
    ],
    [
      'entra',
      '',
      [
        { op: 'add', path: 'members', value: [{ value: 'u3' }] },
        { op: 'remove', path: 'members', value: [{ value: 'u1' }, { value: 'u2' }] },
      ],
    ],
    [
      'entra',
      'memberValues: each',
      [
        { op: 'add', path: 'members', value: [{ value: 'u3' }] },
        { op: 'remove', path: 'members', value: [{ value: 'u1' }] },
        { op: 'remove', path: 'members', value: [{ value: 'u2' }] },
      ],
    ],
  ];
  for (const [profile, overrides, operations] of forms) {
    const { connector, courier, fake, sent } = await meet(profile, overrides);
    for (const name of ['a', 'b', 'c']) fake.seedUser({ schemas: [], userName: name });
    fake.seedGroup({ schemas: [], displayName: 'g' }, ['u1', 'u2']);
    assert.deepEqual(await connector.changeMembers(courier(), change), { outcome: 'done' });
    assert.deepEqual(sent()[0]!.Operations, operations);
    assert.deepEqual(fake.membersOf('g1'), ['u3']);
    assert.deepEqual(fake.faults, []);
  }
});

test('a group in a group is refused where the target takes none, but may be taken out', async () => {
  const { connector, courier, fake } = await meet('aws');
  const inner: RemoteMember = { kind: 'group', remoteId: 'g2' };
  fake.seedGroup({ schemas: [], displayName: 'g' }, []);
  const refused = await connector.changeMembers(courier(), { remoteId: 'g1', add: [inner], remove: [] });
  assert.match(reasonOf(refused), /line groupsAsMembers/);
  assert.equal(fake.requests.length, 0);
  assert.equal(
    (await connector.changeMembers(courier(), { remoteId: 'g1', add: [], remove: [inner] })).outcome,
    'done',
  );
});

test('an update can be one object without a path, where the profile says so', async () => {
  const { connector, courier, sent, fake } = await meet('strict', 'updateUsers: patch\npatchForm: object', {
    strict: false,
  });
  fake.seedUser({ schemas: [], userName: 'bob', title: 't' });
  const set = { 'name.givenName': 'B', nickName: 'b', [`${enterprise}:department`]: 'D' };
  const update = { kind: 'user' as const, remoteId: 'u1', attributes: set, set, unset: ['title'] };
  assert.deepEqual(await connector.update(courier(), update), { outcome: 'done' });
  assert.deepEqual(sent()[0]!.Operations, [
    { op: 'replace', value: { name: { givenName: 'B' }, nickName: 'b', [enterprise]: { department: 'D' } } },
    { op: 'remove', path: 'title' },
  ]);
});

test('a profile that knows the verbs asks nobody, and stands by them', async () => {
  const { connector, courier, fake } = await meet('github');
  assert.deepEqual(await connector.describe(courier()), {
    outcome: 'done',
    patch: true,
    membersPerRequest: 100,
    membersAtCreation: 0,
  });
  assert.equal(fake.requests.length, 0);
  fake.seedUser({ schemas: [], ...acceptableUser('bob', 'id-bob') });
  fake.options.patch = false;
  const update = { kind: 'user' as const, remoteId: 'u1', attributes: {}, set: { active: false }, unset: [] };
  for (let again = 0; again < 2; again++) {
    const answer = await connector.update(courier(), update);
    assert.ok(answer.outcome === 'unavailable' && answer.scope === 'lane');
    assert.match(answer.reason, /its profile says "updateUsers: patch"/);
  }
  assert.deepEqual(
    fake.requests.map((request) => request.method),
    ['PATCH', 'PATCH'],
  );
});

test('users by PUT and groups by PATCH, when an operator says so', async () => {
  const { connector, courier, fake } = await meet('strict', 'updateUsers: put\nupdateGroups: patch', {});
  const described = await connector.describe(courier());
  assert.ok(described.outcome === 'done' && described.patch);
  fake.seedUser({ schemas: [], userName: 'bob', title: 't' });
  const attributes = { userName: 'bob', title: 'Boss' };
  const update = { kind: 'user' as const, remoteId: 'u1', attributes, set: { title: 'Boss' }, unset: [] };
  assert.deepEqual(await connector.update(courier(), update), { outcome: 'done' });
  fake.seedGroup({ schemas: [], displayName: 'g' }, []);
  assert.deepEqual(await connector.changeMembers(courier(), { remoteId: 'g1', add: [user('u1')], remove: [] }), {
    outcome: 'done',
  });
  assert.deepEqual(
    fake.requests.map((request) => request.method),
    ['PUT', 'PATCH'],
  );
});

test('find goes by cursor to the end of what does not heed the filter', async () => {
  const options = { ...profileTargets.aws, ignoreFilters: true, pageSize: 3 };
  const { connector, courier, fake } = await meet('aws', 'pageSize: 3', options);
  for (let n = 0; n < 10; n++) fake.seedUser({ schemas: [], userName: `p${n}`, externalId: `x${n}` });
  const found = await connector.find(courier(), { kind: 'user', externalId: 'x9', names: [] });
  assert.deepEqual(found.outcome === 'done' && found.found.map((each) => each.remoteId), ['u10']);
  assert.equal(fake.requests.length, 4);
  assert.deepEqual(fake.faults, []);
  const list = { schemas: [], itemsPerPage: 0, Resources: [] };
  const bodies: [unknown, string][] = [
    [{ ...list, nextCursor: 'c:4=' }, 'unknown'],
    [{}, 'unknown'],
    [list, 'done'],
  ];
  for (const [body, outcome] of bodies) {
    const rule = { when: { method: 'GET' }, times: 2, act: { kind: 'answer' as const, status: 200, body } };
    const { stop } = fake.misbehave(rule);
    const ask = { kind: 'user' as const, externalId: 'x9', names: [] };
    assert.equal((await connector.find(courier(), ask)).outcome, outcome, JSON.stringify(body));
    stop();
  }
  fake.misbehave({ when: { method: 'GET' }, skip: 1, act: { kind: 'answer', status: 400 } });
  const expired = await connector.find(courier(), { kind: 'user', externalId: 'x9', names: [] });
  assert.ok(expired.outcome === 'unavailable' && expired.scope === 'account', 'a cursor may expire');
});

test('where nothing can be searched by, the list is looked through if the profile lets it', async () => {
  const ask = { kind: 'group' as const, externalId: 'id-g', names: [] };
  for (const overrides of ['', 'listWithoutFilter: true']) {
    const { connector, courier, fake } = await meet('entra', overrides);
    fake.seedGroup({ schemas: [], displayName: 'other' });
    fake.seedGroup({ schemas: [], displayName: 'g', externalId: 'id-g' });
    const found = await connector.find(courier(), ask);
    if (overrides === '') assert.ok(found.outcome === 'unavailable' && found.scope === 'lane');
    else assert.deepEqual(found.outcome === 'done' && found.found.map((each) => each.remoteId), ['g2']);
    assert.equal(fake.requests.length, overrides === '' ? 0 : 1);
    assert.deepEqual(fake.faults, []);
  }
});

test('passwords stay here where the target takes none', async () => {
  const { connector, courier, fake } = await meet('aws');
  assert.deepEqual([connector.takesPasswords, connector.hasDefaultPassword], [false, false]);
  await connector.create(courier(), { kind: 'user', attributes: acceptableUser('bob', 'id-bob') });
  assert.deepEqual(fake.heardPasswords(), []);
});

test('headers and media type of the profile go with each request, credentials last', async () => {
  const overrides = 'mediaType: application/json\nheaders: { user-agent: acme-hr, x-api-version: "2026-03-10" }';
  const { create, connector, courier, fake } = await meet('github', overrides, { strict: false });
  await create(acceptableUser('bob', 'id-bob'));
  await connector.test(courier());
  assert.equal(fake.requests[0]!.headers['content-type'], 'application/json');
  for (const { headers } of fake.requests) {
    assert.deepEqual([headers['user-agent'], headers['x-api-version']], ['acme-hr', '2026-03-10']);
  }
});
