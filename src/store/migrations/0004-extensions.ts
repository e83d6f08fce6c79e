import type { Migration } from './migration.ts';

/** What the administrator's schema extensions need: values that may be there once, and what was declared so far. */
export const extensions: Migration = {
  name: '0004-extensions',
  statements: [
    `create table unique_values (
      kind $text not null, attr $text not null, value_key $text not null, subject_id $text not null,
      primary key (kind, attr, value_key))$rowless`,
    'create index unique_values_subject on unique_values (subject_id)',
    `create table declared_attributes (
      kind $text not null, path $text not null, spelling $text not null, shape $text not null, uniqueness $text,
      primary key (kind, path))$rowless`,
  ],
};
