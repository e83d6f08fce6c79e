import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

/**
 * Makes a small directory a large one: what a server left in the database for a block of people is written again and
 * again, each time under other ids, names, sequences and an earlier time. So the rows are what the engine writes,
 * column by column. Names and ids at targets are told apart by the mark in them, which a block of its own replaces.
 */

/** Stands in whatever is to differ between blocks; a block has its own number there. */
export const blockMark = '.0000.';
/** Ids begin with their time: of 2^16 ms the first eight digits are the same. Blocks lie so far apart. */
const blockMs = 65_536;

/** What differs between blocks. `text` has the mark or ids of subjects in it; `json` the same. */
type Column = 'id' | 'text' | 'json' | 'seq' | 'attempt' | 'time';

const cloned: Record<string, Record<string, Column>> = {
  subjects: {
    id: 'id',
    name_key: 'text',
    seq: 'seq',
    external_id: 'text',
    display_key: 'text',
    doc: 'json',
    created_at: 'time',
    modified_at: 'time',
  },
  subject_keys: { subject_id: 'id', value_key: 'text' },
  subject_sps: { subject_id: 'id' },
  members: { group_id: 'id', member_id: 'id' },
  changes: { seq: 'seq', subject_id: 'id', other_id: 'id', at: 'time' },
  accounts: {
    subject_id: 'id',
    due_at: 'time',
    seq_done: 'seq',
    remote_id: 'text',
    acked: 'text',
    reason: 'text',
    not_before: 'time',
  },
  attempts: { id: 'attempt', subject_id: 'id', started_at: 'time', deadline: 'time', ended_at: 'time', reason: 'text' },
  exchanges: { attempt_id: 'attempt', url: 'text', request_body: 'text', response_body: 'text', at: 'time' },
};

/** Tables in which the engine writes too, and leaves nothing once everybody is delivered. */
const settled = ['links', 'wakes', 'former_members', 'descents', 'secrets', 'refs', 'conflicts', 'decisions'];

export type Bulk = {
  kind: 'sqlite' | 'postgres';
  exec(sql: string): Promise<void>;
  all<R>(sql: string): Promise<R[]>;
  close(): Promise<void>;
};

export function openSqliteBulk(file: string): Bulk {
  const db = new DatabaseSync(file);
  // Without a log: everything would be written twice.
  db.exec(
    'pragma journal_mode = memory; pragma synchronous = off; pragma cache_size = -400000; pragma temp_store = memory',
  );
  return {
    kind: 'sqlite',
    exec: async (sql) => db.exec(sql),
    all: async <R>(sql: string) => db.prepare(sql).all() as R[],
    async close() {
      db.exec('pragma journal_mode = wal');
      db.close();
    },
  };
}

export async function openPostgresBulk(url: string): Promise<Bulk> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`set synchronous_commit = off; set maintenance_work_mem = '512MB'`);
  return {
    kind: 'postgres',
    exec: async (sql) => void (await client.query(sql)),
    all: async <R>(sql: string) => (await client.query(sql)).rows as R[],
    close: () => client.end(),
  };
}

/**
 * Writes the block that is there `blocks` times in all, and then puts as many people into the groups of `sizes` (by name)
 * as are named. No server may be running. Says on the way how far it is.
 */
export async function multiply(bulk: Bulk, blocks: number, sizes: ReadonlyMap<string, number>): Promise<void> {
  for (const table of settled) {
    const [row] = await bulk.all<{ n: number }>(`select count(*) as n from ${table}`);
    if (Number(row!.n) > 0) throw new Error(`the block left ${row!.n} rows in ${table}, which are not written again`);
  }
  const columns = new Map<string, string[]>();
  for (const table of Object.keys(cloned)) columns.set(table, await listColumns(bulk, table));
  const [last] = await bulk.all<{ seq: number; attempt: number }>(
    'select (select max(seq) from changes) as seq, (select max(id) from attempts) as attempt',
  );
  const prefixes = await bulk.all<{ prefix: string }>(
    'select distinct substr(id, 1, 8) as prefix from subjects order by 1',
  );
  const indexes = await listIndexes(bulk);
  for (const { name } of indexes) await bulk.exec(`drop index ${name}`);
  await bulk.exec('begin');
  for (const table of columns.keys()) {
    await bulk.exec(`create temporary table block_${table} as select * from ${table}`);
    await bulk.exec(`delete from ${table}`);
  }
  const isEarlier = (block: number) => blocks - 1 - block;
  for (let block = 0; block < blocks; block++) {
    const step: Step = {
      mark: `.${String(block).padStart(4, '0')}.`,
      ids: prefixes.map(({ prefix }) => [prefix, earlierId(prefix, isEarlier(block))] as const),
      seq: block * Number(last!.seq),
      attempt: block * Number(last!.attempt),
      time: -isEarlier(block) * blockMs,
    };
    for (const [table, names] of columns) {
      const values = names.map((name) => writeValue(bulk, name, cloned[table]![name], step));
      const overriding = bulk.kind === 'postgres' ? ' overriding system value' : '';
      await bulk.exec(
        `insert into ${table} (${names.join(', ')})${overriding} select ${values.join(', ')} from block_${table}`,
      );
    }
  }
  for (const [name, size] of sizes) await fillGroup(bulk, name, size, columns.get('changes')!);
  await bulk.exec('commit');
  for (const { sql } of indexes) await bulk.exec(sql);
  for (const table of columns.keys()) await bulk.exec(`drop table block_${table}`);
  if (bulk.kind === 'postgres') {
    for (const [table, column] of [
      ['changes', 'seq'],
      ['attempts', 'id'],
    ]) {
      await bulk.exec(
        `select setval(pg_get_serial_sequence('${table}', '${column}'), (select max(${column}) from ${table}))`,
      );
    }
    // What the server's own housekeeping does within minutes.
    await bulk.exec('vacuum analyze');
  }
}

