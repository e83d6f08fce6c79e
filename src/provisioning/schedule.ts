/**
 * When an account is tried again. Pure: the only place where an outcome becomes a time (design section 3, step 11).
 *
 * | outcome | again |
 * | --- | --- |
 * | `done`, `withheld` | not until something makes it due |
 * | `refused` | not until something makes it due: parked |
 * | `absent` | after the settle time, to confirm the absence |
 * | `exists` | by what holds the name (conflict.ts); unexplained: backoff, parked after `maxTries` |
 * | `unavailable` | backoff, or when the target said; never parked by count. What belongs to the lane is waited for by the lane (lanes.ts); the account steps back by its backoff, at most a minute |
 * | `unknown` | backoff, never before the request in doubt can have landed; parked after `maxTries` that counted |
 */

/** A rule that looked at the clock is asked again this often while it withholds (engine rule 22: at least every minute). */
export const askEveryMs = 45_000;

const firstMs = 1_000;
const longestMs = 5 * 60_000;

/** Exponential backoff with jitter: 1 s, 2 s, 4 s … 5 min, each between half and the whole. `random` is in [0, 1). */
export function backoffMs(tries: number, random: number): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(tries, 20));
  return Math.round(whole * (0.5 + random / 2));
}
