import { sql } from 'kysely';
import type { LaneRow } from '../store/schema.ts';
import { prepare, type Reading } from '../store/store.ts';

/**
 * Why a target gets nothing, once for all whom it concerns: a thousand accounts behind refused credentials are one
 * banner and not a thousand failures (engine rule 26).
 */
export type Banner = {
  targetId: number;
  /** Which kinds of subjects it keeps waiting. */
  kinds: LaneRow['kind'][];
  reason: string;
  /** The target asked for patience; nothing is broken. */
  throttled: boolean;
  since: number;
  /** When the next single account is tried. */
  nextTryAt: number | null;
  /** Accounts that wait behind it. */
  waiting: number;
};

const countWaiting = prepare<Record<string, never>, { target_id: number; kind: LaneRow['kind']; count: number }>(
  () => sql<{ target_id: number; kind: LaneRow['kind']; count: number }>`
    select l.target_id, l.kind, (
      select count(*) from accounts a where a.target_id = l.target_id and a.kind = l.kind and a.due_at is not null
    ) as count
    from lanes l where l.hold is not null`,
);

/** One banner for each cause at each target; both lanes of a target that are held for one reason share it. */
export async function listBanners(reading: Reading, held: readonly LaneRow[]): Promise<Banner[]> {
  if (held.length === 0) return [];
  const counts = new Map(
    (await reading.run(countWaiting, {})).map((row) => [`${row.target_id} ${row.kind}`, Number(row.count)]),
  );
  const banners = new Map<string, Banner>();
  for (const lane of held) {
    const waiting = counts.get(`${lane.target_id} ${lane.kind}`) ?? 0;
    const key = `${lane.target_id} ${lane.throttled} ${lane.hold}`;
    const known = banners.get(key);
    const since = lane.held_since ?? 0;
    if (!known) {
      banners.set(key, {
        targetId: lane.target_id,
        kinds: [lane.kind],
        reason: lane.hold!,
        throttled: lane.throttled === 1,
        since,
        nextTryAt: lane.probe_at,
        waiting,
      });
      continue;
    }
    known.kinds.push(lane.kind);
    known.waiting += waiting;
    known.since = Math.min(known.since, since);
    if (lane.probe_at !== null) known.nextTryAt = Math.min(known.nextTryAt ?? lane.probe_at, lane.probe_at);
  }
  return [...banners.values()];
}

const countRemovals = prepare<Record<string, never>, { target_id: number; count: number }>(
  () => sql<{ target_id: number; count: number }>`
    select t.id as target_id, count(*) as count from targets t inner join accounts a on a.target_id = t.id
    where a.state <> 'done' and a.state = 'withheld' and a.withheld_operation = 'DELETE' group by t.id`,
);

/** Removals that a rule withholds, by target: accounts that live on though nobody should have them (engine rule 22). */
export async function countWithheldRemovals(reading: Reading): Promise<Map<number, number>> {
  const rows = await reading.run(countRemovals, {});
  return new Map(rows.map((row) => [row.target_id, Number(row.count)]));
}
