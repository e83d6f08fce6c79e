import type { Generated } from 'kysely';

/** The tables of the authorization server. */

export interface OAuthClientRow {
  id: Generated<number>;
  sp_id: number;
  client_id: string;
  /** With blanks between. */
  scopes: string;
  auth_method: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
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
}
