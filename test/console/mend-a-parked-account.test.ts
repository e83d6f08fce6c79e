import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { openReader, openServer, type Reader, type Server, signInFirst, until } from './place.ts';

describe('an operator mends a parked account', () => {
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
    await acme.call('POST', '/users', { userName: 'grace' });
    page = await reader.open();
    await signInFirst(page, acme);
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), fake?.close()]);
  });

  const park = async (count: number) => {
    await until(`${count} are parked`, async () => (await acme.call('GET', '/status')).targets[0].parked === count);
  };

  /** Once, whoever is called so. */
  const refuse = (userName: string, detail: string) =>
    fake.misbehave({
      when: { method: 'POST', on: 'users', that: (request) => JSON.stringify(request.body).includes(userName) },
      act: { kind: 'answer', status: 400, body: { detail } },
    });

  it('sees that something is parked, why, and what was said', async () => {
    fake.misbehave({
      when: { method: 'POST', on: 'users' },
      act: { kind: 'answer', status: 400, body: { detail: 'The badge number is missing.', status: '400' } },
    });
    await acme.call('POST', '/users', { userName: 'ada', displayName: 'Ada Lovelace' });
    await park(1);
    await page.getByRole('link', { name: /Is anything parked\?\s*1\s*1 account to look at/ }).click();
    await page.waitForURL(/targets\/partner.*state=parked/);
    await page.getByRole('link', { name: 'The walk of ada' }).click();
    const walk = page.getByRole('region', { name: 'The walk' });
    await walk
      .getByText(/The badge number is missing/)
      .first()
      .waitFor();
    await walk.getByText(/It stays parked/).waitFor();
    await walk.getByRole('region', { name: 'Request' }).getByText('"ada"').first().waitFor();
    await walk.getByRole('region', { name: 'Answer' }).getByText('"The badge number is missing."').waitFor();
    const text = (await walk.textContent())!;
    assert.ok(!text.includes('a-token-of-the-target'), 'a secret is shown');
  });

  it('sees what would be sent now, without sending it', async () => {
    const requests = fake.requests.length;
    const walk = page.getByRole('region', { name: 'The walk' });
    await walk.getByText(/An attempt now would create the account there/).click();
    const table = walk.getByRole('region', { name: 'Values and where they come from' });
    await table.getByRole('row', { name: /userName ada the name to be set/ }).waitFor();
    assert.equal(fake.requests.length, requests);
  });

  it('tries again, and it is done without a reload', async () => {
    await page.getByRole('button', { name: 'Again now' }).click();
    await page.getByRole('region', { name: 'The walk' }).getByText('Nothing is due: the target agrees.').waitFor();
    assert.ok(fake.userNamed('ada'));
  });

  it('tries all that are parked again at once, counted first', async () => {
    fake.misbehave({ when: { method: 'POST', on: 'users' }, times: 3, act: { kind: 'answer', status: 400 } });
    for (const userName of ['eve', 'eva', 'evi']) await acme.call('POST', '/users', { userName });
    await park(3);
    await page.goto(`${acme.url}/console/targets/partner:SCIM2?state=parked`);
    await page.getByRole('button', { name: 'All again now' }).click();
    const dialog = page.getByRole('dialog', { name: 'Try 3 accounts again?' });
    await dialog.getByRole('button', { name: 'Again now' }).click();
    await page.getByText('3 accounts of partner:SCIM2 are tried again.').waitFor();
    await park(0);
    await page.getByText('Nobody is parked there').waitFor();
  });

  it('sees one cause for all whom it concerns, who they are, and tries just those again', async () => {
    for (const userName of ['ida', 'ivy']) refuse(userName, `User ${userName} needs a desk`);
    refuse('una', 'Something else');
    for (const userName of ['ida', 'ivy', 'una']) await acme.call('POST', '/users', { userName });
    await park(3);
    await page.goto(`${acme.url}/console/`);
    const failures = page.getByRole('region', { name: 'Failures by cause' });
    await failures.getByRole('heading', { name: '3 failures, 2 causes' }).waitFor();
    await failures
      .getByText(/User … needs a desk/)
      .first()
      .waitFor();
    await failures.getByRole('link', { name: /Show all 2/ }).click();
    await page.waitForURL(/cause=/);
    const table = page.getByRole('region', { name: 'Accounts' }).last();
    await until('only those are listed', async () => (await table.getByRole('row').count()) === 3);
    await page.getByRole('button', { name: 'All again now' }).click();
    const dialog = page.getByRole('dialog', { name: 'Try 2 accounts again?' });
    await dialog.getByRole('button', { name: 'Again now' }).click();
    await page.getByText('2 accounts of partner:SCIM2 are tried again.').waitFor();
    await park(1);
    await acme.call('POST', '/accounts/partner:SCIM2/una/retry');
    await park(0);
  });

  it('chooses deliveries and tries their accounts again, each once', async () => {
    const requests = () => fake.requests.filter((one) => one.method === 'POST' && one.on === 'users').length;
    for (const userName of ['nia', 'noa']) refuse(userName, 'Not yet');
    for (const userName of ['nia', 'noa']) await acme.call('POST', '/users', { userName });
    await park(2);
    const before = requests();
    await page.goto(`${acme.url}/console/deliveries?outcome=refused`);
    await page.getByRole('checkbox', { name: /Choose nia/ }).check();
    await page.getByText('1 delivery chosen, of 1 account').waitFor();
    await page.getByRole('checkbox', { name: /Choose noa/ }).check();
    await page.getByText('2 deliveries chosen, of 2 accounts').waitFor();
    await page.getByRole('button', { name: 'Again now' }).click();
    const dialog = page.getByRole('dialog', { name: 'Try 2 accounts again?' });
    await dialog.getByRole('button', { name: 'Again now' }).click();
    await page.getByText('2 accounts are tried again.').waitFor();
    await park(0);
    assert.equal(requests() - before, 2);
    await page.getByRole('checkbox', { name: 'Choose all on this page' }).check();
    await page.getByText(/deliveries chosen, of \d+ accounts/).waitFor();
    await page.getByRole('button', { name: 'Choose none' }).click();
  });

  it('finds an account by its id at the target, and a change by its number', async () => {
    await page.keyboard.press('Control+k');
    const dialog = page.getByRole('dialog', { name: 'Search' });
    await dialog.waitFor();
    await page.keyboard.type(String(fake.userNamed('grace')!.id));
    await dialog.getByRole('link', { name: /grace.*is u\d+ at partner:SCIM2/ }).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('1');
    await dialog.getByRole('link', { name: /Change 1: / }).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type(String(fake.userNamed('grace')!.id));
    await dialog.getByRole('link', { name: /grace.*is u/ }).click();
    await page.getByRole('heading', { name: 'grace at partner:SCIM2' }).waitFor();
  });

  it('finds in the log what a target said, and one cause for all whom it concerns', async () => {
    await page.goto(`${acme.url}/console/deliveries`);
    await page.getByLabel('Search in what was said').fill('badge number');
    await page.waitForURL(/text=badge/);
    const table = page.getByRole('region', { name: 'Deliveries' });
    await until('only that one is left', async () => (await table.getByRole('row').count()) === 2);
    await table.getByRole('link', { name: 'ada', exact: true }).waitFor();
    fake.misbehave({ times: Number.POSITIVE_INFINITY, act: { kind: 'answer', status: 401 } });
    for (const userName of ['kim', 'kit']) await acme.call('POST', '/users', { userName });
    await page.goto(`${acme.url}/console/`);
    const causes = page.getByRole('region', { name: 'Causes' });
    await causes.getByText(/partner:SCIM2 gets no users/).waitFor();
    await causes.getByText(/Check the username, password or token/).waitFor();
    fake.heal();
  });

  it('holds a target back and lets it go on', async () => {
    await page.goto(`${acme.url}/console/targets/partner:SCIM2`);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText(/Held back by admin/).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('partner:SCIM2 goes on.').waitFor();
    assert.deepEqual(reader.faults, []);
  });
});
