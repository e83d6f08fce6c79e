import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scim2Dialect } from '../../src/connectors/scim/dialect.ts';
import { mapDialect } from '../../src/connectors/scim/mapping.ts';
import { readRemote, writeResourceBody } from '../../src/connectors/scim/resource.ts';
import { applyMapping, managedPaths, readPath } from '../../src/mapping/apply.ts';
import { differenceOf } from '../../src/mapping/difference.ts';
import type { Attributes, Json, MappingRow } from '../../src/mapping/rows.ts';

const scim2Mapping = mapDialect(scim2Dialect);
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const bob = {
  kind: 'user' as const,
  id: 'id-bob',
  name: 'SALES/bob',
  attributes: {
    userName: 'bob',
    name: { familyName: 'Ångström', givenName: '' },
    emails: [{ value: 'bob@acme.example', primary: true }],
    phoneNumbers: [],
    title: null,
    [enterprise]: { department: 'Field', manager: { value: 'id-ann' } },
  },
};

test('the default mapping: name and id, attributes, what is unassigned left out, active by default', () => {
  const mapped = applyMapping(scim2Mapping, bob, (id) => (id === 'id-ann' ? 'remote-ann' : undefined));
  assert.deepEqual(mapped.attributes, {
    userName: 'SALES/bob',
    externalId: 'id-bob',
    'name.familyName': 'Ångström',
    emails: [{ value: 'bob@acme.example', primary: true }],
    active: true,
    [`${enterprise}:department`]: 'Field',
    [`${enterprise}:manager`]: 'remote-ann',
  });
  assert.equal(mapped.sources.userName, '$name');
  assert.equal(mapped.sources.active, 'otherwise');
  assert.equal(mapped.sources['name.familyName'], 'name.familyName');
  assert.deepEqual([mapped.references, mapped.unresolved], [['id-ann'], []]);
});

test('active false is a value, not an absence', () => {
  const away = { ...bob, attributes: { ...bob.attributes, active: false } };
  assert.equal(applyMapping(scim2Mapping, away, () => undefined).attributes.active, false);
});

test('a reference without a remote id is left out and reported', () => {
  const mapped = applyMapping(scim2Mapping, bob, () => undefined);
  assert.equal(mapped.attributes[`${enterprise}:manager`], undefined);
  assert.deepEqual([mapped.references, mapped.unresolved], [['id-ann'], ['id-ann']]);
});

test('a group gets only the rows of groups', () => {
  const staff = {
    kind: 'group' as const,
    id: 'id-g',
    name: 'Staff',
    attributes: { displayName: 'Staff', active: true },
  };
  assert.deepEqual(applyMapping(scim2Mapping, staff, () => undefined).attributes, {
    displayName: 'Staff',
    externalId: 'id-g',
  });
  assert.deepEqual(managedPaths(scim2Mapping, 'group'), ['displayName', 'externalId']);
});

test('several rows to one path: the last with a value wins', () => {
  const rows: MappingRow[] = [
    { kind: 'user', to: 'displayName', from: '$name' },
    { kind: 'user', to: 'displayName', from: 'nickName' },
  ];
  const attributes = (nickName?: string) =>
    applyMapping(rows, { ...bob, attributes: nickName ? { nickName } : {} }, () => undefined).attributes;
  assert.deepEqual(attributes('Bo'), { displayName: 'Bo' });
  assert.deepEqual(attributes(), { displayName: 'SALES/bob' });
});

test('paths do not reach what is not the resource itself', () => {
  for (const path of ['constructor', '__proto__.x', 'name.constructor', 'emails.length', 'emails.0']) {
    assert.equal(readPath(bob.attributes, path), undefined, path);
  }
  assert.equal(readPath(bob.attributes, `${enterprise}:manager.value`), 'id-ann');
});

test('difference: only managed paths, exact texts, what is gone', () => {
  const desired = { title: 'Boss', nickName: 'b', department: 'x' };
  const actual = { title: 'boss', nickName: 'b', locale: 'sv', foreign: 'theirs' };
  assert.deepEqual(differenceOf(desired, actual, ['title', 'nickName', 'locale', 'userType']), {
    set: { title: 'Boss' },
    unset: ['locale'],
  });
});

