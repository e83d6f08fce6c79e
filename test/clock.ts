import type { Clock } from '../src/base/clock.ts';

/**
 * A clock that stands still until a test moves it. Hand it to a store opened with `time: 'clock'` and database time
 * stands still with it.
 */
export interface TestClock extends Clock {
  /**
   * Moves on by `ms`, waking every due timer in order, each at its own hour, and letting what it started settle before
   * the next. What waits for real input or output (a socket, PostgreSQL) may still be under way afterwards: use `runUntil`.
   */
  advance(ms: number): Promise<void>;
  /**
   * Lets work settle and moves on by `stepMs` (default 100) until `condition` holds. Rejects after `limitMs` of this
   * clock (default one day) or `realMs` of real time (default 60 s).
   */
  runUntil(
    condition: () => boolean | Promise<boolean>,
    options?: { stepMs?: number; limitMs?: number; realMs?: number; what?: string },
  ): Promise<void>;
  /** Sets the wall clock forward or back; `monotonic` and timers do not notice. */
  stepWall(ms: number): void;
  /** Timers that wait. */
  waiting(): number;
}

/** Real work that time should wait for: how much is under way, and a number that differs whenever some began or ended. */
export type RealWork = { underWay(): number; moved(): number };

/** Longer than a busy machine lets a statement wait; what takes longer waits for something else, such as a lock. */
const patienceMs = 400;

/**
 * `start` is the wall clock in milliseconds since 1970; default: noon UTC on 2 March 2026. With `work`, time waits for it:
 * a slow machine then finds deadlines no sooner than a fast one.
 */
export function openTestClock({
  start = Date.UTC(2026, 2, 2, 12),
  work,
}: {
  start?: number;
  work?: RealWork;
} = {}): TestClock {
  let elapsed = 0;
  let wall = start;
  let order = 0;
  const timers = new Map<number, { at: number; wake: () => void }>();

  const nextDue = (until: number) => {
    let best: { key: number; at: number; wake: () => void } | undefined;
    for (const [key, timer] of timers) {
      if (timer.at <= until && (best === undefined || timer.at < best.at)) best = { key, ...timer };
    }
    return best;
  };

  let stuckAt = -1;
  async function settle(): Promise<void> {
    await turns();
    const giveUpAt = performance.now() + patienceMs;
    while (work && work.underWay() > 0 && work.moved() !== stuckAt) {
      if (performance.now() > giveUpAt) stuckAt = work.moved();
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (work.underWay() === 0) await turns();
    }
  }

  async function advance(ms: number): Promise<void> {
    const until = elapsed + ms;
    await settle();
    for (let due = nextDue(until); due; due = nextDue(until)) {
      timers.delete(due.key);
      elapsed = Math.max(elapsed, due.at);
      due.wake();
      await settle();
    }
    elapsed = until;
    await settle();
  }

  return {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    after(ms, wake) {
      const key = order++;
      timers.set(key, { at: elapsed + Math.max(0, ms), wake });
      return () => timers.delete(key);
    },
    advance,
    async runUntil(condition, { stepMs = 100, limitMs = 86_400_000, realMs = 60_000, what = 'the condition' } = {}) {
      const last = elapsed + limitMs;
      const deadline = performance.now() + realMs;
      while (!(await condition())) {
        if (elapsed >= last) throw new Error(`${what} did not come true within ${limitMs} ms of test time`);
        if (performance.now() > deadline) throw new Error(`${what} did not come true within ${realMs} ms`);
        // Real input and output gets its turn before time goes on.
        await new Promise((resolve) => setTimeout(resolve, 1));
        await advance(stepMs);
      }
    },
    stepWall(ms) {
      wall += ms;
    },
    waiting: () => timers.size,
  };
}

/** Enough turns of the event loop for chains of promises, shared commits and loopback answers that are already there. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}
