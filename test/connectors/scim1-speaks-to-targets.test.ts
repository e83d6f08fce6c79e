import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import type { RemoteMember, UpdateRequest } from '../../src/connectors/connector.ts';
import { scim1 } from '../../src/connectors/scim1/connector.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { type FakeScim1, type Scim1Options, startFakeScim1, writeError } from './fakes/scim1.ts';
import { makeOutbound } from './setting.ts';

const core = 'urn:scim:schemas:core:1.0';
const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';
const opened: { fake: FakeScim1; outbound: Outbound }[] = [];
afterEach(async () => {
  for (const { fake, outbound } of opened.splice(0)) {
    await outbound.close();
    await fake.close();
  }
});

async function meet(options: Partial<Scim1Options> = {}, settings: Record<string, string | boolean> = {}) {
  const fake = await startFakeScim1(options);
  const way = makeOutbound();
  opened.push({ fake, outbound: way.outbound });
  const values = fake.settings(settings);
  assert.deepEqual(scim1.checkSettings(values), []);
  return { ...way, fake, connector: scim1.open(values, way.outbound) };
}

const user = (remoteId: string): RemoteMember => ({ kind: 'user', remoteId });
const done = { outcome: 'done' };

function updateOf(remoteId: string, change: Partial<UpdateRequest>): UpdateRequest {
  return { kind: 'user', remoteId, attributes: { userName: 'bob' }, set: {}, unset: [], ...change };
}

const bodies = (fake: FakeScim1, method: string) =>
  fake.requests.filter((request) => request.method === method).map((request) => request.body);

test('create: flat attributes become one resource, the manager by managerId', async () => {
  const { fake, connector, courier } = await meet();
  await connector.create(courier(), {
    kind: 'user',
    attributes: {
      userName: 'bob',
      'name.familyName': 'B',
      emails: [{ value: 'b@x', primary: true }],
      [`${enterprise}:department`]: 'D',
      [`${enterprise}:manager`]: 'u9',
      'meta.location': 'nowhere',
    },
  });
  assert.deepEqual(bodies(fake, 'POST'), [
    {
      schemas: [core, enterprise],
      userName: 'bob',
      name: { familyName: 'B' },
      emails: [{ value: 'b@x', primary: true }],
      [enterprise]: { department: 'D', manager: { managerId: 'u9' } },
    },
  ]);
  const read = await connector.read(courier(), 'user', 'u1');
  assert.equal(read.outcome === 'done' && read.remote.attributes[`${enterprise}:manager`], 'u9');
  assert.equal(read.outcome === 'done' && read.remote.attributes['name.familyName'], 'B');
  assert.deepEqual(fake.faults, []);
});

test('update: what goes, and lists that are replaced, stand in meta.attributes', async () => {
  const { fake, connector, courier } = await meet();
  const id = fake.seedUser({
    schemas: [core],
    userName: 'bob',
    nickName: 'b',
    title: 't',
    emails: [{ value: 'old@x' }],
  });
  const set = { title: 'T', emails: [{ value: 'new@x' }], [`${enterprise}:manager`]: 'u9' };
  const unset = ['nickName', 'name.givenName', `${enterprise}:department`];
  assert.deepEqual(await connector.update(courier(), updateOf(id, { set, unset })), done);
  assert.deepEqual(bodies(fake, 'PATCH'), [
    {
      schemas: [core, enterprise],
      title: 'T',
      emails: [{ value: 'new@x' }],
      [enterprise]: { manager: { managerId: 'u9' } },
      meta: { attributes: [...unset, 'emails'] },
    },
  ]);
  const held = fake.userNamed('bob')!;
  assert.deepEqual([held.nickName, held.title, held.emails], [undefined, 'T', [{ value: 'new@x' }]]);
  assert.deepEqual(await connector.update(courier(), updateOf(id, {})), done);
  assert.equal(bodies(fake, 'PATCH').length, 1, 'nothing to say is not said');
  assert.deepEqual(fake.faults, []);
});

