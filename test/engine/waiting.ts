import { openLog } from '../../src/base/log.ts';
import { readSubjects } from '../../src/directory/subjects.ts';
import type { Engine } from '../../src/provisioning/engine.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { type Delivery, openWaits, type Waits } from '../../src/provisioning/wait.ts';
import type { Store } from '../../src/store/store.ts';
import type { EngineBed } from './bed.ts';

/** Binds the resident service provider to these targets, in this order, and tells the engine. */
export async function bindResident(
  bed: EngineBed,
  bindings: readonly { targetId: number; blocking?: boolean; onFailure?: 'report' | 'fail'; rules?: boolean }[],
): Promise<void> {
  const input = bindings.map(({ targetId, ...flags }) => ({ target: targetId, blocking: true, ...flags }));
  await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, input));
  bed.store.signal('targets');
}

export type Waiting = {
  waits: Waits;
  /** Waits for a subject as it is now, for a change by the resident service provider. */
  settle(subjectId: string, options?: Parameters<Waits['settle']>[1]): Promise<Delivery[]>;
  /** The same, with test time going on meanwhile. */
  settled(subjectId: string, options?: Parameters<Waits['settle']>[1]): Promise<Delivery[]>;
};

export function openWaiting(
  bed: EngineBed,
  engine: Engine,
  options: { boundMs?: number; store?: Store } = {},
): Waiting {
  const { clock, resident } = bed;
  const { boundMs = 10_000, store = bed.store } = options;
  const waits = openWaits({ store, clock, log: openLog('silent'), engine, boundMs });
  const settle: Waiting['settle'] = async (subjectId, how = {}) => {
    const subject = (await store.read((reading) => readSubjects(reading, [subjectId]))).get(subjectId)!;
    return waits.settle({ spId: resident.spId, subject }, how);
  };
  return {
    waits,
    settle,
    async settled(subjectId, how) {
      const answer = settle(subjectId, how);
      await ended(bed, answer);
      return answer;
    },
  };
}

/**
 * Lets test time go on, in small steps, until something has ended. Each step takes a real millisecond or more: with
 * `stepMs` 1 test time is never ahead of what real input and output takes, for what is to end at once.
 */
export async function ended(bed: EngineBed, what: Promise<unknown>, { stepMs = 10 } = {}): Promise<void> {
  let over = false;
  void what.finally(() => {
    over = true;
  });
  await bed.clock.runUntil(() => over, { stepMs, what: 'whoever waits' });
}

/** What something comes to while test time stands still: it waits for nothing but real input and output. */
export async function atOnce<T>(what: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not end while the clock stands still')), 15_000);
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What each target made of it, in short: `partner:SCIM2 done`. */
export const outcomes = (deliveries: readonly Delivery[]) => deliveries.map((one) => `${one.target} ${one.outcome}`);
