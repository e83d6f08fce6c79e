import assert from 'node:assert/strict';
import { it } from 'node:test';
import { settleDeclaredAttributes } from '../../src/directory/declared-attributes.ts';
import { scim1Codec } from '../../src/inbound/scim/codec1.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { customSchemas, customUrn, typesOf } from '../extensions.ts';
import { openScimBed } from './scim-bed.ts';

const core = 'urn:scim:schemas:core:1.0';
const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';
const open = (store: Store) => openScimBed(store, { codec: scim1Codec });

eachDatabase('SCIM 1.1, users and groups', (database) => {
  it('a user is made, read, changed in parts, replaced and deleted', async () => {
    await using bed = await open(await database.open());
    const boss = await bed.call('POST', '/Users', { schemas: [core], userName: 'boss' });
    const made = await bed.call('POST', '/Users', {
      schemas: [core, enterprise],
      userName: 'bjensen',
      externalId: 'x1',
      password: 'a good password',
      name: { familyName: 'Jensen', givenName: 'Barbara' },
      emails: [{ value: 'b@example.com', type: 'work', primary: true }],
      [enterprise]: { department: 'Tours', manager: { managerId: boss.body.id } },
    });
    assert.equal(made.status, 201);
    assert.match(made.headers.get('content-type')!, /^application\/json/);
    const { id, meta } = made.body;
    const manager = { managerId: boss.body.id, $ref: `${bed.url}/Users/${boss.body.id}` };
    assert.equal(made.headers.get('location'), `${bed.url}/Users/${id}`);
    assert.deepEqual(made.body, {
      schemas: [core, enterprise],
      id,
      userName: 'bjensen',
      externalId: 'x1',
      name: { familyName: 'Jensen', givenName: 'Barbara' },
      emails: [{ value: 'b@example.com', type: 'work', primary: true }],
      [enterprise]: { department: 'Tours', manager },
      meta: {
        created: meta.created,
        lastModified: meta.lastModified,
        location: `${bed.url}/Users/${id}`,
        version: 'W/"1"',
      },
    });
    assert.deepEqual((await bed.call('GET', `/Users/${id}`)).body, made.body);

    const patched = await bed.call('PATCH', `/Users/${id}`, {
      schemas: [core],
      title: 'Guide',
      emails: [{ value: 'b@example.com', operation: 'delete' }, { value: 'c@example.com' }],
      [enterprise]: { manager: { managerId: boss.body.id } },
      meta: { attributes: ['name.givenName', `${enterprise}:department`] },
    });
    assert.equal(patched.status, 200);
    assert.deepEqual(
      [patched.body.title, patched.body.name, patched.body.emails, patched.body[enterprise]],
      ['Guide', { familyName: 'Jensen' }, [{ value: 'c@example.com' }], { manager }],
    );
    assert.equal(patched.headers.get('etag'), patched.body.meta.version);

    const put = await bed.call('PUT', `/Users/${id}`, { schemas: [core], userName: 'babs' });
    assert.deepEqual([put.status, put.body.userName, put.body.title], [200, 'babs', undefined]);
    const gone = await bed.call('DELETE', `/Users/${id}`);
    assert.deepEqual([gone.status, gone.body], [204, undefined]);
    assert.equal((await bed.call('GET', `/Users/${id}`)).status, 404);
  });

  it('members come by a PATCH and leave by operation delete; a rename names nobody', async () => {
    await using bed = await open(await database.open());
    const ids: string[] = [];
    for (const userName of ['a', 'b', 'c']) ids.push((await bed.call('POST', '/Users', { userName })).body.id);
    const made = await bed.call('POST', '/Groups', {
      displayName: 'Guides',
      members: [{ value: ids[0], display: 'a' }, { value: ids[1] }],
    });
    assert.equal(made.status, 201);
    const path = `/Groups/${made.body.id}`;
    const change = await bed.call('PATCH', path, {
      schemas: [core],
      members: [{ value: ids[0], operation: 'delete' }, { value: ids[2] }],
    });
    assert.equal(change.status, 204);
    const namesIn = async () => {
      const { members = [] } = (await bed.call('GET', path)).body;
      return members.map((member: { display: string }) => member.display).sort();
    };
    assert.deepEqual(await namesIn(), ['b', 'c']);
    await bed.call('PATCH', path, { displayName: 'Leads' });
    const group = (await bed.call('GET', path)).body;
    assert.deepEqual([group.displayName, group.schemas], ['Leads', [core]]);
    assert.deepEqual(Object.keys(group.members[0]).sort(), ['display', 'type', 'value']);
    const user = (await bed.call('GET', `/Users/${ids[1]}`)).body;
    assert.deepEqual(user.groups, [{ value: made.body.id, display: 'Leads', type: 'direct' }]);
    const only = (await bed.call('GET', `${path}?attributes=displayName`)).body;
    assert.deepEqual(only, { schemas: [core], id: made.body.id, displayName: 'Leads' });
    await bed.call('PATCH', path, { meta: { attributes: ['members'] }, members: [{ value: ids[0] }] });
    assert.deepEqual(await namesIn(), ['a']);
    assert.equal((await bed.call('DELETE', path)).status, 204);
  });

  it('a POST stands for the method that X-HTTP-Method-Override names', async () => {
    await using bed = await open(await database.open());
    const { id } = (await bed.call('POST', '/Users', { userName: 'a' })).body;
    const post = (override: string | undefined, body?: object) =>
      bed.call('POST', `/Users/${id}`, body, { 'x-http-method-override': override });
    assert.equal((await post('PATCH', { title: 'T' })).body.title, 'T');
    assert.equal((await post('put', { userName: 'b' })).body.userName, 'b');
    const none = await post(undefined, { title: 'T' });
    assert.deepEqual([none.status, none.headers.get('allow')], [405, 'GET, HEAD, PUT, PATCH, DELETE']);
    assert.match(none.body.Errors[0].description, /X-HTTP-Method-Override/);
    assert.equal((await post('GET')).status, 405);
    assert.equal((await post('DELETE')).status, 204);
    assert.equal((await bed.call('GET', `/Users/${id}`)).status, 404);
  });

  it('entity tags: If-Match, If-None-Match', async () => {
    await using bed = await open(await database.open());
    const { id } = (await bed.call('POST', '/Users', { userName: 'a' })).body;
    const patch = (tag: string) => bed.call('PATCH', `/Users/${id}`, { title: tag }, { 'if-match': tag });
    const done = await patch('W/"1"');
    assert.deepEqual([done.status, done.headers.get('etag')], [200, 'W/"2"']);
    const late = await patch('W/"1"');
    assert.deepEqual([late.status, late.body.Errors[0].code], [412, '412']);
    assert.equal((await bed.call('GET', `/Users/${id}`, undefined, { 'if-none-match': 'W/"2"' })).status, 304);
  });

  it('names of another user store, and the domain parameter', async () => {
    await using bed = await open(await database.open());
    const made = await bed.call('POST', '/Users?domain=PRIMARY', { userName: 'a' });
    assert.equal(made.status, 201);
    const unknown = await bed.call('POST', '/Users?domain=NOWHERE', { userName: 'b' });
    assert.deepEqual([unknown.status, /NOWHERE/.test(unknown.body.Errors[0].description)], [400, true]);
    assert.equal((await bed.call('GET', '/Users?domain=PRIMARY')).body.totalResults, 1);
  });
});

