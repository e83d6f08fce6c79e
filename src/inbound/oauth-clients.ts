import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { OAuthClientRow } from '../store/oauth-rows.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** The only writer of `oauth_clients`: service providers that call by OAuth 2.0, at most one client each. */
export type OAuthClient = {
  spId: number;
  clientId: string;
  grants: Grant[];
  /** Where people are sent back to who signed in here. */
  redirectUris: string[];
  /** Where people may be sent who signed out. */
  postLogoutRedirectUris: string[];
  /** Whether people are asked if the application may know them. */
  consent: OAuthClientRow['consent'];
  scopes: OAuthScope[];
  authMethod: OAuthClientRow['auth_method'];
  /** Public keys of a client that signs what it says (RFC 7523). */
  jwks: { keys: Record<string, unknown>[] } | null;
  secrets: ClientSecret[];
  tokenSeconds: number;
  createdAt: number;
  modifiedAt: number;
};

/** `expiresAt` null: until another takes its place. */
type ClientSecret = { digest: string; createdAt: number; expiresAt: number | null };

export const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
export type Grant = (typeof grants)[number];

/** Of its own authority. */
const ownScopes = ['scim.read', 'scim.write', 'admin.read', 'admin.operate', 'admin'] as const;
/** Of somebody who signs in (OpenID Connect Core section 5.4). */
export const personScopes = ['openid', 'profile', 'email', 'groups', 'offline_access'] as const;

/**
 * What a client may be given. `scim.read` and `scim.write` open the SCIM doors; `admin.read`, `admin.operate` and
 * `admin` the admin API, each with what the roles auditor, operator and administrator may do; these are the application's
 * own. The rest is about a person who signs in, and opens nothing but what they are told by.
 */
export const oauthScopes = [...ownScopes, ...personScopes] as const;
export type OAuthScope = (typeof oauthScopes)[number];

export type ClientSettings = Pick<
  OAuthClient,
  'grants' | 'redirectUris' | 'postLogoutRedirectUris' | 'consent' | 'scopes' | 'authMethod' | 'jwks' | 'tokenSeconds'
>;

/** So that a secret is known for one wherever it turns up. */
const secretPrefix = 'pvs_';

const bySp = prepare<{ spId: number }, Selectable<OAuthClientRow>>(
  (_, p) => sql<Selectable<OAuthClientRow>>`select * from oauth_clients where sp_id = ${p.spId}`,
);
const byClientId = prepare<{ clientId: string }, Selectable<OAuthClientRow>>(
  (_, p) => sql<Selectable<OAuthClientRow>>`select * from oauth_clients where client_id = ${p.clientId}`,
);

export async function readClientOf(reading: Reading, spId: number): Promise<OAuthClient | undefined> {
  const [row] = await reading.run(bySp, { spId });
  return row && clientOf(row);
}

export async function findClient(reading: Reading, clientId: string): Promise<OAuthClient | undefined> {
  const [row] = await reading.run(byClientId, { clientId });
  return row && clientOf(row);
}

export async function listClients(reading: Reading): Promise<Map<number, OAuthClient>> {
  const rows = await reading.all(reading.q.selectFrom('oauth_clients').selectAll());
  return new Map(rows.map((row) => [row.sp_id, clientOf(row)]));
}

/** The secret is shown here and never again; undefined for a client that has none. */
export async function createClient(
  tx: Tx,
  spId: number,
  settings: ClientSettings,
): Promise<{ client: OAuthClient; secret: string | undefined }> {
  const made = makeSecret(tx.now);
  const hasSecret = settings.authMethod.startsWith('client_secret');
  const client: OAuthClient = {
    ...settings,
    spId,
    clientId: randomBytes(18).toString('base64url'),
    secrets: hasSecret ? [made.kept] : [],
    createdAt: tx.now,
    modifiedAt: tx.now,
  };
  await tx.all(
    tx.q.insertInto('oauth_clients').values({
      sp_id: spId,
      client_id: client.clientId,
      created_at: tx.now,
      secrets: JSON.stringify(client.secrets),
      ...columnsOf(settings, tx.now),
    }),
  );
  return { client, secret: hasSecret ? made.secret : undefined };
}

export async function changeClient(tx: Tx, spId: number, settings: ClientSettings): Promise<void> {
  await tx.all(tx.q.updateTable('oauth_clients').set(columnsOf(settings, tx.now)).where('sp_id', '=', spId));
}

/**
 * A new secret, shown here and never again. The one before it is good for `overlapMs` more, so that whoever uses it can
 * change over; any older one ends at once.
 */
export async function renewSecret(tx: Tx, client: OAuthClient, overlapMs: number): Promise<string> {
  const made = makeSecret(tx.now);
  const [before] = client.secrets;
  const kept = before && overlapMs > 0 ? [{ ...before, expiresAt: tx.now + overlapMs }] : [];
  const secrets = JSON.stringify([made.kept, ...kept]);
  const values = { secrets, modified_at: tx.now };
  await tx.all(tx.q.updateTable('oauth_clients').set(values).where('sp_id', '=', client.spId));
  return made.secret;
}

/** What it was given ends with it. Whether there was one. */
export async function removeClient(tx: Tx, spId: number): Promise<boolean> {
  const query = tx.q.deleteFrom('oauth_clients').where('sp_id', '=', spId).returning('client_id');
  return (await tx.all(query)).length > 0;
}

export function isSecretOf(client: OAuthClient, secret: string, now: number): boolean {
  const digest = Buffer.from(digestOf(secret));
  return client.secrets.some((one) => {
    const isGood = one.expiresAt === null || one.expiresAt > now;
    return timingSafeEqual(Buffer.from(one.digest), digest) && isGood;
  });
}

function makeSecret(now: number): { secret: string; kept: ClientSecret } {
  const secret = `${secretPrefix}${randomBytes(32).toString('base64url')}`;
  return { secret, kept: { digest: digestOf(secret), createdAt: now, expiresAt: null } };
}

const digestOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

function columnsOf(settings: ClientSettings, now: number) {
  const { grants, redirectUris, postLogoutRedirectUris, consent, scopes, authMethod, jwks, tokenSeconds } = settings;
  return {
    grants: grants.join(' '),
    redirect_uris: JSON.stringify(redirectUris),
    post_logout_redirect_uris: JSON.stringify(postLogoutRedirectUris),
    consent,
    scopes: scopes.join(' '),
    auth_method: authMethod,
    jwks: jwks && JSON.stringify(jwks),
    token_seconds: tokenSeconds,
    modified_at: now,
  };
}

function clientOf(row: Selectable<OAuthClientRow>): OAuthClient {
  return {
    spId: row.sp_id,
    clientId: row.client_id,
    grants: row.grants.split(' ') as Grant[],
    redirectUris: JSON.parse(row.redirect_uris),
    postLogoutRedirectUris: JSON.parse(row.post_logout_redirect_uris),
    consent: row.consent,
    scopes: row.scopes.split(' ').filter((scope) => scope !== '') as OAuthScope[],
    authMethod: row.auth_method,
    jwks: row.jwks === null ? null : JSON.parse(row.jwks),
    secrets: JSON.parse(row.secrets),
    tokenSeconds: row.token_seconds,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
