import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { defineAttribute } from '../../src/protocol/scim/attribute.ts';
import { makeWriter, type Resource, writeResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, defineResourceType, enterpriseUserUrn, userType } from '../../src/protocol/scim/schema.ts';

const badgeUrn = 'urn:example:acme:1.0';
const type = defineResourceType({
  ...userType,
  extensions: [
    ...userType.extensions,
    {
      id: badgeUrn,
      name: 'Badge',
      description: 'Badge',
      attributes: [
        defineAttribute('serial', 'Serial', { returned: 'always' }),
        defineAttribute('notes', 'Notes', { returned: 'request' }),
        defineAttribute('pin', 'Pin', { returned: 'never' }),
        defineAttribute('color', 'Color'),
      ],
    },
  ],
});
const full: Resource = {
  schemas: [coreUserUrn, enterpriseUserUrn, badgeUrn],
  id: '1',
  userName: 'u',
  password: 'secret',
  name: { givenName: 'g', familyName: 'f' },
  emails: [{ value: 'a', type: 'work' }, { type: 'home' }],
  ims: [],
  meta: { resourceType: 'User', version: 'W/"1"' },
  unknown: 'x',
  [enterpriseUserUrn]: { department: 'd', manager: { value: 'm' } },
  [badgeUrn]: { serial: 's', notes: 'n', pin: 'p', color: 'c' },
};
const base = [coreUserUrn];
const badge = { [badgeUrn]: { serial: 's' } };
const whole = {
  schemas: full.schemas,
  id: '1',
  userName: 'u',
  name: full.name,
  emails: full.emails,
  meta: full.meta,
  [enterpriseUserUrn]: full[enterpriseUserUrn],
  [badgeUrn]: { serial: 's', color: 'c' },
};

describe('RFC 7644 3.9: what is returned', () => {
  const asked: [string[], object][] = [
    [[], whole],
    [['userName'], { schemas: [...base, badgeUrn], id: '1', userName: 'u', ...badge }],
    [
      ['USERNAME', ' name.givenname'],
      { schemas: [...base, badgeUrn], id: '1', userName: 'u', name: { givenName: 'g' }, ...badge },
    ],
    [['name.givenName', 'name'], { schemas: [...base, badgeUrn], id: '1', name: full.name, ...badge }],
    [['emails.value'], { schemas: [...base, badgeUrn], id: '1', emails: [{ value: 'a' }], ...badge }],
    [['password'], { schemas: [...base, badgeUrn], id: '1', ...badge }],
    [['meta.version'], { schemas: [...base, badgeUrn], id: '1', meta: { version: 'W/"1"' }, ...badge }],
    [['nothing', '%%'], { schemas: [...base, badgeUrn], id: '1', ...badge }],
    [[`${coreUserUrn}:userName`], { schemas: [...base, badgeUrn], id: '1', userName: 'u', ...badge }],
    [
      [`${enterpriseUserUrn}:department`],
      { schemas: full.schemas, id: '1', [enterpriseUserUrn]: { department: 'd' }, ...badge },
    ],
    [[enterpriseUserUrn], { schemas: full.schemas, id: '1', [enterpriseUserUrn]: full[enterpriseUserUrn], ...badge }],
    [[`${badgeUrn}:notes`], { schemas: [...base, badgeUrn], id: '1', [badgeUrn]: { serial: 's', notes: 'n' } }],
    [[`${badgeUrn}:pin`], { schemas: [...base, badgeUrn], id: '1', ...badge }],
  ];
  for (const [attributes, expected] of asked) {
    it(`attributes=${attributes}`, () => assert.deepEqual(writeResource(type, full, { attributes }), expected));
  }

  const excluded: [string[], object][] = [
    [['id', `${badgeUrn}:serial`], whole],
    [['emails', 'meta'], { ...whole, emails: undefined, meta: undefined }],
    [
      ['name.givenName', 'emails.value'],
      { ...whole, name: { familyName: 'f' }, emails: [{ type: 'work' }, { type: 'home' }] },
    ],
    [[enterpriseUserUrn], { ...whole, schemas: [coreUserUrn, badgeUrn], [enterpriseUserUrn]: undefined }],
    [[`${enterpriseUserUrn}:manager`, badgeUrn], { ...whole, [enterpriseUserUrn]: { department: 'd' }, ...badge }],
  ];
  for (const [excludedAttributes, expected] of excluded) {
    it(`excludedAttributes=${excludedAttributes}`, () => {
      assert.deepEqual(writeResource(type, full, { excludedAttributes }), JSON.parse(JSON.stringify(expected)));
    });
  }

  it('refuses both at once, and leaves the resource alone', () => {
    const before = structuredClone(full);
    assert.throws(
      () => makeWriter(type, { attributes: ['userName'], excludedAttributes: ['name'] }),
      (error) => error instanceof Problem && error.code === 'invalidValue',
    );
    writeResource(type, full, { attributes: ['name.givenName'] });
    assert.deepEqual(full, before);
  });
});
