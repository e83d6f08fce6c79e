import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupType, userType } from '../../src/protocol/scim/schema.ts';
import { describeSchema, describeServiceProvider } from '../../src/protocol/scim/v1/discovery.ts';
import { makeErrorResponse, makeListResponse } from '../../src/protocol/scim/v1/message.ts';
import { coreUrn, enterpriseUrn } from '../../src/protocol/scim/v1/names.ts';

type Described = Record<string, unknown> & { name: string; subAttributes?: Described[] };

describe('draft-scim-core-schema-01 section 9: ServiceProviderConfigs', () => {
  it('says what is served, in the names of SCIM 1.1', () => {
    const config = describeServiceProvider({
      baseUrl: 'https://h/wso2/scim',
      patch: true,
      filter: { maxResults: 200 },
      changePassword: true,
      sort: true,
      etag: true,
      authenticationSchemes: [
        { type: 'httpbasic', name: 'HTTP Basic', description: 'Name and password.', specUri: 'https://spec.example' },
      ],
      documentationUri: 'https://docs.example',
    });
    assert.deepEqual(config, {
      schemas: [coreUrn],
      documentationUrl: 'https://docs.example',
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { supported: true, maxResults: 200 },
      changePassword: { supported: true },
      sort: { supported: true },
      etag: { supported: true },
      xmlDataFormat: { supported: false },
      authenticationSchemes: [
        { type: 'httpbasic', name: 'HTTP Basic', description: 'Name and password.', specUrl: 'https://spec.example' },
      ],
    });
  });
});

describe('draft-scim-core-schema-01 section 10: Schemas', () => {
  const find = (attributes: unknown, name: string) => (attributes as Described[]).find((each) => each.name === name)!;

  it('a user’s schema has the core and the enterprise attributes, each with its URN', () => {
    const schema = describeSchema(userType);
    assert.equal(schema.id, `${coreUrn}:User`);
    assert.equal(schema.schema, coreUrn);
    assert.equal(schema.endpoint, '/Users');
    assert.deepEqual(find(schema.attributes, 'userName'), {
      name: 'userName',
      type: 'string',
      multiValued: false,
      description: 'The name the user signs in with; unique without regard to case.',
      schema: coreUrn,
      readOnly: false,
      required: true,
      caseExact: false,
    });
    const emails = find(schema.attributes, 'emails');
    assert.equal(emails.multiValuedAttributeChildName, 'email');
    assert.deepEqual(find(emails.subAttributes, 'type').canonicalValues, ['work', 'home', 'other']);
    assert.equal(find(schema.attributes, 'addresses').multiValuedAttributeChildName, 'address');
    const manager = find(schema.attributes, 'manager');
    assert.equal(manager.schema, enterpriseUrn);
    assert.deepEqual(
      manager.subAttributes!.map((sub) => sub.name),
      ['managerId', '$ref', 'displayName'],
    );
  });

  it('nothing of SCIM 2.0 shows: no references, no resourceType, no URN of it', () => {
    for (const type of [userType, groupType]) {
      const schema = describeSchema(type);
      assert.ok(!/"reference"|resourceType|urn:ietf/.test(JSON.stringify(schema)));
      const names = (schema.attributes as Described[]).map((each) => each.name);
      assert.equal(new Set(names).size, names.length);
      assert.ok(names.includes('id') && names.includes('meta') && !names.includes('schemas'));
    }
    const members = find(describeSchema(groupType).attributes, 'members');
    assert.deepEqual(
      members.subAttributes!.map((sub) => sub.name),
      ['value', 'type', 'display'],
    );
  });
});

describe('draft-scim-api-01: lists and errors', () => {
  it('a list carries the core schema, and Resources even when empty', () => {
    const list = makeListResponse([], { totalResults: 7, startIndex: 8 });
    assert.deepEqual(list, { schemas: [coreUrn], totalResults: 7, itemsPerPage: 0, startIndex: 8, Resources: [] });
  });

  it('an error is the one of a list, its code the status as a text', () => {
    assert.deepEqual(makeErrorResponse(404, 'There is no user "x".'), {
      Errors: [{ description: 'There is no user "x".', code: '404' }],
    });
  });
});
