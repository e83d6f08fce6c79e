import assert from 'node:assert/strict';
import { type Answer, type Json, type Scim, urn } from '../spec/scim/client.ts';

/** Numbers from 0 to below 1, the same for the same seed. */
function openChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Changes = {
  /** Makes so many changes, one after the other. */
  make(count: number): Promise<void>;
  /** What was done, for the message of a test that fails. */
  readonly story: readonly string[];
};

/**
 * Changes users and groups through a SCIM 2.0 door as chance wants it: creations, updates by PATCH and PUT, renames,
 * memberships, deletions. The same seed does the same.
 */
export function openRandomChanges(scim: Scim, seed: number): Changes {
  const chance = openChance(seed);
  const below = (limit: number) => Math.floor(chance() * limit);
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)];
  const users = new Map<string, Json>();
  const groups = new Map<string, Json>();
  const story: string[] = [];
  let made = 0;

  const word = () => pick(['amber', 'birch', 'cedar', 'dune', 'ember', 'Fjörd', 'grove', "o'heath"])!;
  const attributes = (): object => ({
    displayName: `${word()} ${word()}`,
    name: { givenName: word(), familyName: word() },
    ...(chance() < 0.5 ? { title: word() } : {}),
    ...(chance() < 0.3 ? { active: chance() < 0.5 } : {}),
    ...(chance() < 0.6 ? { emails: mails() } : {}),
    ...(chance() < 0.4 ? { phoneNumbers: [{ value: `+49 30 ${1000 + below(9000)}`, type: 'work' }] } : {}),
    ...(chance() < 0.5 ? { [urn.enterprise]: { department: word(), employeeNumber: String(below(1000)) } } : {}),
  });
  const mails = (): object[] => {
    const first = {
      value: `${word()
        .toLowerCase()
        .replace(/[^a-z]/g, '')}@work.example`,
      type: 'work',
      primary: true,
    };
    return chance() < 0.5 ? [first] : [first, { value: `${below(100)}@home.example`, type: 'home' }];
  };
  const schemas = [urn.user, urn.enterprise];

  async function tell(what: string, asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    story.push(`${what}: ${answer.status}`);
    assert.ok(answer.status < 300, `${what} answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  async function createUser() {
    const userName = `user.${made++}`;
    const { body } = await tell(`create ${userName}`, scim.post('/Users', { schemas, userName, ...attributes() }));
    users.set(body.id, body);
  }

  async function createGroup() {
    const members = [...users.keys()].filter(() => chance() < 0.3).map((value) => ({ value }));
    const body = { schemas: [urn.group], displayName: `group.${made++}`, members };
    const answer = await tell(`create ${body.displayName} with ${members.length}`, scim.post('/Groups', body));
    groups.set(answer.body.id, { ...answer.body, displayName: body.displayName });
  }

  const acts: (() => Promise<void>)[] = [
    createUser,
    createUser,
    createGroup,
    async function patchUser() {
      const user = pick([...users.values()])!;
      const operations = Object.entries(attributes()).map(([key, value]) => ({ op: 'replace', path: key, value }));
      await tell(`patch ${user.userName}`, scim.patch(user, ...operations));
    },
    async function unassign() {
      const user = pick([...users.values()])!;
      const path = pick(['title', 'emails', 'name.givenName', `${urn.enterprise}:department`, 'phoneNumbers'])!;
      await tell(`remove ${path} of ${user.userName}`, scim.patch(user, { op: 'remove', path }));
    },
    async function putUser() {
      const user = pick([...users.values()])!;
      await tell(`put ${user.userName}`, scim.put(user, { schemas, userName: user.userName, ...attributes() }));
    },
    async function renameUser() {
      const user = pick([...users.values()])!;
      const userName = `renamed.${made++}`;
      await tell(
        `rename ${user.userName} to ${userName}`,
        scim.patch(user, { op: 'replace', path: 'userName', value: userName }),
      );
      user.userName = userName;
    },
    async function deleteUser() {
      if (users.size < 4) return createUser();
      const user = pick([...users.values()])!;
      await tell(`delete ${user.userName}`, scim.call('DELETE', scim.at(user)));
      users.delete(user.id);
    },
    async function addMember() {
      const [group, user] = [pick([...groups.values()])!, pick([...users.values()])!];
      const operation = { op: 'add', path: 'members', value: [{ value: user.id }] };
      await tell(`add ${user.userName} to ${group.displayName}`, scim.patch(group, operation));
    },
    async function removeMember() {
      const group = pick([...groups.values()])!;
      const member = pick((await scim.read(group)).members ?? []) as Json;
      if (!member) return;
      const operation = { op: 'remove', path: `members[value eq "${member.value}"]` };
      await tell(`take ${member.display} from ${group.displayName}`, scim.patch(group, operation));
    },
    async function renameGroup() {
      const group = pick([...groups.values()])!;
      const displayName = `regrouped.${made++}`;
      await tell(
        `rename ${group.displayName} to ${displayName}`,
        scim.patch(group, { op: 'replace', path: 'displayName', value: displayName }),
      );
      group.displayName = displayName;
    },
    async function deleteGroup() {
      if (groups.size < 2) return createGroup();
      const group = pick([...groups.values()])!;
      await tell(`delete ${group.displayName}`, scim.call('DELETE', scim.at(group)));
      groups.delete(group.id);
    },
  ];

  return {
    story,
    async make(count) {
      while (users.size < 3) await createUser();
      while (groups.size < 1) await createGroup();
      for (let n = 0; n < count; n++) await pick(acts)!();
    },
  };
}
