import { type Json, urn } from './client.ts';
import { expect, expectError, expectList, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const config = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';

export const rows: Row[] = [
  ...section('rfc7644', '4', [
    must('/ServiceProviderConfig says its schema', async (scim) => {
      const answer = await scim.get('/ServiceProviderConfig');
      expectStatus(answer, 200);
      expectSame(answer.body?.schemas, [config], 'schemas');
    }),
    must('/Schemas is a list of all schemas', async (scim) => {
      const list = expectList(await scim.get('/Schemas'));
      expectSame(list.totalResults, list.Resources?.length, 'totalResults');
      for (const id of [urn.user, urn.group, urn.enterprise]) {
        expect(
          list.Resources.some((one: Json) => one.id === id),
          `${id} is missing`,
        );
      }
    }),
    must('/ResourceTypes is a list of all resource types', async (scim) => {
      const list = expectList(await scim.get('/ResourceTypes'));
      const names = list.Resources?.map((one: Json) => one.name) ?? [];
      expect(names.includes('User') && names.includes('Group'), `there are ${names}`);
    }),
    fact('one schema by its URN', async (scim) => {
      for (const id of [urn.user, urn.group, urn.enterprise]) {
        const answer = await scim.get(`/Schemas/${id}`);
        expectSame([answer.status, answer.body?.id], [200, id], 'status and id');
        const listed = expectList(await scim.get('/Schemas')).Resources.find((one: Json) => one.id === id);
        expectSame(answer.body, listed, 'the schema');
      }
    }),
    fact('one resource type by its name', async (scim) => {
      for (const name of ['User', 'Group']) {
        const answer = await scim.get(`/ResourceTypes/${name}`);
        expectSame([answer.status, answer.body?.name], [200, name], 'status and name');
      }
    }),
    fact('a schema or resource type nobody has is 404', async (scim) => {
      expectError(await scim.get('/Schemas/urn:nothing'), 404);
      expectError(await scim.get('/ResourceTypes/Nothing'), 404);
    }),
    must('sorting and paging are ignored', async (scim) => {
      for (const path of ['/Schemas', '/ResourceTypes']) {
        const all = expectList(await scim.get(path));
        const asked = expectList(await scim.get(`${path}?count=1&startIndex=2&sortBy=id&sortOrder=descending`));
        expectSet(asked.Resources, all.Resources, `Resources of ${path}`);
      }
    }),
    should('a filter is 403', async (scim) => {
      for (const path of ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig']) {
        expectError(await scim.get(`${path}?filter=${encodeURIComponent('name eq "User"')}`), 403);
      }
    }),
    fact('meta of a discovery resource says where it is and what', async (scim) => {
      for (const [path, type] of [
        ['/Schemas', 'Schema'],
        ['/ResourceTypes', 'ResourceType'],
      ] as const) {
        for (const one of expectList(await scim.get(path)).Resources) {
          expectSame(one.meta?.resourceType, type, 'meta.resourceType');
          expectSame((await scim.get(one.meta.location)).status, 200, 'the status at meta.location');
        }
      }
    }),
    must('the base of all addresses is one: locations begin where the client called', async (scim) => {
      const { body } = await scim.get('/ResourceTypes/User');
      const made = await scim.user();
      expectSame(made.meta.location, `${scim.base}/Users/${made.id}`, 'meta.location');
      expectSame(body?.meta?.location, `${scim.base}/ResourceTypes/User`, 'meta.location of the type');
    }),
  ]),
];
