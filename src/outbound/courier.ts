import type { Secret } from '../base/secret.ts';

/**
 * What one attempt may say to the outside. The engine makes a courier for each attempt and hands it to the connector;
 * the connector has no other way out. It holds three promises of the engine:
 *
 * - **at most one mutation** per attempt (a second `mutate` throws: that is a fault of the connector, not of a target);
 * - **no mutation after the deadline**: the monotonic clock is read directly before the request leaves, so a worker
 *   that stalled past its lease sends nothing (engine rule 9);
 * - **everything is recorded**, redacted, in the order it was said (`exchanges`).
 */
export interface Courier {
  /** Sends a request that changes nothing at the target. May be called any number of times. */
  read(request: OutboundRequest): Promise<Answer>;
  /** Sends the attempt's one request that may change something at the target. */
  mutate(request: OutboundRequest): Promise<Answer>;
  /** What was said so far, oldest first. */
  readonly exchanges: readonly Exchange[];
  /** True from the moment a mutation may have left the process. */
  readonly mutated: boolean;
}

export type OutboundRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute http(s) URL. */
  url: string;
  /** Header names in lower case. Credentials go here; they never reach an exchange. */
  headers?: Record<string, string>;
  /** JSON value; sent as the `content-type` of `headers`, default `application/json`. */
  body?: unknown;
  /** Form fields instead of `body` (`application/x-www-form-urlencoded`). */
  form?: Record<string, string>;
  /** Values that must not be seen in the exchange even where the target echoes them, in any of the usual encodings. */
  secrets?: readonly Secret[];
};

/**
 * How a request ended. `answered`: a whole answer arrived. `not-sent`: it certainly did not reach the target's
 * application (name not found, refused, TLS, address not allowed, deadline already past). `unknown`: it may have.
 */
export type Answer =
  | { ended: 'answered'; status: number; headers: Record<string, string>; body: unknown; text: string }
  | { ended: 'not-sent'; cause: 'dns' | 'connect' | 'tls' | 'address' | 'deadline'; reason: string }
  | { ended: 'unknown'; cause: 'timeout' | 'closed' | 'half-answer'; reason: string };

/** One request and its answer as they are kept: secrets replaced by `[redacted]`, texts cut at 64 kB. */
export type Exchange = {
  method: string;
  url: string;
  requestBody: string | null;
  /** Null when no answer came. */
  status: number | null;
  responseBody: string | null;
  /** How it failed, in words, when no whole answer came. */
  error: string | null;
  /** Wall-clock milliseconds since 1970 when it was sent. */
  at: number;
  tookMs: number;
};
