import { type Static, Type } from 'typebox';
import { agingPageOf, SubjectRef, Time } from './page.ts';

/** An entry of the change log: who changed, not what. */
export const ChangeAnswer = Type.Object({
  seq: Type.Integer(),
  at: Time,
  subject: SubjectRef,
  /** The member that came to or left the group `subject`. */
  other: Type.Union([SubjectRef, Type.Null()]),
  door: Type.String(),
  actor: Type.String(),
  /** The service provider it was made for; its id when it is gone. */
  serviceProvider: Type.String(),
});
export type ChangeAnswer = Static<typeof ChangeAnswer>;
/** `next` is the sequence to go on after; null when this was the end of the log. */
export const ChangePage = agingPageOf(ChangeAnswer);
