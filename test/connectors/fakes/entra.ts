import type { FakeOptions } from './scim2.ts';

/**
 * A target made by Microsoft's tutorial *Develop a SCIM endpoint*: it knows the requests that Entra makes and no others.
 * Groups come empty and are looked for by their name; members leave by `members` with their values.
 */
export const entraTarget: Partial<FakeOptions> = {
  memberRemoval: 'value',
  vendor: {
    puts: { users: false, groups: false },
    filters: { users: ['userName', 'externalId'], groups: ['displayName'] },
    membersInWhole: 'none',
    groupMembers: true,
    refused: ['entitlements'],
    values: {
      users: {
        emails: { distinctTypes: true },
        phoneNumbers: { distinctTypes: true },
        addresses: { distinctTypes: true },
      },
      groups: {},
    },
  },
};
