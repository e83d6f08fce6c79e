import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Secret } from '../../src/base/secret.ts';
import { longestText, redactForm, redactText, redactUrl } from '../../src/outbound/redact.ts';
import { makeOutbound } from './setting.ts';

/** Answers with what it was sent, in the form that the path names. */
const echo = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const heard = `${request.url} ${request.headers.authorization} ${request.headers['x-key']} ${Buffer.concat(chunks)}`;
  const forms: Record<string, string> = {
    '/json': JSON.stringify({ schemas: [], detail: heard, nested: [{ again: heard }] }),
    '/html': `<p>${heard}</p>`,
    '/escaped': `{"detail":"${[...heard].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
    '/url': encodeURIComponent(heard),
  };
  response.writeHead(400).end(forms[new URL(request.url!, 'http://x').pathname] ?? heard);
});
await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
const way = makeOutbound();
after(async () => {
  await way.outbound.close();
  echo.closeAllConnections();
  echo.close();
});

const known = 'S3cret "quoted" \\ ü&=/+?';

test('a secret that the target echoes is not in the exchange', async () => {
  for (const path of ['/json', '/html', '/escaped', '/url']) {
    const courier = way.courier();
    const answer = await courier.mutate({
      method: 'POST',
      url: `${url}${path}?access_token=${encodeURIComponent(known)}`,
      headers: { authorization: `Bearer token-${path}-abc`, 'x-key': 'key-in-a-header' },
      body: { password: known, note: known, deep: [{ clientSecret: 'another one' }] },
      secrets: [new Secret(known), new Secret('key-in-a-header')],
    });
    assert.equal(answer.ended, 'answered');
    const kept = inspect(courier.exchanges, { depth: null, maxStringLength: null });
    for (const form of [
      known,
      JSON.stringify(known).slice(1, -1),
      encodeURIComponent(known),
      Buffer.from(known).toString('base64'),
      'key-in-a-header',
      `token-${path}-abc`,
    ]) {
      assert.ok(!kept.includes(form), `${path} shows ${form}: ${kept}`);
    }
    assert.ok(!courier.exchanges[0]!.requestBody!.includes('another one'));
    assert.match(courier.exchanges[0]!.requestBody!, /"password":"\[redacted\]"/);
  }
});

test('Basic: neither the header nor the password in it is kept', async () => {
  const courier = way.courier();
  const pair = Buffer.from('purvey:correct horse').toString('base64');
  await courier.read({
    method: 'GET',
    url: `${url}/json?q=correct%20horse`,
    headers: { authorization: `Basic ${pair}` },
  });
  const kept = JSON.stringify(courier.exchanges);
  assert.ok(!kept.includes(pair));
  assert.ok(!kept.includes('correct horse') && !kept.includes('correct%20horse'), kept);
});

test('fields are hidden by name at any depth, and only they', () => {
  const cases: [unknown, unknown][] = [
    [
      { userName: 'bob', password: 'x1', name: { familyName: 'Token' } },
      { userName: 'bob', password: '[redacted]', name: { familyName: 'Token' } },
    ],
    [
      { Operations: [{ op: 'replace', path: 'password', value: 'x1' }] },
      { Operations: [{ op: 'replace', path: 'password', value: '[redacted]' }] },
    ],
    [
      { 'urn:x:User:password': 'x1', api_key: 7, 'API-Key': 'x' },
      { 'urn:x:User:password': '[redacted]', api_key: '[redacted]', 'API-Key': '[redacted]' },
    ],
    [
      { access_token: 'x1', token_type: 'Bearer', expires_in: 3 },
      { access_token: '[redacted]', token_type: 'Bearer', expires_in: 3 },
    ],
    [{ changePassword: { supported: true } }, { changePassword: { supported: true } }],
    [{ credentials: [{ a: { b: 'x1' } }] }, { credentials: [{ a: { b: '[redacted]' } }] }],
    [{ 'pass\u0077ord': 'x1' }, { password: '[redacted]' }],
  ];
  for (const [body, kept] of cases) assert.deepEqual(JSON.parse(redactText(JSON.stringify(body), [])), kept);
  assert.equal(redactText('{"p\\u0061ssword":"x1"}', []), '{"password":"[redacted]"}');
  assert.equal(redactText('{"id":"1","password":"half of', []), '{"id":"1","password":"[redacted]"');
  assert.equal(redactText('<input name=a client_secret=abc&x=1>', []), '<input name=a client_secret=[redacted]&x=1>');
  assert.equal(redactForm({ client_secret: 'abc', scope: 'a' }, []), 'client_secret=[redacted]&scope=a');
  assert.equal(redactUrl('https://u:p@h/x?a=1&access_token=abc', []), 'https://h/x?a=1&access_token=[redacted]');
  const plain = 'https://h/Users?filter=userName%20eq%20%22bob%22';
  assert.equal(redactUrl(plain, []), plain);
});

test('long texts are cut, after hiding', () => {
  const text = `${'x'.repeat(longestText - 3)}SECRET`;
  const kept = redactText(text, ['SECRET']);
  assert.ok(kept.length <= longestText + 1 && !kept.includes('SEC'));
});

test('JSON nested too deep to walk is still hidden', () => {
  const depth = 200_000;
  const text = `${'['.repeat(depth)}{"password":"x1y2z3"}${']'.repeat(depth)}`;
  assert.ok(!redactText(text, []).includes('x1y2z3'));
});

test('no secret of three characters or more survives, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 3, maxLength: 40, unit: 'grapheme' }),
      fc.jsonValue(),
      fc.string({ minLength: 1, maxLength: 12 }),
      (secret, around, field) => {
        fc.pre(!'[redacted]'.includes(secret) && secret.trim() !== '');
        const text = JSON.stringify({ [`x-${field}`]: [`before ${secret} after`, around], password: secret });
        const inJson = JSON.stringify(secret).slice(1, -1);
        const kept = redactText(text, [secret, inJson]);
        const surroundings = JSON.stringify([`x-${field}`, 'before ', ' after', around, 'password', '[redacted]']);
        // What the surroundings happen to say themselves cannot count as the secret.
        fc.pre(!surroundings.includes(inJson));
        assert.ok(!kept.includes(inJson), kept);
      },
    ),
    { numRuns: 300 },
  );
});
