import type { Migration } from './migration.ts';

/**
 * Identity providers that people sign in through: how each is asked and what is made of its answer, and who somebody there
 * is here. Secrets are sealed.
 */
export const federation: Migration = {
  name: '0011-federation',
  statements: [
    `create table federations (
      idp_id $int primary key references identity_providers (id) on delete cascade,
      enabled $int not null, settings $text not null, secret $text, secret_at $int, modified_at $int not null)`,
    `create table federated_users (
      idp_id $int not null references identity_providers (id) on delete cascade,
      issuer $text not null, remote_subject $text not null, user_id $text not null, given_groups $text not null,
      created_at $int not null, primary key (idp_id, issuer, remote_subject))`,
    'create index federated_users_user on federated_users (user_id)',
  ],
};
