import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readDateTime } from '../../src/base/datetime.ts';
import { Problem, type ProblemCode } from '../../src/base/problem.ts';
import { defineAttribute } from '../../src/protocol/scim/attribute.ts';
import { comparable } from '../../src/protocol/scim/comparable.ts';
import { type JsonObject, readResource } from '../../src/protocol/scim/resource.ts';
import {
  coreGroupUrn,
  coreUserUrn,
  defineResourceType,
  enterpriseUserUrn,
  groupType,
  type ResourceType,
  userType,
} from '../../src/protocol/scim/schema.ts';

const user = (rest: object) => readResource(userType, { schemas: [coreUserUrn], userName: 'u', ...rest });

/** A type with every data type, as an operator might declare it. */
const badgeUrn = 'urn:example:acme:2.0:Badge';
const badgeType: ResourceType = defineResourceType({
  ...userType,
  extensions: [
    {
      id: badgeUrn,
      name: 'Badge',
      description: 'Badge',
      attributes: [
        defineAttribute('floor', 'Floor', { type: 'integer' }),
        defineAttribute('height', 'Height', { type: 'decimal' }),
        defineAttribute('since', 'Since', { type: 'dateTime' }),
        defineAttribute('print', 'Print', { type: 'binary' }),
        defineAttribute('doors', 'Doors', { multiValued: true }),
        defineAttribute('code', 'Code', { required: true }),
      ],
    },
  ],
});
const badge = (rest: object) =>
  readResource(badgeType, { schemas: [coreUserUrn], userName: 'u', [badgeUrn]: { code: 'c', ...rest } })[badgeUrn];

function refused(work: () => unknown, code: ProblemCode, field?: string): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code, error.message);
    if (field !== undefined) assert.equal(error.field, field);
    return true;
  });
}

