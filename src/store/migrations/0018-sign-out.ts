import type { Migration } from './migration.ts';

/** Where applications have people sent who signed out; what is there already names no address. */
export const signOut: Migration = {
  name: '0018-sign-out',
  statements: [`alter table oauth_clients add column post_logout_redirect_uris $text not null default '[]'`],
};
