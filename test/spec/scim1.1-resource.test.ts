import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { makeErrorResponse } from '../../src/protocol/scim/v1/message.ts';
import { coreUrn, enterpriseUrn } from '../../src/protocol/scim/v1/names.ts';
import { readResource, writeResource } from '../../src/protocol/scim/v1/resource.ts';

const refuses = (code: string, mentions: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Problem, String(error));
  assert.equal(error.code, code);
  assert.match(makeErrorResponse(error.status, error.message).Errors[0].description, mentions);
  return true;
};

describe('draft-scim-core-schema-01: resources', () => {
  const bjensen = {
    schemas: [coreUrn, enterpriseUrn],
    id: 'a client cannot say it',
    externalId: 'bjensen',
    userName: 'bjensen@example.com',
    name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
    emails: [
      { value: 'bjensen@example.com', type: 'work', primary: true },
      { value: 'babs@jensen.org', type: 'home' },
    ],
    ims: [{ value: 'someaimhandle', type: 'aim' }],
    photos: [{ value: 'https://photos.example.com/F/1', type: 'photo' }],
    addresses: [{ type: 'work', locality: 'Hollywood', postalCode: '91608', primary: true }],
    active: true,
    groups: [{ value: 'g1', display: 'Tour Guides' }],
    meta: { created: '2010-01-23T04:56:22Z', version: 'W/"1"' },
    [enterpriseUrn]: {
      employeeNumber: '701984',
      manager: { managerId: 'm1', displayName: 'John Smith' },
    },
  };

  it('reads a user into the model: URNs, manager, and what only the server says left out', () => {
    const { id: _id, groups: _groups, meta: _meta, schemas: _schemas, [enterpriseUrn]: _, ...same } = bjensen;
    assert.deepEqual(readResource(userType, bjensen), {
      ...same,
      schemas: [coreUserUrn, enterpriseUserUrn],
      [enterpriseUserUrn]: { employeeNumber: '701984', manager: { value: 'm1' } },
    });
  });

  it('writes what it reads: the way there and back loses nothing', () => {
    const { id: _id, groups: _groups, meta: _meta, ...said } = bjensen;
    const there = readResource(userType, said);
    const back = writeResource(there);
    assert.deepEqual(back, {
      ...said,
      [enterpriseUrn]: { employeeNumber: '701984', manager: { managerId: 'm1' } },
    });
    assert.deepEqual(readResource(userType, back), there);
  });

  it('writes meta without resourceType and members without $ref, which came with SCIM 2.0', () => {
    const written = writeResource({
      schemas: [groupType.schema.id],
      id: 'g1',
      displayName: 'Tour Guides',
      members: [{ value: 'u1', $ref: 'https://h/Users/u1', display: 'Babs', type: 'User' }],
      meta: {
        resourceType: 'Group',
        created: '2010-01-23T04:56:22Z',
        location: 'https://h/Groups/g1',
        version: 'W/"2"',
      },
    });
    assert.deepEqual(written, {
      schemas: [coreUrn],
      id: 'g1',
      displayName: 'Tour Guides',
      members: [{ value: 'u1', display: 'Babs', type: 'User' }],
      meta: { created: '2010-01-23T04:56:22Z', location: 'https://h/Groups/g1', version: 'W/"2"' },
    });
  });

  it('tolerates what WSO2 clients write: schemas empty or missing, values as plain texts', () => {
    for (const schemas of [{ schemas: [] }, {}]) {
      const body = { ...schemas, userName: 'b', emails: ['b@example.com', 'c@example.com'] };
      assert.deepEqual(readResource(userType, body).emails, [{ value: 'b@example.com' }, { value: 'c@example.com' }]);
    }
  });

  it('names of attributes and URNs have no case; an attribute given twice is refused', () => {
    const body = { USERNAME: 'b', [enterpriseUrn.toUpperCase()]: { Department: 'd', MANAGER: { MANAGERID: 'm' } } };
    assert.deepEqual(readResource(userType, body), {
      schemas: [coreUserUrn, enterpriseUserUrn],
      userName: 'b',
      [enterpriseUserUrn]: { department: 'd', manager: { value: 'm' } },
    });
    assert.throws(() => readResource(userType, { userName: 'a', username: 'b' }), refuses('invalidSyntax', /twice/));
  });

  it('refuses what is no resource, a schema that is not there, and wrong values, in the words of SCIM 1.1', () => {
    assert.throws(() => readResource(userType, []), refuses('invalidSyntax', /JSON object/));
    assert.throws(() => readResource(userType, { schemas: 'urn:x', userName: 'b' }), refuses('invalidSyntax', /array/));
    const foreign = { schemas: [coreUserUrn], userName: 'b' };
    assert.throws(
      () => readResource(userType, foreign),
      refuses('invalidSyntax', /It may name urn:scim:schemas:core:1\.0/),
    );
    assert.throws(
      () => readResource(userType, { schemas: [coreUrn] }),
      refuses('invalidValue', /"userName" is required/),
    );
    const department = { userName: 'b', [enterpriseUrn]: { department: 7 } };
    const mentions = /^"urn:scim:schemas:extension:enterprise:1\.0:department" must be a string/;
    assert.throws(() => readResource(userType, department), refuses('invalidValue', mentions));
    const manager = { userName: 'b', [enterpriseUrn]: { manager: { managerId: 7 } } };
    assert.throws(() => readResource(userType, manager), refuses('invalidValue', /enterprise:1\.0:manager\.managerId/));
    const proto = JSON.parse('{"userName":"b","__proto__":{"title":"x"}}');
    assert.equal(readResource(userType, proto).title, undefined);
  });
});
