import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { countLive } from '../directory/scan.ts';
import { prepare, type Reading, type Store } from '../store/store.ts';

/** How many there are in all: live users and groups, and accounts by target (no entry where there are none). */
export type Tally = { users: number; groups: number; accounts: ReadonlyMap<number, number> };

/** A count that took longer is remembered; with some hundred thousand users and accounts, on one ordinary machine. */
const longMs = 50;
/** Of the time that passes, at most one part in so many is spent counting. */
const share = 10;
/** No answer is older than this. */
const oldestMs = 60_000;

type Known = { tally: Tally; at: number; tookMs: number };

/**
 * Counts everybody by index, in pieces, between which others are answered. What is counted quickly is counted for every
 * question. What takes long is remembered: whoever asks is told it at once, and when it has got older than ten times what
 * it took, it is counted anew behind that; after a minute without a question the next one waits for the count.
 */
export function openTally({ store, clock }: { store: Store; clock: Clock }) {
  let known: Known | undefined;
  let counting: Promise<Known> | undefined;

  async function count(): Promise<Known> {
    const began = clock.monotonic();
    const tally = await store.read(countAll);
    const at = clock.monotonic();
    return { tally, at, tookMs: at - began };
  }
  const countLong = () => {
    counting ??= count()
      .then((one) => {
        known = one;
        return one;
      })
      .finally(() => {
        counting = undefined;
      });
    return counting;
  };

  return {
    async read(): Promise<Tally> {
      const before = known;
      if (before === undefined || before.tookMs < longMs) {
        // Whoever waits for its own write to be counted is not told of a count that began before it.
        known = await count();
        return known.tally;
      }
      const age = clock.monotonic() - before.at;
      if (age >= oldestMs) return (await countLong()).tally;
      // One that fails is tried again by the next question.
      if (age >= before.tookMs * share) countLong().catch(() => {});
      return before.tally;
    },
  };
}

export type OpenTally = ReturnType<typeof openTally>;

async function countAll(reading: Reading): Promise<Tally> {
  const users = await countLive(reading, 'user');
  const groups = await countLive(reading, 'group');
  const accounts = new Map<number, number>();
  for (let targetId = 0; ; ) {
    const [next] = await reading.run(nextTarget, { after: targetId });
    if (next?.id == null) return { users, groups, accounts };
    targetId = next.id;
    accounts.set(targetId, await countAccountsAt(reading, targetId));
  }
}

const perPiece = 20_000;

const nextTarget = prepare<{ after: number }, { id: number | null }>(
  (_, p) => sql<{ id: number | null }>`select min(target_id) as id from accounts where target_id > ${p.after}`,
);
const endOfPiece = prepare<{ targetId: number; after: string }, { id: string }>(
  (_, p) => sql<{ id: string }>`
    select subject_id as id from accounts where target_id = ${p.targetId} and subject_id > ${p.after}
    order by subject_id limit 1 offset ${sql.lit(perPiece - 1)}`,
);
const countRest = prepare<{ targetId: number; after: string }, { count: number }>(
  (_, p) => sql<{ count: number }>`
    select count(*) as count from accounts where target_id = ${p.targetId} and subject_id > ${p.after}`,
);

/** How many accounts a target has: counted in pieces, with a pause after each; not inside a write. */
async function countAccountsAt(reading: Reading, targetId: number): Promise<number> {
  let total = 0;
  for (let after = ''; ; ) {
    const [last] = await reading.run(endOfPiece, { targetId, after });
    if (!last) return total + (await reading.run(countRest, { targetId, after }))[0]!.count;
    total += perPiece;
    after = last.id;
    await turn();
  }
}
