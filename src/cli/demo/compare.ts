import { isDeepStrictEqual } from 'node:util';
import { type Scim, type ScimResource, userUrns } from './scim.ts';

/** What two directories do not agree about. */
export type Difference = { kind: 'user' | 'group'; name: string; what: string };

type Directory = { users: ScimResource[]; groups: ScimResource[] };

/**
 * Reads both directories through their SCIM doors and answers everything in which `partner` is not what `acme` says:
 * who is missing, who is there without a reason or twice, every attribute, managers, members. A resource of Partner
 * belongs to the one of Acme whose id is its `externalId`; ids that name others (manager, members) are compared as
 * whom they name. Whole only if nobody writes meanwhile.
 */
export async function compareDirectories(acme: Scim, partner: Scim): Promise<Difference[]> {
  const [ours, theirs] = await Promise.all([readDirectory(acme), readDirectory(partner)]);
  return findDifferences(ours, theirs);
}

async function readDirectory(scim: Scim): Promise<Directory> {
  return { users: await scim.list('Users'), groups: await scim.list('Groups') };
}

export function findDifferences(ours: Directory, theirs: Directory): Difference[] {
  // Every id of Partner's as the id of Acme's that it stands for.
  const ownIds = new Map<unknown, unknown>(
    [...theirs.users, ...theirs.groups].map((resource) => [
      resource.id,
      resource.externalId ?? `its own ${resource.id}`,
    ]),
  );
  const asOwn = (id: unknown) => ownIds.get(id) ?? `nobody's ${String(id)}`;
  const same = (id: unknown) => id;
  return [
    ...compareKind('user', ours.users, theirs.users, (user, side) => readUser(user, side === 'ours' ? same : asOwn)),
    ...compareKind('group', ours.groups, theirs.groups, (group, side) =>
      readGroup(group, side === 'ours' ? same : asOwn),
    ),
  ];
}

type Attributes = Record<string, unknown>;

function compareKind(
  kind: Difference['kind'],
  ours: readonly ScimResource[],
  theirs: readonly ScimResource[],
  read: (resource: ScimResource, side: 'ours' | 'theirs') => Attributes,
): Difference[] {
  const differences: Difference[] = [];
  const nameOf = (resource: ScimResource) => String(kind === 'user' ? resource.userName : resource.displayName);
  const unclaimed = new Map<unknown, ScimResource[]>();
  for (const resource of theirs) {
    unclaimed.set(resource.externalId, [...(unclaimed.get(resource.externalId) ?? []), resource]);
  }
  for (const own of ours) {
    const say = (what: string) => differences.push({ kind, name: nameOf(own), what });
    const [found, ...more] = unclaimed.get(own.id) ?? [];
    unclaimed.delete(own.id);
    if (!found) {
      say('is not at Partner');
      continue;
    }
    if (more.length > 0) say(`is at Partner ${more.length + 1} times`);
    const [expected, actual] = [read(own, 'ours'), read(found, 'theirs')];
    for (const path of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      if (isDeepStrictEqual(expected[path], actual[path])) continue;
      say(`${path} is ${show(actual[path])} at Partner and ${show(expected[path])} at Acme`);
    }
  }
  for (const resource of [...unclaimed.values()].flat()) {
    differences.push({ kind, name: nameOf(resource), what: 'is at Partner only' });
  }
  return differences;
}

/** What each server gives of its own, and what is compared from the other side (groups) or cannot be seen (password). */
const own = new Set(['id', 'externalId', 'meta', 'schemas', 'groups', 'members', 'password']);

function readUser(user: ScimResource, subjectOf: (id: unknown) => unknown): Attributes {
  const { [userUrns.enterprise]: enterprise, ...core } = user;
  const { manager, ...rest } = (enterprise ?? {}) as Attributes & { manager?: { value?: unknown } };
  return {
    active: true,
    ...plain(core),
    ...plain(rest),
    ...(manager?.value === undefined ? {} : { manager: subjectOf(manager.value) }),
  };
}

function readGroup(group: ScimResource, subjectOf: (id: unknown) => unknown): Attributes {
  const members = ((group.members ?? []) as { value: unknown }[]).map((member) => String(subjectOf(member.value)));
  return { ...plain(group), members: members.sort() };
}

/** Values without order where the standard gives none (RFC 7643 section 2.4). */
function plain(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes).filter(([name]) => !own.has(name));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(canonical).sort() : value]),
  );
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function show(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
