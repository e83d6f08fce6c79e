import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { buildConsole, isConsoleStale } from '../../console/bundle.ts';
import { furnishDemo } from './demo-data.ts';
import { openReader, openServer, ownPassword, signIn, signInFirst } from './place.ts';

// `npm run screenshots [-- PAGE ...]`: a picture of every page, light and dark, wide and narrow, into docs/images.

const folder = resolve(import.meta.dirname, '../../docs/images');
const { positionals } = parseArgs({ allowPositionals: true });
const looks = [
  { word: '', width: 1280, scheme: 'light' },
  { word: '-dark', width: 1280, scheme: 'dark' },
  { word: '-narrow', width: 390, scheme: 'light' },
  { word: '-narrow-dark', width: 390, scheme: 'dark' },
] as const;

if (isConsoleStale()) await buildConsole();
const [acme, partner, reader] = await Promise.all([openServer(), openServer(), openReader()]);
let pages: Awaited<ReturnType<typeof furnishDemo>>;
try {
  pages = await furnishDemo(acme, partner, (line) => console.log(line));
  if (positionals.length === 0) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const first = await reader.open();
  await first.goto(`${acme.url}/console/`);
  await first.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signInFirst(first, acme);
  for (const { word, width, scheme } of looks) {
    const page = await reader.open({ width, scheme });
    await page.goto(`${acme.url}/console/`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await take(page, `sign-in${word}`);
    await signIn(page, acme.url, 'admin', ownPassword);
    await page.locator('#content').waitFor();
    for (const { name, path, prepare } of pages) {
      if (path.startsWith('http')) {
        await page.context().clearCookies({ name: 'purvey-oauth' });
        await page.goto(path);
        await page.getByRole('heading').first().waitFor();
        await prepare?.(page);
        await take(page, `${name}${word}`);
        continue;
      }
      await page.goto(`${acme.url}/console${path}`);
      await page.locator('#content').getByRole('heading').first().waitFor();
      await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' });
      await reader.loaded(page);
      await prepare?.(page);
      await take(page, `${name}${word}`);
    }
  }
  if (reader.faults.length > 0) throw new Error(`the pages had faults: ${reader.faults.join('; ')}`);
  console.log(`the pictures are in ${folder}`);
} finally {
  await reader.close();
  await Promise.all([acme.stop(), partner.stop()]);
}

async function take(page: Page, name: string): Promise<void> {
  if (positionals.length > 0 && !positionals.some((part) => name.startsWith(part))) return;
  writeFileSync(join(folder, `${name}.png`), await page.screenshot());
}
