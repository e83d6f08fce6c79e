import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeScim2 } from '../connectors/fakes/scim2.ts';
import { furnish, show } from './pages.ts';
import { openReader, openServer, ownPassword, type Reader, type Server, signIn, signInFirst } from './place.ts';

/** Of the layout shift score: up to here people take a page for still. */
const mostShift = 0.1;

/** Adds up in `shifts` what moved without anybody having done something, and what it was. */
const sumOfShifts = `
  globalThis.shifts = { sum: 0, what: [] };
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      shifts.sum += value;
      for (const { node } of sources) shifts.what.push(node?.className || node?.nodeName || 'gone');
    }
  }).observe({ type: 'layout-shift', buffered: true });
`;

describe('pages that are loaded slowly stay where they are', () => {
  let server: Server;
  let fake: FakeScim2;
  let reader: Reader;
  let pages: readonly (readonly [string, string])[];
  before(async () => {
    [server, reader] = await Promise.all([openServer(), openReader()]);
    ({ fake, pages } = await furnish(server));
    await signInFirst(await reader.open(), server);
  });
  after(async () => {
    await reader?.close();
    await Promise.all([server?.stop(), fake?.close()]);
  });

  for (const [width, which] of [
    [1280, /./],
    // Where one thing is above the other, what is loaded late pushes the most.
    [390, /^(home|user|group|account|target|resident|service-provider|deliveries|rule|settings)/],
  ] as const) {
    it(`no page jumps while it is loaded, ${width} wide`, async () => {
      const page = await reader.open({ width });
      await signIn(page, server.url, 'admin', ownPassword);
      await page.locator('#content').waitFor();
      await page.addInitScript(sumOfShifts);
      await page.route(/\/api\/(?!events)/, async (route) => {
        await sleep(120);
        await route.continue();
      });
      const jumps: string[] = [];
      for (const [name, path] of pages.filter(([one]) => which.test(one))) {
        await show(page, server.url, path);
        await reader.loaded(page);
        const { sum, what } = (await page.evaluate('globalThis.shifts')) as { sum: number; what: string[] };
        if (sum > mostShift) jumps.push(`${name} moves by ${sum.toFixed(3)}: ${what.join(', ')}`);
      }
      assert.deepEqual(jumps, []);
    });
  }
});
