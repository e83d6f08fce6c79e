import { writeFileSync } from 'node:fs';
import { type Culture, cultures } from './names.ts';

// Makes people.csv and groups.csv, the same ones every time: `npx node examples/acme/make.ts`.

export type Person = {
  userName: string;
  givenName: string;
  familyName: string;
  displayName: string;
  email: string;
  phone: string;
  mobile: string;
  title: string;
  department: string;
  division: string;
  costCenter: string;
  employeeNumber: string;
  userType: string;
  manager: string;
  city: string;
  country: string;
  locale: string;
  preferredLanguage: string;
  timezone: string;
  active: string;
};

export type Group = { name: string; description: string; members: string[] };

const peopleWanted = 1_000;
const seed = 20260302;

type Department = { name: string; division: string; costCenter: string; share: number; titles: readonly string[] };

const departments: readonly Department[] = [
  ['Engineering', 'Technology', 250, 'Software Engineer|Senior Software Engineer|Staff Engineer|Test Engineer'],
  ['Sales', 'Commercial', 170, 'Account Executive|Account Manager|Sales Engineer|Inside Sales Representative'],
  ['Customer Support', 'Commercial', 140, 'Support Engineer|Support Specialist|Escalation Engineer'],
  ['Operations', 'Operations', 110, 'Logistics Specialist|Buyer|Operations Analyst|Warehouse Coordinator'],
  ['Marketing', 'Commercial', 70, 'Content Editor|Campaign Manager|Designer|Event Manager'],
  ['Information Technology', 'Technology', 70, 'Systems Administrator|Network Engineer|Service Desk Analyst'],
  ['Product', 'Technology', 50, 'Product Manager|User Researcher|Product Designer'],
  ['Finance', 'Administration', 50, 'Accountant|Controller|Payroll Specialist|Treasury Analyst'],
  ['Human Resources', 'Administration', 30, 'Recruiter|HR Business Partner|Training Coordinator'],
  ['Facilities', 'Operations', 25, 'Facility Coordinator|Receptionist|Technician'],
  ['Legal', 'Administration', 20, 'Counsel, Contracts|Counsel, Employment|Paralegal|Privacy Officer'],
  ['Research', 'Technology', 15, 'Research Scientist|Research Engineer'],
].map(([name, division, share, titles], i) => ({
  name: name as string,
  division: division as string,
  costCenter: `CC-${4100 + i * 100}`,
  share: share as number,
  titles: (titles as string).split('|'),
}));

/** Mulberry32: small, seeded, the same on every machine. Answers with a number from 0 up to, not including, 1. */
function openDice(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Dice = ReturnType<typeof openDice>;

const pick = <T>(dice: Dice, from: readonly T[]): T => from[Math.floor(dice() * from.length)]!;

function pickByShare<T extends { share: number }>(dice: Dice, from: readonly T[]): T {
  let rest = dice() * from.reduce((sum, each) => sum + each.share, 0);
  for (const each of from) {
    rest -= each.share;
    if (rest < 0) return each;
  }
  return from.at(-1)!;
}

const withoutMarks: Record<string, string> = {
  ß: 'ss',
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  þ: 'th',
  ð: 'd',
};

/** A name as part of a user name: plain ASCII, in lower case, without spaces. */
function transcribe(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, (letter) => withoutMarks[letter] ?? '')
    .replace(/[^a-z-]/g, '');
}

function readName(entry: string): { written: string; ascii: string } {
  const [name, ascii] = entry.split(':') as [string, string | undefined];
  const written = name.replaceAll('_', ' ').normalize('NFC');
  return { written, ascii: ascii ?? transcribe(written) };
}

