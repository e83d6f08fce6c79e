import { globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = resolve(import.meta.dirname, '..');
export const consoleFolder = join(root, 'dist/console');

/** Compressed JavaScript of the first page at most, in bytes. */
export const mostJavaScript = 350_000;

export type Bundle = { javascript: number; styles: number };

/** Whether there is no build, or one that is older than what it is made from. */
export function isConsoleStale(): boolean {
  const page = statSync(join(consoleFolder, 'index.html'), { throwIfNoEntry: false });
  if (!page) return true;
  const sources = globSync(['console/**/*', 'src/contract/*.ts', 'package-lock.json'], { cwd: root });
  return sources.some((file) => statSync(join(root, file)).mtimeMs > page.mtimeMs);
}

/**
 * Builds the console into `dist/console`, beside it first, so that nobody is served half of one. Answers how much the
 * first page loads, in compressed bytes.
 */
export async function buildConsole(): Promise<Bundle> {
  const { build } = await import('vite');
  const { default: react } = await import('@vitejs/plugin-react');
  const fresh = `${consoleFolder}.${process.pid}.new`;
  await build({
    configFile: false,
    root: import.meta.dirname,
    base: '/console/',
    logLevel: 'error',
    plugins: [react()],
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: 'es2022',
      manifest: 'manifest.json',
      chunkSizeWarningLimit: 1_000,
    },
  });
  const bundle = compress(fresh);
  mkdirSync(consoleFolder, { recursive: true });
  const old = `${consoleFolder}.${process.pid}.old`;
  renameSync(consoleFolder, old);
  renameSync(fresh, consoleFolder);
  rmSync(old, { recursive: true });
  return bundle;
}

type Manifest = Record<string, { file: string; css?: string[]; imports?: string[]; isEntry?: boolean }>;

function compress(folder: string): Bundle {
  const size = new Map<string, number>();
  for (const name of globSync('{assets/*,scheme.js,icon.svg}', { cwd: folder })) {
    const file = join(folder, name);
    const text = readFileSync(file);
    const small = gzipSync(text, { level: 9 });
    size.set(name, small.length);
    writeFileSync(`${file}.gz`, small);
    writeFileSync(`${file}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  }
  const manifestFile = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest;
  rmSync(manifestFile);
  const scripts = new Set<string>();
  const styles = new Set<string>();
  const follow = (key: string) => {
    const chunk = manifest[key]!;
    if (scripts.has(chunk.file)) return;
    scripts.add(chunk.file);
    for (const css of chunk.css ?? []) styles.add(css);
    for (const each of chunk.imports ?? []) follow(each);
  };
  // The page that is opened first is loaded beside the entry.
  for (const [key, { isEntry }] of Object.entries(manifest)) if (isEntry || key === firstPage) follow(key);
  const sum = (names: Set<string>) => [...names].reduce((total, name) => total + (size.get(name) ?? 0), 0);
  return { javascript: sum(scripts), styles: sum(styles) };
}

const firstPage = 'pages/home.tsx';

/** Throws when the first page is larger than it may be. */
export function describeBundle({ javascript, styles }: Bundle): string {
  const kb = (bytes: number) => `${Math.round(bytes / 1_000)} kB`;
  if (javascript > mostJavaScript) {
    throw new Error(
      `the first page loads ${kb(javascript)} of compressed JavaScript; ${kb(mostJavaScript)} is the most`,
    );
  }
  return `the first page loads ${kb(javascript)} of JavaScript and ${kb(styles)} of styles, compressed`;
}
