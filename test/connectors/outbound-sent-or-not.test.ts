import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../../src/outbound/courier.ts';
import { certificate, key } from './fakes/certificate.ts';
import { makeOutbound } from './setting.ts';

const opened: { close(): unknown }[] = [];
after(async () => {
  for (const each of opened.reverse()) await each.close();
});

function makeWayOut(options: Parameters<typeof makeOutbound>[0] = {}) {
  const way = makeOutbound(options);
  opened.push(way.outbound);
  return way;
}

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  opened.push({
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return (server.address() as AddressInfo).port;
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}/Users`;
}

function ending(answer: Answer): string {
  return answer.ended === 'answered' ? `answered ${answer.status}` : `${answer.ended} ${answer.cause}`;
}

const body = { userName: 'bob' };

test('nobody listens: not sent', async () => {
  const port = await listen(createTcpServer());
  await (opened.pop() as { close(): Promise<void> }).close();
  const courier = makeWayOut().courier();
  const answer = await courier.mutate({ method: 'POST', url: `http://127.0.0.1:${port}/`, body });
  assert.equal(ending(answer), 'not-sent connect');
  assert.equal(courier.mutated, false);
  assert.match(courier.exchanges[0]!.error!, /refused the connection/);
  assert.equal(courier.exchanges[0]!.status, null);
});

test('a name that does not exist: not sent', async () => {
  const answer = await makeWayOut().courier({ timeoutMs: 10_000 }).read({ method: 'GET', url: 'https://no.invalid/' });
  assert.equal(ending(answer), 'not-sent dns');
});

test('addresses that no target may have are not asked', async () => {
  const { courier } = makeWayOut();
  for (const url of [
    'https://169.254.169.254/latest/meta-data',
    'https://2852039166/',
    'https://[fe80::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://0.0.0.0/',
    'https://100.100.100.200/',
    'http://10.0.0.1/',
    'http://[2001:db8::1]/',
    'ftp://127.0.0.1/',
    'nonsense',
  ]) {
    assert.equal(ending(await courier().read({ method: 'GET', url })), 'not-sent address', url);
  }
});

test('plain http: loopback by number and by name, elsewhere only when allowed', async () => {
  const url = await serve((_, response) => response.end('{}'));
  const { courier } = makeWayOut();
  assert.equal(ending(await courier().read({ method: 'GET', url })), 'answered 200');
  const byName = url.replace('127.0.0.1', 'localhost');
  assert.equal(ending(await courier().read({ method: 'GET', url: byName })), 'answered 200');
  // Allowed: the refusal is no longer ours (nobody is there, so it is a matter of connecting).
  const open = makeWayOut({ allowPlainHttp: 'always' });
  const elsewhere = await open.courier({ timeoutMs: 50 }).read({ method: 'GET', url: 'http://192.0.2.1/' });
  assert.equal(ending(elsewhere), 'not-sent connect');
});

test('a certificate that is not trusted: not sent; trusted by the ca option: answered', async () => {
  const port = await listen(createSecureServer({ cert: certificate, key }, (_, response) => response.end('{"a":1}')));
  const url = `https://localhost:${port}/Users`;
  const distrust = await makeWayOut().courier().mutate({ method: 'POST', url, body });
  assert.equal(ending(distrust), 'not-sent tls');
  const trust = await makeWayOut({ ca: certificate }).courier().mutate({ method: 'POST', url, body });
  assert.equal(ending(trust), 'answered 200');
});

test('a server that speaks no TLS: not sent', async () => {
  const url = await serve((_, response) => response.end());
  const answer = await makeWayOut()
    .courier()
    .mutate({ method: 'POST', url: url.replace('http:', 'https:'), body });
  assert.equal(ending(answer), 'not-sent tls');
});

test('a connection that does not come to stand in time: not sent', async () => {
  // Takes the connection and never shakes hands.
  const port = await listen(createTcpServer((socket) => socket.on('error', () => {})));
  const courier = makeWayOut().courier({ timeoutMs: 60 });
  const answer = await courier.mutate({ method: 'POST', url: `https://127.0.0.1:${port}/`, body });
  assert.equal(ending(answer), 'not-sent connect');
  assert.equal(courier.mutated, false);
});

