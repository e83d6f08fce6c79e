import { type AliasedRawBuilder, type Expression, type RawBuilder, sql } from 'kysely';

/** Everything in which the two databases differ, in one place. Code asks a dialect for a capability, never which product it is. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** Column types for migrations. */
  readonly columns: { readonly $id: string; readonly $int: string; readonly $json: string; readonly $rowless: string };
  /** Appended to a `select` so that its rows stay as they are until commit; empty where one writer owns the database. */
  readonly forUpdate: RawBuilder<unknown>;
  /** The same, passing over rows that somebody else holds. */
  readonly forUpdateSkipLocked: RawBuilder<unknown>;
  /**
   * A table made from one parameter, for `selectFrom`, `from` or `innerJoin`: a JSON array of objects. `columns` names
   * each field and its type. One statement then serves a whole batch on both databases.
   */
  rowsOf<R, A extends string>(
    json: unknown,
    alias: A,
    columns: { [K in keyof R]: 'int' | 'text' },
  ): AliasedRawBuilder<R, A>;
  /** The case-folded text of an expression, as `fold` of protocol/scim folds it. */
  fold(text: Expression<unknown>): RawBuilder<string>;
  /** A value inside a JSON column as text; null when it is not there. Path segments are literal names. */
  jsonText(doc: Expression<unknown>, path: readonly string[]): RawBuilder<string | null>;
  /** The elements of a JSON array inside a column, as a table with one column `value` that holds each element's JSON. No array: no rows. */
  jsonEach<A extends string>(
    doc: Expression<unknown>,
    path: readonly string[],
    alias: A,
  ): AliasedRawBuilder<{ value: string }, A>;
  /** `manyNodes`: several processes may own the database at once. */
  readonly capabilities: { readonly manyNodes: boolean };
}

const postgresPath = (path: readonly string[]) => `{${path.map((name) => JSON.stringify(name)).join(',')}}`;
const sqlitePath = (path: readonly string[]) => `$${path.map((p) => `."${p.replaceAll('"', '""')}"`).join('')}`;

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  columns: {
    $id: 'integer primary key autoincrement',
    $int: 'integer',
    $json: 'text',
    $rowless: ' without rowid',
  },
  forUpdate: sql``,
  forUpdateSkipLocked: sql``,
  rowsOf<R, A extends string>(json: unknown, alias: A, columns: { [K in keyof R]: 'int' | 'text' }) {
    const fields = Object.keys(columns).map(
      (name) => sql`value ->> ${sql.lit(sqlitePath([name]))} as ${sql.ref(name)}`,
    );
    return sql<R>`(select ${sql.join(fields)} from json_each(${json}))`.as(alias);
  },
  fold: (text) => sql`fold(${text})`,
  jsonText: (doc, path) => sql`(${doc} ->> ${sql.lit(sqlitePath(path))})`,
  jsonEach: (doc, path, alias) =>
    sql<{ value: string }>`(select value from json_each(${doc}, ${sql.lit(sqlitePath(path))}) where type <> 'null')`.as(
      alias,
    ),
  capabilities: { manyNodes: false },
};

export const postgresDialect: Dialect = {
  name: 'postgres',
  columns: {
    $id: 'bigint generated always as identity primary key',
    $int: 'bigint',
    $json: 'jsonb',
    $rowless: '',
  },
  forUpdate: sql` for update`,
  forUpdateSkipLocked: sql` for update skip locked`,
  rowsOf<R, A extends string>(json: unknown, alias: A, columns: { [K in keyof R]: 'int' | 'text' }) {
    const fields = Object.entries(columns).map(
      ([name, type]) => sql`${sql.ref(name)} ${sql.raw(type === 'int' ? 'bigint' : 'text')}`,
    );
    return sql<R>`(select * from jsonb_to_recordset(cast(${json} as jsonb)) as r(${sql.join(fields)}))`.as(alias);
  },
  fold: (text) => sql`lower(normalize(${text}, nfc) collate "und-x-icu")`,
  jsonText: (doc, path) => sql`(${doc} #>> ${sql.lit(postgresPath(path))})`,
  jsonEach(doc, path, alias) {
    const array = sql`(${doc} #> ${sql.lit(postgresPath(path))})`;
    return sql<{
      value: string;
    }>`(select value from jsonb_array_elements(case jsonb_typeof(${array}) when 'array' then ${array} else '[]' end))`.as(
      alias,
    );
  },
  capabilities: { manyNodes: true },
};
