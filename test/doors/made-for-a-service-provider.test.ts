import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ensureDomain } from '../../src/directory/domains.ts';
import { createApiToken } from '../../src/inbound/api-tokens.ts';
import { createServiceProvider } from '../../src/provisioning/service-providers.ts';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

eachDatabase('the user store domain of a service provider', (database) => {
  let bed: ScimBed;
  let headers: Record<string, string>;
  let spId: number;
  before(async () => {
    bed = await openScimBed(await database.open());
    const token = await bed.store.write(async (tx) => {
      await ensureDomain(tx, 'SALES');
      await ensureDomain(tx, 'STAFF');
      spId = (await createServiceProvider(tx, { name: 'crm', userStoreDomain: 'sales' })).id;
      return (await createApiToken(tx, { label: 'crm', spId, scopes: ['scim'] })).token;
    });
    headers = { authorization: `Bearer ${token}` };
  });
  after(() => bed[Symbol.asyncDispose]());
  const call = (method: string, path: string, body?: unknown) => bed.call(method, path, body, headers);
  const user = (userName: string, more: object = {}) => ({ schemas: userSchemas, userName, ...more });

  it('is where users and groups without one are made, and where names with it are', async () => {
    const ada = await call('POST', '/Users', user('ada'));
    assert.deepEqual([ada.status, ada.body.userName], [201, 'SALES/ada']);
    const bob = await call('POST', '/Users', user('SALES/bob'));
    assert.deepEqual([bob.status, bob.body.userName], [201, 'SALES/bob']);
    const group = { schemas: groupSchemas, displayName: 'team', members: [{ value: ada.body.id }] };
    assert.equal((await call('POST', '/Groups', group)).body.displayName, 'SALES/team');
    const elsewhere = await bed.call('POST', '/Users', user('ada'));
    assert.deepEqual([elsewhere.status, elsewhere.body.userName], [201, 'ada'], 'others are not concerned');
  });

  it('refuses another one, and PRIMARY too, saying what to send', async () => {
    for (const [path, name] of [
      ['/Users', 'STAFF/eve'],
      ['/Users', 'PRIMARY/eve'],
      ['/Users?domain=STAFF', 'eve'],
    ] as const) {
      const refused = await call('POST', path, user(name));
      assert.equal(refused.status, 400, `${path} ${name}`);
      assert.match(refused.body.detail, /for this service provider everybody is made in SALES.*as SALES\/eve/);
    }
  });

  it('need not be known to its client: a later name without it is the same one, or a new one there', async () => {
    const { id } = (await call('POST', '/Users', user('cyd'))).body;
    const same = await call('PUT', `/Users/${id}`, user('cyd', { title: 'x' }));
    assert.deepEqual([same.status, same.body.userName], [200, 'SALES/cyd']);
    const operation = { op: 'replace', path: 'userName', value: 'cyd2' };
    const patched = await call('PATCH', `/Users/${id}`, { schemas: patchSchemas, Operations: [operation] });
    assert.deepEqual([patched.status, patched.body.userName], [200, 'SALES/cyd2']);
    const stranger = await bed.call('PUT', `/Users/${id}`, user('cyd2'));
    assert.deepEqual(
      [stranger.status, stranger.body.scimType],
      [400, 'mutability'],
      'without it set it leads elsewhere',
    );
  });

  it('has to be there', async () => {
    await assert.rejects(
      bed.store.write((tx) => createServiceProvider(tx, { name: 'other', userStoreDomain: 'NOWHERE' })),
      /no user store domain NOWHERE: make it first/,
    );
  });
});
