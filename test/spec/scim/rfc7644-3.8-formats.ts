import { type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const json = /^application\/(scim\+)?json\b/;

async function make(scim: Scim, headers: Record<string, string>, body?: string) {
  const raw = body ?? JSON.stringify({ schemas: [urn.user], userName: scim.name(), title: 'Grüße' });
  return scim.call('POST', '/Users', undefined, {
    raw,
    headers: { 'content-type': 'application/scim+json', ...headers },
  });
}

export const rows: Row[] = [
  ...section('rfc7644', '3.8', [
    must('JSON in UTF-8 is taken and given', async (scim) => {
      const answer = await make(scim, {});
      expectSame([answer.status, answer.body?.title], [201, 'Grüße'], 'status and title');
    }),
    must('Accept: application/scim+json is answered with that', async (scim) => {
      const answer = await scim.get('/Users?count=0', { accept: 'application/scim+json' });
      expectStatus(answer, 200);
      expect(
        /^application\/scim\+json\b/.test(answer.headers['content-type'] ?? ''),
        `it is ${answer.headers['content-type']}`,
      );
    }),
    should('Accept: application/json is answered with JSON', async (scim) => {
      const answer = await scim.get('/Users?count=0', { accept: 'application/json' });
      expectStatus(answer, 200);
      expect(json.test(answer.headers['content-type'] ?? ''), `it is ${answer.headers['content-type']}`);
    }),
    must('without Accept it is application/scim+json', async (scim) => {
      for (const path of ['/Users?count=0', '/ServiceProviderConfig', '/Users/nobody']) {
        const type = (await scim.get(path)).headers['content-type'] ?? '';
        expect(/^application\/scim\+json\b/.test(type), `for ${path} it is ${type}`);
      }
    }),
    fact('a body may come as application/json', async (scim) => {
      expectStatus(await make(scim, { 'content-type': 'application/json' }), 201);
      expectStatus(await make(scim, { 'content-type': 'application/json; charset=utf-8' }), 201);
    }),
    fact('a body of another media type is refused', async (scim) => {
      expectError(await make(scim, { 'content-type': 'text/plain' }), [400, 415]);
      expectError(await make(scim, { 'content-type': 'application/xml' }, '<User/>'), [400, 415]);
    }),
    fact('a body that is no JSON is invalidSyntax', async (scim) => {
      for (const text of ['{"userName":', 'hello', '[1', '{"a":1,}'])
        expectError(await make(scim, {}, text), 400, 'invalidSyntax');
    }),
    fact('a body that is no object is invalidSyntax', async (scim) => {
      for (const text of ['[]', '"x"', '7', 'null']) expectError(await make(scim, {}, text), 400, 'invalidSyntax');
    }),
    fact('no body at all is invalidSyntax', async (scim) => {
      expectError(await make(scim, {}, ''), 400, 'invalidSyntax');
    }),
    fact('several values are an array, a complex value an object', async (scim) => {
      const made = await scim.user({ emails: [{ value: 'a@x.example' }], name: { familyName: 'King' } });
      expectSame([made.emails, made.name], [[{ value: 'a@x.example' }], { familyName: 'King' }], 'emails and name');
    }),
  ]),
  ...section('rfc7644', '3.12', [
    must('errors are JSON with schemas, status as a string, and detail', async (scim) => {
      expectError(await scim.get('/Users/nobody'), 404);
      expectError(await scim.post('/Users', {}), 400);
      expectError(await scim.get('/Users', { authorization: undefined }), 401);
    }),
    ...(
      [
        ['invalidFilter', 400, (scim: Scim) => scim.get('/Users?filter=x')],
        ['invalidFilter', 400, (scim: Scim) => scim.post('/Groups/.search', { schemas: [urn.search], filter: '(' })],
        [
          'uniqueness',
          409,
          async (scim: Scim) => scim.post('/Users', { schemas: [urn.user], userName: (await scim.user()).userName }),
        ],
        [
          'mutability',
          400,
          async (scim: Scim) => scim.patch(await scim.user(), { op: 'replace', path: 'id', value: 'x' }),
        ],
        ['invalidSyntax', 400, (scim: Scim) => scim.post('/Groups', {})],
        [
          'invalidPath',
          400,
          async (scim: Scim) => scim.patch(await scim.user(), { op: 'replace', path: 'a b c', value: 'x' }),
        ],
        ['noTarget', 400, async (scim: Scim) => scim.patch(await scim.user(), { op: 'remove' })],
        ['invalidValue', 400, (scim: Scim) => scim.post('/Users', { schemas: [urn.user], userName: 7 })],
      ] as const
    ).map(([scimType, status, provoke], index) =>
      fact(`${status} with ${scimType} (${index + 1})`, async (scim) =>
        expectError(await provoke(scim), status, scimType),
      ),
    ),
    should('404 for an endpoint that does not exist', async (scim) => {
      for (const path of ['/Nowhere', '/Groups/any/roles', '/users-of-mine']) expectError(await scim.get(path), 404);
    }),
    should('a version that does not fit is 412', async (scim) => {
      const made = await scim.user();
      expectError(await scim.call('DELETE', scim.at(made), undefined, { headers: { 'if-match': 'W/"x"' } }), 412);
    }),
    should('a body that is too big is 413', async (scim) => {
      const big = JSON.stringify({ schemas: [urn.user], userName: scim.name(), title: 'x'.repeat(4_000_000) });
      expectError(await make(scim, {}, big), 413);
    }),
    should('the detail says what is wrong, by the name of it', async (scim) => {
      const answer = await scim.post('/Users', { schemas: [urn.user], userName: scim.name(), active: 'perhaps' });
      expectError(answer, 400, 'invalidValue');
      expect(/active/.test(answer.body.detail), `the detail is ${answer.body.detail}`);
    }),
  ]),
  ...section('rfc7644', '3.13', [
    must('another protocol version in the path is not answered with this one', async (scim) => {
      const answer = await scim.get('/v1/Users');
      expectError(answer, [400, 404]);
    }),
  ]),
];
