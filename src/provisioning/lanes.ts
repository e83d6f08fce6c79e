import type { LaneRow } from '../store/schema.ts';
import { prepare, type Tx } from '../store/store.ts';
import { backoffMs } from './schedule.ts';

/**
 * A lane is one kind of subject at one target. What fails for everybody belongs to the lane, not to the accounts that
 * happened to be tried (engine rule 26):
 *
 *     open --credentials refused, TLS, DNS, connection refused, wrong endpoint-----> held
 *     open --ten failures in a row, no success between------------------------------> held
 *     open --too many accounts answered "not found"---------------------------------> held
 *     open --ten deliveries in a row forbidden (403), none accepted between----------> held
 *     held --one probe at a time, later and later (1 s .. 1 min)--> fails: held / answered: open
 *     open --429 or the like--> throttled until the time the target named --> open
 *
 * Nothing is parked by what holds a lane. Several nodes share a lane through its row, which is locked while claiming.
 */

const failuresThatHold = 10;
const refusalsThatHold = 10;
const absencesThatHold = 30;
const absenceWindowMs = 10 * 60_000;
export const longestProbeMs = 60_000;

/** What one attempt tells about its lane. */
export type LaneNews = {
  /** It was the held lane's probe. */ probe?: boolean;
} /** The target answered as a working target does. `success`: it even did what was asked. */ & (
  | { news: 'answered'; success: boolean }
  | { news: 'absent'; reason: string }
  | { news: 'failed'; reason: string }
  /** The target forbade it, which is this account's matter or everybody's. */
  | { news: 'forbidden'; reason: string; subjectId: string }
  | { news: 'broken'; reason: string; retryAfterMs?: number }
  | { news: 'throttled'; reason: string; retryAfterMs?: number }
  | { news: 'nothing' }
);

/** The lane after some news, in the order they came. Pure. `random` is in [0, 1). */
export function foldLaneNews(lane: LaneRow, news: readonly LaneNews[], now: number, random: () => number): LaneRow {
  let after = { ...lane };
  for (const one of news) after = foldOne(after, one, now, random);
  return after;
}

function foldOne(lane: LaneRow, news: LaneNews, now: number, random: () => number): LaneRow {
  switch (news.news) {
    case 'nothing':
      // A probe that asked nothing found nothing out: the next may go at once.
      return news.probe && lane.hold !== null ? { ...lane, probe_at: now } : lane;
    case 'answered':
      return {
        // An answer to what was sent before the target asked for patience does not end its patience.
        ...(lane.throttled && (lane.probe_at ?? 0) > now ? lane : openLane(lane)),
        last_success_at: news.success ? now : lane.last_success_at,
        absences: news.success && lane.hold !== null ? 0 : lane.absences,
      };
    case 'absent': {
      const fresh = now - lane.absences_since > absenceWindowMs;
      const counted = {
        ...lane,
        absences: fresh ? 1 : lane.absences + 1,
        absences_since: fresh ? now : lane.absences_since,
      };
      if (counted.absences < absencesThatHold) return { ...openLane(counted), absences: counted.absences };
      return holdLane(
        counted,
        `${counted.absences} accounts were answered "not found" within ten minutes (${news.reason}). If the target was emptied or its endpoint changed, check its settings; meanwhile accounts are made again one at a time.`,
        now,
        random,
        news.probe,
      );
    }
    case 'forbidden': {
      // Whoever answers is there; only what is held for being forbidden stays so.
      const ends = lane.hold !== null && !lane.throttled && !isForbidden(lane);
      const before = ends ? openLane(lane) : lane;
      const counted = {
        ...before,
        refusals: before.refusals + 1,
        first_refused: before.refusals === 0 ? news.subjectId : before.first_refused,
      };
      if (counted.refusals < refusalsThatHold) return counted;
      return holdLane(
        counted,
        `every delivery is forbidden: ${news.reason}. The credentials may have lost their rights, or the target its room for more: look there, then test the connection`,
        now,
        random,
        news.probe,
      );
    }
    case 'failed': {
      const counted = { ...lane, failures: lane.failures + 1 };
      if (lane.hold === null && counted.failures < failuresThatHold) return counted;
      return holdLane(counted, lane.hold ?? `every delivery fails: ${news.reason}`, now, random, news.probe);
    }
    case 'broken':
      return holdLane(lane, news.reason, now, random, news.probe, news.retryAfterMs);
    case 'throttled': {
      const until = now + (news.retryAfterMs ?? backoffMs(Math.min(lane.probes, 6), random()));
      return {
        ...lane,
        hold: news.reason,
        held_since: lane.held_since ?? now,
        throttled: 1,
        probes: lane.probes + 1,
        probe_at: Math.max(lane.throttled ? (lane.probe_at ?? 0) : 0, until),
      };
    }
  }
}

