import type { Described, Failure, RemoteMember, SubjectKind } from '../connector.ts';
import type { FindHabits } from '../scim/find.ts';
import type { Profile, UpdateVerb } from './profile.ts';

/** How subjects of this kind are changed. */
export function verbOf(profile: Profile, kind: SubjectKind): UpdateVerb {
  return kind === 'user' ? profile.updateUsers : profile.updateGroups;
}

/** What the engine is told of a target, which of its own accord can PATCH or cannot. */
export function describeAs(profile: Profile, discovered: boolean): Described {
  const { updateGroups, membersPerRequest, membersAtCreation } = profile;
  const patch = updateGroups === 'discovered' ? discovered : updateGroups === 'patch';
  return { outcome: 'done', patch, membersPerRequest, ...(membersAtCreation ? {} : { membersAtCreation: 0 }) };
}

export function habitsOf(profile: Profile, by: readonly string[]): FindHabits {
  const { listWithoutFilter, paging, pageSize, mostLookedThrough } = profile;
  return { by, listWithoutFilter, paging, pageSize, mostLookedThrough };
}

/** Only what comes in is refused: a group that is in already may be taken out. */
export function refuseMembers(
  profile: Profile,
  members: readonly RemoteMember[] = [],
  at?: 'creation',
): Failure | undefined {
  if (at && members.length > 0 && !profile.membersAtCreation) {
    const reason = 'not sent: the target takes no members with a new group (line membersAtCreation of its profile)';
    return { outcome: 'refused', reason };
  }
  if (profile.groupsAsMembers || members.every((member) => member.kind === 'user')) return undefined;
  const reason = 'not sent: the target takes no group as a member of a group (line groupsAsMembers of its profile)';
  return { outcome: 'refused', reason };
}
