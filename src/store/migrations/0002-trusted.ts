import type { Migration } from './migration.ts';

/**
 * Clear passwords on their way, long work, rates and leases of several nodes, scopes that read groups, and what an operator decides
 * about a target.
 */
export const trusted: Migration = {
  name: '0002-trusted',
  statements: [
    `create table secrets (
      seq $int primary key, subject_id $text not null, sealed $text not null, expires_at $int not null)`,
    'create index secrets_subject on secrets (subject_id)',
    'create index secrets_expiry on secrets (expires_at)',
    'alter table accounts add column pw_note $text',
    'alter table accounts add column pw_sent $text',
    'create index accounts_password on accounts (pw_seq) where pw_seq is not null',

    `alter table bindings add column on_failure $text not null default 'report'`,

    `create table waves (
      id $id, target_id $int not null, kind $text not null, cause $text not null, actor $text not null,
      state $text not null, cursor $text not null, version $int not null, total $int not null, seen $int not null,
      raised $int not null, started_at $int not null, ended_at $int, paused_ms $int not null)`,
    'create index waves_target on waves (target_id, id)',
    `create index waves_open on waves (id) where state = 'running'`,
    `create index links_parked on links (target_id, group_id, member_id) where state = 'parked'`,

    'create table budgets (target_id $int primary key, tokens $int not null, tokens_at $int not null)',
    'create table nodes (id $id, seen_at $int not null)',
    'alter table attempts add column node $int',

    `create table former_members (
      group_id $text not null, member_id $text not null, sp_id $int not null, primary key (group_id, member_id))$rowless`,
    `create table descents (
      group_id $text not null, sp_id $int not null, round $int not null, cursor $text, stop $text,
      primary key (group_id, sp_id))`,
    'create index descents_round on descents (round)',
    'create index descents_open on descents (round) where cursor is not null',

    'alter table lanes add column refusals $int not null default 0',
    'alter table lanes add column first_refused $text',

    'alter table targets add column paused_at $int',
    'alter table targets add column paused_by $text',
    'alter table targets add column removed_at $int',
  ],
};
