import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type App, startApp } from '../../examples/app/server.ts';
import { peers } from '../doors/saml-certificates.ts';
import { openSamlPeer } from '../doors/saml-peer.ts';
import { faultsOf } from './axe.ts';
import { findFreePort } from './free-port.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn, signInFirst } from './place.ts';

const password = 'eine andere Losung';

describe('somebody signs in to the sample application', () => {
  let server: Server;
  let reader: Reader;
  let app: App;
  let other: Server;
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
    await other?.stop();
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
    await dialog.getByLabel('And after signing out').fill('nonsense');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await dialog.getByText('may hold whole addresses').waitFor();
    await dialog.getByLabel('And after signing out').fill(`http://127.0.0.1:${port}/signed-out`);
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const clientSecret = (await page.getByTestId('client-secret').textContent())!;
    await part.getByText(`http://127.0.0.1:${port}/signed-out`).waitFor();
    const { clientId, issuer, scopes } = await server.call('GET', '/service-providers/travel/oauth-client');
    assert.deepEqual(scopes, ['openid', 'profile', 'email']);
    app = await startApp({ issuer, clientId, clientSecret, port });

    // What is registered can be changed, and only that.
    const before = await server.call('GET', '/service-providers/travel/oauth-client');
    await part.getByRole('button', { name: 'Change the client' }).click();
    const ends = dialog.getByLabel('And after signing out');
    assert.equal(await ends.inputValue(), `http://127.0.0.1:${port}/signed-out`);
    await ends.fill(`${await ends.inputValue()}\nhttps://travel.example/bye`);
    assert.deepEqual(await faultsOf(page), []);
    await dialog.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The OAuth client of travel is updated.').waitFor();
    await part.getByText('https://travel.example/bye').waitFor();
    const { modifiedAt: _, ...later } = await server.call('GET', '/service-providers/travel/oauth-client');
    const { modifiedAt: __, ...was } = before;
    const addresses = [...was.postLogoutRedirectUris, 'https://travel.example/bye'];
    assert.deepEqual(later, { ...was, postLogoutRedirectUris: addresses });
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

      await page.getByRole('link', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign out of Purvey?' }).waitFor();
      assert.deepEqual(await faultsOf(page), []);
      const wider = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
      assert.ok(wider <= 0, `the page is ${wider} wider than the window`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${app.url}/signed-out`);
      await page.goto(`${server.url}/oauth2/logout`);
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
      assert.deepEqual(await faultsOf(page), []);
      await page.goto(`${app.url}/sign-in?scope=openid`);
      await page.getByLabel('Username').waitFor();
    });
  }

  it('or signs in through another identity provider, which an administrator sets up in the console', async () => {
    other = await openServer();
    await other.call('POST', '/service-providers', { name: 'acme' });
    const { clientId, clientSecret, issuer } = await other.call('POST', '/service-providers/acme/oauth-client', {
      grants: ['authorization_code'],
      redirectUris: [`${server.url}/login/partner/callback`],
      scopes: ['openid', 'profile', 'email', 'groups'],
    });
    const { id } = await other.call('POST', '/users', {
      userName: 'grace',
      displayName: 'Grace Hopper',
      password,
      emails: [{ value: 'grace@partner.example', primary: true }],
    });
    await other.call('POST', '/groups', { displayName: 'staff', members: [{ value: id }] });
    await server.call('POST', '/groups', { displayName: 'Partner staff' });
    await server.call('POST', '/identity-providers', { name: 'partner', displayName: 'Partner' });

    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword, '/identity-providers/partner');
    const open = async (title: string) => {
      const part = page.locator('details', { has: page.locator('summary', { hasText: title }) });
      await part.locator('summary').click();
      return part;
    };
    const authenticator = await open('OpenID Connect Configuration');
    assert.ok(await authenticator.getByText(`${server.url}/login/partner/callback`).isVisible());
    await authenticator.getByLabel('Enable OpenID Connect').check();
    await authenticator.getByLabel('Issuer').fill('nonsense');
    await authenticator.getByLabel('Client Id').fill(clientId);
    await authenticator.getByRole('textbox', { name: 'Client Secret' }).fill(clientSecret);
    await authenticator.getByLabel('Scopes').fill('openid profile email groups');
    await authenticator.getByRole('button', { name: 'Update' }).click();
    await authenticator.getByText('must be an https address').waitFor();
    await authenticator.getByLabel('Issuer').fill(issuer);
    await authenticator.getByRole('button', { name: 'Update' }).click();
    await page.getByText('OpenID Connect Configuration of partner is updated.').waitFor();
    await authenticator.getByText('It was set').waitFor();
    assert.equal(await authenticator.getByRole('textbox', { name: 'Client Secret' }).inputValue(), '');

    const roles = await open('Role Configuration');
    await roles.getByLabel('Role Claim URI').fill('groups');
    await roles.getByRole('button', { name: 'Add Role Mapping' }).click();
    await roles.getByLabel('Identity Provider Role, row 1').fill('staff');
    await roles.getByLabel('Local Group, row 1').fill('Partner staff');
    await roles.getByRole('button', { name: 'Update' }).click();
    await page.getByText('Role Configuration of partner is updated.').waitFor();

    const claims = await open('Claim Configuration');
    const rows = [
      ['preferred_username', 'userName', ''],
      ['name', 'displayName', ''],
      ['email', 'emails', ''],
      ['job', 'title', 'Guest'],
    ];
    for (const [at, [remote, local, fallback]] of rows.entries()) {
      await claims.getByRole('button', { name: 'Add Claim Mapping' }).click();
      await claims.getByLabel(`Identity Provider Claim URI, row ${at + 1}`).fill(remote!);
      await claims.getByLabel(`Local Claim, row ${at + 1}`).fill(local!);
      await claims.getByLabel(`Default Value, row ${at + 1}`).fill(fallback!);
    }
    await claims.getByRole('button', { name: 'Update' }).click();
    await page.getByText('Claim Configuration of partner is updated.').waitFor();

    const jit = await open('Just-in-Time Provisioning');
    await jit.getByLabel('Users who sign in for the first time').selectOption('PRIMARY');
    await jit.getByLabel('Groups').selectOption('add');
    assert.deepEqual(await faultsOf(page), []);
    await jit.getByRole('button', { name: 'Update' }).click();
    await page.getByText('Just-in-Time Provisioning of partner is updated.').waitFor();
    const { authenticator: saved, ...settings } = await server.call('GET', '/identity-providers/partner/federation');
    assert.deepEqual([saved.enabled, saved.clientSecret.set, settings.jit.groups], [true, true, 'add']);
  });

  it('where somebody who is new is known here from then on', async () => {
    const page = await reader.open();
    await page.goto(`${app.url}/sign-in?scope=openid%20profile%20email`);
    await page.getByRole('link', { name: 'Sign in with Partner' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByRole('link', { name: 'Sign in with Partner' }).click();
    await page.waitForURL(`${other.url}/**`);
    await page.getByLabel('Username').fill('grace');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'acme asks to know' }).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'travel asks to know' }).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Welcome, Grace Hopper' }).waitFor();
    const user = await server.call('GET', '/users/grace');
    assert.match((await page.locator('#known').textContent())!, new RegExp(user.id));
    assert.deepEqual(user.attributes, {
      userName: 'grace',
      displayName: 'Grace Hopper',
      emails: [{ value: 'grace@partner.example', primary: true }],
      title: 'Guest',
    });
    assert.deepEqual(
      user.groups.map((one: { name: string }) => one.name),
      ['Partner staff'],
    );
    const { items } = await server.call('GET', `/changes?subject=${user.id}`);
    assert.deepEqual(
      [items[0].door, items[0].actor, items[0].serviceProvider],
      ['login', 'sign-in through partner', 'travel'],
    );
  });

  it('or types an address there, and is sent there', async () => {
    await server.call('PATCH', '/identity-providers/partner/federation', { domains: ['partner.example'] });
    const page = await reader.open();
    await page.goto(`${app.url}/sign-in?scope=openid`);
    await page.getByLabel('Username').fill('grace@partner.example');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${other.url}/**`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alert').getByText('it was not told who you are').waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByRole('link', { name: 'Sign in another way' }).click();
    await page.getByLabel('Username').waitFor();
    assert.deepEqual(reader.faults, []);
  });

  it('or comes back from one that speaks SAML and is another site', async () => {
    const peer = openSamlPeer();
    const site = await serveSite(async (url) => {
      const { xml, RelayState } = await peer.answer(url.href, { nameId: 'n-1', claims: { uid: 'lise' } });
      return `<form method="post" action="${server.url}/login/clinic/callback">
<input type="hidden" name="SAMLResponse" value="${Buffer.from(xml).toString('base64')}">
<input type="hidden" name="RelayState" value="${RelayState}"><button>Go on</button></form>`;
    });
    try {
      await server.call('POST', '/identity-providers', { name: 'clinic', homeRealmId: 'clinic' });
      const { entityId, certificate } = peer;
      await server.call('PUT', '/identity-providers/clinic/federation', {
        authenticator: { type: 'saml', entityId, certificate, signOnUrl: site.url },
        claims: [{ remote: 'uid', local: 'userName' }],
        jit: { enabled: true },
      });
      const page = await reader.open();
      await page.goto(`${app.url}/sign-in?scope=openid%20profile`);
      await page.getByRole('link', { name: 'Sign in with clinic' }).click();
      await page.waitForURL(`${site.url}**`);
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByRole('heading', { name: 'travel asks to know' }).waitFor();
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.getByRole('heading', { name: 'Welcome, lise' }).waitFor();
    } finally {
      await site.close();
    }
  });

  it('for which an administrator gives Purvey a key of its own, which is never shown', async () => {
    const [, own] = peers;
    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword, '/identity-providers/clinic');
    const part = page.locator('details', { has: page.locator('summary', { hasText: 'SAML2 Web SSO Configuration' }) });
    await part.getByLabel('Enable Authentication Request Signing').check();
    await part.getByRole('button', { name: 'Update' }).click();
    await part.getByText('needs a key of ours').waitFor();
    await part.getByLabel('Certificate of Purvey').fill(own.cert);
    await part.getByLabel('Private Key of Purvey').fill(peers[0].key);
    await part.getByRole('button', { name: 'Update' }).click();
    await part.getByText('is not the key of ownCertificate').waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await part.getByLabel('Private Key of Purvey').fill(own.key);
    await part.getByRole('button', { name: 'Update' }).click();
    await page.getByText('SAML2 Web SSO Configuration of clinic is updated.').waitFor();
    await part.getByText(/It was set .+, and is never shown/).waitFor();
    assert.equal(await part.getByLabel('Private Key of Purvey').inputValue(), '');
    const { authenticator, metadataUrl } = await server.call('GET', '/identity-providers/clinic/federation');
    assert.deepEqual([authenticator.signRequests, authenticator.ownKey.set], [true, true]);
    assert.match(await (await fetch(metadataUrl)).text(), /AuthnRequestsSigned="true"/);
    await part.getByLabel('SSO URL').fill('https://login.clinic.example/sso');
    const answered = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await part.getByRole('button', { name: 'Update' }).click();
    assert.ok((await answered).ok());
    const later = await server.call('GET', '/identity-providers/clinic/federation');
    assert.deepEqual(later.authenticator.ownKey, authenticator.ownKey, 'what is not typed stays');
  });

  it('or says no, and is sent back all the same', async () => {
    const page = await reader.open();
    await page.goto(`${app.url}/sign-in`.replace('sign-in', 'sign-in?scope=openid'));
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    assert.equal(await page.locator('#trouble').textContent(), 'access_denied');
    assert.deepEqual(reader.faults, []);
  });
});

/** A server of another site than ours, which is at 127.0.0.1. */
async function serveSite(write: (url: URL) => Promise<string>): Promise<{ url: string; close(): Promise<void> }> {
  const site = createHttpServer((request, response) => {
    write(new URL(request.url ?? '/', 'http://localhost')).then(
      (body) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Clinic</title>${body}`),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(site.address() as { port: number }).port}/sso`,
    close: () => new Promise((resolve) => site.close(() => resolve())),
  };
}
