import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import fc from 'fast-check';
import { createGroup } from '../../src/directory/groups.ts';
import { listSubjects } from '../../src/directory/search.ts';
import type { Subject } from '../../src/directory/subjects.ts';
import { createUser } from '../../src/directory/users.ts';
import { showSubjects } from '../../src/inbound/scim/resources.ts';
import { type Filter, formatFilter, parseFilter } from '../../src/protocol/scim/filter.ts';
import { checkFilter, matchesFilter } from '../../src/protocol/scim/match.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import { enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { groupBody, origin, userBody } from './directory-fixtures.ts';

const baseUrl = 'https://purvey.example/scim2';
const types = { user: userType, group: groupType } as const;

/** Few values, close to each other, so that random filters hold often: case, accents, wildcards, code point order. */
const texts = [
  'a',
  'A',
  'ab',
  'AB',
  'b',
  'É',
  'e\u0301',
  'éa',
  'İstanbul',
  'ΣΊΣΥΦΟΣ',
  'σίσυφος',
  '小明',
  '😀',
  '\uffee',
  '100%',
  'x_y',
  "o'hara",
  'back\\slash',
  'quo"te',
  ' ',
  'true',
  '12',
];
const text = fc.constantFrom(...texts);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const email = fc.record(
  { value: text, type: fc.constantFrom('work', 'Home'), primary: fc.boolean(), display: fc.constantFrom('', 'a') },
  { requiredKeys: [] },
);

const person = fc.record({
  externalId: maybe(text),
  displayName: maybe(fc.oneof(text, fc.constant(''), fc.constant('a'.repeat(600)), fc.constant(`${'a'.repeat(600)}b`))),
  title: maybe(fc.oneof(text, fc.constant(''))),
  active: maybe(fc.boolean()),
  name: maybe(fc.record({ givenName: text, familyName: text, formatted: fc.constant('') }, { requiredKeys: [] })),
  emails: maybe(fc.array(email, { maxLength: 3 })),
  x509Certificates: maybe(fc.constant([{ value: 'QUJD' }])),
  [enterpriseUserUrn]: maybe(
    fc.record({ department: text, manager: fc.record({ value: text }) }, { requiredKeys: [] }),
  ),
});

function onePrimary(one: { emails?: { primary?: boolean }[] | undefined }): object {
  let seen = false;
  const emails = one.emails?.map((each) => {
    const primary = each.primary && !seen;
    seen ||= each.primary === true;
    return each.primary === undefined ? each : { ...each, primary };
  });
  return emails ? { ...one, emails } : one;
}

const paths = {
  user: [
    'userName',
    'USERNAME',
    'externalId',
    'id',
    'displayName',
    'title',
    'active',
    'name.givenName',
    'name.familyName',
    'emails',
    'emails.value',
    'emails.type',
    'emails.primary',
    'x509Certificates.value',
    'groups',
    'groups.value',
    'groups.display',
    'groups.type',
    'groups.$ref',
    'schemas',
    'meta.resourceType',
    'meta.location',
    'meta.version',
    'meta.created',
    'meta.lastModified',
    `${userType.schema.id}:userName`,
    `${enterpriseUserUrn}:department`,
    `${enterpriseUserUrn}:manager`,
    `${enterpriseUserUrn}:manager.value`,
    'department',
  ],
  group: [
    'displayName',
    'externalId',
    'id',
    'members',
    'members.value',
    'members.display',
    'members.type',
    'members.$ref',
    'meta.resourceType',
    'meta.location',
    'schemas',
  ],
} as const;
const wholes = {
  user: ['name', 'emails', 'groups', 'meta', 'schemas', 'manager'],
  group: ['members', 'meta'],
} as const;
const inner = ['value', 'type', 'primary', 'display', 'givenName', 'familyName', '$ref', 'created', 'resourceType'];
const ops = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'];

