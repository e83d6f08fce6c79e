import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf } from './axe.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn, signInFirst } from './place.ts';

describe('an administrator sees who signs in through an identity provider', () => {
  let server: Server;
  let reader: Reader;
  let page: Page;
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    for (const name of ['ada', 'grace']) await server.call('POST', '/users', { userName: name });
    page = await reader.open();
    await signInFirst(page, server, '/users');
  });
  after(async () => {
    await reader?.close();
    await server?.stop();
    assert.deepEqual(reader?.faults, []);
  });
  const card = () => page.getByRole('region', { name: 'Signs in through' }).first();
  const federate = (settings: object = {}) =>
    server.call('PUT', '/identity-providers/partner/federation', {
      authenticator: { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey' },
      ...settings,
    });
  const link = async (subject: string) => {
    await card().getByRole('button', { name: 'Link by hand' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Who they are there').fill(subject);
    await dialog.getByRole('button', { name: 'Link', exact: true }).click();
    return dialog;
  };

  it('and is told what there is to do first', async () => {
    await page.getByRole('link', { name: 'ada', exact: true }).click();
    await card().getByText('Linked to no identity provider').waitFor();
    await card().getByRole('button', { name: 'Link by hand' }).click();
    await page.getByRole('dialog').getByText('No identity provider yet').waitFor();
    await page.keyboard.press('Escape');
    await server.call('POST', '/identity-providers', { name: 'partner', displayName: 'Partner' });
    await page.reload();
    const dialog = await link('u-1');
    await dialog.getByText('nobody signs in through partner: set how people sign in through it first').waitFor();
    await federate();
    await dialog.getByLabel('Who they are there').fill('');
    await dialog.getByRole('button', { name: 'Link', exact: true }).click();
    await dialog.getByText('1 to 255 characters').waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await dialog.getByLabel('Who they are there').fill(' u-1 ');
    await dialog.getByRole('button', { name: 'Link', exact: true }).click();
    await page.getByText('ada is u-1 of Partner.').waitFor();
    const row = card().getByRole('row', { name: /u-1/ });
    await row.getByText('by hand, admin').waitFor();
    assert.deepEqual(await faultsOf(page), []);
  });

  it('and who it is already, when somebody else is said to be', async () => {
    await page.goto(`${server.url}/console/users/grace`);
    const dialog = await link('u-1');
    await dialog.getByText('"u-1" of partner is ada here already: unlink ada first').waitFor();
    await dialog.getByLabel('Who they are there').fill('u-2');
    await dialog.getByRole('button', { name: 'Link', exact: true }).click();
    await card().getByRole('row', { name: /u-2/ }).waitFor();
  });

  it('finds them on the page of the identity provider, and in its address', async () => {
    await card().getByRole('link', { name: 'Partner' }).click();
    const people = page.getByRole('region', { name: 'Linked people' }).first();
    await people.getByRole('row', { name: /ada/ }).waitFor();
    assert.equal(await people.getByRole('row').count(), 3);
    await people.getByRole('textbox').fill('u-2');
    await people.getByRole('row', { name: /ada/ }).waitFor({ state: 'detached' });
    assert.match(page.url(), /people=u-2/);
    await page.reload();
    await people.getByRole('row', { name: /grace/ }).waitFor();
    assert.equal(await people.getByRole('row').count(), 2);
    await people.getByRole('textbox').fill('nobody');
    await people.getByRole('button', { name: 'Show all' }).click();
    await people.getByRole('row', { name: /ada/ }).waitFor();
    assert.equal(await people.getByRole('textbox').inputValue(), '');
    assert.deepEqual(await faultsOf(page), []);
  });

  it('and turns the pages of many', async () => {
    for (let n = 10; n < 65; n++) {
      await server.call('POST', '/users', { userName: `many${n}` });
      await server.call('POST', `/users/many${n}/links`, { identityProvider: 'partner', subject: `m-${n}` });
    }
    const people = page.getByRole('region', { name: 'Linked people' }).first();
    await page.goto(`${server.url}/console/identity-providers/partner?people=m`);
    await people.getByText('50 on this page').waitFor();
    await people.getByRole('button', { name: 'Next' }).click();
    await people.getByRole('row', { name: /many64/ }).waitFor();
    await people.getByText('5 on this page').waitFor();
    await people.getByRole('button', { name: 'Back' }).click();
    await people.getByRole('row', { name: /many10/ }).waitFor();
  });

  it('and is told what unlinking brings about, before it is done', async () => {
    const ask = async (settings: object, name: string, ...says: string[]) => {
      await federate(settings);
      await page.goto(`${server.url}/console/users/ada`);
      await card().getByRole('row', { name: /u-1/ }).getByRole('button', { name: 'Unlink' }).click();
      const dialog = page.getByRole('dialog', { name: `Unlink ada from ${name}?` });
      for (const text of says) await dialog.getByText(text).waitFor();
      return dialog;
    };
    await ask({}, 'Partner', 'They are refused, until they are linked again.');
    const both = { linkBy: 'verifiedEmail', jit: { enabled: true, prompt: 'consent' } };
    const again = 'They are linked to ada again if their verified address is that of ada.';
    await ask(both, 'Partner', again, 'Else somebody new is made, after they were asked');
    const dialog = await ask({ jit: { enabled: true } }, 'Partner', 'Somebody new is made; with a user name that');
    await dialog.getByText('Sessions and tokens that are there go on').waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    assert.equal((await server.call('GET', '/users/ada/links')).items[0].ended, null);
    await card().getByRole('button', { name: 'Unlink' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click();
    await card().getByText('unlinked by admin').waitFor();
    assert.equal((await server.call('GET', '/users/ada/links')).items[0].ended.by, 'admin');
  });

  it('and an auditor sees it all and changes nothing, on a narrow screen too', async () => {
    const { password } = await server.call('POST', '/operators', { name: 'otto', role: 'auditor' });
    assert.ok(password);
    page = await reader.open({ width: 390 });
    await signIn(page, server.url, 'otto', password, '/users/grace');
    await page.getByRole('textbox', { name: 'Password as it is now' }).fill(password);
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill(ownPassword);
    await page.getByRole('textbox', { name: 'New password again' }).fill(ownPassword);
    await page.getByRole('button', { name: 'Change and go on' }).click();
    await card().getByRole('row', { name: /u-2/ }).waitFor();
    assert.equal(await card().getByRole('button').count(), 0);
    const over = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
    assert.ok(over <= 0, `the page is ${over} wider than the window`);
    assert.deepEqual(await faultsOf(page), []);
  });
});
