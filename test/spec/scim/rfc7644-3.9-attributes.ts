import { type Answer, type Json, type Scim, urn } from './client.ts';
import { expectError, expectSame, expectStatus, shown } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const whole = {
  schemas: [urn.user, urn.enterprise],
  displayName: 'Ada',
  title: 'Engineer',
  name: { familyName: 'King', givenName: 'Ada' },
  emails: [{ value: 'ada@work.example', type: 'work' }],
  [urn.enterprise]: { department: 'Analysis', costCenter: '7' },
};

const enterprise = urn.enterprise;

/** Every way to get a representation of one user (section 3.9: any operation that answers one). */
const ways: Readonly<Record<string, (scim: Scim, query: string) => Promise<Json>>> = {
  POST: async (scim, query) => ok(await scim.post(`/Users?${query}`, { ...whole, userName: scim.name() }), 201),
  GET: async (scim, query) => ok(await scim.get(`${scim.at(await scim.user(whole))}?${query}`)),
  PUT: async (scim, query) => {
    const made = await scim.user(whole);
    return ok(
      await scim.call('PUT', `${scim.at(made)}?${query}`, { ...whole, userName: made.userName, nickName: 'C' }),
    );
  },
  PATCH: async (scim, query) => {
    const body = { schemas: [urn.patch], Operations: [{ op: 'add', path: 'nickName', value: 'C' }] };
    return ok(await scim.call('PATCH', `${scim.at(await scim.user(whole))}?${query}`, body));
  },
  list: async (scim, query) => {
    const { id } = await scim.user(whole);
    const filter = encodeURIComponent(`id eq "${id}"`);
    return ok(await scim.get(`/Users?filter=${filter}&${query}`)).Resources?.[0];
  },
  '.search': async (scim, query) => {
    const { id } = await scim.user(whole);
    const lists = [...new URLSearchParams(query)].map(([key, value]) => [key, value.split(',')]);
    const body = { schemas: [urn.search], filter: `id eq "${id}"`, ...Object.fromEntries(lists) };
    return ok(await scim.post('/Users/.search', body)).Resources?.[0];
  },
};

function ok(answer: Answer, status = 200): Json {
  expectStatus(answer, status);
  return answer.body;
}

const get = (scim: Scim, query: string) => ways['GET']!(scim, query);

export const rows: Row[] = [
  ...section(
    'rfc7644',
    '3.9',
    Object.entries(ways).flatMap(([way, ask]) => [
      must(`${way} with attributes: those and the minimum`, async (scim) => {
        const resource = await ask(scim, 'attributes=displayName,name.familyName');
        expectSame(
          [shown(resource ?? {}), resource?.name],
          [['displayName', 'name'], { familyName: 'King' }],
          'what is there',
        );
        expectSame([typeof resource.id, Array.isArray(resource.schemas)], ['string', true], 'the minimum');
      }),
      must(`${way} with excludedAttributes: the default without those`, async (scim) => {
        const resource = await ask(scim, 'excludedAttributes=displayName,emails,name.givenName');
        expectSame([resource?.displayName, resource?.emails], [undefined, undefined], 'what was excluded');
        expectSame(
          [resource?.title, resource?.name, typeof resource?.meta],
          ['Engineer', { familyName: 'King' }, 'object'],
          'the rest',
        );
      }),
    ]),
  ),
  ...section('rfc7644', '3.4.2.5', [
    must('excludedAttributes has no effect on what is returned always', async (scim) => {
      const resource = await get(scim, 'excludedAttributes=id,schemas,title');
      expectSame(
        [typeof resource.id, Array.isArray(resource.schemas), resource.title],
        ['string', true, undefined],
        'id, schemas, title',
      );
    }),
    must('attributes brings nothing that is returned never', async (scim) => {
      const made = await scim.user({ ...whole, password: 'a good long password' });
      const answer = await scim.get(`${scim.at(made)}?attributes=password,title`);
      expectSame(shown(ok(answer)), ['title'], 'what is there');
    }),
    must('groups of a user can be asked for and left out', async (scim) => {
      const user = await scim.user(whole);
      const group = await scim.group({ members: [{ value: user.id }] });
      const asked = ok(await scim.get(`${scim.at(user)}?attributes=groups`));
      expectSame([shown(asked), asked.groups?.[0]?.value], [['groups'], group.id], 'what is there');
      expectSame(ok(await scim.get(`${scim.at(user)}?excludedAttributes=groups`)).groups, undefined, 'groups');
    }),
    must('members of a group can be asked for and left out', async (scim) => {
      const user = await scim.user(whole);
      const group = await scim.group({ members: [{ value: user.id }] });
      const asked = ok(await scim.get(`${scim.at(group)}?attributes=members.value`));
      expectSame([shown(asked), asked.members], [['members'], [{ value: user.id }]], 'what is there');
      const rest = ok(await scim.get(`${scim.at(group)}?excludedAttributes=members`));
      expectSame([rest.members, rest.displayName], [undefined, group.displayName], 'the rest');
    }),
    must('the two exclude each other', async (scim) => {
      const made = await scim.user(whole);
      expectError(await scim.get(`${scim.at(made)}?attributes=title&excludedAttributes=emails`), 400);
    }),
    fact('a name nobody has is left aside', async (scim) => {
      expectSame(shown(await get(scim, 'attributes=shoeSize,title')), ['title'], 'what is there');
    }),
    fact('schemas of the answer fit what is in it', async (scim) => {
      expectSame((await get(scim, 'attributes=title')).schemas, [urn.user], 'schemas');
    }),
    fact('a sub-attribute of a multi-valued attribute', async (scim) => {
      expectSame((await get(scim, 'attributes=emails.value')).emails, [{ value: 'ada@work.example' }], 'emails');
    }),
  ]),
  ...section('rfc7644', '3.10', [
    must('the fully qualified name of a core attribute', async (scim) => {
      expectSame(shown(await get(scim, `attributes=${urn.user}:title`)), ['title'], 'what is there');
    }),
    must('the fully qualified name of a core sub-attribute', async (scim) => {
      expectSame((await get(scim, `attributes=${urn.user}:name.givenName`)).name, { givenName: 'Ada' }, 'name');
    }),
    must('the fully qualified name of an extended attribute', async (scim) => {
      const resource = await get(scim, `attributes=${enterprise}:department`);
      expectSame([shown(resource), resource[enterprise]], [[enterprise], { department: 'Analysis' }], 'what is there');
    }),
    must('an extended attribute can be excluded', async (scim) => {
      const resource = await get(scim, `excludedAttributes=${enterprise}:department`);
      expectSame(resource[enterprise], { costCenter: '7' }, 'the extension');
    }),
    fact('the URN alone is the whole extension', async (scim) => {
      expectSame(shown(await get(scim, `attributes=${enterprise}`)), [enterprise], 'what is there');
    }),
    must('no part of a name has case', async (scim) => {
      const resource = await get(scim, `attributes=TITLE,NAME.givenname,${enterprise.toUpperCase()}:DEPARTMENT`);
      expectSame(shown(resource), ['name', 'title', enterprise], 'what is there');
      expectSame(resource.name, { givenName: 'Ada' }, 'name');
    }),
    fact('spaces beside the commas do no harm', async (scim) => {
      expectSame(shown(await get(scim, 'attributes=title,%20displayName')), ['displayName', 'title'], 'what is there');
    }),
  ]),
];
