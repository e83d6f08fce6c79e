import { type Static, Type } from 'typebox';
import { listOf, MaybeText, MaybeTime, Time } from './page.ts';

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
  id: Type.Integer(),
  token: Type.String(),
  label: Type.String(),
  serviceProvider: Type.String(),
  scopes: Type.Array(Type.String()),
  expiresAt: MaybeTime,
});
export type TokenAnswer = Static<typeof TokenAnswer>;

/** A token in a list: never the token itself. */
export const TokenListItem = Type.Object({
  id: Type.Integer(),
  label: Type.String(),
  serviceProvider: Type.String(),
  scopes: Type.Array(Type.String()),
  createdAt: Time,
  /** Null: never. A token that has expired stays in the list until it is revoked. */
  expiresAt: MaybeTime,
  /** To the minute; null: never used. */
  lastUsedAt: MaybeTime,
});
export type TokenListItem = Static<typeof TokenListItem>;
export const TokenList = listOf(TokenListItem);