/** Numbers that are kept free for fiction, so that nobody is ever rung up. */
function makePhone(dice: Dice, country: string): string {
  const digits = (n: number) => String(Math.floor(dice() * 10 ** n)).padStart(n, '0');
  if (country === 'US' || country === 'BR') return `+1 ${pick(dice, ['212', '312', '415', '617'])} 555 01${digits(2)}`;
  if (country === 'DE') return `+49 30 23125 ${digits(3)}`;
  if (country === 'FR') return `+33 1 99 00 ${digits(2)} ${digits(2)}`;
  if (country === 'SE') return `+46 8 465 004 ${digits(2)}`;
  return `+44 20 7946 0${digits(3)}`;
}

/** 1,000 people, managers before those who report to them. The first is the chief executive and has no manager. */
export function makePeople(): Person[] {
  const dice = openDice(seed);
  const taken = new Map<string, number>();
  const people: Person[] = [];
  const heads = new Map<string, Person>();
  const leads = new Map<string, { person: Person; reports: number }[]>();

  for (let n = 0; n < peopleWanted; n++) {
    const department = departments[n - 1] ?? pickByShare(dice, departments);
    const person = makePerson(dice, n, department, taken);
    people.push(person);
    if (n === 0) {
      Object.assign(person, { title: 'Chief Executive Officer', department: 'Executive', division: 'Executive' });
      Object.assign(person, { costCenter: 'CC-4000', userType: 'Employee' });
      continue;
    }
    if (n <= departments.length) {
      Object.assign(person, {
        title: `Head of ${department.name}`,
        userType: 'Employee',
        manager: people[0]!.userName,
      });
      heads.set(department.name, person);
      leads.set(department.name, []);
      continue;
    }
    const team = leads.get(department.name)!;
    const open = team.filter((lead) => lead.reports < 8);
    if (open.length === 0) {
      Object.assign(person, { title: `Team Lead, ${department.name}`, userType: 'Employee' });
      person.manager = heads.get(department.name)!.userName;
      team.push({ person, reports: 0 });
    } else {
      const lead = pick(dice, open);
      lead.reports++;
      person.manager = lead.person.userName;
    }
  }
  return people;
}

function makePerson(dice: Dice, n: number, department: Department, taken: Map<string, number>): Person {
  const culture: Culture = pickByShare(dice, cultures);
  const given = readName(pick(dice, culture.given.split(' ')));
  const family = readName(pick(dice, culture.family.split(' ')));
  const base = `${given.ascii}.${family.ascii}`;
  const count = (taken.get(base) ?? 0) + 1;
  taken.set(base, count);
  const local = count === 1 ? base : `${base}${count}`;
  // Some of the sales force are kept in a user store of their own.
  const domain = department.name === 'Sales' && n > departments.length && dice() < 0.15 ? 'SALES/' : '';
  const spaced = /^(zh|ja|ko)/.test(culture.locale) ? '' : ' ';
  const kind = dice();
  return {
    userName: `${domain}${local}`,
    givenName: given.written,
    familyName: family.written,
    displayName:
      culture.order === 'family-first'
        ? `${family.written}${spaced}${given.written}`
        : `${given.written} ${family.written}`,
    email: `${local}@acme.example`,
    phone: makePhone(dice, culture.country),
    mobile: dice() < 0.4 ? makePhone(dice, culture.country) : '',
    title: pick(dice, department.titles),
    department: department.name,
    division: department.division,
    costCenter: department.costCenter,
    employeeNumber: `E${String(10_001 + n)}`,
    userType: kind < 0.9 ? 'Employee' : kind < 0.98 ? 'Contractor' : 'Intern',
    manager: '',
    city: culture.city,
    country: culture.country,
    locale: culture.locale,
    preferredLanguage: dice() < 0.85 ? culture.locale : 'en-GB',
    timezone: culture.timezone,
    active: n > departments.length && dice() < 0.015 ? 'false' : 'true',
  };
}

