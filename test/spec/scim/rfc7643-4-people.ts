import { type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const countOf = async (scim: Scim, filter: string, path = '/Users') => (await scim.list(path, { filter })).totalResults;

/** Single-valued strings of a user (section 4.1.1), each with a value. */
const texts = {
  displayName: 'Ada King',
  nickName: 'Countess',
  profileUrl: 'https://people.example/ada',
  title: 'Analyst',
  userType: 'Employee',
  preferredLanguage: 'en-GB',
  locale: 'en-GB',
  timezone: 'Europe/London',
};

const several = {
  emails: [{ value: 'ada@work.example', type: 'work', primary: true }],
  phoneNumbers: [{ value: 'tel:+1-201-555-0123', type: 'mobile' }],
  ims: [{ value: 'ada', type: 'xmpp' }],
  photos: [{ value: 'https://people.example/ada.png', type: 'photo' }],
  addresses: [
    {
      formatted: '1 St James\nLondon',
      streetAddress: '1 St James',
      locality: 'London',
      region: 'LDN',
      postalCode: 'SW1',
      country: 'GB',
      type: 'home',
      primary: true,
    },
  ],
  entitlements: [{ value: 'parking' }],
  roles: [{ value: 'Analyst' }],
  x509Certificates: [{ value: 'MIIBCg==' }],
};

const refuse = async (scim: Scim, path: string, body: object) =>
  expectError(await scim.post(path, body), 400, 'invalidValue');

export const rows: Row[] = [
  ...section('rfc7643', '4.1.1', [
    must('a user has a userName: none, an empty one and null are refused', async (scim) => {
      for (const userName of [undefined, '', ' ', null])
        await refuse(scim, '/Users', { schemas: [urn.user], userName });
    }),
    must('userName cannot go away in a PUT', async (scim) => {
      const made = await scim.user();
      expectError(await scim.put(made, { displayName: 'Ada' }), 400, 'invalidValue');
      expectSame((await scim.read(made)).userName, made.userName, 'userName');
    }),
    must('userName is unique among users without regard to case', async (scim) => {
      const userName = scim.name('Unique');
      await scim.user({ userName });
      expectError(
        await scim.post('/Users', { schemas: [urn.user], userName: userName.toUpperCase() }),
        409,
        'uniqueness',
      );
    }),
    must('userName stays unique in a PUT and in a PATCH', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user()];
      expectError(await scim.put(second, { userName: first.userName }), 409, 'uniqueness');
      expectError(
        await scim.patch(second, { op: 'replace', path: 'userName', value: first.userName }),
        409,
        'uniqueness',
      );
      expectSame((await scim.read(second)).userName, second.userName, 'userName');
    }),
    must('userName may change its own case', async (scim) => {
      const made = await scim.user({ userName: scim.name('ada') });
      const answer = await scim.put(made, { userName: made.userName.toUpperCase() });
      expectSame([answer.status, answer.body?.userName], [200, made.userName.toUpperCase()], 'status and userName');
    }),
    ...Object.entries(texts).map(([name, value]) =>
      fact(`${name} is kept, replaced and removed`, async (scim) => {
        const made = await scim.user({ [name]: value });
        expectSame((await scim.read(made))[name], value, name);
        expectSame(
          (await scim.patched(made, { op: 'replace', path: name, value: `${value}x` }))[name],
          `${value}x`,
          name,
        );
        expectSame((await scim.patched(made, { op: 'remove', path: name }))[name], undefined, name);
      }),
    ),
    should('formatted and the parts of a name both come back as they were given', async (scim) => {
      const name = {
        formatted: 'Lady Ada M King II',
        familyName: 'King',
        givenName: 'Ada',
        middleName: 'M',
        honorificPrefix: 'Lady',
        honorificSuffix: 'II',
      };
      expectSame((await scim.user({ name })).name, name, 'name');
    }),
    must(
      'a password is not returned: not after a POST, a PUT, a PATCH, a GET, in a list or when it is asked for',
      async (scim) => {
        const password = 't1meMa$heen-and-more';
        const posted = await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), password });
        expectStatus(posted, 201);
        const at = `/Users/${posted.body.id}`;
        const patch = {
          schemas: [urn.patch],
          Operations: [{ op: 'replace', path: 'password', value: `${password}2` }],
        };
        const answers = [
          posted,
          await scim.get(at),
          await scim.get(`${at}?attributes=password,userName`),
          await scim.call('PATCH', `${at}?attributes=password,userName`, patch),
          await scim.call('PUT', at, { schemas: [urn.user], userName: posted.body.userName, password: `${password}3` }),
          await scim.get(
            `/Users?filter=${encodeURIComponent(`id eq "${posted.body.id}"`)}&attributes=password,userName`,
          ),
        ];
        for (const answer of answers) {
          expectStatus(answer, 200, 201);
          expect(answer.text.includes(posted.body.userName), 'the user is not in the answer');
          expect(!answer.text.includes(password) && !/"password"/i.test(answer.text), 'the password is in an answer');
        }
      },
    ),
    must('the schema says password is writeOnly and never returned', async (scim) => {
      const { body } = await scim.get(`/Schemas/${urn.user}`);
      const { mutability, returned } = body?.attributes?.find((one: Json) => one.name === 'password') ?? {};
      expectSame({ mutability, returned }, { mutability: 'writeOnly', returned: 'never' }, 'what the schema says');
    }),
    must('passwords cannot be searched by their beginnings', async (scim) => {
      const made = await scim.user({ password: 'correct-horse-battery' });
      const filter = encodeURIComponent(`id eq "${made.id}" and password sw "correct"`);
      const answer = await scim.get(`/Users?filter=${filter}`);
      expect(answer.status === 400 || answer.status === 403, `answered ${answer.status}`);
      expectError(answer, answer.status);
    }),
  ]),
  ...section('rfc7643', '4.1.2', [
    ...Object.entries(several).map(([name, value]) =>
      fact(`${name} are kept with their sub-attributes`, async (scim) => {
        expectSame((await scim.read(await scim.user({ [name]: value })))[name], value, name);
      }),
    ),
    should('an e-mail address is found however its domain is written', async (scim) => {
      const made = await scim.user({ emails: [{ value: `${scim.name('bj')}@EXAMPLE.com`, type: 'work' }] });
      const address = made.emails[0].value.toLowerCase();
      expectSame(await countOf(scim, `emails.value eq "${address}"`), 1, 'how many are found');
    }),
    should('groups tell of direct membership', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      const [entry, ...others] = (await scim.read(user)).groups ?? [];
      expectSame(others, [], 'other groups');
      expectSame(
        [entry?.value, entry?.type, entry?.display],
        [group.id, 'direct', group.displayName],
        'value, type, display',
      );
    }),
    must('groups[].value is the id and $ref the address of the group', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      const [entry] = (await scim.read(user)).groups ?? [];
      expectSame([entry?.value, entry?.$ref], [group.id, group.meta.location], 'value and $ref');
    }),
    fact('groups through a nested group, where they are told, are marked indirect', async (scim) => {
      const user = await scim.user();
      const inner = await scim.group({ members: [{ value: user.id }] });
      const outer = await scim.group({ members: [{ value: inner.id }] });
      const entries: Json[] = (await scim.read(user)).groups ?? [];
      expectSame(entries.find((one) => one.value === inner.id)?.type, 'direct', 'the type of the inner group');
      const through = entries.find((one) => one.value === outer.id);
      expect(through === undefined || through.type === 'indirect', 'the outer group is called direct');
    }),
    must('groups is readOnly: ignored in POST and PUT', async (scim) => {
      const group = await scim.group();
      const made = await scim.user({ groups: [{ value: group.id }] });
      expectStatus(await scim.put(made, { userName: made.userName, groups: [{ value: group.id }] }), 200);
      expectSame((await scim.read(made)).groups ?? [], [], 'groups');
      expectSame((await scim.read(group)).members ?? [], [], 'members');
    }),
    must('groups is readOnly: a PATCH of it is refused', async (scim) => {
      const [user, group] = [await scim.user(), await scim.group()];
      expectError(
        await scim.patch(user, { op: 'add', path: 'groups', value: [{ value: group.id }] }),
        400,
        'mutability',
      );
    }),
    must('a certificate is base64', async (scim) => {
      await refuse(scim, '/Users', {
        schemas: [urn.user],
        userName: scim.name(),
        x509Certificates: [{ value: '<cert>' }],
      });
    }),
  ]),
  ...section('rfc7643', '4.2', [
    must('a group has a displayName: none, an empty one and null are refused', async (scim) => {
      for (const displayName of [undefined, '', null])
        await refuse(scim, '/Groups', { schemas: [urn.group], displayName });
    }),
    must('displayName cannot go away in a PUT', async (scim) => {
      const made = await scim.group();
      expectError(await scim.put(made, { members: [] }), 400, 'invalidValue');
    }),
    fact('members are users and groups, told by value, $ref, display and type', async (scim) => {
      const [user, inner] = [await scim.user({ displayName: 'Ada' }), await scim.group()];
      const group = await scim.read(
        await scim.group({ members: [{ value: user.id }, { value: inner.id, type: 'Group' }] }),
      );
      expectSet(
        group.members,
        [
          { value: user.id, $ref: user.meta.location, display: 'Ada', type: 'User' },
          { value: inner.id, $ref: inner.meta.location, display: inner.displayName, type: 'Group' },
        ].map((one) => ({ ...one })),
        'members',
      );
    }),
    fact('a member that does not exist is refused', async (scim) => {
      const body = { schemas: [urn.group], displayName: scim.name(), members: [{ value: 'nobody-has-this-id' }] };
      await refuse(scim, '/Groups', body);
    }),
    fact('a member without a value is refused', async (scim) => {
      await refuse(scim, '/Groups', { schemas: [urn.group], displayName: scim.name(), members: [{ display: 'Ada' }] });
    }),
    fact('a member’s value is immutable', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: first.id }] });
      const path = `members[value eq "${first.id}"].value`;
      expectError(await scim.patch(group, { op: 'replace', path, value: second.id }), 400, 'mutability');
      expectSame(
        (await scim.read(group)).members?.map((one: Json) => one.value),
        [first.id],
        'the members',
      );
    }),
    fact('a member named twice is there once', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }, { value: user.id }] });
      expectSame((await scim.read(group)).members?.length, 1, 'how many members there are');
    }),
    fact('who is deleted leaves their groups', async (scim) => {
      const [user, other] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: user.id }, { value: other.id }] });
      expectSame((await scim.read(group)).members?.length, 2, 'how many members there were');
      expectStatus(await scim.call('DELETE', scim.at(user)), 204);
      expectSame(
        (await scim.read(group)).members?.map((one: Json) => one.value),
        [other.id],
        'the members',
      );
    }),
  ]),
  ...section('rfc7643', '4.3', [
    ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name) =>
      fact(`${name} is kept and filterable by its URN`, async (scim) => {
        const value = scim.name(name);
        const made = await scim.user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { [name]: value } });
        expectSame((await scim.read(made))[urn.enterprise], { [name]: value }, 'the extension');
        expectSame(
          await countOf(scim, `${urn.enterprise}:${name} eq "${value.toUpperCase()}"`),
          1,
          'how many are found',
        );
      }),
    ),
    should('manager has the manager’s id and address', async (scim) => {
      const boss = await scim.user({ displayName: 'Boss' });
      const manager = { value: boss.id, $ref: boss.meta.location };
      const made = await scim.user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { manager } });
      const shown = (await scim.read(made))[urn.enterprise]?.manager;
      expectSame([shown?.value, shown?.$ref], [boss.id, boss.meta.location], 'value and $ref');
    }),
    fact('manager.displayName is readOnly: a client’s is not kept', async (scim) => {
      const boss = await scim.user({ displayName: 'Boss' });
      const manager = { value: boss.id, displayName: 'Somebody Else' };
      const made = await scim.user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { manager } });
      const shown = (await scim.read(made))[urn.enterprise]?.manager;
      expectSame(shown?.value, boss.id, 'the manager');
      expect(shown.displayName === undefined || shown.displayName === 'Boss', `displayName is ${shown.displayName}`);
    }),
  ]),
  ...section(
    'rfc7643',
    '4.3',
    [
      should('manager has the manager’s address also when the client gave the id alone', async (scim) => {
        const boss = await scim.user();
        const made = await scim.user({
          schemas: [urn.user, urn.enterprise],
          [urn.enterprise]: { manager: { value: boss.id } },
        });
        expectSame((await scim.read(made))[urn.enterprise]?.manager?.$ref, boss.meta.location, '$ref');
      }),
    ],
    'manager reference',
  ),
];
