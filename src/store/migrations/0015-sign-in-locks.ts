import type { Migration } from './migration.ts';

/** Wrong passwords of directory users, and until when whoever had too many is locked. */
export const signInLocks: Migration = {
  name: '0015-sign-in-locks',
  statements: [
    `create table sign_in_failures (
      subject_id $text primary key, failures $int not null, last_at $int not null, locked_until $int)$rowless`,
  ],
};
