import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { parseArgs } from 'node:util';
import { startPostgres } from './postgres.ts';
import { reportTests } from './report.ts';

// `npm test [-- [--name PATTERN] [--list] [PART OF A PATH, FOLDER or FILE ...]]`
// Starts one PostgreSQL server for the run, runs the test files two at a time, and stops everything.

const root = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    verbose: { type: 'boolean', short: 'v' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) {
  console.log(`npm test -- [PATH ...] [--name PATTERN] [--list] [--verbose]

  PATH             a file, a folder, or part of a path below test/; without any, everything runs
  --name PATTERN   only tests whose name matches this regular expression
  --list           print the files that would run
  --verbose        print every test, not only files and failures

  npm test -- test/store
  npm test -- migrations --name concurrent`);
  process.exit(0);
}

const files = selectFiles(positionals);
if (files.length === 0) {
  console.error(`no test file matches ${positionals.join(' ') || 'test/**/*.test.ts'}`);
  process.exit(1);
}
if (values.list) {
  for (const file of files) console.log(relative(root, file));
  process.exit(0);
}

const started = performance.now();
// Browser tests look at the console as it is built, in a browser that is unpacked once for all of them.
const looks = files.some((file) => relative(root, file).startsWith('test/console/'));
const browserFolder = looks ? mkdtempSync(join(tmpdir(), 'purvey-browser-')) : undefined;
if (browserFolder !== undefined) {
  process.env.PURVEY_TEST_BROWSER = browserFolder;
  const { buildConsole, describeBundle, isConsoleStale } = await import('../console/bundle.ts');
  const { unpackChromium } = await import('./console/browser.ts');
  await unpackChromium(browserFolder);
  if (isConsoleStale()) console.log(`the console is built: ${describeBundle(await buildConsole())}`);
}
const postgres = await startPostgres();
process.env.PURVEY_TEST_POSTGRES = postgres.url;
console.log(
  `PostgreSQL is up after ${((performance.now() - started) / 1000).toFixed(1)} s; ${files.length} test files`,
);

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => abort.abort());

const stream = run({
  files,
  cwd: root,
  concurrency: 2,
  // For one test; a file that does not end is ended by the watchdog.
  timeout: 120_000,
  execArgv: ['network', 'watchdog'].flatMap((name) => ['--import', new URL(`./${name}.ts`, import.meta.url).href]),
  signal: abort.signal,
  ...(values.name ? { testNamePatterns: values.name.map((pattern) => new RegExp(pattern, 'i')) } : {}),
});
const result = await reportTests(stream, { root, verbose: values.verbose ?? false, out: console.log });
await postgres.stop();
if (browserFolder !== undefined) rmSync(browserFolder, { recursive: true, force: true });

const seconds = ((performance.now() - started) / 1000).toFixed(1);
if (result.passed === 0) console.log('no test ran');
console.log(
  `tests: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped, ${result.todo} to do in ${seconds} s`,
);
process.exit(result.failed > 0 || result.passed === 0 || abort.signal.aborted ? 1 : 0);

function selectFiles(wanted: readonly string[]): string[] {
  const all = globSync('test/**/*.test.ts', { cwd: root }).sort();
  const chosen = all.filter((file) => wanted.length === 0 || wanted.some((part) => matches(file, part)));
  return chosen.map((file) => join(root, file));
}

function matches(file: string, part: string): boolean {
  const path = resolve(root, part);
  if (existsSync(path)) {
    const own = relative(root, path);
    return statSync(path).isDirectory() ? file.startsWith(`${own}/`) : file === own;
  }
  return file.includes(part);
}
