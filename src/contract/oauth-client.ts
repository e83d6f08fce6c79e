import { type Static, Type } from 'typebox';
import { Time } from './page.ts';

const Scope = Type.Enum([
  'scim.read',
  'scim.write',
  'admin.read',
  'admin.operate',
  'admin',
  'openid',
  'profile',
  'email',
  'groups',
  'offline_access',
]);
const Grant = Type.Enum(['client_credentials', 'authorization_code', 'refresh_token']);
const Consent = Type.Enum(['ask', 'none'], { default: 'ask' });
const AuthMethod = Type.Enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'], {
  default: 'client_secret_basic',
});
const Jwks = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) });

/** How a service provider calls by OAuth 2.0. */
export const OAuthClientInput = Type.Object({
  /** How it gets tokens; default `client_credentials` alone. */
  grants: Type.Optional(Type.Array(Grant)),
  /** Where people are sent back to who signed in; needed for `authorization_code`. */
  redirectUris: Type.Optional(Type.Array(Type.String())),
  /** Where people may be sent back to who signed out; for `authorization_code`. */
  postLogoutRedirectUris: Type.Optional(Type.Array(Type.String())),
  /** Whether people are asked if the application may know them. */
  consent: Type.Optional(Consent),
  /** What its tokens may be good for; at least one. */
  scopes: Type.Array(Scope),
  /** How it shows who it is at the token endpoint. */
  authMethod: Type.Optional(AuthMethod),
  /** Its public keys (RFC 7517); for `private_key_jwt` and for nothing else. */
  jwks: Type.Optional(Type.Union([Jwks, Type.Null()])),
  /** How long a token is good, in seconds. */
  tokenSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, default: 3_600 })),
});
export type OAuthClientInput = Static<typeof OAuthClientInput>;

export const OAuthClientAnswer = Type.Object({
  serviceProvider: Type.String(),
  clientId: Type.String(),
  grants: Type.Array(Grant),
  redirectUris: Type.Array(Type.String()),
  postLogoutRedirectUris: Type.Array(Type.String()),
  consent: Consent,
  scopes: Type.Array(Scope),
  authMethod: AuthMethod,
  jwks: Type.Union([Jwks, Type.Null()]),
  tokenSeconds: Type.Integer(),
  /** Without the secrets themselves; the latest first. Two while one takes the place of the other. */
  secrets: Type.Array(Type.Object({ createdAt: Time, expiresAt: Type.Union([Time, Type.Null()]) })),
  /** Of the authorization server. */
  issuer: Type.String(),
  tokenEndpoint: Type.String(),
  /** Where people are sent to sign in; null for a client that signs nobody in. */
  authorizationEndpoint: Type.Union([Type.String(), Type.Null()]),
  /** The same for signing out. */
  endSessionEndpoint: Type.Union([Type.String(), Type.Null()]),
  createdAt: Time,
  modifiedAt: Time,
});
export type OAuthClientAnswer = Static<typeof OAuthClientAnswer>;

/** The only time that the secret is shown; null for a client that has none, and where it was only tried (`dryRun`). */
export const OAuthClientMade = Type.Intersect([
  OAuthClientAnswer,
  Type.Object({ clientSecret: Type.Union([Type.String(), Type.Null()]) }),
]);
export type OAuthClientMade = Static<typeof OAuthClientMade>;

export const OAuthSecretInput = Type.Object({
  /** How long the secret before is good still, in hours. */
  overlapHours: Type.Optional(Type.Number({ minimum: 0, maximum: 720, default: 24 })),
});
export type OAuthSecretInput = Static<typeof OAuthSecretInput>;

/** A key that tokens are signed with. */
export const OAuthKeyAnswer = Type.Object({
  kid: Type.String(),
  /** `coming`: published, and signs nothing yet; `leaving`: the next one signs, and its tokens are good still. */
  state: Type.Enum(['coming', 'signs', 'leaving']),
  createdAt: Time,
  signsFrom: Time,
  /** Null: until another one has taken its place. */
  publishedUntil: Type.Union([Time, Type.Null()]),
});
export type OAuthKeyAnswer = Static<typeof OAuthKeyAnswer>;

/** The latest first. */
export const OAuthKeyList = Type.Object({ items: Type.Array(OAuthKeyAnswer) });
export type OAuthKeyList = Static<typeof OAuthKeyList>;
