import assert from 'node:assert/strict';
import { type MutableResponse, OAuth2Server } from 'oauth2-mock-server';
import * as client from 'openid-client';
import type { Bed } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSignInBrowser, type Shown, type SignInBrowser } from './sign-in-browser.ts';

const back = 'http://127.0.0.1:9/back';

/** What the identity provider says of whoever signs in there. */
export type Upstream = {
  issuer: string;
  /** In the token and when it is asked for more; `sub` is who it is. */
  claims: Record<string, unknown>;
  /** Changes the answer with the token before it leaves. */
  spoil: ((answer: MutableResponse) => void) | undefined;
  /** The same with what it says when it is asked for more. */
  spoilMore: ((answer: MutableResponse) => void) | undefined;
};

export type FederationBed = AsyncDisposable & {
  server: WholeServer;
  upstream: Upstream;
  /** Of the service provider `travel`, which asks nobody for consent. */
  application: client.Configuration;
  /** A browser that goes to all servers of the bed. */
  openBrowser(...more: string[]): SignInBrowser;
  /** The address of an authorization request of the application, and its end. */
  begin(more?: Record<string, string>): Promise<{ url: string; end(page: Shown): Promise<client.IDToken> }>;
  /** Signs in through the identity provider `partner`, in a browser of its own, and answers the page at the end. */
  signIn(): Promise<Shown & { claims?: client.IDToken }>;
  federate(settings: Record<string, unknown>): Promise<void>;
};

/**
 * A whole server with an application that people sign in to, and `oauth2-mock-server` as the identity provider
 * `partner`, displayed as *Partner & Co*.
 */
export async function openFederationBed(bed: Bed, environment: Record<string, string> = {}): Promise<FederationBed> {
  const server = await startWholeServer(bed, environment);
  const mock = new OAuth2Server();
  await mock.issuer.keys.generate('RS256');
  await mock.start(0, '127.0.0.1');
  const upstream: Upstream = {
    issuer: mock.issuer.url!,
    claims: { sub: 'u-1' },
    spoil: undefined,
    spoilMore: undefined,
  };
  mock.service.on('beforeTokenSigning', (token) => Object.assign(token.payload, upstream.claims));
  mock.service.on('beforeUserinfo', (answer) => {
    answer.body = { ...upstream.claims };
    upstream.spoilMore?.(answer);
  });
  mock.service.on('beforeResponse', (answer) => upstream.spoil?.(answer));

  await server.api('POST', '/service-providers', { name: 'travel' });
  const made = await server.api('POST', '/service-providers/travel/oauth-client', {
    grants: ['authorization_code'],
    redirectUris: [back],
    scopes: ['openid', 'profile', 'email', 'groups'],
    consent: 'none',
  });
  await server.api('POST', '/identity-providers', {
    name: 'partner',
    displayName: 'Partner & Co',
    homeRealmId: 'partner-realm',
  });
  const application = await client.discovery(
    new URL(`${server.url}/oauth2`),
    made.clientId,
    made.clientSecret,
    undefined,
    { execute: [client.allowInsecureRequests] },
  );
  const openBrowser = (...more: string[]) => openSignInBrowser(server.url, upstream.issuer, ...more);
  const begin: FederationBed['begin'] = async (more = {}) => {
    const verifier = client.randomPKCECodeVerifier();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(application, {
      redirect_uri: back,
      scope: 'openid profile email groups',
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    });
    const end = async ({ location, text }: Shown) => {
      assert.ok(location?.startsWith(back), text);
      const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce };
      return (await client.authorizationCodeGrant(application, new URL(location!), checks)).claims()!;
    };
    return { url: url.href, end };
  };
  return {
    server,
    upstream,
    application,
    openBrowser,
    begin,
    async signIn() {
      const { url, end } = await begin();
      const browser = openBrowser();
      const page = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
      return page.location?.startsWith(back) ? { ...page, claims: await end(page) } : page;
    },
    async federate({ authenticator, ...settings }) {
      await server.api('PUT', '/identity-providers/partner/federation', {
        authenticator: {
          type: 'oidc',
          issuer: upstream.issuer,
          clientId: 'purvey',
          clientSecret: 'of partner',
          ...(authenticator as object),
        },
        ...settings,
      });
    },
    async [Symbol.asyncDispose]() {
      await mock.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}
