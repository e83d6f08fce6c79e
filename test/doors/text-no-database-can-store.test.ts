import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed, settings } from './admin-bed.ts';
import { openScimBed, patchSchemas, userSchemas } from './scim-bed.ts';

const halfPair = '"\\ud800x"';
const nul = '"a\\u0000b"';

eachDatabase('text no database can store', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
  });

  for (const text of [nul, halfPair]) {
    const bodies: [method: string, path: string, body: string][] = [
      ['POST', '/identity-providers', `{"name":${text}}`],
      ['POST', '/identity-providers', `{"name":"fresh","description":${text}}`],
      ['POST', '/identity-providers', `{${text}:1}`],
      ['PATCH', '/identity-providers/partner', `{"alias":${text}}`],
      ['POST', '/identity-providers/partner/targets', `{"type":${text}}`],
      ['PATCH', '/targets/partner:SCIM2', `{"settings":{"scim2-access-token":${text}}}`],
      ['PATCH', '/targets/partner:SCIM2', `{"policy":{"scopeUsers":${text}}}`],
      ['POST', '/targets/test', `{"type":"SCIM2","settings":{"scim2-user-ep":${text}}}`],
      ['POST', '/service-providers', `{"name":${text}}`],
      ['POST', '/service-providers', `{"name":"fresh","description":${text}}`],
      ['PUT', '/service-providers/resident/bindings', `{"bindings":[{"target":${text}}]}`],
      ['POST', '/user-store-domains', `{"name":${text}}`],
      ['POST', '/tokens', `{"label":${text},"scopes":["scim"]}`],
      ['POST', '/tokens', `{"label":"fresh","scopes":["scim"],"serviceProvider":${text}}`],
    ];
    for (const [method, path, body] of bodies) {
      it(`is refused by ${method} ${path} ${body}`, async () => {
        const answer = await api.call(method, path, body);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.body.code, 'invalidValue', answer.text);
        assert.match(answer.body.detail, /U\+0000|surrogate/);
      });
    }
  }

  it('names nothing in an address of the admin API', async () => {
    for (const path of [
      '/identity-providers/a%00b',
      '/identity-providers/a%00b/targets',
      '/service-providers/a%00b',
      '/service-providers/a%00b/bindings',
      '/targets/a%00b',
      '/targets/partner:SC%00IM2',
      '/users/a%00b',
      '/groups/a%00b',
      '/accounts/partner:SCIM2/a%00b',
      '/attempts/a%00b',
    ]) {
      assert.equal((await api.call('GET', path)).status, 404, path);
    }
    for (const path of [
      '/accounts?subject=a%00b',
      '/accounts?target=a%00b',
      '/attempts?subject=a%00b',
      '/changes?subject=a%00b',
      `/users?filter=${encodeURIComponent(`userName eq ${nul}`)}`,
      `/users?filter=${encodeURIComponent(`userName eq ${halfPair}`)}`,
      `/accounts?after=${Buffer.from('["a\\u0000b","\\u0000"]').toString('base64url')}`,
    ]) {
      const { status, text } = await api.call('GET', path);
      assert.ok([200, 400, 404].includes(status), `${path}: ${status} ${text}`);
    }
    assert.ok(!api.logged.some((line) => line.includes('a request failed')), 'a request failed by our own fault');
  });

  it('is refused when it is nested deeper than anything we read', async () => {
    const deep = '{"settings":'.repeat(5_000) + 1 + '}'.repeat(5_000);
    for (const [method, path] of [
      ['POST', '/identity-providers'],
      ['PATCH', '/identity-providers/partner'],
      ['PATCH', '/targets/partner:SCIM2'],
      ['POST', '/targets/test'],
    ] as const) {
      const answer = await api.call(method, path, deep);
      assert.equal(answer.status, 400, answer.text);
    }
  });

  it('names nobody in an address or a filter of the SCIM door', async () => {
    await using scim = await openScimBed(await bed.open());
    const made = await scim.call('POST', '/Users', { schemas: userSchemas, userName: 'ada' });
    const patch = { schemas: patchSchemas, Operations: [{ op: 'replace', path: 'title', value: 'x' }] };
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { schemas: userSchemas, userName: 'eve' }],
      ['PUT', { schemas: userSchemas, userName: 'eve', password: 'correct horse battery' }],
      ['PATCH', patch],
      ['DELETE', undefined],
    ] as const) {
      for (const id of ['a%00b', `${made.body.id}%00`]) {
        for (const place of ['Users', 'Groups']) {
          const fit = place === 'Users' || method === 'GET' || method === 'DELETE';
          if (!fit) continue;
          assert.equal((await scim.call(method, `/${place}/${id}`, body)).status, 404, `${method} ${place} ${id}`);
        }
      }
    }
    for (const path of ['userName', 'id', 'externalId', 'title', 'emails.value', 'name.givenName', 'meta.created']) {
      for (const op of ['eq', 'co', 'gt', 'ne']) {
        for (const text of [nul, halfPair]) {
          const filter = encodeURIComponent(`${path} ${op} ${text}`);
          const { status } = await scim.call('GET', `/Users?filter=${filter}`);
          assert.ok(status === 200 || status === 400, `${path} ${op} ${text}: ${status}`);
        }
      }
    }
    assert.deepEqual(scim.logged, []);
  });
});
