import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';
import {
  type Answer,
  groupSchemas,
  openScimBed,
  operatorName,
  operatorPassword,
  patchSchemas,
  type ScimBed,
  userSchemas,
} from './scim-bed.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const ada = {
  schemas: [...userSchemas, enterprise],
  userName: 'Ada',
  password: 'engine of 1843',
  externalId: 'E-1',
  active: true,
  title: 'Countess',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [{ value: 'ada@example.org', type: 'work' }],
  roles: [{ value: 'reader' }],
  entitlements: [{ value: 'library' }],
  x509Certificates: [{ value: 'QUJD' }],
  [enterprise]: { department: 'Sales', costCenter: '7', manager: { value: 'nobody' } },
};

async function openMe(bed: ScimBed, password = ada.password) {
  const made = await bed.call('POST', '/Users', ada);
  assert.equal(made.status, 201);
  const call = (method: string, path = '/Me', body?: unknown, headers: Record<string, string> = {}) =>
    bed.call(method, path, body, { authorization: basic('ada', password), ...headers });
  const patch = (...Operations: object[]) => call('PATCH', '/Me', { schemas: patchSchemas, Operations });
  return { made, call, patch, id: made.body.id as string };
}

function refuses(answer: Answer, status: number, name: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.ok(answer.body.detail.includes(`"${name}"`), answer.body.detail);
}

