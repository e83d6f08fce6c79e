import type { Migration } from './migration.ts';

/**
 * Who somebody at an identity provider is here, with how that came to be and until when it was so: a table of its own in
 * place of `federated_users`. Links to people who were deleted are left behind. Of the others the rule is told by the time:
 * whoever was made just in time was made at the moment of the link, and whoever was here before was found by an address.
 * A user who is younger than the link came in the place of one who was deleted; by which rule nobody can tell any more.
 */
export const signInLinks: Migration = {
  name: '0017-sign-in-links',
  statements: [
    `create table sign_in_links (
      id $id, idp_id $int not null references identity_providers (id) on delete cascade,
      issuer $text not null, remote_subject $text not null, user_id $text not null, name_key $text not null,
      rule $text, actor $text, given_groups $text not null, created_at $int not null, last_at $int,
      ended_at $int, ended_by $text)`,
    `insert into sign_in_links (idp_id, issuer, remote_subject, user_id, name_key, rule, given_groups, created_at)
      select f.idp_id, f.issuer, f.remote_subject, f.user_id, s.name_key,
        case when s.created_at = f.created_at then 'jit' when s.created_at < f.created_at then 'verifiedEmail' end,
        f.given_groups, case when s.created_at > f.created_at then s.created_at else f.created_at end
      from federated_users f inner join subjects s on s.id = f.user_id
      where s.kind = 'user' and s.life = 'live'`,
    'drop table federated_users',
    `create unique index sign_in_links_remote on sign_in_links (idp_id, issuer, remote_subject) where ended_at is null`,
    'create index sign_in_links_user on sign_in_links (user_id, id)',
    'create index sign_in_links_name on sign_in_links (idp_id, name_key, id) where ended_at is null',
    'create index sign_in_links_subject on sign_in_links (idp_id, remote_subject, id) where ended_at is null',
  ],
};
