import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { goTo, openReader, openServer, type Reader, type Server, signInFirst, undescribed, until } from './place.ts';

describe('an administrator writes a rule', () => {
  let acme: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  let ada: { id: string };
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
    ada = await acme.call('POST', '/users', { userName: 'ada', title: 'Countess' });
    await acme.call('POST', '/users', { userName: 'eve', title: 'Guard' });
    await acme.call('POST', '/groups', { displayName: 'Night shift', members: [{ value: ada.id }] });
    page = await reader.open();
    await signInFirst(page, acme);
  });
  after(async () => {
    await reader?.close();
    await Promise.all([acme?.stop(), fake?.close()]);
  });

  const view = (name: string) =>
    page.getByRole('navigation', { name: 'Views of this policy' }).getByRole('link', { name });
  const row = (n: number) => page.getByRole('group', { name: `Row ${n}`, exact: true });
  const account = async () => (await acme.call('GET', `/accounts/partner:SCIM2/${ada.id}`)).state as string;

  it('builds it from rows, and each row says what it does', async () => {
    await goTo(page, 'Rules');
    await page.getByRole('link', { name: 'Add policy' }).first().click();
    await page.getByRole('link', { name: 'From rows' }).click();
    await page.getByLabel('Name').fill('night watch');
    await row(1)
      .getByRole('button', { name: /Only some people/ })
      .click();
    await page.getByText('Row 1: Give at least one value.').waitFor();
    await page.getByRole('combobox', { name: 'Row 1, condition 1, values' }).fill('Night');
    await page.getByRole('option', { name: 'Night shift' }).click();
    await page.keyboard.press('Escape');
    await row(1).getByText('Withhold everybody in Night shift.').waitFor();
    await row(1).getByRole('button', { name: 'Create' }).click();
    await row(1).getByText('Withhold creations of everybody in Night shift.').waitFor();
    await page.getByRole('button', { name: 'Add row' }).click();
    await row(2).getByLabel('Row 2, effect').selectOption('let-through');
    await row(2).getByText('Let through everybody.').waitFor();
    // A row above it that applies to everybody leaves nothing to decide, and that is said.
    await row(2).getByRole('button', { name: 'Move row 2 up' }).click();
    await page.getByText('Row 2: Row 2 never decides: row 1 applies to everything.').waitFor();
    await row(1).getByRole('button', { name: 'Move row 1 down' }).click();
    await row(1).getByText('Withhold creations of everybody in Night shift.').waitFor();
  });

  it('tries it before it is saved: withheld, with the reason', async () => {
    await view('Try it').click();
    await page.getByRole('combobox', { name: 'Person or group' }).fill('ad');
    await page.getByRole('option', { name: 'ada' }).click();
    await page.getByRole('button', { name: 'Ask' }).click();
    const answer = page.getByRole('region', { name: 'Answer' });
    await answer.getByText('withheld', { exact: true }).waitFor();
    await answer.getByText('denied by policy night watch: Withhold creations of everybody in Night shift.').waitFor();
    await answer.getByText('It does not look at the clock.').waitFor();
    await page.getByRole('combobox', { name: 'Person or group' }).fill('eve');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Ask' }).click();
    await answer.getByText('let through', { exact: true }).waitFor();
    const trace = answer.getByRole('region', { name: 'Trace' });
    await trace.getByText(/groups are nothing, none of "Night shift"/).waitFor();
    assert.equal((await acme.call('GET', '/policies')).items.length, 0, 'trying saves nothing');
    await page.getByRole('button', { name: 'Add policy' }).click();
    await page.getByRole('heading', { name: 'night watch' }).waitFor();
    const [made] = (await acme.call('GET', '/policies')).items;
    assert.deepEqual(made.says, ['Withhold creations of everybody in Night shift.', 'Let through everybody.']);
  });

  it('sees who is withheld, and why, and goes from there to the rule', async () => {
    await acme.call('PUT', '/service-providers/resident/bindings', {
      bindings: [{ target: 'partner:SCIM2', rules: true }],
    });
    await acme.call('PATCH', `/users/${ada.id}`, { title: 'Countess of Lovelace' });
    await until('ada is withheld', async () => (await account()) === 'withheld');
    await page.goto(`${acme.url}/console/accounts/partner:SCIM2/${ada.id}`);
    const walk = page.getByRole('region', { name: 'The walk' });
    const step = walk.getByText(/^Withheld: .*Withhold creations of everybody in Night shift\./).first();
    await step.waitFor();
    await step.click();
    await walk.getByRole('link', { name: 'Open night watch' }).click();
    await page.getByRole('heading', { name: 'night watch' }).waitFor();
  });

  it('edits it, is warned before leaving, and the person is delivered', async () => {
    await row(1)
      .getByRole('button', { name: /^1 ?Withhold creations/ })
      .click();
    await row(1).getByLabel('Row 1, condition 1, test').selectOption('none-of');
    await row(1).getByText('Withhold creations of everybody not in Night shift.').waitFor();
    let asked = '';
    page.once('dialog', (dialog) => {
      asked = dialog.message();
      void dialog.dismiss();
    });
    await goTo(page, 'Users');
    assert.match(asked, /not saved/);
    await page.getByRole('heading', { name: 'night watch' }).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('night watch is saved.').waitFor();
    await until('ada is delivered', async () => (await account()) === 'done');
    assert.deepEqual(
      [...fake.users.values()].map((one) => one.userName),
      ['ada'],
    );
  });

  it('brings back what it said before', async () => {
    await view('Versions').click();
    await page.getByRole('link', { name: 'Version 1' }).click();
    const version = page.getByRole('region', { name: 'Version 1' });
    await version.getByText('Withhold creations of everybody in Night shift.').first().waitFor();
    await version.getByRole('button', { name: 'Bring back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Bring back' }).click();
    await row(1).getByText('Withhold creations of everybody in Night shift.').waitFor();
    const policy = await acme.call('GET', '/policies/night%20watch');
    assert.deepEqual([policy.version, policy.rows.list[0].who[0].is], [3, 'one-of']);
  });

  it('edits text only after it was said that rows are gone then, and sees a fault at its line', async () => {
    await view('Text').click();
    await page.getByRole('button', { name: 'Edit as text' }).click();
    await page
      .getByRole('dialog')
      .getByText(/its rows are gone/)
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Edit as text' }).click();
    const editor = page.getByRole('textbox', { name: 'XACML document' });
    await editor.getByText('<Target>', { exact: false }).first().waitFor();
    // By keyboard: into it, to its sixth line, and out of it by Tab.
    await editor.focus();
    await page.keyboard.press('Control+Home');
    for (let n = 1; n < 6; n++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Home');
    await page.keyboard.type('<Oops/>');
    await page.getByText('Line 6:').waitFor();
    assert.equal(await page.locator('.cm-lint-marker-error').count(), 1);
    await page.getByRole('button', { name: 'Go to line 6' }).click();
    assert.match((await page.locator('.cm-activeLine').textContent()) ?? '', /Oops/);
    const isInside = async () =>
      (await page.evaluate('document.activeElement.closest(".cm-editor") !== null')) === true;
    await until('the caret is in the editor', isInside);
    await page.keyboard.press('Tab');
    assert.equal(await isInside(), false, 'Tab leaves the editor');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Not saved yet').waitFor();
    assert.notEqual((await acme.call('GET', '/policies/night%20watch')).rows, null, 'it was refused');
    await page.getByRole('button', { name: 'Undo all' }).click();
    await page.getByText('Not saved yet').waitFor({ state: 'detached' });
    await view('Rows').click();
    await row(2).waitFor();
  });

  it('fills a template, which opens as rows, and is told that groups would be withheld too', async () => {
    await goTo(page, 'Rules');
    await page.getByRole('link', { name: 'Add policy' }).click();
    await page.getByRole('link', { name: 'From a template' }).click();
    await page.getByLabel('Name').fill('guards');
    await page.getByRole('button', { name: 'By attribute' }).click();
    await page.getByRole('combobox', { name: 'Attribute', exact: true }).fill('title');
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'Has one of these values' }).fill('Guard');
    await page.keyboard.press('Enter');
    await page.getByLabel('Removals').selectOption('as-other-operations');
    await page.getByText('A removal that is withheld leaves an account alive').waitFor();
    await page.getByLabel('Removals').selectOption('always');
    await page.getByLabel('Identity provider').selectOption('partner');
    await page.getByRole('button', { name: 'Fill in' }).click();
    await row(1).getByText('Let through everybody whose title is Guard.').waitFor();
    await page.getByLabel('When no row applies').getByText('Withhold everything else').waitFor({ state: 'attached' });
    await page.getByText('The whole policy is about these alone').waitFor();
    await page
      .getByText(
        /^Groups themselves are asked about too, .*“Withhold everything else” withholds them, and nothing here says so\./,
      )
      .waitFor();
    await page.getByRole('button', { name: 'Withhold users alone' }).click();
    await row(2).getByText('Let through everybody who is a group.').waitFor();
    await page.getByText(/^Groups themselves are asked about too/).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add policy' }).click();
    await page.getByRole('heading', { name: 'guards' }).waitFor();
    const { rows } = await acme.call('GET', '/policies/guards');
    assert.deepEqual([rows.where, rows.list.length], [{ identityProviders: ['partner'] }, 2]);
    // What is taken away is away, though rows can be changed in part.
    await page.getByRole('combobox', { name: 'Whole policy, identity providers' }).press('Backspace');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('guards is saved.').waitFor();
    assert.equal((await acme.call('GET', '/policies/guards')).rows.where, undefined);
    await view('Versions').click();
    await page.getByRole('link', { name: 'Version 1' }).click();
    await page.getByRole('region', { name: 'Version 1' }).getByText('Only at partner.').waitFor();
  });

  it('imports files, of which one is refused with its line, orders what is there, and takes it all away', async () => {
    await goTo(page, 'Rules');
    const { document } = await acme.call('GET', '/policies/guards');
    const files = [
      ['taken.xml', document.replace('PolicyId="guards"', 'PolicyId="taken"')],
      ['broken.xml', document.replace('"guards"', '"broken"').replace('string-equal', 'string-equals')],
      ['night watch.xml', document],
    ].map(([name, text]) => ({ name: name!, mimeType: 'application/xml', buffer: Buffer.from(text!) }));
    await page.getByLabel('XACML files to import').setInputFiles(files);
    const results = page.getByRole('region', { name: 'What was imported' });
    await results.getByText(/^Refused, line \d+: .*string-equals/).waitFor();
    await results.getByText('added').waitFor();
    await results.getByText(/night watch is made from rows here, and they would be gone/).waitFor();
    await page.getByRole('button', { name: 'Move taken up' }).click();
    await until('it was moved', async () => {
      const { items } = await acme.call('GET', '/policies');
      return items.map((one: { name: string }) => one.name).join() === 'night watch,taken,guards';
    });
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export all' }).click();
    assert.equal((await download).suggestedFilename(), 'policies.zip');
    await page
      .getByRole('row', { name: /guards/ })
      .getByRole('button', { name: 'Switch off' })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('guards is off.').waitFor();
    assert.deepEqual(reader.faults, []);
    assert.deepEqual(undescribed(reader.calls), []);
  });
});
