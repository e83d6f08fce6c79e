import { type Static, Type } from 'typebox';
import { MaybeText, MaybeTime, SubjectKind, Time } from './page.ts';
import { WaveAnswer } from './wave.ts';

const count = Type.Integer({ minimum: 0 });

export const LaneAnswer = Type.Object({
  kind: SubjectKind,
  /** Why nothing is sent, in plain words. */
  hold: Type.String(),
  since: Time,
  /** The target asked for patience; nothing is broken. */
  throttled: Type.Boolean(),
  nextTryAt: Type.Union([Time, Type.Null()]),
});
export type LaneAnswer = Static<typeof LaneAnswer>;

/** Why a target gets nothing, once for all whom it concerns. */
export const BannerAnswer = Type.Object({
  kinds: Type.Array(SubjectKind),
  reason: Type.String(),
  /** The target asked for patience; nothing is broken. */
  throttled: Type.Boolean(),
  since: Time,
  nextTryAt: MaybeTime,
  /** Accounts that wait behind it. */
  waiting: count,
  /** What helps, in plain words; null where only the reason itself helps. */
  fix: MaybeText,
});
export type BannerAnswer = Static<typeof BannerAnswer>;

export const TargetStatus = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  /** The target and its identity provider both are. */
  enabled: Type.Boolean(),
  /** Since when an operator holds it back, and who; null while nobody does. */
  paused: Type.Union([Type.Object({ since: Time, by: Type.String() }), Type.Null()]),
  /** Service providers bound to it. */
  boundBy: Type.Array(Type.String()),
  accounts: count,
  /** Accounts by state, without the states nobody is in. */
  byState: Type.Record(Type.String(), count),
  /** Accounts for which something is still to be delivered. */
  pending: count,
  /** All that are parked, and how many of them somebody left so: the others are to be looked at. */
  parked: count,
  left: count,
  /** Lanes that are held; none when all is well. */
  held: Type.Array(LaneAnswer),
  /** The same, one for each cause, with how many wait behind it. */
  banners: Type.Array(BannerAnswer),
  /** Removals that a rule withholds: accounts that live on though nobody should have them. */
  withheldRemovals: count,
  /** Waves under way, paused ones too. */
  waves: Type.Array(WaveAnswer),
  /** Deliveries a second that were done in the last seconds; null when there were none. */
  perSecond: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  /** How long the pending ones take at that rate; null when none are, or nothing moves. */
  secondsLeft: Type.Union([count, Type.Null()]),
  /** How long, in milliseconds, the account that waits longest could have been tried already; null when none is due. */
  oldestPendingMs: Type.Union([count, Type.Null()]),
});
export type TargetStatus = Static<typeof TargetStatus>;

/** `GET /api/throughput`: attempts that ended, by when they began, the oldest first. */
export const ThroughputAnswer = Type.Object({
  secondsPerBucket: Type.Integer({ minimum: 60 }),
  buckets: Type.Array(Type.Object({ at: Time, done: count, failed: count })),
  /** From when on all are counted; later than the first bucket while the rest is still to be counted. */
  countedSince: Time,
});
export type ThroughputAnswer = Static<typeof ThroughputAnswer>;

/** How this server is set up, as far as an administrator should see it. */
export const ServerAnswer = Type.Object({
  /** Where the key comes from that seals secrets; it is the one that they were sealed with, or the server had not started. */
  sealingKey: Type.Union([Type.Literal('environment'), Type.Literal('file')]),
  tls: Type.Boolean(),
  /** What it is called from outside, when that is another address than it listens at. */
  publicUrl: Type.Union([Type.String(), Type.Null()]),
  /** The zone that rules see the clock in, and what becomes of an operation that none applies to. */
  timeZone: Type.String(),
  whenNoRule: Type.Union([Type.Literal('let-through'), Type.Literal('withhold')]),
  limits: Type.Object({
    bodyBytes: count,
    bulkOperations: count,
    bulkBytes: count,
    /** How long a search may look at everybody, and a request wait for blocking targets. */
    searchSeconds: Type.Number(),
    blockingSeconds: Type.Number(),
    /** How long passwords, and what is only forwarded, wait for targets. */
    passwordDays: count,
    forwardedDays: count,
  }),
});
export type ServerAnswer = Static<typeof ServerAnswer>;

export const StatusAnswer = Type.Object({
  version: Type.String(),
  /** Seconds since this process started. */
  uptime: Type.Number(),
  database: Type.Object({
    kind: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
    /** The file, or host and database name; never credentials. */
    place: Type.String(),
  }),
  server: ServerAnswer,
  users: count,
  groups: count,
  /**
   * Who was only forwarded and is not in the directory; of how many it is kept, sealed, since not every target has it, and of
   * how many it was given up.
   */
  forwarded: Type.Object({ users: count, groups: count, bodies: count, givenUp: count }),
  /** Changes, arrivals at targets, and groups whose members are looked through, that are not turned into due accounts yet. */
  unplannedChanges: count,
  /** How long attempts and changes are kept, in days (0: for ever), and when the oldest that is there began. */
  kept: Type.Object({ attemptsDays: count, changesDays: count, oldestAttempt: MaybeTime, oldestChange: MaybeTime }),
  targets: Type.Array(TargetStatus),
});
export type StatusAnswer = Static<typeof StatusAnswer>;
