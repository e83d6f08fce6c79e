/**
 * When an account is tried again. Pure: the only place where an outcome becomes a time (design section 3, step 11).
 *
 * | outcome | again |
 * | --- | --- |
 * | `done`, `withheld` | not until something makes it due |
 * | `refused` | not until something makes it due: parked |
 * | `absent` | after the settle time, to confirm the absence |
 * | `exists` | by what holds the name (conflict.ts); unexplained: backoff, parked after `maxTries` |
 * | `unavailable` | backoff, or when the target said; never parked by count |
 * | `unknown` | backoff, never before the request in doubt can have landed; parked after `maxTries` that counted |
 */

const firstMs = 1_000;
const longestMs = 5 * 60_000;

/** Exponential backoff with jitter: 1 s, 2 s, 4 s … 5 min, each between half and the whole. `random` is in [0, 1). */
export function backoffMs(tries: number, random: number): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(tries, 20));
  return Math.round(whole * (0.5 + random / 2));
}

/**
 * How long the account itself waits after an `unavailable`. A failure of its lane or target is waited for by the lane
 * (lanes.ts), so the account stays due at once and goes as soon as the lane opens.
 */
export function unavailableMs(
  failure: { scope: 'account' | 'lane' | 'target'; retryAfterMs?: number },
  tries: number,
  random: number,
): number {
  if (failure.scope !== 'account') return 0;
  return Math.max(failure.retryAfterMs ?? 0, backoffMs(tries, random));
}
