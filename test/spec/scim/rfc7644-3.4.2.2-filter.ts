import { type Json, type Scim, urn } from './client.ts';
import { expectError, expectSet } from './expect.ts';
import { fact, type Level, must, type Row, section } from './row.ts';

/** Three people that only these rows read. */
const people = (scim: Scim) =>
  scim.shared('people', async () => {
    const mark = scim.name('f');
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    const ada = await scim.user({
      schemas: [urn.user, urn.enterprise],
      userName: `${mark}.ada`,
      externalId: `${mark}-A`,
      displayName: 'Ada Alpha',
      nickName: 'Countess',
      active: true,
      title: 'Engineer',
      profileUrl: 'https://people.example/Ada',
      name: { familyName: 'Lovelace', givenName: 'Ada' },
      emails: [
        { value: 'ada@work.example', type: 'work', primary: true },
        { value: 'ada@home.example', type: 'home' },
      ],
      x509Certificates: [{ value: 'QUJD' }],
      [urn.enterprise]: { department: 'Analysis', employeeNumber: '10' },
    });
    await pause();
    const bob = await scim.user({
      userName: `${mark}.bob`,
      externalId: `${mark}-b`,
      displayName: 'bob beta',
      active: false,
      name: { familyName: 'Babbage', givenName: 'Charles' },
      emails: [
        { value: 'bob@home.example', type: 'home', primary: true },
        { value: 'bob@work.example', type: 'other' },
      ],
    });
    await pause();
    const cyd = await scim.user({
      userName: `${mark}.cyd`,
      externalId: `${mark}-C`,
      displayName: 'Cyd (Gamma) "quoted"',
      title: 'engineer',
      active: true,
    });
    return { mark, ada, bob, cyd };
  });

type People = Awaited<ReturnType<typeof people>>;

async function find(scim: Scim, filter: string): Promise<Json[]> {
  const { mark } = await people(scim);
  const list = await scim.list('/Users', { filter: `userName sw "${mark}." and (${filter})` });
  return (list.Resources ?? []).map((one: Json) => one.userName.slice(mark.length + 1));
}

type Case = readonly [level: Level, what: string, filter: string | ((them: People) => string), found: string];

const shift = (date: string, hours: number) => {
  const moved = new Date(Date.parse(date) + hours * 3_600_000).toISOString().replace('Z', '');
  return `${moved}${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:00`;
};

const operators: Case[] = [
  ['MUST', 'eq on a text', 'displayName eq "Ada Alpha"', 'ada'],
  ['MUST', 'eq on a text without caseExact does not look at case', 'displayName eq "ADA ALPHA"', 'ada'],
  ['MUST', 'eq on a text with caseExact looks at case', ({ mark }) => `externalId eq "${mark}-a"`, ''],
  ['MUST', 'eq on a text with caseExact finds it in its case', ({ mark }) => `externalId eq "${mark}-A"`, 'ada'],
  ['MUST', 'eq needs the whole value', 'displayName eq "Ada"', ''],
  ['MUST', 'ne on a text', 'displayName ne "Ada Alpha"', 'bob cyd'],
  ['MUST', 'co on a text', 'displayName co "A A"', 'ada'],
  ['MUST', 'co without regard to case', 'displayName co "BETA"', 'bob'],
  ['MUST', 'sw on a text', 'displayName sw "ada"', 'ada'],
  ['MUST', 'sw does not find what is further in', 'displayName sw "Alpha"', ''],
  ['MUST', 'sw finds an identical text', 'displayName sw "Ada Alpha"', 'ada'],
  ['MUST', 'ew on a text', 'displayName ew "beta"', 'bob'],
  ['MUST', 'ew does not find what is at the front', 'displayName ew "bob"', ''],
  ['MUST', 'ew finds an identical text', 'displayName ew "bob beta"', 'bob'],
  ['MUST', 'pr on a text', 'title pr', 'ada cyd'],
  ['MUST', 'pr on a multi-valued attribute', 'emails pr', 'ada bob'],
  ['MUST', 'pr on a complex attribute', 'name pr', 'ada bob'],
  ['MUST', 'pr on a sub-attribute', 'name.givenName pr', 'ada bob'],
  ['MUST', 'gt on a text is lexicographical', 'displayName gt "bob beta"', 'cyd'],
  ['MUST', 'ge on a text', 'displayName ge "bob beta"', 'bob cyd'],
  ['MUST', 'lt on a text', 'displayName lt "bob beta"', 'ada'],
  ['MUST', 'le on a text', 'displayName le "bob beta"', 'ada bob'],
  ['MUST', 'eq true and eq false on a boolean', 'active eq false', 'bob'],
  ['MUST', 'ne on a boolean', 'active ne false', 'ada cyd'],
  ['MUST', 'pr on a boolean that is false', 'active pr', 'ada bob cyd'],
  ['FACT', 'eq null finds who has no value', 'title eq null', 'bob'],
  ['FACT', 'ne null finds who has one', 'title ne null', 'ada cyd'],
  ['MUST', 'eq on a date', ({ bob }) => `meta.created eq "${bob.meta.created}"`, 'bob'],
  ['MUST', 'eq on a date in another zone', ({ bob }) => `meta.created eq "${shift(bob.meta.created, 2)}"`, 'bob'],
  ['MUST', 'gt on a date is chronological', ({ bob }) => `meta.created gt "${bob.meta.created}"`, 'cyd'],
  ['MUST', 'gt on a date in another zone', ({ bob }) => `meta.created gt "${shift(bob.meta.created, -7)}"`, 'cyd'],
  ['MUST', 'ge on a date', ({ bob }) => `meta.created ge "${bob.meta.created}"`, 'bob cyd'],
  ['MUST', 'lt on a date', ({ bob }) => `meta.created lt "${bob.meta.created}"`, 'ada'],
  ['MUST', 'le on a date', ({ bob }) => `meta.created le "${bob.meta.created}"`, 'ada bob'],
  [
    'MUST',
    'lastModified is filterable like created',
    ({ ada }) => `meta.lastModified le "${ada.meta.lastModified}"`,
    'ada',
  ],
  ['MUST', 'eq on a reference looks at case', 'profileUrl eq "https://people.example/ada"', ''],
  ['MUST', 'eq on a reference', 'profileUrl eq "https://people.example/Ada"', 'ada'],
  ['MUST', 'eq on a binary value', 'x509Certificates.value eq "QUJD"', 'ada'],
  ['MUST', 'eq on a binary value looks at case', 'x509Certificates.value eq "qujd"', ''],
  ['MUST', 'eq on an id', ({ bob }) => `id eq "${bob.id}"`, 'bob'],
  ['FACT', 'schemas can be searched', `schemas eq "${urn.enterprise}"`, 'ada'],
  ['FACT', 'meta.resourceType can be searched', 'meta.resourceType eq "User"', 'ada bob cyd'],
];

