import { Problem } from '../base/problem.ts';
import type { SubjectKind } from '../connectors/connector.ts';
import { readAllGroupsOf } from '../directory/memberships.ts';
import type { Subject } from '../directory/subjects.ts';
import { type AttrPath, type Filter, formatAttrPath, parseFilter } from '../protocol/scim/filter.ts';
import { checkFilter, matchesFilter } from '../protocol/scim/match.ts';
import {
  coreTypes,
  enterpriseUserUrn,
  locateAttribute,
  type ResourceType,
  type ResourceTypes,
  userType,
} from '../protocol/scim/schema.ts';
import { listSchemas } from '../protocol/scim/shape.ts';
import type { Reading } from '../store/store.ts';

/**
 * Who may be at a target: the one place where that is decided. A scope is a SCIM filter over the subject as it is, and
 * over the groups that a user is in, directly or through other groups.
 */
export type Scope = {
  filters: Partial<Record<SubjectKind, Filter>>;
  dependsOn: readonly Dependency[];
  /** What the filters' paths mean. */
  types: ResourceTypes;
};

/**
 * What a scope reads beyond the subject itself (engine rule 4). `groups`: which groups a user is in; `group names`: also
 * what those are called. Planning follows it backwards: from the group to everybody in it.
 */
export type Dependency = 'groups' | 'group names';

/** The parts of a target's policy that say who may be there. */
export type ScopePolicy = { scopeUsers?: string; scopeGroups?: string; provisioningRoles?: readonly string[] };

/** Compiles what `checkScope` let through. Where both are given, `scopeUsers` and `provisioningRoles` must both hold. */
export function compileScope(
  { scopeUsers, scopeGroups, provisioningRoles }: ScopePolicy,
  types: ResourceTypes = coreTypes,
): Scope {
  const users = [
    ...(scopeUsers ? [parseFilter(scopeUsers)] : []),
    ...(provisioningRoles?.length ? [roleFilter(provisioningRoles)] : []),
  ];
  const user = users.length > 1 ? { op: 'and' as const, parts: users } : users[0];
  return {
    filters: { ...(user ? { user } : {}), ...(scopeGroups ? { group: parseFilter(scopeGroups) } : {}) },
    dependsOn: user ? dependenciesOf(user) : [],
    types,
  };
}

/** One of these is the name of a group that the user is in, or a role that the user has. */
function roleFilter(names: readonly string[]): Filter {
  const paths = [
    { attr: 'groups', sub: 'display' },
    { attr: 'roles', sub: 'value' },
  ];
  return { op: 'or', parts: names.flatMap((value) => paths.map((path) => ({ op: 'eq' as const, path, value }))) };
}

/** Groups are a matter of the core schema, whatever extensions there are. */
function dependenciesOf(filter: Filter): Dependency[] {
  const subs = pathsOf(filter).flatMap((path) => {
    const location = locateAttribute(userType, path);
    return location?.attribute && location.attribute.name === 'groups' ? [location.sub?.name] : [];
  });
  if (subs.length === 0) return [];
  return subs.includes('display') ? ['groups', 'group names'] : ['groups'];
}

/** Every path that a filter reads; those inside square brackets as sub-attributes of what stands before them. */
function pathsOf(filter: Filter): AttrPath[] {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.parts.flatMap(pathsOf);
    case 'not':
      return pathsOf(filter.part);
    case 'has':
      return [filter.path, ...pathsOf(filter.part).map(({ attr }) => ({ ...filter.path, sub: attr }))];
    default:
      return [filter.path];
  }
}

/**
 * Refuses a scope that cannot be read or that reads what is not known here, which would silently hold for nobody.
 * Throws `Problem('invalidFilter')`.
 */
export function checkScope(text: string, kind: SubjectKind, types: ResourceTypes): void {
  const filter = parseFilter(text);
  checkFilter(filter, [types[kind]]);
  for (const path of pathsOf(filter)) {
    const why = whyUnreadable(path, types[kind]);
    if (why === undefined) continue;
    const field = formatAttrPath(path);
    throw new Problem('invalidFilter', `"${field}" cannot be read by a scope: ${why}.`, { field });
  }
}

function whyUnreadable(path: AttrPath, type: ResourceType): string | undefined {
  const location = locateAttribute(type, path);
  if (!location?.attribute) return undefined;
  if (location.extension !== undefined && location.extension !== enterpriseUserUrn) return undefined;
  const name = location.attribute.name;
  const sub = location.sub?.name;
  if (name === 'meta') return 'who may be at a target does not depend on when or where a resource was written';
  if (name === 'members') {
    return 'which groups go to a target depends on the group alone; to choose people by their groups, let scopeUsers read groups';
  }
  if (name === 'groups' && sub === '$ref')
    return 'addresses differ from door to door; use groups.value, the id of the group';
  if (name === 'manager' && sub === 'displayName') {
    return 'a person is kept with the id of the manager and not the name; use manager.value';
  }
  return undefined;
}

/** Whether the target's scope holds for a subject that `readScopeFacts` was asked about. No scope: for everyone. */
export type InScope = (open: { scope: Scope }, subject: Subject) => boolean;

/**
 * Reads what the scopes of these targets have to know of these subjects beyond themselves, as it is now: one statement
 * for all, and none where no scope asks for it.
 */
export async function readScopeFacts(
  reading: Reading,
  opens: Iterable<{ scope: Scope }>,
  subjects: Iterable<Subject>,
): Promise<InScope> {
  const asked = [...opens].some((open) => open.scope.dependsOn.length > 0);
  const users = asked ? [...subjects].filter((one) => one.kind === 'user' && one.life === 'live') : [];
  const groups = await readAllGroupsOf(
    reading,
    users.map((user) => user.id),
  );
  return (open, subject) => {
    const filter = open.scope.filters[subject.kind];
    if (!filter) return true;
    const type = open.scope.types[subject.kind];
    const held = groups.get(subject.id)?.map(({ id, display, type }) => ({ value: id, display, type }));
    return matchesFilter(
      filter,
      {
        ...subject.attributes,
        id: subject.id,
        schemas: listSchemas(type, subject.attributes),
        ...(held ? { groups: held } : {}),
      },
      type,
    );
  };
}
