import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { judge, type Verb } from '../../src/connectors/scim/outcome.ts';

const error = (more: object = {}) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], ...more });

function judgeAnswer(verb: Verb, status: number, body?: unknown, headers: Record<string, string> = {}, more = {}) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const asked = { verb, url: 'https://partner.example/Users', secrets: [new Secret('hush-hush')], now: 0, ...more };
  return judge({ ended: 'answered', status, headers, body, text }, asked);
}

function inShort(verdict: ReturnType<typeof judgeAnswer>): string {
  if (!verdict) return 'success';
  return 'scope' in verdict ? `${verdict.outcome} ${verdict.scope}` : verdict.outcome;
}

/** Columns: create, update, password, members, remove, read, search, config. */
const verbs: readonly Verb[] = ['create', 'update', 'password', 'members', 'remove', 'read', 'search', 'config'];
const same = (outcome: string) => verbs.map(() => outcome);
const found = (outcome: string) => [lane, outcome, outcome, outcome, outcome, outcome, lane, lane];
const lane = 'unavailable lane';
const account = 'unavailable account';
const table: [string, number, unknown, Record<string, string>, string[]][] = [
  ['created', 201, {}, {}, same('success')],
  ['moved', 301, undefined, { location: 'https://x' }, same(lane)],
  ['see other', 303, undefined, {}, same('unknown')],
  ['bad', 400, error({ detail: 'no' }), {}, same('refused')],
  ['taken, as 400', 400, error({ scimType: 'uniqueness' }), {}, ['exists', 'exists', ...same('refused').slice(2)]],
  ['taken', 409, error({ scimType: 'uniqueness' }), {}, ['exists', 'exists', 'refused', ...same('unknown').slice(3)]],
  ['not signed in', 401, undefined, {}, same('unavailable target')],
  ['forbidden', 403, undefined, {}, [...same('refused').slice(2), lane, lane]],
  [
    'a scope is missing',
    403,
    undefined,
    { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    same('unavailable target'),
  ],
  ['not found', 404, undefined, {}, found('absent')],
  ['gone', 410, undefined, {}, found('absent')],
  ['not allowed', 405, undefined, {}, same(lane)],
  ['media type', 415, undefined, {}, found('refused')],
  ['too large', 413, undefined, {}, same('refused')],
  ['not to be processed', 422, undefined, {}, same('refused')],
  ['too many', 429, undefined, {}, same('unavailable target')],
  ['failed', 500, error(), {}, same('unknown')],
  ['not built', 501, undefined, {}, same(lane)],
  ['bad gateway', 502, undefined, {}, same('unknown')],
  ['bare 503', 503, undefined, {}, [...same('unknown').slice(3), account, account, account]],
  ['503 with patience', 503, undefined, { 'retry-after': '5' }, same(account)],
  ['503 in SCIM', 503, error(), {}, same(account)],
  ['gateway timeout', 504, undefined, {}, same('unknown')],
  ['something else', 451, undefined, {}, same('unknown')],
];

for (const [name, status, body, headers, outcomes] of table) {
  test(`${status}: ${name}`, () => {
    const got = verbs.map((verb) => `${verb}: ${inShort(judgeAnswer(verb, status, body, headers))}`);
    assert.deepEqual(
      got,
      verbs.map((verb, index) => `${verb}: ${outcomes[index]}`),
    );
  });
}

test('what ended without an answer', () => {
  const asked = { verb: 'create' as const, url: 'https://partner.example/Users', secrets: [], now: 0 };
  for (const cause of ['dns', 'connect', 'tls', 'address'] as const) {
    const verdict = judge({ ended: 'not-sent', cause, reason: 'why' }, asked);
    assert.deepEqual(verdict, { outcome: 'unavailable', scope: 'target', reason: 'why' });
  }
  const late = judge({ ended: 'not-sent', cause: 'deadline', reason: 'why' }, asked);
  assert.deepEqual(late, { outcome: 'unavailable', scope: 'account', reason: 'why' });
  for (const cause of ['timeout', 'closed', 'half-answer'] as const) {
    assert.deepEqual(judge({ ended: 'unknown', cause, reason: 'why' }, asked), { outcome: 'unknown', reason: 'why' });
  }
});

test('reasons carry the words of the target, bounded, on one line, without secrets', () => {
  const detail = `department\n\u0000 unknown hush-hush ${'x'.repeat(2_000)}`;
  const verdict = judgeAnswer('create', 400, error({ scimType: 'invalidValue', detail }));
  const reason = verdict && 'reason' in verdict ? verdict.reason : '';
  assert.match(reason, /^the target answered 400: invalidValue: department unknown \[redacted\] x+…$/);
  assert.ok(reason.length < 600);
  const redirect = judgeAnswer('create', 302, undefined, { location: 'https://x/?t=hush-hush' });
  assert.ok(redirect && !redirect.reason.includes('hush-hush'));
});

test('a remembered token that is not accepted any more holds only this one', () => {
  assert.equal(inShort(judgeAnswer('create', 401, undefined, {}, { oldToken: true })), account);
});
