import { urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

export const rows: Row[] = [
  ...section('rfc7644', '3.1', [
    must('a message names its schema, which begins with urn:ietf:params:scim:api:', async (scim) => {
      const list = await scim.get('/Users?count=0');
      const error = await scim.get('/Users/nobody');
      for (const { body } of [list, error]) {
        expect(body?.schemas?.length === 1 && body.schemas[0].startsWith('urn:ietf:params:scim:api:'), 'it does not');
      }
    }),
    must('answers show the resource as the server understood it, not as it was sent', async (scim) => {
      const made = await scim.user({ DISPLAYNAME: 'Ada', shoeSize: 7, emails: [] });
      expectSame([made.displayName, made.DISPLAYNAME, made.shoeSize], ['Ada', undefined, undefined], 'what came back');
      expectSame((await scim.read(made)).displayName, 'Ada', 'displayName');
    }),
    fact('a readOnly attribute need not be taken out of a body', async (scim) => {
      const made = await scim.read(await scim.user());
      const answer = await scim.call('PUT', scim.at(made), { ...made, groups: [{ value: 'x' }], displayName: 'Ada' });
      expectSame([answer.status, answer.body?.displayName], [200, 'Ada'], 'status and displayName');
    }),
  ]),
  ...section('rfc7644', '3.2', [
    must('PUT makes no resource', async (scim) => {
      const userName = scim.name();
      expectError(await scim.call('PUT', `/Users/${scim.name()}`, { schemas: [urn.user], userName }), 404);
      expectSame((await scim.list('/Users', { filter: `userName eq "${userName}"` })).totalResults, 0, 'found');
    }),
    ...(
      [
        ['POST', '/Users/some-id'],
        ['PUT', '/Users'],
        ['PATCH', '/Users'],
        ['DELETE', '/Users'],
        ['DELETE', '/Groups'],
        ['GET', '/Users/.search'],
        ['DELETE', '/ServiceProviderConfig'],
        ['POST', '/Schemas'],
      ] as const
    ).map(([method, path]) =>
      fact(`${method} ${path} has no meaning and is refused as an error`, async (scim) => {
        const body =
          method === 'GET' || method === 'DELETE' ? undefined : { schemas: [urn.user], userName: scim.name() };
        expectError(await scim.call(method, path, body), [400, 403, 404, 405, 501]);
      }),
    ),
    should('the status of an error is in its body as well', async (scim) => {
      expectError(await scim.get('/Nowhere'), 404);
    }),
  ]),
  ...section('rfc7644', '3.3', [
    must('a resource that was created is answered with 201', async (scim) => {
      expectStatus(await scim.post('/Users', { schemas: [urn.user], userName: scim.name() }), 201);
      expectStatus(await scim.post('/Groups', { schemas: [urn.group], displayName: scim.name() }), 201);
    }),
    should('the answer is the whole new resource', async (scim) => {
      const made = await scim.user({ displayName: 'Ada', emails: [{ value: 'a@x.example', type: 'home' }] });
      expectSame(await scim.read(made), made, 'what GET gives');
    }),
    must('Location is meta.location, and the resource is there', async (scim) => {
      const answer = await scim.post('/Users', { schemas: [urn.user], userName: scim.name() });
      expect(answer.headers['location'], 'Location is missing');
      expectSame(answer.body?.meta?.location, answer.headers['location'], 'meta.location');
      expectSame((await scim.get(answer.headers['location']!)).body?.id, answer.body.id, 'the id there');
    }),
    must('readOnly attributes in the body are ignored', async (scim) => {
      const made = await scim.user({ id: 'mine', groups: [{ value: 'x' }], meta: { resourceType: 'Other' } });
      expect(made.id !== 'mine' && made.groups === undefined, 'id or groups is the client’s');
      expectSame(made.meta?.resourceType, 'User', 'meta.resourceType');
    }),
    fact('readWrite attributes that are not given are unassigned or have a default', async (scim) => {
      const made = await scim.user();
      expectSame([made.displayName, made.emails, made.title], [undefined, undefined, undefined], 'what was not given');
    }),
    must('a name that is taken is answered 409 and uniqueness', async (scim) => {
      const { userName } = await scim.user();
      expectError(await scim.post('/Users', { schemas: [urn.user], userName }), 409, 'uniqueness');
    }),
    must('what was refused is not there', async (scim) => {
      const { userName } = await scim.user();
      const externalId = scim.name('refused');
      expectError(await scim.post('/Users', { schemas: [urn.user], userName, externalId }), 409, 'uniqueness');
      expectSame((await scim.list('/Users', { filter: `externalId eq "${externalId}"` })).totalResults, 0, 'found');
    }),
    must('of two creations with one name at once, one is refused', async (scim) => {
      const userName = scim.name();
      const both = [1, 2].map(() => scim.post('/Users', { schemas: [urn.user], userName }));
      expectSame((await Promise.all(both)).map((answer) => answer.status).sort(), [201, 409], 'the statuses');
    }),
    fact('attributes and excludedAttributes hold for the answer to a POST', async (scim) => {
      const body = () => ({ schemas: [urn.user], userName: scim.name(), title: 'x', displayName: 'Ada' });
      const chosen = (await scim.post('/Users?attributes=title', body())).body;
      expectSame(Object.keys(chosen ?? {}).sort(), ['id', 'schemas', 'title'], 'what is answered');
      const rest = (await scim.post('/Users?excludedAttributes=title', body())).body;
      expectSame([rest?.title, rest?.displayName], [undefined, 'Ada'], 'what is answered');
    }),
  ]),
  ...section('rfc7644', '3.3.1', [
    must('meta.resourceType follows from the endpoint', async (scim) => {
      expectSame((await scim.user()).meta?.resourceType, 'User', 'at /Users');
      expectSame((await scim.group()).meta?.resourceType, 'Group', 'at /Groups');
    }),
    fact('a group is not made at /Users, nor a user at /Groups', async (scim) => {
      expectError(await scim.post('/Users', { schemas: [urn.group], displayName: 'x' }), 400);
      expectError(await scim.post('/Groups', { schemas: [urn.user], userName: 'x' }), 400);
    }),
  ]),
  ...section('rfc7644', '3.4.1', [
    fact('a resource is answered with 200 and its representation', async (scim) => {
      const made = await scim.user({ displayName: 'Ada' });
      const answer = await scim.get(scim.at(made));
      expectSame([answer.status, answer.body?.id, answer.body?.displayName], [200, made.id, 'Ada'], 'the answer');
    }),
    fact('an id nobody has is answered 404', async (scim) => {
      for (const path of ['/Users/nobody', '/Groups/nobody', '/Users/%00']) {
        expectError(await scim.get(path), 404);
      }
    }),
    fact('the id of a user is none at /Groups, and the other way round', async (scim) => {
      const [user, group] = [await scim.user(), await scim.group()];
      expectError(await scim.get(`/Groups/${user.id}`), 404);
      expectError(await scim.get(`/Users/${group.id}`), 404);
    }),
    fact('HEAD is answered like GET, without the body', async (scim) => {
      const made = await scim.user();
      const answer = await scim.call('HEAD', scim.at(made));
      expectSame([answer.status, answer.text, answer.headers['etag']], [200, '', made.meta.version], 'the answer');
    }),
  ]),
];
