import type { Migration } from './migration.ts';

/**
 * Service providers that speak OAuth 2.0: their clients, what the authorization server gave out, and its keys. Of secrets
 * and tokens only digests are kept, keys are sealed.
 */
export const oauth: Migration = {
  name: '0010-oauth',
  statements: [
    `create table oauth_clients (
      id $id, sp_id $int not null unique references service_providers (id) on delete cascade,
      client_id $text not null unique, grants $text not null, redirect_uris $text not null, consent $text not null,
      scopes $text not null, auth_method $text not null, jwks $text,
      secrets $text not null, token_seconds $int not null, created_at $int not null, modified_at $int not null)`,
    `create table oauth_artifacts (
      kind $text not null, digest $text not null, client_id $text, grant_id $text, uid $text, payload $text not null,
      expires_at $int, consumed_at $int, primary key (kind, digest))`,
    'create index oauth_artifacts_grant on oauth_artifacts (grant_id) where grant_id is not null',
    'create index oauth_artifacts_uid on oauth_artifacts (uid) where uid is not null',
    'create index oauth_artifacts_client on oauth_artifacts (client_id) where client_id is not null',
    'create index oauth_artifacts_expiry on oauth_artifacts (expires_at) where expires_at is not null',
    'create table oauth_keys (kid $text primary key, sealed $text not null, created_at $int not null)',
  ],
};
