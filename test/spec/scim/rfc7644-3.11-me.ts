import { type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const password = 'my own long password';

/** A new user, and calls of `/Me` as that user. */
async function me(scim: Scim) {
  const user = await scim.user({ password });
  const authorization = `Basic ${Buffer.from(`${user.userName}:${password}`).toString('base64')}`;
  const call = (method: string, body?: object, query = '', headers: object = {}) =>
    scim.call(method, `/Me${query}`, body, { headers: { authorization, ...headers } });
  return { user, call };
}

const rename = (nickName: string) => ({
  schemas: [urn.patch],
  Operations: [{ op: 'replace', path: 'nickName', value: nickName }],
});

export const rows: Row[] = [
  ...section(
    'rfc7644',
    '3.11',
    [
      must('GET /Me is the caller’s own resource, and Location its permanent place', async (scim) => {
        const { user, call } = await me(scim);
        const answer = await call('GET');
        expectStatus(answer, 200);
        expectSame([answer.body?.id, answer.headers['location']], [user.id, user.meta.location], 'id and Location');
      }),
      must('PATCH /Me changes it', async (scim) => {
        const { user, call } = await me(scim);
        const nickName = scim.name('nick');
        const answer = await call('PATCH', rename(nickName));
        expectStatus(answer, 200, 204);
        expectSame(
          [answer.headers['location'], (await scim.read(user)).nickName],
          [user.meta.location, nickName],
          'Location and nickName',
        );
      }),
      must('PUT /Me replaces it', async (scim) => {
        const { user, call } = await me(scim);
        const nickName = scim.name('nick');
        const answer = await call('PUT', { schemas: [urn.user], userName: user.userName, nickName });
        expectSame(
          [answer.status, answer.headers['location'], answer.body?.nickName],
          [200, user.meta.location, nickName],
          'the answer',
        );
      }),
      fact('attributes hold for /Me', async (scim) => {
        const { user, call } = await me(scim);
        const answer = await call('GET', undefined, '?attributes=userName');
        expectSame([answer.body?.userName, answer.body?.meta], [user.userName, undefined], 'userName and meta');
      }),
      fact('If-None-Match holds for /Me', async (scim) => {
        const { user, call } = await me(scim);
        expectStatus(await call('GET', undefined, '', { 'if-none-match': user.meta.version }), 304);
        expectStatus(await call('GET', undefined, '', { 'if-none-match': 'W/"another"' }), 200);
      }),
      fact('DELETE /Me removes the user, or is refused and does not', async (scim) => {
        const { user, call } = await me(scim);
        const answer = await call('DELETE');
        if (answer.status !== 204) expectError(answer, [403, 501]);
        expectStatus(await scim.get(scim.at(user)), answer.status === 204 ? 404 : 200);
      }),
      must('one’s own credentials open /Me and nobody else’s resource', async (scim) => {
        const { user, call } = await me(scim);
        const other = await scim.user();
        expectStatus(await call('GET'), 200);
        const authorization = `Basic ${Buffer.from(`${user.userName}:${password}`).toString('base64')}`;
        expectError(await scim.get(scim.at(other), { authorization }), 403);
      }),
    ],
    'me',
  ),
  ...section('rfc7644', '3.11', [
    must('/Me without credentials is 401', async (scim) => {
      expectError(await scim.get('/Me', { authorization: undefined }), 401);
    }),
    fact('/Me of whoever has no resource is an error, not somebody else’s', async (scim) => {
      const answer = await scim.get('/Me');
      expect(answer.status >= 400, `answered ${answer.status}`);
      expectError(answer, [403, 404, 501]);
    }),
  ]),
];
