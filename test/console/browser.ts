import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/**
 * The Chromium that npm brought, unpacked once for all processes of a run (`PURVEY_TEST_BROWSER` names where), else
 * for this one. Its own suggested flags would switch web security off, so these are ours.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await unpackChromium(process.env.PURVEY_TEST_BROWSER);
  return chromium.launch({
    executablePath,
    headless: true,
    // No sandbox: the user of a container is often root, and all pages are our own.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--font-render-hinting=none',
    ],
    timeout: 60_000,
  });
}

/** Unpacks it into a folder of that name, unless it is there. */
export async function unpackChromium(folder: string | undefined): Promise<string> {
  const place = folder ?? mkdtempSync(join(tmpdir(), 'purvey-browser-'));
  if (folder === undefined) process.once('exit', () => rmSync(place, { recursive: true, force: true }));
  mkdirSync(place, { recursive: true });
  // The package unpacks into the folder for temporary files, and takes whatever lies there for its own.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = place;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    return await packed.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}
