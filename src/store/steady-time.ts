import type { Clock } from '../base/clock.ts';

/**
 * Milliseconds since 1970 that never go back while the process lives: the wall clock, and where that is set back, the time
 * it showed before going on at the pace of the monotonic clock. A wall clock that is set forward is followed.
 *
 * Leases, backoffs and holds are written down as such times. Measured by a clock that goes back they would last longer
 * by as much.
 */
export function openSteadyTime(clock: Clock): () => number {
  let ahead = Number.NEGATIVE_INFINITY;
  return () => {
    const monotonic = clock.monotonic();
    ahead = Math.max(ahead, clock.now() - monotonic);
    return Math.floor(monotonic + ahead);
  };
}
