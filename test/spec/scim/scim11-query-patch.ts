import type { Json, Scim } from './client.ts';
import { expect, expectSame, expectSet, expectStatus, shown } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';
import { core, enterprise, expectErrors, ids, patched } from './scim11.ts';

const three = (scim: Scim) =>
  scim.shared('three', async () => {
    const mark = scim.name('t');
    await scim.user({
      userName: `${mark}.b`,
      displayName: 'Bob',
      title: 'x',
      emails: [{ value: 'b@work.example', type: 'work' }],
    });
    await scim.user({
      userName: `${mark}.a`,
      displayName: 'Ada',
      title: 'y',
      schemas: [core, enterprise],
      [enterprise]: { department: 'A' },
    });
    await scim.user({ userName: `${mark}.c`, displayName: 'Cyd' });
    return mark;
  });

async function found(scim: Scim, more: Record<string, string | number> = {}, filter?: string): Promise<Json> {
  const mark = await three(scim);
  const scope = `userName sw "${mark}."`;
  return scim.list('/Users', { filter: filter ? `${scope} and (${filter})` : scope, sortBy: 'userName', ...more });
}

const letters = (list: Json): string => (list.Resources ?? []).map((one: Json) => one.userName.slice(-1)).join('');

const filters: readonly [filter: string, found: string][] = [
  ['displayName eq "Ada"', 'a'],
  ['displayName Eq "ada"', 'a'],
  ['displayName co "d"', 'ac'],
  ['displayName sw "bo"', 'b'],
  ['title pr', 'ab'],
  ['title gt "x"', 'a'],
  ['title ge "x"', 'ab'],
  ['title lt "y"', 'b'],
  ['title le "y"', 'ab'],
  ['displayName eq "Ada" or displayName eq "Bob"', 'ab'],
  ['title pr and displayName eq "Bob"', 'b'],
  ['displayName eq "Cyd" or title pr and displayName eq "Bob"', 'bc'],
  ['(displayName eq "Cyd" or title pr) and displayName eq "Bob"', 'b'],
  ['emails.value eq "b@work.example"', 'b'],
  [`${enterprise}.department eq "A"`, 'a'],
];

const home = { value: 'a@home.example', type: 'home' };
const work = { value: 'a@work.example', type: 'work' };

