import { type Clock, systemClock } from '../../src/base/clock.ts';
import { openLog } from '../../src/base/log.ts';
import type { Courier } from '../../src/outbound/courier.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { type OutboundOptions, openOutbound } from '../../src/outbound/request.ts';

/** The real clock, which a test may put forward. Waiting stays real. */
export type SteppableClock = Clock & { step(ms: number): void };

export function steppableClock(): SteppableClock {
  const real = systemClock();
  let ahead = 0;
  return {
    now: () => real.now() + ahead,
    monotonic: () => real.monotonic() + ahead,
    after: real.after,
    step(ms) {
      ahead += ms;
    },
  };
}

/** A way out for one test; `courier` makes one for one attempt. */
export function makeOutbound(options: Partial<OutboundOptions> = {}): {
  clock: SteppableClock;
  outbound: Outbound;
  courier: (limits?: { deadlineMs?: number; timeoutMs?: number }) => Courier;
} {
  const clock = steppableClock();
  const outbound = openOutbound({ clock, log: openLog('silent'), ...options });
  return {
    clock,
    outbound,
    courier: ({ deadlineMs = 5_000, timeoutMs = 2_000 } = {}) =>
      outbound.courier({ deadline: clock.monotonic() + deadlineMs, timeoutMs }),
  };
}
