import type { ChangePlan } from './changes.ts';
import { findGroups, findPeople } from './load.ts';
import { type Company, describePerson, type Person } from './people.ts';
import { forEachAtOnce, type PatchOperation, type Scim, userUrns } from './scim.ts';

const requestsAtOnce = 8;

/**
 * Carries the plan out at `scim`. Every step says how it should be, not what to add to it, so doing it again after any
 * interruption ends the same. `did` is called for each user or group.
 */
export async function makeChanges(scim: Scim, company: Company, plan: ChangePlan, did: () => void): Promise<void> {
  const ids = await findPeople(scim);
  const idOf = (person: Person) => ids.get(person.employeeNumber);
  const byName = new Map(company.people.map((person) => [person.userName, person]));
  const edit = async ({ person, set }: { person: Person; set: Partial<Person> }) => {
    const after = { ...person, ...set };
    const manager = byName.get(after.manager);
    const operations = difference(person, after, manager && idOf(manager));
    await scim.patch('Users', idOf(person)!, operations);
    did();
  };
  await forEachAtOnce([...plan.changed, ...plan.renamed], requestsAtOnce, edit);
  await swapNames(scim, plan.swapped, idOf);
  did();
  did();
  await moveMembers(scim, plan, (name) => idOf(byName.get(name)!), did);
  await forEachAtOnce(plan.leavers, requestsAtOnce, async (person) => {
    const id = idOf(person);
    if (id !== undefined) await scim.remove('Users', id);
    did();
  });
}

function difference(before: Person, after: Person, managerId: string | undefined): PatchOperation[] {
  const [old, wanted] = [describePerson(before, before.manager), describePerson(after, after.manager)];
  const operations: PatchOperation[] = [];
  for (const [path, value] of Object.entries(wanted)) {
    if (path !== userUrns.enterprise && JSON.stringify(value) !== JSON.stringify(old[path])) {
      operations.push({ op: 'replace', path, value });
    }
  }
  for (const attribute of ['department', 'division', 'costCenter'] as const) {
    if (before[attribute] === after[attribute]) continue;
    operations.push({ op: 'replace', path: `${userUrns.enterprise}:${attribute}`, value: after[attribute] });
  }
  if (before.manager !== after.manager) {
    const path = `${userUrns.enterprise}:manager`;
    operations.push(managerId ? { op: 'replace', path, value: { value: managerId } } : { op: 'remove', path });
  }
  return operations;
}

/** A userName belongs to one person at a time, so one of them needs another one in between. */
async function swapNames(
  scim: Scim,
  [first, second]: ChangePlan['swapped'],
  idOf: (person: Person) => string | undefined,
): Promise<void> {
  const [firstId, secondId] = [idOf(first)!, idOf(second)!];
  const name = (id: string, { userName, email }: { userName: string; email: string }) =>
    scim.patch('Users', id, [
      { op: 'replace', path: 'userName', value: userName },
      { op: 'replace', path: 'emails', value: [{ value: email, type: 'work', primary: true }] },
    ]);
  const { userName } = await scim.read('Users', firstId);
  if (userName === second.userName) return;
  await name(firstId, { userName: `${first.userName}.between`, email: first.email });
  await name(secondId, first);
  await name(firstId, second);
}

async function moveMembers(
  scim: Scim,
  { moved }: ChangePlan,
  userIdOf: (name: string) => string | undefined,
  did: () => void,
): Promise<void> {
  const groupIds = await findGroups(scim);
  const idOf = (member: string) =>
    member.startsWith('group:') ? groupIds.get(member.slice('group:'.length)) : userIdOf(member);
  // One after the other: two groups that took in each other's members at the same time would have to wait anyway.
  for (const { group, add, remove } of moved) {
    const id = groupIds.get(group)!;
    const { members = [] } = (await scim.read('Groups', id)) as { members?: { value: string }[] };
    const present = new Set(members.map((member) => member.value));
    const operations: PatchOperation[] = [];
    for (const value of remove.map(idOf)) {
      if (value !== undefined && present.has(value)) {
        operations.push({ op: 'remove', path: `members[value eq "${value}"]` });
      }
    }
    const fresh = add.map(idOf).filter((value) => value !== undefined && !present.has(value));
    if (fresh.length > 0) operations.push({ op: 'add', path: 'members', value: fresh.map((value) => ({ value })) });
    if (operations.length > 0) await scim.patch('Groups', id, operations);
    did();
  }
}
