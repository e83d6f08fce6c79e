import { openTestClock } from '../../clock.ts';
import type { DatabaseKind } from '../../database.ts';
import type { Share } from '../crew.ts';
import { openGround } from '../explorer/ground.ts';
import { openPlaces } from './place.ts';
import { type Plague, type PlagueKind, placesOf, plagueKinds } from './plague.ts';
import { type Played, play } from './play.ts';

export type Swept = { faults: number; wrong: { plague: Plague; faults: string[] }[] };

/**
 * Plays one scenario again and again, with one fault at a time: at the 1st, 2nd, 3rd … statement or exchange, until the
 * scenario gets through untouched. `every`: only every so many places, from one that differs by kind, as far as the
 * scenario goes by itself. `share`: every so many of these are this process's own.
 */
export async function sweepFaults(options: {
  database: DatabaseKind;
  every?: number;
  kinds?: readonly PlagueKind[];
  share?: Share;
  /** About how many faults there are, of all shares. */
  onPlan?: (faults: number) => void;
  onRun?: (plague: Plague, played: Played) => void;
}): Promise<Swept> {
  const { database, every = 1, kinds = plagueKinds, share = { nth: 0, of: 1 }, onPlan, onRun } = options;
  const ground = await openSweepGround(database);
  const swept: Swept = { faults: 0, wrong: [] };
  try {
    const untouched = await ground.play();
    const count = ({ each, place }: ReturnType<typeof placesOf>) => Math.ceil(untouched[place] / (each * every));
    onPlan?.(kinds.reduce((sum, kind) => sum + count(placesOf(kind)), 0));
    for (const [index, kind] of kinds.entries()) {
      const { each, place } = placesOf(kind);
      const apart = every * each;
      for (let at = 1 + (index % apart) + share.nth * apart; ; at += apart * share.of) {
        if (every > 1 && at > untouched[place]) break;
        const plague = { kind, at };
        const played = await ground.play(plague);
        if (played.faults.length > 0) swept.wrong.push({ plague, faults: played.faults });
        onRun?.(plague, played);
        if (!played.struck) break;
        swept.faults += 1;
      }
    }
  } finally {
    await ground.close();
  }
  return swept;
}

/** A database and a target on which the scenario is played any number of times. */
export async function openSweepGround(database: DatabaseKind) {
  const base = await openGround(database);
  const clock = openTestClock();
  const places = openPlaces(base, clock);
  return {
    play: (plague?: Plague) => play(base, clock, places, plague),
    async close() {
      await places.close();
      await base.close();
    },
  };
}
