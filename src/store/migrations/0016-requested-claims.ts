import type { Migration } from './migration.ts';

/** Which claims of a person an application is told; what is there already goes on as it did. */
export const requestedClaims: Migration = {
  name: '0016-requested-claims',
  statements: ['alter table service_providers add column requested_claims $text'],
};
