import { Problem } from '../../../src/base/problem.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createGroup, deleteGroup, patchGroup, replaceGroup } from '../../../src/directory/groups.ts';
import type { Subject } from '../../../src/directory/subjects.ts';
import { createUser, deleteUser, patchUser, replaceUser, type WriteOptions } from '../../../src/directory/users.ts';
import { readPatch } from '../../../src/protocol/scim/patch.ts';
import { readResource } from '../../../src/protocol/scim/resource.ts';
import { enterpriseUserUrn, groupType, userType } from '../../../src/protocol/scim/schema.ts';
import type { Tx } from '../../../src/store/store.ts';
import type { Ground } from './ground.ts';
import type { Speaker } from './let-in.ts';
import { groupNames, type Step, strangerGroup, strangerName, userNames } from './schedule.ts';

type Person = {
  id: string;
  userName: string;
  title: string;
  outside: boolean;
  active: boolean;
  manager: string | undefined;
};

/**
 * The last password of somebody. `unclaimed`: they were out of scope at or after its time, so the target may rightly have
 * none of it.
 */
export type LastPassword = { password: string; unclaimed: boolean };

const patchOf = (operation: Record<string, unknown>) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [operation],
});

type Team = { id: string; displayName: string; members: Set<string> };

/** The directory's side of a schedule: who is there, and the writes that a step means. */
export type People = {
  /** What was done, in words; undefined when the step does not apply or the directory refused it. */
  write(step: Step): Promise<string | undefined>;
  /** Sends everybody whole once more, as a client does that knows of nobody what became of him. */
  resend(): Promise<void>;
  /** What everybody who is there should be, by id. */
  docs(): Map<string, Record<string, unknown>>;
  /** What somebody, or a group, is called; undefined for whoever is gone or out of scope by an attribute. */
  nameOf(id: string): string | undefined;
  /** A short name of a subject for people to read. */
  nick(id: string): string;
  /** By subject; whoever never had one is missing. */
  readonly passwords: ReadonlyMap<string, LastPassword>;
};

/**
 * `names`: whether a name that somebody had may be given again. `onSpoke`: something about this subject changed by this
 * speaker, and that is committed.
 */
