#!/usr/bin/env node
// Starts the command line on a Node that can run it: this one when it is new enough, else the one of the npm package
// `node`. In the repository it runs the sources; in the published package, which has none, what they were compiled to.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const oldest = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src/cli/purvey.ts');
const entry = existsSync(source) ? source : join(root, 'dist/program/purvey.js');

if (Number(process.versions.node.split('.')[0]) >= oldest) {
  process.argv[1] = entry;
  await import(pathToFileURL(entry).href);
} else {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(`purvey: this is Node ${process.versions.node} and Purvey needs ${oldest} or newer\n`);
    process.exit(1);
  }
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; the child decides when it is over. Other signals are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`purvey: ${node} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

/** The binary of the package `node`, wherever npm put it; undefined without it. */
function findNode() {
  try {
    const folder = dirname(createRequire(join(root, 'package.json')).resolve('node/package.json'));
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}
