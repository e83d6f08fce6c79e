import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { prepare, type Store, type Tx } from '../store/store.ts';
import { endLeasesOf } from './leases-left.ts';
import type { TargetBook } from './target-book.ts';

/**
 * The servers that deliver from one database, and what becomes of the work of one that is gone. Each has a row.
 *
 *     there --says so once a second; not for 3 s--> silent: sends nothing that changes anything, claims nothing
 *     silent --says so, and its row is still there--> there
 *     silent --for 4 s--> gone: another takes its row away and ends its leases, as soon as nothing sent can land any more
 *     gone --says so after all--> a new node with a new row; what it had claimed before it gives back
 *
 * The row decides: who said so while it was there has it for 4 s more. Whether it is silent a node tells by its own
 * monotonic clock, and reads that directly before each request that changes something. The second between covers clocks
 * that do not quite agree. Without it, the leases of a killed node would have to run out by themselves: 34 s with the
 * usual times, of which 12 s are the request that may still be on its way.
 *
 * Where one process owns the database, whoever else has a row is gone.
 */
export interface NodeLife {
  /** What it claims under; undefined while it is silent. */
  readonly id: number | undefined;
  /** Reading of the monotonic clock after which nothing may be sent that was claimed under this id; later with each sign of life. */
  sendBefore(id: number | null): number;
  /** Gives its row back and ends what leases it still has. For a node that sends nothing any more. */
  stop(): Promise<void>;
}

const defaultSilentMs = 3_000;
const marginMs = 1_000;

const addNode = prepare<{ now: number }, { id: number }>(
  (_, p) => sql<{ id: number }>`insert into nodes (seen_at) values (${p.now}) returning id`,
);

const seeNode = prepare<{ id: number; now: number }, { id: number }>(
  (_, p) => sql<{ id: number }>`update nodes set seen_at = ${p.now} where id = ${p.id} returning id`,
);

const selectGone = prepare<{ id: number; before: number }, { id: number }>(
  (_, p) => sql<{ id: number }>`select id from nodes where id <> ${p.id} and seen_at < ${p.before} order by id`,
);

const takeGone = prepare<{ id: number; before: number }, { seen_at: number }>(
  (_, p) => sql<{ seen_at: number }>`
    delete from nodes where id = ${p.id} and seen_at < ${p.before} returning seen_at`,
);

/** `book`: the targets as they are known here by now. */
export async function joinNodes(options: {
  store: Store;
  clock: Clock;
  log: Logger;
  book: () => TargetBook;
  /** After so long without a sign of life a node sends nothing more. The same on all nodes. Default 3 s. */
  silentMs?: number;
}): Promise<NodeLife> {
  const { store, clock, log, book, silentMs = defaultSilentMs } = options;
  const alone = !store.dialect.capabilities.manyNodes;
  const goneMs = silentMs + marginMs;
  let id: number;
  let seenAt = clock.monotonic();
  let stopped = false;
  let beating: Promise<void> | undefined;
  let cancel: (() => void) | undefined;

  async function add(tx: Tx): Promise<number> {
    return (await tx.run(addNode, { now: tx.now }))[0]!.id;
  }

  /** Takes over from a node of which nothing was seen since `before`; answers how many leases it ended. */
  async function takeOver(tx: Tx, node: number, before: number): Promise<number> {
    const [taken] = await tx.run(takeGone, { id: node, before });
    if (!taken) return 0;
    const lastSentAt = alone ? tx.now : Math.min(tx.now, taken.seen_at + goneMs);
    return endLeasesOf(tx, node, lastSentAt, book().targets.values());
  }

  async function beat(): Promise<void> {
    const begunAt = clock.monotonic();
    const { now, gone } = await store.write(async (tx) => {
      const [seen] = await tx.run(seeNode, { id, now: tx.now });
      const now = seen?.id ?? (await add(tx));
      return { now, gone: await tx.run(selectGone, { id: now, before: tx.now - goneMs }) };
    });
    if (now !== id) {
      log.warn({ node: id }, 'this server said nothing for too long: others took over what it had claimed');
    }
    id = now;
    seenAt = begunAt;
    for (const { id: node } of gone) {
      const leases = await store.write((tx) => takeOver(tx, node, tx.now - goneMs));
      log.info({ node, leases }, 'took over from a server that is gone');
    }
    if (gone.length > 0) store.signal('work');
  }

  function beatAfter(ms: number): void {
    if (stopped) return;
    cancel = clock.after(Math.max(1, ms), () => {
      beating = beat().then(
        () => beatAfter(seenAt + silentMs / 3 - clock.monotonic()),
        // What the planner writes fails as well then, and says why.
        () => beatAfter(silentMs / 6),
      );
    });
  }

  id = await store.write(async (tx) => {
    const mine = await add(tx);
    if (alone) {
      const forever = Number.MAX_SAFE_INTEGER;
      for (const other of await tx.run(selectGone, { id: mine, before: forever })) {
        await takeOver(tx, other.id, forever);
      }
    }
    return mine;
  });
  if (!alone) beatAfter(silentMs / 3);

  const isSilent = () => !alone && clock.monotonic() > seenAt + silentMs;
  return {
    get id() {
      return stopped || isSilent() ? undefined : id;
    },
    sendBefore(claimedBy) {
      if (claimedBy !== id) return Number.NEGATIVE_INFINITY;
      return alone ? Number.POSITIVE_INFINITY : seenAt + silentMs;
    },
    async stop() {
      stopped = true;
      cancel?.();
      await beating;
      try {
        await store.write(async (tx) => {
          await tx.run(takeGone, { id, before: Number.MAX_SAFE_INTEGER });
          await endLeasesOf(tx, id, tx.now, book().targets.values());
        });
      } catch {
        // Then it is found to be gone.
      }
    },
  };
}
