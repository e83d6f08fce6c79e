import { type Answer, type Call, type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

export const bulk = (scim: Scim, Operations: unknown, more: object = {}, call: Call = {}): Promise<Answer> =>
  scim.call('POST', '/Bulk', { schemas: [urn.bulk], ...more, Operations }, call);

/** The results of a bulk job that has to be answered with 200. */
export async function done(scim: Scim, operations: object[], more: object = {}): Promise<Json[]> {
  const answer = await bulk(scim, operations, more);
  expectStatus(answer, 200);
  expectSame(answer.body?.schemas, [urn.bulkResponse], 'schemas');
  expect(Array.isArray(answer.body.Operations), 'there are no Operations');
  return answer.body.Operations;
}

export const post = (scim: Scim, bulkId: string, data: object = {}): Json => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { schemas: [urn.user], userName: scim.name(), ...data },
});
export const postGroup = (scim: Scim, bulkId: string, data: object = {}): Json => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: [urn.group], displayName: scim.name(), ...data },
});
const retitle = { schemas: [urn.patch], Operations: [{ op: 'replace', path: 'title', value: 'new' }] };
const statuses = (results: Json[]): string[] => results.map((one) => one.status);

async function limits(scim: Scim): Promise<{ maxOperations: number; maxPayloadSize: number }> {
  const { body } = await scim.get('/ServiceProviderConfig');
  expect(body?.bulk?.supported === true, 'bulk is not supported');
  return body.bulk;
}

