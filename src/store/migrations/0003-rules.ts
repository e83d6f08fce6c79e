import type { Migration } from './migration.ts';

/** XACML policies, and what has to be known of an account that one of them withholds. */
export const rules: Migration = {
  name: '0003-rules',
  statements: [
    `create table policies (
      id $id, name $text not null, name_key $text not null unique, position $int not null, enabled $int not null,
      usage $text not null, document $text not null, version $int not null, modified_by $text not null,
      created_at $int not null, modified_at $int not null)`,
    `create table policy_versions (
      policy_id $int not null, version $int not null, name $text not null, position $int not null,
      enabled $int not null, usage $text not null, document $text, actor $text not null, at $int not null,
      primary key (policy_id, version))`,
    'alter table accounts add column withheld_operation $text',
    'alter table accounts add column ask_at $int',
    'create index accounts_ask on accounts (ask_at) where ask_at is not null',
    'alter table attempts add column rule $text',
  ],
};
