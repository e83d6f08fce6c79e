import { CompiledQuery } from 'kysely';
import type { Store } from '../../src/store/store.ts';

/** Straight into the table: `u000001` … with a title that one in seven has, and a number that is no order of ids. */
export async function fillDirectory(store: Store, people: number): Promise<void> {
  const isPostgres = store.dialect.name === 'postgres';
  const numbers = isPostgres
    ? `generate_series(1, ${people}) n`
    : `(with recursive c(n) as (select 1 union all select n + 1 from c where n < ${people}) select n from c) as c`;
  const padded = isPostgres ? `lpad(cast(n as text), 6, '0')` : `substr('000000' || n, -6)`;
  const shuffled = isPostgres
    ? `lpad(cast(n * 7919 % 10007 as text), 6, '0')`
    : `substr('000000' || (n * 7919 % 10007), -6)`;
  const doc = `'{"userName":"name' || ${padded} || '","nickName":"' || ${shuffled} || '"'
    || case when n % 7 = 0 then ',"title":"Seventh"' else '' end || '}'`;
  await store.write((tx) =>
    tx.all({
      compile: () =>
        CompiledQuery.raw(
          `insert into subjects (id, kind, domain, name_key, life, seq, doc, version, created_at, modified_at)
           select 'u' || ${padded}, 'user', 'PRIMARY', 'name' || ${padded}, 'live', n,
             cast(${doc} as ${isPostgres ? 'jsonb' : 'text'}), 1, n, n from ${numbers}`,
        ),
    }),
  );
}
