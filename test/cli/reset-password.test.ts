import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTestStore } from '../database.ts';
import { makeFolder, runPurvey, serve } from './processes.ts';

const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
});
const ask = async (url: string, password: string) => {
  const response = await fetch(`${url}/api/status`, { headers: basic(password) });
  return { status: response.status, code: ((await response.json()) as { code?: string }).code };
};
const change = async (url: string, password: string, newPassword: string) => {
  const headers = { ...basic(password), 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/password`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ newPassword }),
  });
  assert.equal(response.status, 204, await response.text());
};

describe('purvey admin reset-password', () => {
  const folder = makeFolder();
  after(folder.remove);

  it('gives a password that must be changed, on SQLite while the server is stopped', async () => {
    const data = join(folder.path, 'data');
    const first = await serve(data);
    const tried = await runPurvey(['admin', 'reset-password', '--data', data]);
    try {
      await change(first.url, first.firstPassword!, 'a password I forget');
    } finally {
      await first.stop();
    }
    assert.equal(tried.code, 1);
    assert.match(tried.err, /in use by another Purvey \(process \d+\): stop that one first/);
    assert.equal(tried.err.trim().split('\n').length, 1, tried.err);

    const reset = await runPurvey(['admin', 'reset-password', 'ADMIN', '--json'], { env: { PURVEY_DATA: data } });
    assert.equal(reset.code, 0, reset.err);
    const { name, password } = JSON.parse(reset.out);
    assert.equal(name, 'admin');
    assert.ok(password.length >= 16);
    const second = await serve(data);
    try {
      assert.equal((await ask(second.url, 'a password I forget')).status, 401);
      assert.deepEqual(await ask(second.url, password), { status: 403, code: 'passwordChangeRequired' });
      await change(second.url, password, 'a password of mine');
      assert.equal((await ask(second.url, 'a password of mine')).status, 200);
      assert.ok(!second.printed().includes(password));
    } finally {
      await second.stop();
    }
    const words = await runPurvey(['admin', 'reset-password', '--data', data]);
    assert.match(words.out, /^ {4}[\w-]{20}$/m);
    assert.ok(!words.out.includes(password));
  });

  it('says who there is, and makes no database where there is none', async () => {
    const data = join(folder.path, 'data');
    const unknown = await runPurvey(['admin', 'reset-password', 'nobody', '--data', data]);
    assert.equal(unknown.code, 1);
    assert.equal(unknown.err, 'purvey: there is no operator nobody; administrators are admin\n');
    const nowhere = join(folder.path, 'nowhere');
    const missing = await runPurvey(['admin', 'reset-password', '--data', nowhere]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /^purvey: there is no database .*nowhere\/purvey\.db: .*--data\n$/);
    assert.equal(existsSync(nowhere), false);
  });

  it('works on PostgreSQL while servers run, which know it within five seconds', async () => {
    const { location, remove, store } = await openTestStore('postgres', { schema: 'empty' });
    await store.close();
    assert.ok('url' in location);
    const shared = { DATABASE_URL: location.url, PURVEY_KEY: randomBytes(32).toString('base64') };
    const served = await serve(join(folder.path, 'node'), shared);
    try {
      await change(served.url, served.firstPassword!, 'a password I forget');
      assert.equal((await ask(served.url, 'a password I forget')).status, 200);
      const env = { DATABASE_URL: location.url, PURVEY_DATA: join(folder.path, 'operator') };
      const reset = await runPurvey(['admin', 'reset-password', '--json'], { env });
      assert.equal(reset.code, 0, reset.err);
      assert.ok(!(reset.out + reset.err).includes(location.url));
      const at = performance.now();
      let old = await ask(served.url, 'a password I forget');
      while (old.status === 200 && performance.now() - at < 5_000) {
        await sleep(100);
        old = await ask(served.url, 'a password I forget');
      }
      assert.equal(old.status, 401);
      const { password } = JSON.parse(reset.out);
      assert.deepEqual(await ask(served.url, password), { status: 403, code: 'passwordChangeRequired' });
    } finally {
      await served.stop();
      await remove();
    }
  });
});