test('members: who leaves has operation delete, nobody else is named', async () => {
  const { fake, connector, courier } = await meet();
  const ids = ['a', 'b', 'c'].map((userName) => fake.seedUser({ schemas: [core], userName }));
  const made = await connector.create(courier(), {
    kind: 'group',
    attributes: { displayName: 'staff' },
    members: ids.slice(0, 2).map(user),
  });
  const remoteId = made.outcome === 'done' ? made.remoteId : '';
  const change = { remoteId, add: [user(ids[2]!)], remove: [user(ids[0]!)] };
  assert.deepEqual(await connector.changeMembers(courier(), change), done);
  assert.deepEqual(bodies(fake, 'PATCH'), [
    { schemas: [core], members: [{ value: ids[0], operation: 'delete' }, { value: ids[2] }] },
  ]);
  assert.deepEqual(fake.membersOf(remoteId), [ids[1], ids[2]]);
});

test('reading and finding a group leaves its members out by naming what is wanted', async () => {
  const { fake, connector, courier } = await meet();
  const one = fake.seedUser({ schemas: [core], userName: 'a' });
  await connector.create(courier(), {
    kind: 'group',
    attributes: { displayName: 'staff', externalId: 'x' },
    members: [user(one)],
  });
  const read = await connector.read(courier(), 'group', 'g1');
  assert.deepEqual(read.outcome === 'done' && read.remote.attributes, { displayName: 'staff', externalId: 'x' });
  const found = await connector.find(courier(), { kind: 'group', externalId: 'x', names: ['Staff'] });
  assert.deepEqual(found.outcome === 'done' && found.found.map((remote) => remote.name), ['staff']);
  assert.ok(
    fake.requests.filter((r) => r.method === 'GET').every((r) => r.query.attributes === 'displayName,externalId'),
  );
});

test('a deletion is believed with 200 as with 204', async () => {
  for (const deleted of [200, 204] as const) {
    const { fake, connector, courier } = await meet({ deleted });
    const id = fake.seedUser({ schemas: [core], userName: 'bob' });
    assert.deepEqual(await connector.remove(courier(), 'user', id), done, String(deleted));
    assert.equal(fake.users.size, 0);
    assert.equal((await connector.remove(courier(), 'user', id)).outcome, 'absent');
  }
});

test('PATCH goes as POST with the override only where a setting says so', async () => {
  const { fake, connector, courier } = await meet({ patch: 'by post' }, { 'scim-patch-by-post': true });
  const id = fake.seedUser({ schemas: [core], userName: 'bob' });
  assert.deepEqual(await connector.update(courier(), updateOf(id, { set: { title: 'T' } })), done);
  const { method, headers } = fake.requests.at(-1)!;
  assert.deepEqual([method, headers['x-http-method-override'], fake.userNamed('bob')?.title], ['POST', 'PATCH', 'T']);
  const plain = await meet();
  const other = plain.fake.seedUser({ schemas: [core], userName: 'bob' });
  await plain.connector.update(plain.courier(), updateOf(other, { set: { title: 'T' } }));
  assert.equal(plain.fake.requests.at(-1)!.headers['x-http-method-override'], undefined);
});

test('a target that says it does no PATCH, or answers 501 to it, is given the whole by PUT', async () => {
  for (const config of [false, true, 'missing'] as const) {
    const { fake, connector, courier } = await meet({ patch: 'none', config });
    const id = fake.seedUser({ schemas: [core], userName: 'bob', title: 'old' });
    const update = updateOf(id, {
      attributes: { userName: 'bob', nickName: 'B' },
      set: { nickName: 'B' },
      unset: ['title'],
    });
    const first = await connector.update(courier(), update);
    if (config !== false) {
      assert.deepEqual(
        [first.outcome, 'retryAfterMs' in first && first.retryAfterMs],
        ['unavailable', 0],
        String(config),
      );
      assert.deepEqual(await connector.update(courier(), update), done);
    } else assert.deepEqual(first, done);
    assert.deepEqual(bodies(fake, 'PUT'), [{ schemas: [core], userName: 'bob', nickName: 'B' }]);
    assert.equal(fake.userNamed('bob')?.title, undefined);
    const group = { kind: 'group' as const, remoteId: 'g1', attributes: {}, set: { displayName: 'x' }, unset: [] };
    assert.equal((await connector.update(courier(), group)).outcome, 'unavailable', 'a PUT would empty the group');
  }
});

