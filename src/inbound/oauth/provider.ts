import { hkdfSync } from 'node:crypto';
import type { Configuration, Provider } from 'oidc-provider';
import type { Logger } from '../../base/log.ts';
import type { SealingKey } from '../../base/secret.ts';
import { claimsOfScopes } from '../../provisioning/requested-claims.ts';
import type { Store } from '../../store/store.ts';
import { findClient, grants, isSecretOf, oauthScopes } from '../oauth-clients.ts';
import { idTokenSeconds, type SigningKey } from '../oauth-keys.ts';
import { findAccount } from './accounts.ts';
import { openAdapter } from './adapter.ts';
import { answerSignOut, askToSignOut, showRefusal, signOutRoute } from './sign-out.ts';

/**
 * Not by its front, which does nothing but tell the console, in a line that is no line of our log, that it does not know
 * a Node that is no long-term release yet. Whether ours will do, the tests say.
 */
const library = 'oidc-provider/lib/provider.js';

const hour = 3_600;
const day = 24 * hour;
const leastTokenSeconds = 60;

/** How long each thing is good, in seconds. A sign-in ends with the browser's session, and after so long. */
const ttl = {
  AuthorizationCode: 60,
  IdToken: idTokenSeconds,
  Interaction: hour / 2,
  Session: 12 * hour,
  Grant: 30 * day,
  RefreshToken: 14 * day,
} as const;

/**
 * The authorization server, by the certified `oidc-provider`, over our database: service providers get access tokens by
 * client credentials (RFC 6749 section 4.4), and by the code flow with PKCE (RFC 7636) after somebody of the directory
 * signed in and agreed. Nobody registers clients here. `issuer`: where it is reached, without a slash at the end.
 */
export async function openProvider(options: {
  issuer: string;
  store: Store;
  log: Logger;
  /** What cookies are signed with is derived from it: the same on every server. */
  key: SealingKey;
  keys: readonly SigningKey[];
}): Promise<Provider> {
  // Half of a megabyte that a server without OAuth clients never needs.
  const { Provider } = (await import(library)) as typeof import('oidc-provider');
  const { issuer, store, log, key, keys } = options;
  const isSecure = issuer.startsWith('https:');
  const signOutPlace = `${new URL(issuer).pathname}${signOutRoute}`;
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure: isSecure } as const;
  const configuration: Configuration = {
    adapter: (kind: string) => openAdapter(store, kind),
    jwks: { keys: [...keys] as never },
    cookies: {
      keys: [Buffer.from(hkdfSync('sha256', key, '', 'purvey oauth cookies', 32)).toString('base64url')],
      names: { session: 'purvey-oauth', interaction: 'purvey-sign-in', resume: 'purvey-sign-in-resume' },
      long: cookie,
      short: cookie,
    },
    scopes: [...oauthScopes],
    claims: {
      openid: ['sub'],
      ...Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, names]) => [scope, [...names]])),
    },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    pkce: { required: () => true },
    // Which identity provider somebody is to sign in through, by its home realm identifier: both of WSO2's names.
    extraParams: ['fidp', 'home_realm'],
    routes: {
      authorization: '/authorize',
      token: '/token',
      introspection: '/introspect',
      revocation: '/revoke',
      jwks: '/jwks',
      userinfo: '/userinfo',
      end_session: signOutRoute,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // A client learns of its own tokens and of nobody else's.
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      userinfo: { enabled: true },
      resourceIndicators: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: (ctx) => askToSignOut(store, ctx, signOutPlace) },
    },
    interactions: { url: (_ctx, interaction) => `${new URL(issuer).pathname}/sign-in/${interaction.uid}` },
    findAccount: (ctx, id) => findAccount(store, id, () => ctx.oidc.client?.clientId),
    // One that is used twice was stolen: everything of its grant ends (RFC 9700 section 4.14.2).
    rotateRefreshToken: true,
    renderError: (ctx, out) => showRefusal(ctx, out, signOutPlace),
    ttl: {
      ...ttl,
      AccessToken: (_ctx, _token, client) => tokenSecondsOf(client),
      ClientCredentials: (_ctx, _token, client) => tokenSecondsOf(client),
    },
    extraClientMetadata: { properties: ['token_seconds'] },
  };
  const provider = new Provider(issuer, configuration);
  // Behind something that speaks TLS for it, it takes their word for that.
  provider.proxy = isSecure;
  const { prototype } = provider.Client as unknown as { prototype: { compareClientSecret(secret: string): unknown } };
  prototype.compareClientSecret = async function (this: { clientId: string }, secret: string): Promise<boolean> {
    const client = await store.read((reading) => findClient(reading, this.clientId));
    return client !== undefined && isSecretOf(client, secret, store.now());
  };
  provider.use(async (ctx, next) => {
    await next();
    // The library offers more than any client may have here.
    if (ctx.oidc?.route === 'discovery') ctx.body = { ...(ctx.body as object), grant_types_supported: [...grants] };
  });
  provider.use(answerSignOut);
  provider.on('server_error', (_ctx: unknown, error: Error) => {
    log.error({ error: error.stack }, 'the authorization server failed at a request');
  });
  return provider;
}

function tokenSecondsOf(client: unknown): number {
  return Math.max(leastTokenSeconds, (client as { token_seconds?: number }).token_seconds ?? leastTokenSeconds);
}
