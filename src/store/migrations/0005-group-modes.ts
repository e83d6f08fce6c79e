import type { Migration } from './migration.ts';

/** Groups that are kept in another way than as a whole, and groups in groups. */
export const groupModes: Migration = {
  name: '0005-group-modes',
  statements: [
    'alter table accounts add column regime $text',
    `create table placed_members (
      target_id $int not null, group_id $text not null, member_id $text not null,
      primary key (target_id, group_id, member_id))$rowless`,

    'alter table targets add column nested_otherwise $int not null default 0',
    'alter table former_members add column seq $int not null default 0',
    'create index former_members_member on former_members (member_id, group_id)',

    // A primary key cannot grow on both databases.
    'alter table descents rename to descents_before',
    'drop index descents_round',
    'drop index descents_open',
    `create table descents (
      group_id $text not null, why $text not null, top_id $text not null, target_id $int not null, sp_id $int not null,
      round $int not null, cursor $text, stop $text,
      primary key (group_id, why, top_id, target_id, sp_id))`,
    `insert into descents (group_id, why, top_id, target_id, sp_id, round, cursor, stop)
     select group_id, 'scope', '', 0, sp_id, round, cursor, stop from descents_before`,
    'drop table descents_before',
    'create index descents_round on descents (round)',
    'create index descents_open on descents (round) where cursor is not null',
    `create index descents_top on descents (top_id, target_id) where cursor is not null`,
  ],
};
