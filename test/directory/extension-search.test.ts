import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { readDateTime } from '../../src/base/datetime.ts';
import { settleDeclaredAttributes } from '../../src/directory/declared-attributes.ts';
import { listSubjects } from '../../src/directory/search.ts';
import { createUser } from '../../src/directory/users.ts';
import { showSubjects } from '../../src/inbound/scim/resources.ts';
import type { Attribute, AttributeType } from '../../src/protocol/scim/attribute.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { checkFilter, matchesFilter } from '../../src/protocol/scim/match.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn } from '../../src/protocol/scim/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { typesOf } from '../extensions.ts';
import { origin } from './directory-fixtures.ts';

const urn = 'urn:scim:wso2:schema';
const baseUrl = 'https://purvey.example/scim2';
const seed = Number(process.env.PURVEY_TEST_SEED ?? 20261125);

/** Few values of each type, close to each other, so that random filters hold often. */
const samples: Record<Exclude<AttributeType, 'complex'>, readonly unknown[]> = {
  string: ['a', 'A', 'ab', 'É', 'e\u0301', '', ' ', 'true', '1', '😀', "o'h", 'quo"te', 'back\\slash'],
  boolean: [true, false],
  decimal: [0, -0.5, 0.1, 0.30000000000000004, 1, 1e21, 5e-324, 1.7976931348623157e308, 1234567.125, -1e-7],
  integer: [0, 1, -1, 10, 9, 9007199254740991],
  dateTime: [
    '2020-02-29T23:59:59Z',
    '2020-03-01T00:59:59+01:00',
    '2020-02-29T23:59:59.0001Z',
    '2020-02-29T24:00:00Z',
    '1969-12-31T23:59:59.999-14:00',
    '-0001-03-01T00:00:00Z',
    '12020-01-01T00:00:00',
  ],
  binary: ['QUJD', 'qujd', 'QQ==', ''],
  reference: ['https://x.example/a', 'https://X.example/a', 'a'],
};
const simpleTypes = Object.keys(samples) as (keyof typeof samples)[];

type Declared = { name: string; type: string; [characteristic: string]: unknown };

const simple = (name: string) =>
  fc.record({ type: fc.constantFrom(...simpleTypes), multiValued: fc.boolean(), caseExact: fc.boolean() }).map(
    ({ type, multiValued, caseExact }): Declared => ({
      name,
      type,
      multiValued,
      ...(type === 'string' ? { caseExact } : {}),
      ...(type === 'reference' ? { referenceTypes: ['uri'] } : {}),
    }),
  );
const complex = (name: string) =>
  fc
    .record({ multiValued: fc.boolean(), subs: fc.tuple(simple('value'), simple('two'), simple('three')) })
    .map(({ multiValued, subs }): Declared => ({ name, type: 'complex', multiValued, subAttributes: subs }));
const schema = fc
  .tuple(simple('s1'), simple('s2'), simple('s3'), simple('s4'), complex('c1'), complex('c2'))
  .map((attributes) => JSON.stringify({ schemas: [{ id: urn, name: 'n', resource: 'User', attributes }] }));

function valuesFor(attribute: Attribute): fc.Arbitrary<unknown> {
  const one: fc.Arbitrary<unknown> =
    attribute.type === 'complex'
      ? fc.record(Object.fromEntries((attribute.subAttributes ?? []).map((sub) => [sub.name, valuesFor(sub)])), {
          requiredKeys: [],
        })
      : fc.constantFrom(...samples[attribute.type]);
  return attribute.multiValued ? fc.array(one, { maxLength: 3 }) : one;
}

const ops = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];

function comparison(path: string, attribute: Attribute): fc.Arbitrary<string> {
  const leaf = attribute.type === 'complex' ? attribute.subAttributes![0]! : attribute;
  const own = samples[leaf.type as keyof typeof samples];
  const value = fc.constantFrom(...own, ...own, null, 'a', 1, true).map((one) => JSON.stringify(one));
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...ops), value).map(([op, one]) => `${path} ${op} ${one}`) },
    { weight: 1, arbitrary: fc.constant(`${path} pr`) },
  );
}

function joined(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: leaf.map((one) => `not (${one})`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `(${a} and ${b})`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `(${a} or not (${b}))`) },
  );
}

function filterOf(attributes: readonly Attribute[]): fc.Arbitrary<string> {
  const parts = attributes.flatMap((attribute) => {
    const path = `${urn}:${attribute.name}`;
    const whole = comparison(path, attribute);
    if (attribute.type !== 'complex') {
      return attribute.multiValued
        ? [whole, joined(comparison('value', attribute)).map((one) => `${path}[${one}]`)]
        : [whole];
    }
    const subs = attribute.subAttributes!;
    const inner = fc.oneof(...subs.map((sub) => comparison(sub.name, sub)));
    return [
      whole,
      ...subs.map((sub) => comparison(`${path}.${sub.name}`, sub)),
      joined(inner).map((one) => `${path}[${one}]`),
    ];
  });
  return joined(joined(fc.oneof(...parts)));
}

