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

export type Rate = { requestsPerSecond: number; burst: number };

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

/** Clocks of nodes differ by less; one that shows so much less than before was set back. */
const skewMs = 5_000;

/** Tokens are kept in thousandths, so that a slow rate is not rounded away: a rate of n per second is n thousandths a millisecond. */
const whole = 1_000;

/**
 * Takes up to `want` requests out of the target's bucket, in a transaction of its own. A target not seen before has a full
 * one. However many nodes draw, with whatever clocks within five seconds of each other, no more is given out than
 * rate x time + burst; a clock that is set back gives nothing, and time goes on from there.
 */
export function drawRequests(store: Store, targetId: number, rate: Rate, want: number): Promise<Draw> {
  const full = rate.burst * whole;
  return store.write(async (tx) => {
    const now = Math.floor(tx.now);
    let [row] = await tx.run(lockBudget, { targetId });
    if (!row) {
      await tx.run(ensureBudget, { targetId, tokens: full, now });
      [row] = await tx.run(lockBudget, { targetId });
    }
    const { tokens: kept, tokens_at: countedTo } = row!;
    const since = Math.max(0, now - countedTo);
    const there = Math.min(full, kept + Math.floor(since * rate.requestsPerSecond));
    const granted = Math.min(want, Math.floor(there / whole));
    const tokens = there - granted * whole;
    await tx.run(writeBudget, { targetId, tokens, now: now < countedTo - skewMs ? now : Math.max(now, countedTo) });
    return { granted, left: tokens / whole };
  });
}
