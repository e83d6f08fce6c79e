import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type App, startApp } from '../../examples/app/server.ts';
import { faultsOf } from './axe.ts';
import { openReader, openServer, type Reader, type Server, signInFirst } from './place.ts';

const password = 'eine andere Losung';

describe('somebody signs in to the sample application', () => {
  let server: Server;
  let reader: Reader;
  let app: App;
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    await server.call('POST', '/users', {
      userName: 'ada',
      displayName: 'Ada Lovelace',
      password,
      emails: [{ value: 'ada@acme.example', primary: true }],
    });
  });
  after(async () => {
    await app?.stop();
    await reader?.close();
    await server?.stop();
  });

  it('which an administrator registers in the console', async () => {
    const page = await reader.open();
    await signInFirst(page, server, '/service-providers/add');
    await page.getByLabel('Service Provider Name').fill('travel');
    await page.getByRole('button', { name: 'Register' }).click();
    const part = page.getByRole('region', { name: 'OAuth client' });
    await part.getByRole('button', { name: 'Make an OAuth client' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('It calls by itself').uncheck();
    await dialog.getByLabel('People sign in to it here').check();
    const port = await findFreePort();
    await dialog.getByLabel('Where they are sent back to').fill(`http://127.0.0.1:${port}/back`);
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const clientSecret = (await page.getByTestId('client-secret').textContent())!;
    const { clientId, issuer, scopes } = await server.call('GET', '/service-providers/travel/oauth-client');
    assert.deepEqual(scopes, ['openid', 'profile', 'email']);
    app = await startApp({ issuer, clientId, clientSecret, port });
  });

  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 390],
  ] as const) {
    it(`on pages without a fault for anybody, in ${scheme}, ${width} wide`, async () => {
      const page = await reader.open({ scheme, width });
      await page.goto(`${app.url}/sign-in?scope=openid%20profile%20email`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.deepEqual(await faultsOf(page), []);
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('Password').fill('not the password');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
      assert.equal(await page.getByLabel('Username').inputValue(), 'ada');
      assert.deepEqual(await faultsOf(page), []);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      if (scheme === 'light') {
        await page.getByRole('heading', { name: 'travel asks to know' }).waitFor();
        assert.deepEqual(await faultsOf(page), []);
        await page.getByRole('button', { name: 'Allow' }).click();
      } else {
        await page.getByRole('heading', { name: 'travel asks to know' }).waitFor();
        const over = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
        assert.ok(over <= 0, `the page is ${over} wider than the window`);
        await page.getByRole('button', { name: 'Allow' }).click();
      }
      await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor();
      assert.match((await page.locator('#known').textContent())!, /"email": "ada@acme\.example"/);
    });
  }

  it('or says no, and is sent back all the same', async () => {
    const page = await reader.open();
    await page.goto(`${app.url}/sign-in`.replace('sign-in', 'sign-in?scope=openid'));
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    assert.equal(await page.locator('#trouble').textContent(), 'access_denied');
    assert.deepEqual(reader.faults, []);
  });
});

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
