import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Summary } from './demo-process.ts';
import { root } from './processes.ts';

const run = promisify(execFile);
const network = new URL('../network.ts', import.meta.url).href;

describe('what is published', () => {
  const folder = mkdtempSync(join(tmpdir(), 'purvey-published-'));
  const place = join(folder, 'package');
  before(async () => {
    await run(process.execPath, [join(root, 'build.ts')], { cwd: root });
    // The console is there: the test run builds it before the first test.
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
    });
    await run('tar', ['-xzf', join(folder, (JSON.parse(stdout) as [{ filename: string }])[0].filename), '-C', folder]);
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const purvey = (...args: string[]) =>
    run(process.execPath, ['--import', network, join(place, 'bin/purvey.mjs'), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, PURVEY_LOG: 'warn' },
    });

  test('has no sources, and the licences of what is taken in', () => {
    assert.equal(existsSync(join(place, 'src')), false);
    const licences = readFileSync(join(place, 'dist/program/licences.txt'), 'utf8');
    assert.match(licences, /^kysely\n.*Permission is hereby granted.*^typebox\n.*Permission is hereby granted/ms);
  });

  test('says its version and helps', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await purvey('--version')).stdout.trim(), version);
    assert.match((await purvey('apply', '--help')).stdout, /--dry-run/);
  });

  test('carries the demo out, with servers of their own', async () => {
    const { stdout } = await purvey('demo', '--once', '--json', '--people', '30', '--data', join(folder, 'demo'));
    const { accounts, done, differences } = JSON.parse(stdout) as Summary;
    assert.deepEqual({ done, differences }, { done: accounts, differences: 0 });
    assert.ok(accounts > 30);
  });

  test('signs people in, who are sent on', async () => {
    const { stdout } = await purvey('demo', '--jit', '--once', '--json', '--data', join(folder, 'jit'));
    const { done, differences } = JSON.parse(stdout) as Summary;
    assert.deepEqual({ done, differences }, { done: 1, differences: 0 });
  });
});
