import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, until } from './place.ts';

// Nothing here is clicked: what has the focus is looked at after every step, as somebody without a mouse would.

type Stop = { word: string; isSeen: boolean; isInView: boolean };

/** What has the focus, whether it can be seen that it has, and whether it lies in the window. */
const whereItIs = `(() => {
  const at = document.activeElement;
  const around = [at, at.nextElementSibling, at.parentElement].filter(Boolean);
  const isMarked = (one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  };
  const { top, bottom } = at.getBoundingClientRect();
  return {
    word: at === document.body ? 'nothing' : at.tagName + ' ' + (at.getAttribute('aria-label') ?? at.innerText ?? '').trim().slice(0, 60),
    isSeen: around.some(isMarked),
    isInView: bottom > 0 && top < innerHeight,
  };
})()`;

describe('an administrator works by keyboard alone', () => {
  let server: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  before(async () => {
    [server, reader, fake] = await Promise.all([
      openServer(),
      openReader(),
      startFakeScim2({ auth: { mode: 'basic', username: 'acme', password: 'a password there' } }),
    ]);
    page = await reader.open();
  });
  after(async () => {
    await reader?.close();
    await Promise.all([server?.stop(), fake?.close()]);
  });

  const stop = () => page.evaluate(whereItIs) as Promise<Stop>;
  const hasFocus = (what: Locator): Promise<boolean> =>
    what
      .evaluate((element: { ownerDocument: { activeElement: unknown } }) => {
        return element === element.ownerDocument.activeElement;
      })
      .catch(() => false);

  /** Presses the key until it has the focus; each stop on the way can be seen. */
  async function reach(what: Locator, key = 'Tab'): Promise<void> {
    await what.waitFor();
    for (let n = 0; n < 120; n++) {
      if (await hasFocus(what)) return;
      await page.keyboard.press(key);
      const { word, isSeen, isInView } = await stop();
      assert.ok(isSeen, `it cannot be seen that ${word} has the focus`);
      assert.ok(isInView, `${word} has the focus and is not in the window`);
    }
    assert.fail(`it cannot be reached: ${what}`);
  }
  async function reachAndPress(what: Locator, key = 'Tab'): Promise<void> {
    await reach(what, key);
    await page.keyboard.press('Enter');
  }
  async function comesToHave(what: Locator): Promise<void> {
    await what.waitFor();
    for (let n = 0; n < 200; n++) {
      if (await hasFocus(what)) return;
      await page.waitForTimeout(25);
    }
    assert.fail(`${what} should have the focus, and ${(await stop()).word} has it`);
  }
  const heading = (name: string) => page.getByRole('heading', { level: 1, name, exact: true });
  const menu = (name: string, nth = 0) =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).nth(nth);
  const button = (name: string) => page.locator('#content').getByRole('button', { name });
  const told = (text: string | RegExp) => page.locator('[role="status"]').getByText(text).first().waitFor();
  /** Back from the heading of a page to the navigation. */
  const go = (name: string, nth = 0) => reachAndPress(menu(name, nth), 'Shift+Tab');

  it('signs in, and chooses a password', async () => {
    await page.goto(`${server.url}/console/`);
    await comesToHave(page.getByLabel('Username'));
    await page.keyboard.type('admin');
    await page.keyboard.press('Tab');
    await page.keyboard.type(server.firstPassword);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    await reach(page.getByRole('textbox', { name: 'Password as it is now' }));
    await page.keyboard.type(server.firstPassword);
    for (const name of ['New password', 'New password again']) {
      await reach(page.getByRole('textbox', { name, exact: true }));
      await page.keyboard.type(ownPassword);
    }
    await page.keyboard.press('Enter');
    await heading('Home').waitFor();
  });

  it('leaves out the navigation', async () => {
    await page.keyboard.press('Tab');
    assert.match((await stop()).word, /To the content/);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate('document.activeElement.closest("#content") !== null'));
  });

  it('adds an identity provider: a refusal leads to the field that it is about', async () => {
    await go('Add');
    await comesToHave(heading('Add identity provider'));
    await reach(page.getByLabel('Identity Provider Name'));
    await page.keyboard.type('partner');
    await reachAndPress(page.locator('summary', { hasText: 'SCIM 2.0 Provisioning Configuration' }));
    const form = page.locator('details', { hasText: 'SCIM 2.0 Provisioning Configuration' });
    await reach(form.getByLabel('Enable Connector'));
    await page.keyboard.press('Space');
    for (const [field, value] of [
      [form.getByLabel('Username'), 'acme'],
      [form.getByRole('textbox', { name: 'Password', exact: true }), 'a password there'],
      [form.getByLabel('Group Endpoint'), fake.groupsEndpoint],
    ] as const) {
      await reach(field);
      await page.keyboard.type(value);
    }
    await reachAndPress(button('Register'));
    await comesToHave(form.getByLabel('User Endpoint'));
    assert.deepEqual((await server.call('GET', '/identity-providers')).items, [], 'nothing is left of it');
    await page.keyboard.type(fake.usersEndpoint);
    await reachAndPress(form.getByRole('button', { name: 'Test connection' }));
    await form.getByRole('list', { name: 'The connection works' }).waitFor();
    await reachAndPress(button('Register'));
    await comesToHave(heading('partner'));
    await told('partner is registered.');
  });

  it('binds the resident service provider to it, and stays at the button', async () => {
    await go('Resident');
    await comesToHave(heading('Resident service provider'));
    const part = page.getByRole('region', { name: 'Outbound Provisioning Configuration' });
    await reach(part.getByLabel('Identity provider', { exact: true }));
    await page.keyboard.type('partner');
    await reachAndPress(part.getByRole('button', { name: 'Add this identity provider' }));
    await part.getByRole('group', { name: 'partner, SCIM2' }).waitFor();
    const update = part.getByRole('button', { name: 'Update' });
    await reachAndPress(update);
    await told('The outbound provisioning configuration is updated.');
    await comesToHave(update);
  });

  it('adds a person, and sees them arrive', async () => {
    await go('Users');
    await comesToHave(heading('Users'));
    await reachAndPress(button('Add user').first());
    await comesToHave(heading('Add user'));
    await reach(page.getByLabel('Username'));
    await page.keyboard.type('ada');
    await reach(page.getByLabel('Display name'));
    await page.keyboard.type('Ada Lovelace');
    await page.keyboard.press('Enter');
    await comesToHave(heading('Ada Lovelace'));
    await told('ada is added.');
    await page.getByRole('region', { name: 'Accounts' }).first().getByText('done', { exact: true }).waitFor();
  });

  it('finds somebody who is parked with Ctrl K, and has them tried again', async () => {
    fake.misbehave({
      when: { method: 'POST', on: 'users', that: (request) => JSON.stringify(request.body).includes('"eve"') },
      times: 1,
      act: { kind: 'answer', status: 400 },
    });
    await server.call('POST', '/users', { userName: 'eve' });
    await page.keyboard.press('Control+k');
    const field = page.getByRole('dialog', { name: 'Search' }).getByRole('textbox');
    await comesToHave(field);
    await page.keyboard.type('eve');
    await told(/^1 of 1: eve, user/);
    await page.keyboard.press('Enter');
    await comesToHave(heading('eve'));
    await page.getByText('parked', { exact: true }).first().waitFor();
    await reachAndPress(page.getByRole('link', { name: 'The walk to partner:SCIM2' }));
    await comesToHave(heading('eve at partner:SCIM2'));
    await reachAndPress(button('Again now'));
    await told('eve is tried again at partner:SCIM2 now.');
    await told('done');
    await comesToHave(button('Again now'));
  });

  it('a dialog has the focus while it is open, gives it back, and what it removes leads on', async () => {
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await comesToHave(button('Again now'));
    await reachAndPress(page.getByRole('navigation', { name: 'Above this page' }).getByRole('link'), 'Shift+Tab');
    await comesToHave(heading('eve'));
    const remove = button('Remove');
    await reachAndPress(remove);
    const dialog = page.getByRole('dialog', { name: 'Remove eve?' });
    await comesToHave(dialog.getByRole('button', { name: 'Remove' }));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await comesToHave(remove);
    await page.keyboard.press('Enter');
    await comesToHave(dialog.getByRole('button', { name: 'Remove' }));
    await page.keyboard.press('Enter');
    await comesToHave(heading('Users'));
    await told('eve is removed.');
  });

  it('renames a group, takes members out of it, and stays in the list', async () => {
    const ids = (await server.call('GET', '/users')).items.map(({ id }: { id: string }) => ({ value: id }));
    const { id } = await server.call('POST', '/users', { userName: 'grace' });
    await server.call('POST', '/groups', { displayName: 'Engineering', members: [...ids, { value: id }] });
    await go('Groups');
    await comesToHave(heading('Groups'));
    await reachAndPress(page.getByRole('link', { name: 'Engineering' }));
    await comesToHave(heading('Engineering'));
    await reachAndPress(button('Edit'));
    await comesToHave(heading('Edit Engineering'));
    await reach(page.getByLabel('Name'));
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Engineers');
    await page.keyboard.press('Enter');
    await comesToHave(heading('Engineers'));
    await told('Engineers is updated.');
    await reachAndPress(page.getByRole('button', { name: 'Take out grace' }));
    await told('grace is no member of Engineers any more.');
    await comesToHave(page.getByRole('region', { name: 'Members' }).getByRole('region', { name: 'Members' }));
  });

  it('turns pages, each from its first row, and the last one does not take the focus away', async () => {
    for (let n = 0; n < 51; n++) await server.call('POST', '/users', { userName: `person${n}` });
    await go('Users');
    await comesToHave(heading('Users'));
    const list = page.getByRole('region', { name: 'users' });
    await reach(list);
    await page.keyboard.press('End');
    const scrolled = () => list.evaluate(({ scrollTop }: { scrollTop: number }) => scrollTop);
    await until('it is scrolled down', async () => (await scrolled()) > 0);
    const next = button('Next');
    await reachAndPress(next);
    await told(/^51–53 of 53/);
    await comesToHave(next);
    assert.ok(await next.isDisabled(), 'there is nothing after the last page');
    assert.equal(await scrolled(), 0);
    assert.deepEqual(reader.faults, []);
  });
});
