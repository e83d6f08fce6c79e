import type { FakeOptions } from './scim2.ts';

/**
 * GitHub Enterprise Managed Users by its REST reference (*REST API endpoints for SCIM*): User-Agent, a closed list of
 * attributes most of which are required, pages of 30 unless asked otherwise, 1,000 users in an hour.
 */
export const githubTarget: Partial<FakeOptions> = {
  memberRemoval: 'both',
  vendor: {
    headers: ['user-agent'],
    puts: { users: true, groups: true },
    filters: { users: ['userName', 'externalId', 'id', 'displayName'], groups: ['externalId', 'id', 'displayName'] },
    membersInWhole: 'named',
    groupMembers: false,
    attributes: {
      users: ['userName', 'externalId', 'active', 'displayName', 'name', 'emails', 'roles'],
      groups: ['displayName', 'externalId'],
    },
    refused: ['name.honorificPrefix', 'name.honorificSuffix', 'emails.display'],
    values: {
      users: {
        userName: { required: true },
        externalId: { required: true },
        active: { required: true },
        displayName: { required: true },
        'name.givenName': { required: true },
        'name.familyName': { required: true },
        emails: { required: true, parts: ['value', 'type', 'primary'] },
        roles: { oneOf: ['user', 'guest_collaborator', 'enterprise_owner', 'billing_manager'] },
      },
      groups: { externalId: { required: true }, displayName: { required: true } },
    },
    creations: 1_000,
  },
};
