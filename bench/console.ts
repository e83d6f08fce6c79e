import { buildConsole } from '../console/bundle.ts';
import { furnish } from '../test/console/pages.ts';
import { openReader, openServer, ownPassword, signIn, signInFirst } from '../test/console/place.ts';

const mostMs = 1_000;

type Paint = { first: number; content: number };

/**
 * The first page of the console in a real browser, nothing of it kept from before: when the first thing is painted, and
 * when the targets are. Mark: first paint under a second.
 */
export async function benchConsole({ quick }: { quick: boolean }): Promise<string> {
  const { javascript, styles } = await buildConsole();
  const [server, reader] = await Promise.all([openServer(), openReader()]);
  const { fake } = await furnish(server);
  try {
    await signInFirst(await reader.open(), server);
    const paints: Paint[] = [];
    for (let n = 0; n < (quick ? 3 : 15); n++) {
      // A window of its own keeps nothing of the others but the session, which it gets by signing in.
      const page = await reader.open();
      await signIn(page, server.url, 'admin', ownPassword, '/settings');
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      const session = await page.context().storageState();
      const fresh = await reader.open();
      await fresh.context().addCookies(session.cookies);
      await fresh.goto(`${server.url}/console/`);
      await fresh.getByRole('article').first().waitFor();
      const paint = (await fresh.evaluate(
        `({ first: performance.getEntriesByName('first-contentful-paint')[0].startTime, content: performance.now() })`,
      )) as Paint;
      paints.push(paint);
      await page.context().close();
      await fresh.context().close();
    }
    const first = middle(paints.map((paint) => paint.first));
    const content = middle(paints.map((paint) => paint.content));
    console.log(`JavaScript of the first page ${kb(javascript)}, styles ${kb(styles)}, compressed`);
    console.log(`first paint: ${paints.map((paint) => Math.round(paint.first)).join(' ')} ms`);
    console.log(`targets shown after ${Math.round(content)} ms`);
    const verdict = first < mostMs ? 'met' : 'missed';
    return `console first paint ${Math.round(first)} ms, mark ${mostMs} ms: ${verdict}`;
  } finally {
    await reader.close();
    await Promise.all([server.stop(), fake.close()]);
  }
}

const kb = (bytes: number) => `${Math.round(bytes / 1_000)} kB`;

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