function filterOf(kind: 'user' | 'group', values: readonly unknown[]): fc.Arbitrary<string> {
  const value = fc.constantFrom(...values.map((one) => JSON.stringify(one)));
  const compareOn = (path: fc.Arbitrary<string>) =>
    fc.tuple(path, fc.constantFrom(...ops), value).map(([p, op, v]) => (op === 'pr' ? `${p} pr` : `${p} ${op} ${v}`));
  const combine = (leaf: fc.Arbitrary<string>, depth: number): fc.Arbitrary<string> => {
    if (depth === 0) return leaf;
    const part = combine(leaf, depth - 1);
    return fc.oneof(
      { weight: 3, arbitrary: leaf },
      { weight: 1, arbitrary: part.map((one) => `not (${one})`) },
      { weight: 1, arbitrary: fc.tuple(part, part).map(([a, b]) => `(${a} and ${b})`) },
      { weight: 1, arbitrary: fc.tuple(part, part).map(([a, b]) => `(${a} or ${b})`) },
    );
  };
  const relative = combine(compareOn(fc.constantFrom(...inner)), 1);
  const has = fc.tuple(fc.constantFrom(...wholes[kind]), relative).map(([path, part]) => `${path}[${part}]`);
  const leaf = fc.oneof(
    { weight: 4, arbitrary: compareOn(fc.constantFrom(...paths[kind])) },
    { weight: 1, arbitrary: has },
    { weight: 1, arbitrary: fc.constantFrom(...wholes[kind]).map((path) => `${path} pr`) },
  );
  return combine(leaf, 2);
}

function isMeant(filter: Filter, kind: 'user' | 'group'): boolean {
  try {
    checkFilter(filter, [types[kind]]);
    return true;
  } catch {
    return false;
  }
}

