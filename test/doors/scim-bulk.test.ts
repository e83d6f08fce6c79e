import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

const bulkSchemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

const user = (bulkId: string, more: object = {}) => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { schemas: userSchemas, userName: bulkId, ...more },
});
const managed = (bulkId: string, manager: string) => user(bulkId, { [enterprise]: { manager: { value: manager } } });
const group = (bulkId: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: groupSchemas, displayName: bulkId, members: members.map((value) => ({ value })) },
});
const patch = (path: string, ...Operations: object[]) => ({
  method: 'PATCH',
  path,
  data: { schemas: patchSchemas, Operations },
});

type Result = {
  method: string;
  bulkId?: string;
  status: string;
  location?: string;
  version?: string;
  response?: { detail: string; scimType?: string; schemas: string[]; status: string };
};

async function send(bed: ScimBed, Operations: unknown[], more: object = {}): Promise<Result[]> {
  const answer = await bed.call('POST', '/Bulk', { schemas: bulkSchemas, Operations, ...more });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(answer.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:BulkResponse']);
  for (const one of answer.body.Operations as Result[]) {
    const failed = !one.status.startsWith('2');
    assert.equal(one.response !== undefined, failed, JSON.stringify(one));
    if (failed) assert.deepEqual([one.response!.schemas, one.response!.status], [[errorUrn], one.status]);
    if (one.method !== '')
      assert.equal(one.location !== undefined, one.method !== 'POST' || !failed, JSON.stringify(one));
  }
  return answer.body.Operations;
}

const statuses = (results: Result[]) => results.map((one) => one.status);

async function countRows(bed: ScimBed, table: 'changes' | 'refs' | 'members' | 'subjects') {
  return (await bed.store.read((reading) => reading.all(reading.q.selectFrom(table).selectAll()))).length;
}

eachDatabase('SCIM 2.0 bulk', (database) => {
  it('creates, replaces, patches and deletes in one request, and answers each as it would have been alone', async () => {
    await using bed = await openScimBed(await database.open());
    const [eve, old] = await send(bed, [user('eve'), user('old')]);
    const results = await send(bed, [
      user('ada', { password: 'secret one' }),
      {
        method: 'PUT',
        path: new URL(eve!.location!).pathname.slice('/scim2'.length),
        data: user('eve', { title: 'T' }).data,
      },
      patch('/Users/bulkId:ada', { op: 'add', path: 'title', value: 'Countess' }),
      group('team', 'bulkId:ada'),
      patch('/Groups/bulkId:team', { op: 'remove', path: 'members[value eq "bulkId:ada"]' }),
      { method: 'DELETE', path: `/Users/${old!.location!.split('/').at(-1)}` },
    ]);
    assert.deepEqual(statuses(results), ['201', '200', '200', '201', '204', '204']);
    assert.deepEqual(
      results.map((one) => one.bulkId),
      ['ada', undefined, undefined, 'team', undefined, undefined],
    );
    assert.equal(results[2]!.location, results[0]!.location);
    const ada = await bed.call('GET', results[0]!.location!);
    assert.deepEqual([ada.body.title, ada.body.meta.version], ['Countess', results[2]!.version]);
    assert.equal((await bed.call('GET', results[3]!.location!)).body.members, undefined);
    assert.equal((await bed.call('GET', old!.location!)).status, 404);
    assert.equal((await bed.call('GET', eve!.location!)).body.title, 'T');
  });

  it('an operation that fails leaves the others, wherever it stands', async () => {
    await using bed = await openScimBed(await database.open());
    await send(bed, [user('taken')]);
    const results = await send(bed, [
      user('a'),
      user('taken'),
      user('b'),
      { ...user('c'), data: { schemas: userSchemas } },
      patch('/Users/nobody', { op: 'remove', path: 'title' }),
      { method: 'GET', path: '/Users' },
      { method: 'POST', path: '/Nothing', bulkId: 'n', data: {} },
      { method: 'DELETE', path: '/Users' },
      'nonsense',
      user('d'),
    ]);
    const expected = ['201', '409', '201', '400', '404', '400', '404', '404', '400', '201'];
    assert.deepEqual(statuses(results), expected);
    assert.equal(results[1]!.response!.scimType, 'uniqueness');
    assert.equal(results[3]!.response!.scimType, 'invalidValue');
    assert.equal(await countRows(bed, 'subjects'), 4);
    assert.equal(await countRows(bed, 'changes'), 4);
    assert.deepEqual(bed.logged, []);
  });

  it('references may point forward, in data and in paths', async () => {
    await using bed = await openScimBed(await database.open());
    const results = await send(bed, [
      patch('/Groups/bulkId:team', { op: 'add', path: 'members', value: [{ value: 'bulkId:eve' }] }),
      group('team', 'bulkId:ada'),
      managed('ada', 'bulkId:eve'),
      user('eve'),
    ]);
    assert.deepEqual(statuses(results), ['204', '201', '201', '201']);
    const ids = results.map((one) => one.location!.split('/').at(-1)!);
    const team = await bed.call('GET', results[1]!.location!);
    assert.deepEqual(team.body.members.map((one: { value: string }) => one.value).sort(), [ids[2], ids[3]].sort());
    assert.equal((await bed.call('GET', results[2]!.location!)).body[enterprise].manager.value, ids[3]);
    assert.equal(await countRows(bed, 'refs'), 1);
  });

  it('groups that hold each other and people who manage each other are made in one step, with one change each', async () => {
    await using bed = await openScimBed(await database.open());
    const results = await send(bed, [
      group('A', 'bulkId:B'),
      group('B', 'bulkId:C', 'bulkId:ada'),
      group('C', 'bulkId:A'),
      managed('ada', 'bulkId:eve'),
      managed('eve', 'bulkId:ada'),
      managed('self', 'bulkId:self'),
    ]);
    assert.deepEqual(statuses(results), Array(6).fill('201'));
    const [a, b, c, ada, eve, self] = results.map((one) => one.location!.split('/').at(-1)!);
    const members = async (id: string) =>
      (await bed.call('GET', `/Groups/${id}`)).body.members.map((one: { value: string }) => one.value).sort();
    assert.deepEqual([await members(a!), await members(b!), await members(c!)], [[b], [c, ada].sort(), [a]]);
    const manager = async (id: string) => (await bed.call('GET', `/Users/${id}`)).body[enterprise].manager.value;
    assert.deepEqual([await manager(ada!), await manager(eve!), await manager(self!)], [eve, ada, self]);
    assert.deepEqual([await countRows(bed, 'refs'), await countRows(bed, 'members')], [3, 4]);
    assert.equal(await countRows(bed, 'changes'), 6);
    for (const { version } of results) assert.equal(version, 'W/"1"');
  });

  it('in a circle all stand and fall together, and whoever names one that failed fails too', async () => {
    await using bed = await openScimBed(await database.open());
    await bed.call('POST', '/Groups', { schemas: groupSchemas, displayName: 'B' });
    const results = await send(bed, [
      group('A', 'bulkId:B'),
      group('B', 'bulkId:A'),
      group('holder', 'bulkId:A'),
      patch('/Groups/bulkId:holder', { op: 'remove', path: 'members' }),
      group('self', 'bulkId:self'),
      group('lost', 'bulkId:nobody'),
      user('fine'),
    ]);
    assert.deepEqual(statuses(results), ['409', '409', '409', '409', '400', '400', '201']);
    assert.deepEqual(
      results.map((one) => one.response?.scimType),
      [undefined, 'uniqueness', undefined, undefined, 'invalidValue', 'invalidValue', undefined],
    );
    assert.match(results[0]!.response!.detail, /circle/);
    assert.match(results[2]!.response!.detail, /"A"/);
    assert.match(results[5]!.response!.detail, /"nobody"/);
    assert.equal((await bed.call('GET', '/Groups')).body.totalResults, 1);
  });

  it('failOnErrors ends the job at that many errors; what was done before stays', async () => {
    await using bed = await openScimBed(await database.open());
    await send(bed, [user('taken')]);
    const operations = [user('a'), user('taken'), user('b'), user('TAKEN'), user('c')];
    assert.deepEqual(statuses(await send(bed, operations.slice(0, 3), { failOnErrors: 1 })), ['201', '409']);
    const more = [user('a2'), { ...user('x'), data: {} }, user('b2'), user('taken'), user('c2')];
    assert.deepEqual(statuses(await send(bed, more, { failOnErrors: 2 })), ['201', '400', '201', '409']);
    assert.deepEqual(statuses(await send(bed, [user('z'), user('taken')], { failOnErrors: 5 })), ['201', '409']);
    const all = await bed.call('GET', '/Users?sortBy=userName&attributes=userName');
    assert.deepEqual(
      all.body.Resources.map((one: { userName: string }) => one.userName),
      ['a', 'a2', 'b2', 'taken', 'z'],
    );
  });

  it('version preconditions hold for each operation', async () => {
    await using bed = await openScimBed(await database.open());
    const [made] = await send(bed, [user('ada')]);
    const path = `/Users/${made!.location!.split('/').at(-1)}`;
    const put = (title: string, version: string) => ({
      method: 'PUT',
      path,
      version,
      data: user('ada', { title }).data,
    });
    const results = await send(bed, [
      put('one', made!.version!),
      put('two', made!.version!),
      put('three', 'W/"2"'),
      { method: 'DELETE', path, version: 'W/"1"' },
    ]);
    assert.deepEqual(statuses(results), ['200', '412', '200', '412']);
    assert.equal(results[2]!.version, 'W/"3"');
    assert.equal((await bed.call('GET', made!.location!)).body.title, 'three');
  });

  it('the limits are advertised and held, and the refusal names the limit', async () => {
    await using bed = await openScimBed(await database.open(), {
      limits: { bulkOperations: 3, bulkBytes: 5_000 },
      bodyBytes: 2_000,
    });
    const { bulk } = (await bed.call('GET', '/ServiceProviderConfig')).body;
    assert.deepEqual(bulk, { supported: true, maxOperations: 3, maxPayloadSize: 5_000 });
    const many = [user('a'), user('b'), user('c'), user('d')];
    const tooMany = await bed.call('POST', '/Bulk', { schemas: bulkSchemas, Operations: many });
    assert.deepEqual([tooMany.status, tooMany.body.status], [413, '413']);
    assert.match(tooMany.body.detail, /maxOperations is 3/);
    const large = await bed.call('POST', '/Bulk', {
      schemas: bulkSchemas,
      Operations: [user('a', { title: 'x'.repeat(5_000) })],
    });
    assert.deepEqual([large.status, large.body.status], [413, '413']);
    assert.match(large.body.detail, /maxPayloadSize, which is 5000/);
    assert.deepEqual(statuses(await send(bed, [user('a', { title: 'x'.repeat(3_000) })])), ['201']);
    const broken = await bed.call('POST', '/Bulk', '{"Operations"');
    assert.deepEqual([broken.status, broken.body.scimType], [400, 'invalidSyntax']);
    const allowed = await bed.call('GET', '/Bulk');
    assert.deepEqual([allowed.status, allowed.headers.get('allow')], [405, 'POST']);
    assert.equal((await bed.call('POST', '/Bulk', {}, { authorization: undefined })).status, 401);
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 1);
  });

  it('a password in one operation counts for what the next says of the same user', async () => {
    await using bed = await openScimBed(await database.open());
    const set = (path: string, value: string) => patch(path, { op: 'replace', path: 'password', value });
    const [made] = await send(bed, [user('ada', { password: 'first one' }), set('/Users/bulkId:ada', 'second one')]);
    const path = `/Users/${made!.location!.split('/').at(-1)}`;
    const hash = async () => {
      const rows = await bed.store.read((reading) => reading.all(reading.q.selectFrom('passwords').selectAll()));
      return rows[0]!.hash;
    };
    const { verifyPassword } = await import('../../src/directory/passwords.ts');
    assert.equal(await verifyPassword(await hash(), 'second one'), true);
    assert.deepEqual(statuses(await send(bed, [set(path, 'third one'), set(path, 'second one')])), ['200', '200']);
    assert.equal(await verifyPassword(await hash(), 'second one'), true);
  });

  it('a thousand users take a few transactions, not a thousand, and one that fails in their midst few more', async () => {
    let commits = 0;
    const store = await database.open({
      onStatement: (sql) => {
        if (sql === 'commit') commits++;
      },
    });
    await using bed = await openScimBed(store);
    const many = Array.from({ length: 1_000 }, (_, n) => user(`u${n}`, { emails: [{ value: `u${n}@x.org` }] }));
    commits = 0;
    assert.deepEqual(new Set(statuses(await send(bed, many))), new Set(['201']));
    assert.ok(commits <= 25, `${commits} commits`);
    const again = [...many.slice(0, 3), ...Array.from({ length: 97 }, (_, n) => user(`v${n}`))];
    again.splice(50, 0, user('u7'));
    commits = 0;
    const second = statuses(await send(bed, again));
    assert.equal(second.filter((status) => status === '409').length, 4);
    assert.ok(commits <= 10, `${commits} commits`);
    assert.equal((await bed.call('GET', '/Users?count=0')).body.totalResults, 1_097);
  });

  it('our own fault is 500 of one operation with an id that the log has, and the rest is done', async () => {
    const store = await database.open({
      onStatement: (sql) => {
        if (broken && /delete from passwords/.test(sql)) throw new Error('the disk is full');
      },
    });
    let broken = false;
    await using bed = await openScimBed(store);
    const [made] = await send(bed, [user('ada')]);
    broken = true;
    const results = await send(bed, [
      user('before'),
      { method: 'DELETE', path: `/Users/${made!.location!.split('/').at(-1)}` },
      user('after'),
    ]);
    assert.deepEqual(statuses(results), ['201', '500', '201']);
    assert.equal(bed.logged.length, 1);
    assert.match(bed.logged[0]!, /the disk is full/);
    assert.ok(bed.logged[0]!.includes(/[0-9a-f-]{36}/.exec(results[1]!.response!.detail)![0]));
  });
});
