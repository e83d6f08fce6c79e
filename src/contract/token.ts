import { type Static, Type } from 'typebox';
import { MaybeText } from './page.ts';

export const TokenInput = Type.Object({
  /** What it is for. */
  label: Type.String(),
  /** Id or name of the service provider that calls with it are made for; default the resident one. */
  serviceProvider: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  /** `scim`, `admin`; at least one. */
  scopes: Type.Array(Type.String()),
  /** ISO 8601; without it the token does not expire. */
  expiresAt: Type.Optional(MaybeText),
});
export type TokenInput = Static<typeof TokenInput>;

/** The only time that the token is shown. */
export const TokenAnswer = Type.Object({
  token: Type.String(),
  label: Type.String(),
  serviceProvider: Type.String(),
  scopes: Type.Array(Type.String()),
  expiresAt: MaybeText,
});
export type TokenAnswer = Static<typeof TokenAnswer>;
