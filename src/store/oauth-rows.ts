import type { Generated } from 'kysely';

/** The tables of the authorization server. */

export interface OAuthClientRow {
  id: Generated<number>;
  sp_id: number;
  client_id: string;
  /** With blanks between, as are scopes. */
  grants: string;
  /** JSON: a list. */
  redirect_uris: string;
  /** JSON: a list. */
  post_logout_redirect_uris: Generated<string>;
  consent: 'ask' | 'none';
  scopes: string;
  auth_method: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** A JWK set of public keys, as JSON; null where it has a secret. */
  jwks: string | null;
  /** JSON: `{ digest, createdAt, expiresAt }[]`, the latest first. */
  secrets: string;
  token_seconds: number;
  created_at: number;
  modified_at: number;
}

/** What the authorization server gave out, by the digest of its value. */
export interface OAuthArtifactRow {
  kind: string;
  digest: string;
  client_id: string | null;
  grant_id: string | null;
  /** What a session is found by, besides. */
  uid: string | null;
  /** JSON, without the value. */
  payload: string;
  expires_at: number | null;
  consumed_at: number | null;
}

/** A key that tokens are signed with, sealed. */
export interface OAuthKeyRow {
  kid: string;
  sealed: string;
  created_at: number;
  /** Until then it is published and signs nothing. */
  signs_from: Generated<number>;
}
