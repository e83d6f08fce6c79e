import type { ProfileFile, SourcedLines } from '../profile.ts';

const ours = 'our choice';

/** RFC 7643 and 7644, and what the target says about itself in ServiceProviderConfig. */
export const strict: ProfileFile<SourcedLines> = {
  name: 'strict',
  label: 'Strict SCIM 2.0 (RFC 7644)',
  lines: {
    updateUsers: {
      value: 'discovered',
      source: 'RFC 7644 sections 3.5 and 4: PATCH is optional, and discovery says it',
    },
    updateGroups: { value: 'discovered', source: 'RFC 7644 sections 3.5 and 4' },
    patchForm: { value: 'paths', source: 'RFC 7644 section 3.5.2' },
    memberValues: { value: 'together', source: 'RFC 7644 section 3.5.2.1' },
    memberRemoval: { value: 'filter', source: 'RFC 7644 section 3.5.2.2: a value filter chooses what is removed' },
    membersPerRequest: { value: 100, source: `${ours}: the RFCs name no limit, and this is the lowest that is known` },
    membersAtCreation: { value: true, source: 'RFC 7643 section 4.2' },
    membersInAnswers: { value: 'excludable', source: 'RFC 7644 section 3.9' },
    groupsAsMembers: { value: true, source: 'RFC 7643 section 4.2' },
    findUsersBy: { value: ['externalId', 'userName'], source: 'RFC 7644 section 3.4.2.2' },
    findGroupsBy: { value: ['externalId', 'displayName'], source: 'RFC 7644 section 3.4.2.2' },
    listWithoutFilter: { value: false, source: `${ours}: a whole list is no cheap question` },
    paging: { value: 'index', source: 'RFC 7644 section 3.4.2.4' },
    pageSize: { value: 100, source: ours },
    mostLookedThrough: { value: 5_000, source: `${ours}: what fits into one attempt` },
    userAttributes: { value: 'all', source: 'RFC 7643 section 4.1' },
    groupAttributes: { value: 'all', source: 'RFC 7643 section 4.2' },
    neverSent: { value: [], source: 'RFC 7643 section 3' },
    userValues: { value: {}, source: 'the target itself says what it refuses' },
    groupValues: { value: {}, source: 'the target itself says what it refuses' },
    passwords: { value: true, source: 'RFC 7643 section 4.1.1' },
    deprovision: { value: 'delete', source: 'RFC 7644 section 3.6' },
    rate: { value: 'none', source: 'the RFCs name no limit; a 429 is heeded' },
    mediaType: { value: 'application/scim+json', source: 'RFC 7644 section 3.1' },
    headers: { value: {}, source: 'the RFCs ask for none' },
  },
};
