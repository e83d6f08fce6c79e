import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import {
  describeResourceType,
  describeSchema,
  describeServiceProvider,
  listServedSchemas,
} from '../../src/protocol/scim/discovery.ts';
import {
  makeListResponse,
  makePatchRequest,
  makeScimError,
  readSearchParameters,
  readSearchRequest,
  searchRequestUrn,
} from '../../src/protocol/scim/message.ts';
import { enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';

describe('RFC 7644: messages', () => {
  it('an error has its status as a string, and scimType only where there is one (3.12)', () => {
    assert.deepEqual(makeScimError(400, "Attribute 'id' is readOnly", 'mutability'), {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '400',
      scimType: 'mutability',
      detail: "Attribute 'id' is readOnly",
    });
    assert.deepEqual(makeScimError(404, 'Resource 1 not found'), {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
      detail: 'Resource 1 not found',
    });
  });

  it('a list says how many there are and how many are here (3.4.2)', () => {
    assert.deepEqual(makeListResponse([{ id: '1' }], { totalResults: 7, startIndex: 3 }), {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 7,
      itemsPerPage: 1,
      startIndex: 3,
      Resources: [{ id: '1' }],
    });
  });

  it('a PATCH request carries its operations (3.5.2)', () => {
    assert.deepEqual(makePatchRequest([{ op: 'remove', path: 'title' }]), {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'remove', path: 'title' }],
    });
  });

  it('reads a SearchRequest and a query string alike (3.4.2.4, 3.4.2.5, 3.4.3)', () => {
    const wanted = {
      filter: 'a pr',
      attributes: ['userName', 'name.givenName'],
      sortBy: 'userName',
      sortOrder: 'descending',
      startIndex: 1,
      count: 0,
    };
    const body = { schemas: [searchRequestUrn], ...wanted, startIndex: -5, count: -1, excludedAttributes: null };
    assert.deepEqual(readSearchRequest(body), wanted);
    const query = {
      ...wanted,
      attributes: 'userName, name.givenName,',
      sortOrder: 'DESCENDING',
      startIndex: '0',
      count: '-3',
      other: 'x',
    };
    assert.deepEqual(readSearchParameters(query), wanted);
    assert.deepEqual(readSearchParameters({}), {});
  });

  const wrong: [object, string][] = [
    [{ startIndex: 'one' }, 'startIndex'],
    [{ count: 1.5 }, 'count'],
    [{ count: '1e3' }, 'count'],
    [{ filter: ['a', 'b'] }, 'filter'],
    [{ sortOrder: 'up' }, 'sortOrder'],
    [{ attributes: [1] }, 'attributes'],
  ];
  for (const [given, field] of wrong) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(
        () => readSearchRequest({ schemas: [searchRequestUrn], ...given }),
        (error) => error instanceof Problem && error.code === 'invalidValue' && error.field === field,
      );
    });
  }

  it('refuses a search that is no SearchRequest', () => {
    for (const body of [null, [], {}, { schemas: ['urn:x'] }]) {
      assert.throws(
        () => readSearchRequest(body),
        (error) => error instanceof Problem && error.code === 'invalidSyntax',
      );
    }
  });
});

describe('RFC 7643 5 to 7: discovery', () => {
  const baseUrl = 'https://example.com/scim2';

  it('says what is served, and nothing else', () => {
    const scheme = { type: 'httpbasic', name: 'HTTP Basic', description: 'Basic' } as const;
    const served = {
      baseUrl,
      patch: true,
      changePassword: false,
      sort: false,
      etag: true,
      authenticationSchemes: [scheme],
    };
    assert.deepEqual(describeServiceProvider({ ...served, filter: { maxResults: 200 } }), {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { supported: true, maxResults: 200 },
      changePassword: { supported: false },
      sort: { supported: false },
      etag: { supported: true },
      authenticationSchemes: [scheme],
      meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
    });
    const more = {
      ...served,
      bulk: { maxOperations: 10, maxPayloadSize: 2 ** 20 },
      documentationUri: 'https://example.com/help',
    };
    const config = describeServiceProvider(more);
    assert.deepEqual(config.bulk, { supported: true, maxOperations: 10, maxPayloadSize: 1_048_576 });
    assert.deepEqual(config.filter, { supported: false, maxResults: 0 });
    assert.equal(config.documentationUri, 'https://example.com/help');
  });

  it('describes each type with its extensions', () => {
    assert.deepEqual(describeResourceType(userType, baseUrl), {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'User',
      name: 'User',
      description: 'User Account',
      endpoint: '/Users',
      schema: 'urn:ietf:params:scim:schemas:core:2.0:User',
      schemaExtensions: [{ schema: enterpriseUserUrn, required: false }],
      meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/User` },
    });
    assert.deepEqual(describeResourceType(groupType, baseUrl).schemaExtensions, []);
  });

  it('describes every schema with every characteristic of every attribute', () => {
    const schemas = listServedSchemas([userType, groupType, userType]);
    assert.deepEqual(
      schemas.map(({ id }) => id),
      [userType.schema.id, enterpriseUserUrn, groupType.schema.id],
    );
    for (const schema of schemas) {
      const described = describeSchema(schema, baseUrl);
      assert.deepEqual(described.schemas, ['urn:ietf:params:scim:schemas:core:2.0:Schema']);
      assert.equal((described.meta as { location: string }).location, `${baseUrl}/Schemas/${schema.id}`);
      assert.deepEqual(described.attributes, JSON.parse(JSON.stringify(schema.attributes)));
      const names = (described.attributes as { name: string }[]).map(({ name }) => name);
      // Common attributes belong to no schema (RFC 7643 section 3.1).
      assert.ok(!names.includes('id') && !names.includes('meta') && !names.includes('externalId'));
    }
  });
});
