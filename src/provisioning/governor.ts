import type { Clock } from '../base/clock.ts';
import type { Draw, Rate } from './budgets.ts';
import type { TargetPolicy } from './policy.ts';

/**
 * How fast one target is spoken to: a limit of attempts under way in this process, and requests per second out of a
 * bucket that all nodes share (`budgets.ts`). One per target and process.
 */
export interface Governor {
  /** The limits of a changed policy, from here on, also for who waits already. */
  use(policy: TargetPolicy): void;
  /** How many more accounts may be claimed: what can be released within two seconds (engine rule 11). */
  room(): number;
  /** Counts claimed accounts in, and out when the result of their attempt is written down. */
  enter(count: number): void;
  leave(): void;
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

/** `draw` takes requests out of the shared bucket; it is asked only where the policy has a rate. `random` is in [0, 1). */
export function openGovernor(
  given: TargetPolicy,
  clock: Clock,
  draw: (rate: Rate, want: number) => Promise<Draw>,
  random: () => number,
): Governor {
  let policy = given;
  let claimed = 0;
  const speed = openSpeed(clock);
  const gate = openGate(rateOf(policy), clock, draw, random);
  return {
    use(next) {
      policy = next;
      gate.use(rateOf(next));
    },
    room() {
      const line = Math.max(policy.concurrency * shortestLine, Math.min(longestLine, speed.perSecond() * lineSeconds));
      return Math.max(0, Math.floor(Math.min(line, gate.soon())) - claimed);
    },
    enter(count) {
      claimed += count;
    },
    leave() {
      claimed -= 1;
      speed.count();
    },
    pass: (signal) => gate.pass(signal),
  };
}

/** What may go at once after a pause is one second's worth where the policy says nothing of it. */
function rateOf({ requestsPerSecond, burst }: TargetPolicy): Rate | undefined {
  if (requestsPerSecond === undefined) return undefined;
  return { requestsPerSecond, burst: Math.max(1, burst ?? requestsPerSecond) };
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

function openGate(
  given: Rate | undefined,
  clock: Clock,
  draw: (rate: Rate, want: number) => Promise<Draw>,
  random: () => number,
) {
  let limit = given;
  const queue: (() => void)[] = [];
  let drawing = false;
  /** Ends the waiting for the next tokens. */
  let stopWaiting: (() => void) | undefined;
  /** What was left after the last draw, and when. Nothing is known before the first, so one request finds it out. */
  let left = 1;
  let leftAt = clock.monotonic();
  /** Requests a second that other nodes take, as far as the bucket shows it. */
  let others = 0;

  const expected = ({ requestsPerSecond, burst }: Rate) =>
    Math.min(burst, left + ((clock.monotonic() - leftAt) / 1_000) * requestsPerSecond);

  function note(answer: Draw, rate: Rate): void {
    const elapsed = clock.monotonic() - leftAt;
    if (elapsed > 0) {
      const missing = Math.max(0, expected(rate) - (answer.left + answer.granted));
      const weight = Math.min(1, elapsed / memoryMs);
      others = others * (1 - weight) + (missing / elapsed) * 1_000 * weight;
    }
    left = answer.left;
    leftAt = clock.monotonic();
  }

  async function serve(): Promise<void> {
    if (drawing) return;
    drawing = true;
    while (queue.length > 0 && limit !== undefined) {
      const rate = limit;
      const want = Math.min(queue.length, Math.max(1, Math.floor((rate.requestsPerSecond * sliceMs) / 1_000)));
      let wait = failedDrawMs;
      try {
        const answer = await draw(rate, want);
        note(answer, rate);
        for (const go of queue.splice(0, answer.granted)) go();
        wait = answer.granted === want ? 0 : untilNextDraw(rate, Math.min(want, queue.length), answer.left);
      } catch {
        // The transactions of the deliveries themselves fail as well then, and say why.
      }
      if (wait > 0 && queue.length > 0 && limit === rate) await waitFor(Math.max(1, Math.ceil(wait)));
    }
    drawing = false;
  }

  /**
   * Until a slice is there. What the bucket cannot hold is lost, so a small one is not left to fill up. All nodes know when
   * it will be there, and the one nearest to the database would always be the first: so each comes a little later, by luck.
   */
  function untilNextDraw({ requestsPerSecond, burst }: Rate, want: number, there: number): number {
    const slice = Math.max(1, Math.min(want, Math.floor(burst / 2)));
    const wait = ((slice - there) / requestsPerSecond) * 1_000;
    const spare = ((burst - slice) / requestsPerSecond) * 1_000;
    return wait + random() * Math.max(wait / 10, Math.min(wait, spare / 2));
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
    use(next: Rate | undefined): void {
      limit = next;
      if (next === undefined) for (const go of queue.splice(0)) go();
      stopWaiting?.();
    },
    /** How many requests can go within two seconds. */
    soon(): number {
      if (limit === undefined) return Number.POSITIVE_INFINITY;
      const { requestsPerSecond } = limit;
      return Math.floor(expected(limit) + Math.max(requestsPerSecond * 0.05, requestsPerSecond - others) * 2);
    },
    pass(signal: AbortSignal): Promise<void> {
      if (limit === undefined) return Promise.resolve();
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
