import type { Migration } from './migration.ts';

/** Service providers whose resources are only forwarded, who was forwarded for whom, and the sealed bodies on their way. */
export const forwardOnly: Migration = {
  name: '0006-forward-only',
  statements: [
    'alter table service_providers add column forward_only $int not null default 0',
    'alter table subjects add column forwarded_for $int',
    `create unique index subjects_forwarded on subjects (kind, name_key, forwarded_for) where life = 'forwarded'`,
    `create table forwarded_bodies (
      subject_id $text primary key, seq $int not null, part $int not null, sealed $text, expires_at $int not null,
      lost_seq $int)`,
    'create index forwarded_bodies_expiry on forwarded_bodies (expires_at) where sealed is not null',
  ],
};
