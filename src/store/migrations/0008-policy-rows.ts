import type { Migration } from './migration.ts';

/** The rows a policy is made from, beside the document that they make. */
export const policyRows: Migration = {
  name: '0008-policy-rows',
  statements: ['alter table policies add column made_of $text', 'alter table policy_versions add column made_of $text'],
};
