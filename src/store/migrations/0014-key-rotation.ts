import type { Migration } from './migration.ts';

/** Keys that tokens are signed with take turns: each from its time on. */
export const keyRotation: Migration = {
  name: '0014-key-rotation',
  statements: ['alter table oauth_keys add column signs_from $int not null default 0'],
};
