import { Problem } from '../../base/problem.ts';
import type { Origin } from '../../directory/changes.ts';
import { patchGroup } from '../../directory/groups.ts';
import { areMembers } from '../../directory/memberships.ts';
import { listSubjects } from '../../directory/search.ts';
import {
  findLink,
  forgetLinksOf,
  isLinked,
  keepGivenGroups,
  makeLink,
  noteSignIn,
  type RemoteUser,
  type SignInLink,
} from '../../directory/sign-in-links.ts';
import { lockSubjects, type Subject } from '../../directory/subjects.ts';
import { createUser, patchUser, type WriteOptions } from '../../directory/users.ts';
import { patchOpUrn } from '../../protocol/scim/operation.ts';
import { readPatch } from '../../protocol/scim/patch.ts';
import { readResource } from '../../protocol/scim/resource.ts';
import { coreUserUrn, type ResourceTypes } from '../../protocol/scim/schema.ts';
import type { Federation } from '../../provisioning/federations.ts';
import type { Reading, Tx } from '../../store/store.ts';
import type { Mapped } from './claims.ts';
import type { NameGuesses } from './name-guesses.ts';

/** Everybody that a sign-in wrote or found: who signs in, and groups that they came into or left. */
export type Settled = { user: Subject; groups: Subject[] /** Whether the user was made. */; isNew: boolean };

/** What somebody new chose, where they were asked. */
export type Chosen = { userName?: string; password?: NewPassword };
export type NewPassword = { passwordHash: string } & Pick<WriteOptions, 'clearPassword'>;

export type Given = {
  federation: Federation;
  remote: RemoteUser;
  mapped: Mapped;
  origin: Origin;
  types: ResourceTypes;
  guesses: NameGuesses;
  chosen?: Chosen;
};

/**
 * Who somebody at an identity provider is here, by a rule without guesses:
 *
 *     linked already -> that user
 *     linkBy verifiedEmail, one user has the address, nobody there is that user -> linked now
 *     just-in-time provisioning -> a new user, unless somebody has the name
 *     else -> nobody: nothing is written
 *
 * With just-in-time provisioning what is said of them is written too, and groups as the settings have it. All of it in the
 * caller's transaction. Throws Problem `notAllowed` with what the page says, and what the directory throws.
 */
export async function settlePerson(tx: Tx, given: Given): Promise<Settled> {
  const { federation, remote, mapped } = given;
  const { jit } = federation.settings;
  const wanted = (await findGroups(tx, mapped.groups ?? [])).map(({ id }) => id);
  const { known, link } = await recognize(tx, given, wanted);
  if (!known && !jit.enabled) refuse('nobody here is known by that: ask your administrator for an account');
  const before = link?.groups ?? [];
  const user = known ? await update(tx, known, given) : await create(tx, given);
  const change = jit.enabled && mapped.groups ? await moveGroups(tx, { user, wanted, before, given }) : undefined;
  const groups = change?.held ?? before;
  if (!link) {
    const rule = known ? 'verifiedEmail' : given.chosen ? 'prompt' : 'jit';
    await makeLink(tx, remote, { user, rule, groups, signsIn: true });
  } else if (groups.join() !== before.join()) await keepGivenGroups(tx, link.id, groups);
  return { user, groups: change?.groups ?? [], isNew: !known };
}

/** The user that they are already, whose row is held then, with those of the groups. */
async function recognize(
  tx: Tx,
  given: Given,
  groups: readonly string[],
): Promise<{ known?: Subject; link?: SignInLink }> {
  const { idpId } = given.remote;
  const link = await findLink(tx, given.remote);
  const id = link?.userId ?? (await findByEmail(tx, given));
  if (id === undefined) return {};
  // In the order of ids, as everybody locks them.
  const known = (await lockSubjects(tx, [id, ...groups, ...(link?.groups ?? [])])).get(id);
  const isThere = known?.kind === 'user' && known.life === 'live';
  // Whoever was deleted, or unlinked, while their row was waited for is unknown again.
  if (link && !isThere) await forgetLinksOf(tx, id);
  if (!isThere || (link && !(await noteSignIn(tx, link.id)))) return recognize(tx, given, groups);
  if (known.attributes.active === false) refuse('your account here is switched off: ask your administrator');
  if (link) return { known, link };
  if (await isLinked(tx, idpId, id)) refuse('somebody else who signs in that way has your e-mail address here');
  return { known };
}

