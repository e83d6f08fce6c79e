import { type Company, describePerson } from './people.ts';
import { forEachAtOnce, groupUrn, type Scim } from './scim.ts';

const requestsAtOnce = 16;

/**
 * Creates at `scim` everybody and every group that is not there yet: people by their employee number (`externalId`),
 * groups by name. Safe to repeat after any interruption: a request that was answered or not is seen by listing first.
 * `did` is called for each that is there, whether it was before or is made.
 */
export async function loadCompany(scim: Scim, company: Company, did: () => void): Promise<void> {
  await loadPeople(scim, company, did);
  await loadGroups(scim, company, did);
}

async function loadPeople(scim: Scim, { people }: Company, did: () => void): Promise<void> {
  const known = await findPeople(scim);
  const ids = new Map<string, Promise<string>>();
  // Managers stand on earlier lines and work begins in this order, so that who waits for a manager waits for somebody
  // under way.
  await forEachAtOnce(people, requestsAtOnce, async (person) => {
    const load = async () => {
      const there = known.get(person.employeeNumber);
      if (there !== undefined) return there;
      const managerId = person.manager === '' ? undefined : await ids.get(person.manager);
      return (await scim.create('Users', describePerson(person, managerId))).id;
    };
    const loaded = load();
    ids.set(person.userName, loaded);
    await loaded;
    did();
  });
}

async function loadGroups(scim: Scim, { people, groups }: Company, did: () => void): Promise<void> {
  const known = await findGroups(scim);
  const userIds = await findPeople(scim);
  const numbers = new Map(people.map((person) => [person.userName, person.employeeNumber]));
  const ids = new Map<string, Promise<string>>();
  await forEachAtOnce(groups, requestsAtOnce, async (group) => {
    const load = async () => {
      const there = known.get(group.name);
      if (there !== undefined) return there;
      const members: { value: string }[] = [];
      for (const member of group.members) {
        const value = await (member.startsWith('group:')
          ? ids.get(member.slice('group:'.length))
          : userIds.get(numbers.get(member)!));
        members.push({ value: value! });
      }
      return (await scim.create('Groups', { schemas: [groupUrn], displayName: group.name, members })).id;
    };
    const loaded = load();
    ids.set(group.name, loaded);
    await loaded;
    did();
  });
}

/** Ids of the people at a server by employee number. */
export async function findPeople(scim: Scim): Promise<Map<string, string>> {
  const users = await scim.list('Users', { attributes: 'externalId' });
  return new Map(users.flatMap((user) => (typeof user.externalId === 'string' ? [[user.externalId, user.id]] : [])));
}

/** Ids of the groups at a server by name. */
export async function findGroups(scim: Scim): Promise<Map<string, string>> {
  const groups = await scim.list('Groups', { attributes: 'displayName' });
  return new Map(groups.map((group) => [String(group.displayName), group.id]));
}
