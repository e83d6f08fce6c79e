import { type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const five = (scim: Scim) =>
  scim.shared('cursors', async () => {
    const mark = scim.name('cur');
    for (const n of [3, 0, 4, 1, 2]) await scim.user({ userName: `${mark}.${n}` });
    return `userName sw "${mark}."`;
  });

const numbers = (list: Json): number[] => (list?.Resources ?? []).map((one: Json) => Number(one.userName.slice(-1)));

/** All pages from the first; no more than ten, so that a cursor that never ends does. */
async function walk(scim: Scim, ask: (cursor: string) => Promise<Json>): Promise<Json[]> {
  const pages: Json[] = [];
  let cursor: string | undefined = '';
  while (cursor !== undefined && pages.length < 10) {
    const page: Json = await ask(cursor);
    pages.push(page);
    cursor = page.nextCursor;
  }
  expect(pages.length < 10, 'the pages do not end');
  expect(scim.base, 'no base');
  return pages;
}

const get = async (scim: Scim, more: Record<string, string | number>): Promise<Json> =>
  scim.list('/Users', { filter: await five(scim), sortBy: 'userName', ...more });

async function refused(scim: Scim, query: string, scimType: string): Promise<void> {
  const filter = encodeURIComponent(await five(scim));
  expectError(await scim.get(`/Users?filter=${filter}&${query}`), 400, scimType);
}

const config = async (scim: Scim): Promise<Json> => (await scim.get('/ServiceProviderConfig')).body?.pagination;

export const rows: Row[] = [
  ...section(
    'rfc9865',
    '2',
    [
      must('an empty cursor asks for the first page, which has a nextCursor', async (scim) => {
        const page = await get(scim, { cursor: '', count: 2 });
        expectSame([numbers(page), typeof page.nextCursor], [[0, 1], 'string'], 'the page and nextCursor');
      }),
      must('nextCursor brings the pages that follow, and everybody once', async (scim) => {
        const pages = await walk(scim, (cursor) => get(scim, { cursor, count: 2 }));
        expectSame(pages.map(numbers), [[0, 1], [2, 3], [4]], 'the pages');
      }),
      must('the last page has no nextCursor, also when it is full', async (scim) => {
        expect((await get(scim, { cursor: '', count: 4 })).nextCursor, 'no page has one');
        const page = await get(scim, { cursor: '', count: 5 });
        expectSame([numbers(page), page.nextCursor], [[0, 1, 2, 3, 4], undefined], 'the page and nextCursor');
      }),
      must('the first page has no previousCursor', async (scim) => {
        const page = await get(scim, { cursor: '', count: 2 });
        expectSame([numbers(page), page.previousCursor], [[0, 1], undefined], 'the page and previousCursor');
        expect(page.nextCursor, 'there is no nextCursor either');
      }),
      must('a cursor has unreserved characters only', async (scim) => {
        const { nextCursor } = await get(scim, { cursor: '', count: 2 });
        expect(typeof nextCursor === 'string' && /^[A-Za-z0-9._~-]+$/.test(nextCursor), `it is ${nextCursor}`);
      }),
      must('a query without a result has no nextCursor', async (scim) => {
        const list = await scim.list('/Users', { filter: 'userName eq "nobody at all"', cursor: '' });
        expectSame([list.totalResults ?? 0, list.Resources ?? [], list.nextCursor], [0, [], undefined], 'the list');
        expect((await get(scim, { cursor: '', count: 2 })).nextCursor, 'no query has one');
      }),
      fact('totalResults, where it is told, counts all', async (scim) => {
        const page = await get(scim, { cursor: '', count: 2 });
        expect(page.nextCursor, 'there is no nextCursor');
        expectSame(page.totalResults ?? 5, 5, 'totalResults');
      }),
      fact('who is made or goes between two pages does not make others come twice or not at all', async (scim) => {
        const mark = scim.name('mov');
        const made = [];
        for (const n of [1, 3, 5, 7]) made.push(await scim.user({ userName: `${mark}.${n}` }));
        const ask = (cursor: string) =>
          scim.list('/Users', { filter: `userName sw "${mark}."`, sortBy: 'userName', cursor, count: 2 });
        const first = await ask('');
        await scim.user({ userName: `${mark}.0` });
        expectStatus(await scim.call('DELETE', scim.at(made[0])), 204);
        expectSame(
          [numbers(first), numbers(await ask(first.nextCursor))],
          [
            [1, 3],
            [5, 7],
          ],
          'the pages',
        );
      }),
      must('it works for groups', async (scim) => {
        const mark = scim.name('gro');
        for (const n of [0, 1, 2]) await scim.group({ displayName: `${mark}.${n}` });
        const ask = (cursor: string) => scim.list('/Groups', { filter: `displayName sw "${mark}."`, cursor, count: 2 });
        const pages = await walk(scim, ask);
        expectSame(
          pages.map((page) => page.Resources.length),
          [2, 1],
          'the sizes of the pages',
        );
      }),
      must('it works in /.search', async (scim) => {
        const filter = await five(scim);
        const pages = await walk(scim, async (cursor) => {
          const answer = await scim.post('/Users/.search', {
            schemas: [urn.search],
            filter,
            sortBy: 'userName',
            cursor,
            count: 3,
          });
          expectStatus(answer, 200);
          return answer.body;
        });
        expectSame(
          pages.map(numbers),
          [
            [0, 1, 2],
            [3, 4],
          ],
          'the pages',
        );
      }),
    ],
    'cursors',
  ),
  ...section(
    'rfc9865',
    '2.1',
    [
      must('a cursor nobody gave is 400 and invalidCursor', (scim) =>
        refused(scim, 'cursor=never-given', 'invalidCursor'),
      ),
      must('a cursor of another query is refused', async (scim) => {
        const { nextCursor } = await get(scim, { cursor: '', count: 2 });
        expect(nextCursor, 'there is no nextCursor');
        const other = await scim.get(`/Groups?cursor=${nextCursor}&count=2`);
        expectError(other, 400, 'invalidCursor');
      }),
      must('a count that is none, beside a cursor, is 400 and invalidCount', (scim) =>
        refused(scim, 'cursor=&count=many', 'invalidCount'),
      ),
      fact('cursor and startIndex together are refused', async (scim) => {
        const filter = encodeURIComponent(await five(scim));
        expectError(await scim.get(`/Users?filter=${filter}&cursor=&startIndex=2`), 400);
      }),
    ],
    'cursors',
  ),
  ...section(
    'rfc9865',
    '4',
    [
      must('ServiceProviderConfig tells which ways of paging there are', async (scim) => {
        const told = await config(scim);
        expectSame([told?.cursor, told?.index], [true, true], 'cursor and index');
      }),
      must('with both it names its default, and that is what comes without a parameter', async (scim) => {
        const told = await config(scim);
        expect(['cursor', 'index'].includes(told?.defaultPaginationMethod), `it is ${told?.defaultPaginationMethod}`);
        const page = await get(scim, { count: 2 });
        expectSame(
          page.nextCursor !== undefined,
          told.defaultPaginationMethod === 'cursor',
          'whether there is a cursor',
        );
      }),
      fact('page sizes are told and held', async (scim) => {
        const told = await config(scim);
        expect(told?.maxPageSize > 0 && told.defaultPageSize <= told.maxPageSize, 'the sizes are not told');
        const page = await scim.list('/Users', { cursor: '', count: told.maxPageSize + 1 });
        expect(page.Resources.length <= told.maxPageSize, `${page.Resources.length} came`);
      }),
    ],
    'cursors',
  ),
];
