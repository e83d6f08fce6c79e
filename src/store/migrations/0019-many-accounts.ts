import type { Migration } from './migration.ts';

/** A page of the accounts in a state is read from an index in its order, however many others the target has. */
export const manyAccounts: Migration = {
  name: '0019-many-accounts',
  statements: [
    `create index accounts_state on accounts (target_id, state, subject_id) where state <> 'done'`,
    'drop index accounts_unsettled',
  ],
};
