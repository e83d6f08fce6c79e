import { type Static, type TSchema, Type } from 'typebox';

/** A time: ISO 8601, UTC. */
export const Time = Type.String({ format: 'date-time' });
export const MaybeTime = Type.Union([Time, Type.Null()]);
export const MaybeText = Type.Union([Type.String(), Type.Null()]);

/** A part of a list. `next` goes into `after` to get the following part; null at the end. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) });

/**
 * A part of a list whose oldest items are forgotten after some time. `gone` says so, in words, where such items would
 * have stood; null where nothing is missing.
 */
export const agingPageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]), gone: MaybeText });

/** A whole list: these are few. */
export const listOf = <T extends TSchema>(item: T) => Type.Object({ items: Type.Array(item) });

export type Page<T> = { items: T[]; next: string | null };
export type AgingPage<T> = Page<T> & { gone: string | null };
export type List<T> = { items: T[] };

export const SubjectKind = Type.Union([Type.Literal('user'), Type.Literal('group')]);
export type SubjectKind = Static<typeof SubjectKind>;

/** A user or group as others refer to it. `life` is `gone` for one that was deleted, `forwarded` for one that is not kept here. */
export const SubjectRef = Type.Object({
  id: Type.String(),
  kind: SubjectKind,
  /** With its user store domain outside PRIMARY: `SALES/bob`. The id when nothing else is known any more. */
  name: Type.String(),
  life: Type.String(),
});
export type SubjectRef = Static<typeof SubjectRef>;
