import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { defineAttribute } from '../../src/protocol/scim/attribute.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import {
  coreUserUrn,
  defineResourceType,
  enterpriseUserUrn,
  groupType,
  userType,
} from '../../src/protocol/scim/schema.ts';
import { babs, home, patch, patchBabs, patchTeam, team, without, work, workAddress } from './rfc7644-3.5.2-people.ts';

const badgeUrn = 'urn:example:acme:2.0:Badge';
const badgeType = defineResourceType({
  ...userType,
  extensions: [
    ...userType.extensions,
    {
      id: badgeUrn,
      name: 'Badge',
      description: 'Badge',
      attributes: [
        defineAttribute('serial', 'Serial', { mutability: 'immutable' }),
        defineAttribute('doors', 'Doors', { multiValued: true }),
      ],
    },
  ],
});

type Case = [string, Resource, object[], Record<string, unknown>];
const enterprise = babs[enterpriseUserUrn] as object;

const add: Case[] = [
  [
    'a member (RFC example)',
    team,
    [
      {
        op: 'add',
        path: 'members',
        value: [{ display: 'Babs', $ref: 'https://example.com/v2/Users/u3', value: 'u3' }],
      },
    ],
    {
      members: [
        ...(team.members as object[]),
        { display: 'Babs', $ref: 'https://example.com/v2/Users/u3', value: 'u3' },
      ],
    },
  ],
  [
    'a member already there: no change',
    team,
    [{ op: 'add', path: 'members', value: [{ value: 'u1', display: 'Other' }] }],
    {},
  ],
  [
    'a member twice in one operation',
    team,
    [{ op: 'add', path: 'members', value: [{ value: 'u3' }, { value: 'u3' }] }],
    { members: [...(team.members as object[]), { value: 'u3' }] },
  ],
  [
    'attributes without path (RFC example)',
    babs,
    [{ op: 'add', value: { emails: [{ value: 'babs@jensen.org', type: 'home' }], nickname: 'Babs' } }],
    { emails: [work, home, { value: 'babs@jensen.org', type: 'home' }], nickName: 'Babs' },
  ],
  [
    'one value instead of an array',
    babs,
    [{ op: 'add', path: 'emails', value: { value: 'x@y.z' } }],
    { emails: [work, home, { value: 'x@y.z' }] },
  ],
  [
    'a value that is there: no change',
    babs,
    [{ op: 'add', path: 'emails', value: [{ value: 'B@HOME.org', type: 'HOME' }] }],
    {},
  ],
  [
    'to an absent complex attribute',
    without(babs, 'name'),
    [{ op: 'add', path: 'name.givenName', value: 'B' }],
    { name: { givenName: 'B' } },
  ],
  [
    'sub-attributes to a complex attribute',
    babs,
    [{ op: 'add', path: 'name', value: { middleName: 'Jane' } }],
    { name: { givenName: 'Barbara', familyName: 'Jensen', middleName: 'Jane' } },
  ],
  ['to a singular attribute: replaced', babs, [{ op: 'add', path: 'title', value: 'Guide' }], { title: 'Guide' }],
  [
    'to an absent multi-valued attribute',
    babs,
    [{ op: 'add', path: 'ims', value: [{ value: 'x', type: 'xmpp' }] }],
    { ims: [{ value: 'x', type: 'xmpp' }] },
  ],
  [
    'a new primary turns the others off',
    babs,
    [{ op: 'add', path: 'emails', value: [{ value: 'n@x', primary: true }] }],
    { emails: [{ ...work, primary: false }, home, { value: 'n@x', primary: true }] },
  ],
  [
    'an extension attribute adds its schema',
    without(babs, enterpriseUserUrn),
    [{ op: 'add', path: `${enterpriseUserUrn}:employeeNumber`, value: '7' }],
    { [enterpriseUserUrn]: { employeeNumber: '7' } },
  ],
  [
    'a sub-attribute of chosen values',
    babs,
    [{ op: 'add', path: 'emails[type eq "work"].display', value: 'B' }],
    { emails: [{ ...work, display: 'B' }, home] },
  ],
  [
    'to chosen values',
    babs,
    [{ op: 'add', path: 'addresses[type eq "work"]', value: { region: 'CA' } }],
    { addresses: [{ ...workAddress, region: 'CA' }, (babs.addresses as object[])[1]] },
  ],
  [
    'null or nothing to many values: no change',
    babs,
    [
      { op: 'add', path: 'emails', value: [] },
      { op: 'add', path: 'ims', value: null },
    ],
    {},
  ],
];

