import { type AliasedRawBuilder, type Expression, type RawBuilder, sql } from 'kysely';
import { wideCharacters } from '../base/fold.ts';

/** Everything in which the two databases differ, in one place. Code asks a dialect for a capability, never which product it is. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** Column types for migrations. */
  readonly columns: {
    readonly $id: string;
    readonly $int: string;
    /** Compared and ordered by code point, whatever the database's own order is. */
    readonly $text: string;
    readonly $json: string;
    readonly $rowless: string;
  };
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
  /**
   * Appended to a `from` clause: for each row so far, the rows of `table`, called `alias`, that meet `on`. An index is
   * used for it whatever the database believes of the sizes of things; without statistics both read whole tables else.
   */
  lookUp(table: string, alias: string, on: Expression<unknown>): RawBuilder<unknown>;
  /** The case-folded text of an expression, as `fold` of base folds it. */
  fold(text: Expression<unknown>): RawBuilder<string>;
  /**
   * A value inside a JSON column as text (`true`, `12`, a string as it is); null when it is not there. Sorts by code
   * point. Path segments are literal names; without any, the value itself.
   */
  jsonText(doc: Expression<unknown>, path: readonly string[]): RawBuilder<string | null>;
  /** The same for a number, as a number. Only for a place that holds a number or nothing. */
  jsonNumber(doc: Expression<unknown>, path: readonly string[]): RawBuilder<number | null>;
  /**
   * The moment that an xsd:dateTime names, in milliseconds since 1970, with a fraction: the very number `readDateTime`
   * of base answers. Only for texts that it reads, and null.
   */
  moment(text: Expression<unknown>): RawBuilder<number | null>;
  /** The elements of a JSON array inside a column, as a table with one column `value` that holds each element's JSON. No array: no rows. For subqueries: it cannot stand beside the table of `doc` in one `from`. */
  jsonEach<A extends string>(
    doc: Expression<unknown>,
    path: readonly string[],
    alias: A,
  ): AliasedRawBuilder<{ value: string }, A>;
  /** The greater (lesser) of two values that are not null. */
  greatest(a: Expression<unknown>, b: Expression<unknown>): RawBuilder<number>;
  least(a: Expression<unknown>, b: Expression<unknown>): RawBuilder<number>;
  /** `manyNodes`: several processes may own the database at once. */
  readonly capabilities: { readonly manyNodes: boolean };
}

const postgresPath = (path: readonly string[]) => `{${path.map((name) => JSON.stringify(name)).join(',')}}`;
const sqlitePath = (path: readonly string[]) => `$${path.map((p) => `."${p.replaceAll('"', '""')}"`).join('')}`;

/**
 * Capitals that Unicode got after version 10 (Georgian Mtavruli, Vithkuqi, Garay …). A server's ICU may be older than
 * ours and leave them as they are; with all others it agreed (every code point compared, ICU 60 and ICU 78).
 */
const youngCapitals = [
  [0x1c89, 0x1cbf],
  [0x2c2f, 0x2c2f],
  [0xa7b8, 0xa7f5],
  [0x10570, 0x10595],
  [0x10d50, 0x10d65],
  [0x16e40, 0x16e5f],
  [0x16ea0, 0x16eb8],
]
  .flatMap(([first, last]) => Array.from({ length: last! - first! + 1 }, (_, i) => String.fromCodePoint(first! + i)))
  .filter((letter) => letter.toLowerCase() !== letter)
  .join('');

/**
 * `jsonb_each` takes a parameter apart once; `json_each` reads an element's text again for every field. Measured with 19
 * fields a row: 4.4 against 12.8 microseconds.
 */
