import type { Profile, SAML } from '@node-saml/node-saml';
import { Problem } from '../../base/problem.ts';
import type { SamlAuthenticator } from '../../provisioning/federation-settings.ts';
import type { Claims } from './claims.ts';
import { decryptAssertion, isEncrypted, Unreadable } from './saml-encryption.ts';

/** What was said to an identity provider. `id`: of the request; `state` comes back beside the answer. */
export type SamlQuestion = { id: string; state: string };

/** Of this server towards one identity provider: what it is called there, and where answers are sent. */
export type SamlPlace = { entityId: string; callback: string };

/** Characters of an answer as it is sent, in base64. */
const longestAnswer = 400_000;
/** Milliseconds that clocks may differ. */
const clocksDiffer = 60_000;
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
/** One sentence for all that depends on what was encrypted: `decryptAssertion`. */
const notTold =
  'what is encrypted in it cannot be read, is not signed with the certificate that is set here, or is not meant for this sign-in; the log of the server says which';
/** Signatures and digests that can be forged. */
const broken = /xmldsig#(?:rsa-sha1|dsa-sha1|hmac-sha1|sha1)["']|xmldsig-more#(?:rsa-)?md5/;

/**
 * What an identity provider is told of this server (SAML 2.0 metadata): also the certificate to encrypt for, wherever
 * there is one, so that it can begin to before anything else is refused here.
 */
export async function describeSamlPlace(authenticator: SamlAuthenticator, place: SamlPlace): Promise<string> {
  const { generateServiceProviderMetadata } = await import('@node-saml/node-saml');
  return generateServiceProviderMetadata({
    issuer: place.entityId,
    callbackUrl: place.callback,
    wantAssertionsSigned: true,
    identifierFormat: null,
    ...(signing(authenticator) ?? {}),
    ...(authenticator.ownKey && authenticator.ownCertificate !== null
      ? { decryptionPvk: authenticator.ownKey.reveal(), decryptionCert: authenticator.ownCertificate.trim() }
      : {}),
  });
}

/** What the library signs requests with; undefined: nothing. */
function signing({ signRequests, ownKey, ownCertificate }: SamlAuthenticator) {
  if (!signRequests || ownKey === null || ownCertificate === null) return undefined;
  const signatureAlgorithm = 'sha256' as const;
  return { privateKey: ownKey.reveal(), publicCerts: ownCertificate.trim(), signatureAlgorithm };
}

/** Where somebody is sent to be asked who they are: the HTTP-Redirect binding. */
export async function samlAddressOf(
  authenticator: SamlAuthenticator,
  place: SamlPlace,
  { id, state }: SamlQuestion,
): Promise<string> {
  const peer = await openPeer(authenticator, place, id);
  return peer.getAuthorizeUrlAsync(state, undefined, {});
}

/**
 * Who came back: what an assertion says that is signed with the certificate that is set, by its issuer, for us, at this
 * address, in answer to this very question. Throws Problem `notAllowed` for the page.
 */
export async function readSamlAnswer(
  authenticator: SamlAuthenticator,
  place: SamlPlace,
  { id, response }: { id: string; response: string },
): Promise<Claims> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Problem('notAllowed', `what it answered does not prove who you are: ${why}`, { cause });
  };
  if (response.length > longestAnswer) refuse(`it is longer than ${longestAnswer} characters`);
  const sent = Buffer.from(response, 'base64').toString('utf8');
  const wasEncrypted = isEncrypted(sent);
  let profile: Profile | null = null;
  try {
    const xml = wasEncrypted ? await decrypt(sent, authenticator) : sent;
    if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) throw new Error('it declares what its parts are (DOCTYPE)');
    if (broken.test(xml)) throw new Error('it is signed by SHA-1 or MD5, which can be forged');
    const peer = await openPeer(authenticator, place, id);
    const SAMLResponse = Buffer.from(xml).toString('base64');
    ({ profile } = await peer.validatePostResponseAsync({ SAMLResponse }));
  } catch (error) {
    const isTold = !wasEncrypted || error instanceof Unreadable;
    refuse(isTold ? (error as Error).message.slice(0, 300) : notTold, error);
  }
  if (authenticator.requireEncryption && !wasEncrypted) refuse('its assertion is not encrypted, as is set here');
  const assertion = (profile?.getAssertion?.() as { Assertion?: Assertion } | undefined)?.Assertion;
  if (!profile || !assertion) return refuse('there is no assertion in it');
  // What the library leaves to the unsigned part of the answer, or does not look at.
  if (textOf(assertion.Issuer) !== authenticator.entityId) refuse('it is of another issuer');
  if (!assertion.Conditions?.[0]?.AudienceRestriction) refuse('it does not say whom it is meant for');
  if (!assertion.AuthnStatement) refuse('it does not say that anybody signed in');
  const confirmed = assertion.Subject?.[0]?.SubjectConfirmation?.some(({ $, SubjectConfirmationData }) => {
    const data = SubjectConfirmationData?.[0]?.$;
    return (
      $?.Method === bearer &&
      data?.InResponseTo === id &&
      data.Recipient === place.callback &&
      isAhead(data.NotOnOrAfter)
    );
  });
  if (!confirmed) refuse('it does not answer what was asked here');
  if (profile.nameIDFormat === transient) refuse('it gives everybody a new name each time (transient)');
  return { ...(profile.attributes as Claims | undefined), sub: profile.nameID };
}

function decrypt(xml: string, { ownKey }: SamlAuthenticator): Promise<string> {
  if (ownKey === null) throw new Unreadable('it is encrypted, and no key to read it with is set here');
  return decryptAssertion(xml, ownKey);
}

const isAhead = (time: string | undefined) => time !== undefined && Date.parse(time) + clocksDiffer > Date.now();

/** The parts of a signed assertion that are looked at here, as the library parses it. */
type Assertion = {
  Issuer?: Text;
  Conditions?: { AudienceRestriction?: unknown }[];
  AuthnStatement?: unknown;
  Subject?: {
    SubjectConfirmation?: { $?: { Method?: string }; SubjectConfirmationData?: { $?: Record<string, string> }[] }[];
  }[];
};
type Text = (string | { _?: string })[];

function textOf(text: Text | undefined): string | undefined {
  const first = text?.[0];
  return (typeof first === 'object' ? first._ : first)?.trim();
}

/** For one question: the library keeps none, since each is kept in the database and taken once. */
async function openPeer(authenticator: SamlAuthenticator, place: SamlPlace, id: string): Promise<SAML> {
  const { SAML, ValidateInResponseTo } = await import('@node-saml/node-saml');
  return new SAML({
    issuer: place.entityId,
    callbackUrl: place.callback,
    audience: place.entityId,
    entryPoint: authenticator.signOnUrl,
    idpCert: authenticator.certificate.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
    idpIssuer: authenticator.entityId,
    ...(signing(authenticator) ?? {}),
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: false,
    identifierFormat: null,
    disableRequestedAuthnContext: true,
    acceptedClockSkewMs: clocksDiffer,
    generateUniqueId: () => id,
    validateInResponseTo: ValidateInResponseTo.always,
    cacheProvider: {
      saveAsync: async () => null,
      getAsync: async (key) => (key === id ? new Date().toISOString() : null),
      removeAsync: async () => null,
    },
  });
}
