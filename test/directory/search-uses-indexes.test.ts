import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery, sql } from 'kysely';
import { compileFilter } from '../../src/directory/filter-sql.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { groupType, userType } from '../../src/protocol/scim/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';

/** Filters that must not read everyone, and the index each goes through. */
const indexed = [
  ['user', 'userName eq "ada"', /subjects_name/],
  ['user', 'userName sw "ad"', /subjects_name/],
  ['user', 'externalId eq "x"', /subjects_external/],
  ['user', 'displayName eq "Ada"', /subjects_display/],
  ['user', 'id eq "x"', /subjects_pkey|subjects_order|sqlite_autoindex_subjects_1/],
  ['user', 'emails.value eq "a@x.org"', /subject_keys_value/],
  ['user', 'emails eq "a@x.org"', /subject_keys_value/],
  ['user', 'emails[type eq "work" and value eq "a@x.org"]', /subject_keys_value/],
  ['user', 'userName eq "ada" and active eq true', /subjects_name/],
  ['group', 'displayName eq "Team"', /subjects_name/],
  ['group', 'externalId eq "x"', /subjects_external/],
] as const;

/** PostgreSQL chooses by what is there: five thousand people, and it knows it. */
async function fill(store: Store): Promise<void> {
  const statements = [
    `insert into subjects select 'id' || n, case when n % 10 = 0 then 'group' else 'user' end, 'PRIMARY', 'name' || n,
       'live', n, 'external' || n, 'display' || n, '{"userName": "x", "displayName": "x"}', 1, n, n
       from generate_series(1, 5000) n`,
    `insert into subject_keys select 'id' || n, 'user', 'emails.value', 'e' || n from generate_series(1, 5000) n`,
    'analyze subjects',
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
        const type = kind === 'user' ? userType : groupType;
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
});