test('waiting for a free connection past the timeout: not sent, not even later', async () => {
  const heard: string[] = [];
  let go = () => {};
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const url = await serve(async (request, response) => {
    heard.push(request.url!);
    if (request.url === '/Users?first') await first;
    response.end('{}');
  });
  const { courier } = makeWayOut({ maxConnectionsPerOrigin: 1 });
  const slow = courier().mutate({ method: 'POST', url: `${url}?first`, body });
  const late = courier({ timeoutMs: 50 });
  assert.equal(ending(await late.mutate({ method: 'POST', url: `${url}?late`, body })), 'not-sent connect');
  assert.equal(late.mutated, false);
  go();
  assert.equal(ending(await slow), 'answered 200');
  assert.equal(ending(await courier().read({ method: 'GET', url: `${url}?third` })), 'answered 200');
  assert.deepEqual(heard, ['/Users?first', '/Users?third']);
});

test('no answer in time, though it was sent: unknown', async () => {
  const url = await serve(() => {});
  const courier = makeWayOut().courier({ timeoutMs: 60 });
  assert.equal(ending(await courier.mutate({ method: 'POST', url, body })), 'unknown timeout');
  assert.equal(courier.mutated, true);
});

test('an answer that does not end in time: unknown', async () => {
  const url = await serve((_, response) => {
    response.writeHead(201, { 'content-length': '100' });
    response.write('{"id":');
  });
  const courier = makeWayOut().courier({ timeoutMs: 80 });
  assert.equal(ending(await courier.mutate({ method: 'POST', url, body })), 'unknown timeout');
});

test('closed without an answer: unknown, and never said twice', async () => {
  let heard = 0;
  const url = await serve((request) => {
    heard++;
    request.socket.destroy();
  });
  const { courier } = makeWayOut();
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const mine = courier();
    assert.equal(ending(await mine.mutate({ method, url, body })), 'unknown closed', method);
    assert.equal(mine.mutated, true);
  }
  assert.equal(ending(await courier().read({ method: 'GET', url })), 'unknown closed');
  assert.equal(heard, 5);
});

test('a kept connection that breaks under a request: unknown, and never said twice', async () => {
  const heard: string[] = [];
  const url = await serve((request, response) => {
    heard.push(request.method!);
    if (request.method === 'GET') response.end('{}');
    else request.socket.resetAndDestroy();
  });
  const { courier } = makeWayOut({ maxConnectionsPerOrigin: 1 });
  await courier().read({ method: 'GET', url });
  assert.equal(ending(await courier().mutate({ method: 'PUT', url, body })), 'unknown closed');
  await courier().read({ method: 'GET', url });
  assert.deepEqual(heard, ['GET', 'PUT', 'GET']);
});

test('half an answer: unknown', async () => {
  const url = await serve((request, response) => {
    response.writeHead(201, { 'content-length': '100' });
    response.write('{"id":', () => request.socket.destroy());
  });
  const answer = await makeWayOut().courier().mutate({ method: 'POST', url, body });
  assert.equal(ending(answer), 'unknown half-answer');
});

