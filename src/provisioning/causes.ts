import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Reading, type Store } from '../store/store.ts';
import { causeOf, keyOfCause } from './cause-of.ts';
import { readLeaves } from './decisions.ts';
import { listHeldLanes } from './inspect.ts';

/**
 * Accounts in trouble, by cause: those that are parked and that nobody left so, and those that fail and are tried again.
 * What a held lane keeps waiting is not among them, its banner says it once for all (`banners.ts`). Looked at are at most
 * so many rows, of the index that knows those in trouble, in short reads; what is beyond is said to be there.
 */
export type Cause = {
  targetId: number;
  /** Asks for those of this cause (`listAccountsOfCause`). */
  key: string;
  /** The reason without what is each account's own. */
  cause: string;
  parked: number;
  failing: number;
  /** When the first and the last of them were tried last; null when that is no longer known. */
  since: number | null;
  latest: number | null;
  example: { subjectId: string; reason: string };
};

const perSlice = 500;
const lookedAtInAll = 10_000;
const leastPerTarget = 500;

type Seen = AccountRow & { name_key: string | null; tried_at: number | null };

// The condition is the very text of the partial index, which is used for nothing else.
const selectTroubled = prepare<{ targetId: number; after: string; limit: number }, Seen>(
  (_, p) => sql<Seen>`
    select a.*, s.name_key, (
        select t.started_at from attempts t where t.target_id = a.target_id and t.subject_id = a.subject_id
        order by t.id desc limit 1) as tried_at
    from accounts a left join subjects s on s.id = a.subject_id
    where a.target_id = ${p.targetId} and a.subject_id > ${p.after} and (a.state = 'parked' or a.tries > 0)
    order by a.subject_id limit ${p.limit}`,
);

type Troubled = { row: Seen; cause: string };

async function readSlice(
  reading: Reading,
  targetId: number,
  after: string,
  limit: number,
  known: Map<string, string>,
): Promise<{ troubled: Troubled[]; next: string | undefined }> {
  const rows = await reading.run(selectTroubled, { targetId, after, limit });
  const left = await readLeaves(reading, rows);
  const held = (await listHeldLanes(reading)).filter((lane) => lane.target_id === targetId).map((lane) => lane.kind);
  const troubled = rows.flatMap((row) => {
    const isDue = row.wanted > row.done;
    if (row.reason === null || (row.decision !== null && left.has(row.decision))) return [];
    if (isDue ? row.tries === 0 || held.includes(row.kind) : row.state !== 'parked') return [];
    return [{ row, cause: causeOf(row.reason, row.name_key, known) }];
  });
  return { troubled, next: rows.length < limit ? undefined : rows.at(-1)!.subject_id };
}

/** The largest first. `more`: there are accounts that were not looked at, so that every count is a least one. */
export async function listCauses(
  store: Store,
  targetIds: readonly number[],
): Promise<{ causes: Cause[]; more: boolean }> {
  const causes = new Map<string, Cause>();
  const known = new Map<string, string>();
  const perTarget = Math.max(leastPerTarget, Math.floor(lookedAtInAll / Math.max(1, targetIds.length)));
  let more = false;
  for (const targetId of targetIds) {
    let after: string | undefined = '';
    for (let looked = 0; after !== undefined; looked += perSlice) {
      if (looked >= perTarget) {
        more = true;
        break;
      }
      const from: string = after;
      const slice = await store.read((reading) => readSlice(reading, targetId, from, perSlice, known));
      for (const one of slice.troubled) count(causes, one);
      after = slice.next;
      // Others are answered meanwhile.
      await turn();
    }
  }
  const all = [...causes.values()].sort((a, b) => b.parked + b.failing - (a.parked + a.failing));
  return { causes: all, more };
}

function count(causes: Map<string, Cause>, { row, cause }: Troubled): void {
  const key = `${row.target_id} ${cause}`;
  let known = causes.get(key);
  if (!known) {
    known = {
      targetId: row.target_id,
      key: keyOfCause(cause),
      cause,
      parked: 0,
      failing: 0,
      since: null,
      latest: null,
      example: { subjectId: row.subject_id, reason: row.reason! },
    };
    causes.set(key, known);
  }
  known[row.wanted > row.done ? 'failing' : 'parked']++;
  if (row.tried_at === null) return;
  known.since = Math.min(known.since ?? row.tried_at, row.tried_at);
  known.latest = Math.max(known.latest ?? row.tried_at, row.tried_at);
}

/** So many rows one page looks at, however few of them are of the cause. */
const lookedAtForPage = 2_000;

/**
 * Accounts of one cause at a target, in the order of their subjects, from the one after `after`. `next`: the last one that
 * was looked at, when there may be more; the page may then hold fewer than asked for, even none.
 */
export async function listAccountsOfCause(
  reading: Reading,
  target: { targetId: number; key: string },
  page: { after?: string; limit: number },
): Promise<{ rows: AccountRow[]; next: string | null }> {
  const rows: AccountRow[] = [];
  const known = new Map<string, string>();
  let after = page.after ?? '';
  for (let looked = 0; looked < lookedAtForPage; looked += perSlice) {
    const { troubled, next } = await readSlice(reading, target.targetId, after, perSlice, known);
    for (const { row, cause } of troubled) {
      if (keyOfCause(cause) !== target.key) continue;
      rows.push(row);
      if (rows.length === page.limit) return { rows, next: row.subject_id };
    }
    if (next === undefined) return { rows, next: null };
    after = next;
  }
  return { rows, next: after };
}
