import type { Migration } from './migration.ts';

/** Names that strangers have at a target, what operators decided about accounts, and an index of what is in trouble. */
export const decisions: Migration = {
  name: '0009-decisions',
  statements: [
    `create table conflicts (
      target_id $int not null, subject_id $text not null, noted $int not null, name $text not null,
      adoptable $int not null, remotes $text not null,
      primary key (target_id, subject_id))`,
    `create table decisions (
      id $id, target_id $int not null, subject_id $text not null, what $text not null, name $text not null,
      remote_id $text, remote_name $text, note $text, actor $text not null, at $int not null, noted $int not null,
      ended_at $int, ended $text, why $text)`,
    'create index decisions_account on decisions (target_id, subject_id, id)',
    'alter table accounts add column decision $int',
    'create index accounts_decided on accounts (target_id, decision) where decision is not null',
    `create index accounts_troubled on accounts (target_id, subject_id) where (state = 'parked' or tries > 0)`,
  ],
};