async function create(tx: Tx, { federation, remote, mapped, chosen, origin, types, guesses }: Given): Promise<Subject> {
  const userName = chosen?.userName ?? mapped.userName;
  // Before a slash stands a user store domain, and which one it is, is not for others to say.
  if (userName.includes('/')) {
    const whose = chosen?.userName === undefined ? 'your user name there' : 'this user name';
    refuse(`${whose} has a "/" in it, which no name here may have`, 'userName');
  }
  await guesses.check(tx, remote);
  const resource = readResource(types.user, withSchemas({ ...mapped.attributes, userName }));
  const { domain } = federation.settings.jit;
  return createUser(tx, resource, { type: types.user, origin, domain, ...chosen?.password });
}

async function update(tx: Tx, user: Subject, { federation, mapped, origin, types }: Given): Promise<Subject> {
  const { jit } = federation.settings;
  const isNothing = Object.keys(mapped.attributes).length === 0;
  if (!jit.enabled || jit.updateAttributes === 'first' || isNothing) return user;
  const operations = readPatch(types.user, {
    schemas: [patchOpUrn],
    Operations: [{ op: 'replace', value: mapped.attributes }],
  });
  return patchUser(tx, user.id, operations, { type: types.user, origin });
}

/** The id of the one user who has the address that is verified; undefined where there is none, or nobody is found so. */
async function findByEmail(tx: Tx, { federation, mapped }: Given): Promise<string | undefined> {
  if (federation.settings.linkBy === 'none' || mapped.verifiedEmail === undefined) return undefined;
  const filter = { op: 'eq', path: { attr: 'emails', sub: 'value' }, value: mapped.verifiedEmail } as const;
  const { subjects } = await listSubjects(tx, 'user', { filter, startIndex: 1, count: 2 });
  if (subjects.length > 1) refuse('several people here have your e-mail address, so nobody can tell who you are');
  return subjects[0]?.id;
}

/** The groups of these names that are here: who comes from elsewhere makes no groups. */
export async function findGroups(reading: Reading, names: readonly string[]): Promise<Subject[]> {
  const groups: Subject[] = [];
  for (const value of names) {
    const filter = { op: 'eq', path: { attr: 'displayName' }, value } as const;
    const { subjects } = await listSubjects(reading, 'group', { filter, startIndex: 1, count: 1 });
    if (subjects[0] && !groups.some(({ id }) => id === subjects[0]!.id)) groups.push(subjects[0]);
  }
  return groups;
}

/** `held`: of the groups that signing in gave, those that the user is still in. What others gave, it never takes. */
async function moveGroups(
  tx: Tx,
  { user, wanted, before, given }: { user: Subject; wanted: string[]; before: string[]; given: Given },
): Promise<{ groups: Subject[]; held: string[] }> {
  const { federation, origin, types } = given;
  const concerned = [...new Set([...wanted, ...before])].toSorted();
  const pairs = concerned.map((groupId) => ({ groupId, memberId: user.id }));
  const present = await areMembers(tx, pairs);
  const groups: Subject[] = [];
  const held = new Set(before);
  for (const groupId of concerned) {
    const isIn = present.has(`${groupId} ${user.id}`);
    const isWanted = wanted.includes(groupId);
    if (!isIn) held.delete(groupId);
    if (isIn === isWanted || (isIn && federation.settings.jit.groups !== 'sync')) continue;
    const operation = isWanted
      ? { op: 'add', path: 'members', value: [{ value: user.id }] }
      : { op: 'remove', path: `members[value eq "${user.id}"]` };
    const read = readPatch(types.group, { schemas: [patchOpUrn], Operations: [operation] });
    groups.push(await patchGroup(tx, groupId, read, { type: types.group, origin }));
    if (isWanted) held.add(groupId);
    else held.delete(groupId);
  }
  return { groups, held: [...held].toSorted() };
}

function withSchemas(given: Record<string, unknown>): Record<string, unknown> {
  const extensions = Object.keys(given).filter((name) => name.toLowerCase().startsWith('urn:'));
  return { schemas: [coreUserUrn, ...extensions], ...given };
}

function refuse(why: string, field?: string): never {
  throw new Problem('notAllowed', why, field === undefined ? {} : { field });
}