describe('RFC 7643 2 and 3: reading a resource', () => {
  it('finds names without case and writes them in the schema’s (2.1)', () => {
    const read = readResource(userType, {
      SCHEMAS: [coreUserUrn.toUpperCase()],
      USERNAME: 'u',
      Name: { GIVENNAME: 'g' },
      [enterpriseUserUrn.toLowerCase()]: { Department: 'd' },
    });
    assert.deepEqual(read, {
      schemas: [coreUserUrn, enterpriseUserUrn],
      userName: 'u',
      name: { givenName: 'g' },
      [enterpriseUserUrn]: { department: 'd' },
    });
  });

  it('drops what is unknown and what is readOnly', () => {
    const read = user({
      id: 'mine',
      meta: { version: 'x' },
      groups: [{ value: 'g' }],
      shoeSize: 44,
      __proto__x: 1,
      name: { nick: 'n' },
      [enterpriseUserUrn]: { manager: { value: 'm', displayName: 'M' }, planet: 'x' },
    });
    assert.deepEqual(read, {
      schemas: [coreUserUrn, enterpriseUserUrn],
      userName: 'u',
      [enterpriseUserUrn]: { manager: { value: 'm' } },
    });
    assert.deepEqual(user(JSON.parse('{"__proto__": {"admin": true}}')), { schemas: [coreUserUrn], userName: 'u' });
  });

  it('takes null and empty arrays for unassigned (2.5)', () => {
    const read = user({ title: null, emails: [], name: null, ims: null, addresses: [{}], [enterpriseUserUrn]: null });
    assert.deepEqual(read, { schemas: [coreUserUrn], userName: 'u' });
  });

  it('takes the values of every data type (2.3)', () => {
    const values = {
      floor: -3,
      height: 1.75,
      since: '2011-05-13T04:42:34Z',
      print: 'QUJD',
      doors: ['a', 'b'],
      code: 'c',
    };
    assert.deepEqual(badge(values), values);
    assert.equal((badge({ print: 'QU_-' }) as JsonObject).print, 'QU_-');
  });

  const wrongTypes: [string, object, string][] = [
    ['number for a string', { title: 1 }, 'title'],
    ['object for a string', { title: {} }, 'title'],
    ['array for one value', { title: ['x'] }, 'title'],
    ['array for one complex value', { name: [{ givenName: 'x' }] }, 'name'],
    ['object for many values', { emails: { value: 'x' } }, 'emails'],
    ['string for many values', { emails: 'x' }, 'emails'],
    ['string for a complex value', { emails: ['x'] }, 'emails'],
    ['null among values', { emails: [null] }, 'emails'],
    ['number in a sub-attribute', { emails: [{ value: 1 }] }, 'emails.value'],
    ['text for a boolean', { active: 'yes' }, 'active'],
    ['number for a boolean', { active: 1 }, 'active'],
    ['text for an extension', { [enterpriseUserUrn]: 'x' }, enterpriseUserUrn],
    ['number in an extension', { [enterpriseUserUrn]: { department: 1 } }, `${enterpriseUserUrn}:department`],
    ['U+0000', { title: 'a\0b' }, 'title'],
    ['U+0000 deep inside', { emails: [{ value: 'x', display: '\0' }] }, 'emails.display'],
    ['half a surrogate pair', { title: '\ud800x' }, 'title'],
    ['a text too long', { title: 'x'.repeat(65_537) }, 'title'],
    [
      'two primaries',
      {
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: 'True' },
        ],
      },
      'emails',
    ],
    ['an empty userName', { userName: ' ' }, 'userName'],
    ['no userName', { userName: null }, 'userName'],
    ['a base64 that is none', { x509Certificates: [{ value: 'a b' }] }, 'x509Certificates.value'],
  ];
  for (const [name, rest, field] of wrongTypes) {
    it(`refuses ${name}`, () => refused(() => user(rest), 'invalidValue', field));
  }

  const wrongBadges: [string, object, string][] = [
    ['a fraction for an integer', { floor: 1.5 }, 'floor'],
    ['a string for an integer', { floor: '1' }, 'floor'],
    ['a string for a decimal', { height: '1' }, 'height'],
    ['a date without time', { since: '2011-05-13' }, 'since'],
    ['a day that is none', { since: '2011-02-30T00:00:00Z' }, 'since'],
    ['a number among strings', { doors: ['a', 1] }, 'doors'],
    ['a required attribute missing', { code: null, floor: 1 }, 'code'],
  ];
  for (const [name, rest, field] of wrongBadges) {
    it(`refuses ${name}`, () => refused(() => badge(rest), 'invalidValue', `${badgeUrn}:${field}`));
  }

  it('asks for the right schemas (3)', () => {
    refused(() => readResource(userType, null), 'invalidSyntax');
    refused(() => readResource(userType, []), 'invalidSyntax');
    refused(() => readResource(userType, { userName: 'u' }), 'invalidSyntax', 'schemas');
    refused(() => readResource(userType, { schemas: coreUserUrn, userName: 'u' }), 'invalidSyntax', 'schemas');
    refused(() => readResource(userType, { schemas: [], userName: 'u' }), 'invalidSyntax', 'schemas');
    refused(() => readResource(userType, { schemas: [1], userName: 'u' }), 'invalidSyntax', 'schemas');
    refused(
      () => readResource(userType, { schemas: [coreUserUrn, 'urn:x'], userName: 'u' }),
      'invalidSyntax',
      'schemas',
    );
    refused(() => readResource(userType, { schemas: [enterpriseUserUrn], userName: 'u' }), 'invalidSyntax', 'schemas');
    refused(() => readResource(groupType, { schemas: [coreUserUrn], displayName: 'g' }), 'invalidSyntax', 'schemas');
  });

  it('refuses a name given twice and JSON too deep', () => {
    refused(() => user({ USERNAME: 'v' }), 'invalidSyntax', 'userName');
    refused(() => user({ name: { givenName: 'a', GivenName: 'b' } }), 'invalidValue', 'name');
    const deep = JSON.parse(`${'{"a":'.repeat(21)}1${'}'.repeat(21)}`);
    refused(() => user({ unknown: deep }), 'invalidSyntax');
  });

  it('needs a displayName of a group and a value of a member (4.2)', () => {
    const group = (rest: object) => readResource(groupType, { schemas: [coreGroupUrn], displayName: 'g', ...rest });
    refused(() => group({ displayName: undefined }), 'invalidValue', 'displayName');
    refused(() => group({ members: [{ display: 'x' }] }), 'invalidValue', 'members.value');
    const members = Array.from({ length: 20_000 }, (_, i) => ({ value: `id-${i}`, type: 'User' }));
    assert.deepEqual(group({ members }).members, members);
  });

  it('never says a value in a refusal', () => {
    for (const password of [5551234, ['secret-5551234'], { a: 'secret-5551234' }, 'secret-5551234\0']) {
      assert.throws(
        () => user({ password }),
        (error) => error instanceof Problem && !error.message.includes('5551234'),
      );
    }
  });

  it('throws nothing but Problem, whatever the JSON', () => {
    const keys = fc.constantFrom(
      'schemas',
      'userName',
      'USERNAME',
      'name',
      'emails',
      'active',
      'members',
      'value',
      'primary',
      'displayName',
      'meta',
      'id',
      enterpriseUserUrn,
      badgeUrn,
      'manager',
      'since',
      'toString',
      '__proto__',
    );
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(coreUserUrn),
      fc.constant(coreGroupUrn),
    );
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(keys, tie('json'), { maxKeys: 5 }),
      ),
    }));
    const body = fc.oneof(
      json,
      fc.dictionary(keys, json).map((rest) => ({ ...rest, schemas: [coreUserUrn], userName: 'u' })),
    );
    let accepted = 0;
    fc.assert(
      fc.property(body, fc.constantFrom(userType, groupType, badgeType), (given, type) => {
        try {
          const read = readResource(type, given);
          // What was read reads again as itself.
          assert.deepEqual(readResource(type, read), read);
          accepted++;
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(accepted > 50, `only ${accepted} bodies were accepted`);
  });
});