const [, minor = 0] = (process.versions.sqlite ?? '').split('.').map(Number);
const eachElement = minor >= 51 ? 'jsonb_each' : 'json_each';

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  columns: {
    $id: 'integer primary key autoincrement',
    $int: 'integer',
    $text: 'text',
    $json: 'text',
    $rowless: ' without rowid',
  },
  forUpdate: sql``,
  forUpdateSkipLocked: sql``,
  rowsOf<R, A extends string>(json: unknown, alias: A, columns: { [K in keyof R]: 'int' | 'text' }) {
    const fields = Object.keys(columns).map(
      (name) => sql`value ->> ${sql.lit(sqlitePath([name]))} as ${sql.ref(name)}`,
    );
    return sql<R>`(select ${sql.join(fields)} from ${sql.raw(eachElement)}(${json}))`.as(alias);
  },
  lookUp: (table, alias, on) => sql`cross join ${sql.table(table)} as ${sql.ref(alias)} on ${on}`,
  fold: (text) => sql`fold(${text})`,
  // SQLite reads a JSON boolean as 0 or 1.
  jsonText(doc, path) {
    const at = sql.lit(sqlitePath(path));
    return sql`(case json_type(${doc}, ${at}) when 'true' then 'true' when 'false' then 'false' else cast(${doc} ->> ${at} as text) end)`;
  },
  jsonNumber: (doc, path) => sql`(${doc} ->> ${sql.lit(sqlitePath(path))})`,
  moment: (text) => sql`moment(${text})`,
  // json_each would walk an object or a single value too, and gives strings without quotes.
  jsonEach(doc, path, alias) {
    const at = sql.lit(sqlitePath(path));
    const json = sql`case type when 'text' then json_quote(value) when 'true' then 'true' when 'false' then 'false' when 'null' then 'null' when 'real' then printf('%!.17g', value) else cast(value as text) end`;
    return sql<{
      value: string;
    }>`(select ${json} as value from json_each(case json_type(${doc}, ${at}) when 'array' then ${doc} else '[]' end, ${at}))`.as(
      alias,
    );
  },
  greatest: (a, b) => sql`max(${a}, ${b})`,
  least: (a, b) => sql`min(${a}, ${b})`,
  capabilities: { manyNodes: false },
};

const momentForm =
  '^(-?[0-9]{4,6})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})([.][0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})?$';

/**
 * By arithmetic, since `timestamptz` rounds to microseconds and knows no negative years. Years are counted from March
 * on, so that the leap day is the last, in eras of 400 years, each of 146,097 days.
 */
function momentOf(text: Expression<unknown>): RawBuilder<unknown> {
  return sql`select
    (((era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * mon + 2) / 5 + day - 1 - 719468) * 86400000
      + ((hour * 60 + minute - zone) * 60 + second) * 1000)::double precision + fraction)
    from (select p.*, floor(march / 400.0)::bigint as era, march - floor(march / 400.0)::bigint * 400 as yoe from (
      select m[1]::bigint - case when m[2]::bigint <= 2 then 1 else 0 end as march,
        (m[2]::bigint + 9) % 12 as mon, m[3]::bigint as day,
        m[4]::bigint as hour, m[5]::bigint as minute, m[6]::bigint as second,
        coalesce(('0' || m[7])::double precision, 0) * 1000 as fraction,
        case when m[8] is null or m[8] = 'Z' then 0 else
          (substr(m[8], 2, 2)::bigint * 60 + substr(m[8], 5, 2)::bigint) * case when m[8] like '-%' then -1 else 1 end
        end as zone
      from (select regexp_match(${text}, ${sql.lit(momentForm)}) as m) as r) as p) as q`;
}

export const postgresDialect: Dialect = {
  name: 'postgres',
  columns: {
    $id: 'bigint generated always as identity primary key',
    $int: 'bigint',
    $text: 'text collate "C"',
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
  // `offset 0` keeps it a loop with a parameter.
  lookUp: (table, alias, on) =>
    sql`cross join lateral (select * from ${sql.table(table)} as ${sql.ref(alias)} where ${on} offset 0) as ${sql.ref(alias)}`,
  fold: (text) =>
    sql`(translate(lower(translate(normalize(translate(${text}, ${sql.lit(wideCharacters.wide)}, ${sql.lit(wideCharacters.plain)}), nfc), ${sql.lit(youngCapitals)}, ${sql.lit(youngCapitals.toLowerCase())}) collate "und-x-icu"), 'ς', 'σ') collate "C")`,
  jsonText: (doc, path) => sql`((${doc} #>> ${sql.lit(postgresPath(path))}) collate "C")`,
  jsonNumber: (doc, path) => sql`cast(${doc} #>> ${sql.lit(postgresPath(path))} as double precision)`,
  moment: (text) => sql`(${momentOf(text)})`,
  jsonEach(doc, path, alias) {
    const array = sql`(${doc} #> ${sql.lit(postgresPath(path))})`;
    return sql<{
      value: string;
    }>`(select value from jsonb_array_elements(case jsonb_typeof(${array}) when 'array' then ${array} else '[]' end))`.as(
      alias,
    );
  },
  greatest: (a, b) => sql`greatest(${a}, ${b})`,
  least: (a, b) => sql`least(${a}, ${b})`,
  capabilities: { manyNodes: true },
};
