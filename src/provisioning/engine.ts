import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { SealingKey } from '../base/secret.ts';
import type { ConnectorKind } from '../connectors/connector.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Store } from '../store/store.ts';
import { readDeliveryStamp } from './delivery-stamp.ts';
import { openLookups } from './lookups.ts';
import { planStep } from './plan.ts';
import { openTargetBook, type TargetBook } from './target-book.ts';
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
}

/** Without any signal the engine looks for unplanned changes, and for changed targets, this often. */
const idleMs = 1_000;

export async function startEngine(options: {
  store: Store;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  kinds: readonly ConnectorKind[];
  key: SealingKey;
  random?: () => number;
}): Promise<Engine> {
  const { store, clock, log, outbound, kinds, key } = options;
  const worker = startWorker({
    store,
    clock,
    log,
    outbound,
    lookups: openLookups(store),
    ...(options.random ? { random: options.random } : {}),
  });
  let book: TargetBook = await store.read((reading) => openTargetBook(reading, { key, kinds, outbound }));
  worker.useBook(book);
  let stopped = false;
  let planning: Promise<void> | undefined;
  let again = false;

  async function reopenBook(): Promise<void> {
    book = await store.read((reading) => openTargetBook(reading, { key, kinds, outbound }, book));
    worker.useBook(book);
  }

  async function plan(): Promise<void> {
    try {
      do {
        again = false;
        if ((await store.read(readDeliveryStamp)) !== book.stamp) await reopenBook();
        for (let taken: number | 'outdated' = 1; taken !== 0 && !stopped; ) {
          taken = await planStep(store, book);
          if (taken === 'outdated') await reopenBook();
        }
      } while (again && !stopped);
    } catch (error) {
      log.error({ error }, 'planning failed; trying again shortly');
    }
    planning = undefined;
  }
  const kickPlanner = () => {
    if (stopped) return;
    if (planning) again = true;
    else planning = plan();
  };

  const silence = [
    store.onSignal('changes', kickPlanner),
    store.onSignal('targets', kickPlanner),
    store.onSignal('work', () => worker.kick()),
  ];
  let cancel: (() => void) | undefined;
  const tick = () => {
    kickPlanner();
    cancel = clock.after(idleMs, tick);
  };
  tick();

  return {
    get busy() {
      return planning !== undefined || worker.busy;
    },
    async stop() {
      stopped = true;
      cancel?.();
      for (const off of silence) off();
      await planning;
      await worker.stop();
    },
  };
}
