import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of its own that said where it listens. `stop` ends it; doing so again is safe. */
export type Running = { url: string; pid: number; stop(): Promise<void> };

/** Starts a program of this repository and waits for its first line, JSON with `url`. */
export async function startProcess(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const { url } = await readFirstLine(child, program);
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
  return { url, pid: child.pid!, stop } satisfies Running;
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

/** A whole Purvey with SQLite in a temporary folder, which `stop` removes. */
export async function startPurveyProcess(): Promise<PurveyProcess> {
  const data = mkdtempSync(join(tmpdir(), 'purvey-bench-'));
  const server = await startProcess('../src/cli/purvey.ts', ['serve', '--json', '--port', '0', '--data', data], {
    PURVEY_LOG: 'warn',
    DATABASE_URL: '',
  });
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
      rmSync(data, { recursive: true, force: true });
    },
  };
}
