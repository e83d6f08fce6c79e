import type { FakeOptions } from './scim2.ts';
import type { ValueDemand } from './vendor-rules.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
/** API_CreateUser of the Identity Store, which is where SCIM ends up. */
const words: ValueDemand = { required: true, pattern: /^[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r\p{Zs}]+$/u, longest: 1_024 };

/**
 * AWS IAM Identity Center by its SCIM developer guide (pages CreateUser, PatchUser, PatchGroup, ListUsers, ListGroups,
 * Limitations): no PutGroup, cursors, no members in answers, one value of everything, at most 100 member changes.
 */
export const awsTarget: Partial<FakeOptions> = {
  membersPerPatch: 100,
  memberRemoval: 'value',
  pageSize: 100,
  vendor: {
    puts: { users: true, groups: false },
    filters: { users: ['userName', 'externalId'], groups: ['displayName', 'externalId'] },
    cursors: true,
    hidesMembers: true,
    membersInWhole: 'ids',
    groupMembers: false,
    attributes: {
      users: [
        'userName',
        'active',
        'externalId',
        'displayName',
        'nickName',
        'profileUrl',
        'title',
        'userType',
        'preferredLanguage',
        'locale',
        'timezone',
        'name',
        'emails',
        'addresses',
        'phoneNumbers',
        enterprise,
      ],
      groups: ['displayName', 'externalId'],
    },
    refused: ['emails.display', 'addresses.display', 'phoneNumbers.display'],
    values: {
      users: {
        userName: {
          required: true,
          pattern: /^(?!(?:AWS)?Administrators?$)[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u,
          longest: 128,
        },
        displayName: words,
        'name.givenName': words,
        'name.familyName': words,
        externalId: { pattern: /^[^:]*$/ },
        emails: { single: true, primary: true },
        addresses: { single: true },
        phoneNumbers: { single: true },
      },
      groups: { displayName: { required: true }, externalId: { pattern: /^[^:]*$/ } },
    },
  },
};
