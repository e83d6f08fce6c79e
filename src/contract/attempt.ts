import { type Static, Type } from 'typebox';
import { agingPageOf, MaybeText, MaybeTime, SubjectRef, Time } from './page.ts';

/** One request to a target and its answer, secrets replaced by `[redacted]`. */
export const ExchangeAnswer = Type.Object({
  method: Type.String(),
  url: Type.String(),
  requestBody: MaybeText,
  status: Type.Union([Type.Integer(), Type.Null()]),
  responseBody: MaybeText,
  /** How it failed when no whole answer came. */
  error: MaybeText,
  at: Time,
  tookMs: Type.Integer(),
});
export type ExchangeAnswer = Static<typeof ExchangeAnswer>;

export const AttemptAnswer = Type.Object({
  id: Type.Integer(),
  targetId: Type.Integer(),
  target: Type.String(),
  subject: SubjectRef,
  operation: MaybeText,
  startedAt: Time,
  /** Null while it is under way, or when its process ended in it. */
  endedAt: MaybeTime,
  outcome: MaybeText,
  reason: MaybeText,
  /** What the rules said, and which; null when none was asked. */
  rule: MaybeText,
});
export type AttemptAnswer = Static<typeof AttemptAnswer>;

export const AttemptDetail = Type.Intersect([AttemptAnswer, Type.Object({ exchanges: Type.Array(ExchangeAnswer) })]);
export type AttemptDetail = Static<typeof AttemptDetail>;

/** `searchedBack`: with `next`, the search stopped there before the page was full, so that no request looks at too many. */
export const AttemptPage = Type.Intersect([agingPageOf(AttemptAnswer), Type.Object({ searchedBack: MaybeTime })]);
export type AttemptPage = Static<typeof AttemptPage>;
