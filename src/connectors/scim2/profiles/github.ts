import type { ProfileFile } from '../profile.ts';

const rest = 'https://docs.github.com/en/enterprise-cloud@latest/rest/enterprise-admin/scim';
const guide =
  'https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/provisioning-user-accounts-with-scim/provisioning-users-and-groups-with-scim-using-the-rest-api';

/** GitHub Enterprise Managed Users. */
export const github: ProfileFile = {
  name: 'github',
  label: 'GitHub Enterprise Managed Users',
  lines: {
    updateUsers: { value: 'patch', source: `${rest}#update-an-attribute-for-a-scim-enterprise-user` },
    updateGroups: { value: 'patch', source: `${rest}#update-an-attribute-for-a-scim-enterprise-group` },
    memberRemoval: { value: 'filter', source: `${rest}: as the SCIM specification has it` },
    membersAtCreation: {
      value: false,
      source: `${rest}: a POST wants the display name of each member, a PATCH its id alone`,
    },
    membersInAnswers: { value: 'excludable', source: `${rest}#list-provisioned-scim-groups-for-an-enterprise` },
    groupsAsMembers: { value: false, source: `${rest}: members are referenced by the id of a user` },
    findUsersBy: { value: ['externalId', 'userName'], source: `${rest}: one filter, by these, id or displayName` },
    findGroupsBy: { value: ['externalId', 'displayName'], source: `${rest}: one filter, by these or id` },
    userAttributes: {
      value: [
        'userName',
        'externalId',
        'active',
        'displayName',
        'name.formatted',
        'name.givenName',
        'name.familyName',
        'emails',
      ],
      source: `${rest}#supported-scim-user-attributes; roles are GitHub's own and are sent only when added here`,
    },
    groupAttributes: { value: ['displayName', 'externalId'], source: `${rest}#supported-scim-group-attributes` },
    neverSent: { value: ['emails.display'], source: `${rest}#provision-a-scim-enterprise-user` },
    userValues: {
      value: {
        userName: { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        externalId: { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        active: { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        displayName: { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        'name.givenName': { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        'name.familyName': { required: true, source: `${rest}#provision-a-scim-enterprise-user` },
        emails: {
          required: true,
          parts: ['value', 'type', 'primary'],
          source: `${rest}#provision-a-scim-enterprise-user`,
        },
        roles: {
          oneOf: [
            'user',
            '27d9891d-2c17-4f45-a262-781a0e55c80a',
            'guest_collaborator',
            '1ebc4a02-e56c-43a6-92a5-02ee09b90824',
            'enterprise_owner',
            '981df190-8801-4618-a08a-d91f6206c954',
            'ba4987ab-a1c3-412a-b58c-360fc407cb10',
            'billing_manager',
            '0e338b8c-cc7f-498a-928d-ea3470d7e7e3',
            'e6be2762-e4ad-4108-b72d-1bbe884a0f91',
          ],
          source: `${rest}#provision-a-scim-enterprise-user`,
        },
      },
      source: `${rest}#provision-a-scim-enterprise-user`,
    },
    groupValues: {
      value: {
        displayName: { required: true, source: `${rest}#provision-a-scim-enterprise-group` },
        externalId: { required: true, source: `${rest}#provision-a-scim-enterprise-group` },
      },
      source: `${rest}#provision-a-scim-enterprise-group`,
    },
    passwords: { value: false, source: `${rest}: authentication is SAML's or OIDC's` },
    deprovision: { value: 'disable', source: `${guide}: DELETE suspends for ever and cannot be undone` },
    rate: { value: '1000/h', source: `${guide}: at most 1,000 users in an hour` },
    headers: { value: { 'user-agent': 'purvey' }, source: `${guide}: requests without User-Agent are rejected` },
  },
};
