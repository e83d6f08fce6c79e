import type { FastifyInstance } from 'fastify';
import type {
  BannerAnswer,
  LaneAnswer,
  ServerAnswer,
  StatusAnswer,
  TargetStatus,
  ThroughputAnswer,
} from '../../contract/status.ts';
import { countUnplanned } from '../../directory/changes.ts';
import { countForwarded } from '../../directory/forwarded-bodies.ts';
import { type Banner, countWithheldRemovals, listBanners } from '../../provisioning/banners.ts';
import { countLeft } from '../../provisioning/decisions.ts';
import { countDescents } from '../../provisioning/descents.ts';
import { countAccounts, listHeldLanes, type TargetCounts } from '../../provisioning/inspect.ts';
import { fixOf } from '../../provisioning/known-fixes.ts';
import { type Keep, readOldest } from '../../provisioning/retention.ts';
import { listServiceProviders } from '../../provisioning/service-providers.ts';
import { listTargets, readTarget, type Target } from '../../provisioning/targets.ts';
import { longestSpan, openThroughput, readRates } from '../../provisioning/throughput.ts';
import { countWakes } from '../../provisioning/wakes.ts';
import { listOpenWaves } from '../../provisioning/waves.ts';
import type { LaneRow } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import type { AdminParts } from './parts.ts';
import { readOneOf, readQuery, showTime } from './query.ts';
import { showWave } from './waves.ts';

/** What only the process itself knows. */
export type StatusFacts = {
  version: string;
  /** Monotonic milliseconds when it started. */
  startedAt: number;
  /** The database's file, or its host and name; without credentials. */
  place: string;
  /** Days that attempts and changes are kept; 0: for ever. */
  keep: Keep;
  server: ServerAnswer;
};

/** How long ago the first bucket begins, and how long each is, in minutes. */
const spans = {
  hour: { minutes: 60, minutesPerBucket: 1 },
  day: { minutes: longestSpan, minutesPerBucket: 15 },
} as const;

export function addStatusRoutes(app: FastifyInstance, { store, clock, tally }: AdminParts, facts: StatusFacts): void {
  const throughput = openThroughput({ store, clock });

  app.get('/throughput', async (request): Promise<ThroughputAnswer> => {
    const query = readQuery(request.query, ['span', 'target']);
    const span = spans[readOneOf(query.span, 'span', ['hour', 'day']) ?? 'hour'];
    const target = query.target;
    const targetId = target === undefined ? undefined : (await store.read((reading) => readTarget(reading, target))).id;
    const { buckets, countedSince } = await throughput.read({ ...span, targetId });
    return {
      secondsPerBucket: span.minutesPerBucket * 60,
      buckets: buckets.map(({ at, ...counts }) => ({ at: showTime(at), ...counts })),
      countedSince: showTime(countedSince),
    };
  });

  app.get('/status', async (): Promise<StatusAnswer> => {
    const all = await tally.read();
    return store.read(async (reading) => {
      const { lost, ...forwarded } = await countForwarded(reading);
      // What is planned while it is counted moves from one count to the other: it is to be in one of them.
      const unplanned = await countToPlan(reading);
      const counts = await countAccounts(reading, all.accounts);
      const stillUnplanned = await countToPlan(reading);
      const lanes = await listHeldLanes(reading);
      const providers = await listServiceProviders(reading);
      const targets = await listTargets(reading);
      const waves = await listOpenWaves(reading);
      const oldest = await readOldest(reading);
      const banners = await listBanners(reading, lanes);
      const removals = await countWithheldRemovals(reading);
      const rates = await readRates(reading);
      const left = await countLeft(reading);
      const now = store.now();
      return {
        version: facts.version,
        uptime: Math.round((clock.monotonic() - facts.startedAt) / 1000),
        database: { kind: store.dialect.name, place: facts.place },
        server: facts.server,
        users: all.users,
        groups: all.groups,
        forwarded: { ...forwarded, givenUp: lost },
        unplannedChanges: Math.max(unplanned, stillUnplanned),
        kept: {
          attemptsDays: facts.keep.attemptsDays,
          changesDays: facts.keep.changesDays,
          oldestAttempt: oldest.attempt === null ? null : showTime(oldest.attempt),
          oldestChange: oldest.change === null ? null : showTime(oldest.change),
        },
        targets: targets.map((target) => {
          const boundBy = providers
            .filter((one) => one.bindings.some((binding) => binding.targetId === target.id && binding.enabled))
            .map((one) => one.name);
          const held = lanes.filter((lane) => lane.target_id === target.id);
          const own = waves
            .filter((wave) => wave.target_id === target.id)
            .map((wave) => showWave(wave, target.name, now));
          return {
            ...showTarget(target, counts.get(target.id), boundBy, held, now),
            ...showRate(rates.get(target.id), counts.get(target.id)?.pending ?? 0),
            banners: banners.filter((banner) => banner.targetId === target.id).map(showBanner),
            withheldRemovals: removals.get(target.id) ?? 0,
            left: left.get(target.id) ?? 0,
            waves: own,
          };
        }),
      };
    });
  });
}

async function countToPlan(reading: Reading): Promise<number> {
  return Number(await countUnplanned(reading)) + (await countWakes(reading)) + (await countDescents(reading));
}

function showTarget(
  target: Target,
  counts: TargetCounts | undefined,
  boundBy: string[],
  lanes: readonly LaneRow[],
  now: number,
): Omit<TargetStatus, 'waves' | 'banners' | 'withheldRemovals' | 'perSecond' | 'secondsLeft' | 'left'> {
  const oldest = counts?.oldestDueAt ?? null;
  return {
    id: target.id,
    name: target.name,
    enabled: target.enabled && target.idpEnabled,
    paused: target.paused && { since: showTime(target.paused.since), by: target.paused.by },
    boundBy,
    accounts: counts?.accounts ?? 0,
    byState: { ...counts?.byState },
    pending: counts?.pending ?? 0,
    parked: counts?.byState.parked ?? 0,
    held: lanes.map(showLane),
    oldestPendingMs: oldest === null ? null : Math.max(0, Math.round(now - oldest)),
  };
}

function showRate(rate: number | undefined, pending: number): Pick<TargetStatus, 'perSecond' | 'secondsLeft'> {
  if (rate === undefined) return { perSecond: null, secondsLeft: null };
  return { perSecond: Math.round(rate * 10) / 10, secondsLeft: pending === 0 ? null : Math.ceil(pending / rate) };
}

function showBanner({ kinds, reason, throttled, since, nextTryAt, waiting }: Banner): BannerAnswer {
  return {
    kinds,
    reason,
    throttled,
    since: showTime(since),
    nextTryAt: nextTryAt === null ? null : showTime(nextTryAt),
    waiting,
    fix: fixOf(reason, throttled),
  };
}

export function showLane(lane: LaneRow): LaneAnswer {
  return {
    kind: lane.kind,
    hold: lane.hold!,
    since: showTime(lane.held_since ?? 0),
    throttled: lane.throttled === 1,
    nextTryAt: lane.probe_at === null ? null : showTime(lane.probe_at),
  };
}
