import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { SubjectKind } from '../connectors/connector.ts';
import type { Answer, Courier, OutboundRequest } from '../outbound/courier.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Store } from '../store/store.ts';
import { drawRequests } from './budgets.ts';
import { type Claim, claimLane } from './claim.ts';
import { type Ended, recordResults } from './complete.ts';
import { type DeliverLookups, deliverAccount } from './deliver.ts';
import { listDueLanes } from './due-lanes.ts';
import { type Governor, openGovernor } from './governor.ts';
import type { LaneKey } from './lanes.ts';
import type { NodeLife } from './nodes.ts';
import { failureOf, resultOf } from './result.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';

/**
 * Claims due accounts, delivers them and writes the results down, for every target independently (engine rule 27).
 *
 * `kick` says that something may be due; `stop` takes no new claims and resolves when everything under way is written
 * down. Whatever the process does not finish is picked up when its leases end.
 */
export interface Worker {
  useBook(book: TargetBook): void;
  kick(): void;
  /** True while anything is claimed or being written. For tests and orderly stops. */
  readonly busy: boolean;
  stop(): Promise<void>;
}

type Station = {
  targetId: number;
  governor: Governor;
  version: number;
  line: Claim[];
  underWay: number;
  /** How many accounts were claimed so far, by lane: whose turn it is among the urgencies. */
  turns: Record<SubjectKind, number>;
  claiming: boolean;
  /** Lanes that may have due accounts; the others are not asked. */
  worthAsking: Set<SubjectKind>;
  /** Cancels the timer that looks again when the next account is due. */
  cancel: (() => void) | undefined;
  wakeAt: number;
};

function openStation(targetId: number, version: number, governor: Governor): Station {
  return {
    targetId,
    governor,
    version,
    line: [],
    underWay: 0,
    turns: { user: 0, group: 0 },
    claiming: false,
    worthAsking: new Set(),
    cancel: undefined,
    wakeAt: Number.POSITIVE_INFINITY,
  };
}

const kinds: readonly SubjectKind[] = ['user', 'group'];

/** Once the engine stops, nothing more is asked: neither by an attempt that waits for the rate nor as its next step. */
const tooLateToSend: Answer = { ended: 'not-sent', cause: 'deadline', reason: 'not sent: the server is stopping' };

/** Results wait this long for company, unless there are many already: one commit then serves many. */
const gatherMs = 12;
const manyResults = 128;
const largestBatch = 512;
/** Without any signal it is looked this often whether something is due anywhere. */
const idleMs = 1_000;
/** A claim costs a commit: while others are under way it waits until there is room for this share of the concurrency. */
const roomWorthClaiming = 1;

