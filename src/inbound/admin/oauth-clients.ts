import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { OAuthClientAnswer, OAuthClientMade } from '../../contract/oauth-client.ts';
import { readFields } from '../../provisioning/names.ts';
import { readServiceProvider, type ServiceProvider } from '../../provisioning/service-providers.ts';
import type { Reading } from '../../store/store.ts';
import { dropArtifactsOfClient } from '../oauth-artifacts.ts';
import {
  type ClientSettings,
  changeClient,
  createClient,
  type Grant,
  grants as knownGrants,
  type OAuthClient,
  type OAuthScope,
  oauthScopes,
  readClientOf,
  removeClient,
  renewSecret,
} from '../oauth-clients.ts';
import { type AdminParts, bodyOf, isTried, mayTry, param, sayChange, writeOrTry } from './parts.ts';
import { showTime } from './query.ts';

const settings = [
  'grants',
  'redirectUris',
  'postLogoutRedirectUris',
  'consent',
  'scopes',
  'authMethod',
  'jwks',
  'tokenSeconds',
] as const;
const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
const place = '/service-providers/:id/oauth-client';
const hourMs = 3_600_000;
const mostKeys = 10;
const mostRedirects = 50;

/** The OAuth client of a service provider: what an application needs to call for it. `issuerOf`: of this server. */
export function addOAuthClientRoutes(
  app: FastifyInstance,
  { store, issuerOf }: AdminParts & { issuerOf: () => string },
): void {
  app.get(place, async (request): Promise<OAuthClientAnswer> => {
    return store.read(async (reading) => {
      const { provider, client } = await readBoth(reading, param(request, 'id'));
      return show(provider, client, issuerOf());
    });
  });

  app.post(place, mayTry, async (request, reply): Promise<OAuthClientMade> => {
    const given = readFields(bodyOf(request), 'body', settings);
    const made = await writeOrTry(store, request, async (tx) => {
      const provider = await readServiceProvider(tx, param(request, 'id'));
      if (provider.resident) {
        const why = 'the resident service provider speaks for console, SOAP and Basic: add one for the application';
        throw new Problem('conflict', why);
      }
      if (await readClientOf(tx, provider.id)) {
        throw new Problem('conflict', `${provider.name} has an OAuth client: renew its secret, or remove it first`);
      }
      const { client, secret } = await createClient(tx, provider.id, readSettings(given));
      // Nobody is to keep the secret of a client that was only tried.
      const clientSecret = isTried(request) ? null : (secret ?? null);
      return { ...show(provider, client, issuerOf()), clientSecret };
    });
    sayChange(reply, 'created');
    reply.code(201);
    return made;
  });

  app.patch(place, mayTry, async (request, reply): Promise<OAuthClientAnswer> => {
    const given = readFields(bodyOf(request), 'body', settings);
    const { answer, isChanged } = await writeOrTry(store, request, async (tx) => {
      const { provider, client } = await readBoth(tx, param(request, 'id'));
      const before = Object.fromEntries(settings.map((name) => [name, client[name]]));
      const changed = readSettings({ ...before, ...given });
      const isChanged = settings.some((name) => !isDeepStrictEqual(changed[name], client[name]));
      if (changed.authMethod.startsWith('client_secret') && client.secrets.length === 0) {
        refuse('authMethod', 'needs a secret, and this client has none: remove it and make another');
      }
      if (isChanged) await changeClient(tx, provider.id, changed);
      return { answer: show(provider, (await readClientOf(tx, provider.id))!, issuerOf()), isChanged };
    });
    sayChange(reply, isChanged ? 'updated' : 'unchanged');
    return answer;
  });

  app.post(`${place}/secret`, async (request, reply): Promise<OAuthClientMade> => {
    const given = request.body === undefined ? {} : readFields(bodyOf(request), 'body', ['overlapHours']);
    const overlapMs = readHours(given.overlapHours) * hourMs;
    const made = await store.write(async (tx) => {
      const { provider, client } = await readBoth(tx, param(request, 'id'));
      if (!client.authMethod.startsWith('client_secret')) {
        throw new Problem(
          'conflict',
          `the client of ${provider.name} has no secret: it shows itself by ${client.authMethod}`,
        );
      }
      const clientSecret = await renewSecret(tx, client, overlapMs);
      return { ...show(provider, (await readClientOf(tx, provider.id))!, issuerOf()), clientSecret };
    });
    reply.code(201);
    return made;
  });

  /** Its tokens are refused within two seconds. */
  app.delete(place, async (request, reply) => {
    await store.write(async (tx) => {
      const { provider, client } = await readBoth(tx, param(request, 'id'));
      await dropArtifactsOfClient(tx, client.clientId);
      await removeClient(tx, provider.id);
    });
    return reply.code(204).send();
  });
}

async function readBoth(reading: Reading, text: string): Promise<{ provider: ServiceProvider; client: OAuthClient }> {
  const provider = await readServiceProvider(reading, text);
  const client = await readClientOf(reading, provider.id);
  if (!client) throw new Problem('notFound', `${provider.name} has no OAuth client: POST makes one`);
  return { provider, client };
}

