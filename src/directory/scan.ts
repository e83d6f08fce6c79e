import { setImmediate as turn } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { compareText } from '../protocol/scim/match.ts';
import type { Reading } from '../store/store.ts';
import type { SortKey } from './sort-sql.ts';
import type { Subject } from './subjects.ts';

/** Where in the order of a query somebody stands: the value it is sorted by, null where there is none, and the id. */
export type Place = { key: string | number | null; id: string };

/** Everybody of one kind, of whom those are looked for that meet the condition on `subjects s`. */
export type Ground = { kind: Subject['kind']; condition: RawBuilder<unknown>; key: SortKey | undefined };

export type ScanRequest = {
  grounds: readonly Ground[];
  skip: number;
  limit: number;
  descending: boolean;
  /** All that match are counted; without it, and unsorted, it ends as soon as the page is full. */
  counts: boolean;
  /** What it is aborted with is thrown. */
  signal?: AbortSignal;
};

/** Most places that are remembered at once: a page can begin no deeper. */
export const deepestScan = 100_000;

/** A piece is to take about so long, in which nothing else is answered where the database is in this process. */
const pieceMs = 10;
const [leastPiece, largestPiece] = [250, 20_000];

/**
 * Looks at everybody, for what no index knows: piece by piece in the order of ids, with a pause after each, so that
 * others are answered meanwhile and it can be broken off. Holds no more than the places up to the end of the page, and
 * never a resource. Pieces see what was committed when they began: who is there throughout is met exactly once.
 *
 * `places`: from `skip` on, at most `limit`, in order. Throws `Problem('tooMany')` for a page beyond `deepestScan`.
 */
export async function scanSubjects(
  reading: Reading,
  { grounds, skip, limit, descending, counts, signal }: ScanRequest,
): Promise<{ places: Place[]; total: number }> {
  const wanted = limit === 0 ? 0 : skip + limit;
  if (wanted > deepestScan) refuseDeep();
  const isSorted = grounds.some(({ key }) => key);
  const before = (a: Place, b: Place) => comparePlaces(a, b, isSorted && descending) < 0;
  let best: Place[] = [];
  let total = 0;
  for (const ground of grounds) {
    // In the order of ids, what a kind has beyond its own first ones cannot be among the first of all.
    let room = wanted;
    let size = 1_000;
    for (let after = ''; ; ) {
      const began = performance.now();
      const { last, isFull } = await measurePiece(reading, ground.kind, after, size);
      if (last === null) break;
      const piece = sql`${ground.condition} and s.id > ${after} and s.id <= ${last}`;
      if (room > 0) {
        const found = await readPlaces(reading, piece, ground.key, { limit: room, descending, isSorted });
        best = mergePlaces(best, found.places, before, wanted);
        total += found.total;
        if (!isSorted) room -= found.places.length;
      } else if (counts) {
        total += await countPiece(reading, piece);
      }
      if (!isFull || (room === 0 && !counts)) break;
      after = last;
      const took = performance.now() - began;
      if (took < pieceMs / 2) size = Math.min(size * 2, largestPiece);
      if (took > pieceMs * 2) size = Math.max(size >> 1, leastPiece);
      await turn();
      signal?.throwIfAborted();
    }
  }
  return { places: best.slice(skip), total };
}

/** The last id of the next `size` after `after`, null when nobody follows; and whether there may be more. Reads an index only. */
async function measurePiece(
  reading: Reading,
  kind: Subject['kind'],
  after: string,
  size: number,
): Promise<{ last: string | null; isFull: boolean }> {
  const query = sql<{ last: string | null; n: number }>`select max(id) as last, count(*) as n from (
    select s.id from subjects s where s.kind = ${sql.lit(kind)} and s.life = 'live' and s.id > ${after}
    order by s.id limit ${size}) as piece`;
  const found = await reading.first<{ last: string | null; n: number }>({ compile: () => query.compile(reading.q) });
  return { last: found?.last ?? null, isFull: found?.n === size };
}

/** How many live users or groups there are: counted in pieces, with a pause after each; not inside a write. */
export async function countLive(reading: Reading, kind: Subject['kind']): Promise<number> {
  const live = sql`select s.id from subjects s where s.kind = ${sql.lit(kind)} and s.life = 'live'`;
  let total = 0;
  for (let after = ''; ; ) {
    // Who is found so far on says that there are so many before it: nothing is counted but the rest.
    const next = sql<{ id: string }>`${live} and s.id > ${after} order by s.id limit 1 offset ${largestPiece - 1}`;
    const last = await reading.first<{ id: string }>({ compile: () => next.compile(reading.q) });
    if (!last) {
      const rest = sql<{ n: number }>`select count(*) as n from (${live} and s.id > ${after}) as rest`;
      return total + (await reading.first<{ n: number }>({ compile: () => rest.compile(reading.q) }))!.n;
    }
    total += largestPiece;
    after = last.id;
    await turn();
  }
}

async function countPiece(reading: Reading, piece: RawBuilder<unknown>): Promise<number> {
  const query = sql<{ n: number }>`select count(*) as n from subjects s where ${piece}`;
  return (await reading.first<{ n: number }>({ compile: () => query.compile(reading.q) }))!.n;
}

/** The first places of a piece, and how many there are in it. */
async function readPlaces(
  reading: Reading,
  piece: RawBuilder<unknown>,
  key: SortKey | undefined,
  page: { limit: number; descending: boolean; isSorted: boolean },
): Promise<{ places: Place[]; total: number }> {
  const value = key?.key ?? sql`null`;
  const direction = page.isSorted && page.descending ? sql` desc` : sql``;
  const order = key ? sql`(${value} is null)${direction}, ${value}${direction}, s.id` : sql`s.id`;
  const query = sql<Place & { n: number }>`
    select s.id, ${value} as key, count(*) over () as n from subjects s where ${piece}
    order by ${order} limit ${page.limit}`;
  const rows = await reading.all<Place & { n: number }>({ compile: () => query.compile(reading.q) });
  return { places: rows.map((row) => ({ key: row.key, id: row.id })), total: rows[0]?.n ?? 0 };
}

function mergePlaces(
  a: readonly Place[],
  b: readonly Place[],
  before: (a: Place, b: Place) => boolean,
  limit: number,
): Place[] {
  const merged: Place[] = [];
  for (let i = 0, j = 0; merged.length < limit && (i < a.length || j < b.length); ) {
    const takesB = i >= a.length || (j < b.length && before(b[j]!, a[i]!));
    merged.push(takesB ? b[j++]! : a[i++]!);
  }
  return merged;
}

/** As the databases order: without a value last when ascending, text by code point, ids always ascending. */
function comparePlaces(a: Place, b: Place, descending: boolean): number {
  const order = compareKeys(a.key, b.key);
  if (order !== 0) return descending ? -order : order;
  return compareText(a.id, b.id);
}

function compareKeys(a: Place['key'], b: Place['key']): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return typeof a === 'number' ? a - Number(b) : compareText(a, String(b));
}

function refuseDeep(): never {
  const why = `This list is looked for one by one, and no page of it can begin after the first ${deepestScan.toLocaleString('en-US')}`;
  throw new Problem('tooMany', `${why}: narrow the filter, or walk the list with "cursor".`, { field: 'startIndex' });
}
