import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { ProblemAnswer } from '../../src/contract/problem.ts';
import { TokenAnswer } from '../../src/contract/token.ts';
import { createApiToken } from '../../src/inbound/api-tokens.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, basic, fits, openAdminBed } from './admin-bed.ts';

eachDatabase('access to the admin API', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
  });

  const resources = [
    'identity-providers',
    'targets',
    'connector-kinds',
    'service-providers',
    'users',
    'groups',
    'user-store-domains',
    'accounts',
    'attempts',
    'changes',
    'tokens',
    'operators',
    'throughput',
    'status',
  ];
  for (const resource of resources) {
    it(`to ${resource} needs credentials`, async () => {
      const refused = await api.call('GET', `/${resource}`, undefined, null);
      assert.equal(refused.status, 401);
      assert.ok(fits(ProblemAnswer, refused.body));
      assert.match(refused.headers.get('www-authenticate')!, /Basic.*Bearer/);
      assert.equal((await api.call('GET', `/${resource}`, undefined, 'Bearer pv_wrong')).status, 401);
      assert.equal((await api.call('GET', `/${resource}`)).status, 200);
    });
  }

  it('is refused to a token without the scope admin', async () => {
    const { token } = await api.store.write((tx) =>
      createApiToken(tx, { label: 'scim only', spId: api.residentId, scopes: ['scim'] }),
    );
    assert.equal((await api.call('GET', '/status', undefined, `Bearer ${token}`)).status, 403);
    assert.equal((await api.call('POST', '/tokens', {}, `Bearer ${token}`)).status, 403);
    assert.equal((await api.call('POST', '/tokens', {}, null)).status, 401);
    assert.equal((await api.call('POST', '/password', {}, null)).status, 401);
    // A body is not even read.
    assert.equal((await api.call('POST', '/tokens', '{broken', null)).status, 401);
    assert.equal((await api.call('POST', '/password', '{broken', null)).status, 401);
  });

  it('is refused to the first administrator until the password is changed, except for that change', async () => {
    const first = basic('admin', api.password);
    const refused = await api.call('GET', '/status', undefined, first);
    assert.equal(refused.status, 403);
    assert.equal(refused.body.code, 'passwordChangeRequired');
    assert.equal((await api.call('POST', '/tokens', { label: 'x', scopes: ['admin'] }, first)).status, 403);
    const bad: [string, unknown][] = [
      ['too short', { newPassword: 'short' }],
      ['no text', { newPassword: 123456789012345 }],
      ['the same', { newPassword: api.password }],
      ['missing', {}],
    ];
    for (const [what, body] of bad) {
      const answer = await api.call('POST', '/password', body, first);
      assert.equal(answer.status, 400, what);
      assert.equal(answer.body.field, 'newPassword', what);
    }
    assert.equal((await api.call('POST', '/password', { newPassword: 'eine gute Losung' }, first)).status, 204);
    assert.equal((await api.call('GET', '/status', undefined, first)).status, 401);
    const second = basic('Admin', 'eine gute Losung');
    assert.equal((await api.call('GET', '/status', undefined, second)).status, 200);
    const byToken = await api.call('POST', '/password', { newPassword: 'eine andere Losung' });
    assert.equal(byToken.status, 403);
    assert.ok(![...api.heard, ...api.logged].some((text) => text.includes('gute Losung')), 'a password was repeated');
  });

  it('is given by tokens, which are shown once and kept as a digest', async () => {
    const made = await api.call('POST', '/tokens', { label: 'for the demo', scopes: ['admin', 'scim'] });
    assert.equal(made.status, 201, made.text);
    assert.ok(fits(TokenAnswer, made.body));
    assert.equal(made.body.serviceProvider, 'resident');
    assert.equal((await api.call('GET', '/status', undefined, `Bearer ${made.body.token}`)).status, 200);
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('api_tokens').selectAll()));
    assert.ok(!JSON.stringify(rows).includes(made.body.token));
    const soon = await api.call('POST', '/tokens', {
      label: 'short',
      scopes: ['admin'],
      expiresAt: new Date(Date.now() + 1_000).toISOString(),
    });
    assert.equal(soon.status, 201, soon.text);
    const bad: [Record<string, unknown>, string][] = [
      [{ scopes: ['admin'] }, 'label'],
      [{ label: 'x', scopes: [] }, 'scopes'],
      [{ label: 'x', scopes: ['root'] }, 'scopes'],
      [{ label: 'x', scopes: ['admin'], expiresAt: 'tomorrow' }, 'expiresAt'],
      [{ label: 'x', scopes: ['admin'], expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
      [{ label: 'x', scopes: ['admin'], serviceProvider: {} }, 'serviceProvider'],
      [{ label: 'x', scopes: ['admin'], more: 1 }, 'more'],
    ];
    for (const [body, field] of bad) {
      const refused = await api.call('POST', '/tokens', body);
      assert.equal(refused.status, 400, field);
      assert.equal(refused.body.field, field);
    }
    const unknown = await api.call('POST', '/tokens', { label: 'x', scopes: ['admin'], serviceProvider: 'nobody' });
    assert.equal(unknown.status, 404);
  });

  it('answers bodies and paths that cannot be read as problems', async () => {
    const cases: [method: string, path: string, body: string | undefined, status: number, code: string][] = [
      ['POST', '/identity-providers', '{"name":', 400, 'invalidSyntax'],
      ['POST', '/identity-providers', '[]', 400, 'invalidSyntax'],
      ['POST', '/identity-providers', 'null', 400, 'invalidSyntax'],
      ['POST', '/identity-providers', undefined, 400, 'invalidSyntax'],
      ['POST', '/identity-providers', JSON.stringify({ name: 'x'.repeat(2_000_000) }), 413, 'tooLarge'],
      ['GET', '/nothing', undefined, 404, 'notFound'],
      ['DELETE', '/status', undefined, 404, 'notFound'],
      ['PATCH', '/service-providers/resident', '{"__proto__":{"name":"x"}}', 400, 'invalidValue'],
      ['GET', '/users?limit=0', undefined, 400, 'invalidValue'],
      ['GET', '/users?colour=red', undefined, 400, 'invalidValue'],
      ['GET', '/users?limit=1&limit=2', undefined, 400, 'invalidValue'],
      ['GET', '/users?filter=userName', undefined, 400, 'invalidFilter'],
      ['GET', '/users?name=a&filter=active%20pr', undefined, 400, 'invalidValue'],
      ['GET', `/groups?name=${'x'.repeat(301)}`, undefined, 400, 'invalidValue'],
      ['GET', '/users?name=a&startIndex=100001', undefined, 400, 'tooMany'],
      ['GET', '/accounts?state=lost', undefined, 400, 'invalidValue'],
      ['GET', '/accounts?after=x', undefined, 400, 'invalidValue'],
      ['GET', '/accounts?target=nobody:SCIM2', undefined, 404, 'notFound'],
      ['GET', '/attempts/99', undefined, 404, 'notFound'],
      ['GET', '/users/nobody', undefined, 404, 'notFound'],
      ['POST', '/user-store-domains', '{"name":"a/b"}', 400, 'invalidValue'],
    ];
    for (const [method, path, body, status, code] of cases) {
      const answer = await api.call(method, path, body);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
      assert.ok(fits(ProblemAnswer, answer.body), `${method} ${path}`);
      assert.equal(answer.body.code, code, `${method} ${path}`);
    }
    const text = await fetch(`${api.url}/api/identity-providers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.token}`, 'content-type': 'text/plain' },
      body: '{"name":"x"}',
    });
    assert.equal(text.status, 415);
    assert.deepEqual((await api.call('GET', '/identity-providers')).body.items, []);
  });
});
