import type { Clock } from '../base/clock.ts';
import type { Draw } from './budgets.ts';
import type { TargetPolicy } from './policy.ts';

/**
 * How fast one target is spoken to: a limit of attempts under way in this process, and requests per second out of a
 * bucket that all nodes share (`budgets.ts`). One per target and process.
 */
export interface Governor {
  /** How many more accounts may be claimed: what can be released within two seconds (engine rule 11). */
  room(): number;
  /** Counts claimed accounts in, and out when the result of their attempt is written down. */
  enter(count: number): void;
  leave(): void;
  /** Accounts claimed whose result is not written down yet. */
  readonly claimed: number;
  /** Resolves when the rate allows one more request, in the order of asking; at once when `signal` aborts. */
  pass(signal: AbortSignal): Promise<void>;
}

/** Claimed accounts wait in line behind those under way: at least this many times the concurrency … */
const shortestLine = 2;
/** … and at most this many, or what was got through in half a second. Large claims make large commits, and those are cheap. */
const longestLine = 512;
const lineSeconds = 0.5;
/** The measured speeds forget half of the past in about this time. */
const memoryMs = 1_000;
/** Requests that wait for the rate are let go together, as many as come up in this time: one small transaction for each. */
const sliceMs = 100;
/** After a draw that failed: the database says nothing, so neither do we. */
const failedDrawMs = 1_000;

/** `draw` takes requests out of the shared bucket; it is asked only where the policy has a rate. */
export function openGovernor(policy: TargetPolicy, clock: Clock, draw: (want: number) => Promise<Draw>): Governor {
  let claimed = 0;
  const speed = openSpeed(clock);
  const rate = policy.requestsPerSecond;
  const gate = rate === undefined ? undefined : openGate({ rate, burst: burstOf(policy, rate) }, clock, draw);
  return {
    room() {
      const line = Math.max(policy.concurrency * shortestLine, Math.min(longestLine, speed.perSecond() * lineSeconds));
      const soon = gate ? Math.min(line, gate.soon()) : line;
      return Math.max(0, Math.floor(soon) - claimed);
    },
    enter(count) {
      claimed += count;
    },
    leave() {
      claimed -= 1;
      speed.count();
    },
    get claimed() {
      return claimed;
    },
    pass: (signal) => gate?.pass(signal) ?? Promise.resolve(),
  };
}

/** One second's worth where the policy names none. */
export function burstOf(policy: Pick<TargetPolicy, 'burst'>, rate: number): number {
  return Math.max(1, policy.burst ?? rate);
}

function openSpeed(clock: Clock) {
  let perSecond = 0;
  let counted = 0;
  let since = clock.monotonic();
  return {
    count() {
      counted += 1;
    },
    perSecond() {
      const elapsed = clock.monotonic() - since;
      if (elapsed < memoryMs / 4) return perSecond;
      const weight = Math.min(1, elapsed / memoryMs);
      perSecond = perSecond * (1 - weight) + (counted / elapsed) * 1_000 * weight;
      counted = 0;
      since = clock.monotonic();
      return perSecond;
    },
  };
}

function openGate(limits: { rate: number; burst: number }, clock: Clock, draw: (want: number) => Promise<Draw>) {
  const { rate, burst } = limits;
  const queue: (() => void)[] = [];
  let drawing = false;
  /** Ends the waiting for the next tokens. */
  let stopWaiting: (() => void) | undefined;
  /** What was left after the last draw, and when; nothing is known before the first. */
  let left = 0;
  let leftAt = clock.monotonic();
  /** Requests a second that other nodes take, as far as the bucket shows it. */
  let others = 0;

  const expected = () => Math.min(burst, left + ((clock.monotonic() - leftAt) / 1_000) * rate);

  function note(answer: Draw): void {
    const elapsed = clock.monotonic() - leftAt;
    if (elapsed > 0) {
      const missing = Math.max(0, expected() - (answer.left + answer.granted));
      const weight = Math.min(1, elapsed / memoryMs);
      others = others * (1 - weight) + (missing / elapsed) * 1_000 * weight;
    }
    left = answer.left;
    leftAt = clock.monotonic();
  }

  async function serve(): Promise<void> {
    if (drawing) return;
    drawing = true;
    while (queue.length > 0) {
      const want = Math.min(queue.length, Math.max(1, Math.floor((rate * sliceMs) / 1_000)));
      let wait = failedDrawMs;
      try {
        const answer = await draw(want);
        note(answer);
        for (const go of queue.splice(0, answer.granted)) go();
        // What the bucket cannot hold is lost, so a small one is not left to fill up.
        const slice = Math.max(1, Math.min(want, queue.length, Math.floor(burst / 2)));
        wait = answer.granted === want ? 0 : Math.ceil(((slice - answer.left) / rate) * 1_000);
      } catch {
        // The transactions of the deliveries themselves fail as well then, and say why.
      }
      if (wait > 0 && queue.length > 0) await waitFor(Math.max(1, wait));
    }
    drawing = false;
  }

  function waitFor(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        stopWaiting = undefined;
        resolve();
      };
      const cancel = clock.after(ms, end);
      stopWaiting = () => {
        cancel();
        end();
      };
    });
  }

  return {
    /** How many requests can go within two seconds. */
    soon: () => Math.floor(expected() + Math.max(rate * 0.05, rate - others) * 2),
    pass(signal: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const go = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          const at = queue.indexOf(go);
          if (at >= 0) queue.splice(at, 1);
          if (queue.length === 0) stopWaiting?.();
          go();
        };
        signal.addEventListener('abort', leave, { once: true });
        queue.push(go);
        void serve();
      });
    },
  };
}
