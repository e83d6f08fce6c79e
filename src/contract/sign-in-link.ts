import { type Static, Type } from 'typebox';
import { listOf, MaybeText, MaybeTime, pageOf, SubjectRef, Time } from './page.ts';

/** Who somebody at an identity provider is here. */
export const SignInLinkAnswer = Type.Object({
  id: Type.Integer(),
  user: SubjectRef,
  identityProvider: Type.Object({ id: Type.Integer(), name: Type.String(), displayName: MaybeText }),
  /** Who gave the subject: the issuer, or with SAML the entity id. */
  issuer: Type.String(),
  /** What somebody is called there: `sub`, or with SAML the name identifier. */
  subject: Type.String(),
  /**
   * How it came to be: made just in time, made after they were asked, found by an address that is verified, or said by an
   * administrator. Null: it was not written down then.
   */
  rule: Type.Union([
    Type.Literal('jit'),
    Type.Literal('prompt'),
    Type.Literal('verifiedEmail'),
    Type.Literal('hand'),
    Type.Null(),
  ]),
  /** Who linked by hand. */
  by: MaybeText,
  linkedAt: Time,
  /** Null: not yet, or before that was written down. */
  lastSignInAt: MaybeTime,
  /** Whether people can sign in by it now; if not, why not. */
  works: Type.Boolean(),
  whyNot: MaybeText,
  /** Who unlinked it; null while it counts. */
  ended: Type.Union([Type.Object({ at: Time, by: Type.String() }), Type.Null()]),
});
export type SignInLinkAnswer = Static<typeof SignInLinkAnswer>;
export const SignInLinkList = listOf(SignInLinkAnswer);
export const SignInLinkPage = pageOf(SignInLinkAnswer);

/** `POST /api/users/{id}/links`. The issuer is the one that is set for the identity provider. */
export const SignInLinkInput = Type.Object({
  /** Id or name. */
  identityProvider: Type.Union([Type.String(), Type.Integer()]),
  subject: Type.String(),
});
export type SignInLinkInput = Static<typeof SignInLinkInput>;
