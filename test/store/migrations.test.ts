import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { migrateStore } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase, oneDatabase } from '../database.ts';

const run = promisify(execFile);
const known = [
  '0001-spine',
  '0002-trusted',
  '0003-rules',
  '0004-extensions',
  '0005-group-modes',
  '0006-forward-only',
  '0007-sessions',
  '0008-policy-rows',
  '0009-decisions',
  '0010-oauth',
  '0011-federation',
  '0012-just-in-time',
  '0013-service-provider-settings',
  '0014-key-rotation',
  '0015-sign-in-locks',
  '0016-requested-claims',
  '0017-sign-in-links',
  '0018-sign-out',
  '0019-many-accounts',
];

async function namesTaken(store: Store): Promise<string[]> {
  const query = sql<{ name: string }>`select name from migrations order by name`;
  const rows = await store.read((r) => r.all({ compile: () => query.compile(r.q) }));
  return rows.map((row) => row.name);
}

eachDatabase('migrations', (bed) => {
  test('an empty database gets every step, a second run takes none', async () => {
    const store = await bed.open({ schema: 'empty' });
    assert.deepEqual(await migrateStore(store), known);
    assert.deepEqual(await migrateStore(store), []);
    assert.deepEqual(await namesTaken(store), known);
  });

  test('what was written before a second run is still there', async () => {
    const store = await bed.open();
    await store.write((tx) => tx.all(tx.q.insertInto('members').values({ group_id: 'g', member_id: 'm' })));
    await migrateStore(store);
    const rows = await store.read((r) => r.all(r.q.selectFrom('members').select('member_id')));
    assert.deepEqual(
      rows.map((row) => row.member_id),
      ['m'],
    );
  });

  test('two starts at the same moment in one process', async () => {
    const store = await bed.open({ schema: 'empty' });
    const taken = await Promise.all([migrateStore(store), migrateStore(store)]);
    assert.deepEqual(taken.flat(), known);
  });

  test('a step that fails leaves nothing of itself, and the next start takes it', async () => {
    let n = 0;
    const store = await bed.open({
      schema: 'empty',
      onStatement: () => {
        if (++n === 20) throw new Error('the disk is full');
      },
    });
    await assert.rejects(migrateStore(store), /the disk is full/);
    assert.deepEqual(await migrateStore(store), known);
  });

  test('a database of a later version is refused by name and left alone', async () => {
    const store = await bed.open();
    const insert = sql`insert into migrations (name, at) values ('9999-tomorrow', 1)`;
    await store.write((tx) => tx.all({ compile: () => insert.compile(tx.q) }));
    await assert.rejects(migrateStore(store), /later version of Purvey.*9999-tomorrow/);
    assert.deepEqual(await namesTaken(store), [...known, '9999-tomorrow']);
  });

  test('several processes start on one empty database at once', { timeout: 60_000 }, async () => {
    const store = await bed.open({ schema: 'empty' });
    const location = JSON.stringify(bed.locationOf(store));
    const program = new URL('./migrate-once.ts', import.meta.url).pathname;
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, [program, location], { timeout: 30_000 })),
    );
    const taken = answers.map(({ stdout }) => JSON.parse(stdout) as string[]);
    assert.deepEqual(taken.flat(), known, 'exactly one process takes each step');
    assert.deepEqual(await namesTaken(store), known);
  });
});

oneDatabase('postgres', 'migrations', (bed) => {
  test('every text column sorts by code point, whatever the collation of the database', async () => {
    const store = await bed.open();
    const query = sql<{ where: string }>`
      select table_name || '.' || column_name as "where" from information_schema.columns
      where table_schema = 'public' and data_type in ('text', 'character varying') and collation_name is distinct from 'C'`;
    assert.deepEqual(await store.read((r) => r.all({ compile: () => query.compile(r.q) })), []);
  });
});