test('difference of lists: as sets, and the target may add keys of its own', () => {
  const same = (want: Json, have: Json) =>
    Object.keys(differenceOf({ emails: want }, { emails: have }, ['emails']).set).length === 0;
  const work = { value: 'a', type: 'work', primary: true };
  const home = { value: 'b', type: 'home' };
  assert.ok(
    same(
      [work, home],
      [
        { ...home, display: 'b', primary: false },
        { ...work, $ref: 'x' },
      ],
    ),
  );
  assert.ok(same([{ ...home, primary: false }], [home]));
  assert.ok(!same([work], [{ ...work, type: 'home' }]));
  assert.ok(!same([work], [work, home]), 'an element too many is a difference');
  assert.ok(!same([work, home], [work]));
  assert.ok(!same([{ value: 'a' }, { value: 'a', type: 'work' }], [work, home]));
  assert.ok(
    same([{ value: 'a' }, { value: 'a', type: 'work' }], [work, { value: 'a', type: 'home' }]),
    'each needs an element of its own, and the first must leave the one that only the second can take',
  );
  assert.ok(same(['x', 'y'], ['y', 'x']));
  assert.ok(!same(['x', 'x'], ['x', 'y']));
});

const plain = fc.oneof(fc.string({ maxLength: 4 }), fc.boolean(), fc.integer({ min: 0, max: 3 }));
const element = fc.dictionary(fc.constantFrom('value', 'type', 'display'), plain, { minKeys: 1 });
const list = fc.array(fc.oneof(element, plain), { minLength: 1, maxLength: 5 });
const attributes = fc.dictionary(fc.constantFrom('a', 'b', 'name.x', 'emails', 'roles'), fc.oneof(plain, list), {
  noNullPrototype: true,
}) as fc.Arbitrary<Attributes>;
const managed = ['a', 'b', 'name.x', 'emails', 'roles'];

test('applying a difference leaves none, whatever the two were', () => {
  fc.assert(
    fc.property(attributes, attributes, (desired, actual) => {
      const { set, unset } = differenceOf(desired, actual, managed);
      const after: Attributes = { ...actual, ...set };
      for (const path of unset) delete after[path];
      assert.deepEqual(differenceOf(desired, after, managed), { set: {}, unset: [] });
      for (const path of Object.keys(set)) assert.deepEqual(set[path], desired[path]);
    }),
    { numRuns: 500 },
  );
});

test('order and keys that the target adds make no difference', () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (elements, shuffle) => {
      const there = elements
        .map((each, index) => ({ order: shuffle.next().value as number, each: { ...each, $ref: `r${index}` } }))
        .sort((left, right) => left.order - right.order)
        .map(({ each }) => each);
      assert.deepEqual(differenceOf({ emails: elements }, { emails: there }, ['emails']), { set: {}, unset: [] });
    }),
  );
});

test('attributes of custom extensions are mapped like core ones, there and back', () => {
  const urn = 'urn:scim:wso2:schema';
  const rows: MappingRow[] = [
    { kind: 'user', to: `${urn}:badge`, from: `${urn}:badge` },
    { kind: 'user', to: `${urn}:contract.until`, from: `${urn}:contract.until` },
    { kind: 'user', to: 'title', from: `${urn}:rank` },
    { kind: 'user', to: 'urn:vendor:2.0:User:tags', from: `${urn}:tags` },
  ];
  const custom = { badge: 7, contract: { until: '2030-01-01T00:00:00Z' }, rank: 'Captain', tags: ['a', 'b'] };
  const { attributes } = applyMapping(rows, { ...bob, attributes: { [urn]: custom } }, () => undefined);
  assert.deepEqual(attributes, {
    [`${urn}:badge`]: 7,
    [`${urn}:contract.until`]: '2030-01-01T00:00:00Z',
    title: 'Captain',
    'urn:vendor:2.0:User:tags': ['a', 'b'],
  });
  const body = writeResourceBody('user', attributes, undefined);
  assert.deepEqual(body[urn], { badge: 7, contract: { until: '2030-01-01T00:00:00Z' } });
  assert.deepEqual(body['urn:vendor:2.0:User'], { tags: ['a', 'b'] });
  assert.deepEqual((body.schemas as string[]).toSorted().slice(-2), [urn, 'urn:vendor:2.0:User']);
  const remote = readRemote('user', { ...body, id: 'r1' });
  assert.deepEqual(differenceOf(attributes, remote!.attributes, managedPaths(rows, 'user')), { set: {}, unset: [] });
});