eachDatabase('a search finds what matchesFilter says', (bed) => {
  let store: Store;
  const all: Record<'user' | 'group', Resource[]> = { user: [], group: [] };
  let values: unknown[] = [];

  before(async () => {
    store = await bed.open();
    const people = fc.sample(person, { numRuns: 60, seed: 4711 });
    const ids = await store.write(async (tx) => {
      await tx.all(tx.q.insertInto('user_store_domains').values({ name: 'SALES', description: null }));
      const made: string[] = [];
      for (const [i, one] of people.entries()) {
        const userName = `${i % 7 === 0 ? 'SALES/' : ''}${texts[i % texts.length]}${i < texts.length ? '' : i}`;
        const unique = ['a', 'A', 'AB', 'e\u0301', 'σίσυφος', ' '].includes(userName) ? `${userName}${i}` : userName;
        const body = userBody({ ...onePrimary(one as never), userName: unique });
        made.push((await createUser(tx, body, { origin })).id);
      }
      for (const [i, displayName] of ['Team', 'ΣΊΣΥΦΟΣ', 'ab', 'a%', 'Empty'].entries()) {
        const members = displayName === 'Empty' ? [] : made.filter((_, n) => n % (i + 3) === 0);
        const body = groupBody({
          displayName,
          members: members.map((value) => ({ value })),
          ...(i % 2 ? { externalId: 'a' } : {}),
        });
        const group = await createGroup(tx, body, { origin });
        if (i < 2) made.push(group.id);
      }
      return made;
    });
    for (const kind of ['user', 'group'] as const) {
      all[kind] = await store.read(async (reading) => {
        const { subjects } = await listSubjects(reading, kind, { startIndex: 1, count: 1000 });
        return showSubjects(reading, kind, subjects, { types, baseUrl, projection: {} });
      });
    }
    const created = Date.parse(all.user[30]!.meta!.created!);
    values = [
      ...texts,
      '',
      true,
      false,
      'False',
      null,
      12,
      ids[0],
      ids[3],
      'work',
      'HOME',
      'User',
      'user',
      'direct',
      'indirect',
      'Team',
      'W/"1"',
      `${baseUrl}/Users/${ids[0]}`,
      `${baseUrl.toUpperCase()}/groups/`,
      `${baseUrl}/Users/`,
      enterpriseUserUrn,
      'SALES/a',
      'a'.repeat(600),
      'a'.repeat(501),
      new Date(created).toISOString(),
      new Date(created).toISOString().replace('Z', '5Z'),
      new Date(created + 3_600_000).toISOString().replace('Z', '+01:00'),
      '2001-01-01T00:00:00Z',
      'QUJD',
    ];
  });

  async function idsFound(kind: Subject['kind'] | Subject['kind'][], filter: Filter): Promise<string[]> {
    const { total, subjects } = await store.read((reading) =>
      listSubjects(reading, kind, { filter, startIndex: 1, count: 1000, baseUrl }),
    );
    assert.equal(total, subjects.length);
    return subjects.map((subject) => subject.id);
  }

  for (const kind of ['user', 'group'] as const) {
    it(`random filters over ${kind}s`, async () => {
      let meant = 0;
      let held = 0;
      await fc.assert(
        fc.asyncProperty(filterOf(kind, values), async (text) => {
          const filter = parseFilter(text);
          if (!isMeant(filter, kind)) {
            await assert.rejects(idsFound(kind, filter), { code: 'invalidFilter' });
            return;
          }
          meant++;
          const expected = all[kind]
            .filter((resource) => matchesFilter(filter, resource, types[kind]))
            .map((resource) => resource.id!);
          if (expected.length > 0 && expected.length < all[kind].length) held++;
          assert.deepEqual(await idsFound(kind, filter), expected, formatFilter(filter));
        }),
        { numRuns: 400, seed: Number(process.env.PURVEY_TEST_SEED ?? 20260302) },
      );
      assert.ok(meant > 120, `${meant} filters had a meaning`);
      assert.ok(held > 25, `${held} filters parted the directory`);
    });

    it(`random filters of ${kind}s over users and groups together`, async () => {
      let held = 0;
      await fc.assert(
        fc.asyncProperty(filterOf(kind, values), async (text) => {
          const filter = parseFilter(text);
          if (!isMeant(filter, kind)) return;
          const matches = (one: 'user' | 'group') =>
            all[one].filter((resource) => matchesFilter(filter, resource, types[one])).map((resource) => resource.id!);
          const expected = [...matches('user'), ...matches('group')].sort();
          if (matches('user').length > 0 && matches('group').length > 0) held++;
          assert.deepEqual(await idsFound(['user', 'group'], filter), expected, formatFilter(filter));
        }),
        { numRuns: 200, seed: Number(process.env.PURVEY_TEST_SEED ?? 20260302) },
      );
      assert.ok(held > 10, `${held} filters held of users and of groups`);
    });

    it(`each operator on each attribute of ${kind}s, alone and under not`, async () => {
      for (const [p, path] of paths[kind].entries()) {
        for (const [o, op] of ops.entries()) {
          // A fifth of the values at a time, another fifth for the next: all of them meet every path and every operator.
          for (const value of op === 'pr' ? [''] : values.filter((_, v) => (v + p + o) % 5 === 0)) {
            const plain = op === 'pr' ? `${path} pr` : `${path} ${op} ${JSON.stringify(value)}`;
            const filter = parseFilter(plain);
            if (!isMeant(filter, kind)) continue;
            const expected = all[kind].filter((resource) => matchesFilter(filter, resource, types[kind]));
            assert.deepEqual(
              await idsFound(kind, filter),
              expected.map((one) => one.id),
              plain,
            );
            const rest = all[kind].filter((resource) => !expected.includes(resource));
            const negated = await idsFound(kind, { op: 'not', part: filter });
            assert.deepEqual(
              negated,
              rest.map((one) => one.id),
              `not (${plain})`,
            );
          }
        }
      }
    });
  }

  it('a value that no text can be is refused, not found', async () => {
    for (const value of ['\ud83d', 'a\0b']) {
      const filter: Filter = { op: 'eq', path: { attr: 'title' }, value };
      await assert.rejects(idsFound('user', filter), { code: 'invalidFilter' });
      await assert.rejects(idsFound('user', { ...filter, path: { attr: 'userName' } }), { code: 'invalidFilter' });
    }
  });

  it('pages are disjoint, whole and in one order; total is the same on each', async () => {
    const filter = parseFilter('not (externalId eq "a")');
    const whole = await idsFound('user', filter);
    const paged: string[] = [];
    for (let startIndex = 1; ; startIndex += 7) {
      const page = await store.read((reading) => listSubjects(reading, 'user', { filter, startIndex, count: 7 }));
      assert.equal(page.total, whole.length);
      paged.push(...page.subjects.map((subject) => subject.id));
      if (page.subjects.length === 0) break;
    }
    assert.deepEqual(paged, whole);
    const none = await store.read((reading) => listSubjects(reading, 'user', { filter, startIndex: 1, count: 0 }));
    assert.deepEqual(none, { total: whole.length, subjects: [] });
  });
});
