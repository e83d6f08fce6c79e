import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, it } from 'node:test';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, userType } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, basic, openAdminBed } from './admin-bed.ts';

eachDatabase('whoever listens to the admin API hears what got newer', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'token' } });
  });
  after(() => fake.close());

  /** One stream: `next` answers its next event that is wanted; other events are passed over. */
  const listen = async (authorization = `Bearer ${api.token}`) => {
    const gone = new AbortController();
    const response = await fetch(`${api.url}/api/events`, { headers: { authorization }, signal: gone.signal });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const next = async (wanted: (event: string, data: unknown) => boolean): Promise<unknown> => {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end < 0) {
          const { done, value } = await reader.read();
          if (done) throw new Error(`the stream ended after ${text}`);
          text += value;
          continue;
        }
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const event = lines.find((line) => line.startsWith('event: '))?.slice(7);
        const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
        if (event && data && wanted(event, JSON.parse(data))) return JSON.parse(data);
      }
    };
    const told = (topic: string) => next((event, data) => event === 'news' && (data as string[]).includes(topic));
    await next((event) => event === 'hello');
    return { told, next, leave: () => gone.abort() };
  };
  const addUser = (userName: string) => {
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    const user = readResource(userType, { schemas: [coreUserUrn], userName });
    return api.store.write((tx) => createUser(tx, user, { origin }));
  };

  it('of a change in the log, of a setting, and of a delivery', async () => {
    const stream = await listen();
    await addUser('ada');
    await stream.told('changes');
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const settings = {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'token',
      'scim2-user-ep': fake.usersEndpoint,
    };
    const target = await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
    assert.equal(target.status, 201, target.text);
    const bindings = [{ target: 'partner:SCIM2' }];
    assert.equal((await api.call('PUT', '/service-providers/resident/bindings', { bindings })).status, 200);
    await stream.told('targets');
    await api.startEngine();
    await addUser('bob');
    api.store.signal('changes');
    await stream.told('deliveries');
    stream.leave();
  });

  it('nothing while nothing happens, and each of several what happens for all', async () => {
    const [one, two] = [await listen(), await listen()];
    await addUser('eve');
    await one.told('changes');
    await two.told('changes');
    one.leave();
    two.leave();
  });

  it('only whoever may read, and by no session of another site', async () => {
    assert.equal((await api.call('GET', '/events', undefined, null)).status, 401);
    assert.equal((await api.call('GET', '/events', undefined, basic('admin', api.password))).status, 403);
    assert.equal((await api.call('POST', '/events', {})).status, 404);
  });

  it('as long as they may', async () => {
    const { body } = await api.call('POST', '/tokens', { label: 'short', scopes: ['admin'] });
    const stream = await listen(`Bearer ${body.token}`);
    const ended = assert.rejects(
      stream.next(() => false),
      /the stream ended/,
    );
    assert.equal((await api.call('DELETE', `/tokens/${body.id}`)).status, 204);
    await ended;
  });

  it('one that reads nothing is let go, and neither what is new nor the end is said to it twice', async () => {
    const made = await api.call('POST', '/tokens', { label: 'slow', scopes: ['admin'] });
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.pause();
    const closed = once(socket, 'close');
    socket.write(`GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${made.body.token}\r\n\r\n`);
    const other = await listen();
    assert.equal((await api.call('DELETE', `/tokens/${made.body.id}`)).status, 204);
    for (let n = 0; n < 8; n++) {
      await addUser(`slow.${n}`);
      await other.told('changes');
    }
    socket.resume();
    socket.end();
    await closed;
    assert.equal((await api.call('GET', '/status')).status, 200, 'the server goes on');
    assert.ok(!api.logged.some((line) => line.includes('push after EOF')), api.logged.join(''));
    other.leave();
  });

  it('a stream does not keep the server from ending', async () => {
    const stream = await listen();
    const ended = assert.rejects(
      stream.next(() => false),
      /the stream ended/,
    );
    await api.store.close();
    await ended;
  });
});
