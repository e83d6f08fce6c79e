import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

// `node build.ts`: the program as it is published, into `dist/program`; `bin/purvey.mjs` starts it.

const root = import.meta.dirname;
const folder = join(root, 'dist/program');

/** What is started as a process or a thread of its own. */
const entries = { purvey: 'src/cli/purvey.ts', 'demo-server': 'src/cli/demo/server.ts', disk: 'src/store/disk.ts' };

/**
 * Libraries that become part of the program: as the hundreds of modules they come in they cost a server 20 MB, in one
 * file with ours nearly nothing. Those written as CommonJS would save nothing.
 */
const takenIn = [
  { name: 'kysely', licence: 'LICENSE' },
  { name: 'typebox', licence: 'license' },
];

const started = performance.now();
const isTakenIn = (id: string) => takenIn.some(({ name }) => id === name || id.startsWith(`${name}/`));
const isOurs = (id: string) => /^[./]/.test(id);
rmSync(folder, { recursive: true, force: true });
await using program = await rolldown({
  cwd: root,
  platform: 'node',
  input: entries,
  external: (id, _from, isResolved) => !isResolved && !isOurs(id) && !isTakenIn(id),
});
await program.write({
  dir: folder,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'parts/[name]-[hash].js',
});
const licences = takenIn.map(({ name, licence }) => {
  return `${name}\n\n${readFileSync(join(root, 'node_modules', name, licence), 'utf8')}`;
});
writeFileSync(join(folder, 'licences.txt'), licences.join('\n'));
process.stderr.write(`the program is built after ${((performance.now() - started) / 1_000).toFixed(1)} s\n`);
