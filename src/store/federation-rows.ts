import type { Generated } from 'kysely';

/** The tables of signing in through other identity providers. */

/** How an identity provider is asked who somebody is; at most one row for each. */
export interface FederationRow {
  idp_id: number;
  /** 1: people may sign in through it, where the identity provider is enabled too. */
  enabled: number;
  /** JSON: `FederationSettings` without the secret. */
  settings: string;
  /** The client secret, or our private key, sealed with the context `federation:<idp_id>`; null where there is none. */
  secret: string | null;
  secret_at: number | null;
  modified_at: number;
}

/**
 * Who somebody at an identity provider is here, or was until `ended_at`. Of those that have not ended there is one for each
 * issuer and subject; all of a user go with the user. See `directory/sign-in-links.ts`.
 */
export interface SignInLinkRow {
  id: Generated<number>;
  idp_id: number;
  /** Who gave the name: with another issuer the same name is somebody else. */
  issuer: string;
  remote_subject: string;
  user_id: string;
  /** That of the user, to be found by; it is changed with it. */
  name_key: string;
  /** By which rule it came to be; null: nobody wrote it down then. */
  rule: 'jit' | 'prompt' | 'verifiedEmail' | 'hand' | null;
  /** Who said so, where it was done by hand. */
  actor: string | null;
  /** JSON: ids of the groups that signing in put the user into. */
  given_groups: string;
  created_at: number;
  /** When they last came by it; null: not yet, or before that was written down. */
  last_at: number | null;
  ended_at: number | null;
  ended_by: string | null;
}
