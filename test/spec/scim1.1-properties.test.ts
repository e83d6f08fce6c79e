import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { comparable } from '../../src/protocol/scim/comparable.ts';
import { checkFilter, matchesFilter } from '../../src/protocol/scim/match.ts';
import { applyPatch, splitMembership } from '../../src/protocol/scim/patch.ts';
import type { JsonObject, Resource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { readFilter } from '../../src/protocol/scim/v1/filter.ts';
import { coreUrn, enterpriseUrn } from '../../src/protocol/scim/v1/names.ts';
import { readPatch } from '../../src/protocol/scim/v1/patch.ts';
import { readResource, writeResource } from '../../src/protocol/scim/v1/resource.ts';

const sparse: { requiredKeys: []; noNullPrototype: true } = { requiredKeys: [], noNullPrototype: true };
const word = fc.constantFrom('a', 'A', 'b', '', 'work', 'home', 'x@y.z', 'and', 'or "', ')');
const operation = fc.constantFrom('delete', 'Delete', 'add', 7);
const email = fc.record({ value: word, type: word, primary: fc.boolean(), operation }, sparse);
const enterprise = fc.record({ department: word, manager: fc.record({ managerId: word }, sparse) }, sparse);
const names = fc.array(
  fc.constantFrom(
    'title',
    'TITLE',
    'name.givenName',
    'emails',
    'userName',
    'id',
    'nothing',
    `${enterpriseUrn}:manager`,
    enterpriseUrn,
    ':',
    'a b',
  ),
  { maxLength: 3 },
);
const partial = fc.record(
  {
    title: fc.oneof(word, fc.constant(null)),
    active: fc.boolean(),
    name: fc.record({ givenName: word, familyName: word }, sparse),
    emails: fc.array(fc.oneof(email, word), { maxLength: 4 }),
    addresses: fc.array(fc.record({ locality: word, type: word, operation }, sparse), { maxLength: 2 }),
    [enterpriseUrn]: enterprise,
    meta: fc.record({ attributes: names }, sparse),
    groups: fc.array(fc.record({ value: word }, sparse), { maxLength: 1 }),
  },
  sparse,
);
const user = fc.record(
  {
    schemas: fc.constantFrom([coreUrn], [], [coreUrn, enterpriseUrn]),
    userName: fc.constantFrom('u', 'V'),
    title: fc.constantFrom('a', 'b'),
    emails: fc.uniqueArray(fc.record({ value: word, type: word }, { requiredKeys: ['value'], noNullPrototype: true }), {
      selector: (one) => one.value.toLowerCase(),
      maxLength: 3,
    }),
    [enterpriseUrn]: enterprise,
  },
  { requiredKeys: ['userName'], noNullPrototype: true },
);

/** What `run` answers; undefined when it refused, which only a Problem may do. */
function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof Problem, String(error instanceof Error ? error.stack : error));
    return undefined;
  }
}

describe('SCIM 1.1, whatever comes in', () => {
  it('any JSON is read or refused, never our fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), partial as fc.Arbitrary<unknown>), (body) => {
        for (const type of [userType, groupType]) {
          unlessRefused(() => readResource(type, body));
          unlessRefused(() => readPatch(type, body));
        }
      }),
    );
  });

  it('what was read is written and read again without loss', () => {
    fc.assert(
      fc.property(user, (body) => {
        const read = unlessRefused(() => readResource(userType, body));
        if (!read) return;
        const again = readResource(userType, writeResource(read));
        assert.equal(comparable(again), comparable(read));
      }),
    );
  });

  it('a PATCH leaves a resource that can be read, and said again changes nothing more', () => {
    let done = 0;
    fc.assert(
      fc.property(user, partial, (body, change) => {
        const before = unlessRefused(() => readResource(userType, body));
        const operations = unlessRefused(() => readPatch(userType, change));
        if (!before || !operations) return;
        const after = unlessRefused(() => applyPatch(userType, before, operations));
        if (!after) return;
        done++;
        assert.ok(
          unlessRefused(() => readResource(userType, writeResource(after))),
          'the result is no resource',
        );
        for (const element of (after.emails ?? []) as JsonObject[]) assert.equal(element.operation, undefined);
        // Without a value nothing says which one is meant (draft-scim-api-01 section 3.3.2).
        const isKnown = (element: unknown) => typeof element === 'string' || Boolean((element as JsonObject).value);
        if (!(change.emails ?? []).every(isKnown)) return;
        const again = unlessRefused(() => applyPatch(userType, after, operations));
        if (again) assert.equal(comparable(again), comparable(after));
      }),
      { numRuns: 300 },
    );
    assert.ok(done > 30, `${done} of the changes were done`);
  });

  it('members of a group never need the others to be looked at', () => {
    const member = fc.record(
      { value: word, display: word, operation },
      { requiredKeys: ['value'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), names, (members, attributes) => {
        const operations = unlessRefused(() => readPatch(groupType, { members, meta: { attributes } }));
        if (operations) assert.ok(splitMembership(operations));
      }),
    );
  });

  it('any text is a filter or refused; one that is read can be evaluated', () => {
    const piece = fc.constantFrom(
      'userName',
      'title',
      'emails.type',
      'active',
      'meta.created',
      `${coreUrn}:name.givenName`,
      'eq',
      'Eq',
      'ne',
      'pr',
      'gt',
      'and',
      'or',
      'not',
      '(',
      ')',
      '[',
      ']',
      '"a"',
      '"',
      'a',
      '7',
      'true',
      '\\',
      ' ',
      '\u0000',
      '\ud800',
    );
    const babs: Resource = { schemas: [coreUserUrn], userName: 'a', title: 'a', active: true };
    let done = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const filter = unlessRefused(() => readFilter([userType], pieces.join(' ')));
        if (!filter) return;
        done++;
        unlessRefused(() => checkFilter(filter, [userType]));
        assert.equal(typeof matchesFilter(filter, babs, userType), 'boolean');
      }),
      { numRuns: 2_000 },
    );
    assert.ok(done > 5, `${done} of the texts were filters`);
  });
});