eachDatabase('SCIM 1.1, lists', (database) => {
  it('are filtered in its grammar, sorted, paged and cut to attributes', async () => {
    await using bed = await open(await database.open());
    for (const [userName, familyName, department] of [
      ['ann', 'Z', 'Tours'],
      ['bob', 'Y', 'Rides'],
      ['Cyd Q', 'X', 'Rides'],
    ]) {
      await bed.call('POST', '/Users', { userName, name: { familyName }, [enterprise]: { department } });
    }
    const list = async (query: Record<string, string>) => {
      const { status, body } = await bed.call('GET', `/Users?${new URLSearchParams(query)}`);
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    };
    const names = async (query: Record<string, string>) =>
      (await list(query)).Resources.map((user: { userName: string }) => user.userName);
    assert.deepEqual(await names({ filter: 'userName Eq "BOB"' }), ['bob']);
    assert.deepEqual(await names({ filter: 'userName Eq cyd q' }), ['Cyd Q']);
    assert.deepEqual(await names({ filter: `${enterprise}:department eq "rides"`, sortBy: 'userName' }), [
      'bob',
      'Cyd Q',
    ]);
    assert.deepEqual(
      await names({
        filter: 'name.familyName gt "X" and (userName sw a or userName co "o")',
        sortBy: `${core}:name.familyName`,
      }),
      ['bob', 'ann'],
    );
    const page = await list({
      sortBy: 'userName',
      sortOrder: 'descending',
      startIndex: '2',
      count: '1',
      attributes: 'userName',
    });
    assert.deepEqual(page, {
      schemas: [core],
      totalResults: 3,
      itemsPerPage: 1,
      startIndex: 2,
      Resources: [{ schemas: [core], id: page.Resources[0].id, userName: 'bob' }],
    });
    assert.deepEqual((await list({ filter: 'userName eq "nobody"' })).Resources, []);
    assert.equal((await list({ attributes: `${enterprise}:department` })).Resources[0][enterprise].department, 'Tours');
    for (const filter of ['userName ne "bob"', 'not (userName pr)', 'emails[type eq "work"]', 'userName ew "b"']) {
      const { status, body } = await bed.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      assert.deepEqual([status, body.Errors[0].code], [400, '400'], filter);
      assert.match(body.Errors[0].description, /SCIM 1\.1/, filter);
    }
  });
});

