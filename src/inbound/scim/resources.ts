import { Problem } from '../../base/problem.ts';
import { findDomain } from '../../directory/domains.ts';
import { readGroupsOf, readMembers, type Shown } from '../../directory/memberships.ts';
import type { Subject } from '../../directory/subjects.ts';
import type { JsonValue } from '../../protocol/scim/json.ts';
import type { Projection, Resource } from '../../protocol/scim/resource.ts';
import { makeWriter } from '../../protocol/scim/resource.ts';
import { groupType, type ResourceType, userType } from '../../protocol/scim/schema.ts';
import type { Reading } from '../../store/store.ts';
import { isWanted, makeTag } from './parts.ts';

/** How subjects look on this door. */
export const types: Record<Subject['kind'], ResourceType> = { user: userType, group: groupType };

/** The attribute that holds memberships, seen from each side. */
const related = { user: 'groups', group: 'members' } as const;

export type Showing = { baseUrl: string; projection: Projection };

/** Subjects of one kind as the client gets them, with their memberships where those are asked for. */
export async function showSubjects(
  reading: Reading,
  kind: Subject['kind'],
  subjects: readonly Subject[],
  showing: Showing,
): Promise<Resource[]> {
  const { projection, baseUrl } = showing;
  const ids = subjects.map((subject) => subject.id);
  let memberships: ReadonlyMap<string, Shown[]> = new Map();
  if (isWanted(types[kind], related[kind], projection)) {
    memberships = await (kind === 'user' ? readGroupsOf(reading, ids) : readMembers(reading, ids));
  }
  const write = makeWriter(types[kind], projection);
  return subjects.map((subject) => write(makeResource(subject, memberships.get(subject.id), baseUrl)));
}

/** Users and groups in the order they are given. */
export async function showAll(reading: Reading, subjects: readonly Subject[], showing: Showing): Promise<Resource[]> {
  const kinds = [...new Set(subjects.map((subject) => subject.kind))];
  if (kinds.length < 2) return kinds[0] ? showSubjects(reading, kinds[0], subjects, showing) : [];
  const shown = new Map<string, Resource>();
  for (const kind of kinds) {
    const same = subjects.filter((subject) => subject.kind === kind);
    const resources = await showSubjects(reading, kind, same, showing);
    for (const [n, resource] of resources.entries()) shown.set(same[n]!.id, resource);
  }
  return subjects.map((subject) => shown.get(subject.id)!);
}

/** The stored name of a user store domain that a client named. Throws `Problem('invalidValue')` when there is none. */
export async function readDomain(reading: Reading, name: string): Promise<string> {
  const found = await findDomain(reading, name);
  if (found !== undefined) return found;
  throw new Problem('invalidValue', `There is no user store domain "${name.slice(0, 100).toWellFormed()}".`, {
    field: 'domain',
  });
}

/** A subject as it is, right after it was written, when nobody can have put it into a group yet. */
export function showNew(subject: Subject, showing: Showing): Resource {
  return makeWriter(types[subject.kind], showing.projection)(makeResource(subject, undefined, showing.baseUrl));
}

export function locationOf({ kind, id }: Pick<Subject, 'kind' | 'id'>, baseUrl: string): string {
  return `${baseUrl}${types[kind].endpoint}/${id}`;
}

function makeResource(subject: Subject, memberships: readonly Shown[] | undefined, baseUrl: string): Resource {
  const { kind, id } = subject;
  const resource: Resource = { schemas: [], id, ...subject.attributes };
  if (memberships) {
    resource[related[kind]] = memberships.map((shown) => describe(kind, shown, baseUrl));
  }
  resource.meta = {
    resourceType: types[kind].name,
    created: new Date(subject.createdAt).toISOString(),
    lastModified: new Date(subject.modifiedAt).toISOString(),
    location: locationOf(subject, baseUrl),
    version: makeTag(subject.version),
  };
  return resource;
}

function describe(kind: Subject['kind'], shown: Shown, baseUrl: string): JsonValue {
  const type = kind === 'user' ? 'direct' : types[shown.kind].name;
  return { value: shown.id, $ref: locationOf(shown, baseUrl), display: shown.display, type };
}
