import type { ProfileFile } from '../profile.ts';

const guide = 'https://docs.aws.amazon.com/singlesignon/latest/developerguide';
const createUser = `${guide}/createuser.html`;
const patchUser = `${guide}/patchuser.html`;
const createGroup = `${guide}/creategroup.html`;
const patchGroup = `${guide}/patchgroup.html`;
const limitations = `${guide}/limitations.html`;
const listUsers = `${guide}/listusers.html`;
const listGroups = `${guide}/listgroups.html`;
const references = 'https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference';
const store = `${references}/API_CreateUser.html`;
const colon = 'https://github.com/suvera/keycloak-scim2-storage/issues/3 (not in the guide)';

const printable = ['letters', 'marks', 'symbols', 'digits', 'punctuation'] as const;
const name = { longest: 1_024, characters: [...printable, 'spaces'] as const };

/** AWS IAM Identity Center. */
export const aws: ProfileFile = {
  name: 'aws',
  label: 'AWS IAM Identity Center',
  lines: {
    updateUsers: { value: 'patch', source: patchUser },
    updateGroups: { value: 'patch', source: `${guide}/supported-apis.html: there is no PutGroup` },
    memberRemoval: {
      value: 'value',
      source: `${patchGroup}, and so says AWS's own client: https://github.com/awslabs/ssosync`,
    },
    membersPerRequest: { value: 100, source: `${patchGroup} and ${createGroup}` },
    membersInAnswers: { value: 'never', source: `${listGroups}: an empty member list, whatever the members` },
    groupsAsMembers: {
      value: false,
      source: `${references}/API_MemberId.html: a member is a user`,
    },
    findUsersBy: { value: ['externalId', 'userName'], source: listUsers },
    findGroupsBy: { value: ['externalId', 'displayName'], source: listGroups },
    paging: {
      value: 'cursor',
      source: `${listUsers}: startIndex, attributes and excludedAttributes are not supported`,
    },
    pageSize: { value: 100, source: listUsers },
    userAttributes: {
      value: [
        'userName',
        'externalId',
        'active',
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
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
      ],
      source: `${patchUser}: what else can be created could never be changed`,
    },
    groupAttributes: { value: ['displayName', 'externalId'], source: patchGroup },
    neverSent: { value: ['emails.display', 'addresses.display', 'phoneNumbers.display'], source: limitations },
    userValues: {
      value: {
        userName: {
          required: true,
          longest: 128,
          characters: printable,
          reserved: ['Administrator', 'AWSAdministrators'],
          source: `${createUser} and ${store}`,
        },
        'name.givenName': { required: true, ...name, source: `${createUser} and ${store}` },
        'name.familyName': { required: true, ...name, source: `${createUser} and ${store}` },
        displayName: { required: true, ...name, source: `${createUser} and ${store}` },
        externalId: { without: ':', source: colon },
        active: { required: true, source: `${patchUser}: it cannot be removed` },
        emails: { most: 1, primary: true, source: createUser },
        addresses: { most: 1, source: createUser },
        phoneNumbers: { most: 1, source: createUser },
      },
      source: createUser,
    },
    groupValues: {
      value: {
        displayName: { required: true, source: createGroup },
        externalId: { without: ':', source: colon },
      },
      source: createGroup,
    },
    passwords: { value: false, source: limitations },
    deprovision: { value: 'delete', source: `${guide}/deleteuser.html` },
    rate: { value: 'none', source: `${createUser}: it throttles with 429 and publishes no number` },
  },
};
