import assert from 'node:assert/strict';
import { it } from 'node:test';
import { verifyPassword } from '../../src/directory/passwords.ts';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, patchSchemas, userSchemas } from './scim-bed.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

eachDatabase('SCIM 2.0 resources', (database) => {
  it('a user is created, read, replaced, patched and deleted', async () => {
    await using bed = await openScimBed(await database.open());
    const made = await bed.call('POST', '/Users', {
      schemas: [...userSchemas, enterprise],
      userName: '王小明',
      externalId: 'E-1',
      name: { givenName: '小明', familyName: '王' },
      emails: [{ value: 'ming@example.com', type: 'work', primary: true }],
      unknown: 'is left out',
      [enterprise]: { department: 'Забота', manager: { value: 'nobody' } },
    });
    assert.equal(made.status, 201);
    assert.match(made.headers.get('content-type')!, /^application\/scim\+json/);
    const { id, meta, ...rest } = made.body;
    assert.deepEqual(rest, {
      schemas: [...userSchemas, enterprise],
      userName: '王小明',
      externalId: 'E-1',
      name: { givenName: '小明', familyName: '王' },
      emails: [{ value: 'ming@example.com', type: 'work', primary: true }],
      [enterprise]: { department: 'Забота', manager: { value: 'nobody', $ref: `${bed.url}/Users/nobody` } },
    });
    assert.equal(meta.resourceType, 'User');
    assert.equal(meta.location, `${bed.url}/Users/${id}`);
    assert.equal(made.headers.get('location'), meta.location);
    assert.equal(meta.created, meta.lastModified);
    assert.equal(made.headers.get('etag'), meta.version);

    const read = await bed.call('GET', meta.location);
    assert.equal(read.status, 200);
    assert.deepEqual(read.body, made.body);

    const putBack = await bed.call('PUT', meta.location, read.body);
    assert.equal(putBack.body.meta.version, meta.version, 'putting back what was read changes nothing');

    const replaced = await bed.call('PUT', `/Users/${id}`, { schemas: userSchemas, userName: '王小明', title: 'CEO' });
    assert.equal(replaced.status, 200);
    assert.equal(replaced.body.title, 'CEO');
    assert.equal(replaced.body.emails, undefined);
    assert.notEqual(replaced.body.meta.version, meta.version);

    const patched = await bed.call('PATCH', `/Users/${id}`, {
      schemas: patchSchemas,
      Operations: [
        { op: 'Replace', path: 'title', value: 'CTO' },
        { op: 'add', value: { 'name.givenName': 'Ming', active: 'False' } },
      ],
    });
    assert.equal(patched.status, 200);
    assert.deepEqual(
      [patched.body.title, patched.body.name, patched.body.active],
      ['CTO', { givenName: 'Ming' }, false],
    );
    assert.deepEqual((await bed.call('GET', `/Users/${id}`)).body, patched.body);

    assert.equal((await bed.call('DELETE', `/Users/${id}`)).status, 204);
    const gone = await bed.call('GET', `/Users/${id}`);
    assert.equal(gone.status, 404);
    assert.deepEqual(gone.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
    assert.equal(gone.body.status, '404');
    assert.equal((await bed.call('DELETE', `/Users/${id}`)).status, 404);
  });

  it('a write that says what is there already keeps version and time', async () => {
    await using bed = await openScimBed(await database.open());
    const body = { schemas: userSchemas, userName: 'ada', title: 'Countess' };
    const made = (await bed.call('POST', '/Users', body)).body;
    const again = (await bed.call('PUT', `/Users/${made.id}`, body)).body;
    assert.deepEqual(again, made);
    const changes = await bed.store.read((reading) => reading.all(reading.q.selectFrom('changes').selectAll()));
    assert.equal(changes.length, 1);
  });

  it('entity tags guard writes and spare reads', async () => {
    await using bed = await openScimBed(await database.open());
    const { id, meta } = (await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'ada' })).body;
    const path = `/Users/${id}`;
    const put = (title: string, tag: string) =>
      bed.call('PUT', path, { schemas: userSchemas, userName: 'ada', title }, { 'if-match': tag });
    assert.equal((await bed.call('GET', path, undefined, { 'if-none-match': meta.version })).status, 304);
    assert.equal((await put('A', 'W/"99"')).status, 412);
    assert.equal((await put('A', meta.version)).status, 200);
    assert.equal((await put('B', meta.version)).status, 412);
    assert.equal((await put('B', '*')).status, 200);
    assert.equal((await bed.call('DELETE', path, undefined, { 'if-match': meta.version })).status, 412);
    assert.equal((await bed.call('GET', path, undefined, { 'if-none-match': meta.version })).body.title, 'B');
  });

  it('groups show their members and users their groups', async () => {
    await using bed = await openScimBed(await database.open());
    const ada = (await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'ada', displayName: 'Ada' })).body;
    const inner = (await bed.call('POST', '/Groups', { schemas: groupSchemas, displayName: 'Inner' })).body;
    const made = await bed.call('POST', '/Groups', {
      schemas: groupSchemas,
      displayName: 'Team',
      members: [{ value: ada.id, display: 'a lie', type: 'Group' }, { value: inner.id }],
    });
    assert.equal(made.status, 201);
    const shown = [
      { value: ada.id, $ref: `${bed.url}/Users/${ada.id}`, display: 'Ada', type: 'User' },
      { value: inner.id, $ref: `${bed.url}/Groups/${inner.id}`, display: 'Inner', type: 'Group' },
    ];
    assert.deepEqual(made.body.members, shown);
    assert.deepEqual((await bed.call('GET', `/Users/${ada.id}`)).body.groups, [
      { value: made.body.id, $ref: `${bed.url}/Groups/${made.body.id}`, display: 'Team', type: 'direct' },
    ]);
    const removal = { op: 'remove', path: `members[value eq "${ada.id}"]` };
    const patched = await bed.call('PATCH', `/Groups/${made.body.id}`, {
      schemas: patchSchemas,
      Operations: [removal],
    });
    assert.deepEqual([patched.status, patched.body], [204, undefined]);
    const read = await bed.call('GET', `/Groups/${made.body.id}`);
    assert.deepEqual(read.body.members, [shown[1]]);
    assert.equal(patched.headers.get('etag'), read.body.meta.version);
    const bare = await bed.call('GET', `/Groups/${made.body.id}?excludedAttributes=members`);
    assert.equal(bare.body.members, undefined);
    assert.equal((await bed.call('GET', `/Users/${ada.id}`)).body.groups, undefined);
    const asked = await bed.call('PATCH', `/Groups/${made.body.id}?attributes=displayName`, {
      schemas: patchSchemas,
      Operations: [{ op: 'replace', path: 'displayName', value: 'Crew' }],
    });
    assert.deepEqual([asked.status, asked.body.displayName, asked.body.members], [200, 'Crew', undefined]);
    const put = await bed.call('PUT', `/Groups/${made.body.id}`, { schemas: groupSchemas, displayName: 'Crew' });
    assert.deepEqual([put.status, put.body.members], [200, undefined]);
  });

  it('attributes and excludedAttributes choose what is given', async () => {
    await using bed = await openScimBed(await database.open());
    const body = { schemas: userSchemas, userName: 'ada', title: 'T', emails: [{ value: 'a@x.org', type: 'work' }] };
    const { id } = (await bed.call('POST', '/Users?attributes=title', body)).body;
    const few = (await bed.call('GET', `/Users/${id}?attributes=emails.value,title`)).body;
    assert.deepEqual(few, { schemas: userSchemas, id, title: 'T', emails: [{ value: 'a@x.org' }] });
    const most = (await bed.call('GET', `/Users/${id}?excludedAttributes=emails,meta`)).body;
    assert.deepEqual(most, { schemas: userSchemas, id, userName: 'ada', title: 'T' });
    const both = await bed.call('GET', `/Users/${id}?attributes=title&excludedAttributes=emails`);
    assert.equal(both.status, 400);
  });

  it('a password is hashed, never given back, and kept out of every table in clear', async () => {
    await using bed = await openScimBed(await database.open());
    const secret = 'tr0ub4dor & three';
    const made = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'ada', password: secret });
    assert.equal(made.body.password, undefined);
    const hashes = async () =>
      (await bed.store.read((reading) => reading.all(reading.q.selectFrom('passwords').selectAll()))).map(
        ({ hash }) => hash,
      );
    assert.equal(await verifyPassword((await hashes())[0]!, secret), true);
    const path = `/Users/${made.body.id}`;
    const same = await bed.call('PUT', path, { schemas: userSchemas, userName: 'ada', password: secret });
    assert.equal(same.body.meta.version, made.body.meta.version);
    await bed.call('PATCH', path, {
      schemas: patchSchemas,
      Operations: [{ op: 'replace', path: 'password', value: 'another one' }],
    });
    assert.equal(await verifyPassword((await hashes())[0]!, 'another one'), true);
    assert.equal((await bed.call('GET', `${path}?attributes=password`)).body.password, undefined);
    const filter = 'password sw "a"';
    assert.equal((await bed.call('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.scimType, 'sensitive');
    const asked = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter };
    assert.equal((await bed.call('POST', '/Users/.search', asked)).body.scimType, 'invalidFilter');
    const docs = await bed.store.read((reading) => reading.all(reading.q.selectFrom('subjects').select('doc')));
    assert.doesNotMatch(JSON.stringify(docs), /tr0ub4dor|another one/);
    const graded = await bed.store.read((reading) => reading.all(reading.q.selectFrom('changes').select('urgency')));
    assert.deepEqual(
      graded.map(({ urgency }) => urgency),
      [2, 1],
    );
    await bed.call('PATCH', path, { schemas: patchSchemas, Operations: [{ op: 'remove', path: 'password' }] });
    assert.deepEqual(await hashes(), []);
  });

  it('user store domains are in the name', async () => {
    await using bed = await openScimBed(await database.open());
    const refused = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'SALES/ada' });
    assert.deepEqual([refused.status, refused.body.scimType], [400, 'invalidValue']);
    await bed.store.write((tx) =>
      tx.all(tx.q.insertInto('user_store_domains').values({ name: 'SALES', description: null })),
    );
    const made = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'SALES/ada' });
    assert.equal(made.body.userName, 'SALES/ada');
    const primary = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'PRIMARY/ada' });
    assert.equal(primary.body.userName, 'ada');
    const found = async (userName: string) => {
      const answer = await bed.call('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`);
      return answer.body.Resources.map((one: { id: string }) => one.id);
    };
    assert.deepEqual(await found('sales/ADA'), [made.body.id]);
    assert.deepEqual(await found('primary/Ada'), [primary.body.id]);
    assert.deepEqual(await found('ada'), [primary.body.id]);
  });

  it('every change names door, caller and service provider', async () => {
    await using bed = await openScimBed(await database.open());
    const body = { schemas: userSchemas, userName: 'ada' };
    await bed.call('POST', '/Users', body);
    const basic = `Basic ${Buffer.from('robot:correct horse battery staple').toString('base64')}`;
    await bed.call('POST', '/Users', { ...body, userName: 'eve' }, { authorization: basic });
    const changes = await bed.store.read((reading) =>
      reading.all(reading.q.selectFrom('changes').select(['door', 'actor', 'sp_id']).orderBy('seq')),
    );
    assert.deepEqual(
      changes.map(({ door, actor, sp_id }) => [door, actor, sp_id]),
      [
        ['scim', 'token tests', 7],
        ['scim', 'robot', bed.residentId],
      ],
    );
  });
});
