import type { Migration } from './migration.ts';

/** Sign-ins to the console. Of a session's token only the digest is kept. */
export const sessions: Migration = {
  name: '0007-sessions',
  statements: [
    `create table sessions (
      digest $text primary key, operator_id $int not null references operators (id), created_at $int not null,
      renewed_at $int not null, expires_at $int not null)`,
    'create index sessions_operator on sessions (operator_id)',
    'create index sessions_expiry on sessions (expires_at)',
  ],
};
