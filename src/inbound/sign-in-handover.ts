import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.ts';
import { keepArtifact, takeArtifact } from './oauth-artifacts.ts';

/**
 * How somebody who signs in goes from the authorization server's pages to the door of other identity providers and back.
 * Each hands over a word that is good once and for a short time; what it stands for stays in the database:
 *
 *     sign-in page --begun--> /login/{idp} --asked (state)--> the identity provider
 *     sign-in page <--known-- /login/{idp}/callback <--------------'
 */
export type Begun = {
  /** The sign-in at the authorization server. */
  uid: string;
  /** The address of its page. */
  place: string;
  idpId: number;
  clientId: string;
  /** The service provider that is signed in to. */
  spId: number;
};

/** Who somebody turned out to be. */
export type Known = { uid: string; clientId: string; userId: string };

/** What was said to an identity provider, by its `state`. With SAML `nonce` is the id of the request. */
export type Asked = Begun & { nonce: string; verifier: string; browser: string };

const kinds = { begun: 'FederationBegun', asked: 'FederationAsked', known: 'FederationKnown' } as const;
type Payloads = { begun: Begun; asked: Asked; known: Known };

export const loginPath = '/login';

/** Where an identity provider sends people back to: what is registered there. `address`: of this server, without a slash at the end. */
export function redirectUriOf(address: string, idpName: string): string {
  return `${address}${loginPath}/${encodeURIComponent(idpName)}/callback`;
}

/** Where this server says what it is towards an identity provider that speaks SAML, which is also what it is called there. */
export function metadataUrlOf(address: string, idpName: string): string {
  return `${address}${loginPath}/saml/${encodeURIComponent(idpName)}/metadata`;
}

/** Milliseconds. People take their time at the identity provider; the rest is a browser that follows redirects. */
const lasts = { begun: 60_000, asked: 15 * 60_000, known: 60_000 } as const;

/** Answers the word that `takeOver` knows it by. `word`: one of the caller's own, as long and as random. */
export async function handOver<K extends keyof Payloads>(
  store: Store,
  kind: K,
  payload: Payloads[K],
  word = randomBytes(24).toString('base64url'),
): Promise<string> {
  await store.write((tx) => keepArtifact(tx, kinds[kind], word, { payload, expiresAt: tx.now + lasts[kind] }));
  return word;
}

/** Once: undefined when it was taken already, is over, or never was. */
export async function takeOver<K extends keyof Payloads>(
  store: Store,
  kind: K,
  word: string,
): Promise<Payloads[K] | undefined> {
  return (await store.write((tx) => takeArtifact(tx, kinds[kind], word))) as Payloads[K] | undefined;
}
