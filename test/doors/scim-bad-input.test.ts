import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { bads, scimError, user } from './scim-bad-requests.ts';
import { groupSchemas, openScimBed, type ScimBed } from './scim-bed.ts';

async function snapshot({ store }: ScimBed): Promise<string> {
  return store.read(async (reading) => {
    const tables = ['subjects', 'members', 'changes', 'passwords', 'subject_keys', 'refs', 'subject_sps'] as const;
    const all: unknown[] = [];
    for (const table of tables) all.push(table, await reading.all(reading.q.selectFrom(table).selectAll()));
    return JSON.stringify(all);
  });
}

eachDatabase('SCIM 2.0 and bad input', (database) => {
  it('each is answered with the right error, and nothing is written', async () => {
    await using bed = await openScimBed(await database.open(), { bodyBytes: 20_000 });
    const make = async (path: string, body: object) => (await bed.call('POST', path, body)).body.id as string;
    const id = await make('/Users', user({ userName: 'ada', emails: [{ value: 'a@x.org', type: 'work' }] }));
    await make('/Users', user({ userName: 'eve' }));
    const group = await make('/Groups', { schemas: groupSchemas, displayName: 'Team', members: [{ value: id }] });
    const fill = (text: string) => text.replaceAll('{ID}', id).replaceAll('{GROUP}', group);
    const before = await snapshot(bed);
    for (const bad of bads) {
      const body =
        bad.body === undefined || bad.body instanceof Uint8Array
          ? bad.body
          : fill(typeof bad.body === 'string' ? bad.body : JSON.stringify(bad.body));
      const answer = await bed.call(bad.method, fill(bad.path), body, bad.headers);
      const text = `${bad.what}: ${JSON.stringify(answer.body)}`;
      assert.equal(answer.status, bad.status, text);
      assert.match(answer.headers.get('content-type')!, /^application\/scim\+json/, text);
      assert.deepEqual(answer.body.schemas, [scimError], text);
      assert.equal(answer.body.status, String(bad.status), text);
      if (bad.what !== 'a broken path') assert.equal(answer.body.scimType, bad.scimType, text);
      assert.equal(typeof answer.body.detail, 'string', text);
      if (bad.detail) assert.match(answer.body.detail, bad.detail, bad.what);
      assert.equal(answer.headers.has('www-authenticate'), bad.status === 401, text);
      assert.equal(await snapshot(bed), before, `${bad.what} wrote something`);
    }
    assert.deepEqual(bed.logged, []);
    const allowed = await bed.call('DELETE', '/Users');
    assert.equal(allowed.headers.get('allow'), 'GET, HEAD, POST');
    assert.equal((await bed.call('GET', `/Users/${id}`)).status, 200);
  });

  it('broken JSON is not quoted back: it may hold a password', async () => {
    await using bed = await openScimBed(await database.open());
    const answer = await bed.call('POST', '/Users', '{"password": "hunter2", oops');
    assert.doesNotMatch(JSON.stringify(answer.body), /hunter2/);
  });

  it('a byte order mark before the JSON is passed over', async () => {
    await using bed = await openScimBed(await database.open());
    const answer = await bed.call('POST', '/Users', `\ufeff${JSON.stringify(user({}))}`);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  });

  it('our own fault is 500 with an id that the log has, once, and without the body', async () => {
    let broken = false;
    const store = await database.open({
      onStatement: (sql) => {
        if (broken && /insert into subjects/.test(sql)) throw new Error('the disk is full');
      },
    });
    await using bed = await openScimBed(store);
    broken = true;
    const answer = await bed.call('POST', '/Users', user({ password: 'hunter2' }));
    broken = false;
    assert.equal(answer.status, 500);
    assert.deepEqual(answer.body.schemas, [scimError]);
    assert.doesNotMatch(answer.body.detail, /disk/);
    const id = /[0-9a-f-]{36}/.exec(answer.body.detail)![0];
    assert.equal(bed.logged.length, 1);
    assert.match(bed.logged[0]!, new RegExp(id));
    assert.match(bed.logged[0]!, /the disk is full/);
    assert.doesNotMatch(bed.logged[0]!, /hunter2/);
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 0);
  });

  it('a client that goes away in the middle of its body leaves nothing', async () => {
    await using bed = await openScimBed(await database.open());
    const { port } = new URL(bed.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /scim2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bed.token}\r\n` +
        'Content-Type: application/scim+json\r\nContent-Length: 5000\r\n\r\n{"schemas":',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 0);
  });

  it('of many who want the same name at once, one gets it', async () => {
    await using bed = await openScimBed(await database.open());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => bed.call('POST', '/Users', user({ userName: i % 2 ? 'ADA' : 'ada' }))),
    );
    const statuses = answers.map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [201, ...Array(19).fill(409)]);
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 1);
  });
});
