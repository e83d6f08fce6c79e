import { createHash } from 'node:crypto';
import type { Company, Group, Person } from './people.ts';

/** What happens to the company after it was loaded. Always the same for the same company. */
export type ChangePlan = {
  /** People with other attributes than before; a manager who leaves is replaced in these. */
  changed: { person: Person; set: Partial<Person> }[];
  /** People with a name of their own from now on: userName, family name, address. */
  renamed: { person: Person; set: Partial<Person> }[];
  /** Two people who get each other's userName and address. */
  swapped: readonly [Person, Person];
  /** Members by name, as in `groups.csv`. */
  moved: { group: string; add: string[]; remove: string[] }[];
  leavers: Person[];
};

/** The plan needs so many people. */
export const fewestPeople = 30;

/** With 1,000 people: 50 changed, 5 renamed, 2 swapped, 20 leavers; with fewer, fewer. */
export function planChanges({ people, groups }: Company): ChangePlan {
  const share = (most: number, part: number) => Math.min(most, Math.ceil(people.length / part));
  // The order is arbitrary and always the same, so that the people who change are spread over the company.
  const shuffled = people.slice(1).sort((a, b) => (digestOf(a) < digestOf(b) ? -1 : 1));
  const reports = Map.groupBy(people, (person) => person.manager);
  const leavingManager = shuffled.find((person) => {
    const count = reports.get(person.userName)?.length ?? 0;
    return count > 0 && count <= 8;
  });
  const orphans = leavingManager ? reports.get(leavingManager.userName)! : [];
  const taken = new Set<Person>([...orphans, ...(leavingManager ? [leavingManager] : [])]);
  const take = (count: number, may: (person: Person) => boolean = () => true) => {
    const found = shuffled.filter((person) => !taken.has(person) && may(person)).slice(0, Math.max(0, count));
    for (const person of found) taken.add(person);
    return found;
  };

  const hasNoReports = (person: Person) => !reports.has(person.userName);
  const leavers = [...(leavingManager ? [leavingManager] : []), ...take(share(20, 25) - 1, hasNoReports)];
  const [first, second] = take(2, (person) => !person.userName.includes('/'));
  const renamed = take(share(5, 20)).map((person) => ({ person, set: rename(person) }));
  const changed = [
    ...orphans.map((person) => ({ person, set: { manager: leavingManager!.manager } })),
    ...take(share(50, 10) - orphans.length).map((person, n) => ({ person, set: changeOf(person, n, people) })),
  ];
  const moved = moveMembers(groups, changed);
  return { changed, renamed, swapped: [first!, second!], moved, leavers };
}

function digestOf({ employeeNumber }: Person): string {
  return createHash('sha256').update(employeeNumber).digest('hex');
}

function rename(person: Person): Partial<Person> {
  const [local, host] = person.email.split('@') as [string, string];
  return {
    userName: `${person.userName}-novak`,
    email: `${local}-novak@${host}`,
    familyName: `${person.familyName}-Novák`,
    displayName: `${person.displayName}-Novák`,
  };
}

function changeOf(person: Person, n: number, people: readonly Person[]): Partial<Person> {
  switch (n % 4) {
    case 0: {
      const other = people.find((each, m) => m > n && each.department !== person.department)!;
      const { department, division, costCenter } = other;
      return { department, division, costCenter, title: `${person.title} (moved)` };
    }
    case 1:
      return { phone: `+44 20 7946 0${String(n).padStart(3, '0')}`, mobile: '' };
    case 2:
      return { active: person.active === 'true' ? 'false' : 'true' };
    default:
      return { title: `Senior ${person.title}`, preferredLanguage: 'en-GB', manager: people[0]!.userName };
  }
}

/** People follow their departments, ten leave and ten enter the largest group, and one group takes another one's place. */
function moveMembers(groups: readonly Group[], changed: ChangePlan['changed']): ChangePlan['moved'] {
  const moved = new Map<string, { group: string; add: string[]; remove: string[] }>();
  const movesOf = (group: string) => {
    const moves = moved.get(group) ?? { group, add: [], remove: [] };
    moved.set(group, moves);
    return moves;
  };
  const names = new Set(groups.map((group) => group.name));
  for (const { person, set } of changed) {
    if (set.department === undefined) continue;
    if (names.has(person.department)) movesOf(person.department).remove.push(person.userName);
    if (names.has(set.department)) movesOf(set.department).add.push(person.userName);
  }
  const bySize = groups.toSorted((a, b) => b.members.length - a.members.length);
  const [largest, next] = bySize as [Group, Group];
  const few = Math.min(10, Math.floor(largest.members.length / 4));
  const isPerson = (member: string) => !member.startsWith('group:');
  movesOf(largest.name).remove.push(...largest.members.filter(isPerson).slice(0, few));
  const entering = next.members.filter((member) => isPerson(member) && !largest.members.includes(member));
  movesOf(largest.name).add.push(...entering.slice(0, few));
  const nesting = groups.find((group) => !group.members.every(isPerson) && group.members.some(isPerson));
  const nested = nesting?.members.find((member) => !isPerson(member));
  const empty = groups.find((group) => group.members.length === 0);
  if (nesting && nested && empty) {
    movesOf(nesting.name).remove.push(nested);
    movesOf(empty.name).add.push(nested);
  }
  return [...moved.values()];
}

/** How many users and groups the plan touches. */
export function countChanges({ changed, renamed, moved, leavers }: ChangePlan): number {
  return changed.length + renamed.length + 2 + moved.length + leavers.length;
}