export const rows: Row[] = [
  ...section(
    'rfc7644',
    '3.7',
    [
      must('POST, PUT, PATCH and DELETE in one job are done, and answered 200', async (scim) => {
        const [a, b, c] = [await scim.user(), await scim.user(), await scim.user()];
        const results = await done(scim, [
          post(scim, 'one', { title: 'made' }),
          { method: 'PUT', path: scim.at(a), data: { schemas: [urn.user], userName: a.userName, title: 'put' } },
          { method: 'PATCH', path: scim.at(b), data: retitle },
          { method: 'DELETE', path: scim.at(c) },
        ]);
        expectSame(
          [statuses(results)[0], statuses(results)[1], statuses(results)[3]],
          ['201', '200', '204'],
          'statuses',
        );
        expect(['200', '204'].includes(results[2].status), `the PATCH was ${results[2].status}`);
        expectSame([(await scim.read(a)).title, (await scim.read(b)).title], ['put', 'new'], 'titles');
        expectError(await scim.get(scim.at(c)), 404);
        expectSame((await scim.get(results[0].location)).body?.title, 'made', 'the title of the one made');
      }),
      must('groups are made and changed as well', async (scim) => {
        const user = await scim.user();
        const [made] = await done(scim, [postGroup(scim, 'g', { members: [{ value: user.id }] })]);
        expectSame((await scim.read(user)).groups?.[0]?.$ref, made.location, 'the group of the member');
      }),
      must('it needs a BulkRequest', async (scim) => {
        expectError(await scim.post('/Bulk', { Operations: [post(scim, 'x')] }), 400, 'invalidSyntax');
        expectError(
          await scim.post('/Bulk', { schemas: [urn.user], Operations: [post(scim, 'x')] }),
          400,
          'invalidSyntax',
        );
      }),
      must('it needs Operations', async (scim) => {
        for (const operations of [undefined, 'x', {}]) expectError(await bulk(scim, operations), 400, 'invalidSyntax');
      }),
      must('a POST needs a bulkId, and the answer has the same', async (scim) => {
        const [made] = await done(scim, [post(scim, 'qwerty')]);
        expectSame([made.bulkId, made.method, made.status], ['qwerty', 'POST', '201'], 'bulkId, method and status');
        const { bulkId: _, ...without } = post(scim, 'x');
        const answer = await bulk(scim, [without]);
        if (answer.status === 200) expectSame(statuses(answer.body.Operations), ['400'], 'the statuses');
        else expectError(answer, 400);
      }),
      must('method, path and data are needed; what lacks one is refused', async (scim) => {
        const whole = post(scim, 'x');
        for (const name of ['method', 'path', 'data']) {
          const answer = await bulk(scim, [{ ...whole, [name]: undefined }]);
          if (answer.status === 200)
            expectSame(statuses(answer.body.Operations), ['400'], `the statuses without ${name}`);
          else expectError(answer, 400);
        }
      }),
      fact('another method is refused', async (scim) => {
        const answer = await bulk(scim, [{ method: 'GET', path: '/Users' }]);
        if (answer.status === 200) expect(/^4|^501/.test(answer.body.Operations[0].status), 'GET was done');
        else expectError(answer, [400, 405]);
      }),
      fact('one bulkId twice in a job is refused', async (scim) => {
        const answer = await bulk(scim, [post(scim, 'same'), post(scim, 'same')]);
        if (answer.status === 200)
          expect(
            statuses(answer.body.Operations).some((one) => /^4/.test(one)),
            'both were made',
          );
        else expectError(answer, [400, 409]);
      }),
      must('errors of some do not keep the others from being done', async (scim) => {
        const { userName } = await scim.user();
        const results = await done(scim, [
          post(scim, 'a', { userName }),
          { method: 'DELETE', path: '/Users/nobody' },
          post(scim, 'b'),
        ]);
        expectSame(statuses(results), ['409', '404', '201'], 'statuses');
      }),
      must('failOnErrors ends the job at that many errors', async (scim) => {
        const { userName } = await scim.user();
        const last = post(scim, 'c');
        const results = await done(
          scim,
          [post(scim, 'a', { userName }), post(scim, 'b'), { method: 'DELETE', path: '/Users/nobody' }, last],
          { failOnErrors: 2 },
        );
        expectSame(statuses(results), ['409', '201', '404'], 'statuses');
        expectSame(
          (await scim.list('/Users', { filter: `userName eq "${last.data.userName}"` })).totalResults,
          0,
          'the last one',
        );
      }),
      must('failOnErrors 1 ends it at the first', async (scim) => {
        const { userName } = await scim.user();
        expectSame(
          statuses(await done(scim, [post(scim, 'a', { userName }), post(scim, 'b')], { failOnErrors: 1 })),
          ['409'],
          'statuses',
        );
      }),
      fact('fewer errors than failOnErrors end nothing', async (scim) => {
        const { userName } = await scim.user();
        const results = await done(scim, [post(scim, 'a', { userName }), post(scim, 'b')], { failOnErrors: 2 });
        expectSame(statuses(results), ['409', '201'], 'statuses');
      }),
      fact('version is an If-Match of the operation', async (scim) => {
        const made = await scim.user();
        await scim.patched(made, { op: 'replace', path: 'title', value: 'between' });
        const results = await done(scim, [
          { method: 'PATCH', path: scim.at(made), version: made.meta.version, data: retitle },
        ]);
        expectSame([statuses(results), (await scim.read(made)).title], [['412'], 'between'], 'statuses and title');
      }),
      fact('the new version is in the result', async (scim) => {
        const made = await scim.user();
        const [result] = await done(scim, [
          { method: 'PUT', path: scim.at(made), data: { schemas: [urn.user], userName: made.userName, title: 'x' } },
        ]);
        expectSame(result.version, (await scim.read(made)).meta.version, 'version');
      }),
    ],
    'bulk',
  ),
  ...section(
    'rfc7644',
    '3.7.3',
    [
      must('each operation has its result', async (scim) => {
        const made = [await scim.user(), await scim.user()];
        const results = await done(scim, [
          ...made.map((one) => ({ method: 'PATCH', path: scim.at(one), data: retitle })),
          post(scim, 'z'),
        ]);
        expectSame(results.length, 3, 'how many results there are');
      }),
      must('location is there, except where a POST failed', async (scim) => {
        const made = await scim.user();
        const results = await done(scim, [
          post(scim, 'a'),
          post(scim, 'b', { userName: made.userName }),
          { method: 'PATCH', path: scim.at(made), data: retitle },
          { method: 'DELETE', path: scim.at(made) },
        ]);
        expectSame(
          results.map((one) => typeof one.location),
          ['string', 'undefined', 'string', 'string'],
          'the kinds of location',
        );
        expectSame(results[2].location, made.meta.location, 'location');
      }),
      must('location is there also where something other than a POST failed', async (scim) => {
        const [result] = await done(scim, [{ method: 'PATCH', path: '/Users/nobody', data: retitle }]);
        expectSame([result.status, result.location], ['404', `${scim.base}/Users/nobody`], 'status and location');
      }),
      must('an error has its body in response, with a text to read', async (scim) => {
        const made = await scim.user();
        const [result] = await done(scim, [post(scim, 'a', { userName: made.userName })]);
        const { schemas, status, scimType, detail } = result.response ?? {};
        expectSame([result.status, schemas, status, scimType], ['409', [urn.error], '409', 'uniqueness'], 'the result');
        expect(typeof detail === 'string' && detail.length > 8, 'there is no detail');
      }),
      must('what a single request would be answered is the status', async (scim) => {
        const made = await scim.user();
        const results = await done(scim, [
          { method: 'PATCH', path: scim.at(made), data: { schemas: [urn.patch], Operations: [{ op: 'remove' }] } },
          { method: 'PUT', path: scim.at(made), data: { schemas: [urn.user] } },
          { method: 'DELETE', path: '/Nowhere/1' },
        ]);
        expectSame(
          results.map((one) => [one.status, one.response?.scimType]),
          [
            ['400', 'noTarget'],
            ['400', 'invalidValue'],
            ['404', undefined],
          ],
          'statuses and scimTypes',
        );
      }),
      must('no password is in a result', async (scim) => {
        const answer = await bulk(scim, [post(scim, 'a', { password: 'a good long password' })]);
        expectStatus(answer, 200);
        expectSame(statuses(answer.body.Operations), ['201'], 'statuses');
        expect(!answer.text.includes('a good long'), 'the password is in the answer');
      }),
    ],
    'bulk',
  ),
  ...section(
    'rfc7644',
    '3.7.4',
    [
      must('there are limits, and they are told', async (scim) => {
        const { maxOperations, maxPayloadSize } = await limits(scim);
        expect(maxOperations > 0 && maxPayloadSize > 0, `they are ${maxOperations} and ${maxPayloadSize}`);
      }),
      must('more operations than that are 413, which says the limit, and nothing is done', async (scim) => {
        const { maxOperations } = await limits(scim);
        const first = post(scim, 'first');
        const rest = Array.from({ length: maxOperations }, () => ({ method: 'DELETE', path: '/Users/x' }));
        const answer = await bulk(scim, [first, ...rest]);
        expectError(answer, 413);
        expect(answer.text.includes(String(maxOperations)), 'the limit is not told');
        expectSame(
          (await scim.list('/Users', { filter: `userName eq "${first.data.userName}"` })).totalResults,
          0,
          'found',
        );
      }),
      must('a bigger body than that is 413, which says the limit', async (scim) => {
        const { maxPayloadSize } = await limits(scim);
        const answer = await bulk(scim, [post(scim, 'x', { displayName: 'x'.repeat(maxPayloadSize) })]);
        expectError(answer, 413);
        expect(answer.text.includes(String(maxPayloadSize)), 'the limit is not told');
      }),
    ],
    'bulk',
  ),
];