test('something that is not HTTP: unknown', async () => {
  const port = await listen(createTcpServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n')));
  const answer = await makeWayOut()
    .courier()
    .mutate({ method: 'POST', url: `http://127.0.0.1:${port}/`, body });
  assert.equal(answer.ended, 'unknown');
});

test('an answer past 4 MB: unknown', async () => {
  const url = await serve((_, response) => {
    response.on('error', () => {});
    response.end('x'.repeat(4 * 1024 * 1024 + 1));
  });
  const answer = await makeWayOut().courier().read({ method: 'GET', url });
  assert.equal(ending(answer), 'unknown half-answer');
});

test('an answer compressed against our wish is read; a bomb is not', async () => {
  const texts: Record<string, Buffer> = {
    '/small': gzipSync('{"id":"u1"}'),
    '/bomb': gzipSync(Buffer.alloc(5 * 1024 * 1024)),
  };
  const url = await serve((request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(texts[request.url!]);
  });
  const { courier } = makeWayOut();
  const small = await courier().read({ method: 'GET', url: new URL('/small', url).href });
  assert.deepEqual(small.ended === 'answered' && small.body, { id: 'u1' });
  const bomb = await courier().read({ method: 'GET', url: new URL('/bomb', url).href });
  assert.equal(ending(bomb), 'unknown half-answer');
});

test('a redirect is an answer, not a way', async () => {
  const heard: string[] = [];
  const url = await serve((request, response) => {
    heard.push(request.url!);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  const answer = await makeWayOut().courier().mutate({ method: 'POST', url, body });
  assert.equal(ending(answer), 'answered 307');
  assert.equal(answer.ended === 'answered' && answer.headers.location, '/elsewhere');
  assert.deepEqual(heard, ['/Users']);
});

test('past its deadline a mutation stays here, a read may go', async () => {
  const heard: string[] = [];
  const url = await serve((request, response) => {
    heard.push(request.method!);
    response.end('{}');
  });
  const { courier, clock } = makeWayOut();
  const mine = courier({ deadlineMs: 1_000 });
  clock.step(1_001);
  assert.equal(ending(await mine.read({ method: 'GET', url })), 'answered 200');
  assert.equal(ending(await mine.mutate({ method: 'POST', url, body })), 'not-sent deadline');
  assert.equal(mine.mutated, false);
  assert.deepEqual(heard, ['GET']);
});

test('the deadline is read when the request leaves, not when it was asked for', async () => {
  const heard: string[] = [];
  let go = () => {};
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const url = await serve(async (request, response) => {
    heard.push(request.url!);
    if (request.url === '/Users?first') await first;
    response.end('{}');
  });
  const { courier, clock } = makeWayOut({ maxConnectionsPerOrigin: 1 });
  const slow = courier().mutate({ method: 'POST', url: `${url}?first`, body });
  const mine = courier({ deadlineMs: 1_000 });
  const waiting = mine.mutate({ method: 'POST', url: `${url}?second`, body });
  clock.step(1_001);
  go();
  await slow;
  assert.equal(ending(await waiting), 'not-sent deadline');
  assert.equal(mine.mutated, false);
  assert.deepEqual(heard, ['/Users?first']);
});

test('an attempt has one mutation', async () => {
  const url = await serve((_, response) => response.end('{}'));
  const courier = makeWayOut().courier();
  await courier.mutate({ method: 'POST', url, body });
  assert.throws(() => courier.mutate({ method: 'POST', url, body }), /one mutation/);
});

test('what is said: headers, JSON, forms', async () => {
  const heard: { headers: Record<string, unknown>; text: string }[] = [];
  const url = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    heard.push({ headers: request.headers, text: Buffer.concat(chunks).toString() });
    response.end('\uFEFF{"name":"Ørsted 東京"}');
  });
  const courier = makeWayOut().courier();
  const answer = await courier.mutate({ method: 'POST', url, body: { name: 'Ørsted 東京' } });
  assert.deepEqual(answer.ended === 'answered' && answer.body, { name: 'Ørsted 東京' });
  await courier.read({ method: 'POST', url, form: { grant_type: 'client_credentials', scope: 'a b' } });
  assert.equal(heard[0]!.text, '{"name":"Ørsted 東京"}');
  assert.equal(heard[0]!.headers['content-type'], 'application/json');
  assert.equal(heard[0]!.headers['user-agent'], 'purvey/0.1');
  assert.equal(heard[1]!.text, 'grant_type=client_credentials&scope=a+b');
  assert.equal(heard[1]!.headers['content-type'], 'application/x-www-form-urlencoded');
  assert.deepEqual(
    courier.exchanges.map(({ method, status }) => [method, status]),
    [
      ['POST', 200],
      ['POST', 200],
    ],
  );
});
