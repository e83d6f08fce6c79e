import type { Fate } from './life.ts';

/**
 * One thing that goes wrong at one place. `at` counts from 1: statements of the database, or exchanges with the target.
 */
export type Plague = { kind: PlagueKind; at: number };

/** `each`: of kinds that are much like another, every so many places have to do. */
const plagues = {
  /** The statement fails; the next ones do not. */
  'statement fails': { each: 1, place: 'statements' },
  /** The disk is full for a while: this statement and the next ones fail, whosoever they are. */
  'disk full for a while': { each: 4, place: 'statements' },
  /** A deadlock, which the store tries again where the database knows such a thing. */
  deadlock: { each: 2, place: 'statements' },
  /** The process is killed at this statement; a fresh one starts on the same database. */
  'killed at a statement': { each: 1, place: 'statements' },
  /** The same, and the fresh one is killed again while it recovers, at ever another place. */
  'killed twice': { each: 1, place: 'statements' },
  /** The same, and the fresh one meets a full disk while it recovers. */
  'killed, then disk full': { each: 4, place: 'statements' },
  /** Somebody writes at the same time: on PostgreSQL by the door of another node. */
  'directory changes beside a statement': { each: 4, place: 'statements' },
  'killed before a request': { each: 1, place: 'exchanges' },
  'killed while a request is carried out': { each: 1, place: 'exchanges' },
  /** The same, where the search shows only later what was made. */
  'killed while a request is carried out, and the search lags': { each: 1, place: 'exchanges' },
  /** The request is carried out only after the fresh process is at work. */
  'killed and the request lands later': { each: 1, place: 'exchanges' },
  'request lost': { each: 1, place: 'exchanges' },
  'answer lost': { each: 1, place: 'exchanges' },
  'answer lost, and the search lags': { each: 1, place: 'exchanges' },
  /** Everything that may be forgotten is, again and again, from the fault until all is well. */
  'answer lost, and nothing is kept': { each: 1, place: 'exchanges' },
  'killed while a request is carried out, and nothing is kept': { each: 1, place: 'exchanges' },
  /** Carried out after the caller gave up, at the last moment that is allowed. */
  'request lands after its timeout': { each: 1, place: 'exchanges' },
  'answered 500, carried out': { each: 1, place: 'exchanges' },
  'answered 503': { each: 1, place: 'exchanges' },
  'answered 429': { each: 1, place: 'exchanges' },
  'answered 404': { each: 1, place: 'exchanges' },
  'answered 409': { each: 1, place: 'exchanges' },
  /** The process stands still before the request leaves, for longer than its lease. */
  'stall past the lease': { each: 1, place: 'exchanges' },
  /** The wall clock is set on, past every lease, while the request is on its way; or back. */
  'clock steps forward': { each: 1, place: 'exchanges' },
  'clock steps back': { each: 1, place: 'exchanges' },
  /** For a while everything is refused so; then all is well. */
  'outage of 401': { each: 1, place: 'exchanges' },
  'outage of 404': { each: 1, place: 'exchanges' },
  'outage of 500': { each: 1, place: 'exchanges' },
  'outage of 504': { each: 1, place: 'exchanges' },
  'outage of the connection': { each: 1, place: 'exchanges' },
  /** Somebody writes while the request is on its way: on PostgreSQL by another node, here and in the next ones. */
  'directory changes': { each: 1, place: 'exchanges' },
  'target changes': { each: 1, place: 'exchanges' },
  /** The target is switched off while the request is on its way, and on again some time later. */
  'target is off for a while': { each: 1, place: 'exchanges' },
} as const satisfies Record<string, { each: number; place: 'statements' | 'exchanges' }>;

export type PlagueKind = keyof typeof plagues;

export const plagueKinds = Object.keys(plagues) as PlagueKind[];

/** What `at` counts, and how far its places are apart. */
export function placesOf(kind: PlagueKind): { each: number; place: 'statements' | 'exchanges' } {
  return plagues[kind];
}

/** How a plague goes on after it struck. */
export const again = {
  /** How many statements after a kill the fresh process has its own trouble. */
  afterKill: (at: number) => 1 + ((at * 7) % 60),
  fullStatements: 20,
  outageMs: 180_000,
  offMs: 20_000,
} as const;

export const lags = (kind: PlagueKind | undefined) => kind?.endsWith('the search lags') ?? false;
export const forgets = (kind: PlagueKind | undefined) => kind?.endsWith('nothing is kept') ?? false;

const stallMs = 30_000;
const stepForwardMs = 600_000;
const stepBackMs = 90_000;

/** What others do while a request is on its way. */
export type Others = {
  changeDirectory(): Promise<void>;
  changeTarget(): Promise<void>;
  switchTargetOff(): Promise<void>;
  stepClock(ms: number): void;
};

/** What becomes of every exchange of an outage; undefined when this plague is none. */
export function fateInOutage(kind: PlagueKind): Fate | undefined {
  if (kind === 'outage of the connection') return { fate: 'not sent' };
  const status = /^outage of (\d+)$/.exec(kind)?.[1];
  return status === undefined ? undefined : { fate: 'status', status: Number(status), carriedOut: false };
}

/** What becomes of the exchange that a plague strikes. */
export function fateOfStruck(kind: PlagueKind, others: Others): Fate {
  const answeredAfter = (before: () => Promise<void>): Fate => ({ fate: 'answered', before });
  switch (kind) {
    case 'killed before a request':
      return { fate: 'killed', carriedOut: 'never' };
    case 'killed while a request is carried out':
    case 'killed while a request is carried out, and the search lags':
    case 'killed while a request is carried out, and nothing is kept':
      return { fate: 'killed', carriedOut: 'now' };
    case 'killed and the request lands later':
      return { fate: 'killed', carriedOut: 'later' };
    case 'request lost':
      return { fate: 'lost', carriedOut: 'never' };
    case 'answer lost':
    case 'answer lost, and the search lags':
    case 'answer lost, and nothing is kept':
      return { fate: 'lost', carriedOut: 'now' };
    case 'request lands after its timeout':
      return { fate: 'lost', carriedOut: 'later' };
    case 'answered 500, carried out':
      return { fate: 'status', status: 500, carriedOut: true };
    case 'answered 503':
    case 'answered 429':
    case 'answered 404':
    case 'answered 409':
      return { fate: 'status', status: Number(kind.slice('answered '.length)), carriedOut: false };
    case 'stall past the lease':
      return { fate: 'stall', ms: stallMs };
    case 'clock steps forward':
      return answeredAfter(async () => others.stepClock(stepForwardMs));
    case 'clock steps back':
      return answeredAfter(async () => others.stepClock(-stepBackMs));
    case 'directory changes':
      return answeredAfter(others.changeDirectory);
    case 'target changes':
      return answeredAfter(others.changeTarget);
    case 'target is off for a while':
      return answeredAfter(others.switchTargetOff);
    default:
      return fateInOutage(kind) ?? { fate: 'answered' };
  }
}
