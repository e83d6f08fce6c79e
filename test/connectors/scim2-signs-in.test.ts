import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { readRetryAfter } from '../../src/connectors/scim/outcome.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { type FakeAuth, type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';
import { makeOutbound } from './setting.ts';

const opened: { fake: FakeScim2; outbound: Outbound }[] = [];
afterEach(async () => {
  for (const { fake, outbound } of opened.splice(0)) {
    await outbound.close();
    await fake.close();
  }
});

async function meet(auth: FakeAuth, settings: Record<string, string | boolean> = {}) {
  const fake = await startFakeScim2({ auth });
  const way = makeOutbound();
  opened.push({ fake, outbound: way.outbound });
  const values = fake.settings(settings);
  assert.deepEqual(scim2.checkSettings(values), []);
  return { ...way, fake, connector: scim2.open(values, way.outbound) };
}

const oauth = {
  mode: 'oauth',
  clientId: 'id with space',
  clientSecret: 's3cret:+ä/%',
  client: 'basic',
  scope: 'scim.write scim.read',
} as const;
const ask = { kind: 'user' as const, externalId: '', names: ['nobody'] };

test('every authentication mode signs in', async () => {
  const modes: FakeAuth[] = [
    { mode: 'basic', username: 'ürsula', password: 'pässword: with colon' },
    { mode: 'bearer', token: 'abc.def-ghi' },
    { mode: 'apiKey', header: 'X-API-Key', value: 'key 1' },
    { mode: 'apiKey', header: 'Authorization', value: 'Token abc' },
    oauth,
    { ...oauth, client: 'post' },
  ];
  for (const auth of modes) {
    const { connector, courier, fake } = await meet(auth);
    const mine = courier();
    assert.deepEqual(await connector.find(mine, ask), { outcome: 'done', found: [] }, JSON.stringify(auth));
    const kept = JSON.stringify(mine.exchanges);
    for (const secret of ['pässword', 'abc.def-ghi', 'key 1', 's3cret', 'fake-token']) {
      assert.ok(!kept.includes(secret), `${secret} in ${kept}`);
    }
    assert.deepEqual(fake.faults, []);
  }
});

test('wrong credentials hold the target, and say which step fails', async () => {
  for (const [auth, wrong] of [
    [{ mode: 'basic', username: 'a', password: 'b' }, { 'scim2-password': 'other' }],
    [oauth, { 'scim2-client-secret': 'other' }],
    [oauth, { 'scim2-scope': 'everything' }],
  ] as [FakeAuth, Record<string, string>][]) {
    const { connector, courier } = await meet(auth, wrong);
    const found = await connector.find(courier(), ask);
    assert.deepEqual([found.outcome, 'scope' in found && found.scope], ['unavailable', 'target']);
    const steps = await connector.test(courier());
    assert.deepEqual(
      steps.map(({ step, ok }) => [step, ok]),
      [
        ['reached', true],
        ['certificate', true],
        ['signed in', false],
      ],
    );
  }
});

test('one token is fetched for all who ask at once, and kept until shortly before it expires', async () => {
  const { fake, connector, courier, clock } = await meet({ ...oauth, expiresIn: 600 });
  const fetched = () => fake.requests.filter((request) => request.on === 'token').length;
  await Promise.all(Array.from({ length: 20 }, () => connector.find(courier(), ask)));
  assert.equal(fetched(), 1);
  clock.step(530_000);
  await connector.find(courier(), ask);
  assert.equal(fetched(), 1);
  clock.step(20_000);
  await connector.find(courier(), ask);
  assert.equal(fetched(), 2);
});

test('a recalled token costs one attempt and holds nobody; a fresh one that is refused holds the target', async () => {
  const { fake, connector, courier } = await meet(oauth);
  await connector.find(courier(), ask);
  fake.recallTokens();
  const recalled = await connector.find(courier(), ask);
  assert.deepEqual([recalled.outcome, 'scope' in recalled && recalled.scope], ['unavailable', 'account']);
  assert.equal((await connector.find(courier(), ask)).outcome, 'done');
  fake.recallTokens();
  await connector.find(courier(), ask);
  fake.misbehave({ when: { on: 'users' }, act: { kind: 'answer', status: 401 } });
  const fresh = await connector.find(courier(), ask);
  assert.deepEqual([fresh.outcome, 'scope' in fresh && fresh.scope], ['unavailable', 'target']);
});

test('a token endpoint in trouble: certainly nothing was applied', async () => {
  const { fake, connector, courier } = await meet(oauth);
  const create = (timeoutMs = 5_000) =>
    connector.create(courier({ timeoutMs }), { kind: 'user', attributes: { userName: 'bob' } });
  const on = 'token' as const;
  fake.misbehave({ when: { on }, act: { kind: 'answer', status: 429, headers: { 'retry-after': '9' } } });
  const throttled = await create();
  assert.equal(throttled.outcome === 'unavailable' && throttled.throttled && throttled.retryAfterMs, 9_000);
  for (const act of [
    { kind: 'answer', status: 500 },
    { kind: 'answer', status: 200, body: { token_type: 'Bearer' } },
    { kind: 'answer', status: 200, body: { access_token: 'x\ny', token_type: 'Bearer' } },
    { kind: 'answer', status: 200, body: { access_token: 'x', token_type: 'mac' } },
    { kind: 'html' },
    { kind: 'drop', applied: true },
    { kind: 'silence', applied: true },
  ] as const) {
    fake.misbehave({ when: { on }, act });
    const made = await create(act.kind === 'silence' ? 150 : 5_000);
    assert.deepEqual([made.outcome, 'scope' in made && made.scope], ['unavailable', 'target'], JSON.stringify(act));
  }
  assert.equal(fake.users.size, 0);
  assert.equal((await create()).outcome, 'done');
});

