import { type Static, Type } from 'typebox';
import { Time } from './page.ts';

const count = Type.Integer({ minimum: 0 });

/** Long work over the accounts of a target. */
export const WaveAnswer = Type.Object({
  id: Type.Integer(),
  targetId: Type.Integer(),
  target: Type.String(),
  /** `accounts`: whoever has an account there is looked at again. `everyone`: a sync, everybody in the directory is. */
  kind: Type.Union([Type.Literal('accounts'), Type.Literal('everyone')]),
  /** `settings changed`, `policy changed`, `rules changed`, `binding changed` or `sync`. */
  cause: Type.String(),
  /** Who changed that, or asked for it. */
  actor: Type.String(),
  /** `running`, `paused`, `cancelled` or `done`. */
  state: Type.String(),
  /** How many there were to look at when it began; more may have come since. */
  total: count,
  /** How many it has looked at, and for how many of them it made something due. */
  seen: count,
  raised: count,
  /** How many it looks at in a second, and how long the rest takes at that speed; null while nothing is known. */
  perSecond: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  secondsLeft: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  startedAt: Time,
  /** When it ended; while it is paused, since when. */
  endedAt: Type.Union([Time, Type.Null()]),
});
export type WaveAnswer = Static<typeof WaveAnswer>;

/** Who is here, could be at a target, and is not: whom a sync would send. */
export const Newcomers = Type.Object({
  users: count,
  groups: count,
  /** They are at least so many: a large directory is not counted to its end. */
  more: Type.Boolean(),
});
export type Newcomers = Static<typeof Newcomers>;

/** A target for which a binding is new or newly enabled, and who is here but not there. Nobody is sent by that alone. */
export const Offer = Type.Object({ targetId: Type.Integer(), target: Type.String(), missing: Newcomers });
export type Offer = Static<typeof Offer>;