const paths: Case[] = [
  ['MUST', 'a sub-attribute', 'name.familyName eq "lovelace"', 'ada'],
  ['MUST', 'one of several values is enough', 'emails.value eq "ada@home.example"', 'ada'],
  ['FACT', 'a multi-valued attribute alone means its value', 'emails co "@work"', 'ada bob'],
  [
    'MUST',
    'parts outside brackets may be met by different values',
    'emails.type eq "home" and emails.value co "@work"',
    'ada bob',
  ],
  ['MUST', 'parts inside brackets are met by one value', 'emails[type eq "work" and value co "@work"]', 'ada'],
  ['MUST', 'brackets do not join two values', 'emails[type eq "home" and value co "@work"]', ''],
  ['MUST', 'or inside brackets', 'emails[type eq "work" or type eq "other"]', 'ada bob'],
  ['MUST', 'not inside brackets', 'emails[not (type eq "work") and not (type eq "home")]', 'bob'],
  ['MUST', 'a boolean inside brackets', 'emails[type eq "home" and primary eq true]', 'bob'],
  ['MUST', 'brackets beside other parts', 'title pr and emails[type eq "home"]', 'ada'],
  ['MUST', 'the fully qualified name of a core attribute', `${urn.user}:displayName eq "Ada Alpha"`, 'ada'],
  ['MUST', 'the fully qualified name of a core sub-attribute', `${urn.user}:name.familyName eq "Babbage"`, 'bob'],
  ['MUST', 'an attribute of an extension', `${urn.enterprise}:department eq "analysis"`, 'ada'],
  ['MUST', 'pr on an attribute of an extension', `${urn.enterprise}:employeeNumber pr`, 'ada'],
  ['MUST', 'the URN has no case', `${urn.enterprise.toUpperCase()}:DEPARTMENT eq "Analysis"`, 'ada'],
  ['MUST', 'attribute names have no case', 'DISPLAYNAME eq "Ada Alpha"', 'ada'],
  ['MUST', 'operators have no case', 'displayName EQ "Ada Alpha"', 'ada'],
];

const logic: Case[] = [
  ['MUST', 'and', 'active eq true and title eq "Engineer" and name.givenName eq "Ada"', 'ada'],
  ['MUST', 'or', 'displayName sw "bob" or displayName sw "cyd"', 'bob cyd'],
  ['MUST', 'not', 'not (title pr)', 'bob'],
  ['MUST', 'not on a comparison', 'not (displayName eq "Ada Alpha")', 'bob cyd'],
  ['MUST', 'and binds tighter than or', 'displayName sw "ada" or displayName sw "bob" and title pr', 'ada'],
  [
    'MUST',
    'and binds tighter than or, the other way round',
    'title pr and displayName sw "bob" or displayName sw "ada"',
    'ada',
  ],
  ['MUST', 'parentheses come first', '(displayName sw "ada" or displayName sw "bob") and not (title pr)', 'bob'],
  ['MUST', 'not binds tighter than and', 'not (title pr) and displayName sw "bob"', 'bob'],
  ['MUST', 'not binds tighter than or', 'not (title pr) or displayName sw "ada"', 'ada bob'],
  ['MUST', 'parentheses in parentheses', '((displayName sw "ada") or ((displayName sw "bob") and (title pr)))', 'ada'],
  ['MUST', 'logical words have no case', 'displayName sw "ada" OR displayName sw "bob" AND NOT (title pr)', 'ada bob'],
  [
    'FACT',
    'quotation marks, backslashes and brackets in a value are its own',
    'displayName eq "Cyd (Gamma) \\"quoted\\""',
    'cyd',
  ],
  ['FACT', 'a JSON escape in a value is read', 'displayName eq "\\u0041da Alpha"', 'ada'],
];

