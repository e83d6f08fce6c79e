import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { goTo, openReader, openServer, type Reader, type Server, signInFirst } from './place.ts';

/** A script types at once; somebody who reads along and types may take so many times as long. */
const shareOfThreeMinutes = 180_000 / 6;

// Only what the guide on Home points at: nobody has to know where anything is.
describe('somebody new follows the first steps', () => {
  let acme: Server;
  let partner: Server;
  let reader: Reader;
  let page: Page;
  let account: { name: string; password: string };
  let began = 0;
  before(async () => {
    [acme, partner, reader] = await Promise.all([openServer(), openServer(), openReader()]);
    account = await partner.call('POST', '/operators', { name: 'acme', role: 'service' });
    page = await reader.open();
    await signInFirst(page, acme);
    began = Date.now();
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), partner?.stop()]);
  });

  const guide = () => page.getByRole('region', { name: 'First steps' });
  /** Goes where the guide leads; `word` is the only step it offers. */
  const follow = async (word: string) => {
    await goTo(page, 'Home');
    const links = guide().getByRole('link');
    await guide().getByRole('link', { name: word }).waitFor();
    assert.deepEqual(await links.allTextContents(), [word]);
    await links.click();
  };

  it('adds an identity provider, and tests the connection before it is saved', async () => {
    await follow('Add it');
    await page.getByRole('heading', { name: 'Add identity provider' }).waitFor();
    await page.getByLabel('Identity Provider Name').fill('partner');
    await page.getByText('SCIM 2.0 Provisioning Configuration').click();
    const form = page.locator('details', { hasText: 'SCIM 2.0 Provisioning Configuration' });
    await form.getByLabel('Enable Connector').check();
    await form.getByLabel('Username').fill(account.name);
    await form.getByRole('textbox', { name: 'Password', exact: true }).fill(account.password);
    await form.getByLabel('User Endpoint').fill(`${partner.url}/scim2/Users`);
    await form.getByRole('button', { name: 'Test connection' }).click();
    await form.getByRole('list', { name: 'The connection works' }).waitFor();
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: 'partner', exact: true }).waitFor();
  });

  it('binds it', async () => {
    await follow('Bind the resident');
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByLabel('Identity provider', { exact: true }).selectOption('partner');
    await configuration.getByRole('button', { name: 'Add this identity provider' }).click();
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
  });

  it('adds a person, sees them arrive, and the guide is gone', async () => {
    await follow('Add somebody');
    await page.getByRole('heading', { name: 'Add user' }).waitFor();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Display name').fill('Ada Lovelace');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const accounts = page.getByRole('region', { name: 'Accounts' });
    await accounts.getByRole('row', { name: /partner:SCIM2.*done/ }).waitFor();
    const took = Date.now() - began;
    assert.equal((await partner.call('GET', '/users?filter=userName%20eq%20%22ada%22')).total, 1);
    await goTo(page, 'Home');
    await page.getByRole('article', { name: 'partner:SCIM2' }).waitFor();
    await guide().waitFor({ state: 'detached' });
    assert.ok(took < shareOfThreeMinutes, `it took ${took} ms`);
    assert.deepEqual(reader.faults, []);
  });
});
