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
  /** Resolves when the rate allows one more request. */
  pass(signal: AbortSignal): Promise<void>;
}

/** Claimed accounts wait in line behind those under way; this many times the concurrency keeps the line from running dry. */
const lineLength = 4;
const largestClaim = 512;

export function openGovernor(policy: TargetPolicy, clock: Clock): Governor {
  const rate = policy.requestsPerSecond;
  const burst = Math.max(1, policy.burst ?? rate ?? 1);
  let tokens = burst;
  let filledAt = clock.monotonic();
  let claimed = 0;
  const fill = () => {
    const now = clock.monotonic();
    if (rate !== undefined) tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * rate);
    filledAt = now;
  };
  return {
    room() {
      const line = Math.min(largestClaim, policy.concurrency * lineLength);
      if (rate === undefined) return Math.max(0, line - claimed);
      fill();
      return Math.max(0, Math.min(line, Math.floor(Math.max(0, tokens) + rate * 2) || 1) - claimed);
    },
    enter(count) {
      claimed += count;
    },
    leave() {
      claimed -= 1;
    },
    async pass(signal) {
      if (rate === undefined) return;
      fill();
      tokens -= 1;
      if (tokens < 0) await sleep(clock, (-tokens / rate) * 1000, signal);
    },
  };
}