describe('RFC 7643 2.3.5: dateTime', () => {
  const moments: [string, number | undefined][] = [
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1969-12-31T23:59:59.5-00:00', -500],
    ['1970-01-01T00:00:00.123456Z', 123.456],
    ['1970-01-01T00:00:00', 0],
    ['1969-12-31T24:00:00Z', 0],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2023-02-29T00:00:00Z', undefined],
    ['1970-01-01T24:00:01Z', undefined],
    ['1970-01-01T00:60:00Z', undefined],
    ['1970-13-01T00:00:00Z', undefined],
    ['1970-01-01', undefined],
    ['1970-01-01T00:00:00+15:00', undefined],
    ['1970-01-01 00:00:00Z', undefined],
    ['0', undefined],
  ];
  for (const [text, moment] of moments) {
    it(`${text} is ${moment}`, () => assert.equal(readDateTime(text), moment));
  }
});

describe('RFC 7643 2.5: what counts as the same', () => {
  it('ignores order and what is unassigned, and nothing else', () => {
    const one = comparable({ a: 1, b: [{ x: 1, y: 2 }, { x: 3 }], c: null, d: [], e: {} });
    assert.equal(comparable({ b: [{ x: 3 }, { y: 2, x: 1, z: null }], a: 1 }), one);
    for (const other of [
      { a: 2 },
      { a: '1', b: [] },
      { a: 1, b: [{ x: 1, y: 2 }] },
      { a: 1, b: [{ x: 3 }, { x: 1, y: 2 }, { x: 3 }] },
    ]) {
      assert.notEqual(comparable(other), one);
    }
    assert.equal(comparable(undefined), comparable(null));
    assert.notEqual(comparable('null'), comparable(null));
  });
});
