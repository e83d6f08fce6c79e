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

/** Who somebody at an identity provider is here. */
export interface FederatedUserRow {
  idp_id: number;
  /** Who gave the name: with another issuer the same name is somebody else. */
  issuer: string;
  remote_subject: string;
  user_id: string;
  /** JSON: ids of the groups that signing in put the user into. */
  given_groups: string;
  created_at: number;
}
