import type { Migration } from './migration.ts';

/** `$json`, `$id`, `$int`, `$text` stand for the column types of the database at hand (`dialect.ts`). */
export const spine: Migration = {
  name: '0001-spine',
  statements: [
    'create table stamps (name $text primary key, value $int not null)',
    `insert into stamps (name, value) values ('delivery', 0)`,
    'create table user_store_domains (name $text primary key, description $text)',
    `insert into user_store_domains (name, description) values ('PRIMARY', 'The default user store domain')`,

    `create table subjects (
      id $text primary key, kind $text not null, domain $text not null, name_key $text not null, life $text not null,
      seq $int not null, external_id $text, display_key $text, doc $json not null, version $int not null,
      created_at $int not null, modified_at $int not null)`,
    `create unique index subjects_name on subjects (kind, name_key) where life = 'live'`,
    `create index subjects_external on subjects (kind, external_id) where external_id is not null and life = 'live'`,
    `create index subjects_display on subjects (kind, display_key) where display_key is not null and life = 'live'`,
    `create index subjects_order on subjects (kind, id) where life = 'live'`,

    `create table subject_keys (
      subject_id $text not null, kind $text not null, attr $text not null, value_key $text not null,
      primary key (subject_id, attr, value_key))$rowless`,
    'create index subject_keys_value on subject_keys (kind, attr, value_key, subject_id)',

    'create table members (group_id $text not null, member_id $text not null, primary key (group_id, member_id))$rowless',
    'create index members_member on members (member_id, group_id)',
    'create table refs (subject_id $text not null, ref_id $text not null, primary key (subject_id, ref_id))$rowless',
    'create index refs_ref on refs (ref_id, subject_id)',
    'create table subject_sps (subject_id $text not null, sp_id $int not null, primary key (subject_id, sp_id))$rowless',
    'create table passwords (subject_id $text primary key, hash $text not null)',

    `create table changes (
      seq $id, subject_id $text not null, other_id $text, sp_id $int not null, door $text not null, actor $text not null,
      at $int not null, urgency $int not null, unplanned $int)`,
    'create index changes_unplanned on changes (urgency, seq) where unplanned is not null',
    'create index changes_subject on changes (subject_id, seq)',

    `create table operators (
      id $id, name_key $text not null unique, name $text not null, hash $text not null, role $text not null,
      must_change $int not null, created_at $int not null)`,
    `create table api_tokens (
      id $id, digest $text not null unique, label $text not null, sp_id $int not null, scopes $text not null,
      created_at $int not null, expires_at $int, last_used_at $int)`,

    `create table identity_providers (
      id $id, name $text not null, name_key $text not null unique, display_name $text, description $text,
      home_realm_id $text, alias $text, certificate $text, jwks_url $text, enabled $int not null,
      created_at $int not null, modified_at $int not null)`,
    `create table targets (
      id $id, idp_id $int not null references identity_providers (id), type $text not null, enabled $int not null,
      settings $text not null, policy $text not null, version $int not null, created_at $int not null,
      modified_at $int not null, unique (idp_id, type))`,
    `create table service_providers (
      id $id, name $text not null, name_key $text not null unique, description $text, resident $int not null,
      created_at $int not null, modified_at $int not null)`,
    'create unique index service_providers_resident on service_providers (resident) where resident = 1',
    `create table bindings (
      sp_id $int not null references service_providers (id), target_id $int not null references targets (id),
      blocking $int not null, rules $int not null, jit $int not null, enabled $int not null, position $int not null,
      primary key (sp_id, target_id))`,

    `create table accounts (
      target_id $int not null, subject_id $text not null, kind $text not null, urgency $int not null, due_at $int,
      wanted $int not null, done $int not null, lease_attempt $int, tries $int not null, strikes $int not null, state $text not null,
      reason $text, wait_on $text, sp_id $int not null, seq_done $int not null, pw_seq $int, version $int not null,
      origin $text, remote_id $text, doubt $text, not_before $int, acked $text, chunk $int,
      primary key (target_id, subject_id))`,
    'create index accounts_due on accounts (target_id, kind, urgency, due_at) where due_at is not null',
    'create index accounts_subject on accounts (subject_id)',
    'create unique index accounts_remote on accounts (target_id, kind, remote_id) where remote_id is not null',
    'create index accounts_waiting on accounts (target_id, wait_on) where wait_on is not null',
    `create index accounts_unsettled on accounts (target_id, state) where state <> 'done'`,

    `create table links (
      target_id $int not null, group_id $text not null, member_id $text not null, op $text not null, state $text not null,
      remote_id $text, reason $text, attempt_id $int, primary key (target_id, group_id, member_id))$rowless`,
    `create index links_due on links (target_id, group_id) where state = 'due'`,
    `create index links_waiting on links (target_id, member_id) where state = 'waiting'`,
    'create table wakes (id $id, target_id $int not null, subject_id $text not null, cause $text not null)',

    `create table attempts (
      id $id, target_id $int not null, subject_id $text not null, kind $text not null, noted $int not null,
      operation $text, started_at $int not null, deadline $int not null, ended_at $int, outcome $text, reason $text,
      version $int not null)`,
    'create index attempts_account on attempts (target_id, subject_id, id)',
    `create table exchanges (
      attempt_id $int not null, n $int not null, method $text not null, url $text not null, request_body $text,
      status $int, response_body $text, error $text, at $int not null, took_ms $int not null,
      primary key (attempt_id, n))`,
    `create table lanes (
      target_id $int not null, kind $text not null, hold $text, held_since $int, probe_at $int, probes $int not null,
      throttled $int not null, last_success_at $int, failures $int not null, absences $int not null,
      absences_since $int not null, primary key (target_id, kind))`,
  ],
};
