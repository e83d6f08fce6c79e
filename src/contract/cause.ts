import { type Static, Type } from 'typebox';
import { MaybeText, MaybeTime, SubjectRef } from './page.ts';

const count = Type.Integer({ minimum: 0 });

/** Accounts at a target that are in trouble for one reason. */
export const CauseAnswer = Type.Object({
  /** With `target`, what `GET /api/accounts` and `POST /api/accounts/retry` take as `cause`. */
  key: Type.String(),
  targetId: Type.Integer(),
  target: Type.String(),
  /** The reason; `…` stands where each account has its own name, id or number. */
  cause: Type.String(),
  /** Those that are parked and that nobody left so, and those that failed and are tried again by themselves. */
  parked: count,
  failing: count,
  /** When the first and the last of them were tried last. */
  since: MaybeTime,
  latest: MaybeTime,
  example: Type.Object({ subject: SubjectRef, reason: Type.String() }),
  /** What helps, in plain words; null where only the reason itself helps. */
  fix: MaybeText,
});
export type CauseAnswer = Static<typeof CauseAnswer>;

/** `GET /api/causes`: the largest first. What a held lane keeps waiting is not among them: see the banners of `/api/status`. */
export const CausesAnswer = Type.Object({
  /** How many accounts, of how many causes; with `more`, at least. */
  accounts: count,
  causes: count,
  more: Type.Boolean(),
  /** The first fifty. */
  items: Type.Array(CauseAnswer),
});
export type CausesAnswer = Static<typeof CausesAnswer>;