test('Test connection stops at the first step that fails, and says why', async () => {
  const { fake, connector, courier, outbound } = await meet({ mode: 'basic', username: 'a', password: 'b' });
  fake.misbehave({ when: { on: 'groups' }, act: { kind: 'html' } });
  const groups = (await connector.test(courier())).at(-1)!;
  assert.deepEqual([groups.step, groups.ok], ['groups endpoint', false]);
  assert.match(groups.reason, /not with a SCIM list/);

  const wrongPath = scim2.open(fake.settings({ 'scim2-user-ep': `${fake.url}/scim/Users` }), outbound);
  const steps = await wrongPath.test(courier());
  const signedIn = steps.find((one) => one.step === 'signed in');
  assert.deepEqual([signedIn?.skipped, signedIn?.reason], [true, 'cannot be told while the users endpoint is wrong']);
  const users = steps.at(-1)!;
  assert.deepEqual([users.step, users.ok], ['users endpoint', false]);
  assert.match(users.reason, /check the endpoint/);

  await fake.close();
  // Another way out, without a connection that was kept from before.
  const fresh = makeOutbound();
  opened.push({ fake, outbound: fresh.outbound });
  const gone = await scim2.open(fake.settings(), fresh.outbound).test(fresh.courier());
  assert.deepEqual(
    gone.map(({ step, ok }) => [step, ok]),
    [['reached', false]],
  );
  assert.match(gone[0]!.reason, /refused the connection/);
});

test('settings: every fault is found at its field', () => {
  const good = {
    'scim2-username': 'u',
    'scim2-password': 'p',
    'scim2-user-ep': 'https://partner.example/scim2/Users',
  };
  const apiKey = { 'scim2-authentication-mode': 'apiKey', 'scim2-api-key-header': 'X-Key', 'scim2-api-key-value': 'k' };
  const client = {
    'scim2-authentication-mode': 'oauth2ClientCredentials',
    'scim2-token-endpoint': 'https://partner.example/token',
    'scim2-client-id': 'c',
    'scim2-client-secret': 's',
  };
  const cases: [Record<string, string | boolean | number>, string[]][] = [
    [{}, []],
    [apiKey, []],
    [client, []],
    [{ 'scim2-username': '' }, ['scim2-username']],
    [{ 'scim2-username': 'a:b' }, ['scim2-username']],
    [{ 'scim2-password': 'a\r\nb' }, ['scim2-password']],
    [{ 'scim2-authentication-mode': 'none' }, ['scim2-authentication-mode']],
    [{ 'scim2-authentication-mode': 'bearer' }, ['scim2-access-token']],
    [{ 'scim2-authentication-mode': 'bearer', 'scim2-access-token': ' x' }, ['scim2-access-token']],
    [{ ...apiKey, 'scim2-api-key-header': 'Content-Type' }, ['scim2-api-key-header']],
    [{ ...apiKey, 'scim2-api-key-header': 'X Key' }, ['scim2-api-key-header']],
    [{ ...apiKey, 'scim2-api-key-value': '' }, ['scim2-api-key-value']],
    [{ ...client, 'scim2-token-endpoint': '/token' }, ['scim2-token-endpoint']],
    [{ ...client, 'scim2-client-secret': '' }, ['scim2-client-secret']],
    [{ 'scim2-user-ep': 'partner.example/Users' }, ['scim2-user-ep']],
    [{ 'scim2-user-ep': 'https://u:p@partner.example/Users' }, ['scim2-user-ep']],
    [{ 'scim2-user-ep': 'ftp://partner.example/Users' }, ['scim2-user-ep']],
    [{ 'scim2-group-ep': 'https://partner.example/scim2/Users/' }, ['scim2-group-ep']],
    [{ 'scim2-user-store-domain': 'A/B' }, ['scim2-user-store-domain']],
    [{ 'scim2-enable-pwd-provisioning': 'yes' }, ['scim2-enable-pwd-provisioning']],
    [{ 'scim2-usr-ep': 'x' }, ['scim2-usr-ep']],
  ];
  for (const [change, keys] of cases) {
    const faults = scim2.checkSettings({ ...good, ...change });
    assert.deepEqual(
      faults.map((fault) => fault.key),
      keys,
      JSON.stringify(change),
    );
  }
});

test('Retry-After: seconds, a date, nonsense, and no more than a day', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(readRetryAfter('120', now), 120_000);
  assert.equal(readRetryAfter('0', now), 0);
  assert.equal(readRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  assert.equal(readRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  assert.equal(readRetryAfter('99999999', now), 86_400_000);
  assert.equal(readRetryAfter('soon', now), undefined);
  assert.equal(readRetryAfter('', now), undefined);
  assert.equal(readRetryAfter(undefined, now), undefined);
});
