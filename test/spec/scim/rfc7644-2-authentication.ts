import { urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { must, type Row, section, should } from './row.ts';

const requests: readonly [method: string, path: string, body?: object][] = [
  ['GET', '/Users'],
  ['GET', '/Users/some-id'],
  ['POST', '/Users', { schemas: [urn.user], userName: 'nobody' }],
  ['PUT', '/Users/some-id', { schemas: [urn.user], userName: 'nobody' }],
  ['PATCH', '/Groups/some-id', { schemas: [urn.patch], Operations: [{ op: 'remove', path: 'members' }] }],
  ['DELETE', '/Users/some-id'],
  ['POST', '/Groups', { schemas: [urn.group], displayName: 'nobodies' }],
  ['POST', '/Users/.search', { schemas: [urn.search] }],
  ['POST', '/Bulk', { schemas: [urn.bulk], Operations: [] }],
];

export const rows: Row[] = [
  ...section('rfc7644', '2', [
    ...requests.map(([method, path, body]) =>
      must(`${method} ${path} without credentials is answered 401 and says which schemes there are`, async (scim) => {
        const answer = await scim.call(method, path, body, { headers: { authorization: undefined } });
        expectError(answer, 401);
        expect(/\b(Bearer|Basic)\b/i.test(answer.headers['www-authenticate'] ?? ''), 'WWW-Authenticate is missing');
      }),
    ),
    ...(
      [
        ['a bearer token nobody has', 'Bearer h480djs93hd8'],
        ['a name and password nobody has', `Basic ${Buffer.from('nobody:nothing').toString('base64')}`],
        ['a scheme nobody knows', 'Negotiate abcdef'],
        ['an empty bearer token', 'Bearer '],
        ['Basic credentials that are no base64', 'Basic ???'],
      ] as const
    ).map(([what, authorization]) =>
      must(`${what} is answered 401`, async (scim) => {
        const answer = await scim.get('/Users', { authorization });
        expectError(answer, 401);
        expect(answer.headers['www-authenticate'], 'WWW-Authenticate is missing');
      }),
    ),
    must('each scheme of WWW-Authenticate is one of those the service provider tells of', async (scim) => {
      const { headers } = await scim.get('/Users', { authorization: undefined });
      const { body } = await scim.get('/ServiceProviderConfig');
      const told = (body?.authenticationSchemes ?? []).map((one: { type: string }) => one.type);
      const wanted = { oauthbearertoken: /\bBearer\b/, httpbasic: /\bBasic\b/ } as Record<string, RegExp>;
      expect(told.length > 0, 'no scheme is told');
      for (const type of told) expect(wanted[type]?.test(headers['www-authenticate'] ?? ''), `${type} is not offered`);
    }),
    must('a request without credentials changes nothing', async (scim) => {
      const made = await scim.user();
      const answer = await scim.call('DELETE', scim.at(made), undefined, { headers: { authorization: undefined } });
      expectStatus(answer, 401);
      expectSame((await scim.read(made)).id, made.id, 'the id');
    }),
    should('whether somebody exists is not told without credentials', async (scim) => {
      const made = await scim.user();
      const headers = { authorization: 'Bearer h480djs93hd8' };
      const [there, absent] = [await scim.get(scim.at(made), headers), await scim.get('/Users/nobody', headers)];
      expectSame([there.status, absent.status], [401, 401], 'the statuses');
      expectSame(there.body?.detail, absent.body?.detail, 'the detail');
    }),
  ]),
  ...section('rfc7644', '7', [
    must('7.4 credentials in the address count for nothing', async (scim) => {
      const token = scim.peer.authorization.split(' ')[1] ?? '';
      for (const name of ['access_token', 'token', 'authorization']) {
        const answer = await scim.call('GET', `/Users?${name}=${token}`, undefined, {
          headers: { authorization: undefined },
        });
        expectError(answer, 401);
      }
    }),
    must('7.4 a refusal does not repeat the credentials', async (scim) => {
      const answer = await scim.get('/Users', { authorization: 'Bearer secret-which-leaks' });
      expectError(answer, 401);
      expect(
        !JSON.stringify([answer.text, answer.headers]).includes('secret-which-leaks'),
        'the token is in the answer',
      );
    }),
    must('7.4 a token has 128 bits or more', async (scim) => {
      const token = scim.peer.authorization.replace(/^Bearer /, '');
      expect(new Set(token).size > 10 && token.length >= 22, `a token has ${token.length} characters`);
      expectStatus(await scim.get('/Users?count=0', { authorization: `Bearer ${token.slice(0, -1)}` }), 401);
    }),
    should('7.5.2 a filter by password is not answered in an address', async (scim) => {
      const answer = await scim.get(`/Users?filter=${encodeURIComponent('password eq "t1meMa$heen"')}`);
      expectError(answer, 403, 'sensitive');
    }),
    must('7.5.2 what is personal can be asked for in a body instead', async (scim) => {
      const made = await scim.user();
      const answer = await scim.post('/Users/.search', {
        schemas: [urn.search],
        filter: `userName eq "${made.userName}"`,
      });
      expectSame([answer.status, answer.body?.totalResults], [200, 1], 'status and totalResults');
    }),
    must('7.8 userName is compared as Unicode says: composed and decomposed are one', async (scim) => {
      const userName = scim.name('Zo\u00eb');
      await scim.user({ userName });
      const answer = await scim.post('/Users', { schemas: [urn.user], userName: userName.normalize('NFD') });
      expectError(answer, 409, 'uniqueness');
      const found = await scim.list('/Users', { filter: `userName eq "${userName.normalize('NFD')}"` });
      expectSame(found.totalResults, 1, 'how many are found');
    }),
  ]),
  ...section('rfc7644', '5', [
    must('case is folded as Unicode says, not as ASCII', async (scim) => {
      const userName = scim.name('ÄÖÜ-Σ');
      await scim.user({ userName });
      expectError(
        await scim.post('/Users', { schemas: [urn.user], userName: userName.toLowerCase() }),
        409,
        'uniqueness',
      );
    }),
  ]),
  ...section(
    'rfc7644',
    '5',
    [
      must('userName is prepared before it is compared: full-width letters are the plain ones', async (scim) => {
        const userName = scim.name('ada');
        await scim.user({ userName });
        const wide = userName.replace(/[a-z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));
        expectError(await scim.post('/Users', { schemas: [urn.user], userName: wide }), 409, 'uniqueness');
      }),
    ],
    'PRECIS',
  ),
];
