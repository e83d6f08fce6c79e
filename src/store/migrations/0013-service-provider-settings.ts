import type { Migration } from './migration.ts';

/**
 * What an application goes by that has no bindings, and where users are made for it. Applications that are there already
 * go on as they did: nobody is sent anywhere new because a server was updated.
 */
export const serviceProviderSettings: Migration = {
  name: '0013-service-provider-settings',
  statements: [
    `alter table service_providers add column fallback $text not null default 'resident'`,
    `update service_providers set fallback = 'none' where resident = 0`,
    'alter table service_providers add column user_store_domain $text',
  ],
};
