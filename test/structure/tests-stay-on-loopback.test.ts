import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { request } from 'undici';
import '../network.ts';

test('names and addresses beyond loopback are refused as the system would refuse them', async () => {
  await assert.rejects(fetch('http://example.com/'), (error: Error) => /loopback only/.test(String(error.cause)));
  await assert.rejects(request('http://192.0.2.1/'), { code: 'ENETUNREACH' });
  await assert.rejects(request('http://idp.example/'), { code: 'ENOTFOUND' });
  await assert.rejects(dns.lookup('example.com'), { code: 'ENOTFOUND' });
  await assert.rejects(new Promise((_, reject) => connect(80, '192.0.2.1').once('error', reject)), {
    code: 'ENETUNREACH',
  });
});

test('loopback is reached', async () => {
  const server = createServer((_, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    for (const host of ['127.0.0.1', 'localhost']) {
      assert.equal(await (await fetch(`http://${host}:${port}/`)).text(), 'here');
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