const invalid: readonly [what: string, filter: string][] = [
  ['an operator nobody knows', 'userName regex "a"'],
  ['no operator', 'userName'],
  ['no value', 'userName eq'],
  ['an empty filter', ' '],
  ['a text without quotation marks that is no number and no word', 'userName eq ada'],
  ['a quotation mark that is not closed', 'userName eq "ada'],
  ['a parenthesis that is not closed', '(userName eq "ada"'],
  ['a bracket that is not closed', 'emails[type eq "work"'],
  ['a parenthesis too many', 'userName eq "ada")'],
  ['nothing behind and', 'userName eq "ada" and'],
  ['two operators', 'userName eq eq "ada"'],
  ['pr with a value', 'userName pr "ada"'],
  ['not without parentheses', 'not userName eq "ada"'],
  ['empty brackets', 'emails[]'],
  ['a name that cannot be one', '1userName eq "ada"'],
  ['gt on a boolean', 'active gt true'],
  ['ge on a boolean', 'active ge true'],
  ['lt on a boolean', 'active lt true'],
  ['le on a boolean', 'active le true'],
  ['gt on a binary value', 'x509Certificates.value gt "QUJD"'],
  ['ge on a binary value', 'x509Certificates.value ge "QUJD"'],
  ['lt on a binary value', 'x509Certificates.value lt "QUJD"'],
  ['le on a binary value', 'x509Certificates.value le "QUJD"'],
  ['co on a boolean', 'active co "ru"'],
  ['what is no date for a date', 'meta.created gt "yesterday"'],
  ['a number for a text', 'userName eq 7'],
];

const rule = (level: Level) => (level === 'MUST' ? must : fact);

const asRows = (cases: Case[]) =>
  cases.map(([level, what, filter, found]) =>
    rule(level)(what, async (scim) => {
      const text = typeof filter === 'string' ? filter : filter(await people(scim));
      expectSet(await find(scim, text), found === '' ? [] : found.split(' '), `who is found by ${text}`);
      // Who finds nobody might find nobody ever.
      if (found === '')
        expectSet(await find(scim, `not (${text})`), ['ada', 'bob', 'cyd'], 'who is found by its contrary');
    }),
  );

export const rows: Row[] = [
  ...section('rfc7644', '3.4.2.2', asRows(operators)),
  ...section('rfc7644', '3.4.2.2', asRows(paths)),
  ...section('rfc7644', '3.4.2.2', asRows(logic)),
  ...section(
    'rfc7644',
    '3.4.2.2',
    invalid.map(([what, filter]) =>
      must(`${what} is refused: ${filter}`, async (scim) => {
        expectError(await scim.get(`/Users?filter=${encodeURIComponent(filter)}`), 400, 'invalidFilter');
      }),
    ),
  ),
  ...section('rfc7644', '3.4.2.2', [
    must('groups are filtered by displayName, members and membership', async (scim) => {
      const user = await scim.user();
      const [mine, other] = [await scim.group({ members: [{ value: user.id }] }), await scim.group()];
      const ids = async (filter: string) =>
        (await scim.list('/Groups', { filter })).Resources?.map((one: Json) => one.id);
      expectSet(await ids(`displayName eq "${other.displayName.toUpperCase()}"`), [other.id], 'by displayName');
      expectSet(await ids(`members.value eq "${user.id}"`), [mine.id], 'by members.value');
      expectSet(await ids(`members[value eq "${user.id}"]`), [mine.id], 'by members[…]');
      expectSet(await ids(`members eq "${user.id}"`), [mine.id], 'by members');
    }),
    must('users are filtered by their groups', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      const list = await scim.list('/Users', { filter: `groups.value eq "${group.id}"` });
      expectSet(
        list.Resources?.map((one: Json) => one.id),
        [user.id],
        'who is found',
      );
    }),
    fact('a filter may come with plus signs for spaces', async (scim) => {
      const { ada } = await people(scim);
      const answer = await scim.get(`/Users?filter=id+eq+%22${ada.id}%22`);
      expectSet(
        answer.body?.Resources?.map((one: Json) => one.id),
        [ada.id],
        'who is found',
      );
    }),
    must('a filter for an attribute nobody has finds nobody or is refused as such', async (scim) => {
      const answer = await scim.get(`/Users?filter=${encodeURIComponent('shoeSize eq "7"')}`);
      if (answer.status === 200) expectSet(answer.body?.Resources, [], 'who is found');
      else expectError(answer, 400, 'invalidFilter');
      expectSet(await find(scim, 'title eq "Engineer"'), ['ada', 'cyd'], 'who is found by another');
    }),
  ]),
];
