import type { Configuration } from 'openid-client';
import { Problem } from '../../base/problem.ts';
import type { Fetch } from '../../outbound/fetch.ts';
import type { OidcAuthenticator } from '../../provisioning/federation-settings.ts';
import { isStorable } from '../door.ts';
import type { Claims } from './claims.ts';

/** What was said to an identity provider and has to come back. `redirectUri`: where. */
export type Question = { state: string; nonce: string; verifier: string; redirectUri: string };

/** Identity providers that speak OpenID Connect, by the certified `openid-client`. */
export type OidcPeers = {
  /** Where somebody is sent to be asked who they are. Throws Problem `overloaded` when it cannot be found out. */
  addressOf(authenticator: OidcAuthenticator, question: Question): Promise<string>;
  /**
   * Who came back with `query`: what it says in a token that is signed by it, meant for us and for this very question,
   * and what it says when it is asked for more. Throws Problem `notAllowed` and `overloaded`, for the page.
   */
  readAnswer(authenticator: OidcAuthenticator, question: Question, query: string): Promise<Claims>;
};

/** What an identity provider says of itself is asked for anew after so long, in milliseconds. */
const knownFor = 10 * 60_000;
const mostKnown = 200;
/** Seconds that clocks may differ. */
const clocksDiffer = 60;

/** `now` in milliseconds, on any clock that goes on. */
export function openOidcPeers({ fetch, now }: { fetch: Fetch; now: () => number }): OidcPeers {
  const known = new Map<string, { until: number; config: Promise<Configuration> }>();

  async function configOf(authenticator: OidcAuthenticator): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = authenticator;
    // Whoever changes the secret is known under another key, so that nothing has to be forgotten.
    const key = JSON.stringify([issuer, clientId, clientSecret?.reveal() ?? null]);
    const found = known.get(key);
    if (found && found.until > now()) return found.config;
    const config = discover(authenticator, fetch);
    if (known.size >= mostKnown) known.clear();
    known.set(key, { until: now() + knownFor, config });
    config.catch(() => known.delete(key));
    return config;
  }

  return {
    async addressOf(authenticator, { state, nonce, verifier, redirectUri }) {
      const client = await import('openid-client');
      const config = await reach(configOf(authenticator));
      return client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: authenticator.scopes.join(' '),
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href;
    },
    async readAnswer(authenticator, { state, nonce, verifier, redirectUri }, query) {
      const client = await import('openid-client');
      const config = await reach(configOf(authenticator));
      try {
        const tokens = await client.authorizationCodeGrant(config, new URL(`${redirectUri}${query}`), {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        const claims = { ...tokens.claims()! } as Claims;
        if (config.serverMetadata().userinfo_endpoint === undefined) return claims;
        const more = await client.fetchUserInfo(config, tokens.access_token, String(claims.sub));
        // What is signed goes first.
        return { ...more, ...claims };
      } catch (error) {
        throw wordRefusal(error as Error & { code?: string; error?: string; error_description?: string });
      }
    },
  };
}

async function discover({ issuer, clientId, clientSecret }: OidcAuthenticator, fetch: Fetch): Promise<Configuration> {
  const client = await import('openid-client');
  const isPlain = issuer.startsWith('http:');
  const secret = clientSecret?.reveal();
  const config = await client.discovery(
    new URL(issuer),
    clientId,
    { [client.clockTolerance]: clocksDiffer },
    secret === undefined ? client.None() : client.ClientSecretBasic(secret),
    {
      [client.customFetch]: fetch as never,
      // That plain http goes to this machine only, the policy of addresses sees to.
      ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
    },
  );
  if (config.serverMetadata().issuer !== issuer) throw new Error(`it calls itself ${config.serverMetadata().issuer}`);
  const methods = config.serverMetadata().token_endpoint_auth_methods_supported;
  const chosen =
    secret !== undefined &&
    methods &&
    !methods.includes('client_secret_basic') &&
    methods.includes('client_secret_post')
      ? new client.Configuration(
          config.serverMetadata(),
          clientId,
          { [client.clockTolerance]: clocksDiffer },
          client.ClientSecretPost(secret),
        )
      : config;
  if (chosen !== config) {
    chosen[client.customFetch] = fetch as never;
    if (isPlain) client.allowInsecureRequests(chosen);
  }
  // The library would take a token's word that came over TLS; here its signature counts as well.
  client.enableNonRepudiationChecks(chosen);
  return chosen;
}

async function reach<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new Problem('overloaded', `it cannot be asked who you are: ${reasonOf(error as Error)}`, { cause: error });
  }
}

function wordRefusal(error: Error & { code?: string; error?: string; error_description?: string }): Error {
  if (error.error === 'access_denied') return new Problem('notAllowed', 'it was not told who you are');
  if (error.error !== undefined) {
    const more = error.error_description === undefined ? '' : ` (${error.error_description})`;
    return new Problem('notAllowed', `it refused: ${shorten(`${error.error}${more}`)}`, { cause: error });
  }
  return new Problem('notAllowed', `what it answered does not prove who you are: ${reasonOf(error)}`, { cause: error });
}

/** The library says what it found as the cause of what failed. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return shorten(cause === '' || error.message.includes(cause) ? error.message : `${error.message} (${cause})`);
}

function shorten(text: string): string {
  const plain = isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '');
  return plain.length > 300 ? `${plain.slice(0, 300).toWellFormed()}…` : plain;
}
