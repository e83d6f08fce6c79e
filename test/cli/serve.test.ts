import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openTestStore } from '../database.ts';
import { makeFolder, root, runPurvey, serve } from './processes.ts';

describe('purvey serve', () => {
  const folder = makeFolder();
  after(folder.remove);
  const data = join(folder.path, 'data');
  const basic = (password: string) => ({
    authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
  });

  it('gives a password at its first start alone, and a token file for commands on this machine', async (t) => {
    const first = await serve(data);
    let password: string;
    try {
      password = first.firstPassword!;
      assert.ok(password.length >= 16);
      for (const name of ['admin-token', 'key', 'purvey.db']) {
        assert.equal(statSync(join(data, name)).mode & 0o077, 0, `${name} can be read by others`);
      }
      const refused = await fetch(`${first.url}/scim2/Users`, { headers: basic(password) });
      assert.equal(refused.status, 403);
      const changed = await fetch(`${first.url}/api/password`, {
        method: 'POST',
        headers: { ...basic(password), 'content-type': 'application/json' },
        body: '{"newPassword":"a better password"}',
      });
      assert.equal(changed.status, 204);
      for (const path of ['/scim2/Users', '/api/status']) {
        assert.equal((await fetch(first.url + path, { headers: basic('a better password') })).status, 200, path);
        const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
        const headers = { authorization: `Bearer ${token}` };
        assert.equal((await fetch(first.url + path, { headers })).status, 200, path);
      }
      assert.deepEqual(await (await fetch(`${first.url}/healthz`)).json(), { status: 'ok' });
      const status = await runPurvey(['status', '--json', '--url', first.url], { env: { PURVEY_DATA: data } });
      assert.equal(status.code, 0, status.err);
      assert.equal(JSON.parse(status.out).database.kind, 'sqlite');
    } finally {
      assert.equal(await first.stop(), 0, first.printed());
    }
    const second = await serve(data);
    try {
      t.diagnostic(`second start to listening: ${second.ms.toFixed(0)} ms`);
      assert.equal(second.firstPassword, undefined);
      assert.ok(!second.printed().includes(password));
      assert.equal((await fetch(`${second.url}/api/status`, { headers: basic('a better password') })).status, 200);
    } finally {
      assert.equal(await second.stop('SIGINT'), 0, second.printed());
    }
  });

  it('owns its database alone, and leaves no lock behind when it is killed', async () => {
    const first = await serve(data);
    try {
      const second = await runPurvey(['serve'], { env: { PURVEY_DATA: data, PURVEY_PORT: '0' } });
      assert.equal(second.code, 1);
      assert.match(second.err, new RegExp(`in use by another Purvey \\(process ${first.child.pid}\\).*PURVEY_DATA`));
      assert.equal(second.err.trim().split('\n').length, 1, second.err);
    } finally {
      await first.stop('SIGKILL');
    }
    const third = await serve(data);
    assert.equal(await third.stop(), 0);
  });

  it('says when its port is taken', async () => {
    const first = await serve(data);
    try {
      const port = new URL(first.url).port;
      const second = await runPurvey(['serve', '--port', port, '--data', join(folder.path, 'other')]);
      assert.equal(second.code, 1);
      assert.match(second.err, new RegExp(`port ${port} on 127.0.0.1 is in use.*PURVEY_PORT`));
    } finally {
      await first.stop();
    }
  });

  it('refuses a key that is not the one of its database', async () => {
    const other = randomBytes(32).toString('base64');
    const refused = await runPurvey(['serve'], { env: { PURVEY_DATA: data, PURVEY_PORT: '0', PURVEY_KEY: other } });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /not the key .* sealed with: restore/);
    assert.ok(!refused.err.includes(other));
  });

  it('says what is wrong with a setting, in one line', async () => {
    const refused = await runPurvey(['serve', '--host', '0.0.0.0'], { env: { PURVEY_DATA: data } });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^purvey: PURVEY_HOST is 0\.0\.0\.0.*\n$/);
  });

  it('says so in one line when its certificate is none', async () => {
    const file = join(folder.path, 'certificate.pem');
    writeFileSync(file, 'no certificate');
    const env = {
      PURVEY_DATA: join(folder.path, 'tls'),
      PURVEY_PORT: '0',
      PURVEY_TLS_CERT: file,
      PURVEY_TLS_KEY: file,
    };
    const ended = await runPurvey(['serve'], { env });
    assert.equal(ended.code, 1);
    assert.match(ended.err, /^purvey: PURVEY_TLS_CERT and PURVEY_TLS_KEY cannot be used .*in PEM\n$/);
  });

  it('asks for a folder that can be written when the database cannot be opened', async () => {
    const inTheWay = join(folder.path, 'in-the-way');
    mkdirSync(join(inTheWay, 'purvey.db'), { recursive: true });
    const ended = await runPurvey(['serve'], { env: { PURVEY_DATA: inTheWay, PURVEY_PORT: '0' } });
    assert.equal(ended.code, 1);
    assert.match(ended.err, /^purvey: the database .* cannot be used: .*; may whoever runs Purvey write in .*\n$/);
  });

  it('makes its token file again when it was lost', async () => {
    rmSync(join(data, 'admin-token'));
    const again = await serve(data);
    try {
      const status = await runPurvey(['status', '--url', again.url, '--data', data]);
      assert.equal(status.code, 0, status.err);
    } finally {
      await again.stop();
    }
  });

  it('shows its password and addresses in words without --json', async () => {
    const fresh = join(folder.path, 'words');
    const help = await runPurvey(['serve', '--help']);
    assert.match(help.out, /PURVEY_PORT .*Default: 9080/);
    assert.match(help.out, /admin-token/);
    const env = { PURVEY_DATA: fresh, PURVEY_PORT: 'x' };
    assert.match((await runPurvey(['serve'], { env })).err, /PURVEY_PORT is x/);
  });

  it('shares a PostgreSQL database with others that have its key', async () => {
    const { location, remove, store } = await openTestStore('postgres', { schema: 'empty' });
    await store.close();
    assert.ok('url' in location);
    const shared = { DATABASE_URL: location.url, PURVEY_KEY: randomBytes(32).toString('base64') };
    const [one, two] = [join(folder.path, 'node-one'), join(folder.path, 'node-two')];
    const first = await serve(one, shared);
    const second = await serve(two, shared);
    try {
      assert.ok(first.firstPassword);
      assert.equal(second.firstPassword, undefined);
      assert.equal(existsSync(join(two, 'admin-token')), false);
      const env = { PURVEY_TOKEN: readFileSync(join(one, 'admin-token'), 'utf8').trim(), PURVEY_URL: second.url };
      const status = JSON.parse((await runPurvey(['status', '--json'], { env })).out);
      assert.equal(status.database.kind, 'postgres');
      assert.ok(!JSON.stringify(status.database).includes(new URL(location.url).password || '\u0000'));
      const other = { ...shared, PURVEY_PORT: '0', PURVEY_KEY: randomBytes(32).toString('base64') };
      const refused = await runPurvey(['serve', '--data', join(folder.path, 'node-three')], { env: other });
      assert.equal(refused.code, 1);
      assert.match(refused.err, /not the key/);
    } finally {
      await first.stop();
      await second.stop();
      await remove();
    }
  });

  it('starts by an older Node through the one in the packages', async (t) => {
    const old = findOlderNode();
    if (!old) return t.skip('no Node older than 24 is on the path');
    const served = await serve(join(folder.path, 'old'), {}, old);
    assert.equal((await fetch(`${served.url}/healthz`)).status, 200);
    assert.equal(await served.stop('SIGTERM'), 0);
    const usage = await runPurvey(['nonsense'], { node: old });
    assert.equal(usage.code, 2, usage.err);
  });

  it('migrates apart, and says what it did', async () => {
    const apart = join(folder.path, 'apart');
    const first = await runPurvey(['migrate', '--data', apart, '--json']);
    assert.equal(first.code, 0, first.err);
    assert.ok(JSON.parse(first.out).steps.length > 0);
    const second = await runPurvey(['migrate', '--data', apart]);
    assert.equal(second.out, 'the schema is up to date\n');
  });
});

function findOlderNode(): string | undefined {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    if (place.startsWith(root) || place.includes('node_modules')) continue;
    const binary = join(place, 'node');
    try {
      const version = execFileSync(binary, ['--version'], { encoding: 'utf8' });
      if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return binary;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
