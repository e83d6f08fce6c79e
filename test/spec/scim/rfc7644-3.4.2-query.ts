import { type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectList, expectSame, expectSet } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

/** Five users that only these rows read; the filter that finds them, and their names in order. */
const five = (scim: Scim) =>
  scim.shared('five', async () => {
    const mark = scim.name('five');
    const names = [2, 0, 4, 1, 3].map((n) => `${mark}.p${n}`);
    for (const userName of names) await scim.user({ userName });
    return { filter: `userName sw "${mark}."`, names: names.toSorted() };
  });

async function page(scim: Scim, parameters: Record<string, string | number>): Promise<Json> {
  const { filter } = await five(scim);
  return scim.list('/Users', { filter, sortBy: 'userName', ...parameters });
}

/** Which of the five these parameters bring, by number. */
async function numbers(scim: Scim, parameters: Record<string, string | number>): Promise<number[]> {
  return ((await page(scim, parameters)).Resources ?? []).map((one: Json) => Number(one.userName.slice(-1)));
}

async function refused(scim: Scim, query: string): Promise<void> {
  expectError(await scim.get(`/Users?${query}`), 400, 'invalidValue');
}

export const rows: Row[] = [
  ...section('rfc7644', '3.4.2', [
    must('a list says that it is one', async (scim) => {
      expectList(await scim.get('/Users'));
      expectList(await scim.get('/Groups'));
    }),
    must('totalResults counts all that match', async (scim) => {
      expectSame((await page(scim, { count: 2 })).totalResults, 5, 'totalResults');
    }),
    must('Resources are the resources, whole', async (scim) => {
      const made = await scim.user({ displayName: 'Ada', active: true });
      const list = await scim.list('/Users', { filter: `id eq "${made.id}"` });
      expectSame(list.Resources, [await scim.read(made)], 'Resources');
    }),
    must('startIndex and itemsPerPage are there with a part of the results', async (scim) => {
      const { startIndex, itemsPerPage } = await page(scim, { startIndex: 2, count: 2 });
      expectSame([startIndex, itemsPerPage], [2, 2], 'startIndex and itemsPerPage');
    }),
    must('nothing found is a success with totalResults 0', async (scim) => {
      const list = expectList(await scim.get(`/Users?filter=${encodeURIComponent('userName eq "nobody at all"')}`));
      expectSame([list.totalResults, list.Resources ?? []], [0, []], 'the list');
      expectSame((await page(scim, {})).totalResults, 5, 'totalResults of a filter that finds');
    }),
    should('parameters nobody knows are ignored', async (scim) => {
      expectSame((await page(scim, { shoeSize: 7, q: 'x' })).totalResults, 5, 'totalResults');
    }),
    fact('a query for users finds no groups', async (scim) => {
      const name = scim.name('both');
      const made = await scim.user({ displayName: name });
      await scim.group({ displayName: name });
      const list = await scim.list('/Users', { filter: `displayName eq "${name}"` });
      expectSame(
        list.Resources?.map((one: Json) => one.id),
        [made.id],
        'ids',
      );
    }),
  ]),
  ...section(
    'rfc7644',
    '3.4.2.1',
    [
      must('a query at the root brings users and groups', async (scim) => {
        const name = scim.name('root');
        const made = [await scim.user({ displayName: name }), await scim.group({ displayName: name })];
        const answer = await scim.get(`/?filter=${encodeURIComponent(`displayName eq "${name}"`)}`);
        expectSet(
          expectList(answer).Resources.map((one: Json) => one.id),
          made.map((one) => one.id),
          'ids',
        );
      }),
      fact('meta.resourceType chooses among the types', async (scim) => {
        const name = scim.name('root');
        const user = await scim.user({ displayName: name });
        await scim.group({ displayName: name });
        const filter = `displayName eq "${name}" and meta.resourceType eq "User"`;
        const answer = await scim.get(`/?filter=${encodeURIComponent(filter)}`);
        expectSame(
          expectList(answer).Resources.map((one: Json) => one.id),
          [user.id],
          'ids',
        );
      }),
      must('an attribute a type does not have counts as unassigned there', async (scim) => {
        const user = await scim.user();
        const filter = `userName eq "${user.userName}" or members.value eq "${user.id}"`;
        const group = await scim.group({ members: [{ value: user.id }] });
        const answer = await scim.get(`/?filter=${encodeURIComponent(filter)}`);
        expectSet(
          expectList(answer).Resources.map((one: Json) => one.id),
          [user.id, group.id],
          'ids',
        );
      }),
    ],
    'root query',
  ),
  ...section('rfc7644', '3.4.2.3', [
    must('sortBy orders, ascending without sortOrder', async (scim) => {
      expectSame(await numbers(scim, {}), [0, 1, 2, 3, 4], 'the order');
    }),
    fact('sortOrder ascending and descending', async (scim) => {
      expectSame(await numbers(scim, { sortOrder: 'ascending' }), [0, 1, 2, 3, 4], 'the order ascending');
      expectSame(await numbers(scim, { sortOrder: 'descending' }), [4, 3, 2, 1, 0], 'the order descending');
    }),
    fact('another sortOrder is refused', (scim) => refused(scim, 'sortBy=userName&sortOrder=sideways')),
    must('the order of a text without caseExact does not look at case', async (scim) => {
      expectSame(await sorted(scim, 'displayName', ['b', 'A', 'c', 'B2']), ['A', 'b', 'B2', 'c'], 'the order');
    }),
    must('the order of a text with caseExact looks at case', async (scim) => {
      const mark = scim.name('exact');
      const given = ['b', 'A', 'a', 'B'].map((one) => `${mark}${one}`);
      for (const externalId of given) await scim.user({ externalId, nickName: mark });
      const list = await scim.list('/Users', { filter: `nickName eq "${mark}"`, sortBy: 'externalId' });
      expectSame(
        list.Resources?.map((one: Json) => one.externalId.slice(mark.length)),
        ['A', 'B', 'a', 'b'],
        'the order',
      );
    }),
    fact('who has no value comes last ascending, first descending', async (scim) => {
      expectSame(
        await sorted(scim, 'displayName', ['b', undefined, 'a']),
        ['a', 'b', undefined],
        'the order ascending',
      );
      expectSame(
        await sorted(scim, 'displayName', ['b', undefined, 'a'], 'descending'),
        [undefined, 'b', 'a'],
        'the order descending',
      );
    }),
    fact('a multi-valued attribute is ordered by its primary value, else the first', async (scim) => {
      const nickName = scim.name('mail');
      const mails = [
        [{ value: 'a@x.example' }, { value: 'z@x.example', primary: true }],
        [{ value: 'm@x.example' }, { value: 'b@x.example' }],
        [{ value: 'y@x.example' }, { value: 'c@x.example', primary: true }],
      ];
      for (const emails of mails) await scim.user({ nickName, emails });
      const list = await scim.list('/Users', { filter: `nickName eq "${nickName}"`, sortBy: 'emails.value' });
      expectSame(
        list.Resources?.map((one: Json) => one.emails[0].value.slice(0, 1)),
        ['y', 'm', 'a'],
        'the order',
      );
    }),
    fact('a sub-attribute can be ordered by', async (scim) => {
      const nickName = scim.name('sub');
      for (const familyName of ['King', 'Babbage', 'Menabrea']) await scim.user({ nickName, name: { familyName } });
      const list = await scim.list('/Users', { filter: `nickName eq "${nickName}"`, sortBy: 'name.familyName' });
      expectSame(
        list.Resources?.map((one: Json) => one.name.familyName),
        ['Babbage', 'King', 'Menabrea'],
        'the order',
      );
    }),
    fact('an attribute of an extension can be ordered by', async (scim) => {
      const nickName = scim.name('ext');
      for (const department of ['b', 'c', 'a']) {
        await scim.user({ schemas: [urn.user, urn.enterprise], nickName, [urn.enterprise]: { department } });
      }
      const list = await scim.list('/Users', {
        filter: `nickName eq "${nickName}"`,
        sortBy: `${urn.enterprise}:department`,
      });
      expectSame(
        list.Resources?.map((one: Json) => one[urn.enterprise].department),
        ['a', 'b', 'c'],
        'the order',
      );
    }),
    must('a date is ordered by time', async (scim) => {
      const nickName = scim.name('date');
      for (const title of ['1', '2', '3']) {
        await scim.user({ nickName, title });
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const list = await scim.list('/Users', {
        filter: `nickName eq "${nickName}"`,
        sortBy: 'meta.created',
        sortOrder: 'descending',
      });
      expectSame(
        list.Resources?.map((one: Json) => one.title),
        ['3', '2', '1'],
        'the order',
      );
    }),
    fact('an attribute name has no case in sortBy either', async (scim) => {
      expectSame(await numbers(scim, { sortBy: 'USERNAME' }), [0, 1, 2, 3, 4], 'the order');
    }),
  ]),
  ...section('rfc7644', '3.4.2.4', [
    must('without startIndex the first page comes', async (scim) => {
      expectSame(await numbers(scim, { count: 2 }), [0, 1], 'the page');
    }),
    must('startIndex counts from 1', async (scim) => {
      expectSame(await numbers(scim, { startIndex: 1, count: 2 }), [0, 1], 'the page at 1');
      expectSame(await numbers(scim, { startIndex: 4, count: 2 }), [3, 4], 'the page at 4');
    }),
    ...[0, -1, -1000].map((startIndex) =>
      must(`startIndex ${startIndex} counts as 1`, async (scim) => {
        const list = await page(scim, { startIndex, count: 2 });
        expectSame(
          [list.startIndex, await numbers(scim, { startIndex, count: 2 })],
          [1, [0, 1]],
          'startIndex and page',
        );
      }),
    ),
    must('no more than count come', async (scim) => {
      for (const count of [1, 3, 5, 7]) {
        expectSame((await numbers(scim, { count })).length, Math.min(count, 5), `how many come for count=${count}`);
      }
    }),
    must('count 0 brings totalResults and no resource', async (scim) => {
      const list = await page(scim, { count: 0 });
      expectSame([list.totalResults, list.Resources ?? []], [5, []], 'totalResults and Resources');
    }),
    must('a negative count counts as 0', async (scim) => {
      const list = await page(scim, { count: -3 });
      expectSame([list.totalResults, list.Resources ?? []], [5, []], 'totalResults and Resources');
    }),
    fact('behind the end come no resources, and the total stays', async (scim) => {
      const list = await page(scim, { startIndex: 6, count: 2 });
      expectSame([list.totalResults, list.Resources ?? []], [5, []], 'totalResults and Resources');
    }),
    fact('the last page may be a short one', async (scim) => {
      const list = await page(scim, { startIndex: 5, count: 2 });
      expectSame([list.itemsPerPage, list.Resources?.length], [1, 1], 'itemsPerPage and Resources');
    }),
    fact('pages after one another bring everybody once', async (scim) => {
      const pages = [];
      for (const startIndex of [1, 3, 5]) pages.push(...(await numbers(scim, { startIndex, count: 2 })));
      expectSame(pages, [0, 1, 2, 3, 4], 'all pages');
    }),
    fact('what is no number is refused', async (scim) => {
      for (const query of ['startIndex=one', 'count=many', 'count=1.5', 'startIndex=']) await refused(scim, query);
    }),
    must('no more come than filter.maxResults promises, whatever count says', async (scim) => {
      const { body } = await scim.get('/ServiceProviderConfig');
      const most: number = body?.filter?.maxResults;
      expect(Number.isInteger(most) && most > 0 && most <= 500, `maxResults is ${most}`);
      const { totalResults } = await scim.list('/Users', { count: 0 });
      for (let more = most + 1 - totalResults; more > 0; more -= 20) {
        await Promise.all(Array.from({ length: 20 }, () => scim.user({ title: 'one of many' })));
      }
      const list = await scim.list('/Users', { count: 100_000, attributes: 'userName' });
      expectSame([list.Resources?.length, list.itemsPerPage], [most, most], 'how many come and itemsPerPage');
      expect(list.totalResults > most, 'totalResults is cut as well');
    }),
  ]),
];

/** `displayName` of users with these, in the order that is answered. */
async function sorted(
  scim: Scim,
  sortBy: string,
  values: (string | undefined)[],
  sortOrder = 'ascending',
): Promise<Json[]> {
  const nickName = scim.name('sort');
  for (const displayName of values) await scim.user({ nickName, displayName });
  const list = await scim.list('/Users', { filter: `nickName eq "${nickName}"`, sortBy, sortOrder });
  return (list.Resources ?? []).map((one: Json) => one.displayName);
}
