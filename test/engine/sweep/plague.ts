/**
 * One thing that goes wrong at one place. `at` counts from 1: statements of the database, or exchanges with the target.
 */
export type Plague = { kind: PlagueKind; at: number };

export const plagueKinds = [
  /** The statement fails, as on a full disk; the next ones do not. */
  'statement fails',
  /** A deadlock, which the store tries again where the database knows such a thing. */
  'deadlock',
  /** The process is killed at this statement; a fresh one starts on the same database. */
  'killed at a statement',
  /** The same, and the fresh one is killed again while it recovers. */
  'killed twice',
  'killed before a request',
  'killed while a request is carried out',
  /** The request is carried out only after the fresh process is at work. */
  'killed and the request lands later',
  'request lost',
  'answer lost',
  /** Carried out after the caller gave up, at the last moment that is allowed. */
  'request lands after its timeout',
  'answered 500, carried out',
  'answered 503',
  'answered 429',
  'answered 404',
  'answered 409',
  /** The process stands still before the request leaves, for longer than its lease. */
  'stall past the lease',
  /** For a while everything is refused so; then all is well. */
  'outage of 401',
  'outage of 500',
  'outage of the connection',
  /** Somebody writes while the request is on its way. */
  'directory changes',
  'target changes',
] as const;

export type PlagueKind = (typeof plagueKinds)[number];

/** Whether `at` counts statements; otherwise exchanges. */
export function countsStatements(kind: PlagueKind): boolean {
  return ['statement fails', 'deadlock', 'killed at a statement', 'killed twice'].includes(kind);
}

export const outageMs = 180_000;
export const stallMs = 30_000;
