import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../../base/package.ts';
import { CliError } from '../client.ts';
import { readCsv } from './csv.ts';
import { type ScimResource, userUrns } from './scim.ts';

const personColumns = [
  'userName',
  'givenName',
  'familyName',
  'displayName',
  'email',
  'phone',
  'mobile',
  'title',
  'department',
  'division',
  'costCenter',
  'employeeNumber',
  'userType',
  'manager',
  'city',
  'country',
  'locale',
  'preferredLanguage',
  'timezone',
  'active',
] as const;

/** A line of `people.csv`. `manager` is a userName of an earlier line, or empty. */
export type Person = Record<(typeof personColumns)[number], string>;

/** A line of `groups.csv`. A member is a userName, or `group:` with the name of an earlier group. */
export type Group = { name: string; members: string[] };

export type Company = { people: Person[]; groups: Group[] };

/** Where `people.csv`, `groups.csv` and the files of `purvey apply` lie. */
export const exampleFolder = join(packageFolder, 'examples/acme');

/**
 * The first `count` people, and all groups with those of their members. Throws `CliError` when a manager or member is
 * not on an earlier line, or two people share a name or number.
 */
export function readCompany(count: number, folder: string = exampleFolder): Company {
  const people = readCsv(readText(join(folder, 'people.csv')), 'people.csv', personColumns).slice(0, count);
  const rows = readCsv(readText(join(folder, 'groups.csv')), 'groups.csv', ['name', 'members']);
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const { userName, employeeNumber, manager } of people) {
    if (names.has(userName)) throw new CliError(`people.csv: ${userName} is there twice`);
    if (numbers.has(employeeNumber)) throw new CliError(`people.csv: the number ${employeeNumber} is there twice`);
    if (manager !== '' && !names.has(manager)) {
      throw new CliError(`people.csv: ${manager}, the manager of ${userName}, is on no earlier line`);
    }
    names.add(userName);
    numbers.add(employeeNumber);
  }
  const groups: Group[] = [];
  for (const row of rows) {
    const members = row.members.split(';').filter((member) => names.has(member) || member.startsWith('group:'));
    for (const member of members) {
      if (member.startsWith('group:') && !groups.some((group) => `group:${group.name}` === member)) {
        throw new CliError(`groups.csv: ${row.name} holds ${member}, which is on no earlier line`);
      }
    }
    groups.push({ name: row.name, members });
  }
  return { people, groups };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`the example data cannot be read: ${(error as Error).message}`);
  }
}

/**
 * A person as SCIM 2.0 says it (RFC 7643 sections 4.1, 4.3). The employee number is the `externalId`: it is what stays
 * the same when people change their names.
 */
export function describePerson(person: Person, managerId: string | undefined): ScimResource {
  return {
    schemas: [userUrns.core, userUrns.enterprise],
    userName: person.userName,
    externalId: person.employeeNumber,
    name: { givenName: person.givenName, familyName: person.familyName, formatted: person.displayName },
    displayName: person.displayName,
    emails: [{ value: person.email, type: 'work', primary: true }],
    phoneNumbers: [
      { value: person.phone, type: 'work' },
      ...(person.mobile === '' ? [] : [{ value: person.mobile, type: 'mobile' }]),
    ],
    addresses: [{ type: 'work', locality: person.city, country: person.country }],
    title: person.title,
    userType: person.userType,
    preferredLanguage: person.preferredLanguage,
    locale: person.locale,
    timezone: person.timezone,
    active: person.active === 'true',
    [userUrns.enterprise]: {
      employeeNumber: person.employeeNumber,
      organization: 'Acme',
      department: person.department,
      division: person.division,
      costCenter: person.costCenter,
      ...(managerId === undefined ? {} : { manager: { value: managerId } }),
    },
  };
}
