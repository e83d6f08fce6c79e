import { buildConsole, describeBundle, isConsoleStale } from './bundle.ts';

// `node console/build.ts [--if-stale]`: builds the console into dist/console, and says how large it is.

if (!process.argv.includes('--if-stale') || isConsoleStale()) {
  const started = performance.now();
  process.stderr.write('building the console …\n');
  const bundle = await buildConsole();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  process.stderr.write(`the console is built after ${seconds} s: ${describeBundle(bundle)}\n`);
}