export const rows: Row[] = [
  ...section(
    'scim-1.1',
    '3.2.2',
    [
      must('a list has totalResults, itemsPerPage, startIndex, schemas and Resources', async (scim) => {
        const list = await found(scim, { startIndex: 2, count: 1 });
        expectSame(
          [list.totalResults, list.itemsPerPage, list.startIndex, list.schemas, letters(list)],
          [3, 1, 2, [core], 'b'],
          'the list',
        );
      }),
      ...filters.map(([filter, wanted]) =>
        must(`filter ${filter}`, async (scim) =>
          expectSame(letters(await found(scim, {}, filter)), wanted, 'who is found'),
        ),
      ),
      fact('what 2.0 alone has is refused: ne, ew, not and brackets', async (scim) => {
        for (const filter of ['userName ne "x"', 'userName ew "x"', 'not (title pr)', 'emails[type eq "work"]']) {
          expectErrors(await scim.get(`/Users?filter=${encodeURIComponent(filter)}`), 400);
        }
      }),
      must('a filter that cannot be read is 400', async (scim) =>
        expectErrors(await scim.get('/Users?filter=userName'), 400),
      ),
      must('sortOrder descending', async (scim) =>
        expectSame(letters(await found(scim, { sortOrder: 'descending' })), 'cba', 'the order'),
      ),
      must('sorted ascending otherwise', async (scim) => expectSame(letters(await found(scim)), 'abc', 'the order')),
      must('startIndex below 1 counts as 1, count below 0 as 0', async (scim) => {
        expectSame(letters(await found(scim, { startIndex: 0, count: 1 })), 'a', 'the page');
        expectSame(
          [letters(await found(scim, { count: 0 })), (await found(scim, { count: 0 })).totalResults],
          ['', 3],
          'the page',
        );
      }),
      must('attributes chooses, and id comes with it', async (scim) => {
        const made = await scim.user({
          title: 'x',
          displayName: 'Ada',
          name: { familyName: 'King', givenName: 'Ada' },
        });
        const answer = await scim.get(`${scim.at(made)}?attributes=title,name.givenName`);
        expectStatus(answer, 200);
        expectSame(
          [answer.body.id, shown(answer.body), answer.body.name],
          [made.id, ['name', 'title'], { givenName: 'Ada' }],
          'what is there',
        );
      }),
      must('groups are found by displayName', async (scim) => {
        const group = await scim.group();
        const list = await scim.list('/Groups', { filter: `displayName eq "${group.displayName}"` });
        expectSame(
          list.Resources?.map((one: Json) => one.id),
          [group.id],
          'ids',
        );
      }),
    ],
    'SCIM 1.1',
  ),
  ...section(
    'scim-1.1',
    '3.3.2',
    [
      must('a single-valued attribute is replaced, the others stay', async (scim) => {
        const now = await patched(scim, await scim.user({ title: 'a', displayName: 'Ada' }), { title: 'b' });
        expectSame([now.title, now.displayName], ['b', 'Ada'], 'title and displayName');
      }),
      must('a complex attribute is merged', async (scim) => {
        const now = await patched(scim, await scim.user({ name: { familyName: 'King', givenName: 'Ada' } }), {
          name: { givenName: 'Augusta' },
        });
        expectSame(now.name, { familyName: 'King', givenName: 'Augusta' }, 'name');
      }),
      must('values of a multi-valued attribute are added', async (scim) => {
        expectSet(
          (await patched(scim, await scim.user({ emails: [work] }), { emails: [home] })).emails,
          [work, home],
          'emails',
        );
      }),
      must('a value with operation delete is removed', async (scim) => {
        const now = await patched(scim, await scim.user({ emails: [work, home] }), {
          emails: [{ ...home, operation: 'delete' }],
        });
        expectSame(now.emails, [work], 'emails');
      }),
      must('adding and deleting at once', async (scim) => {
        const other = { value: 'a@other.example', type: 'other' };
        const now = await patched(scim, await scim.user({ emails: [work, home] }), {
          emails: [{ ...home, operation: 'delete' }, other],
        });
        expectSet(now.emails, [work, other], 'emails');
      }),
      must('meta.attributes removes attributes', async (scim) => {
        const now = await patched(scim, await scim.user({ title: 'a', emails: [work], displayName: 'Ada' }), {
          meta: { attributes: ['title', 'emails'] },
        });
        expectSame([now.title, now.emails ?? [], now.displayName], [undefined, [], 'Ada'], 'what is there');
      }),
      must('meta.attributes removes a sub-attribute by its dotted name', async (scim) => {
        const now = await patched(scim, await scim.user({ name: { familyName: 'King', givenName: 'Ada' } }), {
          meta: { attributes: ['name.givenName'] },
        });
        expectSame(now.name, { familyName: 'King' }, 'name');
      }),
      must('removal comes before the merge: the values are replaced', async (scim) => {
        const now = await patched(scim, await scim.user({ emails: [work] }), {
          meta: { attributes: ['emails'] },
          emails: [home],
        });
        expectSame(now.emails, [home], 'emails');
      }),
      must('meta.attributes may name a whole extension’s attribute', async (scim) => {
        const made = await scim.user({
          schemas: [core, enterprise],
          [enterprise]: { department: 'A', costCenter: '7' },
        });
        const now = await patched(scim, made, { meta: { attributes: [`${enterprise}.department`] } });
        expectSame(now[enterprise], { costCenter: '7' }, 'the extension');
      }),
      must('a required attribute is not removed', async (scim) => {
        const made = await scim.user();
        expectErrors(
          await scim.call('PATCH', scim.at(made), { schemas: [core], meta: { attributes: ['userName'] } }),
          400,
        );
      }),
      must('members are added and deleted, the others stay', async (scim) => {
        const [a, b, c] = [await scim.user(), await scim.user(), await scim.user()];
        const group = await scim.group({ members: [{ value: a.id }, { value: b.id }] });
        const now = await patched(scim, group, { members: [{ value: c.id }, { value: a.id, operation: 'delete' }] });
        expectSame(ids(now.members), [b.id, c.id].sort(), 'members');
      }),
      must('all members go with meta.attributes', async (scim) => {
        const user = await scim.user();
        const group = await scim.group({ members: [{ value: user.id }] });
        expectSame(ids((await patched(scim, group, { meta: { attributes: ['members'] } })).members), [], 'members');
      }),
      must('it is all or nothing', async (scim) => {
        const group = await scim.group();
        const part = { schemas: [core], displayName: scim.name('new'), members: [{ value: 'nobody' }] };
        expectErrors(await scim.call('PATCH', scim.at(group), part), 400, 404);
        expectSame((await scim.read(group)).displayName, group.displayName, 'displayName');
      }),
      fact('success is 200 with the resource or 204 without a body', async (scim) => {
        const made = await scim.user();
        const answer = await scim.call('PATCH', scim.at(made), { schemas: [core], title: 'x' });
        expectStatus(answer, 200, 204);
        expect(answer.status === 204 ? answer.text === '' : answer.body?.title === 'x', 'the body is another');
      }),
      fact('POST with X-HTTP-Method-Override: PATCH is a PATCH', async (scim) => {
        const made = await scim.user();
        const headers = { 'x-http-method-override': 'PATCH' };
        expectStatus(await scim.call('POST', scim.at(made), { schemas: [core], title: 'x' }, { headers }), 200, 204);
        expectSame((await scim.read(made)).title, 'x', 'title');
      }),
      must('an id nobody has is 404', async (scim) =>
        expectErrors(await scim.call('PATCH', '/Users/nobody', { schemas: [core], title: 'x' }), 404),
      ),
    ],
    'SCIM 1.1',
  ),
  ...section(
    'scim-1.1',
    '3.5',
    [
      must('a bulk job is done, with a result for each operation', async (scim) => {
        const made = await scim.user();
        const answer = await scim.post('/Bulk', {
          schemas: [core],
          Operations: [
            { method: 'POST', path: '/Users', bulkId: 'one', data: { schemas: [core], userName: scim.name() } },
            { method: 'PATCH', path: scim.at(made), data: { schemas: [core], title: 'x' } },
            { method: 'DELETE', path: '/Users/nobody' },
          ],
        });
        expectStatus(answer, 200);
        const codes = answer.body.Operations?.map((one: Json) => one.status?.code);
        expect(
          codes?.[0] === '201' && ['200', '204'].includes(codes[1]) && codes[2] === '404',
          `the codes are ${codes}`,
        );
        expectSame([answer.body.Operations[0].bulkId, (await scim.read(made)).title], ['one', 'x'], 'bulkId and title');
        expect(
          answer.body.Operations[0].location && answer.body.Operations[2].status.description,
          'location or description is missing',
        );
      }),
      must('a bulkId stands for the id of what the job made', async (scim) => {
        const answer = await scim.post('/Bulk', {
          schemas: [core],
          Operations: [
            { method: 'POST', path: '/Users', bulkId: 'u', data: { schemas: [core], userName: scim.name() } },
            {
              method: 'POST',
              path: '/Groups',
              bulkId: 'g',
              data: { schemas: [core], displayName: scim.name(), members: [{ value: 'bulkId:u' }] },
            },
          ],
        });
        expectStatus(answer, 200);
        const [user, group] = answer.body.Operations;
        expectSame(ids((await scim.get(group.location)).body?.members), [user.location.split('/').at(-1)], 'members');
      }),
      must('failOnErrors ends the job', async (scim) => {
        const userName = scim.name();
        const answer = await scim.post('/Bulk', {
          schemas: [core],
          failOnErrors: 1,
          Operations: [
            { method: 'DELETE', path: '/Users/nobody' },
            { method: 'POST', path: '/Users', bulkId: 'u', data: { schemas: [core], userName } },
          ],
        });
        expectSame([answer.status, answer.body?.Operations?.length], [200, 1], 'status and the number of results');
        expectSame((await scim.list('/Users', { filter: `userName eq "${userName}"` })).totalResults, 0, 'found');
      }),
    ],
    'SCIM 1.1',
  ),
];
