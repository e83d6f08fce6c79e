import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem, type ProblemCode } from '../../src/base/problem.ts';
import { patchOpUrn } from '../../src/protocol/scim/message.ts';
import { readPatch } from '../../src/protocol/scim/patch.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { babs, patch, team } from './rfc7644-3.5.2-people.ts';

/** Name, resource, operations, code. */
const refusals: [string, Resource, object[], ProblemCode][] = [
  [
    'replace of no chosen value (3.5.2.3)',
    babs,
    [{ op: 'replace', path: 'emails[type eq "other"].value', value: 'x' }],
    'noTarget',
  ],
  [
    'replace of no chosen whole value',
    babs,
    [{ op: 'replace', path: 'emails[type eq "other"]', value: { value: 'x' } }],
    'noTarget',
  ],
  [
    'add to a choice that cannot be made',
    babs,
    [{ op: 'add', path: 'emails[value co "zzz"].display', value: 'x' }],
    'noTarget',
  ],
  [
    'add of what contradicts its own choice',
    babs,
    [{ op: 'add', path: 'emails[type eq "other"].type', value: 'x' }],
    'noTarget',
  ],
  ['remove without path (3.5.2.2)', babs, [{ op: 'remove' }], 'noTarget'],
  ['an unknown attribute', babs, [{ op: 'replace', path: 'shoeSize', value: 1 }], 'noTarget'],
  ['an unknown sub-attribute', babs, [{ op: 'replace', path: 'name.nick', value: 'x' }], 'noTarget'],
  ['an unknown schema', babs, [{ op: 'replace', path: 'urn:example:x:nick', value: 'x' }], 'noTarget'],
  ['a broken path', babs, [{ op: 'replace', path: 'emails[', value: 'x' }], 'invalidFilter'],
  ['a path that is none', babs, [{ op: 'replace', path: '1 2', value: 'x' }], 'invalidPath'],
  ['a path that is no string', babs, [{ op: 'replace', path: 5, value: 'x' }], 'invalidPath'],
  [
    'a filter on an attribute with one value',
    babs,
    [{ op: 'replace', path: 'name[givenName pr]', value: {} }],
    'invalidPath',
  ],
  ['a filter by an unknown sub-attribute', babs, [{ op: 'remove', path: 'emails[size eq 1]' }], 'invalidFilter'],
  [
    'a filter with an operator of no meaning',
    babs,
    [{ op: 'remove', path: 'emails[primary gt true]' }],
    'invalidFilter',
  ],
  ['id', babs, [{ op: 'replace', path: 'id', value: 'x' }], 'mutability'],
  ['meta', babs, [{ op: 'remove', path: 'meta.created' }], 'mutability'],
  ['groups', babs, [{ op: 'add', path: 'groups', value: [{ value: 'g' }] }], 'mutability'],
  ['groups without path', babs, [{ op: 'add', value: { groups: [{ value: 'g' }] } }], 'mutability'],
  [
    "a manager's displayName",
    babs,
    [{ op: 'add', path: `${enterpriseUserUrn}:manager.displayName`, value: 'x' }],
    'mutability',
  ],
  ['removing a required attribute', babs, [{ op: 'remove', path: 'userName' }], 'mutability'],
  ['unassigning a required attribute', babs, [{ op: 'replace', path: 'userName', value: null }], 'mutability'],
  ['removing schemas', babs, [{ op: 'remove', path: 'schemas' }], 'mutability'],
  ['the value of a member', team, [{ op: 'replace', path: 'members[value eq "u1"].value', value: 'u9' }], 'mutability'],
  [
    'a chosen member by another',
    team,
    [{ op: 'replace', path: 'members[value eq "u1"]', value: { value: 'u9' } }],
    'mutability',
  ],
  [
    'the type of a member',
    team,
    [{ op: 'replace', path: 'members[value eq "u1"].type', value: 'Group' }],
    'mutability',
  ],
  ['removing a sub-attribute of a member', team, [{ op: 'remove', path: 'members.value' }], 'mutability'],
  ['an empty required value', babs, [{ op: 'replace', path: 'userName', value: '' }], 'invalidValue'],
  ['a value of another type', babs, [{ op: 'replace', path: 'title', value: 1 }], 'invalidValue'],
  ['no value', babs, [{ op: 'add', path: 'title' }], 'invalidValue'],
  ['no path and no object', babs, [{ op: 'add', value: 'x' }], 'invalidValue'],
  ['U+0000', babs, [{ op: 'add', path: 'title', value: '\0' }], 'invalidValue'],
  ['two primaries at once', babs, [{ op: 'replace', path: 'emails.primary', value: true }], 'invalidValue'],
  ['a member without value', team, [{ op: 'add', path: 'members', value: [{ display: 'x' }] }], 'invalidValue'],
  ['an unknown schema in schemas', babs, [{ op: 'add', path: 'schemas', value: ['urn:x'] }], 'invalidSyntax'],
  ['an unknown op', babs, [{ op: 'move', path: 'title' }], 'invalidSyntax'],
  ['an operation that is none', babs, ['add' as unknown as object], 'invalidSyntax'],
  [
    'all because of the last (atomic)',
    babs,
    [
      { op: 'replace', path: 'title', value: 'x' },
      { op: 'remove', path: 'userName' },
    ],
    'mutability',
  ],
];
describe('RFC 7644 3.5.2: PATCH refuses', () => {
  for (const [name, resource, operations, code] of refusals) {
    it(`refuses ${name}`, () => {
      const type = resource.userName === undefined ? groupType : userType;
      assert.throws(
        () => patch(type, resource, ...operations),
        (error) => error instanceof Problem && error.code === code,
      );
    });
  }

  const many = Array.from({ length: 5_000 }, (_, i) => ({ value: `${i}@x.org` }));
  const crowd = { ...babs, emails: many };
  const tooMuch: Record<string, object[]> = {
    'values added one by one': many.map((value) => ({ op: 'add', path: 'emails', value })),
    'values chosen one by one': many.map(({ value }) => ({
      op: 'replace',
      path: `emails[value eq "${value}"].type`,
      value: 'home',
    })),
    'a long choice again and again': Array.from({ length: 10 }, () => ({
      op: 'remove',
      path: `emails[${Array.from({ length: 100 }, (_, i) => `display eq "${i}"`).join(' or ')}]`,
    })),
    'values removed that have no key': [{ op: 'remove', path: 'emails', value: many }],
  };
  for (const [name, operations] of Object.entries(tooMuch)) {
    it(`refuses work without end: ${name}`, () => {
      assert.throws(
        () => patch(userType, crowd, ...operations),
        (error) => error instanceof Problem && error.code === 'tooLarge' && error.field !== undefined,
      );
    });
  }
  it('takes the same values at once', () => {
    const { emails } = patch(userType, babs, { op: 'add', path: 'emails', value: many });
    assert.equal((emails as object[]).length, 5_002);
  });

  for (const body of [
    null,
    [],
    {},
    { Operations: [] },
    { schemas: [patchOpUrn] },
    { schemas: [patchOpUrn], Operations: [] },
    { schemas: [coreUserUrn], Operations: [{ op: 'remove', path: 'title' }] },
  ]) {
    it(`refuses the message ${JSON.stringify(body)}`, () => {
      assert.throws(
        () => readPatch(userType, body),
        (error) => error instanceof Problem && error.code === 'invalidSyntax',
      );
    });
  }
});
