import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/problem.ts';

/**
 * Slows down the guessing of passwords: after a few wrong ones for a name, each further try has to wait, twice as long
 * each time, up to half a minute. Names nobody has count too, so that nothing is learned from it. Kept in memory, for
 * a bounded number of names.
 */
export type Throttle = {
  /** Throws `Problem('tooManyRequests')` while the name has to wait. */
  check(name: string): void;
  fail(name: string): void;
  succeed(name: string): void;
};

const freeTries = 5;
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;
const mostNames = 10_000;

/** `says`: what there was too much of. */
export function openThrottle(clock: Clock, says = 'Too many wrong passwords for this name.'): Throttle {
  const names = new Map<string, { failures: number; until: number }>();
  return {
    check(name) {
      const waitMs = (names.get(name)?.until ?? 0) - clock.monotonic();
      if (waitMs <= 0) return;
      throw new Problem('tooManyRequests', `${says} Try again in ${Math.ceil(waitMs / 1000)} seconds.`);
    },
    fail(name) {
      const failures = (names.get(name)?.failures ?? 0) + 1;
      const over = failures - freeTries;
      const waitMs = over < 0 ? 0 : Math.min(firstWaitMs * 2 ** over, longestWaitMs);
      // The name that failed longest ago goes first.
      names.delete(name);
      names.set(name, { failures, until: clock.monotonic() + waitMs });
      if (names.size > mostNames) names.delete(names.keys().next().value!);
    },
    succeed: (name) => void names.delete(name),
  };
}
