import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { fastify } from 'fastify';
import { addFront, frontOptions } from '../../src/inbound/front.ts';
import { scimError } from './scim-bad-requests.ts';

/** A server with nothing behind the front. */
async function openFront() {
  const app = fastify({ logger: false, ...frontOptions });
  addFront(app);
  app.get('/scim2/Users/:id', async () => 'there');
  app.get('/wso2/scim/Users/:id', async () => 'there');
  app.get('/scim1/Users/:id', async () => 'there');
  app.get('/api/users/:id', async () => 'there');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => app.close() };
}

/** Sends bytes as they are; answers all that comes back. */
function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('close', () => resolve(answer));
    // The server may close while the rest of a long request is still being sent.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.write(bytes);
  });
}

const get = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer pv_secret\r\n${more}Connection: close\r\n\r\n`;

/** What is wrong, what follows the prefix of a door, the whole request, the status. */
const broken: [string, (prefix: string) => string, number][] = [
  ['a broken percent encoding', (prefix) => get(`${prefix}/%zz`), 400],
  ['an encoding that is no UTF-8', (prefix) => get(`${prefix}/%ff`), 400],
  ['a percent sign at the end', (prefix) => get(`${prefix}/Users%`), 400],
  [
    'an id that is too long',
    (prefix) => get(`${prefix}/${prefix === '/api' ? 'users' : 'Users'}/${'x'.repeat(2_100)}`),
    404,
  ],
  ['an address longer than all headers may be', (prefix) => get(`${prefix}/Users?filter=${'x'.repeat(20_000)}`), 431],
  ['a flood of headers', (prefix) => get(`${prefix}/Users`, 'x-more: yes\r\n'.repeat(3_000)), 431],
  [
    'two lengths',
    (prefix) => `POST ${prefix}/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345`,
    400,
  ],
  ['a method nobody knows', (prefix) => get(`${prefix}/Users`).replace('GET', 'FROB'), 400],
];

describe('what no door can read', () => {
  for (const prefix of ['/scim2', '/wso2/scim', '/scim1', '/api', '']) {
    it(`is answered in the form of ${prefix === '' ? 'no door' : prefix}`, async () => {
      await using front = await openFront();
      for (const [what, make, status] of broken) {
        const answer = await send(front.port, make(prefix));
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
        assert.doesNotMatch(answer, /pv_secret|FST_/, what);
        const [head, text] = answer.split('\r\n\r\n');
        const body = JSON.parse(text!);
        const isOlder = prefix === '/wso2/scim' || prefix === '/scim1';
        const type = prefix === '/scim2' ? 'scim+json' : isOlder ? 'json' : 'problem+json';
        assert.ok(head!.toLowerCase().includes(`content-type: application/${type}`), what);
        if (isOlder) {
          assert.equal(body.Errors[0].code, String(status), what);
          assert.ok(body.Errors[0].description.length > 20, what);
          continue;
        }
        if (prefix === '/scim2') {
          assert.deepEqual(body.schemas, [scimError], what);
          assert.equal(body.status, String(status), what);
        } else {
          assert.equal(body.status, status, what);
          assert.equal(typeof body.code, 'string', what);
        }
        assert.ok(body.detail.length > 20, what);
      }
    });
  }

  it('an address beside the doors says where they are', async () => {
    await using front = await openFront();
    for (const path of ['/', '/favicon.ico', '/SCIM2/Users', '/scim2x', '/scim1x', '/wso2']) {
      const response = await fetch(`http://127.0.0.1:${front.port}${path}`);
      assert.equal(response.status, 404);
      const { detail } = (await response.json()) as { detail: string };
      assert.match(detail, /\/scim2.*\/api/);
    }
  });
});
