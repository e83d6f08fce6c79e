import { type RawBuilder, sql } from 'kysely';
import type { Filter } from '../protocol/scim/filter.ts';
import { fold } from '../protocol/scim/match.ts';
import { groupType, type ResourceType, userType } from '../protocol/scim/schema.ts';
import type { SubjectRow } from '../store/schema.ts';
import { prepare, type Reading } from '../store/store.ts';
import { compileFilter } from './filter-sql.ts';
import { dropPrimaryPrefix } from './names.ts';
import { compileOrder } from './sort-sql.ts';
import { nameAttribute, type Subject, toSubject } from './subjects.ts';

export type Search = {
  /** Absent: everyone. */
  filter?: Filter;
  /** From 1. */
  startIndex: number;
  /** At most so many; 0 asks for the total alone. */
  count: number;
  /** An attribute path; default: the order of ids, which is that of creation, to the millisecond. */
  sortBy?: string;
  sortOrder?: 'ascending' | 'descending';
  /** What locations begin with, where a filter or sort names one. */
  baseUrl?: string;
  /** What a kind's attributes are; default the core schemas and the enterprise extension. */
  type?: ResourceType;
};

const types = { user: userType, group: groupType } as const;

/**
 * Live users or groups. `total` counts all that match, of which `subjects` are the page. A search that gives all it
 * found in one page counts nothing more; otherwise the cost of `total` follows what matches.
 *
 * Throws `Problem`: `invalidFilter`; `invalidPath` for a `sortBy` that is no attribute with simple values.
 */
export async function listSubjects(
  reading: Reading,
  kind: Subject['kind'],
  search: Search,
): Promise<{ total: number; subjects: Subject[] }> {
  const { filter, startIndex, count } = search;
  const name = filter && startIndex === 1 && count > 0 ? findName(filter, kind) : undefined;
  if (name !== undefined) {
    const rows = await reading.run(byName[kind], { name });
    return { total: rows.length, subjects: rows.map(toSubject) };
  }
  const { dialect } = reading;
  const type = search.type ?? types[kind];
  const baseUrl = search.baseUrl ?? '';
  const matching = filter ? sql` and ${compileFilter(filter, kind, type, dialect, baseUrl)}` : sql``;
  const from = sql`from subjects s where s.kind = ${sql.lit(kind)} and s.life = 'live'${matching}`;
  const skip = startIndex - 1;
  if (count > 0) {
    const order = compileOrder(search, kind, type, dialect, baseUrl);
    const page = sql<SubjectRow>`select s.* ${from} order by ${order} limit ${count + 1} offset ${skip}`;
    const rows = await reading.all<SubjectRow>({ compile: () => page.compile(reading.q) });
    const isLast = rows.length <= count && (rows.length > 0 || skip === 0);
    const subjects = rows.slice(0, count).map(toSubject);
    if (isLast) return { total: skip + rows.length, subjects };
    return { total: await countMatching(reading, from), subjects };
  }
  return { total: await countMatching(reading, from), subjects: [] };
}

async function countMatching(reading: Reading, from: RawBuilder<unknown>): Promise<number> {
  const query = sql<{ n: number }>`select count(*) as n ${from}`;
  return (await reading.first<{ n: number }>({ compile: () => query.compile(reading.q) }))!.n;
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
function findName(filter: Filter, kind: Subject['kind']): string | undefined {
  if (filter.op !== 'eq' || typeof filter.value !== 'string') return undefined;
  const { urn, attr, sub } = filter.path;
  if (sub !== undefined || attr.toLowerCase() !== nameAttribute[kind].toLowerCase()) return undefined;
  if (urn !== undefined && urn.toLowerCase() !== types[kind].schema.id.toLowerCase()) return undefined;
  if (filter.value.includes('\0') || !filter.value.isWellFormed()) return undefined;
  return fold(dropPrimaryPrefix(filter.value));
}
