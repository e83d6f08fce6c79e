import { type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const enterprise = { schemas: [urn.user, urn.enterprise], [urn.enterprise]: { department: 'Analysis' } };

async function refuses(scim: Scim, schemas: unknown, more: object = {}): Promise<void> {
  expectError(await scim.post('/Users', { schemas, userName: scim.name(), ...more }), 400);
}

export const rows: Row[] = [
  ...section('rfc7643', '3', [
    must('schemas is required: a body without it is refused', (scim) => refuses(scim, undefined)),
    must('schemas may not be empty', (scim) => refuses(scim, [])),
    must('schemas names nothing the resource type does not have', (scim) =>
      refuses(scim, [urn.user, 'urn:example:params:unknown:2.0:User']),
    ),
    must('schemas names no schema of another resource type', (scim) => refuses(scim, [urn.user, urn.group])),
    must('schemas has the base schema', (scim) =>
      refuses(scim, [urn.enterprise], { [urn.enterprise]: { department: 'A' } }),
    ),
    must('schemas is an array of strings', async (scim) => {
      await refuses(scim, urn.user);
      await refuses(scim, [7]);
    }),
    must('schemas given twice come back once', async (scim) => {
      const made = await scim.user({ schemas: [urn.user, urn.user] });
      expectSame(made.schemas, [urn.user], 'schemas');
    }),
    must('the order of schemas has no effect', async (scim) => {
      const made = await scim.user({ ...enterprise, schemas: [urn.enterprise, urn.user] });
      expectSame(made[urn.enterprise], { department: 'Analysis' }, 'the extension');
      expectSet(made.schemas, [urn.user, urn.enterprise], 'schemas');
    }),
    must('schemas of an answer name the extension exactly when the resource has some of it', async (scim) => {
      expectSet((await scim.user(enterprise)).schemas, [urn.user, urn.enterprise], 'schemas with the extension');
      expectSet((await scim.user({ schemas: enterprise.schemas })).schemas, [urn.user], 'schemas without');
    }),
    must('schemas follow when the last attribute of an extension goes', async (scim) => {
      const made = await scim.user(enterprise);
      expectSet(made.schemas, [urn.user, urn.enterprise], 'schemas before');
      const now = await scim.patched(made, { op: 'remove', path: `${urn.enterprise}:department` });
      expectSet(now.schemas, [urn.user], 'schemas after');
    }),
    must('common attributes are there whatever schemas say', async (scim) => {
      const made = await scim.user({ externalId: 'X-1' });
      expectSame(made.externalId, 'X-1', 'externalId');
      expect(made.id && made.meta, 'id and meta are not there');
    }),
    fact('an extension is kept under its URN, apart from core attributes of the same name', async (scim) => {
      const made = await scim.user({ ...enterprise, displayName: 'Ada' });
      const now = await scim.read(made);
      expectSame(now[urn.enterprise], { department: 'Analysis' }, 'the extension');
      expectSame(now.department, undefined, 'department outside');
    }),
    fact('attributes no schema has are not kept', async (scim) => {
      const made = await scim.user({ shoeSize: 42, name: { familyName: 'King', rank: 'high' } });
      const now = await scim.read(made);
      expectSame([now.shoeSize, now.name], [undefined, { familyName: 'King' }], 'what came back');
    }),
  ]),
  ...section('rfc7643', '3.1', [
    must('the server assigns id and all of meta', async (scim) => {
      for (const [made, type] of [
        [await scim.user(), 'User'],
        [await scim.group(), 'Group'],
      ] as const) {
        expect(typeof made.id === 'string' && made.id !== '', 'there is no id');
        expectSame(made.meta?.resourceType, type, 'meta.resourceType');
        for (const name of ['created', 'lastModified', 'location', 'version']) {
          expect(typeof made.meta?.[name] === 'string', `meta.${name} is missing`);
        }
      }
    }),
    must('id cannot be chosen: one given in a POST is ignored', async (scim) => {
      const wanted = '2819c223-7f76-453a-919d-413861904646';
      expect((await scim.user({ id: wanted })).id !== wanted, 'the id is the client’s');
    }),
    must('ids differ between all resources, users and groups together', async (scim) => {
      const made = [await scim.user(), await scim.user(), await scim.group(), await scim.group()];
      expectSame(new Set(made.map((one) => one.id)).size, 4, 'how many ids there are');
    }),
    must('id stays through changes and renames', async (scim) => {
      const made = await scim.user();
      const renamed = await scim.put(made, { userName: scim.name('renamed') });
      expectSame([renamed.status, renamed.body?.id], [200, made.id], 'status and id');
      expectSame(
        (await scim.patched(made, { op: 'replace', path: 'title', value: 'x' })).id,
        made.id,
        'id after PATCH',
      );
    }),
    must('id is not given again after a deletion', async (scim) => {
      const userName = scim.name();
      const made = await scim.user({ userName });
      expectStatus(await scim.call('DELETE', scim.at(made)), 204);
      expect((await scim.user({ userName })).id !== made.id, 'the id came back');
    }),
    must('no id has the reserved word bulkId in it', async (scim) => {
      const ids = [await scim.user(), await scim.group()].map((one) => one.id);
      expect(!ids.some((id) => /bulkid/i.test(id)), `an id is ${ids}`);
    }),
    must('id is case exact', async (scim) => {
      const made = await scim.user();
      const found = async (id: string) => (await scim.list('/Users', { filter: `id eq "${id}"` })).totalResults;
      expect(/[a-z]/.test(made.id), 'this id has no letter; make another');
      expectSame(
        [await found(made.id), await found(made.id.toUpperCase())],
        [1, 0],
        'found by id and by id in capitals',
      );
    }),
    must('id is returned always, also when other attributes are asked for or it is excluded', async (scim) => {
      const made = await scim.user();
      for (const query of ['attributes=userName', 'excludedAttributes=id']) {
        expectSame((await scim.get(`${scim.at(made)}?${query}`)).body?.id, made.id, `id with ${query}`);
      }
    }),
    must('externalId is the client’s: none appears by itself', async (scim) => {
      expectSame(
        [(await scim.user()).externalId, (await scim.user({ externalId: 'mine' })).externalId],
        [undefined, 'mine'],
        'externalId',
      );
    }),
    must('externalId is not unique by the server’s will', async (scim) => {
      const externalId = scim.name('ext');
      const made = [await scim.user({ externalId }), await scim.user({ externalId })];
      const found = await scim.list('/Users', { filter: `externalId eq "${externalId}"` });
      expectSet(
        found.Resources?.map((one: Json) => one.id),
        made.map((one) => one.id),
        'the ids found',
      );
    }),
    fact('externalId is case exact', async (scim) => {
      const externalId = scim.name('Ext');
      await scim.user({ externalId });
      const found = async (text: string) =>
        (await scim.list('/Users', { filter: `externalId eq "${text}"` })).totalResults;
      expectSame(
        [await found(externalId), await found(externalId.toLowerCase())],
        [1, 0],
        'found in its case and another',
      );
    }),
    must('meta given by a client is ignored', async (scim) => {
      const meta = {
        resourceType: 'Group',
        created: '2001-01-01T00:00:00Z',
        version: 'W/"mine"',
        location: 'https://x.example',
      };
      const made = await scim.user({ meta });
      expectSame(made.meta?.resourceType, 'User', 'meta.resourceType');
      for (const name of ['created', 'version', 'location'] as const) {
        expect(made.meta[name] && made.meta[name] !== meta[name], `meta.${name} is the client’s or missing`);
      }
    }),
    must('lastModified is created as long as nothing changed', async (scim) => {
      const now = await scim.read(await scim.user());
      expect(now.meta.created, 'meta.created is missing');
      expectSame(now.meta.lastModified, now.meta.created, 'lastModified');
    }),
    must('lastModified moves on with a change, and created stays', async (scim) => {
      const made = await scim.user();
      await new Promise((resolve) => setTimeout(resolve, 3));
      const now = await scim.patched(made, { op: 'replace', path: 'title', value: 'x' });
      expectSame(now.meta.created, made.meta.created, 'created');
      expect(Date.parse(now.meta.lastModified) > Date.parse(made.meta.lastModified), 'lastModified did not move on');
    }),
    must('meta.location is where the resource is', async (scim) => {
      const made = await scim.user();
      const answer = await scim.get(made.meta.location);
      expectSame(
        [answer.status, answer.body?.id, answer.body?.meta?.location],
        [200, made.id, made.meta.location],
        'what is there',
      );
    }),
    must('Content-Location, where it is sent, is meta.location', async (scim) => {
      const made = await scim.user();
      const answer = await scim.get(scim.at(made));
      expectStatus(answer, 200);
      expect(answer.body.meta?.location, 'meta.location is missing');
      expectSame(
        answer.headers['content-location'] ?? answer.body.meta.location,
        answer.body.meta.location,
        'Content-Location',
      );
    }),
    must('meta.version is the ETag header', async (scim) => {
      const answer = await scim.get(scim.at(await scim.user()));
      expect(answer.headers['etag'], 'there is no ETag');
      expectSame(answer.body?.meta?.version, answer.headers['etag'], 'meta.version');
    }),
    must('a version that is no strong validator is marked weak', async (scim) => {
      const { meta } = await scim.user();
      expect(/^(W\/)?"[^"]*"$/.test(meta?.version), `meta.version is ${meta?.version}, which is no entity tag`);
      // The same version is written in several ways (attributes, excludedAttributes), so it cannot be strong.
      expect(meta.version.startsWith('W/'), `meta.version ${meta.version} is not marked weak`);
    }),
    fact('meta is returned by default, and only its asked sub-attributes when they are named', async (scim) => {
      const made = await scim.user();
      const { body } = await scim.get(`${scim.at(made)}?attributes=meta.created`);
      expectSame(body?.meta, { created: made.meta.created }, 'meta');
    }),
  ]),
  ...section('rfc7643', '3.3', [
    must('an extension is a JSON container under its URN', async (scim) => {
      const made = await scim.user({ ...enterprise, [urn.enterprise]: { department: 'Analysis', costCenter: '7' } });
      expectSame(made[urn.enterprise], { department: 'Analysis', costCenter: '7' }, 'the extension');
    }),
    must('the container has to be an object', async (scim) => {
      const body = { schemas: [urn.user, urn.enterprise], userName: scim.name(), [urn.enterprise]: 'Analysis' };
      expectError(await scim.post('/Users', body), 400, 'invalidValue');
    }),
    fact('the URN of an extension has no case', async (scim) => {
      const key = urn.enterprise.toUpperCase();
      const made = await scim.user({ schemas: [urn.user, urn.enterprise], [key]: { department: 'Analysis' } });
      expectSame(made[urn.enterprise], { department: 'Analysis' }, 'the extension');
    }),
  ]),
];
