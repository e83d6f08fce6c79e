import { Problem } from '../../base/problem.ts';
import { findDomain } from '../../directory/domains.ts';
import { type Held, readAllGroupsOf, readMembers, type Shown } from '../../directory/memberships.ts';
import type { Subject } from '../../directory/subjects.ts';
import { isJsonObject, type JsonValue } from '../../protocol/scim/json.ts';
import type { Projection, Resource } from '../../protocol/scim/resource.ts';
import { makeWriter } from '../../protocol/scim/resource.ts';
import { enterpriseUserUrn, type ResourceTypes } from '../../protocol/scim/schema.ts';
import type { Reading } from '../../store/store.ts';
import { isWanted, makeTag } from './parts.ts';

/** Where each kind lives, below the base URL. */
export const endpoints = { user: '/Users', group: '/Groups' } as const;

/** The attribute that holds memberships, seen from each side. */
const related = { user: 'groups', group: 'members' } as const;

export type Showing = { types: ResourceTypes; baseUrl: string; projection: Projection };

/** Subjects of one kind as the client gets them, with their memberships where those are asked for. */
export async function showSubjects(
  reading: Reading,
  kind: Subject['kind'],
  subjects: readonly Subject[],
  showing: Showing,
): Promise<Resource[]> {
  const { types, projection } = showing;
  const ids = subjects.map((subject) => subject.id);
  let memberships: ReadonlyMap<string, (Shown | Held)[]> = new Map();
  if (isWanted(types[kind], related[kind], projection)) {
    memberships = await (kind === 'user' ? readAllGroupsOf(reading, ids) : readMembers(reading, ids));
  }
  const write = makeWriter(types[kind], projection);
  return subjects.map((subject) => write(makeResource(subject, memberships.get(subject.id), showing)));
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
  return makeWriter(showing.types[subject.kind], showing.projection)(makeResource(subject, undefined, showing));
}

export function locationOf({ kind, id }: Pick<Subject, 'kind' | 'id'>, baseUrl: string): string {
  return `${baseUrl}${endpoints[kind]}/${id}`;
}

function makeResource(
  subject: Subject,
  memberships: readonly (Shown | Held)[] | undefined,
  showing: Showing,
): Resource {
  const { types, baseUrl } = showing;
  const { kind, id } = subject;
  const resource: Resource = { schemas: [], id, ...subject.attributes };
  if (kind === 'user') addManagerRef(resource, baseUrl);
  if (memberships) {
    resource[related[kind]] = memberships.map((shown) => describe(shown, showing));
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

/** The address of the manager whose id there is; a client need not say it (RFC 7643 section 4.3). */
function addManagerRef(resource: Resource, baseUrl: string): void {
  const enterprise = resource[enterpriseUserUrn];
  if (!isJsonObject(enterprise) || !isJsonObject(enterprise.manager)) return;
  const { manager } = enterprise;
  if (typeof manager.value !== 'string') return;
  const $ref = locationOf({ kind: 'user', id: manager.value }, baseUrl);
  resource[enterpriseUserUrn] = { ...enterprise, manager: { ...manager, $ref } };
}

/** A member of a group, or a group that holds a user, directly or through others. */
function describe(shown: Shown | Held, { types, baseUrl }: Showing): JsonValue {
  const { id, display } = shown;
  const [kind, type] = 'kind' in shown ? [shown.kind, types[shown.kind].name] : (['group', shown.type] as const);
  return { value: id, $ref: locationOf({ id, kind }, baseUrl), display, type };
}
