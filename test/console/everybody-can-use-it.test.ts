import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FakeScim2 } from '../connectors/fakes/scim2.ts';
import { faultsOf } from './axe.ts';
import { furnish, show } from './pages.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn, signInFirst } from './place.ts';

/** What another width and other colours can break. */
const ofTheLook = [
  'color-contrast',
  'scrollable-region-focusable',
  'button-name',
  'link-name',
  'label',
  'aria-hidden-focus',
];

describe('everybody can use the console', () => {
  let server: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let pages: readonly (readonly [string, string])[];
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    ({ fake, pages } = await furnish(server));
  });
  after(async () => {
    await reader?.close();
    await Promise.all([server?.stop(), fake?.close()]);
  });

  it('axe finds no serious fault before anybody is signed in', async () => {
    const page = await reader.open();
    await page.goto(`${server.url}/console/`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByLabel('Username').fill('admin');
    await page.getByRole('textbox', { name: 'Password' }).fill(server.firstPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await signInFirst(await reader.open(), server);
  });

  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 390],
  ] as const) {
    it(`axe finds no serious fault on any page, in ${scheme}, ${width} wide, and nothing is cut off`, async () => {
      const page = await reader.open({ scheme, width });
      await signIn(page, server.url, 'admin', ownPassword);
      await page.locator('#content').waitFor();
      const wrong: string[] = [];
      for (const [name, path] of pages) {
        await show(page, server.url, path);
        for (const fault of await faultsOf(page, width < 760 ? ofTheLook : undefined)) wrong.push(`${name}: ${fault}`);
        const over = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
        if (over > 0) wrong.push(`${name} is ${over} wider than the window`);
      }
      assert.deepEqual(wrong, []);
    });
  }

  it('what is folded away has no serious fault either', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword);
    await page.locator('#content').waitFor();
    for (const [name, path] of pages.filter(([name]) =>
      /account|identity-provider|home|rule-rows|rule-try/.test(name),
    )) {
      await show(page, server.url, path);
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
      await reader.loaded(page);
      for (const sentence of await page.locator('.rule-sentence').all()) await sentence.click();
      assert.deepEqual(await faultsOf(page), [], name);
    }
  });

  it('it is used without a mouse: search, a page, and back to the content', async () => {
    const page = await reader.open();
    await signIn(page, server.url, 'admin', ownPassword);
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'To the content');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Search' }).waitFor();
    await page.waitForFunction('document.activeElement?.matches("[role=dialog] input")');
    await page.keyboard.type('ada');
    await page.getByRole('dialog').getByRole('link', { name: /ada/ }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Search' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Search' }).waitFor({ state: 'detached' });
    assert.deepEqual(reader.faults, []);
  });
});
