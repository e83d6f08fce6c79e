import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { patchOpUrn } from '../../src/protocol/scim/message.ts';
import { readPatch, splitMembership } from '../../src/protocol/scim/patch.ts';
import { coreGroupUrn, groupType } from '../../src/protocol/scim/schema.ts';

describe('RFC 7644 3.5.2: membership without the members', () => {
  const split = (...operations: object[]) =>
    splitMembership(readPatch(groupType, { schemas: [patchOpUrn], Operations: operations }));

  const known: [string, object, object][] = [
    [
      'add',
      { op: 'add', path: 'members', value: [{ value: 'a', type: 'User', display: 'A', $ref: 'x' }] },
      { op: 'add', ids: [{ value: 'a', type: 'User', display: 'A' }] },
    ],
    ['add without path', { op: 'add', value: { members: [{ value: 'a' }] } }, { op: 'add', ids: [{ value: 'a' }] }],
    [
      'add with the URN',
      { op: 'add', path: `${coreGroupUrn}:members`, value: { value: 'a' } },
      { op: 'add', ids: [{ value: 'a' }] },
    ],
    ['remove by filter', { op: 'remove', path: 'members[value eq "a"]' }, { op: 'remove', ids: [{ value: 'a' }] }],
    [
      'remove by a filter of several',
      { op: 'remove', path: 'members[value eq "a" or (value eq "b" or VALUE EQ "c")]' },
      { op: 'remove', ids: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] },
    ],
    [
      'remove by value',
      { op: 'Remove', path: 'members', value: [{ value: 'a', $ref: null }] },
      { op: 'remove', ids: [{ value: 'a' }] },
    ],
    ['replace', { op: 'replace', path: 'members', value: [{ value: 'a' }] }, { op: 'replace', ids: [{ value: 'a' }] }],
    ['replace by nothing', { op: 'replace', path: 'members', value: [] }, { op: 'clear' }],
    ['remove all', { op: 'remove', path: 'members' }, { op: 'clear' }],
  ];
  for (const [name, operation, expected] of known) {
    it(name, () => assert.deepEqual(split(operation), { rest: [], members: [expected] }));
  }

  it('keeps the rest, in order', () => {
    const both = split(
      { op: 'replace', value: { displayName: 'n', members: [{ value: 'a' }] } },
      { op: 'add', path: 'externalId', value: 'e' },
    );
    assert.deepEqual(both?.members, [{ op: 'replace', ids: [{ value: 'a' }] }]);
    assert.deepEqual(
      both?.rest.map(({ op, target, value }) => [op, target.attribute.name, value]),
      [
        ['replace', 'displayName', 'n'],
        ['add', 'externalId', 'e'],
      ],
    );
  });

  for (const operation of [
    { op: 'remove', path: 'members[display eq "x"]' },
    { op: 'remove', path: 'members[value eq "a" and type eq "User"]' },
    { op: 'remove', path: 'members[value sw "a"]' },
    { op: 'remove', path: 'members[not (value eq "a")]' },
    { op: 'remove', path: 'members[value eq null]' },
    { op: 'remove', path: 'members[value eq "a"].display' },
    { op: 'replace', path: 'members[value eq "a"].display', value: 'x' },
    { op: 'add', path: 'members[value eq "a"]', value: { display: 'x' } },
  ]) {
    it(`leaves to applyPatch: ${JSON.stringify(operation)}`, () => assert.equal(split(operation), undefined));
  }
});
