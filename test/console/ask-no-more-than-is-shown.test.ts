import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { FakeScim2 } from '../connectors/fakes/scim2.ts';
import { furnish, show } from './pages.ts';
import { openReader, openServer, type Reader, type Server, signInFirst } from './place.ts';

describe('pages ask the server for what they show, and for that once', () => {
  let server: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let page: Page;
  let pages: readonly (readonly [string, string])[];
  /** Since the last page was opened. */
  let asked: string[] = [];
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    ({ fake, pages } = await furnish(server));
    page = await reader.open();
    await signInFirst(page, server);
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(`${request.method()} ${pathname}${search}`);
    });
  });
  after(async () => {
    await reader?.close();
    await Promise.all([server?.stop(), fake?.close()]);
  });

  const open = async (path: string) => {
    asked = [];
    await show(page, server.url, path);
    await reader.loaded(page);
    return asked;
  };

  const askedTwice = async (path: string) => {
    const all = await open(path);
    return new Set(all.filter((each, n) => all.indexOf(each) !== n));
  };

  it('no page asks for anything twice while it is opened', async () => {
    const doubled: string[] = [];
    for (const [name, path] of pages) {
      // News that comes just then has a part read again, rightly: what asks twice by itself does so each time.
      let again = await askedTwice(path);
      for (let n = 0; n < 3 && again.size > 0; n++) {
        const once = await askedTwice(path);
        again = new Set([...again].filter((one) => once.has(one)));
      }
      for (const one of again) doubled.push(`${name}: ${one}`);
    }
    assert.deepEqual(doubled, []);
  });

  it('the description of the whole API is read when limits are looked at, and not before', async () => {
    const isDescription = (one: string) => one.includes('/openapi.json');
    for (const path of ['/identity-providers/partner', '/identity-providers/add']) {
      assert.deepEqual((await open(path)).filter(isDescription), [], path);
    }
    await page.locator('summary', { hasText: 'SCIM 2.0 Provisioning Configuration' }).click();
    await page.getByText('Limits, scope and what becomes of leavers').first().click();
    await page.getByLabel('Requests per second').first().waitFor();
    assert.equal(asked.filter(isDescription).length, 1);
  });

  it('news has each part of a page read again, and nothing that it does not concern', async () => {
    await open('/service-providers/travel');
    asked = [];
    const [status] = await Promise.all([
      page.waitForRequest(/\/api\/status$/),
      server.call('POST', '/users', { userName: 'grace' }),
    ]);
    await status.response();
    await reader.loaded(page);
    assert.deepEqual([...new Set(asked)], ['GET /api/status'], 'nothing of a service provider changes by a new person');
    assert.deepEqual(reader.faults, []);
  });
});