eachDatabase('SCIM 2.0 /Me', (database) => {
  it('a directory user reads themself, whatever the case of their name, and learns where they really are', async () => {
    await using bed = await openScimBed(await database.open());
    const { made, call, id } = await openMe(bed);
    const me = await call('GET');
    assert.equal(me.status, 200);
    assert.deepEqual(me.body, made.body);
    assert.equal(me.headers.get('location'), `${bed.url}/Users/${id}`);
    assert.equal(me.headers.get('etag'), me.body.meta.version);
    assert.equal((await call('GET', '/Me', undefined, { 'if-none-match': me.body.meta.version })).status, 304);
    assert.deepEqual(Object.keys((await call('GET', '/Me?attributes=title')).body).sort(), ['id', 'schemas', 'title']);
    const prefixed = { authorization: basic('PRIMARY/ADA', ada.password) };
    assert.equal((await bed.call('GET', '/Me', undefined, prefixed)).body.id, id);
    assert.equal((await call('HEAD')).status, 200);
  });

  it('they get nothing else but what the server offers', async () => {
    await using bed = await openScimBed(await database.open());
    const { call, id } = await openMe(bed);
    const group = { schemas: groupSchemas, displayName: 'Mine', members: [{ value: id }] };
    const attempts: [string, string, unknown?][] = [
      ['GET', '/Users'],
      ['GET', `/Users/${id}`],
      ['POST', '/Users', { ...ada, userName: 'eve' }],
      ['PATCH', `/Users/${id}`, { schemas: patchSchemas, Operations: [{ op: 'add', path: 'title', value: 'x' }] }],
      ['DELETE', `/Users/${id}`],
      ['GET', '/Groups'],
      ['POST', '/Groups', group],
      ['GET', '/'],
      ['POST', '/.search', {}],
      ['POST', '/Users/.search', {}],
      ['POST', '/Bulk', {}],
      ['GET', '/Nothing'],
      ['GET', '/Me/x'],
    ];
    for (const [method, path, body] of attempts) {
      const answer = await call(method, path, body);
      assert.equal(answer.status, 403, `${method} ${path}`);
    }
    for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/ResourceTypes/User', '/Schemas', '/Me/']) {
      assert.equal((await call('GET', path)).status, 200, path);
    }
    assert.equal((await call('DELETE')).status, 403);
    assert.equal((await call('POST', '/Me', ada)).status, 501);
    assert.equal((await call('OPTIONS')).status, 405);
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 1);
    assert.equal((await bed.call('GET', '/Groups')).body.totalResults, 0);
  });

  it('operators and applications are no users of the directory', async () => {
    await using bed = await openScimBed(await database.open());
    await openMe(bed);
    for (const authorization of [`Bearer ${bed.token}`, basic(operatorName, operatorPassword)]) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST']) {
        const answer = await bed.call(method, '/Me', method === 'GET' ? undefined : {}, { authorization });
        assert.equal(answer.status, 404, method);
        assert.match(answer.body.detail, /no user of the directory/);
      }
    }
  });

  it('they change how they are called and reached, by PATCH and by PUT, as the resident service provider', async () => {
    await using bed = await openScimBed(await database.open());
    const { made, call, patch } = await openMe(bed);
    const emails = [{ value: 'a@home.example', type: 'home', primary: true }];
    const patched = await patch(
      { op: 'replace', path: 'emails', value: emails },
      { op: 'add', path: 'name.givenName', value: 'Augusta' },
      { op: 'add', value: { nickName: 'A', active: true, userName: 'Ada' } },
    );
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    assert.deepEqual(
      [patched.body.emails, patched.body.name.givenName, patched.body.nickName],
      [emails, 'Augusta', 'A'],
    );
    assert.match(patched.headers.get('location')!, /\/Users\//);
    // What is not theirs may be said as it is, or left out: both leave it.
    const whole = { ...made.body, nickName: 'B', roles: undefined, [enterprise]: { department: 'Sales' } };
    const put = await call('PUT', '/Me', whole, { 'if-match': patched.body.meta.version });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const { meta, ...rest } = put.body;
    const { meta: _, ...before } = made.body;
    assert.deepEqual(rest, { ...before, nickName: 'B' });
    assert.equal(meta.version, 'W/"3"');
    assert.equal((await call('PUT', '/Me', whole, { 'if-match': 'W/"1"' })).status, 412);
    const less = await call('PUT', '/Me', { schemas: userSchemas, userName: 'Ada' });
    assert.deepEqual([less.status, less.body.emails, less.body.nickName], [200, undefined, undefined]);
    assert.deepEqual([less.body.roles, less.body[enterprise]], [ada.roles, made.body[enterprise]]);
    const changes = await bed.store.read((reading) =>
      reading.all(reading.q.selectFrom('changes').select(['actor', 'sp_id', 'door']).orderBy('seq')),
    );
    assert.deepEqual(
      changes.slice(1).map(({ actor, sp_id, door }) => [actor, sp_id, door]),
      Array(3).fill(['user Ada', bed.residentId, 'scim']),
    );
  });

  it('what decides about access is refused by name, and nothing is changed', async () => {
    await using bed = await openScimBed(await database.open());
    const { made, call, patch } = await openMe(bed);
    const replaced: [string, unknown][] = [
      ['userName', 'eve'],
      ['userName', 'ada'],
      ['active', false],
      ['externalId', 'E-2'],
      ['title', 'Queen'],
      ['userType', 'Employee'],
      ['roles', [{ value: 'admin' }]],
      ['entitlements', [{ value: 'all' }]],
      ['x509Certificates', [{ value: 'QUJE' }]],
      ['groups', [{ value: 'x' }]],
    ];
    for (const [name, value] of replaced) {
      refuses(await patch({ op: 'replace', path: name, value }), 403, name);
      refuses(await patch({ op: 'add', value: { nickName: 'n', [name]: value } }), 403, name);
      if (name === 'groups') continue;
      refuses(await call('PUT', '/Me', { ...made.body, [name]: value }), 403, name);
    }
    for (const name of ['active', 'externalId', 'roles', 'entitlements', 'title']) {
      refuses(await patch({ op: 'remove', path: name }), 403, name);
    }
    refuses(await patch({ op: 'add', path: 'roles', value: { value: 'admin' } }), 403, 'roles');
    refuses(await patch({ op: 'add', path: `${enterprise}:division`, value: 'x' }), 403, `${enterprise}:division`);
    refuses(await patch({ op: 'remove', path: `${enterprise}:manager` }), 403, `${enterprise}:manager`);
    refuses(
      await patch({ op: 'replace', value: { [enterprise]: { department: 'IT' } } }),
      403,
      `${enterprise}:department`,
    );
    const put = { ...made.body, [enterprise]: { ...made.body[enterprise], organization: 'x' } };
    refuses(await call('PUT', '/Me', put), 403, `${enterprise}:organization`);
    assert.equal((await patch({ op: 'remove', path: 'password' })).status, 403);
    assert.equal((await patch({ op: 'add', path: 'no', value: 'x' })).status, 400);
    assert.deepEqual((await call('GET')).body, made.body);
  });

  it('they change their own password, and the old one is refused at once', async () => {
    await using bed = await openScimBed(await database.open());
    const { call, patch } = await openMe(bed);
    assert.equal((await patch({ op: 'replace', path: 'password', value: 'a new secret' })).status, 200);
    assert.equal((await call('GET')).status, 401);
    const headers = { authorization: basic('ada', 'a new secret') };
    assert.equal((await bed.call('GET', '/Me', undefined, headers)).status, 200);
    const kept = await bed.store.read((reading) => reading.all(reading.q.selectFrom('secrets').selectAll()));
    assert.equal(kept.length, 1);
  });

  it('who is inactive, deleted, renamed or without a password cannot sign in, from that moment', async () => {
    await using bed = await openScimBed(await database.open());
    const { call, id } = await openMe(bed);
    const status = async () => (await call('GET')).status;
    const operate = (operation: object) =>
      bed.call('PATCH', `/Users/${id}`, { schemas: patchSchemas, Operations: [operation] });
    assert.equal(await status(), 200);
    await operate({ op: 'replace', path: 'active', value: false });
    assert.equal(await status(), 401);
    await operate({ op: 'remove', path: 'active' });
    assert.equal(await status(), 200);
    await operate({ op: 'replace', path: 'userName', value: 'countess' });
    assert.equal(await status(), 401);
    await operate({ op: 'replace', path: 'userName', value: 'ada' });
    assert.equal(await status(), 200);
    await operate({ op: 'remove', path: 'password' });
    assert.equal(await status(), 401);
    await operate({ op: 'add', path: 'password', value: ada.password });
    assert.equal(await status(), 200);
    await bed.call('DELETE', `/Users/${id}`);
    assert.equal(await status(), 401);
  });

  it('guessing is slowed down as for operators, under every way to write the name', async () => {
    const clock = openTestClock();
    await using bed = await openScimBed(await database.open({ clock, time: 'clock' }), { clock });
    const { call } = await openMe(bed);
    for (let i = 0; i < 5; i++) {
      const name = ['ada', 'ADA', 'PRIMARY/ada', 'primary/Ada', 'Ada'][i]!;
      const authorization = basic(name, `wrong ${i}`);
      assert.equal((await bed.call('GET', '/Me', undefined, { authorization })).status, 401);
    }
    const slowed = await call('GET');
    assert.equal(slowed.status, 429);
    assert.ok(slowed.headers.get('retry-after'));
    await clock.advance(1_000);
    assert.equal((await call('GET')).status, 200);
  });

  it('an operator of the same name goes first; the user signs in as PRIMARY/name', async () => {
    await using bed = await openScimBed(await database.open());
    const made = await bed.call('POST', '/Users', { ...ada, userName: operatorName });
    const as = (name: string, password: string) =>
      bed.call('GET', '/Me', undefined, { authorization: basic(name, password) });
    assert.equal((await as(operatorName, ada.password)).status, 401);
    assert.equal((await as(operatorName, operatorPassword)).status, 404);
    assert.equal((await as(`PRIMARY/${operatorName}`, ada.password)).body.id, made.body.id);
  });
});
