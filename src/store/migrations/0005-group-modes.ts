import type { Migration } from './migration.ts';

/** Groups that are kept in another way than as a whole. */
export const groupModes: Migration = {
  name: '0005-group-modes',
  statements: [
    'alter table accounts add column regime $text',
    `create table placed_members (
      target_id $int not null, group_id $text not null, member_id $text not null,
      primary key (target_id, group_id, member_id))$rowless`,
  ],
};
