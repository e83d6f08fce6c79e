import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
const command = join(root, 'bin/purvey.mjs');

export type Ended = { code: number | null; out: string; err: string };

/** A clean environment: nothing of the one the tests run in reaches the command, except how to find programs. */
function environment(more: Record<string, string>): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: tmpdir(), PURVEY_LOG: 'warn', ...more };
}

/** Runs `purvey …` to its end; its standard output is a pipe. */
export function runPurvey(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string; node?: string; cwd?: string } = {},
): Promise<Ended> {
  const { env = {}, input, node = process.execPath, cwd = root } = options;
  const child = spawn(node, [command, ...args], { cwd, env: environment(env), stdio: 'pipe' });
  child.stdin.end(input ?? '');
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  return new Promise((done, fail) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('error', fail);
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code, out, err });
    });
  });
}

export type Served = {
  url: string;
  firstPassword: string | undefined;
  /** From the start of the process to the line that says where it listens. */
  ms: number;
  child: ChildProcess;
  /** All it printed so far, on both streams. */
  printed(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** `purvey serve` on a free port; rejects with what it printed when it ends before it listens. */
export function serve(data: string, env: Record<string, string> = {}, node = process.execPath): Promise<Served> {
  const started = performance.now();
  const child = spawn(node, [command, 'serve', '--json'], {
    cwd: root,
    env: environment({ PURVEY_DATA: data, PURVEY_PORT: '0', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  const ended = new Promise<number | null>((done) => child.on('close', done));
  child.stderr.on('data', (text) => {
    err += text;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    ended.then((code) => fail(new Error(`serve ended with ${code}: ${out}${err}`)));
    child.stdout.on('data', (text) => {
      out += text;
      const line = /^(\{.*\})\n/.exec(out)?.[1];
      if (line === undefined) return;
      const { url, firstPassword } = JSON.parse(line) as { url: string; firstPassword?: string };
      done({
        url,
        firstPassword,
        ms: performance.now() - started,
        child,
        printed: () => out + err,
        stop(signal = 'SIGTERM') {
          child.kill(signal);
          return ended;
        },
      });
    });
  });
}

/** A folder of its own under the system's temporary one. */
export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'purvey-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
