import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { coreUserUrn } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { openReader, openServer, type Reader, type Server, signInFirst, undescribed, until } from './place.ts';

describe('an operator decides about accounts that are there already', () => {
  let acme: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  const status = async () => (await acme.call('GET', '/status')).targets[0];
  before(async () => {
    [acme, fake, reader] = await Promise.all([
      openServer(),
      startFakeScim2({ auth: { mode: 'bearer', token: 'a-token-of-the-target' } }),
      openReader(),
    ]);
    for (const userName of ['ada', 'bob']) fake.seedUser({ schemas: [coreUserUrn], userName, active: true });
    await acme.call('POST', '/identity-providers', { name: 'partner' });
    await acme.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'a-token-of-the-target',
        'scim2-user-ep': fake.usersEndpoint,
      },
      policy: { adopt: 'ask' },
    });
    await acme.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    for (const userName of ['ada', 'bob']) await acme.call('POST', '/users', { userName });
    await until('two are parked', async () => (await status()).parked === 2);
    page = await reader.open();
    await signInFirst(page, acme);
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), fake?.close()]);
  });

  it('is asked, and adopts', async () => {
    await page.goto(`${acme.url}/console/accounts/partner:SCIM2/ada`);
    await page.getByText('partner:SCIM2 already has an account named ada. Adopt it, or leave it parked?').waitFor();
    await page.getByRole('button', { name: 'Adopt it' }).click();
    const dialog = page.getByRole('dialog', { name: 'Adopt ada at partner:SCIM2?' });
    await dialog.getByText(/It gets no password/).waitFor();
    await dialog.getByRole('button', { name: 'Adopt it' }).click();
    const walk = page.getByRole('region', { name: 'The walk' });
    await walk.getByText('Nothing is due: the target agrees.').waitFor();
    await walk.getByText(/admin decided to adopt ada \(id u1\)\. It was done\./).waitFor();
    const ada = fake.userNamed('ada')!;
    assert.equal(ada.id, 'u1');
    assert.ok(ada.externalId, 'it is not marked');
  });

  it('leaves the other one parked, with a note, and it is no longer to be looked at', async () => {
    await page.goto(`${acme.url}/console/`);
    await page.getByRole('link', { name: /Is anything parked\?\s*1\s*1 account to look at/ }).click();
    await page.getByRole('link', { name: 'The walk of bob' }).click();
    await page.getByLabel('A note on leaving it parked').fill('He has two there');
    await page.getByRole('button', { name: 'Leave it parked' }).click();
    await page.getByText(/Left parked by admin/).waitFor();
    await page.getByText('“He has two there”', { exact: true }).waitFor();
    await page
      .getByRole('region', { name: 'The walk' })
      .getByText(/It stays parked, as admin left it/)
      .waitFor();
    await page.goto(`${acme.url}/console/`);
    await page.getByText(/No account waits for a person, 1 left parked/).waitFor();
    await page.goto(`${acme.url}/console/targets/partner:SCIM2?state=left`);
    await page.getByRole('link', { name: 'The walk of bob' }).waitFor();
    assert.equal(fake.userNamed('bob')?.externalId, undefined);
  });

  it('is told why a stranger that a rename met cannot be adopted, and what to do instead', async () => {
    const strange = fake.seedUser({ schemas: [coreUserUrn], userName: 'countess', active: true });
    await acme.call('PATCH', '/users/ada', { userName: 'countess' });
    await until('it is parked beside bob', async () => (await status()).parked === 2);
    await page.goto(`${acme.url}/console/accounts/partner:SCIM2/countess`);
    await page.getByText(/has an account named countess\. Rename one of the two and try again, or leave/).waitFor();
    await page.getByText(`The other one (${strange}) is not offered for adoption: u1 would be left behind`).waitFor();
    await page.getByText(/If it is the other one that countess is to have, remove u1 there and press/).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Adopt/ }).count(), 0);
    fake.users.get(strange)!.userName = 'moved-away';
    await page.getByRole('button', { name: 'Again now' }).click();
    await page.getByText('Nothing is due: the target agrees.').waitFor();
    assert.equal(fake.users.get('u1')?.userName, 'countess');
    await acme.call('PATCH', '/users/countess', { userName: 'ada' });
    await until('it is called as before', async () => fake.users.get('u1')?.userName === 'ada');
  });

  it('is told what a save does before it happens, and is asked when it sends something', async () => {
    await page.goto(`${acme.url}/console/identity-providers/partner`);
    const form = page.locator('details', { hasText: 'SCIM 2.0 Provisioning Configuration' });
    await form.getByText(/Set .+, and never shown/).waitFor();
    await form.getByLabel('User Store Domain').fill('EMEA');
    await form.getByText('Saving looks at 2 accounts again and sends 2 requests.').waitFor();
    await form.getByRole('button', { name: 'Update' }).click();
    const dialog = page.getByRole('dialog', { name: 'Update partner:SCIM2?' });
    await dialog.getByText(/sends 2 requests/).waitFor();
    assert.ok(fake.userNamed('ada'), 'it was saved already');
    await dialog.getByRole('button', { name: 'Update' }).click();
    await page.getByText('partner:SCIM2 is saved.').waitFor();
    await until('it is called so there', async () => fake.userNamed('EMEA/ada') !== undefined);
  });

  it('is told how many memberships a save takes out, and is asked for that alone too', async () => {
    const { id } = await acme.call('GET', '/targets/partner:SCIM2');
    await acme.call('PATCH', `/targets/${id}`, { settings: { 'scim2-group-ep': fake.groupsEndpoint } });
    const team = await acme.call('POST', '/groups', { displayName: 'team' });
    await acme.call('POST', '/groups', { displayName: 'staff', members: [{ value: team.id }] });
    const members = () => fake.membersOf(String(fake.groupNamed('EMEA/staff')?.resource.id));
    await until('both are there', async () => fake.groupNamed('EMEA/staff') !== undefined && members().length === 1);
    await until('nothing is due', async () => (await status()).pending === 0);
    await page.goto(`${acme.url}/console/identity-providers/partner`);
    const form = page.locator('details', { hasText: 'SCIM 2.0 Provisioning Configuration' });
    await form.getByText('Limits, scope and what becomes of leavers').click();
    await form.getByRole('combobox', { name: 'Nested groups' }).selectOption('ignore');
    const says = 'Saving looks at 4 accounts again. 1 membership is taken out there.';
    await form.getByText(says).waitFor();
    await form.getByRole('button', { name: 'Update' }).click();
    const dialog = page.getByRole('dialog', { name: 'Update partner:SCIM2?' });
    await dialog.getByText(says).waitFor();
    assert.equal(members().length, 1, 'it was saved already');
    await dialog.getByRole('button', { name: 'Update' }).click();
    await until('it is taken out', async () => members().length === 0);
  });

  it('is told what a binding lets in before it is saved', async () => {
    await page.goto(`${acme.url}/console/service-providers/resident`);
    const row = page.getByRole('group', { name: 'partner, SCIM2' });
    await row.getByLabel('Enabled').uncheck();
    await page.getByText(/Saving looks at 4 accounts at partner:SCIM2 again and sends nothing/).waitFor();
    const configuration = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await configuration.getByRole('button', { name: 'Update' }).click();
    await page.getByText('The outbound provisioning configuration is updated.').waitFor();
  });

  it('calls nothing that is not described, and breaks nothing', () => {
    assert.deepEqual(undescribed(reader.calls), []);
    assert.deepEqual(reader.faults, []);
  });
});