eachDatabase('a search over custom extensions finds what matchesFilter says', (bed) => {
  it('random schemas, random people, random filters', async () => {
    const store = await bed.open();
    const isFast = store.dialect.name === 'sqlite';
    const counts = { meant: 0, parted: 0 };
    const runs = isFast ? 12 : 4;
    for (const [run, text] of fc.sample(schema, { numRuns: runs, seed }).entries()) {
      await store.write(async (tx) => {
        for (const table of ['subjects', 'declared_attributes', 'unique_values', 'changes'] as const) {
          await tx.all(tx.q.deleteFrom(table));
        }
      });
      await checkSchema(store, text, { seed: seed + run, people: 40, filters: isFast ? 120 : 80 }, counts);
    }
    assert.ok(counts.meant > runs * 25, `${counts.meant} filters had a meaning`);
    assert.ok(counts.parted > runs * 10, `${counts.parted} filters parted the directory`);
  });

  async function checkSchema(
    store: Store,
    text: string,
    much: { seed: number; people: number; filters: number },
    counts: { meant: number; parted: number },
  ): Promise<void> {
    const types = typesOf(text);
    const type = types.user;
    const { attributes } = type.extensions.find(({ id }) => id === urn)!;
    assert.deepEqual(await settleDeclaredAttributes(store, types), []);
    const one = fc.record(Object.fromEntries(attributes.map((each) => [each.name, valuesFor(each)])), {
      requiredKeys: [],
    });
    const people = fc.sample(one, { numRuns: much.people, seed: much.seed });
    await store.write(async (tx) => {
      for (const [i, custom] of people.entries()) {
        const body = { schemas: [coreUserUrn], userName: `user${i}`, [urn]: custom };
        await createUser(tx, readResource(type, body), { origin, type });
      }
    });
    const all = await store.read(async (reading) => {
      const { subjects } = await listSubjects(reading, 'user', { startIndex: 1, count: 1_000, types });
      return showSubjects(reading, 'user', subjects, { types, baseUrl, projection: {} });
    });
    assert.equal(all.length, much.people);
    const find = async (filter: string, sortBy?: string) => {
      const search = {
        filter: parseFilter(filter),
        startIndex: 1,
        count: 1_000,
        baseUrl,
        types,
        ...(sortBy ? { sortBy } : {}),
      };
      const { subjects } = await store.read((reading) => listSubjects(reading, 'user', search));
      return subjects.map(({ id }) => id);
    };
    for (const filter of fc.sample(filterOf(attributes), { numRuns: much.filters, seed: much.seed })) {
      const parsed = parseFilter(filter);
      try {
        checkFilter(parsed, [type]);
      } catch {
        await assert.rejects(find(filter), { code: 'invalidFilter' }, filter);
        continue;
      }
      counts.meant++;
      const expected = all.filter((resource) => matchesFilter(parsed, resource, type)).map(({ id }) => id);
      if (expected.length > 0 && expected.length < all.length) counts.parted++;
      assert.deepEqual(await find(filter), expected, `${filter} over ${text}`);
    }
    for (const { name, type: kind, subAttributes } of attributes) {
      const isWhole = kind === 'complex' && subAttributes?.[0]?.multiValued;
      const sorted = find('userName pr', `${urn}:${name}`);
      if (isWhole) await assert.rejects(sorted, { code: 'invalidPath' });
      else assert.deepEqual((await sorted).toSorted(), all.map(({ id }) => id).toSorted());
    }
  }

  it('numbers and times are compared as they are, to the last bit', async () => {
    const store = await bed.open();
    const types = typesOf(
      JSON.stringify({
        schemas: [
          {
            id: urn,
            name: 'n',
            resource: 'User',
            attributes: [
              { name: 'n', type: 'decimal' },
              { name: 't', type: 'dateTime' },
            ],
          },
        ],
      }),
    );
    const moment = fc
      .record({
        year: fc.integer({ min: -9999, max: 99_999 }),
        rest: fc.date({ min: new Date(0), max: new Date(86_400_000 * 364), noInvalidDate: true }),
        fraction: fc.option(fc.integer({ min: 0, max: 999_999_999 })),
        zone: fc.constantFrom('', 'Z', '+14:00', '-09:30'),
      })
      .map(({ year, rest, fraction, zone }) => {
        const digits = `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}`;
        const second = fraction === null ? '' : `.${String(fraction).padStart(9, '0')}`;
        return `${digits}${rest.toISOString().slice(4, 19)}${second}${zone}`;
      });
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const pairs = fc.sample(fc.tuple(number, moment), { numRuns: 150, seed });
    await store.write(async (tx) => {
      for (const [i, [n, t]] of pairs.entries()) {
        const body = { schemas: [coreUserUrn], userName: `user${i}`, [urn]: { n, t } };
        await createUser(tx, readResource(types.user, body), { origin, type: types.user });
      }
    });
    const { dialect } = store;
    const rows = await store.read((reading) =>
      reading.all<{ doc: string; n: number; t: number }>({
        compile: () =>
          sql`select doc, ${dialect.jsonNumber(sql.ref('doc'), [urn, 'n'])} as n,
            ${dialect.moment(dialect.jsonText(sql.ref('doc'), [urn, 't']))} as t from subjects`.compile(reading.q),
      }),
    );
    assert.equal(rows.length, 150);
    for (const { doc, n, t } of rows) {
      const stored = JSON.parse(doc)[urn] as { n: number; t: string };
      assert.equal(n + 0, stored.n + 0);
      assert.equal(t, readDateTime(stored.t), stored.t);
    }
  });
});
