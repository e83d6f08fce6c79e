import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { TargetPolicy } from './policy.ts';

/**
 * How fast one target is spoken to: a token bucket for requests per second and a limit of attempts under way. One per
 * target and process.
 */
export interface Governor {
  /** How many more accounts may be claimed: what can be released within two seconds (engine rule 11). */
  room(): number;
  /** Counts claimed accounts in, and out when the result of their attempt is written down. */
  enter(count: number): void;
  leave(): void;
  /** Accounts claimed whose result is not written down yet. */
  readonly claimed: number;
  /** Resolves when the rate allows one more request. */
  pass(signal: AbortSignal): Promise<void>;
}

/** Claimed accounts wait in line behind those under way: at least this many times the concurrency … */
const shortestLine = 2;
/** … and at most this many, or what was got through in half a second. Large claims make large commits, and those are cheap. */
const longestLine = 512;
const lineSeconds = 0.5;
/** The measured speed forgets half of the past in about this time. */
const memoryMs = 1_000;

export function openGovernor(policy: TargetPolicy, clock: Clock): Governor {
  const rate = policy.requestsPerSecond;
  const burst = Math.max(1, policy.burst ?? rate ?? 1);
  let tokens = burst;
  let filledAt = clock.monotonic();
  let claimed = 0;
  let perSecond = 0;
  let countedSince = clock.monotonic();
  let counted = 0;
  const measure = () => {
    const elapsed = clock.monotonic() - countedSince;
    if (elapsed < memoryMs / 4) return;
    const weight = Math.min(1, elapsed / memoryMs);
    perSecond = perSecond * (1 - weight) + (counted / elapsed) * 1_000 * weight;
    counted = 0;
    countedSince = clock.monotonic();
  };
  const fill = () => {
    const now = clock.monotonic();
    if (rate !== undefined) tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * rate);
    filledAt = now;
  };
  return {
    room() {
      measure();
      const line = Math.max(policy.concurrency * shortestLine, Math.min(longestLine, perSecond * lineSeconds));
      if (rate === undefined) return Math.max(0, Math.floor(line) - claimed);
      fill();
      return Math.max(0, Math.min(Math.floor(line), Math.floor(Math.max(0, tokens) + rate * 2)) - claimed);
    },
    enter(count) {
      claimed += count;
    },
    leave() {
      claimed -= 1;
      counted += 1;
    },
    get claimed() {
      return claimed;
    },
    async pass(signal) {
      if (rate === undefined) return;
      fill();
      tokens -= 1;
      if (tokens < 0) await sleep(clock, (-tokens / rate) * 1000, signal);
    },
  };
}
