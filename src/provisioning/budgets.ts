import { sql } from 'kysely';
import { prepare, type Store } from '../store/store.ts';

/**
 * The only writer of `budgets`: what is left of a target's requests per second. The bucket is one row that all nodes
 * share and that outlives them, so neither a second node nor a restart sends more than the target's owner allowed.
 */
export type Draw = {
  /** How many requests may go now: as many as were asked for, or what was left. */
  granted: number;
  /** What is left in the bucket after it, in requests (not always whole). */
  left: number;
};

type Limits = { requestsPerSecond: number; burst: number };

const lockBudget = prepare<{ targetId: number }, { tokens: number; tokens_at: number }>((q, p, d) =>
  q.selectFrom('budgets').select(['tokens', 'tokens_at']).where('target_id', '=', p.targetId).modifyEnd(d.forUpdate),
);

const ensureBudget = prepare<{ targetId: number; tokens: number; now: number }, never>(
  (_, p) => sql`
    insert into budgets (target_id, tokens, tokens_at) values (${p.targetId}, ${p.tokens}, ${p.now})
    on conflict do nothing`,
);

const writeBudget = prepare<{ targetId: number; tokens: number; now: number }, never>(
  (_, p) => sql`update budgets set tokens = ${p.tokens}, tokens_at = ${p.now} where target_id = ${p.targetId}`,
);

/** Tokens are kept in thousandths, so that a slow rate is not rounded away: a rate of n per second is n thousandths a millisecond. */
const whole = 1_000;

/** Takes up to `want` requests out of the target's bucket, in a transaction of its own. A target not seen before has a full one. */
export function drawRequests(store: Store, targetId: number, limits: Limits, want: number): Promise<Draw> {
  const full = limits.burst * whole;
  return store.write(async (tx) => {
    const now = Math.floor(tx.now);
    let [row] = await tx.run(lockBudget, { targetId });
    if (!row) {
      await tx.run(ensureBudget, { targetId, tokens: full, now });
      [row] = await tx.run(lockBudget, { targetId });
    }
    const since = Math.max(0, now - row!.tokens_at);
    const there = Math.min(full, row!.tokens + Math.floor(since * limits.requestsPerSecond));
    const granted = Math.min(want, Math.floor(there / whole));
    const tokens = there - granted * whole;
    await tx.run(writeBudget, { targetId, tokens, now: Math.max(now, row!.tokens_at) });
    return { granted, left: tokens / whole };
  });
}
