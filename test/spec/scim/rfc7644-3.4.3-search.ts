import { type Json, type Scim, urn } from './client.ts';
import { expectError, expectList, expectSame, expectSet } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const four = (scim: Scim) =>
  scim.shared('four', async () => {
    const mark = scim.name('four');
    for (const n of [2, 0, 3, 1]) await scim.user({ userName: `${mark}.${n}`, title: 'Searched' });
    return `userName sw "${mark}."`;
  });

async function search(scim: Scim, body: object, path = '/Users/.search'): Promise<Json> {
  return expectList(await scim.post(path, { schemas: [urn.search], ...body }));
}

const numbers = (list: Json): number[] => (list.Resources ?? []).map((one: Json) => Number(one.userName.slice(-1)));

async function refused(scim: Scim, body: object, scimType: string): Promise<void> {
  expectError(await scim.post('/Users/.search', body), 400, scimType);
}

export const rows: Row[] = [
  ...section('rfc7644', '3.4.3', [
    must('POST to /Users/.search is a query, and makes nobody', async (scim) => {
      const filter = await four(scim);
      const list = await search(scim, { filter, sortBy: 'userName' });
      expectSame([list.totalResults, numbers(list)], [4, [0, 1, 2, 3]], 'what is found');
    }),
    must('POST to /Groups/.search as well', async (scim) => {
      const group = await scim.group();
      const list = await search(scim, { filter: `displayName eq "${group.displayName}"` }, '/Groups/.search');
      expectSame(
        list.Resources?.map((one: Json) => one.id),
        [group.id],
        'ids',
      );
    }),
    must('without a SearchRequest it is refused', async (scim) => {
      await refused(scim, { filter: 'userName pr' }, 'invalidSyntax');
      await refused(scim, { schemas: [urn.user], filter: 'userName pr' }, 'invalidSyntax');
    }),
    must('filter has to be a valid one', (scim) =>
      refused(scim, { schemas: [urn.search], filter: 'userName eq' }, 'invalidFilter'),
    ),
    fact('startIndex and count', async (scim) => {
      const list = await search(scim, { filter: await four(scim), sortBy: 'userName', startIndex: 2, count: 2 });
      expectSame([list.startIndex, list.itemsPerPage, numbers(list)], [2, 2, [1, 2]], 'the page');
    }),
    fact('startIndex below 1 and count below 0', async (scim) => {
      const filter = await four(scim);
      expectSame(
        numbers(await search(scim, { filter, sortBy: 'userName', startIndex: -4, count: 1 })),
        [0],
        'the page',
      );
      expectSame(numbers(await search(scim, { filter, count: -1 })), [], 'the page');
    }),
    must('sortBy and sortOrder', async (scim) => {
      const filter = await four(scim);
      const list = await search(scim, { filter, sortBy: 'userName', sortOrder: 'descending' });
      expectSame(numbers(list), [3, 2, 1, 0], 'the order');
    }),
    fact('an empty SearchRequest finds everybody', async (scim) => {
      const filter = await four(scim);
      const all = (await search(scim, { count: 0 })).totalResults;
      expectSame([all > 3, (await search(scim, { filter, count: 0 })).totalResults], [true, 4], 'all, and the four');
    }),
    fact('values of the wrong kind are refused', async (scim) => {
      for (const wrong of [
        { count: 'x' },
        { startIndex: 1.5 },
        { attributes: 7 },
        { filter: 7 },
        { sortOrder: 'up' },
      ]) {
        await refused(scim, { schemas: [urn.search], ...wrong }, 'invalidValue');
      }
    }),
  ]),
  ...section(
    'rfc7644',
    '3.4.3',
    [
      must('POST to /.search is a query over users and groups', async (scim) => {
        const displayName = scim.name('any');
        const made = [await scim.user({ displayName }), await scim.group({ displayName })];
        const list = await search(scim, { filter: `displayName eq "${displayName}"` }, '/.search');
        expectSet(
          list.Resources?.map((one: Json) => one.id),
          made.map((one) => one.id),
          'ids',
        );
      }),
      fact('the example of the RFC: one attribute of each, paged', async (scim) => {
        const displayName = scim.name('smith');
        await scim.user({ displayName });
        await scim.group({ displayName });
        const body = {
          attributes: ['displayName'],
          filter: `displayName sw "${displayName}"`,
          startIndex: 1,
          count: 1,
        };
        const list = await search(scim, body, '/.search');
        expectSame([list.totalResults, list.itemsPerPage, list.startIndex], [2, 1, 1], 'the figures');
        expectSame(Object.keys(list.Resources[0]).sort(), ['displayName', 'id', 'schemas'], 'what is there');
      }),
      fact('meta.resourceType chooses one type', async (scim) => {
        const displayName = scim.name('kind');
        await scim.user({ displayName });
        const group = await scim.group({ displayName });
        const filter = `displayName eq "${displayName}" and meta.resourceType eq "Group"`;
        const list = await search(scim, { filter }, '/.search');
        expectSame(
          list.Resources?.map((one: Json) => one.id),
          [group.id],
          'ids',
        );
      }),
      fact('each resource is of its own type, with its own attributes', async (scim) => {
        const displayName = scim.name('own');
        const made = [await scim.user({ displayName, title: 'x' }), await scim.group({ displayName })];
        const list = await search(scim, { filter: `displayName eq "${displayName}"` }, '/.search');
        for (const one of made) {
          const found = list.Resources?.find((other: Json) => other.id === one.id);
          expectSame([found?.schemas, found?.meta?.location], [one.schemas, one.meta.location], 'schemas and location');
        }
      }),
      fact('one order over all types', async (scim) => {
        const mark = scim.name('order');
        await scim.user({ displayName: `${mark}-b` });
        await scim.group({ displayName: `${mark}-a` });
        await scim.user({ displayName: `${mark}-c` });
        const list = await search(scim, { filter: `displayName sw "${mark}"`, sortBy: 'displayName' }, '/.search');
        expectSame(
          list.Resources?.map((one: Json) => one.displayName.slice(-1)),
          ['a', 'b', 'c'],
          'the order',
        );
      }),
    ],
    'root query',
  ),
];
