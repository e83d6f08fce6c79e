import type { Clock } from '../base/clock.ts';
import type { Courier } from './courier.ts';

/** The process's only way out. One per process; `openOutbound` (request.ts) makes it, `close` ends its connections. */
export interface Outbound {
  /** The time that deadlines, tokens and memories of connectors are measured by. */
  readonly clock: Clock;
  /**
   * A courier for one attempt. `deadline` is a reading of the monotonic clock after which no mutation may leave; a
   * function is asked for it directly before. `timeoutMs` bounds each single request, from connecting to the last byte.
   */
  courier(options: { deadline: number | (() => number); timeoutMs: number }): Courier;
  close(): Promise<void>;
}