const remove: Case[] = [
  [
    'one member (RFC example)',
    team,
    [{ op: 'remove', path: 'members[value eq "u1"]' }],
    { members: [{ value: 'u2' }] },
  ],
  ['a member that is not there: no change', team, [{ op: 'remove', path: 'members[value eq "u9"]' }], {}],
  ['all members (RFC example)', team, [{ op: 'remove', path: 'members' }], { members: undefined }],
  [
    'the last values one by one',
    team,
    [
      { op: 'remove', path: 'members[value eq "u1"]' },
      { op: 'remove', path: 'members[value eq "u2"]' },
    ],
    { members: undefined },
  ],
  [
    'by a filter of two parts (RFC example)',
    babs,
    [{ op: 'remove', path: 'emails[type eq "work" and value ew "example.com"]' }],
    { emails: [home] },
  ],
  [
    'one member and add one (RFC example)',
    team,
    [
      { op: 'remove', path: 'members[value eq"u1"]' },
      { op: 'add', path: 'members', value: [{ value: 'u3' }] },
    ],
    { members: [{ value: 'u2' }, { value: 'u3' }] },
  ],
  [
    'all and add some (RFC example)',
    team,
    [
      { op: 'remove', path: 'members' },
      { op: 'add', path: 'members', value: [{ value: 'u8' }, { value: 'u9' }] },
    ],
    { members: [{ value: 'u8' }, { value: 'u9' }] },
  ],
  ['a singular attribute', babs, [{ op: 'remove', path: 'title' }], { title: undefined }],
  ['an attribute without value: no change', babs, [{ op: 'remove', path: 'nickName' }], {}],
  ['a sub-attribute', babs, [{ op: 'remove', path: 'name.givenName' }], { name: { familyName: 'Jensen' } }],
  [
    'the last sub-attributes',
    babs,
    [
      { op: 'remove', path: 'name.givenName' },
      { op: 'remove', path: 'name.familyName' },
    ],
    { name: undefined },
  ],
  [
    'a sub-attribute of chosen values',
    babs,
    [{ op: 'remove', path: 'emails[type eq "work"].primary' }],
    { emails: [{ value: work.value, type: 'work' }, home] },
  ],
  [
    'a sub-attribute of all values',
    babs,
    [{ op: 'remove', path: 'emails.type' }],
    { emails: [{ value: work.value, primary: true }, { value: home.value }] },
  ],
  [
    'an extension attribute',
    babs,
    [{ op: 'remove', path: `${enterpriseUserUrn}:department` }],
    { [enterpriseUserUrn]: { manager: { value: 'm1' } } },
  ],
  [
    'a whole extension, and its schema with it',
    babs,
    [{ op: 'remove', path: enterpriseUserUrn }],
    { schemas: [coreUserUrn], [enterpriseUserUrn]: undefined },
  ],
];

