import { type RawBuilder, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import type { Filter } from '../protocol/scim/filter.ts';
import { coreTypes, locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import type { SubjectRow } from '../store/schema.ts';
import { prepare, type Reading } from '../store/store.ts';
import { compileFilter, isNarrow, listBeginnings } from './filter-sql.ts';
import { dropPrimaryPrefix } from './names.ts';
import { countLive, type Place, scanSubjects } from './scan.ts';
import { compileSort, type SortKey } from './sort-sql.ts';
import { nameAttribute, readSubjects, type Subject, toSubject } from './subjects.ts';

type Kind = Subject['kind'];

/** Who is looked for, and in what order. */
export type Query = {
  /** Absent: everyone. */
  filter?: Filter;
  /** Only in this user store domain, named as `findDomain` answers it. */
  domain?: string;
  /** An attribute path; default: the order of ids, which is that of creation, to the millisecond. */
  sortBy?: string;
  /**
   * Subjects without a value are last when ascending and first when descending. Equal ones, and all without `sortBy`,
   * are in the order of their ids.
   */
  sortOrder?: 'ascending' | 'descending';
  /** What locations begin with, where a filter or sort names one. */
  baseUrl?: string;
  /** What a kind's attributes are; default the core schemas and the enterprise extension. */
  types?: Readonly<Record<Kind, ResourceType>>;
  /** Breaks off a search that looks at everybody: what it is aborted with is thrown. */
  signal?: AbortSignal;
};

export type { Place } from './scan.ts';

export type Search = Query & {
  /** From 1. */
  startIndex: number;
  /** At most so many; 0 asks for the total alone. */
  count: number;
  /** How many there are in all, where that is known; told instead of counting them when there is no filter. */
  known?: number;
};

/**
 * Live users or groups, or both together. What an index knows is asked of it; whatever else, in pieces (`scan.ts`).
 * `total` counts all that match, of which `subjects` are the page. A search
 * that gives all it found in one page counts nothing more; otherwise the cost of `total` follows what matches.
 *
 * Throws `Problem`: `invalidFilter`; `invalidPath` for a `sortBy` that is no attribute with simple values.
 */
export async function listSubjects(
  reading: Reading,
  kinds: Kind | readonly Kind[],
  search: Search,
): Promise<{ total: number; subjects: Subject[] }> {
  const { startIndex, count } = search;
  const only = listKinds(kinds).length === 1 ? listKinds(kinds)[0]! : undefined;
  const name = only && startIndex === 1 && count > 0 ? findName(search.filter, only) : undefined;
  if (only && name !== undefined) {
    const rows = await reading.run(byName[only], { name });
    const subjects = rows.map(toSubject).filter((one) => search.domain === undefined || one.domain === search.domain);
    return { total: subjects.length, subjects };
  }
  if (count === 0) return { total: await countMatching(reading, kinds, search), subjects: [] };
  const skip = startIndex - 1;
  if (await isWide(reading, listKinds(kinds), search)) {
    const counts = search.filter?.op !== 'sw' || !isNarrowForAll(listKinds(kinds), search);
    const { places, total } = await scan(reading, kinds, search, { skip, limit: count, counts });
    const subjects = await readPlaces(reading, places);
    return { total: counts ? total : await countMatching(reading, kinds, search), subjects };
  }
  const rows = await readPage(reading, listKinds(kinds), search, { limit: count + 1, skip });
  const isLast = rows.length <= count && (rows.length > 0 || skip === 0);
  const subjects = rows.slice(0, count).map(toSubject);
  if (isLast) return { total: skip + rows.length, subjects };
  const { known, filter, domain } = search;
  if (known !== undefined && filter === undefined && domain === undefined) {
    return { total: Math.max(known, skip + rows.length), subjects };
  }
  return { total: await countMatching(reading, kinds, search), subjects };
}

/**
 * The next `count` after a place; from the beginning without one. `next`: where they end, absent when nobody follows.
 * Nothing is counted and nothing skipped, so a page costs the same wherever it is; and since places are values and
 * not numbers, whoever is there throughout and keeps his place comes exactly once, whoever else comes or goes. Of
 * texts longer than 300 characters the first 300 decide about the order. Throws as `listSubjects`.
 */
export async function walkSubjects(
  reading: Reading,
  kinds: Kind | readonly Kind[],
  query: Query & { count: number; after?: Place },
): Promise<{ subjects: Subject[]; next?: Place }> {
  const { count, after } = query;
  if (await isWide(reading, listKinds(kinds), query)) {
    const page = { limit: count + 1, after: after ?? 'beginning', counts: false } as const;
    const { places } = await scan(reading, kinds, query, page);
    const next = places.length > count ? places[count - 1] : undefined;
    return { subjects: await readPlaces(reading, places.slice(0, count)), ...(next ? { next } : {}) };
  }
  const rows = await readPage(reading, listKinds(kinds), query, { limit: count + 1, after: after ?? 'beginning' });
  const page = rows.slice(0, count);
  const last = page.at(-1);
  const next = rows.length > count && last ? { next: { key: last.sort_key ?? null, id: last.id } } : {};
  return { subjects: page.map(toSubject), ...next };
}

/** How many match; the cost follows what matches. Throws as `listSubjects`. */
export async function countMatching(reading: Reading, kinds: Kind | readonly Kind[], query: Query): Promise<number> {
  // An index counts those of one beginning, however many they are.
  const isBeginning = query.filter?.op === 'sw' && isNarrowForAll(listKinds(kinds), query);
  if (query.filter && !isBeginning && (await isWide(reading, listKinds(kinds), query))) {
    return (await scan(reading, kinds, query, { skip: 0, limit: 0, counts: true })).total;
  }
  let total = 0;
  if (!query.filter && query.domain === undefined) {
    for (const kind of listKinds(kinds)) total += await countLive(reading, kind);
    return total;
  }
  for (const kind of listKinds(kinds)) {
    const count = sql<{
      n: number;
    }>`select count(*) as n from subjects s where ${matching(reading, kinds, kind, query)}`;
    total += (await reading.first<{ n: number }>({ compile: () => count.compile(reading.q) }))!.n;
  }
  return total;
}

/** Whether there is no index to find these by, or to have them in this order. */
async function isWide(reading: Reading, kinds: readonly Kind[], query: Query): Promise<boolean> {
  const { filter, sortBy, types = coreTypes } = query;
  if (filter) {
    if (!isNarrowForAll(kinds, query)) return true;
    const many = sortBy === undefined ? await findMany(reading, kinds, query) : new Set<Filter>();
    return many.size > 0 && !isNarrowForAll(kinds, query, many);
  }
  return sortBy !== undefined && !kinds.every((kind) => isName(sortBy, kind, types[kind]));
}

function isNarrowForAll(
  kinds: readonly Kind[],
  { filter, types = coreTypes }: Query,
  except?: ReadonlySet<Filter>,
): boolean {
  return filter !== undefined && kinds.every((kind) => isNarrow(filter, kind, types[kind], except));
}

/** More than so many of one beginning are not put in the order of ids: whoever walks in that order meets them soon. */
const sortedAtMost = 10_000;

/** The parts of a filter that ask for a beginning which very many have. */
async function findMany(
  reading: Reading,
  kinds: readonly Kind[],
  { filter, types = coreTypes }: Query,
): Promise<ReadonlySet<Filter>> {
  const many = new Set<Filter>();
  for (const kind of kinds) {
    for (const part of filter ? listBeginnings(filter, kind, types[kind]) : []) {
      const where = matching(reading, kind, kind, { filter: part, types });
      const query = sql<{ n: number }>`
        select count(*) as n from (select 1 from subjects s where ${where} limit ${sortedAtMost + 1}) as few`;
      const found = await reading.first<{ n: number }>({ compile: () => query.compile(reading.q) });
      if (found!.n > sortedAtMost) many.add(part);
    }
  }
  return many;
}

function isName(sortBy: string, kind: Kind, type: ResourceType): boolean {
  const location = locateAttribute(type, sortBy);
  return (
    !location?.extension && !location?.attribute?.subAttributes && location?.attribute?.name === nameAttribute[kind]
  );
}

async function scan(
  reading: Reading,
  kinds: Kind | readonly Kind[],
  query: Query,
  page: { limit: number; counts: boolean } & ({ skip: number } | { after: Place | 'beginning' }),
): Promise<{ places: Place[]; total: number }> {
  const descending = query.sortOrder === 'descending';
  const sort = compileKeys(reading, listKinds(kinds), query, page);
  const grounds = listKinds(kinds).map((kind) => {
    const key = sort?.get(kind);
    const conditions = [matching(reading, kinds, kind, query)];
    if ('after' in page && page.after !== 'beginning') conditions.push(isAfter(page.after, key, descending));
    return { kind, key, condition: sql.join(conditions, sql` and `) };
  });
  const { signal } = query;
  const { limit, counts } = page;
  const skip = 'skip' in page ? page.skip : 0;
  return scanSubjects(reading, { grounds, skip, limit, descending, counts, ...(signal ? { signal } : {}) });
}

async function readPlaces(reading: Reading, places: readonly Place[]): Promise<Subject[]> {
  const found = await readSubjects(
    reading,
    places.map(({ id }) => id),
  );
  // Who was deleted since is left out.
  return places.flatMap(({ id }) => found.get(id) ?? []).filter((subject) => subject.life === 'live');
}

function compileKeys(
  reading: Reading,
  kinds: readonly Kind[],
  { sortBy, baseUrl = '', types = coreTypes }: Query,
  page: { skip: number } | { after: Place | 'beginning' },
): ReadonlyMap<Kind, SortKey> | undefined {
  if (sortBy === undefined) return undefined;
  const keys = compileSort(sortBy, kinds, types, reading.dialect, baseUrl);
  return 'after' in page ? keys && cutKeys(keys) : keys;
}

function listKinds(kinds: Kind | readonly Kind[]): readonly Kind[] {
  return typeof kinds === 'string' ? [kinds] : kinds;
}

type Found = SubjectRow & { sort_key?: string | number | null };
/** By number (`skip`), or after a place. */
type Page = { limit: number } & ({ skip: number } | { after: Place | 'beginning' });

async function readPage(reading: Reading, kinds: readonly Kind[], query: Query, page: Page): Promise<Found[]> {
  const sort = compileKeys(reading, kinds, query, page);
  const descending = query.sortOrder === 'descending';
  const skip = 'skip' in page ? page.skip : 0;
  const parts = kinds.map((kind) => {
    const key = sort?.get(kind);
    const conditions = [matching(reading, kinds, kind, query)];
    if ('after' in page && page.after !== 'beginning') conditions.push(isAfter(page.after, key, descending));
    const named = key && (kinds.length > 1 || 'after' in page) ? sql`, ${key.key} as sort_key` : sql``;
    const order = orderBy(key?.mayBeAbsent ?? false, key?.key, sql.ref('s.id'), descending);
    const where = sql.join(conditions, sql` and `);
    return sql`select s.*${named} from subjects s where ${where} order by ${order}`;
  });
  let whole: RawBuilder<unknown>;
  if (parts.length === 1 && skip >= skippedInIndex) {
    const [kind] = kinds;
    whole = skipInIndex(
      reading.dialect,
      matching(reading, kinds, kind!, query),
      sort?.get(kind!),
      descending,
      page.limit,
      skip,
    );
  } else if (parts.length === 1) {
    whole = sql`${parts[0]} limit ${page.limit} offset ${skip}`;
  } else {
    // Each half has its own limit, so that an index in its order is walked where there is one.
    const halves = parts.map(
      (part, n) => sql`select * from (${part} limit ${skip + page.limit}) as ${sql.ref(`h${n}`)}`,
    );
    const absent = sort !== undefined && [...sort.values()].some((key) => key.mayBeAbsent);
    const order = orderBy(absent, sort && sql.ref('w.sort_key'), sql.ref('w.id'), descending);
    whole = sql`select * from (${sql.join(halves, sql` union all `)}) as w
      order by ${order} limit ${page.limit} offset ${skip}`;
  }
  return reading.all<Found>({ compile: () => (whole as RawBuilder<Found>).compile(reading.q) });
}

/** From so many on, those that are skipped are counted off in the index, without a look at them. */
const skippedInIndex = 1_000;

/** A page of one kind. Without a filter, and by name or unsorted, an index has all that is read of those before it. */
function skipInIndex(
  dialect: Dialect,
  where: RawBuilder<unknown>,
  key: SortKey | undefined,
  descending: boolean,
  limit: number,
  skip: number,
): RawBuilder<unknown> {
  const order = orderBy(key?.mayBeAbsent ?? false, key?.key, sql.ref('s.id'), descending);
  // A name is there once, so it stands for the id, which its index does not have.
  const isByName = key !== undefined && key.holds === 'text' && !key.mayBeAbsent;
  const mark = isByName ? key.key : sql.ref('s.id');
  const markOrder = isByName ? sql`${mark}${descending ? sql` desc` : sql``}` : order;
  const own = dialect.lookUp('subjects', 's', sql`${mark} = p.mark and ${where}`);
  return sql`select s.* from (
      select ${mark} as mark from subjects s where ${where} order by ${markOrder} limit ${limit} offset ${skip}) as p
    ${own} order by ${order}`;
}

/** Live subjects of a kind that the query is about, as a condition on `subjects s`. */
function matching(reading: Reading, kinds: Kind | readonly Kind[], kind: Kind, query: Query): RawBuilder<unknown> {
  const { filter, domain, baseUrl = '', types = coreTypes } = query;
  const conditions = [sql`s.kind = ${sql.lit(kind)} and s.life = 'live'`];
  if (domain !== undefined) conditions.push(sql`s.domain = ${domain}`);
  if (filter) {
    const among = listKinds(kinds).map((one) => types[one]);
    conditions.push(compileFilter(filter, kind, types[kind], reading.dialect, baseUrl, among));
  }
  return sql.join(conditions, sql` and `);
}

function orderBy(
  mayBeAbsent: boolean,
  key: RawBuilder<unknown> | undefined,
  id: RawBuilder<unknown>,
  descending: boolean,
): RawBuilder<unknown> {
  if (!key) return id;
  const direction = descending ? sql` desc` : sql``;
  const absence = mayBeAbsent ? sql`(${key} is null)${direction}, ` : sql``;
  return sql`${absence}${key}${direction}, ${id}`;
}

function isAfter(place: Place, key: SortKey | undefined, descending: boolean): RawBuilder<unknown> {
  const follows = sql`s.id > ${place.id}`;
  if (!key) return follows;
  if (place.key === null) {
    const present = descending ? sql` or ${key.key} is not null` : sql``;
    return sql`((${key.key} is null and ${follows})${present})`;
  }
  // The first comparison is what an index is walked by.
  const beyond = descending
    ? sql`(${key.key} <= ${place.key} and (${key.key} < ${place.key} or ${follows}))`
    : sql`(${key.key} >= ${place.key} and (${key.key} > ${place.key} or ${follows}))`;
  return key.mayBeAbsent && !descending ? sql`(${key.key} is null or ${beyond})` : beyond;
}

/** A place travels in an address, so what it holds must be short. */
const longestKey = 300;

function cutKeys(sort: ReadonlyMap<Kind, SortKey>): ReadonlyMap<Kind, SortKey> {
  const cut = (one: SortKey): SortKey =>
    // Names are short enough.
    one.holds === 'text' && one.mayBeAbsent ? { ...one, key: sql`substr(${one.key}, 1, ${sql.lit(longestKey)})` } : one;
  return new Map([...sort].map(([kind, key]) => [kind, cut(key)]));
}

const byName = {
  user: prepare<{ name: string }, SubjectRow>(
    (_, p) => sql<SubjectRow>`select * from subjects where kind = 'user' and life = 'live' and name_key = ${p.name}`,
  ),
  group: prepare<{ name: string }, SubjectRow>(
    (_, p) => sql<SubjectRow>`select * from subjects where kind = 'group' and life = 'live' and name_key = ${p.name}`,
  ),
};

/** The key of the one subject a filter can mean: the question every client asks before it creates. */
function findName(filter: Filter | undefined, kind: Kind): string | undefined {
  if (filter?.op !== 'eq' || typeof filter.value !== 'string') return undefined;
  const { urn, attr, sub } = filter.path;
  if (sub !== undefined || attr.toLowerCase() !== nameAttribute[kind].toLowerCase()) return undefined;
  if (urn !== undefined && urn.toLowerCase() !== coreTypes[kind].schema.id.toLowerCase()) return undefined;
  if (filter.value.includes('\0') || !filter.value.isWellFormed()) return undefined;
  return fold(dropPrimaryPrefix(filter.value));
}
