import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { fastify } from 'fastify';
import { consoleDoor } from '../../src/inbound/console/door.ts';
import { addFront, frontOptions } from '../../src/inbound/front.ts';

describe('the built console as it is served', () => {
  const folder = mkdtempSync(join(tmpdir(), 'purvey-console-'));
  const app = fastify({ ...frontOptions, forceCloseConnections: true });
  let url: string;
  before(async () => {
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<meta name="nonce" content="{{nonce}}"><div id="root"></div>');
    writeFileSync(join(folder, 'scheme.js'), 'scheme()');
    writeFileSync(join(folder, 'assets/main-abc.js'), 'main()');
    writeFileSync(join(folder, 'assets/main-abc.js.br'), brotliCompressSync('main()'));
    writeFileSync(join(folder, 'secret.txt'), 'not for everybody');
    addFront(app);
    await app.register(consoleDoor({ folder }));
    url = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers, redirect: 'manual' });

  it('one page answers every address below /console, so that each can be linked', async () => {
    for (const path of [
      '/console',
      '/console/',
      '/console/users/some-id',
      '/console/accounts/partner:SCIM2/ada',
      '/console/secret.txt',
    ]) {
      const answer = await get(path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers.get('content-type')!, /^text\/html/);
      assert.match(await answer.text(), /id="root"/, path);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
  });

  it('no script but its own may run, in no frame, and each page has a nonce of its own', async () => {
    const nonces = new Set<string>();
    for (let n = 0; n < 3; n++) {
      const answer = await get('/console/');
      const policy = answer.headers.get('content-security-policy')!;
      const nonce = /'nonce-([\w-]{22})'/.exec(policy)?.[1];
      assert.ok(nonce);
      assert.ok((await answer.text()).includes(`content="${nonce}"`));
      nonces.add(nonce);
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /script-src 'self'(;|$)/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    }
    assert.equal(nonces.size, 3);
  });

  it('files with a hash in their name are kept for good, and sent packed to whoever takes that', async () => {
    const packed = await get('/console/assets/main-abc.js', { 'accept-encoding': 'gzip, br' });
    assert.equal(packed.headers.get('content-encoding'), 'br');
    assert.equal(packed.headers.get('vary'), 'accept-encoding');
    assert.match(packed.headers.get('cache-control')!, /max-age=31536000, immutable/);
    assert.match(packed.headers.get('content-type')!, /^text\/javascript/);
    assert.equal(await packed.text(), 'main()');
    const plain = await get('/console/assets/main-abc.js', { 'accept-encoding': 'identity' });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await plain.text(), 'main()');
    assert.equal((await get('/console/scheme.js')).headers.get('cache-control'), 'no-cache');
  });

  it('nothing beside the build can be reached', async () => {
    for (const path of [
      '/console/assets/gone-abc.js',
      '/console/assets/..%2fsecret.txt',
      '/console/assets/%2e%2e/secret.txt',
      '/console/assets/..%5csecret.txt',
      '/console/assets/secret.txt',
      '/console/assets/main-abc.js.br',
    ]) {
      const answer = await get(path);
      assert.ok(!(await answer.text()).includes('not for everybody'), path);
      assert.ok(
        answer.status === 404 || /text\/html/.test(answer.headers.get('content-type')!),
        `${path} ${answer.status}`,
      );
    }
  });

  it('/carbon, and a browser that asks for the server itself, are led to it', async () => {
    for (const path of ['/carbon', '/carbon/', '/carbon/admin/login.jsp']) {
      const answer = await get(path);
      assert.equal(answer.status, 302, path);
      assert.equal(answer.headers.get('location'), '/console/');
    }
    assert.equal((await get('/', { accept: 'text/html,*/*' })).headers.get('location'), '/console/');
    assert.equal((await get('/', { accept: 'application/json' })).status, 404);
  });

  it('where it was not built it says how', async () => {
    const bare = fastify();
    await bare.register(consoleDoor({ folder: join(folder, 'nothing') }));
    const answer = await bare.inject('/console/users');
    assert.equal(answer.statusCode, 503);
    assert.match(answer.body, /npm run build/);
    await bare.close();
  });
});
