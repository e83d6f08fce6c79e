import type { Clock } from '../../src/base/clock.ts';
import { openLog } from '../../src/base/log.ts';
import { connectorKinds } from '../../src/connectors/index.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { startEngine } from '../../src/provisioning/engine.ts';
import type { Store } from '../../src/store/store.ts';
import type { EngineBed } from './bed.ts';

/**
 * An engine on `store` that can be killed: from then on no timer of its wakes, it hears no signal, and neither the database
 * nor a target hears of it. What it sent before may still arrive.
 */
export async function startMortalNode(bed: EngineBed, store: Store): Promise<{ kill(): void } & AsyncDisposable> {
  let dead = false;
  const never = new Promise<never>(() => {});
  const clock: Clock = {
    now: () => bed.clock.now(),
    monotonic: () => bed.clock.monotonic(),
    after: (ms, wake) =>
      bed.clock.after(ms, () => {
        if (!dead) wake();
      }),
  };
  const mortal: Store = {
    ...store,
    write: (work, options) => (dead ? never : store.write(work, options)),
    read: (work) => (dead ? never : store.read(work)),
    onSignal: (topic, listener) =>
      store.onSignal(topic, () => {
        if (!dead) listener();
      }),
  };
  const log = openLog('silent');
  const outbound = openOutbound({ clock, log });
  await startEngine({ store: mortal, clock, log, outbound, kinds: connectorKinds, key: bed.key, random: () => 0.5 });
  return {
    kill() {
      dead = true;
    },
    async [Symbol.asyncDispose]() {
      dead = true;
      await outbound.close();
    },
  };
}