eachDatabase('SCIM 1.1, declared extensions', (database) => {
  it('are said, changed, filtered and described under their own URN', async () => {
    const types = typesOf(customSchemas);
    const store = await database.open();
    assert.deepEqual(await settleDeclaredAttributes(store, types), []);
    await using bed = await openScimBed(store, { codec: scim1Codec, types });
    const extension = { code: 'A', floor: 7, skills: ['go', 'chess'], remote: true };
    const made = await bed.call('POST', '/Users', {
      schemas: [core, customUrn],
      userName: 'a',
      [customUrn]: extension,
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual([made.body.schemas, made.body[customUrn]], [[core, customUrn], extension]);
    const patched = await bed.call('PATCH', `/Users/${made.body.id}`, {
      [customUrn]: { skills: ['ski'] },
      meta: { attributes: [`${customUrn}:code`] },
    });
    assert.deepEqual(patched.body[customUrn], { floor: 7, skills: ['go', 'chess', 'ski'], remote: true });
    for (const [filter, found] of [
      [`${customUrn}:floor gt 6`, 1],
      [`${customUrn}:floor gt 7`, 0],
      [`${customUrn}:skills eq ski and ${customUrn}:remote eq true`, 1],
    ] as const) {
      const { body } = await bed.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      assert.equal(body.totalResults, found, filter);
    }
    const schema = (await bed.call('GET', `/Schemas/${core}:User`)).body;
    const floor = schema.attributes.find((one: { name: string }) => one.name === 'floor');
    assert.deepEqual([floor.type, floor.schema], ['integer', customUrn]);
  });
});

eachDatabase('SCIM 1.1, everything else', (database) => {
  it('says what it serves, and serves what it says', async () => {
    await using bed = await open(await database.open());
    const config = (await bed.call('GET', '/ServiceProviderConfigs')).body;
    assert.deepEqual(
      [config.schemas, config.patch, config.sort, config.etag, config.xmlDataFormat],
      [[core], { supported: true }, { supported: true }, { supported: true }, { supported: false }],
    );
    const schemas = (await bed.call('GET', '/Schemas')).body;
    assert.deepEqual(
      schemas.Resources.map((one: { id: string }) => one.id),
      [`${core}:User`, `${core}:Group`],
    );
    assert.deepEqual((await bed.call('GET', `/Schemas/${core}:User`)).body, schemas.Resources[0]);
    assert.equal((await bed.call('GET', '/ServiceProviderConfig')).status, 404);
    assert.equal((await bed.call('GET', '/ResourceTypes')).status, 404);
    assert.equal((await bed.call('POST', '/Users/.search', {})).status, 405);
  });

  it('errors have its own shape, whoever found them', async () => {
    await using bed = await open(await database.open());
    await bed.call('POST', '/Users', { userName: 'a' });
    const asked: [string, string, unknown, Record<string, string | undefined>, number][] = [
      ['GET', '/Users/nobody', undefined, {}, 404],
      ['GET', '/nowhere', undefined, {}, 404],
      ['PUT', '/Users', {}, {}, 405],
      ['POST', '/Users', { userName: 'A' }, {}, 409],
      ['POST', '/Users', {}, {}, 400],
      ['POST', '/Users', '{', {}, 400],
      ['POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'b' }, {}, 400],
      ['POST', '/Users', 'x', { 'content-type': 'text/plain' }, 415],
      ['GET', '/Users', undefined, { authorization: undefined }, 401],
      ['GET', '/%zz', undefined, {}, 400],
    ];
    for (const [method, path, sent, headers, wanted] of asked) {
      const { status, body } = await bed.call(method, path, sent, headers);
      assert.equal(status, wanted, `${method} ${path}`);
      assert.deepEqual(Object.keys(body), ['Errors']);
      assert.deepEqual([body.Errors.length, body.Errors[0].code], [1, String(wanted)]);
      assert.ok(body.Errors[0].description.length > 10 && !body.Errors[0].description.includes('urn:ietf'));
    }
  });
});
