import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery, sql } from 'kysely';
import { compileFilter } from '../../src/directory/filter-sql.ts';
import { walkSubjects } from '../../src/directory/search.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { customGroupUrn, customSchemas, customUrn, typesOf } from '../extensions.ts';

const types = typesOf(customSchemas);

/** Filters that must not read everyone, and the index each goes through. */
const indexed = [
  ['user', 'userName eq "ada"', /subjects_name/],
  ['user', 'userName sw "ad"', /subjects_name/],
  ['user', 'externalId eq "x"', /subjects_external/],
  ['user', 'displayName eq "Ada"', /subjects_display/],
  ['user', 'displayName sw "Ad"', /subjects_display/],
  ['user', 'id eq "x"', /subjects_pkey|subjects_order|sqlite_autoindex_subjects_1/],
  ['user', 'emails.value eq "a@x.org"', /subject_keys_value/],
  ['user', 'emails eq "a@x.org"', /subject_keys_value/],
  ['user', 'emails[type eq "work" and value eq "a@x.org"]', /subject_keys_value/],
  ['user', 'groups.value eq "id10"', /members_pkey|s USING PRIMARY KEY|members USING PRIMARY KEY/],
  ['user', `${customUrn}:badge eq "b"`, /unique_values_pkey|unique_values USING PRIMARY KEY/],
  ['user', `${customUrn}:devices[value eq "b" and type eq "x"]`, /unique_values_pkey|unique_values USING PRIMARY KEY/],
  ['group', `${customGroupUrn}:number eq 5`, /unique_values_pkey|unique_values USING PRIMARY KEY/],
  ['user', 'userName eq "ada" and active eq true', /subjects_name/],
  ['group', 'displayName eq "Team"', /subjects_name/],
  ['group', 'externalId eq "x"', /subjects_external/],
] as const;

/** PostgreSQL chooses by what is there: thirty thousand people, and it knows it. */
async function fill(store: Store): Promise<void> {
  const statements = [
    `insert into subjects select 'id' || n, case when n % 10 = 0 then 'group' else 'user' end, 'PRIMARY', 'name' || n,
       'live', n, 'external' || n, 'display' || n, '{"userName": "x", "displayName": "x"}', 1, n, n
       from generate_series(1, 30000) n`,
    `insert into subject_keys select 'id' || n, 'user', 'emails.value', 'e' || n from generate_series(1, 5000) n`,
    `insert into unique_values select 'user', 'a' || n, '=' || n, 'id' || n from generate_series(1, 5000) n`,
    `insert into members select 'id' || (n / 10 * 10), 'id' || n from generate_series(1, 5000) n`,
    'analyze subjects',
    'analyze unique_values',
    'analyze members',
    'analyze subject_keys',
  ];
  await store.write(async (tx) => {
    for (const text of statements) await tx.all({ compile: () => CompiledQuery.raw(text) });
  });
}

eachDatabase('a search by an indexed attribute', (bed) => {
  it('goes through its index', async () => {
    const store = await bed.open();
    if (bed.kind === 'postgres') await fill(store);
    for (const [kind, text, index] of indexed) {
      const plan = await store.write(async (tx) => {
        const type = types[kind];
        const condition = compileFilter(parseFilter(text), kind, type, tx.dialect, '');
        const explain = sql.raw(bed.kind === 'postgres' ? 'explain' : 'explain query plan');
        const query = sql`${explain} select * from subjects s
          where s.kind = ${sql.lit(kind)} and s.life = 'live' and ${condition}`;
        return JSON.stringify(await tx.all({ compile: () => query.compile(tx.q) }));
      });
      assert.match(plan, index, text);
      assert.doesNotMatch(plan, /SCAN s\b|Seq Scan/, text);
    }
  });

  it('a page of a walk is read from its place in an index, wherever it is', async () => {
    let texts: string[] = [];
    const store = await bed.open({ onStatement: (text) => void texts.push(text) });
    if (bed.kind === 'postgres') await fill(store);
    const after = { key: 'name500', id: 'id500' };
    const walks = [
      ['user', {}, /subjects_order/],
      ['group', {}, /subjects_order/],
      [['user', 'group'], {}, /subjects_order/],
      ['user', { sortBy: 'userName' }, /subjects_name/],
      ['user', { sortBy: 'userName', sortOrder: 'descending' }, /subjects_name/],
      ['group', { sortBy: 'displayName' }, /subjects_name/],
    ] as const;
    for (const [kinds, order, index] of walks) {
      texts = [];
      await store.read((reading) => walkSubjects(reading, kinds, { ...order, count: 20, after }));
      const text = texts.find((one) => one.includes('from subjects s'))!;
      const explain = bed.kind === 'postgres' ? 'explain (generic_plan)' : 'explain query plan';
      const plan = await store.read(async (reading) =>
        JSON.stringify(await reading.all({ compile: () => CompiledQuery.raw(`${explain} ${text}`) })),
      );
      const what = JSON.stringify([kinds, order, plan]);
      assert.match(plan, index, what);
      assert.doesNotMatch(plan, /SCAN s\b|Seq Scan/, what);
      // Who has the same name is sorted by id among themselves, at most two.
      const sorts = plan.replaceAll(/Incremental Sort|Sort Key|LAST TERM OF ORDER BY/g, '');
      if (kinds === 'user' || kinds === 'group') assert.doesNotMatch(sorts, /Sort\b|ORDER BY/, what);
    }
  });
});
