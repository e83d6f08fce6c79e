import * as client from 'openid-client';
import { CliError } from '../client.ts';
import { describe, openVisitor } from './visitor.ts';

/** An application that people sign in to, as a client of Acme's authorization server. */
export type Application = {
  /** Its access token for calls of its own. */
  getToken(): Promise<string>;
  /**
   * Somebody signs in through the identity provider with this home realm identifier, where they fill in name and
   * password. Answers who the application takes them for.
   */
  signIn(person: { realm: string; name: string; password: string }): Promise<{ sub: string }>;
};

export async function openApplication(given: {
  issuer: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  /** The servers that a sign-in leads through. */
  origins: readonly string[];
  signal: AbortSignal;
}): Promise<Application> {
  const { issuer, clientId, clientSecret, redirectUri, origins, signal } = given;
  const config = await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // All of the demo is on this machine.
    execute: [client.allowInsecureRequests],
  });
  return {
    async getToken() {
      return (await client.clientCredentialsGrant(config, { scope: 'scim.write' })).access_token;
    },
    async signIn({ realm, name, password }) {
      const verifier = client.randomPKCECodeVerifier();
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        fidp: realm,
      });
      const visitor = openVisitor(origins, signal);
      const form = await visitor.go(url.href);
      const end = await visitor.fillIn(form, '/login', { name, password });
      if (!end.location?.startsWith(redirectUri)) {
        throw new CliError(`${name} did not get back to the application: ${describe(end)}`);
      }
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
      const tokens = await client.authorizationCodeGrant(config, new URL(end.location), checks);
      return { sub: tokens.claims()!.sub };
    },
  };
}
