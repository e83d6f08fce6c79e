import { openStore } from '../../../src/store/open.ts';
import type { StatementHook, Store } from '../../../src/store/store.ts';
import type { TestClock } from '../../clock.ts';
import { type Ground, silentLog } from '../explorer/ground.ts';

/** A store of a process, and who watches its statements. */
export type Place = { readonly store: Store; onStatement: StatementHook };

/**
 * The stores that processes work with. One that ended well leaves its store to the next: to open one for each costs
 * PostgreSQL more than all that is done with it. Whoever was killed takes its own along.
 */
export function openPlaces(base: Ground, clock: TestClock) {
  let spare: Place | undefined;
  return {
    async take(onStatement: StatementHook): Promise<Place> {
      const place = spare ?? (await openPlace());
      spare = undefined;
      place.onStatement = onStatement;
      return place;
    },
    async giveBack(place: Place): Promise<void> {
      place.onStatement = () => {};
      // Where the disk was full to the end even a rollback failed; the next write of this connection makes up for it.
      await place.store.write(async () => {});
      spare = place;
    },
    async close(): Promise<void> {
      await spare?.store.close();
    },
  };

  async function openPlace(): Promise<Place> {
    const place: { store: Store | undefined; onStatement: StatementHook } = { store: undefined, onStatement: () => {} };
    place.store = await openStore({
      location: base.location,
      clock,
      log: silentLog,
      time: 'clock',
      durability: 'none',
      onStatement: (sql) => place.onStatement(sql),
    });
    return place as Place;
  }
}

export type Places = ReturnType<typeof openPlaces>;