test('a filter is quoted as the draft says, or bare for servers that search for the quotation marks', async () => {
  const quoted = await meet();
  quoted.fake.seedUser({ schemas: [core], userName: 'bob "b" smith' });
  const ask = { kind: 'user' as const, externalId: '', names: ['bob "b" smith'] };
  const found = await quoted.connector.find(quoted.courier(), ask);
  assert.equal(found.outcome === 'done' && found.found.length, 1);
  const bare = await meet({ quoted: false }, { 'scim-quote-filter-values': false });
  bare.fake.seedUser({ schemas: [core], userName: 'bob' });
  const again = await bare.connector.find(bare.courier(), { ...ask, names: ['Bob'] });
  assert.equal(again.outcome === 'done' && again.found.length, 1);
  assert.equal(bare.fake.requests.at(-1)!.query.filter, 'userName Eq Bob');
});

test('signs in by Basic or by bearer token', async () => {
  const { connector, courier } = await meet({ auth: { mode: 'bearer', token: 'a-token' } });
  assert.ok((await connector.test(courier())).every((step) => step.ok));
  const wrong = await meet({ auth: { mode: 'bearer', token: 'a-token' } }, { 'scim-access-token': 'another' });
  assert.equal((await wrong.connector.read(wrong.courier(), 'user', 'u1')).outcome, 'unavailable');
  const steps = await wrong.connector.test(wrong.courier());
  assert.deepEqual([steps.at(-1)!.step, steps.at(-1)!.ok], ['signed in', false]);
});

test('the explanation in an error of SCIM 1.1 is told, without secrets', async () => {
  const { fake, connector, courier } = await meet();
  const body = writeError(400, 'the password fake-password is no good here');
  fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body } });
  const made = await connector.create(courier(), { kind: 'user', attributes: { userName: 'bob' } });
  assert.equal(made.outcome, 'refused');
  assert.ok('reason' in made && made.reason.includes('is no good here') && !made.reason.includes('fake-password'));
});

test('settings: what cannot be is said by its label', () => {
  const good = {
    'scim-username': 'purvey',
    'scim-password': new Secret('x'),
    'scim-user-ep': 'https://h/wso2/scim/Users',
  };
  assert.deepEqual(scim1.checkSettings(good), []);
  const faults = (more: Record<string, string | boolean>) =>
    scim1.checkSettings({ ...good, ...more }).map((f) => f.key);
  assert.deepEqual(faults({ 'scim-username': 'a:b' }), ['scim-username']);
  assert.deepEqual(faults({ 'scim-user-ep': 'nowhere' }), ['scim-user-ep']);
  assert.deepEqual(faults({ 'scim-group-ep': 'https://h/wso2/scim/Users/' }), ['scim-group-ep']);
  assert.deepEqual(faults({ 'scim-user-store-domain': 'A/B' }), ['scim-user-store-domain']);
  assert.deepEqual(faults({ 'scim-authentication-mode': 'bearer' }), ['scim-access-token']);
  assert.deepEqual(faults({ 'scim-authentication-mode': 'bearer', 'scim-access-token': 'a b' }), ['scim-access-token']);
  const { 'scim-username': _, ...nobody } = good;
  assert.deepEqual(
    scim1.checkSettings(nobody).map((f) => f.message),
    ['Username is required'],
  );
});

test('names outside PRIMARY carry their user store domain, or the one of the settings', async () => {
  const { connector } = await meet();
  assert.equal(connector.writeName('PRIMARY', 'bob'), 'bob');
  assert.equal(connector.writeName('SALES', 'bob'), 'SALES/bob');
  const forced = await meet({}, { 'scim-user-store-domain': 'THERE' });
  assert.equal(forced.connector.writeName('SALES', 'bob'), 'THERE/bob');
});
