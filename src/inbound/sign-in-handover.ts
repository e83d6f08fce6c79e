import { randomBytes } from 'node:crypto';
import type { Reading, Store, Tx } from '../store/store.ts';
import { keepArtifact, lookAtArtifact, takeArtifact } from './oauth-artifacts.ts';

/**
 * How somebody who signs in goes from the authorization server's pages to the door of other identity providers and back.
 * Each hands over a word that is good once and for a short time; what it stands for stays in the database:
 *
 *     sign-in page --begun--> /login/{idp} --asked (state)--> the identity provider
 *     sign-in page <--known-- /login/{idp}/callback <--------------'
 *          ^                          | asks (only where somebody new is asked first)
 *          '--------known---- /login/{idp}/new
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

/** Somebody new, who is asked before they are made: what the identity provider said of them. */
export type Asks = Begun & { browser: string; issuer: string; claims: Record<string, unknown> };

const kinds = {
  begun: 'FederationBegun',
  asked: 'FederationAsked',
  known: 'FederationKnown',
  asks: 'FederationAsks',
} as const;
type Payloads = { begun: Begun; asked: Asked; known: Known; asks: Asks };

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
const lasts = { begun: 60_000, asked: 15 * 60_000, known: 60_000, asks: 15 * 60_000 } as const;

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
  return store.write((tx) => takeOverIn(tx, kind, word));
}

/** The same in the caller's transaction: it is not taken where that is taken back. */
export async function takeOverIn<K extends keyof Payloads>(
  tx: Tx,
  kind: K,
  word: string,
): Promise<Payloads[K] | undefined> {
  return (await takeArtifact(tx, kinds[kind], word)) as Payloads[K] | undefined;
}

/** What `takeOver` would answer; it stays. */
export async function lookAt<K extends keyof Payloads>(
  reading: Reading,
  kind: K,
  word: string,
): Promise<Payloads[K] | undefined> {
  return (await lookAtArtifact(reading, kinds[kind], word)) as Payloads[K] | undefined;
}
