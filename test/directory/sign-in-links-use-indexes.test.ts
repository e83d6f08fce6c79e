import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { findLink, isLinked, type LinkPlace, listLinksAt, listLinksOf } from '../../src/directory/sign-in-links.ts';
import type { Reading, Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';

/** Thirty thousand people of one identity provider, of whom every third is another's too; PostgreSQL knows it. */
async function fill(store: Store): Promise<void> {
  const numbers =
    store.dialect.name === 'postgres'
      ? 'generate_series(1, 30000) n'
      : '(with recursive c(n) as (select 1 union all select n + 1 from c where n < 30000) select n from c)';
  const link = (idp: number, where: string) =>
    `insert into sign_in_links (idp_id, issuer, remote_subject, user_id, name_key, rule, given_groups, created_at)
     select ${idp}, 'https://login.example', 's' || (30001 - n), 'u' || n, 'name' || n, 'jit', '[]', n from ${numbers} ${where}`;
  const idp = (name: string) =>
    `insert into identity_providers (name, name_key, enabled, created_at, modified_at) values ('${name}', '${name}', 1, 1, 1)`;
  const statements = [idp('one'), idp('two'), link(1, ''), link(2, 'where n % 3 = 0'), 'analyze sign_in_links'];
  await store.write(async (tx) => {
    for (const text of statements) await tx.all({ compile: () => CompiledQuery.raw(text) });
  });
}

eachDatabase('links of a million people', (bed) => {
  it('are read from their place in an index, whatever is asked for', async () => {
    let heard: string[] = [];
    const store = await bed.open({ onStatement: (text) => void heard.push(text) });
    await fill(store);
    const by = (by: LinkPlace['by'], key: string): LinkPlace => ({ by, key, id: 30_000 });
    const asked: [string, (reading: Reading) => Promise<unknown>][] = [
      ['all', (r) => listLinksAt(r, 1, { limit: 20 })],
      ['all, far down', (r) => listLinksAt(r, 1, { limit: 20, after: by('name', 'name5') })],
      ['by name, and none by subject', (r) => listLinksAt(r, 1, { search: 'name29', limit: 20 })],
      ['by subject, after none by name', (r) => listLinksAt(r, 1, { search: 's29', limit: 20 })],
      ['by subject, far down', (r) => listLinksAt(r, 1, { search: 's29', limit: 20, after: by('subject', 's295') })],
      ['of a user', (r) => listLinksOf(r, 'u17', 100)],
      ['of a user at one', (r) => isLinked(r, 2, 'u18')],
      ['of somebody there', (r) => findLink(r, { idpId: 1, issuer: 'https://login.example', subject: 's17' })],
    ];
    for (const [what, ask] of asked) {
      heard = [];
      await store.read(ask);
      const texts = heard.filter((text) => /from "?sign_in_links/.test(text));
      assert.ok(texts.length > 0, what);
      for (const text of texts) {
        const explain = bed.kind === 'postgres' ? 'explain (generic_plan)' : 'explain query plan';
        const plan = await store.read(async (reading) =>
          JSON.stringify(await reading.all({ compile: () => CompiledQuery.raw(`${explain} ${text}`) })),
        );
        assert.match(plan, /sign_in_links_(name|subject|user|remote)/, `${what}: ${plan}`);
        assert.doesNotMatch(plan, /SCAN|Seq Scan|Bitmap|Sort|USE TEMP B-TREE/, `${what}: ${plan}`);
      }
    }
    const { links } = await store.read((r) =>
      listLinksAt(r, 1, { search: 's29', limit: 20, after: by('subject', 's295') }),
    );
    assert.equal(links[0]!.subject, 's2950');
    // Everybody but one has a name like it too, and they are many pieces.
    const renamed = CompiledQuery.raw(
      `update sign_in_links set name_key = case when remote_subject = 's9' then 'zoe' else 's' || name_key end where idp_id = 1`,
    );
    await store.write((tx) => tx.all({ compile: () => renamed }));
    const rest = await store.read((r) => listLinksAt(r, 1, { search: 's', limit: 20, after: by('name', 'sname9999') }));
    assert.deepEqual(
      rest.links.map(({ subject }) => subject),
      ['s9'],
    );
  });
});
