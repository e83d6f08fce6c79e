import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { faultsOf } from './axe.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn } from './place.ts';

describe('who may come in, and how far', () => {
  let server: Server;
  let reader: Reader;
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    await server.call('POST', '/identity-providers', { name: 'partner', description: 'Somebody else' });
    const settings = {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'a-token-of-the-target',
      'scim2-user-ep': 'http://127.0.0.1:9/scim2/Users',
    };
    await server.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
    await server.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await server.call('POST', '/users', { userName: 'ada' });
    await server.call('POST', '/policies', { name: 'gate', rows: { list: [{ effect: 'let-through' }] } });
  });
  after(async () => {
    await reader?.close();
    await server?.stop();
  });

  /** Somebody with a role, signed in with a password of their own. */
  const enterAs = async (name: string, role: string): Promise<Page> => {
    const { password } = await server.call('POST', '/operators', { name, role });
    const page = await reader.open();
    await signIn(page, server.url, name, password);
    await page.getByRole('textbox', { name: 'Password as it is now' }).fill(password);
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill(ownPassword);
    await page.getByRole('textbox', { name: 'New password again' }).fill(ownPassword);
    await page.getByRole('button', { name: 'Change and go on' }).click();
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    return page;
  };

  it('a wrong password is said to be one, and shows nothing', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', 'a wild guess', '/users');
    await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Password' }).inputValue(), '', 'to be typed again');
    assert.equal(await page.getByRole('navigation').count(), 0);
    assert.ok(!(await page.content()).includes('ada'));
    await page.getByLabel('Username').fill('mallory');
    for (let n = 0; n < 6; n++) {
      await page.getByRole('textbox', { name: 'Password' }).fill(`guess ${n}`);
      const answer = page.waitForResponse((response) => response.url().endsWith('/api/session'));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await (await answer).finished();
    }
    await page
      .getByRole('alert')
      .getByText(/Too many wrong passwords/)
      .waitFor();
  });

  it('a password of one’s own is demanded first, and a linked page is reached after it', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', server.firstPassword, '/users');
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    await page.getByRole('textbox', { name: 'Password as it is now' }).fill(server.firstPassword);
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill('short');
    await page.getByRole('textbox', { name: 'New password again' }).fill('short');
    await page.getByRole('button', { name: 'Change and go on' }).click();
    await page.getByText('New password must have at least 12 characters').waitFor();
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill(ownPassword);
    await page.getByRole('button', { name: 'Change and go on' }).click();
    await page.getByText('Both new passwords must be the same.').waitFor();
    await page.getByRole('textbox', { name: 'New password again' }).fill(ownPassword);
    await page.getByRole('button', { name: 'Change and go on' }).click();
    await page.getByRole('link', { name: 'ada' }).waitFor();
    const cookies = await page.context().cookies(`${server.url}/api/`);
    assert.equal(cookies.length, 1);
    assert.ok(cookies[0]!.httpOnly && cookies[0]!.sameSite === 'Strict');
    assert.equal(await page.evaluate('document.cookie'), '', 'no script can read it');
    await page.getByRole('button', { name: /Signed in as admin/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('an auditor reads everything and is offered nothing to change', async () => {
    const page = await enterAs('otto', 'auditor');
    const writes =
      /^(Add|Register|Update|Remove|Edit|Save|Import|Bring back|Undo|Disable|Enable|Pause|Resume|Again now|Test connection|Make|Revoke|Start|Switch|Rotate)/;
    const { id } = await server.call('GET', '/users/ada');
    for (const path of [
      '/',
      '/users',
      `/users/${id}`,
      `/accounts/partner:SCIM2/${id}`,
      '/targets/partner:SCIM2',
      '/identity-providers',
      '/identity-providers/partner',
      '/service-providers/resident',
      '/rules',
      '/rules/gate',
      '/rules/gate?view=text',
      '/rules/gate?view=versions&version=1',
      '/rules/add?view=rows',
      '/deliveries',
      '/settings',
    ]) {
      await page.goto(`${server.url}/console${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' });
      await reader.loaded(page);
      const buttons = await page.getByRole('main').getByRole('button').all();
      for (const button of buttons) {
        const name = ((await button.textContent()) ?? '').trim();
        assert.ok(!writes.test(name) || (await button.isDisabled()), `${path}: "${name}" is offered`);
      }
      const fields = page.getByRole('main').locator('form input:enabled, form textarea:enabled, form select:enabled');
      assert.equal(await fields.count(), 0, `${path}: a field can be changed`);
    }
    // Asking changes nothing, so whoever reads may ask.
    await page.goto(`${server.url}/console/rules/gate?view=try`);
    await page.getByRole('combobox', { name: 'Person or group' }).fill('ada');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('Let through everybody.').first().waitFor();
    // What is not offered is refused too.
    const script = `fetch('/api/service-providers', { method: 'POST', body: '{"name":"x"}', headers: { 'content-type': 'application/json', 'purvey-client': 'console' } }).then((r) => r.status)`;
    assert.equal(await page.evaluate(script), 403);
  });

  it('an operator may hold back and try again, and nothing more', async () => {
    const page = await enterAs('olga', 'operator');
    await page.goto(`${server.url}/console/targets/partner:SCIM2`);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText(/Held back by olga/).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('partner:SCIM2 goes on.').waitFor();
    await page.goto(`${server.url}/console/identity-providers/partner`);
    await page.getByText(/Set .+, and never shown/).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Update' }).count(), 0);
    assert.ok(await page.getByLabel('Identity Provider Name').isDisabled());
  });

  it('a session that ends leads to the sign-in page, and from there back', async () => {
    const page = await enterAs('nora', 'auditor');
    await page.goto(`${server.url}/console/settings`);
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    const { id } = (await server.call('GET', '/operators')).items.find((one: { name: string }) => one.name === 'nora');
    const { password } = await server.call('POST', `/operators/${id}/password`);
    // The page asks the server now and then, and is told.
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('Username').fill('nora');
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    assert.match(page.url(), /\/console\/settings/);
    assert.deepEqual(reader.faults, []);
  });

  it('an administrator has tokens signed with another key, and knows before what becomes of those there are', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword, '/settings');
    const [first] = (await server.call('GET', '/oauth/keys')).items;
    const card = page.getByRole('region', { name: 'OAuth signing keys' }).first();
    const row = (kid: string) => card.getByRole('row').filter({ hasText: kid });
    await row(first.kid).getByText('signs', { exact: true }).waitFor();
    await card.getByRole('button', { name: 'Rotate now' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/tokens that were signed before stay good until they end/).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    assert.equal((await server.call('GET', '/oauth/keys')).items.length, 1);
    await card.getByRole('button', { name: 'Rotate now' }).click();
    await dialog.getByRole('button', { name: 'Rotate now' }).click();
    await page.getByText('The new key is published.').waitFor();
    const [coming] = (await server.call('GET', '/oauth/keys')).items;
    assert.notEqual(coming.kid, first.kid);
    await row(coming.kid).getByText('coming: published, and signs nothing yet').waitFor();
    assert.ok(await card.getByRole('button', { name: 'Rotate now' }).isDisabled());
    assert.deepEqual(await faultsOf(page), []);
  });

  it('whoever is signed in changes their own password when they like, and stays signed in', async () => {
    const page = await enterAs('nils', 'auditor');
    await page.getByRole('button', { name: /Signed in as nils/ }).click();
    await page.getByRole('menuitem', { name: 'Change password' }).click();
    await page.getByRole('heading', { name: 'Change password' }).waitFor();
    const change = page.getByRole('main').getByRole('button', { name: 'Change password' });
    await page.getByRole('textbox', { name: 'Password as it is now' }).fill('not this one');
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill('noch eine Losung');
    await page.getByRole('textbox', { name: 'New password again' }).fill('noch eine Losung');
    await change.click();
    await page.getByText(/is not the password as it is now/).waitFor();
    await page.getByRole('textbox', { name: 'Password as it is now' }).fill(ownPassword);
    await change.click();
    await page.getByText('Your password is changed.').waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'New password', exact: true }).inputValue(), '');
    await page.reload();
    await page.getByRole('heading', { name: 'Change password' }).waitFor();
    const other = await reader.open();
    await signIn(other, server.url, 'nils', 'noch eine Losung');
    await other.getByRole('navigation', { name: 'Main' }).waitFor();
  });

  it('an administrator adds operators, and gives them a role', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword, '/settings');
    const card = page.getByRole('region', { name: 'Administrators and roles' }).first();
    await card.getByLabel('Name', { exact: true }).fill('ivan');
    await card.getByLabel('Role', { exact: true }).selectOption('auditor');
    await card.getByRole('button', { name: 'Add' }).click();
    const password = (await page.getByTestId('password').textContent())!;
    await card.getByLabel('Role of ivan').selectOption('operator');
    await page.waitForResponse((response) => response.url().includes('/api/operators/') && response.ok());
    const { items } = await server.call('GET', '/operators');
    assert.equal(items.find((one: { name: string }) => one.name === 'ivan').role, 'operator');
    const other = await reader.open();
    await signIn(other, server.url, 'ivan', password);
    await other.getByRole('heading', { name: 'Choose your own password' }).waitFor();
  });
});