export function startWorker(options: {
  store: Store;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  lookups: DeliverLookups;
  node: NodeLife;
  /** Called when the results of these accounts are written down. */
  onRecorded?: (accounts: readonly { targetId: number; subjectId: string }[]) => void;
  random?: () => number;
}): Worker {
  const { store, clock, log, outbound, lookups, node, onRecorded } = options;
  const random = options.random ?? Math.random;
  const stations = new Map<number, Station>();
  const stopping = new AbortController();
  const ended: Ended[] = [];
  let book: TargetBook | undefined;
  let recording: Promise<void> | undefined;
  /** Stations of which is to be found out whether anything is due. */
  const unsure = new Set<Station>();
  let looking: Promise<void> | undefined;
  /** Ends the waiting for more results. */
  let hurry: (() => void) | undefined;
  let idle: (() => void) | undefined;

  function governorOf({ target: { id, policy } }: OpenTarget): Governor {
    return openGovernor(policy, clock, (rate, want) => drawRequests(store, id, rate, want), random);
  }

  function useBook(next: TargetBook): void {
    book = next;
    for (const station of stations.values()) {
      const target = next.targets.get(station.targetId)?.target;
      if (!target?.enabled || target.paused) giveBack(station, () => true, 'nothing is sent to the target any more');
    }
    for (const [id, open] of next.targets) {
      const station = stations.get(id);
      if (!station) {
        stations.set(id, openStation(id, open.target.version, governorOf(open)));
      } else if (station.version !== open.target.version) {
        station.governor.use(open.target.policy);
        station.version = open.target.version;
      }
    }
    kick();
  }

  function kick(): void {
    for (const station of stations.values()) ask(station);
  }

  function ask(station: Station): void {
    if (!isOpen(station)) return;
    if (hasRoom(station)) {
      unsure.add(station);
      // All that are asked in one turn are one question.
      looking ??= Promise.resolve().then(lookForDue);
    } else {
      // It is busy: when there is room again, it claims.
      for (const kind of kinds) station.worthAsking.add(kind);
    }
  }

  function isOpen({ targetId }: Station): boolean {
    const target = book?.targets.get(targetId)?.target;
    return target?.enabled === true && !target.paused;
  }

  /** A claim is a transaction for each lane, so where nothing is due none is made: one read says it for all targets. */
  async function lookForDue(): Promise<void> {
    try {
      while (unsure.size > 0 && !stopping.signal.aborted) {
        const asked = [...unsure];
        unsure.clear();
        const lanes = await store.read((reading) =>
          listDueLanes(
            reading,
            asked.map((station) => station.targetId),
          ),
        );
        for (const { targetId, kind, dueAt } of lanes) {
          const station = stations.get(targetId)!;
          const wait = dueAt - store.now();
          if (wait > 0) lookAgain(station, wait);
          else station.worthAsking.add(kind);
        }
        for (const station of asked) void fill(station);
      }
    } catch (error) {
      log.error({ error }, 'looking for what is due failed; trying again shortly');
    }
    looking = undefined;
  }

  /** Claims for one target until it has enough or nothing is due. */
  async function fill(station: Station): Promise<void> {
    if (station.claiming || stopping.signal.aborted) return;
    station.claiming = true;
    try {
      // A node that is silent could send nothing of it.
      while (station.worthAsking.size > 0 && hasRoom(station) && node.id !== undefined && !stopping.signal.aborted) {
        await claimNext(station);
        start(station);
      }
    } catch (error) {
      log.error({ error, target: station.targetId }, 'claiming failed; trying again shortly');
      lookAgain(station, idleMs);
    } finally {
      station.claiming = false;
    }
  }

  /** Asks the lane that waited longest: users who come by the thousand do not keep a group from its turn. */
  async function claimNext(station: Station): Promise<void> {
    const [kind] = station.worthAsking;
    if (book === undefined || !isOpen(station) || kind === undefined) {
      station.worthAsking.clear();
      return;
    }
    station.worthAsking.delete(kind);
    const room = station.governor.room();
    const lane = { targetId: station.targetId, kind, turn: station.turns[kind], node: node.id! };
    const answer = await claimLane(store, clock, book, lane, room);
    station.turns[kind] += answer.claims.length;
    if (answer.until !== undefined) lookAgain(station, answer.until - store.now());
    if (answer.claims.length === room) station.worthAsking.add(kind);
    station.governor.enter(answer.claims.length);
    station.line.push(...answer.claims);
    // Claimed together or not: the urgent leave first.
    station.line.sort((one, other) => one.account.urgency - other.account.urgency);
  }

  function hasRoom(station: Station): boolean {
    const policy = book?.targets.get(station.targetId)?.target.policy;
    if (policy === undefined) return false;
    const idle = station.line.length === 0 && station.underWay === 0;
    return station.governor.room() >= (idle ? 1 : policy.concurrency * roomWorthClaiming);
  }

  function lookAgain(station: Station, ms: number): void {
    if (stopping.signal.aborted) return;
    const at = clock.monotonic() + Math.max(1, ms);
    if (station.wakeAt <= at) return;
    station.cancel?.();
    station.wakeAt = at;
    station.cancel = clock.after(Math.max(1, ms), () => {
      station.cancel = undefined;
      station.wakeAt = Number.POSITIVE_INFINITY;
      ask(station);
    });
  }

  function start(station: Station): void {
    if (stopping.signal.aborted) giveBack(station, () => true, 'the server is stopping');
    const concurrency = book?.targets.get(station.targetId)?.target.policy.concurrency ?? 1;
    const isLate = (claim: Claim) => clock.monotonic() > node.sendBefore(claim.node);
    while (station.line.length > 0 && station.underWay < concurrency) {
      if (isLate(station.line[0]!)) {
        giveBack(station, isLate, 'the server could not say in time that it is there');
        continue;
      }
      const claim = station.line.shift()!;
      station.underWay += 1;
      void attempt(station, claim).then(() => {
        station.underWay -= 1;
        start(station);
      });
    }
  }

  async function attempt(station: Station, claim: Claim): Promise<void> {
    const courier = outbound.courier({
      deadline: () => Math.min(claim.sendBefore, node.sendBefore(claim.node)),
      timeoutMs: claim.open.target.policy.timeoutMs,
    });
    let mutatedAt: number | null = null;
    let tooLate = false;
    const watch = (answer: Answer) => {
      if (answer.ended === 'not-sent' && answer.cause === 'deadline') tooLate = true;
      return answer;
    };
    const governed: Courier = {
      async read(request: OutboundRequest) {
        await station.governor.pass(stopping.signal);
        if (stopping.signal.aborted) return watch(tooLateToSend);
        return watch(await courier.read(request));
      },
      async mutate(request: OutboundRequest) {
        await station.governor.pass(stopping.signal);
        if (stopping.signal.aborted) return watch(tooLateToSend);
        mutatedAt = store.now();
        return watch(await courier.mutate(request));
      },
      get exchanges() {
        return courier.exchanges;
      },
      get mutated() {
        return courier.mutated;
      },
    };
    let result: Ended['result'];
    try {
      result = await deliverAccount(claim, governed, lookups);
    } catch (error) {
      // Our own fault: what was sent before it happened is unknown (design section 5, third kind).
      log.error({ error, attempt: claim.attemptId }, 'an attempt failed by a fault of Purvey');
      result = failureOf(
        claim,
        'none',
        { outcome: 'unknown', reason: `a fault inside Purvey, logged with attempt ${claim.attemptId}` },
        { settled: claim.doubt === null, mutated: courier.mutated },
      );
    }
    // We were too slow for our own lease: that tells nothing about the target, nor about the account.
    if (tooLate && result.outcome === 'unavailable') result = { ...result, failed: false, news: { news: 'nothing' } };
    ended.push({
      result,
      exchanges: courier.exchanges,
      mutatedAt: courier.mutated ? (mutatedAt ?? store.now()) : null,
    });
    recording ??= gather();
    if (ended.length >= manyResults) hurry?.();
  }

  async function gather(): Promise<void> {
    while (ended.length > 0) {
      if (ended.length < manyResults) await moreResults();
      const batch = ended.splice(0, largestBatch);
      const recording = recordResults(store, random, batch);
      // Claimed in the same turn, the next accounts share the commit of these results.
      for (const { result } of batch) stations.get(result.claim.account.target_id)?.governor.leave();
      for (const station of stations.values()) void fill(station);
      try {
        const recorded = await recording;
        if (recorded.wakes > 0) store.signal('changes');
        onRecorded?.(
          batch.map(({ result: { claim } }) => ({
            targetId: claim.account.target_id,
            subjectId: claim.account.subject_id,
          })),
        );
        for (const { attemptId, error } of recorded.untold) {
          log.error({ error, attempt: attemptId }, 'the result of an attempt could not be written down');
        }
        for (const alarm of recorded.alarms) log.warn(alarm, 'a rule withholds a removal: the account stays as it is');
        for (const lane of recorded.held) giveBackLane(lane);
        for (const { targetId, dueAt } of recorded.due) {
          const station = stations.get(targetId);
          if (station) lookAgain(station, dueAt - store.now());
        }
      } catch (error) {
        // Their leases end by themselves and the accounts are found in doubt: nothing is lost, only late.
        log.error({ error, attempts: batch.length }, 'results could not be written down');
      }
    }
    recording = undefined;
  }

  function giveBackLane(lane: LaneKey): void {
    const station = stations.get(lane.targetId);
    if (!station) return;
    const waits = (claim: Claim) => claim.account.kind === lane.kind && !claim.probe;
    giveBack(station, waits, 'the lane was held before its turn came');
  }

  /** Nothing was said yet for accounts that stand in line: these are not tried, and their lease ends at once. */
  function giveBack(station: Station, which: (claim: Claim) => boolean, why: string): void {
    const back = station.line.filter(which);
    if (back.length === 0) return;
    station.line = station.line.filter((claim) => !which(claim));
    for (const claim of back) {
      const result = resultOf(claim, {
        operation: 'none',
        outcome: 'unavailable',
        reason: `not tried: ${why}`,
        doubt: 'keep',
        news: { news: 'nothing' },
      });
      ended.push({ result, exchanges: [], mutatedAt: null });
    }
    recording ??= gather();
  }

  function moreResults(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(gatherMs, resolve);
      hurry = () => {
        hurry = undefined;
        cancel();
        resolve();
      };
    });
  }

  const tick = () => {
    if (stopping.signal.aborted) return;
    kick();
    idle = clock.after(idleMs, tick);
  };
  idle = clock.after(idleMs, tick);

  const isBusy = () =>
    recording !== undefined ||
    looking !== undefined ||
    [...stations.values()].some((one) => one.underWay > 0 || one.claiming || one.line.length > 0);

  return {
    useBook,
    kick,
    get busy() {
      return isBusy();
    },
    async stop() {
      stopping.abort();
      idle?.();
      for (const station of stations.values()) {
        station.cancel?.();
        giveBack(station, () => true, 'the server is stopping');
      }
      while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}