function show(provider: ServiceProvider, client: OAuthClient, issuer: string): OAuthClientAnswer {
  const { spId: _, secrets, createdAt, modifiedAt, ...rest } = client;
  const signsIn = client.grants.includes('authorization_code');
  return {
    ...rest,
    serviceProvider: provider.name,
    secrets: secrets.map((one) => ({
      createdAt: showTime(one.createdAt),
      expiresAt: one.expiresAt === null ? null : showTime(one.expiresAt),
    })),
    issuer,
    tokenEndpoint: `${issuer}/token`,
    authorizationEndpoint: signsIn ? `${issuer}/authorize` : null,
    endSessionEndpoint: signsIn ? `${issuer}/logout` : null,
    createdAt: showTime(createdAt),
    modifiedAt: showTime(modifiedAt),
  };
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

function readSettings(given: Record<string, unknown>): ClientSettings {
  const authMethod = authMethods.find((one) => one === (given.authMethod ?? 'client_secret_basic'));
  if (!authMethod) return refuse('authMethod', `must be one of ${authMethods.join(', ')}`);
  const jwks = given.jwks === undefined || given.jwks === null ? null : readKeys(given.jwks);
  if (authMethod === 'private_key_jwt' && !jwks) refuse('jwks', 'is needed: the public keys that it signs with');
  if (authMethod !== 'private_key_jwt' && jwks) refuse('jwks', 'is for the authMethod private_key_jwt only');
  const grants = readGrants(given.grants ?? ['client_credentials']);
  if (authMethod === 'none' && grants.includes('client_credentials')) {
    refuse('authMethod', 'none is for applications that keep no secret, and they get no tokens of their own');
  }
  const redirectUris = readRedirects(given.redirectUris ?? [], 'redirectUris');
  const signsIn = grants.includes('authorization_code');
  if (signsIn !== redirectUris.length > 0) {
    refuse(
      'redirectUris',
      signsIn ? 'is needed: where people are sent back to' : 'is for the grant authorization_code',
    );
  }
  const postLogoutRedirectUris = readRedirects(given.postLogoutRedirectUris ?? [], 'postLogoutRedirectUris');
  if (!signsIn && postLogoutRedirectUris.length > 0) {
    refuse('postLogoutRedirectUris', 'is for the grant authorization_code: nobody signs in, so nobody signs out');
  }
  // The authorization server takes such a client for no client at all (RFC 8252 section 7.3 wants http there).
  const addresses = [...redirectUris, ...postLogoutRedirectUris];
  if (addresses.some((one) => !/^https?:/.test(one)) && addresses.some(isLocalHttps)) {
    refuse('redirectUris', 'may not hold https on this machine beside the scheme of an app: say http there');
  }
  const scopes = readScopes(given.scopes);
  if (signsIn && !scopes.includes('openid')) refuse('scopes', 'must hold openid where people sign in');
  const consent = given.consent ?? 'ask';
  if (consent !== 'ask' && consent !== 'none') return refuse('consent', 'must be ask or none');
  const tokenSeconds = readSeconds(given.tokenSeconds);
  return { grants, redirectUris, postLogoutRedirectUris, consent, authMethod, jwks, scopes, tokenSeconds };
}

function readGrants(value: unknown): Grant[] {
  if (!Array.isArray(value) || value.length === 0)
    return refuse('grants', `must list some of ${knownGrants.join(', ')}`);
  for (const one of value) {
    if (!knownGrants.includes(one)) refuse('grants', `may hold ${knownGrants.join(', ')}, not ${JSON.stringify(one)}`);
  }
  if (value.includes('refresh_token') && !value.includes('authorization_code')) {
    refuse('grants', 'refresh_token comes with authorization_code only');
  }
  return knownGrants.filter((one) => value.includes(one));
}

/** Exact addresses: https, http on this machine, or the scheme of an app in reverse domain order (RFC 8252 section 7). */
function readRedirects(value: unknown, field: 'redirectUris' | 'postLogoutRedirectUris'): string[] {
  if (!Array.isArray(value) || value.length > mostRedirects) {
    return refuse(field, `must be a list of at most ${mostRedirects} addresses`);
  }
  for (const one of value as unknown[]) {
    const url = typeof one === 'string' ? URL.parse(one) : null;
    if (!url || String(one).includes('#') || url.username !== '') {
      return refuse(field, `may hold whole addresses without #, not ${JSON.stringify(one)}`);
    }
    const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
    const isApp = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol);
    if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal) || isApp) continue;
    return refuse(field, `may hold https, http on this machine, or a scheme such as com.example.app, not ${one}`);
  }
  return [...new Set(value as string[])];
}

const isLocalHttps = (address: string) => /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/i.test(address);

function readScopes(value: unknown): OAuthScope[] {
  if (!Array.isArray(value) || value.length === 0)
    return refuse('scopes', `must list some of ${oauthScopes.join(', ')}`);
  for (const scope of value) {
    if (!oauthScopes.includes(scope))
      refuse('scopes', `may hold ${oauthScopes.join(', ')}, not ${JSON.stringify(scope)}`);
  }
  return oauthScopes.filter((scope) => value.includes(scope));
}

function readSeconds(value: unknown): number {
  if (value === undefined) return 3_600;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 60 || value > 86_400) {
    return refuse('tokenSeconds', 'must be a whole number from 60 to 86400');
  }
  return value;
}

function readHours(value: unknown): number {
  if (value === undefined) return 24;
  if (typeof value !== 'number' || !(value >= 0 && value <= 720)) {
    return refuse('overlapHours', 'must be a number of hours from 0 to 720');
  }
  return value;
}

/** Only what is public may be kept. */
function readKeys(value: unknown): NonNullable<OAuthClient['jwks']> {
  const keys = (value as { keys?: unknown }).keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > mostKeys) {
    return refuse('jwks', `must be a JWK set with 1 to ${mostKeys} keys`);
  }
  for (const key of keys as unknown[]) {
    if (typeof key !== 'object' || key === null || !('kty' in key) || !['EC', 'RSA', 'OKP'].includes(String(key.kty))) {
      return refuse('jwks', 'may hold keys of the types EC, RSA and OKP');
    }
    if ('d' in key || 'k' in key)
      refuse('jwks', 'holds a private key: send the public ones, and think of that one as known');
  }
  return { keys: keys as Record<string, unknown>[] };
}
