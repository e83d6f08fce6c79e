import { type Static, Type } from 'typebox';
import { listOf, MaybeText, Time } from './page.ts';

const optionalText = Type.Optional(MaybeText);

/** What POST and PUT take; PATCH takes any part of it. */
export const IdentityProviderInput = Type.Object({
  /** Unique without case; no slash, no colon, not a number alone. */
  name: Type.String(),
  displayName: optionalText,
  description: optionalText,
  homeRealmId: optionalText,
  alias: optionalText,
  /** One or more certificates in PEM. Not together with `jwksUrl`. */
  certificate: optionalText,
  jwksUrl: optionalText,
  /** Default true. */
  enabled: Type.Optional(Type.Boolean()),
});
export type IdentityProviderInput = Static<typeof IdentityProviderInput>;

export const IdentityProviderAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  displayName: MaybeText,
  description: MaybeText,
  homeRealmId: MaybeText,
  alias: MaybeText,
  certificate: MaybeText,
  jwksUrl: MaybeText,
  enabled: Type.Boolean(),
  createdAt: Time,
  modifiedAt: Time,
});
export type IdentityProviderAnswer = Static<typeof IdentityProviderAnswer>;
export const IdentityProviderList = listOf(IdentityProviderAnswer);