function openLane(lane: LaneRow): LaneRow {
  return { ...lane, hold: null, held_since: null, probe_at: null, probes: 0, throttled: 0, failures: 0, refusals: 0 };
}

/** Whether the lane is held because everybody is forbidden there. */
export function isForbidden(lane: LaneRow): boolean {
  return lane.hold !== null && lane.refusals >= refusalsThatHold;
}

/**
 * Whether a delivery that was forbidden was so like every other: then it is no fault of its account, which waits and
 * does not park. `lane`: as it is with the news of this delivery.
 */
export function isForbiddenToAll(lane: LaneRow): boolean {
  return lane.refusals > 1;
}

function holdLane(
  lane: LaneRow,
  reason: string,
  now: number,
  random: () => number,
  probe = false,
  retryAfterMs = 0,
): LaneRow {
  // Attempts that were under way when the lane was held fail too; only a probe's own failure makes the next one later.
  const probed = lane.hold === null || probe;
  const probes = probed ? lane.probes + 1 : lane.probes;
  const wait = Math.max(retryAfterMs, Math.min(longestProbeMs, backoffMs(Math.max(0, probes - 1), random())));
  return {
    ...lane,
    hold: reason,
    held_since: lane.held_since ?? now,
    throttled: 0,
    probes,
    probe_at: probed ? now + wait : lane.probe_at,
  };
}

/** What a lane allows now: any number of claims, one probe, or nothing until a time. */
export function laneAllows(
  lane: LaneRow,
  now: number,
): { claims: 'any' } | { claims: 'probe' } | { claims: 'none'; until: number } {
  if (lane.hold === null) return { claims: 'any' };
  if ((lane.probe_at ?? 0) > now) return { claims: 'none', until: lane.probe_at! };
  return lane.throttled ? { claims: 'any' } : { claims: 'probe' };
}

export type LaneKey = { targetId: number; kind: 'user' | 'group' };

const ensureLane = prepare<LaneKey, never>(
  (q, p) =>
    q
      .insertInto('lanes')
      .values({
        target_id: p.targetId,
        kind: p.kind,
        probes: 0,
        throttled: 0,
        failures: 0,
        absences: 0,
        absences_since: 0,
      } as never)
      .onConflict((conflict) => conflict.columns(['target_id', 'kind']).doNothing()) as never,
);

const selectLane = prepare<LaneKey, LaneRow>((q, p, d) =>
  q
    .selectFrom('lanes')
    .selectAll()
    .where('target_id', '=', p.targetId)
    .where('kind', '=', p.kind)
    .modifyEnd(d.forUpdate),
);

/** The lane, locked until commit, so that nodes claim from it one after the other. Made at first sight. */
export async function lockLane(tx: Tx, key: LaneKey): Promise<LaneRow> {
  const [known] = await tx.run(selectLane, key);
  if (known) return known;
  await tx.run(ensureLane, key);
  return (await tx.run(selectLane, key))[0]!;
}

const updateLane = prepare<{ [K in keyof LaneRow]: LaneRow[K] }, never>(
  (q, p) =>
    q
      .updateTable('lanes')
      .set({
        hold: p.hold,
        held_since: p.held_since,
        probe_at: p.probe_at,
        probes: p.probes,
        throttled: p.throttled,
        last_success_at: p.last_success_at,
        failures: p.failures,
        absences: p.absences,
        absences_since: p.absences_since,
        refusals: p.refusals,
        first_refused: p.first_refused,
      })
      .where('target_id', '=', p.target_id)
      .where('kind', '=', p.kind) as never,
);

export async function writeLane(tx: Tx, lane: LaneRow): Promise<void> {
  await tx.run(updateLane, lane);
}

/** A held lane's probe was claimed: nobody else probes until its answer is in or its lease has ended. */
export async function noteProbe(tx: Tx, lane: LaneRow, leaseEnds: number): Promise<void> {
  await writeLane(tx, { ...lane, probe_at: leaseEnds });
}
