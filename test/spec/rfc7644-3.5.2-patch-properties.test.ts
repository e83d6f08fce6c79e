import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { patchOpUrn } from '../../src/protocol/scim/message.ts';
import { applyPatch, readPatch, splitMembership } from '../../src/protocol/scim/patch.ts';
import { type JsonObject, type JsonValue, type Resource, readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';

const word = fc.constantFrom('a', 'A', 'b', 'c', '', 'work', 'home', 'x@y.z');
const flag = fc.constantFrom<JsonValue>(true, false, 'True', null);
const sparse = { requiredKeys: [], noNullPrototype: true };
const email = fc.record({ value: word, type: word, primary: flag, display: word }, sparse);
const member = fc.record({ value: word, type: word, display: word }, { ...sparse, requiredKeys: ['value'] });
const user = fc.record(
  {
    schemas: fc.constant([coreUserUrn]),
    userName: fc.constantFrom('u', 'v'),
    title: word,
    active: flag,
    name: fc.record({ givenName: word, familyName: word }, sparse),
    emails: fc.array(email, { maxLength: 4 }),
    [enterpriseUserUrn]: fc.record({ department: word, manager: fc.record({ value: word }, sparse) }, sparse),
  },
  { requiredKeys: ['schemas', 'userName'], noNullPrototype: true },
);
const group = fc.record(
  { schemas: fc.constant([coreGroupUrn]), displayName: fc.constant('g'), members: fc.array(member, { maxLength: 5 }) },
  { requiredKeys: ['schemas', 'displayName'], noNullPrototype: true },
);

const path = fc.constantFrom(
  'title',
  'TITLE',
  'userName',
  'active',
  'name',
  'name.givenName',
  'emails',
  'emails.type',
  'emails.primary',
  'emails[type eq "work"]',
  'emails[type eq "work" and primary eq true].value',
  'emails[value co "a" or not (type pr)].display',
  'emails[primary eq "True"].primary',
  'emails[',
  'members',
  'members[value eq "a"]',
  'members[value eq "a" or value eq "b"]',
  'members[value eq "a"].display',
  'id',
  'schemas',
  'nothing',
  enterpriseUserUrn,
  `${enterpriseUserUrn}:department`,
  `${enterpriseUserUrn}:manager`,
  `${enterpriseUserUrn}:manager.value`,
);
const anything = fc.oneof(
  word,
  flag,
  email,
  fc.array(email, { maxLength: 3 }),
  fc.array(member, { maxLength: 3 }),
  fc.record({ givenName: word, familyName: fc.constant(null) }, sparse),
  fc.record({ department: word, manager: word }, sparse),
  fc.record({ title: word, emails: fc.array(email), 'name.givenName': word, id: word }, sparse),
  fc.jsonValue({ maxDepth: 3 }),
);
const op = fc.constantFrom('add', 'remove', 'replace', 'Add', 'Remove', 'Replace');
const operation = fc.record({ op, path, value: anything }, { requiredKeys: ['op'], noNullPrototype: true });
const message = (operations: unknown) => ({ schemas: [patchOpUrn], Operations: operations });

/** What the RFC's rules forbid in a resource, whatever was done to it. */
function assertSound(type: typeof userType, resource: Resource): void {
  assert.deepEqual(readResource(type, resource), resource);
  for (const values of Object.values(resource)) {
    if (!Array.isArray(values)) continue;
    assert.ok(values.filter((value) => (value as JsonObject)?.primary === true).length <= 1);
    assert.ok(values.length > 0);
  }
}

/** Reads a resource, or says that this one is not one to try. */
function readOrSkip(type: typeof userType, given: unknown): Resource {
  try {
    return readResource(type, given);
  } catch (error) {
    if (error instanceof Problem) fc.pre(false);
    throw error;
  }
}

describe('RFC 7644 3.5.2: what holds for every PATCH', () => {
  it('gives a sound resource or a Problem, and leaves the input alone', () => {
    let applied = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ type: fc.constant(userType), given: user }),
          fc.record({ type: fc.constant(groupType), given: group }),
        ),
        fc.array(operation, { minLength: 1, maxLength: 3 }),
        ({ type, given }, operations) => {
          const resource = readOrSkip(type, given);
          const before = structuredClone(resource);
          try {
            assertSound(type, applyPatch(type, resource, readPatch(type, message(operations))));
            applied++;
          } catch (error) {
            if (!(error instanceof Problem)) throw error;
          }
          assert.deepEqual(resource, before);
        },
      ),
      { numRuns: 4000 },
    );
    assert.ok(applied > 200, `only ${applied} patches applied`);
  });

  it('an add done again changes nothing', () => {
    let applied = 0;
    // An add that changes what its own filter looks at chooses something else the second time.
    const shifting = ['emails[type eq "work"]', 'emails[primary eq "True"].primary'];
    const steady = path.filter((text) => !shifting.includes(text));
    fc.assert(
      fc.property(user, steady, anything, (given, target, value) => {
        const resource = readOrSkip(userType, given);
        let once: Resource;
        let operations: ReturnType<typeof readPatch>;
        try {
          operations = readPatch(userType, message([{ op: 'add', path: target, value }]));
          once = applyPatch(userType, resource, operations);
        } catch (error) {
          if (error instanceof Problem) return;
          throw error;
        }
        assert.deepEqual(applyPatch(userType, once, operations), once);
        applied++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(applied > 200, `only ${applied} patches applied`);
  });

  it('membership taken apart comes to the same members', () => {
    const membership = fc.oneof(
      fc.record(
        { op, path: fc.constant('members'), value: fc.array(member, { maxLength: 3 }) },
        { noNullPrototype: true },
      ),
      fc.constant({ op: 'remove', path: 'members' }),
      fc.constantFrom('a', 'A', 'b').map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })),
    );
    const hasIds = (resource: Resource) =>
      ((resource.members ?? []) as { value: string }[]).map(({ value }) => value).sort();
    fc.assert(
      fc.property(group, fc.array(membership, { minLength: 1, maxLength: 4 }), (given, wanted) => {
        const resource = readOrSkip(groupType, given);
        let operations: ReturnType<typeof readPatch>;
        try {
          operations = readPatch(groupType, message(wanted));
        } catch (error) {
          if (error instanceof Problem) return;
          throw error;
        }
        const split = splitMembership(operations);
        assert.ok(split);
        const ids = new Set(hasIds(resource));
        for (const said of split.members) {
          if (said.op === 'clear' || said.op === 'replace') ids.clear();
          if (said.op === 'clear') continue;
          for (const { value } of said.ids) {
            if (said.op === 'remove') ids.delete(value);
            else ids.add(value);
          }
        }
        assert.deepEqual([...new Set(hasIds(applyPatch(groupType, resource, operations)))], [...ids].sort());
      }),
      { numRuns: 1500 },
    );
  });
});