type Step = { mark: string; ids: (readonly [string, string])[]; seq: number; attempt: number; time: number };

function writeValue({ kind }: Bulk, name: string, column: Column | undefined, step: Step): string {
  switch (column) {
    case undefined:
      return name;
    case 'seq':
    case 'attempt':
    case 'time':
      return `${name} + (${step[column]})`;
    case 'id': {
      const cases = step.ids.map(([from, to]) => `when '${from}' then '${to}'`).join(' ');
      return `case substr(${name}, 1, 8) ${cases} end || substr(${name}, 9)`;
    }
    case 'text':
      return replaceAll(name, step);
    case 'json':
      return kind === 'postgres'
        ? `cast(${replaceAll(`cast(${name} as text)`, step)} as jsonb)`
        : replaceAll(name, step);
  }
}

function replaceAll(text: string, { mark, ids }: Step): string {
  const marked = `replace(${text}, '${blockMark}', '${mark}')`;
  // Earlier ids are lower, so none that was put in is replaced again.
  return ids.reduce((inner, [from, to]) => `replace(${inner}, '${from}-', '${to}-')`, marked);
}

const earlierId = (prefix: string, blocks: number): string =>
  (Number.parseInt(prefix, 16) - blocks).toString(16).padStart(8, '0');

/** Every so many-th user comes to the group, each by a change as a PATCH leaves it. */
async function fillGroup(bulk: Bulk, name: string, size: number, changes: readonly string[]): Promise<void> {
  const [group] = await bulk.all<{ id: string }>(
    `select id from subjects where kind = 'group' and name_key = '${name}'`,
  );
  const [sample] = await bulk.all<{ seq: number }>('select min(seq) as seq from changes where other_id is not null');
  const [max] = await bulk.all<{ seq: number }>('select max(seq) as seq from changes');
  if (!group || sample?.seq == null) throw new Error(`there is no group ${name}, or no membership was ever changed`);
  const people = `select id, row_number() over (order by id) as n from subjects where kind = 'user' and life = 'live'
    and id not in (select member_id from members where group_id = '${group.id}')`;
  const [all] = await bulk.all<{ n: number }>(`select count(*) as n from (${people}) as p`);
  const every = Math.max(1, Math.floor(Number(all!.n) / size));
  const chosen = `select id, n from (${people}) as p where n % ${every} = 0 order by n limit ${size}`;
  await bulk.exec(`create temporary table chosen as ${chosen}`);
  await bulk.exec(`insert into members (group_id, member_id) select '${group.id}', id from chosen`);
  const special: Record<string, string> = {
    seq: `${max!.seq} + row_number() over (order by chosen.n)`,
    subject_id: `'${group.id}'`,
    other_id: 'chosen.id',
  };
  const values = changes.map((column) => special[column] ?? `c.${column}`);
  const overriding = bulk.kind === 'postgres' ? ' overriding system value' : '';
  await bulk.exec(`insert into changes (${changes.join(', ')})${overriding}
    select ${values.join(', ')} from chosen cross join changes c where c.seq = ${sample.seq}`);
  await bulk.exec(
    `update subjects set seq = (select max(seq) from changes), version = version + 1 where id = '${group.id}'`,
  );
  await bulk.exec('drop table chosen');
}

async function listColumns(bulk: Bulk, table: string): Promise<string[]> {
  const rows =
    bulk.kind === 'sqlite'
      ? await bulk.all<{ name: string }>(`select name from pragma_table_info('${table}')`)
      : await bulk.all<{ name: string }>(
          `select column_name as name from information_schema.columns where table_name = '${table}' order by ordinal_position`,
        );
  return rows.map(({ name }) => name);
}

/** Those that the migrations made, of the tables that are written again. */
async function listIndexes(bulk: Bulk): Promise<{ name: string; sql: string }[]> {
  const tables = Object.keys(cloned)
    .map((name) => `'${name}'`)
    .join(', ');
  return bulk.all(
    bulk.kind === 'sqlite'
      ? `select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name in (${tables})`
      : `select i.indexname as name, i.indexdef as sql from pg_indexes i where i.schemaname = 'public' and i.tablename in (${tables})
          and not exists (select 1 from pg_constraint c where c.conname = i.indexname)`,
  );
}

/** For each table, which columns have a value in how many rows of a hundred: what the engine leaves, to be compared. */
export async function readShape(bulk: Bulk): Promise<Map<string, number>> {
  const shape = new Map<string, number>();
  for (const table of Object.keys(cloned)) {
    const names = await listColumns(bulk, table);
    const counts = names.map((name) => `count(${name}) as ${name}`).join(', ');
    const [row] = await bulk.all<Record<string, number>>(`select count(*) as all_rows, ${counts} from ${table}`);
    for (const name of names) {
      shape.set(`${table}.${name}`, Math.round((Number(row![name]) / Math.max(1, Number(row!.all_rows))) * 1_000) / 10);
    }
  }
  return shape;
}
