import type { Configuration, Provider } from 'oidc-provider';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';
import { findClient, isSecretOf, type OAuthClient, oauthScopes } from '../oauth-clients.ts';
import { openAdapter } from './adapter.ts';
import type { SigningKey } from './keys.ts';

const leastTokenSeconds = 60;

/**
 * The authorization server, by the certified `oidc-provider`, over our database: clients of service providers get access
 * tokens by the client credentials grant (RFC 6749 section 4.4). Nobody registers clients here, and there is no page.
 * `issuer`: where it is reached, without a slash at the end.
 */
export async function openProvider(options: {
  issuer: string;
  store: Store;
  log: Logger;
  keys: readonly SigningKey[];
}): Promise<Provider> {
  // Half of a megabyte that a server without OAuth clients never needs.
  const { Provider } = await import('oidc-provider');
  const { issuer, store, log, keys } = options;
  const configuration: Configuration = {
    adapter: (kind: string) => openAdapter(store, kind),
    jwks: { keys: [...keys] as never },
    scopes: [...oauthScopes],
    responseTypes: [],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    routes: {
      token: '/token',
      introspection: '/introspect',
      revocation: '/revoke',
      jwks: '/jwks',
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // A client learns of its own tokens and of nobody else's.
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    ttl: {
      ClientCredentials: (_ctx, _token, client) => tokenSecondsOf(client),
    },
    extraClientMetadata: { properties: ['token_seconds'] },
  };
  const provider = new Provider(issuer, configuration);
  const { prototype } = provider.Client as unknown as { prototype: { compareClientSecret(secret: string): unknown } };
  prototype.compareClientSecret = async function (this: { clientId: string }, secret: string): Promise<boolean> {
    const client = await store.read((reading) => findClient(reading, this.clientId));
    return client !== undefined && isSecretOf(client, secret, store.now());
  };
  provider.use(async (ctx, next) => {
    await next();
    // Nobody signs in here: there is no such endpoint.
    if (ctx.oidc?.route === 'discovery') ctx.body = { ...(ctx.body as object), authorization_endpoint: undefined };
  });
  provider.on('server_error', (_ctx: unknown, error: Error) => {
    log.error({ error: error.stack }, 'the authorization server failed at a request');
  });
  return provider;
}

function tokenSecondsOf(client: unknown): number {
  const seconds = (client as Partial<Record<'token_seconds', OAuthClient['tokenSeconds']>>).token_seconds;
  return Math.max(leastTokenSeconds, seconds ?? leastTokenSeconds);
}
