import { type Static, Type } from 'typebox';
import { MaybeText, SubjectKind, SubjectRef, Time } from './page.ts';

/** A user or group in a list. */
export const SubjectAnswer = Type.Object({
  id: Type.String(),
  kind: SubjectKind,
  /** userName or displayName, with its user store domain outside PRIMARY. */
  name: Type.String(),
  domain: Type.String(),
  /** `live`; `forwarded` for one that was only forwarded, of which the name alone is known, and `gone` for a deleted one. */
  life: Type.String(),
  displayName: MaybeText,
  /** Null for groups. */
  active: Type.Union([Type.Boolean(), Type.Null()]),
  createdAt: Time,
  modifiedAt: Time,
});
export type SubjectAnswer = Static<typeof SubjectAnswer>;

export const SubjectList = Type.Object({
  total: Type.Integer(),
  /** There are more than `total`: of names that begin alike only the first thousands are counted. */
  more: Type.Boolean(),
  /** Counts from 1. */
  startIndex: Type.Integer(),
  items: Type.Array(SubjectAnswer),
});
export type SubjectList = Static<typeof SubjectList>;

/** Where a subject stands at one target, in a line. */
export const StandingAnswer = Type.Object({
  target: Type.String(),
  state: Type.String(),
  due: Type.Boolean(),
  remoteId: MaybeText,
  reason: MaybeText,
});
export type StandingAnswer = Static<typeof StandingAnswer>;

export const SubjectDetail = Type.Intersect([
  SubjectAnswer,
  Type.Object({
    /** The SCIM resource as it is kept. */
    attributes: Type.Record(Type.String(), Type.Unknown()),
    accounts: Type.Array(StandingAnswer),
    /** Groups that it is in. */
    groups: Type.Array(SubjectRef),
    /** For groups: at most the first 100 members. Empty for users. */
    members: Type.Array(SubjectRef),
    /** Until when a user cannot sign in, because too many passwords were wrong; null for everybody else. */
    lockedUntil: Type.Union([Time, Type.Null()]),
  }),
]);
export type SubjectDetail = Static<typeof SubjectDetail>;

/** `GET` and `POST /api/user-store-domains`. */
export const DomainInput = Type.Object({ name: Type.String(), description: Type.Optional(MaybeText) });
export type DomainInput = Static<typeof DomainInput>;
export const DomainAnswer = Type.Object({ name: Type.String(), description: MaybeText });
export type DomainAnswer = Static<typeof DomainAnswer>;
export const DomainList = Type.Object({ items: Type.Array(DomainAnswer) });

/** A SCIM resource without `schemas`: its attributes, extensions under their URN. */
const Resource = { additionalProperties: true };

/** `POST /api/users`. Any other attribute of a SCIM user may be beside these. */
export const UserInput = Type.Object(
  {
    userName: Type.String(),
    /** Where the name belongs; default PRIMARY, or what stands before a slash in it. */
    domain: Type.Optional(MaybeText),
    /** Kept as a hash, and sealed for the targets until they have it. */
    password: Type.Optional(MaybeText),
  },
  Resource,
);
export type UserInput = Static<typeof UserInput> & Record<string, unknown>;

/** `PATCH /api/users/{id}`: objects are merged, lists replaced, null takes away (RFC 7396). */
export const UserPatch = Type.Object(
  { userName: Type.Optional(Type.String()), password: Type.Optional(MaybeText) },
  Resource,
);

export const GroupInput = Type.Object(
  {
    displayName: Type.String(),
    domain: Type.Optional(MaybeText),
    members: Type.Optional(Type.Array(Type.Object({ value: Type.String() }))),
  },
  Resource,
);

/** `PATCH /api/groups/{id}`: a new name, ids of who comes and of who goes, at most 1,000 each. */
export const GroupPatch = Type.Object({
  displayName: Type.Optional(Type.String()),
  add: Type.Optional(Type.Array(Type.String())),
  remove: Type.Optional(Type.Array(Type.String())),
});
