import type { Json } from './client.ts';
import { expect, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';
import { core, enterprise, expectErrors, ids } from './scim11.ts';

const config = '/ServiceProviderConfigs';

export const rows: Row[] = [
  ...section(
    'scim-1.1',
    '3',
    [
      must('POST makes a user: 201, Location, and the resource with id and meta', async (scim) => {
        const answer = await scim.post('/Users', { schemas: [core], userName: scim.name(), externalId: 'x' });
        expectStatus(answer, 201);
        const { id, schemas, externalId, meta } = answer.body ?? {};
        expect(id && meta?.created && meta.lastModified && meta.version, 'id or meta lacks something');
        expectSame([schemas, externalId], [[core], 'x'], 'schemas and externalId');
        expectSame(answer.headers['location'], meta.location, 'Location');
        expectSame((await scim.get(meta.location)).body?.id, id, 'the id at Location');
      }),
      must('answers are application/json', async (scim) => {
        const answer = await scim.get('/Users?count=1');
        expectStatus(answer, 200);
        expect(
          /^application\/json\b/.test(answer.headers['content-type'] ?? ''),
          `it is ${answer.headers['content-type']}`,
        );
      }),
      // It is required, and WSO2's own examples leave it out: a server may be lenient, but not about what it does not know.
      must('schemas names nothing that the resource has not', async (scim) =>
        expectErrors(
          await scim.post('/Users', { schemas: [core, 'urn:example:other:1.0'], userName: scim.name() }),
          400,
        ),
      ),
      must('userName is required', async (scim) => expectErrors(await scim.post('/Users', { schemas: [core] }), 400)),
      must('a name that is taken is 409', async (scim) => {
        const { userName } = await scim.user();
        expectErrors(await scim.post('/Users', { schemas: [core], userName }), 409);
      }),
      must('a user is read by id', async (scim) => {
        const made = await scim.user({
          displayName: 'Ada',
          name: { familyName: 'King' },
          emails: [{ value: 'a@x.example', type: 'home' }],
        });
        expectSame(await scim.read(made), made, 'the user');
        expectSame(
          [made.displayName, made.name, made.emails],
          ['Ada', { familyName: 'King' }, [{ value: 'a@x.example', type: 'home' }]],
          'what it has',
        );
      }),
      must('an id nobody has is 404, with Errors', async (scim) => {
        expectErrors(await scim.get('/Users/nobody'), 404);
        expectErrors(await scim.get('/Groups/nobody'), 404);
      }),
      must('a password is not returned', async (scim) => {
        const answer = await scim.post('/Users', {
          schemas: [core],
          userName: scim.name(),
          password: 'a good long password',
        });
        expectStatus(answer, 201);
        expect(!answer.text.includes('a good long'), 'the password is in the answer');
      }),
      must('id and meta are the server’s', async (scim) => {
        const made = await scim.user({ id: 'mine', meta: { created: '2001-01-01T00:00:00Z' } });
        expect(made.id !== 'mine' && made.meta.created !== '2001-01-01T00:00:00Z', 'they are the client’s');
      }),
      must('attribute names have no case', async (scim) =>
        expectSame((await scim.user({ DISPLAYNAME: 'Ada' })).displayName, 'Ada', 'displayName'),
      ),
      fact('the enterprise extension has its own URN', async (scim) => {
        const made = await scim.user({
          schemas: [core, enterprise],
          [enterprise]: { department: 'A', employeeNumber: '7' },
        });
        const now = await scim.read(made);
        expectSame(now[enterprise], { department: 'A', employeeNumber: '7' }, 'the extension');
        expectSet(now.schemas, [core, enterprise], 'schemas');
      }),
      fact('a manager is told by managerId', async (scim) => {
        const boss = await scim.user({ displayName: 'Boss' });
        const made = await scim.user({
          schemas: [core, enterprise],
          [enterprise]: { manager: { managerId: boss.id } },
        });
        expectSame((await scim.read(made))[enterprise]?.manager?.managerId, boss.id, 'managerId');
      }),
      fact('no URN of SCIM 2.0 is in an answer', async (scim) => {
        const answer = await scim.get(
          scim.at(await scim.user({ schemas: [core, enterprise], [enterprise]: { department: 'A' } })),
        );
        expectStatus(answer, 200);
        expect(!answer.text.includes('urn:ietf:params'), 'one is');
      }),
      must('PUT replaces: what is not given goes', async (scim) => {
        const made = await scim.user({ title: 'a', displayName: 'Ada' });
        const answer = await scim.put(made, { userName: made.userName, displayName: 'Augusta' });
        expectSame(
          [answer.status, answer.body?.displayName, answer.body?.title],
          [200, 'Augusta', undefined],
          'the answer',
        );
      }),
      must('PUT makes nobody', async (scim) =>
        expectErrors(await scim.call('PUT', '/Users/nobody', { schemas: [core], userName: scim.name() }), 404),
      ),
      must('DELETE, and 404 afterwards', async (scim) => {
        const made = await scim.user();
        expectStatus(await scim.call('DELETE', scim.at(made)), 200, 204);
        expectErrors(await scim.get(scim.at(made)), 404);
        expectErrors(await scim.call('DELETE', scim.at(made)), 404);
      }),
      must('groups have displayName and members', async (scim) => {
        const user = await scim.user();
        const group = await scim.group({ members: [{ value: user.id }] });
        const now = await scim.read(group);
        expectSame([now.displayName, ids(now.members)], [group.displayName, [user.id]], 'the group');
        expectSame(
          (await scim.read(user)).groups?.map((one: Json) => one.value),
          [group.id],
          'groups of the user',
        );
      }),
      fact('a password change by PUT is taken', async (scim) => {
        const made = await scim.user({ password: 'a good long password' });
        const answer = await scim.put(made, { userName: made.userName, password: 'another long password' });
        expectStatus(answer, 200);
        expect(answer.body.meta.version !== made.meta.version, 'nothing changed');
      }),
      fact('what was made by 1.1 is the same by 2.0', async (scim) => {
        const made = await scim.user({
          displayName: 'Ada',
          schemas: [core, enterprise],
          [enterprise]: { department: 'A' },
        });
        const answer = await scim.get(`${scim.peer.origin}/scim2/Users/${made.id}`);
        const other = answer.body?.['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'];
        expectSame([answer.body?.displayName, other], ['Ada', { department: 'A' }], 'the user by 2.0');
      }),
      fact('the service is at /scim1 as well', async (scim) => {
        const made = await scim.user();
        expectSame((await scim.get(`${scim.peer.origin}/scim1/Users/${made.id}`)).body?.id, made.id, 'the id');
      }),
      must('without credentials it is 401', async (scim) => {
        for (const path of ['/Users', '/Groups', '/Users/x']) {
          const answer = await scim.get(path, { authorization: undefined });
          expectErrors(answer, 401);
          expect(answer.headers['www-authenticate'], 'WWW-Authenticate is missing');
        }
      }),
      should('whoever asks reads themself at /Users/me', async (scim) => {
        const password = 'my own long password';
        const user = await scim.user({ password });
        const authorization = `Basic ${Buffer.from(`${user.userName}:${password}`).toString('base64')}`;
        const answer = await scim.get('/Users/me', { authorization });
        expectSame([answer.status, answer.body?.id], [200, user.id], 'status and id');
      }),
      must('a version in If-Match that is old is 412', async (scim) => {
        const made = await scim.user();
        expectStatus(await scim.put(made, { userName: made.userName, title: 'x' }), 200);
        const headers = { 'if-match': made.meta.version };
        expectErrors(
          await scim.call('PUT', scim.at(made), { schemas: [core], userName: made.userName }, { headers }),
          412,
        );
      }),
      must('If-None-Match with the version is 304', async (scim) => {
        const made = await scim.user();
        expectStatus(await scim.get(scim.at(made), { 'if-none-match': made.meta.version }), 304);
      }),
      must('a body that is no JSON is 400', async (scim) => {
        expectErrors(
          await scim.call('POST', '/Users', undefined, {
            raw: '{"a":',
            headers: { 'content-type': 'application/json' },
          }),
          400,
        );
      }),
    ],
    'SCIM 1.1',
  ),
  ...section(
    'scim-1.1',
    '4',
    [
      must('ServiceProviderConfigs says what there is', async (scim) => {
        const { status, body } = await scim.get(config);
        expectSame(
          [status, body?.patch?.supported, body?.filter?.supported, body?.sort?.supported, body?.etag?.supported],
          [200, true, true, true, true],
          'what it says',
        );
        expect(
          Number.isInteger(body.filter.maxResults) && typeof body.changePassword?.supported === 'boolean',
          'something is missing',
        );
        expect(body.authenticationSchemes?.length > 0, 'there are no authenticationSchemes');
      }),
      must('bulk is told with its limits', async (scim) => {
        const { body } = await scim.get(config);
        expect(
          Number.isInteger(body?.bulk?.maxOperations) && Number.isInteger(body?.bulk?.maxPayloadSize),
          'limits are missing',
        );
      }),
      fact('XML is not promised where it is not served', async (scim) => {
        const told = await scim.get(config);
        expectStatus(told, 200);
        const promised = told.body?.xmlDataFormat?.supported === true;
        const answer = await scim.get('/Users?count=1', { accept: 'application/xml' });
        expectSame(/xml/.test(answer.headers['content-type'] ?? ''), promised, 'whether XML comes');
      }),
      must('Schemas describe users, groups and the extension', async (scim) => {
        const answer = await scim.get('/Schemas');
        expectStatus(answer, 200);
        const { text } = answer;
        for (const word of ['userName', 'members', enterprise]) expect(text.includes(word), `${word} is not described`);
      }),
    ],
    'SCIM 1.1',
  ),
];
