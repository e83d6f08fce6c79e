import { randomBytes } from 'node:crypto';
import { CompiledQuery } from 'kysely';
import type { Clock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import type { Origin } from '../../../src/directory/changes.ts';
import type { Outbound } from '../../../src/outbound/outbound.ts';
import { raiseDeliveryStamp } from '../../../src/provisioning/delivery-stamp.ts';
import { createIdentityProvider } from '../../../src/provisioning/identity-providers.ts';
import type { Nesting } from '../../../src/provisioning/policy.ts';
import {
  createServiceProvider,
  ensureResidentServiceProvider,
  readInbound,
  replaceBindings,
  replaceServiceProvider,
} from '../../../src/provisioning/service-providers.ts';
import { openTargetBook, type TargetBook } from '../../../src/provisioning/target-book.ts';
import { createTarget, replaceTarget } from '../../../src/provisioning/targets.ts';
import { startSync } from '../../../src/provisioning/waves.ts';
import type { StoreLocation } from '../../../src/store/open.ts';
import type { StatementHook, Store, Tx } from '../../../src/store/store.ts';
import { type DatabaseKind, openTestStore } from '../../database.ts';
import { makeMemoryKind } from './connector.ts';
import {
  type Application,
  applicationNames,
  applicationOf,
  type Bindings,
  isSignIn,
  nowhere,
  type Speaker,
} from './let-in.ts';
import type { TargetTraits } from './memory-target.ts';
import type { Setting } from './schedule.ts';

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
  /** The resident service provider's. */
  readonly origin: Origin;
  originOf(speaker: Speaker): Origin;
  /** Empties it and sets the target up; time starts again. */
  clear(setting: Pick<Setting, 'policy' | 'traits' | 'planSize' | 'forwarded' | 'applications'>): Promise<void>;
  openBook(previous?: TargetBook): Promise<TargetBook>;
  /** What an administrator does: another scope or nesting of groups, who is bound, a sync. */
  setPolicy(setting: Pick<Setting, 'policy'>, changes: { scopeUsers: string; nestedGroups?: Nesting }): Promise<void>;
  setBindings(bindings: Bindings): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

const emptied = [
  'subjects',
  'subject_keys',
  'unique_values',
  'members',
  'former_members',
  'refs',
  'subject_sps',
  'subject_sign_ins',
  'passwords',
  'changes',
  'accounts',
  'conflicts',
  'decisions',
  'links',
  'placed_members',
  'wakes',
  'descents',
  'attempts',
  'exchanges',
  'lanes',
  'secrets',
  'forwarded_bodies',
  'waves',
] as const;

export async function openGround(database: DatabaseKind, onStatement?: StatementHook): Promise<Ground> {
  const clock = openStepClock();
  const { store, location, remove } = await openTestStore(database, {
    clock,
    time: 'clock',
    durability: 'none',
    by: 'socket',
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
  const { targetId, spId, appIds, others } = await store.write(async (tx) => {
    const idp = await createIdentityProvider(tx, { name: 'partner' });
    const target = await createTarget(tx, { key, kinds }, idp.id, { type: 'memory', settings: {}, policy: {} });
    const spId = await ensureResidentServiceProvider(tx);
    await replaceBindings(tx, spId, [{ target: target.id }]);
    const appIds = {} as Record<Application, number>;
    for (const name of applicationNames) {
      appIds[name] = (await createServiceProvider(tx, { name, fallback: 'none' })).id;
    }
    const others: number[] = [];
    for (let n = 0; n < bindingsForSmallPlans; n++) {
      others.push((await createServiceProvider(tx, { name: `other ${n}` })).id);
    }
    return { targetId: target.id, spId, appIds, others };
  });
  let planSize: Setting['planSize'] = 'many';
  /** As they are written down. */
  let bindings: Bindings = { resident: true, ...nowhere };
  const origin: Origin = {
    spId,
    door: 'scim',
    actor: 'explorer',
    forwarding: { key, lastsMs: 365 * 86_400_000, settingOf: readInbound },
  };

  async function writeBindings(tx: Tx, wanted: Bindings): Promise<void> {
    if (wanted.resident !== bindings.resident) {
      await replaceBindings(tx, spId, wanted.resident ? [{ target: targetId }] : []);
    }
    for (const name of applicationNames) {
      const [before, { own, fallback }] = [bindings[name], wanted[name]];
      const row = { target: targetId, enabled: own !== 'off', jit: own === 'just in time' };
      if (own !== before.own) await replaceBindings(tx, appIds[name], own === 'none' ? [] : [row]);
      if (fallback !== before.fallback) await replaceServiceProvider(tx, appIds[name], { name, fallback });
    }
  }

  return {
    store,
    clock,
    location,
    key,
    targetId,
    origin,
    originOf: (speaker) =>
      speaker === 'resident'
        ? origin
        : { ...origin, spId: appIds[applicationOf(speaker)], door: isSignIn(speaker) ? 'login' : 'scim' },
    async clear(setting) {
      traits = setting.traits;
      clock.reset();
      const wanted = { resident: true, ...(setting.applications ?? nowhere) };
      await store.write(async (tx) => {
        await empty(tx);
        await replaceTarget(tx, { key, kinds }, targetId, { settings: {}, policy: setting.policy });
        // What was before is no schedule's history.
        const nested = (setting.policy['nestedGroups'] ?? 'native') === 'native' ? 0 : 1;
        await tx.all(tx.q.updateTable('targets').set({ nested_otherwise: nested }).where('id', '=', targetId));
        await raiseDeliveryStamp(tx);
        await replaceServiceProvider(tx, spId, { name: 'resident', forwardOnly: setting.forwarded === true });
        await writeBindings(tx, wanted);
        if (setting.planSize !== planSize) await bindOthers(tx, targetId, others, setting.planSize === 'one');
      });
      planSize = setting.planSize;
      bindings = wanted;
    },
    openBook: (previous) => store.read((reading) => openTargetBook(reading, { key, kinds, outbound }, previous)),
    async setPolicy({ policy }, changes) {
      const changed = { settings: {}, policy: { ...policy, ...changes } };
      await store.write((tx) => replaceTarget(tx, { key, kinds }, targetId, changed));
    },
    async setBindings(wanted) {
      await store.write((tx) => writeBindings(tx, wanted));
      bindings = wanted;
    },
    async sync() {
      await store.write((tx) => startSync(tx, { targetId, kinds: ['user', 'group'], actor: 'explorer' }));
    },
    close: remove,
  };
}

/** One journey for all tables where a database is asked over the network; there `delete` takes a tenth of `truncate`. */
async function empty(tx: Tx): Promise<void> {
  const statements = emptied.map((table) => tx.q.deleteFrom(table).compile().sql);
  const journeys = tx.dialect.capabilities.manyNodes ? [statements.join('; ')] : statements;
  for (const text of journeys) await tx.all({ compile: () => CompiledQuery.raw(text) });
}

/** The planner takes fewer changes at a time the more bindings there are. */
const bindingsForSmallPlans = 150;

async function bindOthers(tx: Tx, targetId: number, others: readonly number[], bound: boolean): Promise<void> {
  await tx.all(tx.q.deleteFrom('bindings').where('sp_id', 'in', others));
  if (bound) {
    const switches = { blocking: 0, rules: 0, jit: 0, enabled: 1, position: 0 };
    const rows = others.map((spId) => ({ sp_id: spId, target_id: targetId, ...switches }));
    await tx.all(tx.q.insertInto('bindings').values(rows));
  }
  await raiseDeliveryStamp(tx);
}

export const silentLog = openLog('silent');
