import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { goTo, openReader, openServer, type Reader, type Server, signInFirst, undescribed } from './place.ts';

describe('an administrator registers an identity provider with its sign-in and its connector at once', () => {
  let server: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  before(async () => {
    [server, reader, fake] = await Promise.all([
      openServer(),
      openReader(),
      startFakeScim2({ auth: { mode: 'bearer', token: 'a-token-of-the-target' } }),
    ]);
    page = await reader.open();
    await signInFirst(page, server);
  });
  after(async () => {
    await reader?.close();
    await Promise.all([server?.stop(), fake?.close()]);
  });

  const section = (title: string) =>
    page.locator('details', { has: page.locator('summary', { hasText: title }) }).first();
  const open = async (title: string) => {
    await section(title).locator('> summary').click();
    return section(title);
  };
  const registered = async () => (await server.call('GET', '/identity-providers')).items.length;
  const register = () => page.getByRole('button', { name: 'Register' }).click();

  it('fills in all sections of one form; the address to register there is shown before', async () => {
    await goTo(page, 'Identity Providers', 'Add');
    await page.getByLabel('Identity Provider Name').fill('partner one');
    const roles = await open('Role Configuration');
    await roles.getByLabel('Role Claim URI').fill('groups');
    await roles.getByRole('button', { name: 'Add Role Mapping' }).click();
    await roles.getByLabel('Identity Provider Role, row 1').fill('staff');
    await roles.getByLabel('Local Group, row 1').fill('Training');
    const oidc = await open('OpenID Connect Configuration');
    await oidc.getByText(`${server.url}/login/partner%20one/callback`).waitFor();
    await oidc.getByLabel('Enable OpenID Connect').check({ force: true });
    await oidc.getByLabel('Issuer').fill('https://login.partner.example');
    await oidc.getByRole('textbox', { name: 'Client Secret' }).fill('a secret of the client');
    const jit = await open('Just-in-Time Provisioning');
    await jit.getByLabel('Users who sign in for the first time').selectOption('PRIMARY');
    const connector = await open('SCIM 2.0 Provisioning Configuration');
    await connector.getByLabel('Enable Connector').check();
    await connector.getByLabel('Authentication Mode').selectOption('bearer');
    await connector.getByRole('textbox', { name: 'Access Token' }).fill('a-token-of-the-target');
  });

  it('is refused for what is missing, each time at its field, and nothing is left or lost', async () => {
    const refused = page.getByText('Nothing is registered yet: one field is refused, and marked.');
    await register();
    await refused.waitFor();
    await page.getByText('Client Id is required').waitFor();
    const clientId = section('OpenID Connect Configuration').getByLabel('Client Id');
    assert.equal(await clientId.getAttribute('aria-invalid'), 'true');
    assert.equal(await registered(), 0, 'the provider without its sign-in is taken back');
    await clientId.fill('purvey');
    await register();
    const endpoint = section('SCIM 2.0 Provisioning Configuration').getByLabel('User Endpoint');
    await section('SCIM 2.0 Provisioning Configuration').locator('[aria-invalid="true"]').first().waitFor();
    assert.equal(await endpoint.getAttribute('aria-invalid'), 'true');
    await refused.waitFor();
    assert.equal(await registered(), 0, 'the provider without its connector is taken back');
    await endpoint.fill(fake.usersEndpoint);
  });

  it('is asked one way only', async () => {
    const saml = await open('SAML2 Web SSO Configuration');
    await saml.getByText(`${server.url}/login/saml/partner%20one/metadata`).waitFor();
    await saml.getByLabel('SSO URL').fill('https://login.partner.example/sso');
    await register();
    await page.getByText(/OpenID Connect and SAML2 Web SSO are both filled in/).waitFor();
    assert.equal(await registered(), 0);
    await saml.getByLabel('SSO URL').fill('');
  });

  it('is registered by one press, with everything', async () => {
    await register();
    await page.getByRole('heading', { name: 'partner one', level: 1 }).waitFor();
    const federation = await server.call('GET', '/identity-providers/partner%20one/federation');
    const { authenticator, roleClaim, roles, jit, redirectUri, metadataUrl } = federation;
    assert.deepEqual(
      [authenticator.type, authenticator.enabled, authenticator.issuer, authenticator.clientId],
      ['oidc', true, 'https://login.partner.example', 'purvey'],
    );
    assert.equal(authenticator.clientSecret.set, true);
    assert.deepEqual([roleClaim, roles], ['groups', [{ remote: 'staff', local: 'Training' }]]);
    assert.deepEqual([jit.enabled, jit.domain], [true, 'PRIMARY']);
    assert.deepEqual(
      [redirectUri, metadataUrl],
      [`${server.url}/login/partner%20one/callback`, `${server.url}/login/saml/partner%20one/metadata`],
      'as it was shown before',
    );
    const [target] = (await server.call('GET', '/targets')).items;
    assert.deepEqual([target.name, target.enabled], ['partner one:SCIM2', true]);
    assert.ok(!(await page.content()).includes('a secret of the client'), 'a secret came back to the browser');
    assert.deepEqual(reader.faults, []);
    assert.deepEqual(undescribed(reader.calls), []);
  });
});
