import { type Static, Type } from 'typebox';
import { MaybeText, Time } from './page.ts';

/** A secret as it is shown: that it is set, and since when. */
const ShownSecret = Type.Object({ set: Type.Literal(true), since: Type.Union([Time, Type.Null()]) });

const LinkBy = Type.Union([Type.Literal('none'), Type.Literal('verifiedEmail')]);
const RoleRow = Type.Object({ remote: Type.String(), local: Type.String() });

const Jit = Type.Object({
  enabled: Type.Boolean(),
  /** User store domain of new users. */
  domain: Type.String(),
  updateAttributes: Type.Union([Type.Literal('always'), Type.Literal('first')]),
  groups: Type.Union([Type.Literal('off'), Type.Literal('add'), Type.Literal('sync')]),
  /** What somebody new is asked before they are made: nothing, to agree, also for a password, also for a user name. Default `silent`. */
  prompt: Type.Union([
    Type.Literal('silent'),
    Type.Literal('consent'),
    Type.Literal('password'),
    Type.Literal('userName'),
  ]),
});

const Saml = Type.Object({
  type: Type.Literal('saml'),
  enabled: Type.Boolean(),
  entityId: Type.String(),
  signOnUrl: Type.String(),
  /** PEM. */
  certificate: Type.String(),
});

/** Left out, or as it is shown: it stays. Null: none. */
const SecretInput = Type.Union([Type.String(), Type.Object({ set: Type.Literal(true) }), Type.Null()]);

/** What PUT takes, all of it optional; PATCH takes any part of it. */
export const FederationInput = Type.Object({
  authenticator: Type.Optional(
    Type.Union([
      Type.Object({
        type: Type.Literal('oidc'),
        /** Default true. */
        enabled: Type.Optional(Type.Boolean()),
        issuer: Type.String(),
        clientId: Type.String(),
        clientSecret: Type.Optional(SecretInput),
        /** Besides `openid`; default `profile email`. */
        scopes: Type.Optional(Type.Array(Type.String())),
      }),
      Type.Object({
        ...Saml.properties,
        enabled: Type.Optional(Type.Boolean()),
        /** Whether requests are signed with our key. Default false. */
        signRequests: Type.Optional(Type.Boolean()),
        /** Whether an assertion that is not encrypted for our key is refused. Default false. */
        requireEncryption: Type.Optional(Type.Boolean()),
        /** Of our key, in PEM; with it comes `ownKey`. */
        ownCertificate: Type.Optional(MaybeText),
        /** Our private key: RSA, in PEM, without a passphrase. */
        ownKey: Type.Optional(SecretInput),
      }),
      Type.Null(),
    ]),
  ),
  /** E-mail domains whose people are sent there when they type their address as user name. */
  domains: Type.Optional(Type.Array(Type.String())),
  /** Default `none`. */
  linkBy: Type.Optional(LinkBy),
  /** Empty: the standard claims of OpenID Connect. */
  claims: Type.Optional(
    Type.Array(Type.Object({ remote: Type.String(), local: Type.String(), default: Type.Optional(MaybeText) })),
  ),
  roleClaim: Type.Optional(MaybeText),
  /** Empty: a role is the group of its name. */
  roles: Type.Optional(Type.Array(RoleRow)),
  jit: Type.Optional(Type.Partial(Jit)),
});
export type FederationInput = Static<typeof FederationInput>;

export const FederationAnswer = Type.Object({
  identityProvider: Type.Object({ id: Type.Integer(), name: Type.String() }),
  /** What is registered at the identity provider: where it sends people back to. With SAML the assertion consumer service. */
  redirectUri: Type.String(),
  /** With SAML: what this server is called there, and where it says so. */
  metadataUrl: Type.String(),
  authenticator: Type.Union([
    Type.Object({
      type: Type.Literal('oidc'),
      enabled: Type.Boolean(),
      issuer: Type.String(),
      clientId: Type.String(),
      clientSecret: Type.Union([ShownSecret, Type.Null()]),
      scopes: Type.Array(Type.String()),
    }),
    Type.Object({
      ...Saml.properties,
      signRequests: Type.Boolean(),
      requireEncryption: Type.Boolean(),
      ownCertificate: MaybeText,
      ownKey: Type.Union([ShownSecret, Type.Null()]),
    }),
    Type.Null(),
  ]),
  domains: Type.Array(Type.String()),
  linkBy: LinkBy,
  claims: Type.Array(Type.Object({ remote: Type.String(), local: Type.String(), default: MaybeText })),
  roleClaim: MaybeText,
  roles: Type.Array(RoleRow),
  jit: Jit,
  /** Null: nothing was ever set. */
  modifiedAt: Type.Union([Time, Type.Null()]),
});
export type FederationAnswer = Static<typeof FederationAnswer>;
