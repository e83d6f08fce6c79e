import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import type { Origin } from '../../../src/directory/changes.ts';
import type { Outbound } from '../../../src/outbound/outbound.ts';
import { createIdentityProvider } from '../../../src/provisioning/identity-providers.ts';
import { ensureResidentServiceProvider, replaceBindings } from '../../../src/provisioning/service-providers.ts';
import { openTargetBook, type TargetBook } from '../../../src/provisioning/target-book.ts';
import { createTarget, replaceTarget } from '../../../src/provisioning/targets.ts';
import type { StoreLocation } from '../../../src/store/open.ts';
import type { StatementHook, Store } from '../../../src/store/store.ts';
import { type DatabaseKind, openTestStore } from '../../database.ts';
import { makeMemoryKind } from './connector.ts';
import type { TargetTraits } from './memory-target.ts';

/** A clock that goes on only when the schedule says so, and wakes nobody. */
export interface StepClock extends Clock {
  pass(ms: number): void;
  reset(): void;
}

export function openStepClock(): StepClock {
  const start = Date.UTC(2026, 2, 2, 12);
  let elapsed = 0;
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after: () => () => {},
    pass(ms) {
      elapsed += ms;
    },
    reset() {
      elapsed = 0;
    },
  };
}

/** One database, used by one schedule after the other. */
export type Ground = {
  readonly store: Store;
  readonly clock: StepClock;
  /** For another store on the same database. */
  readonly location: StoreLocation;
  /** Seals the target's settings. */
  readonly key: Buffer;
  readonly targetId: number;
  readonly origin: Origin;
  /** Empties it and sets the target up; time starts again. */
  clear(policy: Record<string, unknown>, traits: TargetTraits): Promise<void>;
  openBook(previous?: TargetBook): Promise<TargetBook>;
  close(): Promise<void>;
};

const emptied = [
  'subjects',
  'subject_keys',
  'members',
  'refs',
  'subject_sps',
  'passwords',
  'changes',
  'accounts',
  'links',
  'wakes',
  'attempts',
  'exchanges',
  'lanes',
] as const;

export async function openGround(database: DatabaseKind, onStatement?: StatementHook): Promise<Ground> {
  const clock = openStepClock();
  const { store, location, remove } = await openTestStore(database, {
    clock,
    time: 'clock',
    durability: 'none',
    ...(onStatement ? { onStatement } : {}),
  });
  let traits: TargetTraits;
  const kinds = [makeMemoryKind(() => traits)];
  const key = randomBytes(32);
  const outbound: Outbound = {
    clock,
    courier() {
      throw new Error('the schedule makes the couriers');
    },
    close: async () => {},
  };
  const { targetId, spId } = await store.write(async (tx) => {
    const idp = await createIdentityProvider(tx, { name: 'partner' });
    const target = await createTarget(tx, { key, kinds }, idp.id, { type: 'memory', settings: {}, policy: {} });
    const spId = await ensureResidentServiceProvider(tx);
    await replaceBindings(tx, spId, [{ target: target.id }]);
    return { targetId: target.id, spId };
  });
  return {
    store,
    clock,
    location,
    key,
    targetId,
    origin: { spId, door: 'scim', actor: 'explorer' },
    async clear(policy, nextTraits) {
      traits = nextTraits;
      clock.reset();
      await store.write(async (tx) => {
        for (const table of emptied) await tx.all(tx.q.deleteFrom(table));
        await replaceTarget(tx, { key, kinds }, targetId, { settings: {}, policy });
      });
    },
    openBook: (previous) => store.read((reading) => openTargetBook(reading, { key, kinds, outbound }, previous)),
    close: remove,
  };
}

export const silentLog = openLog('silent');
