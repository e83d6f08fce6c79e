import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { type FakeOptions, type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';
import { makeOutbound } from './setting.ts';

const opened: { fake: { close(): Promise<void> }; outbound: Outbound }[] = [];
afterEach(async () => {
  for (const { fake, outbound } of opened.splice(0)) {
    await outbound.close();
    await fake.close();
  }
});

async function meet(options: Partial<FakeOptions> = {}) {
  const fake = await startFakeScim2(options);
  const way = makeOutbound();
  opened.push({ fake, outbound: way.outbound });
  const connector = scim2.open(fake.settings(), way.outbound);
  const create = (userName: string, timeoutMs?: number) =>
    connector.create(way.courier(timeoutMs === undefined ? {} : { timeoutMs }), {
      kind: 'user',
      attributes: { userName },
    });
  return { ...way, fake, connector, create };
}

async function say(fake: FakeScim2, method: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  // Not our own client: the fake must be strict with whoever comes.
  const response = await fetch(`${fake.url}/scim2${path}`, {
    method,
    body: JSON.stringify(body),
    headers: {
      authorization: `Basic ${Buffer.from('purvey:fake-password').toString('base64')}`,
      accept: 'application/scim+json',
      'content-type': 'application/scim+json',
      ...headers,
    },
  });
  return { status: response.status, body: response.status === 204 ? undefined : ((await response.json()) as Body) };
}
type Body = { scimType?: string; detail?: string; id?: string };

test('a held request is done when it is released, whether or not its client still waits', async () => {
  const { fake, create } = await meet();
  fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
  const made = create('bob', 100);
  await fake.untilHeld();
  assert.equal((await made).outcome, 'unknown');
  assert.equal(fake.userNamed('bob'), undefined);
  await fake.release();
  assert.equal(fake.userNamed('BOB')?.id, 'u1');
  assert.equal(fake.held, 0);

  fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: true } });
  const second = create('ann');
  await fake.untilHeld();
  assert.equal(fake.userNamed('ann')?.id, 'u2');
  await fake.release();
  assert.deepEqual(await second, { outcome: 'done', remoteId: 'u2' });
});

test('a delayed request is late', async () => {
  const { fake, create } = await meet();
  fake.misbehave({ when: { method: 'POST' }, act: { kind: 'delay', ms: 120 } });
  assert.equal((await create('bob', 40)).outcome, 'unknown');
  assert.equal(fake.userNamed('bob'), undefined);
  while (!fake.userNamed('bob')) await new Promise((resolve) => setTimeout(resolve, 10));
});

test('lists lag as long as they are told to', async () => {
  const { fake, create, connector, courier } = await meet({ findLagMs: Number.POSITIVE_INFINITY });
  await create('bob');
  const ask = { kind: 'user' as const, externalId: '', names: ['bob'] };
  assert.deepEqual(await connector.find(courier(), ask), { outcome: 'done', found: [] });
  assert.equal((await connector.read(courier(), 'user', 'u1')).outcome, 'done');
  fake.catchUp();
  const found = await connector.find(courier(), ask);
  assert.equal(found.outcome === 'done' && found.found.length, 1);
  await connector.remove(courier(), 'user', 'u1');
  const still = await connector.find(courier(), ask);
  assert.equal(still.outcome === 'done' && still.found.length, 1);
});

test('rules: skip, times, stop, the first that matches', async () => {
  const { fake, create } = await meet();
  const rule = fake.misbehave({
    when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName !== 'ann' },
    skip: 1,
    times: 2,
    act: { kind: 'answer', status: 500 },
  });
  const always = fake.misbehave({
    when: { method: 'POST' },
    times: Number.POSITIVE_INFINITY,
    act: { kind: 'answer', status: 429, applied: true },
  });
  const outcomes: string[] = [];
  for (const name of ['p1', 'ann', 'p2', 'p3', 'p4']) outcomes.push((await create(name)).outcome);
  assert.deepEqual(outcomes, ['unavailable', 'unavailable', 'unknown', 'unknown', 'unavailable']);
  assert.deepEqual([rule.hits, always.hits], [2, 3]);
  assert.ok(fake.userNamed('p1') && fake.userNamed('ann') && !fake.userNamed('p2') && fake.userNamed('p4'));
  always.stop();
  assert.equal((await create('p5')).outcome, 'done');
  assert.deepEqual(
    fake.requests.map((request) => request.status),
    [429, 429, 500, 500, 429, 201],
  );
});

test('what breaks a rule of the RFCs is refused and noted', async () => {
  const { fake } = await meet();
  const id = fake.seedUser({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bob' });
  const core = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  const patch = (...Operations: unknown[]) => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations,
  });
  const cases: [string, string, unknown, number, Record<string, string>?][] = [
    ['POST', '/Users', { userName: 'x' }, 400],
    ['POST', '/Users', { schemas: core }, 400],
    ['POST', '/Users', { schemas: core, userName: 'x', active: 'yes' }, 400],
    ['POST', '/Users', { schemas: core, userName: 'x', emails: ['a'] }, 400],
    ['POST', '/Users', { schemas: core, userName: 'x', id: '1' }, 400],
    ['POST', '/Users', { schemas: core, userName: 'x', nonsense: 1 }, 400],
    ['POST', '/Users', { schemas: core, userName: 'x' }, 415, { 'content-type': 'application/json' }],
    ['PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', path: 'title', value: 'x' }] }, 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'Replace', path: 'title', value: 'x' }), 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'replace', value: { title: 'x' } }), 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'id', value: 'x' }), 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'title' }), 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'remove', path: 'userName' }), 400],
    ['PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'name.nonsense', value: 'x' }), 400],
    ['PATCH', `/Users/${id}`, patch(), 400],
  ];
  for (const [method, path, body, status, headers] of cases) {
    assert.equal((await say(fake, method, path, body, headers)).status, status, JSON.stringify(body));
  }
  assert.equal(fake.faults.length, cases.length);
  assert.equal(fake.users.size, 1);
  // What is merely not possible is no fault of the client.
  const taken = await say(fake, 'POST', '/Users', { schemas: core, userName: 'BOB' });
  assert.deepEqual([taken.status, taken.body?.scimType], [409, 'uniqueness']);
  assert.equal(fake.faults.length, cases.length);
});

test('a PATCH is done whole or not at all', async () => {
  const { fake } = await meet();
  const id = fake.seedUser({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bob' });
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'replace', path: 'title', value: 'x' },
      { op: 'replace', path: 'active', value: 'x' },
    ],
  };
  assert.equal((await say(fake, 'PATCH', `/Users/${id}`, body)).status, 400);
  assert.equal(fake.users.get(id)!.title, undefined);
});

test('a deleted user is in no group any more', async () => {
  const { fake, connector, courier } = await meet();
  const bob = fake.seedUser({ schemas: [], userName: 'bob' });
  const group = fake.seedGroup({ schemas: [], displayName: 'g' }, [bob]);
  await connector.remove(courier(), 'user', bob);
  assert.deepEqual(fake.membersOf(group), []);
});
