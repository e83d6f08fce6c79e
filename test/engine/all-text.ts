import { CompiledQuery } from 'kysely';
import type { Store } from '../../src/store/store.ts';

/** Everything that a database holds, as one text: to look for what must not be in it. */
export async function readAllText(store: Store): Promise<string> {
  const all = (text: string) => store.read((r) => r.all({ compile: () => CompiledQuery.raw(text) as never }));
  const named =
    store.dialect.name === 'sqlite'
      ? "select name from sqlite_master where type = 'table'"
      : 'select table_name as name from information_schema.tables where table_schema = current_schema()';
  const tables = (await all(named)) as { name: string }[];
  const texts = [];
  for (const { name } of tables) texts.push(name, JSON.stringify(await all(`select * from "${name}"`)));
  return texts.join('\n');
}