export function openPeople(
  ground: Ground,
  names: 'again' | 'never again',
  onSpoke: (id: string, speaker: Speaker) => void,
  forwarded = false,
): People {
  const { store } = ground;
  let speaker: Speaker = 'resident';
  let { origin } = ground;
  const people: Person[] = [];
  const teams: Team[] = [];
  const nicks = new Map<string, string>();
  const passwords = new Map<string, LastPassword>();
  const keeping = { key: ground.key, lastsMs: 7 * 86_400_000 };
  let given = 0;
  const spare = new Set([strangerName, strangerGroup]);
  let passwordsMade = 0;
  const newPassword = () => {
    passwordsMade += 1;
    const password = `p${passwordsMade}`;
    const options = { passwordHash: `hash of ${password}`, clearPassword: { password: new Secret(password), keeping } };
    return { password, options };
  };
  const name = (wanted: string) => {
    given += 1;
    // Those that strangers have are given once as they are.
    return names === 'again' || spare.delete(wanted) ? wanted : `${wanted}.${given}`;
  };
  const nick = (id: string) => nicks.get(id) ?? id;
  const at = <T>(list: readonly T[], n: number): T | undefined =>
    n < 0 || list.length === 0 ? undefined : list[n % list.length];

  /** False when the directory refused: a name that is taken, somebody who is gone. */
  async function writes(...all: ((tx: Tx) => Promise<unknown>)[]): Promise<boolean> {
    try {
      for (const each of all) await store.write(each);
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
  /** Undefined where it would reach nobody: only forwarded, while nothing is bound. */
  async function makes(make: (tx: Tx) => Promise<Subject>): Promise<Subject | undefined> {
    try {
      return await store.write(make);
    } catch (error) {
      if (error instanceof Problem && error.code === 'notAllowed') return undefined;
      throw error;
    }
  }
  const resourceOf = (person: Omit<Person, 'id'>) =>
    readResource(userType, {
      schemas: [userType.schema.id, enterpriseUserUrn],
      userName: person.userName,
      title: person.title,
      active: person.active,
      userType: person.outside ? 'outside' : 'inside',
      ...(person.manager === undefined ? {} : { [enterpriseUserUrn]: { manager: { value: person.manager } } }),
    });
  async function change(
    person: Person,
    difference: Partial<Person>,
    what: string,
    options: Partial<WriteOptions> = {},
  ): Promise<string | undefined> {
    const after = { ...person, ...difference };
    if (!(await writes((tx) => replaceUser(tx, person.id, resourceOf(after), { origin, ...options })))) {
      return undefined;
    }
    // A write that changes nothing is no change.
    const differs = JSON.stringify(resourceOf(after)) !== JSON.stringify(resourceOf(person));
    if (differs || options.passwordHash !== undefined) onSpoke(person.id, speaker);
    Object.assign(person, difference);
    const last = passwords.get(person.id);
    if (last && person.outside) last.unclaimed = true;
    return `${nick(person.id)} ${what}`;
  }
  async function join(given: {
    userName: string;
    outside: boolean;
    manager?: string | undefined;
    password?: boolean | undefined;
  }): Promise<string | undefined> {
    const { password: withPassword, ...more } = given;
    const person = { title: 't0', active: true, manager: undefined, ...more };
    const fresh = withPassword ? newPassword() : undefined;
    const made = await makes((tx) => createUser(tx, resourceOf(person), { origin, ...fresh?.options }));
    if (!made) return undefined;
    onSpoke(made.id, speaker);
    people.push({ ...person, id: made.id });
    nicks.set(made.id, `user${nicks.size}`);
    if (fresh) passwords.set(made.id, { password: fresh.password, unclaimed: person.outside });
    const under = person.manager === undefined ? '' : ` under ${nick(person.manager)}`;
    const having = fresh === undefined ? '' : ` with the password ${fresh.password}`;
    return `${nick(made.id)} is created as ${person.userName}${person.outside ? ', out of scope' : ''}${under}${having}`;
  }
  const isTaken = (name: string, self?: Person) =>
    people.some((one) => one !== self && one.userName.toLowerCase() === name.toLowerCase());

  /** Whoever goes leaves the groups that held it, and each of those changes by it. */
  function bury(id: string): void {
    onSpoke(id, speaker);
    for (const team of teams) if (team.members.delete(id)) onSpoke(team.id, speaker);
  }

  async function write(step: Step): Promise<string | undefined> {
    speaker = ('by' in step ? step.by : undefined) ?? 'resident';
    origin = ground.originOf(speaker);
    const told = await writeBySpeaker(step);
    return told !== undefined && speaker !== 'resident' ? `${told} (by ${speaker})` : told;
  }

  async function writeBySpeaker(step: Step): Promise<string | undefined> {
    switch (step.do) {
      case 'create user': {
        const userName = name(userNames[step.name] ?? strangerName);
        if (isTaken(userName)) return undefined;
        const manager = at(people, step.manager)?.id;
        return join({ userName, outside: step.out, manager, password: step.password });
      }
      case 'rename user': {
        const person = at(people, step.who);
        const userName = name(userNames[step.name]!);
        if (!person || isTaken(userName, person)) return undefined;
        return change(person, { userName }, `is renamed to ${userName}`);
      }
      case 'swap names': {
        const [a, b] = [at(people, step.who), at(people, step.other)];
        if (names === 'never again' || !a || !b || a === b || [a.userName, b.userName].includes(strangerName))
          return undefined;
        const [ofA, ofB] = [a.userName, b.userName];
        await change(a, { userName: 'between' }, '');
        await change(b, { userName: ofA }, '');
        await change(a, { userName: ofB }, '');
        return `${nick(a.id)} and ${nick(b.id)} swap names: ${ofB}, ${ofA}`;
      }
      case 'hand name over': {
        const person = at(people, step.who);
        const userName = userNames[step.name]!;
        if (names === 'never again' || !person || isTaken(userName)) return undefined;
        const freed = person.userName;
        await change(person, { userName }, '');
        return `${nick(person.id)} is renamed to ${userName}, and ${await join({ userName: freed, outside: false })}`;
      }
      case 'retitle': {
        const person = at(people, step.who);
        return person && change(person, { title: `t${step.title}` }, `has the title t${step.title}`);
      }
      case 'set password': {
        const person = at(people, step.who);
        if (!person) return undefined;
        const { password, options } = newPassword();
        const told = await change(person, {}, `has the password ${password}`, options);
        if (told !== undefined) passwords.set(person.id, { password, unclaimed: person.outside });
        return told;
      }
      case 'move in or out of scope': {
        const person = at(people, step.who);
        return (
          person && change(person, { outside: !person.outside }, `moves ${person.outside ? 'into' : 'out of'} scope`)
        );
      }
      case 'switch off or on': {
        const person = at(people, step.who);
        const how = `is switched ${person?.active ? 'off' : 'on'}`;
        if (!forwarded) return person && change(person, { active: !person.active }, how);
        const operation = { op: 'replace', path: 'active', value: !person?.active };
        const operations = readPatch(userType, patchOf(operation));
        if (!person || !(await writes((tx) => patchUser(tx, person.id, operations, { origin })))) return undefined;
        person.active = !person.active;
        return `${nick(person.id)} ${how} by PATCH`;
      }
      case 'change manager': {
        const person = at(people, step.who);
        const manager = at(people, step.manager)?.id;
        if (!person || manager === person.id) return undefined;
        return change(person, { manager }, `has the manager ${manager === undefined ? 'nobody' : nick(manager)}`);
      }
      case 'delete user': {
        const person = at(people, step.who);
        if (!person || !(await writes((tx) => deleteUser(tx, person.id, { origin })))) return undefined;
        people.splice(people.indexOf(person), 1);
        bury(person.id);
        return `${nick(person.id)} (${person.userName}) is deleted`;
      }
      case 'create group': {
        const displayName = name(groupNames[step.name] ?? strangerGroup);
        if (teams.some((team) => team.displayName.toLowerCase() === displayName.toLowerCase())) return undefined;
        const everyone = [...people, ...teams];
        const members = new Set(step.members.flatMap((n) => at(everyone, n)?.id ?? []));
        const made = await makes((tx) => createGroup(tx, groupOf({ displayName, members }), { origin }));
        if (!made) return undefined;
        onSpoke(made.id, speaker);
        teams.push({ id: made.id, displayName, members });
        nicks.set(made.id, `group${nicks.size}`);
        return `${nick(made.id)} is created as ${displayName} of [${[...members].map(nick)}]`;
      }
      case 'rename group': {
        const team = at(teams, step.who);
        const displayName = name(groupNames[step.name]!);
        if (!team || teams.some((one) => one !== team && one.displayName.toLowerCase() === displayName.toLowerCase()))
          return undefined;
        const done = forwarded
          ? await writes((tx) => replaceGroup(tx, team.id, groupOf({ ...team, displayName }), { origin }))
          : await patch(team.id, { op: 'replace', path: 'displayName', value: displayName });
        if (!done) return undefined;
        if (displayName !== team.displayName) onSpoke(team.id, speaker);
        team.displayName = displayName;
        return `${nick(team.id)} is renamed to ${displayName}`;
      }
      case 'delete group': {
        const team = at(teams, step.who);
        if (!team || !(await writes((tx) => deleteGroup(tx, team.id, { origin })))) return undefined;
        teams.splice(teams.indexOf(team), 1);
        bury(team.id);
        return `${nick(team.id)} is deleted`;
      }
      case 'add or remove member': {
        const team = at(teams, step.group);
        const member = step.member < 0 ? at(teams, -1 - step.member) : at([...people, ...teams], step.member);
        if (!team || !member || team.id === member.id) return undefined;
        const leaves = team.members.has(member.id);
        const done = await patch(
          team.id,
          leaves
            ? { op: 'remove', path: `members[value eq "${member.id}"]` }
            : { op: 'add', path: 'members', value: [{ value: member.id }] },
        );
        if (!done) return undefined;
        onSpoke(team.id, speaker);
        if (leaves) team.members.delete(member.id);
        else team.members.add(member.id);
        return `${nick(member.id)} ${leaves ? 'leaves' : 'comes to'} ${nick(team.id)}`;
      }
      default:
        return undefined;
    }
  }

  function patch(id: string, operation: Record<string, unknown>): Promise<boolean> {
    const operations = readPatch(groupType, patchOf(operation));
    return writes((tx) => patchGroup(tx, id, operations, { origin }));
  }

  const groupOf = ({ displayName, members }: Omit<Team, 'id'>) =>
    readResource(groupType, {
      schemas: [groupType.schema.id],
      displayName,
      members: [...members].map((value) => ({ value })),
    });

  async function resend(): Promise<void> {
    origin = ground.origin;
    for (const person of people) await store.write((tx) => replaceUser(tx, person.id, resourceOf(person), { origin }));
    for (const team of teams) await store.write((tx) => replaceGroup(tx, team.id, groupOf(team), { origin }));
  }

  const docs = () =>
    new Map<string, Record<string, unknown>>([
      ...people.map((person) => [person.id, resourceOf(person)] as const),
      ...teams.map(({ id, displayName }) => [id, { displayName }] as const),
    ]);

  function nameOf(id: string): string | undefined {
    const person = people.find((one) => one.id === id);
    if (person) return person.outside ? undefined : person.userName;
    return teams.find((one) => one.id === id)?.displayName;
  }

  return { write, resend, docs, nameOf, nick, passwords };
}
