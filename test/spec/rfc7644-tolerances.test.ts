import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { matchesFilter } from '../../src/protocol/scim/match.ts';
import { patchOpUrn } from '../../src/protocol/scim/message.ts';
import { applyPatch, readPatch } from '../../src/protocol/scim/patch.ts';
import { type QuirkName, quirks } from '../../src/protocol/scim/quirks.ts';
import { type Resource, readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { readFilter as readScim1Filter } from '../../src/protocol/scim/v1/filter.ts';
import { readResource as readScim1Resource } from '../../src/protocol/scim/v1/resource.ts';

const work = { value: 'b@example.com', type: 'work' };
const babs: Resource = { schemas: [coreUserUrn], id: '1', userName: 'b', emails: [work] };
const team: Resource = {
  schemas: [coreGroupUrn],
  id: 'g',
  displayName: 'Team',
  members: [{ value: 'a' }, { value: 'b' }],
};

function patch(resource: Resource, ...operations: object[]): Resource {
  const type = resource === team ? groupType : userType;
  return applyPatch(type, resource, readPatch(type, { schemas: [patchOpUrn], Operations: operations }));
}

/** Those of the HTTP door are tried in `test/doors/scim-quirks.test.ts`. */
type OfTheDoor = 'domainParameter' | 'membersEitherWay' | 'plainJson' | 'slashAtTheEnd';
const ofTheDoor: readonly string[] = ['domainParameter', 'membersEitherWay', 'plainJson', 'slashAtTheEnd'];

/** Exactly one test for each other row of the table. */
const tests: Record<Exclude<QuirkName, OfTheDoor>, () => void> = {
  capitalisedOperations() {
    const done = patch(
      babs,
      { op: 'Add', path: 'title', value: 'a' },
      { op: 'Replace', path: 'nickName', value: 'n' },
      { op: 'REMOVE', path: 'emails' },
    );
    assert.deepEqual(done, { schemas: [coreUserUrn], id: '1', userName: 'b', title: 'a', nickName: 'n' });
  },
  textBooleans() {
    assert.equal(readResource(userType, { schemas: [coreUserUrn], userName: 'b', active: 'False' }).active, false);
    assert.equal(patch(babs, { op: 'Replace', path: 'active', value: 'False' }).active, false);
    const primary = patch(babs, { op: 'add', path: 'emails', value: { value: 'p', primary: 'True' } });
    assert.deepEqual(patch(primary, { op: 'remove', path: 'emails[primary eq "True"]' }).emails, [work]);
    assert.equal(matchesFilter(parseFilter('emails.primary eq "TRUE"'), primary, userType), true);
    assert.throws(() => patch(babs, { op: 'Replace', path: 'active', value: 'no' }), Problem);
  },
  dottedKeys() {
    const value = {
      'name.givenName': 'B',
      'emails[type eq "work"].value': 'new@example.com',
      [`${enterpriseUserUrn}:department`]: 'Sales',
      [`${enterpriseUserUrn}:manager.value`]: 'm',
      'no.such': 1,
      'odd:key here': 1,
    };
    assert.deepEqual(patch(babs, { op: 'replace', value }), {
      ...babs,
      schemas: [coreUserUrn, enterpriseUserUrn],
      name: { givenName: 'B' },
      emails: [{ value: 'new@example.com', type: 'work' }],
      [enterpriseUserUrn]: { department: 'Sales', manager: { value: 'm' } },
    });
    assert.throws(() => patch(babs, { op: 'replace', value: { 'emails[type eq': 'x' } }), Problem);
  },
  commonKeysWithoutPath() {
    const value = { id: 'g', schemas: [coreGroupUrn], meta: { resourceType: 'Group' }, displayName: 'New' };
    assert.deepEqual(patch(team, { op: 'replace', value }), { ...team, displayName: 'New' });
  },
  removeByValue() {
    const kept = { ...team, members: [{ value: 'b' }] };
    assert.deepEqual(patch(team, { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }] }), kept);
    assert.deepEqual(patch(team, { op: 'Remove', path: 'members', value: { value: 'a', display: 'any' } }), kept);
    assert.deepEqual(patch(team, { op: 'remove', path: 'members', value: [{ value: 'zzz' }] }), team);
    assert.deepEqual(patch(team, { op: 'remove', path: 'members', value: [] }), team);
    assert.equal(patch(team, { op: 'remove', path: 'members', value: null }).members, undefined);
    assert.deepEqual(patch(babs, { op: 'remove', path: 'emails', value: [{ type: 'home' }] }), babs);
    assert.equal(patch(babs, { op: 'remove', path: 'emails', value: [{ value: 'B@example.com' }] }).emails, undefined);
  },
  bareComplexValue() {
    const path = `${enterpriseUserUrn}:manager`;
    const managed = {
      ...babs,
      schemas: [coreUserUrn, enterpriseUserUrn],
      [enterpriseUserUrn]: { manager: { value: 'm' } },
    };
    assert.deepEqual(patch(babs, { op: 'Add', path, value: 'm' }), managed);
    assert.deepEqual(patch(babs, { op: 'Add', path, value: [{ value: 'm' }] }), managed);
    assert.deepEqual(patch(managed, { op: 'Replace', path, value: '' }), babs);
    assert.throws(() => patch(babs, { op: 'add', path: 'name', value: 'B' }), Problem);
  },
  addCreatesFilteredValue() {
    const done = patch(babs, { op: 'Add', path: 'emails[type eq "home" and primary eq "True"].value', value: 'h' });
    assert.deepEqual(done.emails, [work, { type: 'home', primary: true, value: 'h' }]);
    const whole = patch(babs, { op: 'add', path: 'addresses[type eq "work"]', value: { region: 'CA' } });
    assert.deepEqual(whole.addresses, [{ type: 'work', region: 'CA' }]);
  },
  valuePathComparison() {
    assert.deepEqual(
      parseFilter('emails[type eq "work"].value eq "x" and title pr'),
      parseFilter('emails[type eq "work" and value eq "x"] and title pr'),
    );
    assert.deepEqual(parseFilter('emails[a pr or b pr].value pr'), parseFilter('emails[(a pr or b pr) and value pr]'));
  },
  spareSpace() {
    assert.deepEqual(
      parseFilter(' \n userName  eq"x"\t and\r\n ( title pr )  '),
      parseFilter('userName eq "x" and (title pr)'),
    );
  },
  schemasLeftOut() {
    for (const body of [{ userName: 'b' }, { schemas: [], userName: 'b' }]) {
      assert.deepEqual(readScim1Resource(userType, body), { schemas: [coreUserUrn], userName: 'b' });
    }
    assert.throws(() => readScim1Resource(userType, { schemas: ['urn:x'], userName: 'b' }), Problem);
  },
  bareFilterValues() {
    const quoted = readScim1Filter([userType], 'userName eq "My Own" and (title eq "7")');
    assert.deepEqual(readScim1Filter([userType], 'userName Eq My Own and (title Eq 7)'), quoted);
  },
  plainTextElements() {
    const { emails } = readScim1Resource(userType, { userName: 'b', emails: ['a@example.com', work] });
    assert.deepEqual(emails, [{ value: 'a@example.com' }, work]);
  },
};

describe('RFC 7644: what we understand beyond it', () => {
  const tried = new Set<string>();
  for (const [name, test] of Object.entries(tests)) {
    it(`${name} (${quirks[name as QuirkName].peer})`, () => {
      test();
      tried.add(name);
    });
  }
  const wanted = Object.keys(quirks).filter((name) => !ofTheDoor.includes(name));
  after(() => assert.deepEqual([...tried].sort(), wanted.sort(), 'every quirk of the table is tried'));
});
