import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { readConfig } from '../../src/config.ts';
import { operations } from '../../src/contract/operations.ts';
import { startPurvey } from '../../src/main.ts';
import { openBrowser } from './browser.ts';

export const ownPassword = 'eine gute Losung';

export type Server = {
  url: string;
  /** Of `admin`, who has not changed it yet. */
  firstPassword: string;
  /** Calls its admin API as the token in its data folder. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers by hand
  call(method: string, path: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
};

/** A server with the console, on a fresh database of its own. */
export async function openServer(): Promise<Server> {
  const data = mkdtempSync(join(tmpdir(), 'purvey-place-'));
  const purvey = await startPurvey(readConfig({ PURVEY_PORT: '0', PURVEY_DATA: data, PURVEY_LOG: 'silent' }, {}));
  const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
  return {
    url: purvey.url,
    firstPassword: purvey.firstPassword!,
    async call(method, path, body) {
      const response = await fetch(`${purvey.url}/api${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    async stop() {
      await purvey.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export type Reader = {
  browser: Browser;
  /** A window of its own: nobody is signed in. */
  open(look?: { width?: number; scheme?: 'light' | 'dark' }): Promise<Page>;
  /** What went wrong in any window: scripts that failed, and what the page's policy refused. */
  faults: string[];
  /** Every call of the API that the windows made, such as `GET /status`. */
  calls: Set<string>;
  /** Resolves when the window has loaded everything. The stream of news has no end, and does not count. */
  loaded(page: Page): Promise<void>;
  close(): Promise<void>;
};

export async function openReader(): Promise<Reader> {
  const browser = await openBrowser();
  const faults: string[] = [];
  const calls = new Set<string>();
  const contexts: BrowserContext[] = [];
  const pending = new WeakMap<Page, Set<Request>>();
  return {
    browser,
    faults,
    calls,
    async open({ width = 1280, scheme = 'light' } = {}) {
      const context = await browser.newContext({
        viewport: { width, height: 860 },
        colorScheme: scheme,
        // The browser would take it from an environment that may have none.
        locale: 'en-US',
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(15_000);
      contexts.push(context);
      const page = await context.newPage();
      const own = new Set<Request>();
      pending.set(page, own);
      page.on('request', (request) => {
        if (!request.url().endsWith('/api/events')) own.add(request);
      });
      for (const end of ['requestfinished', 'requestfailed'] as const) {
        page.on(end as 'requestfinished', (request) => void own.delete(request));
      }
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => {
        // A refused call is shown by the page; the browser notes it besides.
        const isRefusal = /Failed to load resource/.test(message.text());
        if ((message.type() === 'error' || message.type() === 'warning') && !isRefusal) faults.push(message.text());
      });
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (pathname.startsWith('/api/')) calls.add(`${request.method()} ${pathname.slice('/api'.length)}`);
      });
      return page;
    },
    async loaded(page) {
      const own = pending.get(page)!;
      for (let quiet = 0; quiet < 5; quiet = own.size === 0 ? quiet + 1 : 0) await sleep(50);
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
    },
  };
}

export async function signIn(page: Page, url: string, name: string, password: string, path = '/'): Promise<void> {
  await page.goto(`${url}/console${path}`);
  await page.getByLabel('Username').fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The first sign-in, with the change of password that it demands. */
export async function signInFirst(page: Page, { url, firstPassword }: Server, path = '/'): Promise<void> {
  await signIn(page, url, 'admin', firstPassword, path);
  await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
  await page.getByRole('textbox', { name: 'Password as it is now' }).fill(firstPassword);
  await page.getByRole('textbox', { name: 'New password', exact: true }).fill(ownPassword);
  await page.getByRole('textbox', { name: 'New password again' }).fill(ownPassword);
  await page.getByRole('button', { name: 'Change and go on' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

/** A way through the navigation, as an administrator of the seed's page takes it. */
export async function goTo(page: Page, ...words: string[]): Promise<void> {
  const navigation = page.getByRole('navigation', { name: 'Main' });
  const [place, ...under] = words;
  if (under.length === 0) await navigation.getByRole('link', { name: place!, exact: true }).click();
  else {
    const entry = navigation.locator('> div > div', { has: page.getByRole('link', { name: place!, exact: true }) });
    await entry.getByRole('link', { name: under[0]!, exact: true }).click();
  }
}

/** Calls that the contract does not describe. */
export function undescribed(calls: Iterable<string>): string[] {
  const known = operations.map(({ method, path }) => {
    return new RegExp(`^${method.toUpperCase()} ${path.replace(/\./g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
  });
  return [...calls].filter((call) => !known.some((form) => form.test(call)));
}

/** Waits until something holds, for what happens on a server and is not shown. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (await holds()) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  assert.fail(`it did not come to be: ${what}`);
}
