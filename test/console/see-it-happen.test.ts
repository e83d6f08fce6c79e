import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn, signInFirst } from './place.ts';

/** Pages ask again by themselves after half a minute only; what comes sooner was told by the server. */
const soon = { timeout: 12_000 };

describe('somebody watches the console and sees what happens, as it happens', () => {
  let acme: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  before(async () => {
    [acme, fake, reader] = await Promise.all([
      openServer(),
      startFakeScim2({ auth: { mode: 'bearer', token: 'a-token-of-the-target' } }),
      openReader(),
    ]);
    page = await reader.open();
    await signInFirst(page, acme);
    await page.getByText('live', { exact: true }).waitFor();
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), fake?.close()]);
  });

  it('what others configure', async () => {
    await acme.call('POST', '/identity-providers', { name: 'partner' });
    await acme.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'a-token-of-the-target',
        'scim2-user-ep': fake.usersEndpoint,
      },
    });
    await acme.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    const tile = page.getByRole('article', { name: 'partner:SCIM2' });
    await tile.getByText('Bound by resident').waitFor(soon);
  });

  it('a person who is added, and arrives', async () => {
    await acme.call('POST', '/users', { userName: 'ada' });
    await page.getByRole('region', { name: 'Latest changes' }).getByText('ada').waitFor(soon);
    const tile = page.getByRole('article', { name: 'partner:SCIM2' });
    await tile.getByText(/1\s*accounts/).waitFor(soon);
    await page.getByRole('img', { name: /1 deliveries were done/ }).waitFor(soon);
  });

  it('an account that is parked, on its own page', async () => {
    const { id } = await acme.call('GET', '/users/ada');
    await page.goto(`${acme.url}/console/accounts/partner:SCIM2/${id}`);
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('.page-head').getByText('done', { exact: true }).waitFor();
    fake.misbehave({ when: { method: 'PUT', on: 'users' }, act: { kind: 'answer', status: 400 } });
    fake.misbehave({ when: { method: 'PATCH', on: 'users' }, act: { kind: 'answer', status: 400 } });
    await acme.call('PATCH', '/users/ada', { displayName: 'Ada Lovelace' });
    await page.locator('.page-head').getByText('parked', { exact: true }).waitFor(soon);
  });

  it('and what they are about to change stays as they type it, and takes back nothing of others', async () => {
    await page.goto(`${acme.url}/console/users/ada`);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Title').fill('Countess');
    await acme.call('PATCH', '/users/ada', { displayName: 'Augusta Ada', name: { familyName: 'King' } });
    await page.getByRole('heading', { name: 'Edit Augusta Ada' }).waitFor(soon);
    assert.equal(await page.getByLabel('Title').inputValue(), 'Countess');
    await page.getByRole('button', { name: 'Update' }).click();
    await page.getByText('ada is updated.').waitFor();
    const { attributes } = await acme.call('GET', '/users/ada');
    assert.deepEqual(
      [attributes.title, attributes.displayName, attributes.name.familyName],
      ['Countess', 'Augusta Ada', 'King'],
    );
    await page.goto(`${acme.url}/console/identity-providers/partner`);
    await page.getByLabel('Alias').fill('acme-there');
    await acme.call('PATCH', '/identity-providers/partner', { description: 'changed by somebody else' });
    await page.getByText('changed by somebody else').first().waitFor(soon);
    assert.equal(await page.getByLabel('Alias').inputValue(), 'acme-there');
    await page.getByRole('button', { name: 'Update' }).first().click();
    await page.getByText('partner is updated.').waitFor();
    const { alias, description } = await acme.call('GET', '/identity-providers/partner');
    assert.deepEqual([alias, description], ['acme-there', 'changed by somebody else']);
  });

  it('the last day as well as the last hour, and the address says which', async () => {
    await page.goto(`${acme.url}/console/`);
    const chart = page.getByRole('region', { name: 'Deliveries of the last hour' });
    await chart.getByText('Day', { exact: true }).click();
    await page.getByRole('region', { name: 'Deliveries of the last day' }).waitFor();
    assert.equal(new URL(page.url()).search, '?span=day');
    await page.reload();
    await page.getByRole('img', { name: /^In the last day / }).waitFor();
  });

  it('that the server is away; and a stream of each window is no reason for the server to stay', async () => {
    const second = await reader.open();
    await signIn(second, acme.url, 'admin', ownPassword);
    await second.getByText('live', { exact: true }).waitFor();
    await acme.stop();
    for (const window of [page, second]) await window.getByText('not live', { exact: true }).waitFor(soon);
  });
});
