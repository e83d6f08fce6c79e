import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { goTo, openReader, openServer, type Reader, type Server, signInFirst, undescribed, until } from './place.ts';

// From an empty server to the first person at a target, by the pages alone; then an application of its own.
describe('an administrator configures outbound provisioning', () => {
  let acme: Server;
  let partner: Server;
  let reader: Reader;
  let page: Page;
  /** What Acme signs in with at Partner. */
  let account: { name: string; password: string };
  before(async () => {
    [acme, partner, reader] = await Promise.all([openServer(), openServer(), openReader()]);
    account = await partner.call('POST', '/operators', { name: 'acme', role: 'service' });
    page = await reader.open();
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), partner?.stop()]);
  });

  const arrived = (name: string) =>
    until(`${name} is at the partner`, async () => {
      const filter = encodeURIComponent(`userName eq "${name}"`);
      return (await partner.call('GET', `/users?filter=${filter}`)).total === 1;
    });

  it('signs in where they always did, and is led through the first steps', async () => {
    const carbon = await page.goto(`${acme.url}/carbon`);
    assert.equal(new URL(carbon!.url()).pathname, '/console/');
    await signInFirst(page, acme);
    const guide = page.getByRole('region', { name: 'First steps' });
    await guide.getByRole('link', { name: 'Add it' }).waitFor();
    await goTo(page, 'Service Providers', 'Resident');
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    assert.ok(
      await configuration.getByLabel('Identity provider', { exact: true }).isDisabled(),
      'there is none to choose yet',
    );
    await configuration.getByRole('link', { name: 'Add an identity provider' }).click();
    await page.getByRole('heading', { name: 'Add identity provider' }).waitFor();
  });

  it('adds an identity provider with a SCIM 2.0 connector, tests it, and registers', async () => {
    await goTo(page, 'Home');
    await goTo(page, 'Identity Providers', 'Add');
    await page.getByRole('heading', { name: 'Add identity provider' }).waitFor();
    const basic = page.getByRole('region', { name: 'Basic Information' });
    await basic.getByLabel('Identity Provider Name').fill('partner');
    await basic.getByLabel('Display Name').fill('Partner');
    await basic.getByLabel('Home Realm Identifier').fill('partner');
    await basic.getByLabel('Alias').fill(`${partner.url}/oauth2/token`);
    await page.getByRole('heading', { name: 'Outbound Provisioning Connectors' }).waitFor();
    await page.getByText('SCIM 2.0 Provisioning Configuration').click();
    const form = page.locator('details', { hasText: 'SCIM 2.0 Provisioning Configuration' });
    await form.getByLabel('Enable Connector').check();
    await form.getByLabel('Username').fill(account.name);
    await form.getByRole('textbox', { name: 'Password', exact: true }).fill('not the password');
    await form.getByLabel('User Endpoint').fill(`${partner.url}/scim2/Users`);
    await form.getByLabel('Group Endpoint').fill(`${partner.url}/scim2/Groups`);
    await form.getByRole('button', { name: 'Test connection' }).click();
    await form.getByRole('list', { name: 'The connection does not work' }).waitFor();
    await form.getByRole('textbox', { name: 'Password', exact: true }).fill(account.password);
    await form.getByRole('button', { name: 'Test connection' }).click();
    const steps = form.getByRole('list', { name: 'The connection works' });
    await steps.waitFor();
    assert.match((await steps.textContent())!, /signed in, works/);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: 'Partner', exact: true }).waitFor();
    await page
      .getByText(/Set .+, and never shown/)
      .first()
      .waitFor();
    const shown = await page.content();
    assert.ok(!shown.includes(account.password), 'a secret came back to the browser');
  });

  it('binds the resident service provider to it: SCIM2, not blocking, without rules', async () => {
    await goTo(page, 'Service Providers', 'Resident');
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByLabel('Identity provider', { exact: true }).selectOption('partner');
    await configuration.getByRole('button', { name: 'Add this identity provider' }).click();
    const row = configuration.getByRole('group', { name: 'partner, SCIM2' });
    const options = row.getByLabel('Connector of partner').locator('option');
    assert.deepEqual(await options.allTextContents(), ['SCIM2']);
    assert.equal(await row.getByLabel('Blocking').isChecked(), false);
    assert.equal(await row.getByLabel('Enable Rules').isChecked(), false);
    assert.equal(await row.getByLabel('Enable JIT').count(), 0, 'the resident has none');
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
    const { bindings } = await acme.call('GET', '/service-providers/resident');
    assert.deepEqual(
      bindings.map(({ target, blocking, rules, jit }: Record<string, unknown>) => [target, blocking, rules, jit]),
      [['partner:SCIM2', false, false, false]],
    );
  });

  it('adds a SCIM 1.1 connector too, and then chooses between scim and SCIM2', async () => {
    await page.goto(`${acme.url}/console/identity-providers/partner`);
    await page.getByText('SCIM 1.1 Provisioning Configuration').click();
    const form = page.locator('details', { hasText: 'SCIM 1.1 Provisioning Configuration' });
    await form.getByLabel('Enable Connector').check();
    await form.getByRole('textbox', { name: 'Username' }).fill(account.name);
    await form.getByRole('textbox', { name: 'Password', exact: true }).fill(account.password);
    await form.getByLabel('User Endpoint').fill(`${partner.url}/wso2/scim/Users`);
    await form.getByRole('button', { name: 'Test connection' }).click();
    await form.getByRole('list', { name: 'The connection works' }).waitFor();
    await form.getByRole('button', { name: 'Register' }).click();
    await page.getByText('partner:scim is saved.').waitFor();
    await goTo(page, 'Service Providers', 'Resident');
    const row = page.getByRole('group', { name: 'partner, SCIM2' });
    await row.waitFor();
    const options = row.getByLabel('Connector of partner').locator('option');
    assert.deepEqual((await options.allTextContents()).toSorted(), ['SCIM2', 'scim']);
  });

  it('adds a person, who arrives at the other server, and sees it', async () => {
    await goTo(page, 'Users');
    await page.getByRole('button', { name: 'Add user' }).first().click();
    await page.getByRole('heading', { name: 'Add user' }).waitFor();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('First name').fill('Ada');
    await page.getByLabel('Last name').fill('Lovelace');
    await page.getByLabel('Email').fill('ada@acme.example');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('ada is added.').waitFor();
    await arrived('ada');
    const accounts = page.getByRole('region', { name: 'Accounts' }).first();
    await accounts.getByText('done', { exact: true }).waitFor();
    await accounts.getByRole('link', { name: 'The walk to partner:SCIM2' }).click();
    const walk = page.getByRole('region', { name: 'The walk' });
    await walk.getByText(/Let in by resident/).waitFor();
    await walk.getByText('The target answered 201').click();
    await walk.getByRole('region', { name: 'Request' }).getByText('"ada@acme.example"').waitFor();
    await goTo(page, 'Home');
    await page.getByRole('article', { name: 'partner:SCIM2' }).waitFor();
    // The guide has done its work.
    await page.getByRole('region', { name: 'First steps' }).waitFor({ state: 'detached' });
  });

  it('changes and removes the person, and both arrive', async () => {
    await goTo(page, 'Users');
    await page.getByLabel(/Search by the beginning/).fill('ada');
    await page.waitForURL(/q=ada/);
    await page.getByRole('link', { name: 'ada', exact: true }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Title').fill('Countess');
    await page.getByRole('button', { name: 'Update' }).click();
    await page.getByText('ada is updated.').waitFor();
    await until('the title arrived', async () => {
      return (await partner.call('GET', '/users/ada')).attributes.title === 'Countess';
    });
    await page.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove ada?' });
    await dialog.getByText('partner:SCIM2').waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('ada is removed.').waitFor();
    await until('ada is gone there', async () => (await partner.call('GET', '/users')).total === 0);
  });

  it('adds an application as a service provider, whose own token provisions', async () => {
    await goTo(page, 'Service Providers', 'Add');
    await page.getByLabel('Service Provider Name').fill('travel');
    await page.getByLabel('Description').fill('Books trips');
    await page.getByRole('button', { name: 'Register' }).click();
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByRole('button', { name: 'Add this identity provider' }).click();
    const row = configuration.getByRole('group', { name: 'partner, SCIM2' });
    for (const name of ['Blocking', 'Enable Rules', 'Enable JIT']) {
      assert.equal(await row.getByLabel(name).isChecked(), false, name);
    }
    await row.getByLabel('Blocking').check();
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
    await page.getByRole('button', { name: 'Make a token' }).click();
    await page.getByRole('dialog').getByLabel('What it is for').fill('the booking server');
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const token = (await page.getByTestId('token').textContent())!;
    const answer = await fetch(`${acme.url}/scim2/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'grace' }),
    });
    assert.equal(answer.status, 201);
    assert.match(answer.headers.get('purvey-delivery')!, /"partner:SCIM2";outcome=done/);
    await arrived('grace');
    await page.reload();
    assert.equal(await page.getByText(token).count(), 0, 'the token is shown once');
  });

  it('gives the application an OAuth client, with which it gets tokens and provisions', async () => {
    const part = page.getByRole('region', { name: 'OAuth client' });
    await part.getByRole('button', { name: 'Make an OAuth client' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    const secret = (await page.getByTestId('client-secret').textContent())!;
    const { clientId, tokenEndpoint } = await acme.call('GET', '/service-providers/travel/oauth-client');
    await part.getByText(clientId, { exact: true }).waitFor();
    const given = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'scim.write' }),
    });
    const { access_token: token } = (await given.json()) as { access_token: string };
    const answer = await fetch(`${acme.url}/scim2/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'hopper' }),
    });
    assert.equal(answer.status, 201);
    await arrived('hopper');
    await page.reload();
    await part.getByText(clientId, { exact: true }).waitFor();
    assert.equal(await page.getByText(secret).count(), 0, 'the secret is shown once');
    await part.getByRole('button', { name: 'Renew the secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Renew the secret' }).click();
    await page.getByTestId('client-secret').waitFor();
    await part.getByText('The secret before').waitFor();
  });

  it('lets an application go by the resident bindings, and sends who came before', async () => {
    await acme.call('POST', '/service-providers', { name: 'archive', fallback: 'none' });
    const label = 'the archive';
    const { token } = await acme.call('POST', '/tokens', { label, scopes: ['scim'], serviceProvider: 'archive' });
    const answer = await fetch(`${acme.url}/scim2/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'curie' }),
    });
    assert.equal(answer.status, 201);
    const { id } = (await acme.call('GET', '/service-providers/archive')) as { id: number };
    await page.goto(`${acme.url}/console/service-providers/${id}`);
    const inbound = page.getByRole('region', { name: 'Inbound Provisioning' });
    await inbound.getByLabel('Without Bindings of Its Own').selectOption('resident');
    await inbound.getByRole('button', { name: 'Update' }).click();
    await inbound.getByText('1 user of this directory is not at partner:SCIM2.', { exact: false }).first().waitFor();
    await inbound.getByRole('button', { name: 'Send 1 user' }).first().click();
    await arrived('curie');
    await page.getByText('They are being sent to partner:SCIM2.').waitFor();
  });

  it('nothing failed in the page, and it called nothing that is not described', () => {
    assert.deepEqual(reader.faults, []);
    assert.ok(reader.calls.size > 10);
    assert.deepEqual(undescribed(reader.calls), []);
  });
});
