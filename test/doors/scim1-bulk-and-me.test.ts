import assert from 'node:assert/strict';
import { it } from 'node:test';
import { scim1Codec } from '../../src/inbound/scim/codec1.ts';
import { eachDatabase } from '../database.ts';
import { openScimBed } from './scim-bed.ts';

const core = 'urn:scim:schemas:core:1.0';

eachDatabase('SCIM 1.1 /Bulk', (database) => {
  it('does many operations, references forward included, and tells of each with code and description', async () => {
    await using bed = await openScimBed(await database.open(), { codec: scim1Codec });
    const { body: old } = await bed.call('POST', '/Users', { userName: 'old' });
    const { status, body } = await bed.call('POST', '/Bulk', {
      schemas: [core],
      Operations: [
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'g',
          data: { schemas: [core], displayName: 'Guides', members: [{ value: 'bulkId:u' }] },
        },
        { method: 'POST', path: '/Users', bulkId: 'u', data: { schemas: [core], userName: 'new' } },
        { method: 'PATCH', path: `/Users/${old.id}`, version: 'W/"1"', data: { schemas: [core], title: 'T' } },
        { method: 'POST', path: '/Users', bulkId: 'twice', data: { schemas: [core], userName: 'OLD' } },
        { method: 'DELETE', path: '/Users/nobody' },
      ],
    });
    assert.equal(status, 200);
    assert.deepEqual(body.schemas, [core]);
    assert.deepEqual(
      body.Operations.map((one: { status: { code: string } }) => one.status.code),
      ['201', '201', '200', '409', '404'],
    );
    const [group, user, patched, twice] = body.Operations;
    assert.deepEqual(user.status, { code: '201' });
    assert.equal((await bed.call('GET', user.location)).body.userName, 'new');
    assert.equal((await bed.call('GET', group.location)).body.members[0].display, 'new');
    assert.equal(patched.version, 'W/"2"');
    assert.equal((await bed.call('GET', patched.location)).body.title, 'T');
    assert.match(twice.status.description, /OLD/);
    assert.equal(twice.bulkId, 'twice');
  });

  it('ends after as many errors as failOnErrors says, and holds its limits', async () => {
    await using bed = await openScimBed(await database.open(), { codec: scim1Codec, limits: { bulkOperations: 2 } });
    const operation = { method: 'DELETE', path: '/Users/nobody' };
    const early = await bed.call('POST', '/Bulk', { failOnErrors: 1, Operations: [operation, operation] });
    assert.equal(early.body.Operations.length, 1);
    const many = await bed.call('POST', '/Bulk', { Operations: [operation, operation, operation] });
    assert.deepEqual([many.status, many.body.Errors[0].code], [413, '413']);
    assert.equal((await bed.call('GET', '/ServiceProviderConfigs')).body.bulk.maxOperations, 2);
  });
});

eachDatabase('SCIM 1.1 /Users/me', (database) => {
  it('is the user who signed in, who may change what is theirs', async () => {
    await using bed = await openScimBed(await database.open(), { codec: scim1Codec });
    const password = 'engine of 1843';
    const ada = { userName: 'ada', password, title: 'Countess', emails: [{ value: 'a@example.org', type: 'work' }] };
    const { body: made } = await bed.call('POST', '/Users', ada);
    const authorization = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
    const me = (method: string, body?: object, more: Record<string, string> = {}) =>
      bed.call(method, '/Users/me', body, { authorization, ...more });
    const read = await me('GET');
    assert.deepEqual([read.status, read.body.id, read.body.schemas], [200, made.id, [core]]);
    assert.equal(read.headers.get('location'), `${bed.url}/Users/${made.id}`);
    const changed = await me('PATCH', { nickName: 'A', meta: { attributes: ['emails'] } });
    assert.deepEqual([changed.status, changed.body.nickName, changed.body.emails], [200, 'A', undefined]);
    const byPost = await me('POST', { nickName: 'B' }, { 'x-http-method-override': 'PATCH' });
    assert.deepEqual([byPost.status, byPost.body.nickName], [200, 'B']);
    const refused = await me('PATCH', { title: 'Queen' });
    assert.deepEqual([refused.status, refused.body.Errors[0].code], [403, '403']);
    assert.match(refused.body.Errors[0].description, /"title"/);
    assert.equal((await bed.call('GET', '/Users', undefined, { authorization })).status, 403);
    assert.equal((await bed.call('GET', '/Schemas', undefined, { authorization })).status, 200);
    assert.match((await bed.call('GET', '/Users/me')).body.Errors[0].description, /\/Users\/me/);
  });
});
