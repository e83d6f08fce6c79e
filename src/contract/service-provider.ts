import { type Static, Type } from 'typebox';
import { listOf, MaybeText, Time } from './page.ts';
import { EffectAnswer } from './target.ts';
import { Offer } from './wave.ts';

const Fallback = Type.Union([Type.Literal('resident'), Type.Literal('none')]);

const RequestedClaim = Type.Union([
  Type.Literal('name'),
  Type.Literal('given_name'),
  Type.Literal('family_name'),
  Type.Literal('preferred_username'),
  Type.Literal('locale'),
  Type.Literal('zoneinfo'),
  Type.Literal('updated_at'),
  Type.Literal('email'),
  Type.Literal('groups'),
]);
export type RequestedClaim = Static<typeof RequestedClaim>;

export const ServiceProviderInput = Type.Object({
  /** Unique without case; no slash, no colon, not a number alone. */
  name: Type.String(),
  description: Type.Optional(MaybeText),
  /** What SCIM makes for it goes to its targets and is not kept in the directory (WSO2: dumb mode). Default false. */
  forwardOnly: Type.Optional(Type.Boolean()),
  /** By whose bindings its calls go while it has none of its own; sign-ins never do. Default `resident`. */
  fallback: Type.Optional(Fallback),
  /** The user store domain that SCIM makes its users and groups in. Default: the one their names say. */
  userStoreDomain: Type.Optional(MaybeText),
  /** What it is told of who signs in to it, besides `sub`, as far as its scopes go. Empty or null: all that they tell. */
  requestedClaims: Type.Optional(Type.Union([Type.Array(RequestedClaim), Type.Null()])),
});
export type ServiceProviderInput = Static<typeof ServiceProviderInput>;

const OnFailure = Type.Union([Type.Literal('report'), Type.Literal('fail')]);

export const BindingInput = Type.Object({
  /** A target's id or name (`partner:SCIM2`). */
  target: Type.Union([Type.String(), Type.Integer()]),
  /** Requests that change somebody wait for the target, and say what became of it. Default false. */
  blocking: Type.Optional(Type.Boolean()),
  /** What is answered when the target did not take it: that it did not, or an error. `fail` only with `blocking`. Default `report`. */
  onFailure: Type.Optional(OnFailure),
  /** Each operation is asked about first, by the policies in force. Default false. */
  rules: Type.Optional(Type.Boolean()),
  /** Whoever comes by signing in to this application is sent there. Default false; refused for the resident one. */
  jit: Type.Optional(Type.Boolean()),
  /** Default true. */
  enabled: Type.Optional(Type.Boolean()),
});
export type BindingInput = Static<typeof BindingInput>;

/** `PUT /api/service-providers/{id}/bindings`: the whole list. */
export const BindingsInput = Type.Object({ bindings: Type.Array(BindingInput) });
export type BindingsInput = Static<typeof BindingsInput>;

export const BindingAnswer = Type.Object({
  targetId: Type.Integer(),
  target: Type.String(),
  blocking: Type.Boolean(),
  onFailure: OnFailure,
  rules: Type.Boolean(),
  jit: Type.Boolean(),
  enabled: Type.Boolean(),
});
export type BindingAnswer = Static<typeof BindingAnswer>;
export const BindingsAnswer = Type.Object({ bindings: Type.Array(BindingAnswer) });
export type BindingsAnswer = Static<typeof BindingsAnswer>;

export const ServiceProviderAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  description: MaybeText,
  /** The one that console, SOAP and Basic-authenticated SCIM speak for; it cannot be removed. */
  resident: Type.Boolean(),
  forwardOnly: Type.Boolean(),
  fallback: Fallback,
  userStoreDomain: MaybeText,
  /** Empty: all that its scopes tell. */
  requestedClaims: Type.Array(RequestedClaim),
  bindings: Type.Array(BindingAnswer),
  createdAt: Time,
  modifiedAt: Time,
});
export type ServiceProviderAnswer = Static<typeof ServiceProviderAnswer>;
export const ServiceProviderList = listOf(ServiceProviderAnswer);

/** What a change of a service provider answers. */
export const ServiceProviderChanged = Type.Intersect([
  ServiceProviderAnswer,
  Type.Object({
    /** Targets that it newly lets somebody in at, and whom `POST /api/targets/{id}/sync` would send there. */
    offers: Type.Array(Offer),
  }),
]);
export type ServiceProviderChanged = Static<typeof ServiceProviderChanged>;

/** What `PUT /api/service-providers/{id}/bindings` answers. */
export const BindingsChanged = Type.Intersect([
  ServiceProviderChanged,
  Type.Object({
    /** Only where it was tried (`dryRun`): what it would do with those who are there, at each target that it concerns. */
    effects: Type.Optional(
      Type.Array(Type.Intersect([EffectAnswer, Type.Object({ targetId: Type.Integer(), target: Type.String() })])),
    ),
  }),
]);
export type BindingsChanged = Static<typeof BindingsChanged>;