const replace: Case[] = [
  [
    'all members (RFC example)',
    team,
    [{ op: 'replace', path: 'members', value: [{ value: 'u8' }, { value: 'u9' }] }],
    { members: [{ value: 'u8' }, { value: 'u9' }] },
  ],
  [
    'a whole chosen value, now the primary one (RFC example)',
    babs,
    [
      {
        op: 'replace',
        path: 'addresses[type eq "work"]',
        value: { type: 'work', streetAddress: '911 Plaza', primary: true },
      },
    ],
    {
      addresses: [
        { type: 'work', streetAddress: '911 Plaza', primary: true },
        { type: 'home', streetAddress: '456 Blvd', primary: false },
      ],
    },
  ],
  [
    'a sub-attribute of a chosen value (RFC example)',
    babs,
    [{ op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: '1010 Broadway Ave' }],
    { addresses: [{ ...workAddress, streetAddress: '1010 Broadway Ave' }, (babs.addresses as object[])[1]] },
  ],
  [
    'attributes without path (RFC example)',
    babs,
    [
      {
        op: 'replace',
        value: {
          emails: [
            { value: 'n@x', type: 'work', primary: true },
            { value: 'h@x', type: 'home' },
          ],
          nickname: 'Babs',
        },
      },
    ],
    {
      emails: [
        { value: 'n@x', type: 'work', primary: true },
        { value: 'h@x', type: 'home' },
      ],
      nickName: 'Babs',
    },
  ],
  ['a singular attribute', babs, [{ op: 'replace', path: 'title', value: 'Guide' }], { title: 'Guide' }],
  ['an absent attribute: added', babs, [{ op: 'replace', path: 'nickName', value: 'B' }], { nickName: 'B' }],
  [
    'sub-attributes; those not named stay',
    babs,
    [{ op: 'replace', path: 'name', value: { givenName: 'B' } }],
    { name: { givenName: 'B', familyName: 'Jensen' } },
  ],
  [
    'a sub-attribute by null',
    babs,
    [{ op: 'replace', path: 'name', value: { givenName: null } }],
    { name: { familyName: 'Jensen' } },
  ],
  [
    'by null: unassigned',
    babs,
    [
      { op: 'replace', path: 'title', value: null },
      { op: 'replace', path: 'emails', value: [] },
    ],
    { title: undefined, emails: undefined },
  ],
  [
    'the primary of chosen values',
    babs,
    [{ op: 'replace', path: 'emails[type eq "home"].primary', value: true }],
    {
      emails: [
        { ...work, primary: false },
        { ...home, primary: true },
      ],
    },
  ],
  [
    'all values the filter chooses',
    babs,
    [{ op: 'replace', path: 'emails[value sw "b@"].display', value: 'B' }],
    {
      emails: [
        { ...work, display: 'B' },
        { ...home, display: 'B' },
      ],
    },
  ],
  [
    'an extension given whole: what it does not name stays',
    babs,
    [{ op: 'replace', path: enterpriseUserUrn, value: { costCenter: '9' } }],
    { [enterpriseUserUrn]: { ...enterprise, costCenter: '9' } },
  ],
  [
    'in order: the later sees the earlier',
    babs,
    [
      { op: 'replace', path: 'emails[type eq "home"].type', value: 'other' },
      { op: 'remove', path: 'emails[type eq "other"]' },
    ],
    { emails: [work] },
  ],
  [
    'schemas: what follows from the attributes stays',
    babs,
    [{ op: 'replace', path: 'schemas', value: [coreUserUrn] }],
    {},
  ],
  ['externalId', babs, [{ op: 'replace', path: 'externalId', value: 'e' }], { externalId: 'e' }],
];
describe('RFC 7644 3.5.2: PATCH', () => {
  for (const [op, cases] of [
    ['add', add],
    ['remove', remove],
    ['replace', replace],
  ] as const) {
    for (const [name, resource, operations, differences] of cases) {
      it(`${op}: ${name}`, () => {
        const type = resource.userName === undefined ? groupType : userType;
        const expected: Record<string, unknown> = { ...resource, ...differences };
        for (const key of Object.keys(expected)) if (expected[key] === undefined) delete expected[key];
        if (expected[enterpriseUserUrn] !== undefined) expected.schemas = [coreUserUrn, enterpriseUserUrn];
        assert.deepEqual(patch(type, resource, ...operations), expected);
      });
    }
  }

  it('sets an immutable attribute once', () => {
    const path = `${badgeUrn}:serial`;
    const set = patch(badgeType, babs, { op: 'add', path, value: 'S1' });
    assert.deepEqual(set[badgeUrn], { serial: 'S1' });
    assert.deepEqual(set.schemas, [coreUserUrn, enterpriseUserUrn, badgeUrn]);
    assert.deepEqual(patch(badgeType, set, { op: 'replace', path, value: 'S1' }), set);
    for (const operation of [
      { op: 'replace', path, value: 'S2' },
      { op: 'remove', path },
      { op: 'remove', path: badgeUrn },
    ]) {
      assert.throws(
        () => patch(badgeType, set, operation),
        (error) => error instanceof Problem && error.code === 'mutability',
      );
    }
  });

  it('works on simple values', () => {
    const path = `${badgeUrn}:doors`;
    const two = patch(badgeType, babs, { op: 'add', path, value: ['a', 'b'] }, { op: 'add', path, value: 'A' });
    assert.deepEqual(two[badgeUrn], { doors: ['a', 'b'] });
    assert.deepEqual(patch(badgeType, two, { op: 'remove', path: `${path}[value eq "A"]` })[badgeUrn], {
      doors: ['b'],
    });
    assert.deepEqual(patch(badgeType, two, { op: 'replace', path: `${path}[value eq "a"]`, value: 'c' })[badgeUrn], {
      doors: ['c', 'b'],
    });
  });

  it('keeps once what an operation made the same as another', () => {
    const of = (...emails: object[]) => ({ ...babs, emails }) as Resource;
    const typed = patch(userType, of({ value: 'a' }, { value: 'a', type: 'home' }), {
      op: 'add',
      path: 'emails.type',
      value: 'work',
    });
    assert.deepEqual(typed.emails, [{ value: 'a', type: 'work' }]);

    // The value that is made is there already, in another spelling: the last word counts, also when it is said again.
    const make = { op: 'add', path: 'emails[type eq "work" and primary eq true].value', value: 'a' };
    const made = patch(userType, of({ value: 'A', type: 'work' }), make);
    assert.deepEqual(made.emails, [{ value: 'a', type: 'work', primary: true }]);
    assert.deepEqual(patch(userType, made, make), made);

    // Only a new primary value makes these two alike.
    const off = patch(userType, of({ type: 'x', primary: true }, { type: 'x', primary: false }), make);
    assert.deepEqual(off.emails, [
      { type: 'x', primary: false },
      { value: 'a', type: 'work', primary: true },
    ]);
  });

  it('an empty replacement of a group’s members empties it', () => {
    assert.equal(patchTeam({ op: 'replace', path: 'members', value: [] }).members, undefined);
  });

  it('leaves values untouched that no operation names', () => {
    const after = patchBabs({ op: 'replace', path: 'title', value: 'x' });
    assert.equal(after.emails, babs.emails);
    assert.equal(after[enterpriseUserUrn], babs[enterpriseUserUrn]);
  });
});
