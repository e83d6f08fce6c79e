import { openLog } from '../../src/base/log.ts';
import { connectorKinds } from '../../src/connectors/index.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { type Engine, startEngine } from '../../src/provisioning/engine.ts';
import type { Store } from '../../src/store/store.ts';
import type { Bed } from '../database.ts';
import { type EngineBed, everSilentMs } from './bed.ts';

/** A second process's worth of engine on the database of a bed, with its own connections, on the same clock. */
export async function startAnotherNode(
  database: Bed,
  bed: EngineBed,
): Promise<{ store: Store; engine: Engine } & AsyncDisposable> {
  const { clock, key } = bed;
  const store = await database.openAgain(bed.store, { clock, time: 'clock' });
  const log = openLog('silent');
  const outbound = openOutbound({ clock, log });
  const engine = await startEngine({
    store,
    clock,
    log,
    outbound,
    kinds: connectorKinds,
    key,
    silentMs: everSilentMs,
    random: () => 0.5,
  });
  return {
    store,
    engine,
    async [Symbol.asyncDispose]() {
      bed.fake.heal();
      let done = false;
      void engine.stop().then(() => {
        done = true;
      });
      await clock.runUntil(() => done, { what: 'the other engine stopping' });
      await outbound.close();
    },
  };
}
