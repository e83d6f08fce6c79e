import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openScimBed, patchSchemas, userSchemas } from './scim-bed.ts';

eachDatabase('SCIM 2.0 discovery', (database) => {
  it('what ServiceProviderConfig says is what the door does', async () => {
    await using bed = await openScimBed(await database.open(), { limits: { maxCount: 2 } });
    const { status, body } = await bed.call('GET', '/ServiceProviderConfig');
    assert.equal(status, 200);
    assert.deepEqual(
      {
        patch: body.patch.supported,
        bulk: body.bulk,
        filter: body.filter,
        sort: body.sort.supported,
        etag: body.etag.supported,
        changePassword: body.changePassword.supported,
      },
      {
        patch: true,
        bulk: { supported: true, maxOperations: 1_000, maxPayloadSize: 1_048_576 },
        filter: { supported: true, maxResults: 2 },
        sort: true,
        etag: true,
        changePassword: true,
      },
    );
    assert.deepEqual(body.pagination, {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 2,
    });
    assert.equal((await bed.call('POST', '/Bulk', {})).status, 400);
    const made = [];
    for (const userName of ['a', 'b', 'c'])
      made.push(await bed.call('POST', '/Users', { schemas: userSchemas, userName }));
    assert.equal((await bed.call('GET', '/Users?count=100')).body.Resources.length, 2);
    const sorted = await bed.call('GET', '/Users?sortBy=userName&sortOrder=descending');
    assert.equal(sorted.body.Resources[0].userName, 'c');
    assert.match(made[0]!.headers.get('etag')!, /^W\/"/);
    const patched = await bed.call('PATCH', `/Users/${made[0]!.body.id}`, {
      schemas: patchSchemas,
      Operations: [{ op: 'replace', path: 'password', value: 'x' }],
    });
    assert.equal(patched.status, 200);
    const kinds = body.authenticationSchemes.map((scheme: { type: string }) => scheme.type);
    assert.deepEqual(kinds, ['oauthbearertoken', 'httpbasic']);
    assert.equal((await bed.call('GET', body.meta.location)).status, 200);
  });

  it('every resource type and schema is there under its own address', async () => {
    await using bed = await openScimBed(await database.open());
    const resourceTypes = (await bed.call('GET', '/ResourceTypes')).body;
    assert.deepEqual(
      resourceTypes.Resources.map((one: { name: string }) => one.name),
      ['User', 'Group'],
    );
    const schemas = (await bed.call('GET', '/Schemas')).body;
    assert.equal(schemas.totalResults, 3);
    for (const one of [...resourceTypes.Resources, ...schemas.Resources]) {
      assert.deepEqual((await bed.call('GET', one.meta.location)).body, one);
    }
    for (const type of resourceTypes.Resources) {
      assert.equal((await bed.call('GET', type.endpoint)).status, 200);
      const named = [type.schema, ...type.schemaExtensions.map((one: { schema: string }) => one.schema)];
      const known = schemas.Resources.map((one: { id: string }) => one.id);
      for (const urn of named) assert.ok(known.includes(urn), urn);
    }
  });
});
