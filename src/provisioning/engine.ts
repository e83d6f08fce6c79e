import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { SealingKey } from '../base/secret.ts';
import type { ConnectorKind } from '../connectors/connector.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { ResourceTypes } from '../protocol/scim/schema.ts';
import type { RuleSettings } from '../rules/decide.ts';
import type { Store } from '../store/store.ts';
import { tidyBodies } from './account-bodies.ts';
import { tidyPasswords } from './account-passwords.ts';
import { readDeliveryStamp } from './delivery-stamp.ts';
import { openLookups } from './lookups.ts';
import { joinNodes } from './nodes.ts';
import { changesPerStep, planStep } from './plan.ts';
import { lookForPlannerWork } from './planner-work.ts';
import { forgetStep } from './remove-target.ts';
import { openTargetBook, type TargetBook } from './target-book.ts';
import { waveStep } from './wave-step.ts';
import { startWorker } from './worker.ts';

/** The running engine: plans changes and delivers accounts until it is stopped. */
export interface Engine {
  /**
   * Takes no new work, lets what is under way end and be written down (each request is bounded by its timeout), and
   * resolves. Safe to call twice.
   */
  stop(): Promise<void>;
  /** True while something is being planned, delivered or written. False does not mean that nothing is due. */
  readonly busy: boolean;
  /**
   * Targets and bindings as they are known here. When this node was told that they changed, they are read first; what
   * another node changed is known here a moment later, at the latest after a second.
   */
  currentBook(): Promise<TargetBook>;
  /** Calls `listener` when something was planned here, or the results of these accounts were written down here; the answer ends it. */
  onProgress(listener: (progress: Progress) => void): () => void;
}

export type Progress = { planned: true } | { recorded: readonly { targetId: number; subjectId: string }[] };

/** Without any signal the engine looks for unplanned changes, and for changed targets, this often. */
const idleMs = 1_000;
/** How often passwords are looked for that nobody waits for any more. */
const tidyMs = 60_000;
/** A sync that waits for deliveries looks again this often. */
const waveMs = 200;

export async function startEngine(options: {
  store: Store;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  kinds: readonly ConnectorKind[];
  key: SealingKey;
  /** Default: the clock in UTC, and what no rule applies to is let through. */
  rules?: RuleSettings;
  /** What scopes read. Default: without extensions. */
  types?: ResourceTypes;
  /** How long a node may be silent (`nodes.ts`). */
  silentMs?: number;
  random?: () => number;
}): Promise<Engine> {
  const { store, clock, log, outbound, kinds, key, rules, types } = options;
  const bookParts = { key, kinds, outbound, ...(rules ? { rules } : {}), ...(types ? { types } : {}) };
  const listeners = new Set<(progress: Progress) => void>();
  const tell = (progress: Progress) => {
    for (const listener of listeners) listener(progress);
  };
  let book: TargetBook = await store.read((reading) => openTargetBook(reading, bookParts));
  const node = await joinNodes({
    store,
    clock,
    log,
    book: () => book,
    ...(options.silentMs ? { silentMs: options.silentMs } : {}),
  });
  const worker = startWorker({
    store,
    clock,
    log,
    outbound,
    lookups: openLookups(store),
    node,
    onRecorded: (recorded) => tell({ recorded }),
    ...(options.random ? { random: options.random } : {}),
  });
  worker.useBook(book);
  let stopped = false;
  let planning: Promise<void> | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let cancelWave: (() => void) | undefined;
  /** How often this node was told that targets or bindings changed, and up to which time the book knows of it. */
  let heard = 0;
  let known = 0;
  let readers: (() => void)[] = [];

  function answerReaders(): void {
    const waiting = readers;
    readers = [];
    for (const answer of waiting) answer();
  }

  async function refreshBook(): Promise<void> {
    const upTo = heard;
    if ((await store.read(readDeliveryStamp)) !== book.stamp) await reopenBook();
    known = upTo;
    if (known === heard) answerReaders();
  }
  let tidying: Promise<void> | undefined;
  let tidyAt = clock.monotonic() + tidyMs;
  let tidied = 0;
  let tidiedBodies = '';

  async function reopenBook(): Promise<void> {
    book = await store.read((reading) => openTargetBook(reading, bookParts, book));
    worker.useBook(book);
  }

  async function plan(): Promise<void> {
    try {
      do {
        again = false;
        await refreshBook();
        for (let taken: number | 'outdated' = 1; taken !== 0 && !stopped; ) {
          taken = await planStep(store, book);
          if (typeof taken === 'number' && taken > 0) tell({ planned: true });
          // Waves go on when nobody's change waits.
          if (taken !== 'outdated' && taken < changesPerStep(book)) taken = await carryWaveOn(taken);
          if (taken === 0) taken = await forgetStep(store);
          if (taken === 'outdated' || heard !== known) await refreshBook();
        }
      } while (again && !stopped);
    } catch (error) {
      log.error({ error }, 'planning failed; trying again shortly');
    }
    planning = undefined;
    // Whoever asked for the book does not wait for the database to heal.
    answerReaders();
  }

  async function carryWaveOn(taken: number): Promise<number | 'outdated'> {
    const looked = await waveStep(store, book);
    if (looked === 'waiting') {
      cancelWave?.();
      cancelWave = stopped ? undefined : clock.after(waveMs, kickPlanner);
      return taken;
    }
    return looked === 'outdated' ? looked : taken + looked;
  }

  const kickPlanner = () => {
    if (stopped) return;
    if (planning) again = true;
    else planning = plan();
  };

  /** Nothing was said, so most likely there is nothing. */
  async function lookForWork(): Promise<void> {
    try {
      const { stamp, work } = await store.read(lookForPlannerWork);
      if (work || stamp !== book.stamp) kickPlanner();
    } catch {
      // The planner finds out why, and says so.
      kickPlanner();
    }
    looking = undefined;
  }

  async function tidy(): Promise<void> {
    try {
      tidied = await tidyPasswords(store, tidied);
      tidiedBodies = await tidyBodies(store, tidiedBodies);
    } catch (error) {
      log.error({ error }, 'looking for passwords and bodies that nobody waits for failed; trying again in a minute');
    }
    tidying = undefined;
  }

  const silence = [
    store.onSignal('changes', kickPlanner),
    store.onSignal('targets', () => {
      heard += 1;
      kickPlanner();
    }),
    store.onSignal('work', () => worker.kick()),
  ];
  let cancel: (() => void) | undefined;
  kickPlanner();
  const tick = () => {
    if (planning) again = true;
    else looking ??= lookForWork();
    // Beside the planner, which has no time for it.
    if (tidying === undefined && clock.monotonic() >= tidyAt) {
      tidyAt = clock.monotonic() + tidyMs;
      tidying = tidy();
    }
    cancel = clock.after(idleMs, tick);
  };
  cancel = clock.after(idleMs, tick);

  return {
    get busy() {
      return planning !== undefined || looking !== undefined || tidying !== undefined || worker.busy;
    },
    async currentBook() {
      if (heard !== known && planning && !stopped) await new Promise<void>((answer) => readers.push(answer));
      return book;
    },
    onProgress(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      stopped = true;
      cancel?.();
      for (const off of silence) off();
      await looking;
      await planning;
      await tidying;
      cancelWave?.();
      await worker.stop();
      await node.stop();
    },
  };
}
