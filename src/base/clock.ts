/**
 * The only source of time in the process. Everything that asks the hour or waits takes a `Clock`,
 * so that a test can own it.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970 (UTC). May step. */
  now(): number;
  /** Milliseconds on a clock that never steps. Only differences mean anything. */
  monotonic(): number;
  /** Calls `wake` once after `ms` milliseconds; the answer cancels it. Never keeps the process alive. */
  after(ms: number, wake: () => void): () => void;
}

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(ms, wake) {
      const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** Resolves after `ms` milliseconds of `clock`, or at once when `signal` is (or becomes) aborted. Never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = clock.after(ms, done);
    function done() {
      signal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop() {
      cancel();
      resolve();
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}
