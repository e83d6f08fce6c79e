import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of its own that said where it listens. `stop` ends it; doing so again is safe. */
export type Running = {
  url: string;
  pid: number;
  /** From starting the process to its first line, in milliseconds. */
  startedInMs: number;
  stop(): Promise<void>;
};

/** Starts a program of this repository and waits for its first line, JSON with `url`. */
export async function startProcess(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const begun = performance.now();
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const { url } = await readFirstLine(child, program);
  const startedInMs = performance.now() - begun;
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    process.off('exit', onExit);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  return { url, pid: child.pid!, startedInMs, stop } satisfies Running;
}

async function readFirstLine(child: ChildProcess, program: string): Promise<{ url: string }> {
  const lines = createInterface({ input: child.stdout! });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => line as string),
    once(child, 'exit').then(() => undefined),
  ]);
  clearTimeout(timer);
  lines.close();
  child.stdout!.resume();
  if (first === undefined) throw new Error(`${program} ended, or said nothing for 30 s`);
  return JSON.parse(first) as { url: string };
}

export type PurveyProcess = Running & {
  /** Bearer token with the scopes admin and scim. */
  token: string;
  /** Calls the admin API; throws when the answer is not 2xx. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
};

/**
 * A whole Purvey with SQLite in a temporary folder, which `stop` removes; or in the folder `data`, which stays.
 * `databaseUrl`: on PostgreSQL instead, with the rest in that folder.
 * `program`: what `buildPurvey` made, else the sources are run as they are.
 * `PURVEY_BENCH_NODE_OPTIONS` is given to its Node, such as `--cpu-prof`.
 */
export async function startPurveyProcess(
  options: { data?: string; program?: string; databaseUrl?: string } = {},
): Promise<PurveyProcess> {
  const nodeOptions = process.env.PURVEY_BENCH_NODE_OPTIONS;
  const data = options.data ?? makeDataFolder();
  const server = await startProcess(
    options.program ?? '../src/cli/purvey.ts',
    ['serve', '--json', '--port', '0', '--data', data],
    {
      PURVEY_LOG: 'warn',
      DATABASE_URL: options.databaseUrl ?? '',
      ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
    },
  );
  const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
  return {
    ...server,
    token,
    async api<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await fetch(`${server.url}/api${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async stop() {
      await server.stop();
      if (options.data === undefined) removeFolder(data);
    },
  };
}

/** Compiles Purvey as it is published and gives the program to start. */
export function buildPurvey(): string {
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, [join(root, 'build.ts')], { stdio: 'inherit' });
  return '../dist/program/purvey.js';
}

export const makeDataFolder = (): string => mkdtempSync(join(tmpdir(), 'purvey-bench-'));

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** What a process has used so far, as the Linux kernel counts it. */
export type Usage = {
  /** Processor time of its main thread: the rest of Node's threads works beside it. */
  cpuSeconds: number;
  /** Memory it occupies now, and the most it ever did, in megabytes (2^20 bytes). */
  residentMb: number;
  peakMb: number;
};

/** Throws where there is no `/proc`: these figures are Linux's. */
export function readUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) / 1024;
  // The first field counts nanoseconds on a processor.
  const [onProcessor] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return { cpuSeconds: Number(onProcessor) / 1e9, residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}
