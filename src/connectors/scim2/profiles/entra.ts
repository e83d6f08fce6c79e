import type { ProfileFile } from '../profile.ts';

const tutorial =
  'https://learn.microsoft.com/en-us/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups';

/** A target made for Microsoft Entra: it was built by Microsoft's tutorial or reference code and passed its validator. */
export const entra: ProfileFile = {
  name: 'entra',
  label: 'Built for Microsoft Entra',
  lines: {
    updateUsers: { value: 'patch', source: `${tutorial}#understand-the-microsoft-entra-scim-implementation` },
    updateGroups: { value: 'patch', source: `${tutorial}#groups` },
    memberRemoval: { value: 'value', source: `${tutorial}#update-group-remove-members` },
    membersAtCreation: { value: false, source: `${tutorial}#group-operations: groups are created empty` },
    membersInAnswers: { value: 'excludable', source: `${tutorial}#get-group` },
    findUsersBy: {
      value: ['externalId', 'userName'],
      source: `${tutorial}#understand-the-microsoft-entra-scim-implementation`,
    },
    findGroupsBy: { value: ['displayName'], source: `${tutorial}#group-operations` },
    neverSent: { value: ['entitlements'], source: `${tutorial}#users` },
    userValues: {
      value: {
        userName: { required: true, source: `${tutorial}#design-your-user-and-group-schema` },
        emails: { distinctTypes: true, source: `${tutorial}#general` },
        phoneNumbers: { distinctTypes: true, source: `${tutorial}#general` },
        addresses: { distinctTypes: true, source: `${tutorial}#general` },
      },
      source: `${tutorial}#general`,
    },
    passwords: {
      value: false,
      source: `${tutorial}#design-your-user-and-group-schema: it is not among what is mapped`,
    },
    deprovision: { value: 'disable', source: `${tutorial}#disable-user` },
    rate: {
      value: '25/s',
      source: `${tutorial}#gallery-onboarding-checklist: what a target must bear for each tenant`,
    },
  },
};
