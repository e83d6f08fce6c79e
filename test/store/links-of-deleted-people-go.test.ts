import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { migrateStore } from '../../src/store/migrate.ts';
import { eachDatabase } from '../database.ts';

eachDatabase('a database from before links were kept with their rule', (bed) => {
  it('keeps the links of people who are there, and none of others', async () => {
    const store = await bed.open();
    const run = (...statements: string[]) =>
      store.write(async (tx) => {
        for (const text of statements) await tx.all({ compile: () => CompiledQuery.raw(text) });
      });
    const user = (id: string, life: string, at: number) =>
      `insert into subjects (id, kind, domain, name_key, life, seq, doc, version, created_at, modified_at)
       values ('${id}', 'user', 'PRIMARY', 'name of ${id}', '${life}', 1, '{"userName": "x"}', 1, ${at}, ${at})`;
    const link = (user: string, at: number) =>
      `insert into federated_users values (1, 'https://login.example', 's-${user}', '${user}', '["g"]', ${at})`;
    await run(
      `delete from migrations where name = '0017-sign-in-links'`,
      'drop table sign_in_links',
      `create table federated_users (
        idp_id bigint not null references identity_providers (id) on delete cascade,
        issuer text not null, remote_subject text not null, user_id text not null, given_groups text not null,
        created_at bigint not null, primary key (idp_id, issuer, remote_subject))`,
      'create index federated_users_user on federated_users (user_id)',
      `insert into identity_providers (name, name_key, enabled, created_at, modified_at) values ('p', 'p', 1, 1, 1)`,
      ...[user('made', 'live', 5), user('found', 'live', 1), user('again', 'live', 9), user('gone', 'gone', 5)],
      ...['made', 'found', 'again', 'gone', 'never'].map((id) => link(id, 5)),
    );
    assert.deepEqual(await migrateStore(store), ['0017-sign-in-links']);
    const rows = await store.read((r) => r.all(r.q.selectFrom('sign_in_links').selectAll().orderBy('user_id')));
    assert.deepEqual(
      rows.map((row) => [row.user_id, row.rule, row.created_at, row.last_at, row.name_key, row.remote_subject]),
      [
        ['again', null, 9, null, 'name of again', 's-again'],
        ['found', 'verifiedEmail', 5, null, 'name of found', 's-found'],
        ['made', 'jit', 5, null, 'name of made', 's-made'],
      ],
    );
    assert.deepEqual([rows[0]!.given_groups, rows[0]!.issuer], ['["g"]', 'https://login.example']);
  });
});
