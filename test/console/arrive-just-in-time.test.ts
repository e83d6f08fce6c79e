import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type App, startApp } from '../../examples/app/server.ts';
import { findFreePort } from './free-port.ts';
import { goTo, openReader, openServer, type Reader, type Server, signInFirst, until } from './place.ts';

const password = 'eine gute Losung';

// Partner is where people have their accounts, Acme has the application, Training is where it sends them on.
describe('people of a partner sign in to an application and arrive where it sends them', () => {
  let acme: Server;
  let partner: Server;
  let training: Server;
  let reader: Reader;
  let page: Page;
  let app: App;
  let appCredentials: { clientId: string; clientSecret: string; tokenEndpoint: string };
  before(async () => {
    [acme, partner, training, reader] = await Promise.all([openServer(), openServer(), openServer(), openReader()]);
    for (const [userName, displayName] of [
      ['grace', 'Grace Hopper'],
      ['heidi', 'Heidi Klein'],
    ]) {
      await partner.call('POST', '/users', { userName, displayName, password });
    }
    await partner.call('POST', '/service-providers', { name: 'acme' });
    const upstream = await partner.call('POST', '/service-providers/acme/oauth-client', {
      grants: ['authorization_code'],
      redirectUris: [`${acme.url}/login/partner/callback`],
      scopes: ['openid', 'profile', 'email'],
      consent: 'none',
    });
    await acme.call('POST', '/identity-providers', { name: 'partner', displayName: 'Partner' });
    const { issuer, clientId, clientSecret } = upstream;
    await acme.call('PUT', '/identity-providers/partner/federation', {
      authenticator: { type: 'oidc', issuer, clientId, clientSecret },
      jit: { enabled: true },
    });
    const { token } = await training.call('POST', '/tokens', { label: 'acme', scopes: ['scim'] });
    await acme.call('POST', '/identity-providers', { name: 'training' });
    await acme.call('POST', '/identity-providers/training/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': token,
        'scim2-user-ep': `${training.url}/scim2/Users`,
      },
    });
    await acme.call('POST', '/service-providers', { name: 'travel' });
    const port = await findFreePort();
    appCredentials = await acme.call('POST', '/service-providers/travel/oauth-client', {
      grants: ['authorization_code', 'client_credentials'],
      redirectUris: [`http://127.0.0.1:${port}/back`],
      scopes: ['openid', 'profile', 'email', 'groups', 'scim.write'],
      consent: 'none',
    });
    app = await startApp({ issuer: `${acme.url}/oauth2`, ...appCredentials, port });
    page = await reader.open();
    await signInFirst(page, acme, '/service-providers/travel');
  });
  after(async () => {
    await app?.stop();
    await reader?.close();
    await Promise.all([acme?.stop(), partner?.stop(), training?.stop()]);
  });

  const signIn = async (name: string, shown: string) => {
    const window = await reader.open();
    await window.goto(`${app.url}/sign-in`);
    await window.getByRole('link', { name: 'Sign in with Partner' }).click();
    await window.waitForURL((url) => url.origin === partner.url);
    await window.getByLabel('Username').fill(name);
    await window.getByLabel('Password').fill(password);
    await window.getByRole('button', { name: 'Sign in' }).click();
    await window.getByRole('heading', { name: `Welcome, ${shown}` }).waitFor();
  };
  const atTraining = async (name: string): Promise<number> => {
    return (await training.call('GET', `/users?filter=${encodeURIComponent(`userName eq "${name}"`)}`)).total;
  };
  const settled = () =>
    until('nothing is left to do', async () => {
      const { unplannedChanges, targets } = await acme.call('GET', '/status');
      return unplannedChanges === 0 && targets[0].pending === 0;
    });

  it('an administrator binds the application with Enable JIT', async () => {
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByLabel('Identity provider', { exact: true }).selectOption('training');
    await configuration.getByRole('button', { name: 'Add this identity provider' }).click();
    const row = configuration.getByRole('group', { name: 'training, SCIM2' });
    await row.getByLabel('Enable JIT').check();
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
  });

  it('somebody new signs in through the partner, is made here, and arrives at the target', async () => {
    await signIn('grace', 'Grace Hopper');
    await until('grace arrived', async () => (await atTraining('grace')) === 1);
    await goTo(page, 'Users');
    await page.getByRole('link', { name: 'grace', exact: true }).click();
    const accounts = page.getByRole('region', { name: 'Accounts' });
    await accounts.getByRole('row', { name: /training:SCIM2.*done/ }).waitFor();
    const changes = page.getByRole('region', { name: 'Changes' });
    await changes.getByRole('row', { name: /sign-in through partner.*a sign-in/ }).waitFor();
    await accounts.getByRole('link', { name: /^why/ }).click();
    await page
      .getByRole('region', { name: 'The walk' })
      .getByText(/travel/)
      .first()
      .waitFor();
  });

  it('without Enable JIT somebody new is made here, and is not sent on', async () => {
    await page.goto(`${acme.url}/console/service-providers/travel`);
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByRole('group', { name: 'training, SCIM2' }).getByLabel('Enable JIT').uncheck();
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
    await signIn('heidi', 'Heidi Klein');
    assert.equal((await acme.call('GET', '/users/heidi')).attributes.displayName, 'Heidi Klein');
    await settled();
    assert.equal(await atTraining('heidi'), 0);
  });

  it('what the application does with its own credentials goes by its binding all the same', async () => {
    const { clientId, clientSecret, tokenEndpoint } = appCredentials;
    const given = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'scim.write' }),
    });
    const { access_token: token } = (await given.json()) as { access_token: string };
    const made = await fetch(`${acme.url}/scim2/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ivan' }),
    });
    assert.equal(made.status, 201);
    await until('ivan arrived', async () => (await atTraining('ivan')) === 1);
    assert.equal(await atTraining('heidi'), 0);
    assert.deepEqual(reader.faults, []);
  });
});