const sites: readonly (readonly [city: string, name: string, region: string])[] = [
  ['New York', 'Site New York', 'Americas'],
  ['São Paulo', 'Escritório São Paulo', 'Americas'],
  ['London', 'Site London', 'Europe'],
  ['München', 'Standort München', 'Europe'],
  ['Paris', 'Site de Paris', 'Europe'],
  ['Łódź', 'Biuro Łódź', 'Europe'],
  ['Алматы', 'Офис Алматы', 'Asia and Pacific'],
  ['دبي', 'مكتب دبي', 'Middle East'],
  ['חיפה', 'משרד חיפה', 'Middle East'],
  ['पुणे', 'पुणे कार्यालय', 'Asia and Pacific'],
  ['上海', '上海办公室', 'Asia and Pacific'],
  ['東京', '東京オフィス', 'Asia and Pacific'],
];

/** 40 groups. A member is a user name, or `group:` and the name of a group that stands further up in the list. */
export function makeGroups(people: readonly Person[]): Group[] {
  const dice = openDice(seed + 1);
  const groups: Group[] = [];
  const add = (name: string, description: string, members: string[]) => groups.push({ name, description, members });
  const those = (wanted: (person: Person) => boolean) => people.filter(wanted).map((person) => person.userName);
  const some = (n: number) => {
    const chosen = new Set<string>();
    while (chosen.size < n) chosen.add(pick(dice, people).userName);
    return [...chosen];
  };
  const inside = (names: readonly string[]) => names.map((name) => `group:${name}`);

  for (const { name } of departments)
    add(
      name,
      `Everyone in ${name}`,
      those((person) => person.department === name),
    );
  for (const [city, name] of sites)
    add(
      name,
      `People who work in ${city}`,
      those((person) => person.city === city),
    );
  for (const region of ['Americas', 'Europe', 'Middle East', 'Asia and Pacific']) {
    add(
      region,
      `Sites of the region ${region}`,
      inside(sites.filter(([, , of]) => of === region).map(([, name]) => name)),
    );
  }
  add('All Sites', 'Every region', inside(['Americas', 'Europe', 'Middle East', 'Asia and Pacific']));
  add('Company', 'The chief executive and every department', [
    people[0]!.userName,
    ...inside(departments.map(({ name }) => name)),
  ]);
  add(
    'Building A Access',
    'Opens the doors of building A',
    people.slice(0, 600).map((person) => person.userName),
  );
  const managing = new Set(people.map((person) => person.manager));
  add(
    'Managers',
    'Whoever somebody reports to',
    those((person) => managing.has(person.userName)),
  );
  add(
    'Leadership',
    '',
    those((person) => person.manager === '' || person.manager === people[0]!.userName),
  );
  add('VPN Users', 'Access from outside', [
    ...inside(['Engineering', 'Information Technology', 'Leadership']),
    ...some(60),
  ]);
  add(
    'Contractors',
    'Reviewed every quarter',
    those((person) => person.userType === 'Contractor'),
  );
  add(
    'Interns',
    'This year’s interns',
    those((person) => person.userType === 'Intern'),
  );
  add('First Aiders', 'Trained in first aid, "call 112 first"', some(40));
  add('On Call', 'Rotation, weekly', some(12));
  add('Project Ελπίδα', 'Moves the warehouse system, ends in December', [...inside(['Research']), ...some(25)]);
  add('Empty for now', 'Nobody yet', []);
  return groups;
}

/** RFC 4180 with line feeds, UTF-8 and a header line. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

/** The two files by name. */
export function makeFiles(): Record<'people.csv' | 'groups.csv', string> {
  const people = makePeople();
  const groups = makeGroups(people).map((group) => [group.name, group.description, group.members.join(';')]);
  const columns = Object.keys(people[0]!) as (keyof Person)[];
  return {
    'people.csv': writeCsv(
      columns,
      people.map((person) => columns.map((column) => person[column])),
    ),
    'groups.csv': writeCsv(['name', 'description', 'members'], groups),
  };
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeFiles())) writeFileSync(new URL(name, import.meta.url), text);
}
