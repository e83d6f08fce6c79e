import { urn } from './client.ts';
import { expect, expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const home = (value: string, more: object = {}) => ({ value, type: 'home', ...more });

export const rows: Row[] = [
  ...section('rfc7643', '2.1', [
    fact('attribute names have no case in a POST', async (scim) => {
      const made = await scim.user({ NICKNAME: 'Countess', Name: { FAMILYname: 'Lovelace' } });
      expectSame(made.nickName, 'Countess', 'nickName');
      expectSame(made.name?.familyName, 'Lovelace', 'name.familyName');
    }),
    fact('attribute names have no case in a PUT', async (scim) => {
      const made = await scim.user();
      const answer = await scim.put(made, { USERNAME: made.userName, displayname: 'Ada' });
      expectStatus(answer, 200);
      expectSame(answer.body.displayName, 'Ada', 'displayName');
    }),
    fact('attribute names have no case in a PATCH path', async (scim) => {
      const made = await scim.user();
      const changed = await scim.patched(made, { op: 'replace', path: 'NAME.givenname', value: 'Ada' });
      expectSame(changed.name?.givenName, 'Ada', 'name.givenName');
    }),
    fact('attribute names have no case inside an extension', async (scim) => {
      const made = await scim.user({
        schemas: [urn.user, urn.enterprise],
        [urn.enterprise]: { DEPARTMENT: 'Analysis' },
      });
      expectSame(made[urn.enterprise]?.department, 'Analysis', 'department');
    }),
    must('every representation names its schemas', async (scim) => {
      const made = await scim.user();
      const found = await scim.list('/Users', { filter: `id eq "${made.id}"` });
      expectSame((await scim.read(made)).schemas, [urn.user], 'schemas of the one');
      expectSame(found.Resources?.[0]?.schemas, [urn.user], 'schemas in the list');
    }),
    must(
      'served attribute names begin with a letter (or are $ref) and go on with letters, digits, "-", "_" and "$"',
      async (scim) => {
        const { Resources } = await scim.list('/Schemas');
        type Attribute = { name: string; subAttributes?: Attribute[] };
        const names = (list: Attribute[] = []): string[] =>
          list.flatMap((one) => [one.name, ...names(one.subAttributes)]);
        const all = (Resources ?? []).flatMap((schema: { attributes: Attribute[] }) => names(schema.attributes));
        expect(all.length > 50, `only ${all.length} attributes are described`);
        expectSame(
          all.filter((name: string) => name !== '$ref' && !/^[A-Za-z][-_$A-Za-z0-9]*$/.test(name)),
          [],
          'names that are none',
        );
      },
    ),
  ]),
  ...section('rfc7643', '2.3', [
    must('2.3.1 a string may be empty or hold any Unicode', async (scim) => {
      const title = 'Grüße 数学 🙂 "quoted" \\ and / slash';
      const made = await scim.user({ title });
      expectSame((await scim.read(made)).title, title, 'title');
    }),
    must('2.3.1 what is no string is refused for a string', async (scim) => {
      for (const title of [5, true, ['a'], { value: 'a' }]) {
        expectError(
          await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), title }),
          400,
          'invalidValue',
        );
      }
    }),
    must('2.3.2 a boolean is true or false, and comes back as that', async (scim) => {
      expectSame((await scim.user({ active: false })).active, false, 'active');
      expectSame((await scim.user({ active: true })).active, true, 'active');
    }),
    must('2.3.2 a number or another word is refused for a boolean', async (scim) => {
      for (const active of [1, 'yes', []]) {
        expectError(
          await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), active }),
          400,
          'invalidValue',
        );
      }
    }),
    must('2.3.5 meta.created and meta.lastModified are dates with a time and a zone', async (scim) => {
      const { meta } = await scim.user();
      for (const name of ['created', 'lastModified']) {
        expect(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(meta?.[name]),
          `${name} is ${meta?.[name]}`,
        );
      }
    }),
    must('2.3.6 base64 is taken for a binary value and comes back as the same bytes', async (scim) => {
      const value = Buffer.from('a certificate').toString('base64');
      const made = await scim.user({ x509Certificates: [{ value }] });
      expectSame((await scim.read(made)).x509Certificates?.[0]?.value, value, 'the certificate');
    }),
    must('2.3.6 what is no base64 is refused for a binary value', async (scim) => {
      const body = { schemas: [urn.user], userName: scim.name(), x509Certificates: [{ value: 'not base64!' }] };
      expectError(await scim.post('/Users', body), 400, 'invalidValue');
    }),
    must('2.3.7 a $ref that is given out can be read, and is the resource', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      const ref = (await scim.read(group)).members?.[0]?.$ref;
      expect(typeof ref === 'string', 'the member has no $ref');
      const answer = await scim.get(new URL(ref, `${scim.base}/`).href);
      expectStatus(answer, 200);
      expectSame(answer.body?.id, user.id, 'the id behind the $ref');
    }),
    must('2.3.8 the order of sub-attributes says nothing', async (scim) => {
      const made = await scim.user({ name: { givenName: 'Ada', familyName: 'Lovelace' } });
      const answer = await scim.put(made, {
        userName: made.userName,
        name: { familyName: 'Lovelace', givenName: 'Ada' },
      });
      expectStatus(answer, 200);
      expectSame(answer.body.name, made.name, 'the name');
      expectSame(answer.body.meta.version, made.meta.version, 'the version, as nothing changed,');
    }),
    must('2.3.8 a complex attribute is an object; another value is refused', async (scim) => {
      for (const name of ['Ada Lovelace', 7, [1, 2]]) {
        expectError(
          await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), name }),
          400,
          'invalidValue',
        );
      }
    }),
    must('2.3.8 no served sub-attribute is complex', async (scim) => {
      const { Resources } = await scim.list('/Schemas');
      const subs = (Resources ?? []).flatMap((schema: { attributes: { subAttributes?: { type: string }[] }[] }) =>
        schema.attributes.flatMap((one) => one.subAttributes ?? []),
      );
      expect(subs.length > 30, `only ${subs.length} sub-attributes are described`);
      expectSame(
        subs.filter((sub: { type: string }) => sub.type === 'complex'),
        [],
        'complex sub-attributes',
      );
    }),
  ]),
  ...section('rfc7643', '2.4', [
    must('the values of a multi-valued attribute are an array, also when there is one', async (scim) => {
      const made = await scim.user({ emails: [home('ada@home.example')] });
      expect(Array.isArray(made.emails) && made.emails.length === 1, 'emails is no array of one');
    }),
    must('what is no array is refused for a multi-valued attribute', async (scim) => {
      const body = { schemas: [urn.user], userName: scim.name(), emails: 'ada@home.example' };
      expectError(await scim.post('/Users', body), 400, 'invalidValue');
    }),
    must('primary is true on one value at most: two are refused in a POST', async (scim) => {
      const emails = [home('a@x.example', { primary: true }), { value: 'b@x.example', primary: true }];
      expectError(
        await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), emails }),
        400,
        'invalidValue',
      );
    }),
    must('primary is true on one value at most: two are refused in a PUT', async (scim) => {
      const made = await scim.user();
      const emails = [home('a@x.example', { primary: true }), { value: 'b@x.example', primary: true }];
      expectError(await scim.put(made, { userName: made.userName, emails }), 400, 'invalidValue');
    }),
    must('primary that is not said counts as false: a filter for true does not find it', async (scim) => {
      const made = await scim.user({ emails: [home('a@x.example'), { value: 'b@x.example', primary: true }] });
      const whose = (filter: string) => scim.list('/Users', { filter: `id eq "${made.id}" and ${filter}` });
      expectSame(
        (await whose('emails[value eq "b@x.example" and primary eq true]')).totalResults,
        1,
        'the primary one',
      );
      expectSame((await whose('emails[value eq "a@x.example" and primary eq true]')).totalResults, 0, 'the other');
    }),
    must('type, value, display and primary come back as they were given', async (scim) => {
      const emails = [{ value: 'ada@work.example', display: 'Ada', type: 'work', primary: true }];
      expectSame((await scim.user({ emails })).emails, emails, 'emails');
    }),
    fact('one value may be there twice with different types', async (scim) => {
      const emails = [home('a@x.example'), { value: 'a@x.example', type: 'work' }];
      expectSet((await scim.user({ emails })).emails, emails, 'emails');
    }),
    should('the same value and type are returned once, though they were added again', async (scim) => {
      const made = await scim.user({ emails: [home('a@x.example')] });
      const changed = await scim.patched(made, { op: 'add', path: 'emails', value: [home('a@x.example')] });
      expectSame(changed.emails, [home('a@x.example')], 'emails');
    }),
    fact('a type beyond the canonical ones is kept', async (scim) => {
      const emails = [{ value: 'a@x.example', type: 'cottage' }];
      expectSame((await scim.user({ emails })).emails, emails, 'emails');
    }),
  ]),
  ...section(
    'rfc7643',
    '2.4',
    [
      should('the same value and type are returned once, though they were posted twice', async (scim) => {
        const made = await scim.user({ emails: [home('a@x.example'), home('a@x.example')] });
        expectSame((await scim.read(made)).emails, [home('a@x.example')], 'emails');
      }),
      should('the same value and type are returned once, though they were put twice', async (scim) => {
        const made = await scim.user();
        const answer = await scim.put(made, {
          userName: made.userName,
          emails: [home('a@x.example'), home('a@x.example')],
        });
        expectStatus(answer, 200);
        expectSame((await scim.read(made)).emails, [home('a@x.example')], 'emails');
      }),
    ],
    'duplicate values',
  ),
  ...section('rfc7643', '2.5', [
    ...(
      [
        ['POST', 'null', null],
        ['POST', 'an empty array', []],
        ['PUT', 'null', null],
        ['PUT', 'an empty array', []],
        ['PUT', 'nothing', undefined],
      ] as const
    ).map(([method, what, value]) =>
      must(`${what} for a multi-valued attribute in a ${method} leaves it unassigned`, async (scim) => {
        const start = method === 'POST' ? { emails: value } : { emails: [home('a@x.example')] };
        const made = await scim.user(start);
        if (method === 'PUT') {
          expectSame(made.emails?.length, 1, 'the number of emails before');
          expectStatus(await scim.put(made, { userName: made.userName, emails: value }), 200);
        }
        const now = await scim.read(made);
        expect(now.emails === undefined || now.emails === null || now.emails.length === 0, 'emails has values');
        const present = await scim.list('/Users', { filter: `id eq "${made.id}" and emails pr` });
        expectSame(present.totalResults, 0, 'how many the filter "emails pr" finds');
      }),
    ),
    must('null for a single-valued attribute unassigns it', async (scim) => {
      const made = await scim.user({ title: 'Countess', name: { givenName: 'Ada', familyName: 'King' } });
      const answer = await scim.put(made, {
        userName: made.userName,
        title: null,
        name: { givenName: null, familyName: 'King' },
      });
      expectStatus(answer, 200);
      expect(made.title === 'Countess' && (answer.body.title ?? null) === null, 'title is still there');
      expectSame(answer.body.name, { familyName: 'King' }, 'the name');
    }),
    must('from unassigned to null is no change: the version stays', async (scim) => {
      const made = await scim.user();
      const answer = await scim.put(made, { userName: made.userName, title: null, emails: [] });
      expectStatus(answer, 200);
      expectSame(answer.body.meta.version, made.meta.version, 'the version');
    }),
    must('null in a PATCH unassigns', async (scim) => {
      const made = await scim.user({ title: 'Countess' });
      const changed = await scim.patched(made, { op: 'replace', path: 'title', value: null });
      expect(made.title === 'Countess' && (changed.title ?? null) === null, 'title is still there');
    }),
    must('an empty array in a PATCH unassigns', async (scim) => {
      const made = await scim.user({ emails: [home('a@x.example')] });
      const changed = await scim.patched(made, { op: 'replace', path: 'emails', value: [] });
      expect(made.emails?.length === 1 && (changed.emails ?? []).length === 0, 'emails are still there');
    }),
  ]),
];
