import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '../..');
const command = [
  '--import',
  new URL('../network.ts', import.meta.url).href,
  join(root, 'src/cli/purvey.ts'),
  'demo',
  '--json',
];

export type Summary = Record<
  'users' | 'groups' | 'accounts' | 'done' | 'pending' | 'parked' | 'differences' | 'seconds',
  number
>;

/** A demo's folder, and what lies in it. Whatever still runs there is killed when it is disposed of. */
export type DemoBed = {
  folder: string;
  run(...options: string[]): DemoProcess;
  /** The process ids of the servers, as their data folders name them. */
  serverPids(): number[];
  /** `loading`, `changing` … as the demo wrote it down; undefined before that. */
  stage(): string | undefined;
  /** Users and groups in a server's database by `kind life`, tombstones included. Only while it does not run. */
  countSubjects(server: 'acme' | 'partner'): Record<string, number>;
  [Symbol.dispose](): void;
};

export type DemoProcess = {
  child: ChildProcess;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  /** The first line on standard output. Throws when it ends without one. */
  firstLine(): Promise<string>;
};

export function openDemoBed(): DemoBed {
  const folder = mkdtempSync(join(tmpdir(), 'purvey-demo-'));
  const running = new Set<ChildProcess>();
  const serverPids = () =>
    ['acme', 'partner'].flatMap((name) => {
      const file = join(folder, name, 'purvey.db.lock.pid');
      return existsSync(file) ? [Number(readFileSync(file, 'utf8'))] : [];
    });
  return {
    folder,
    serverPids,
    run(...options) {
      const child = spawn(process.execPath, [...command, '--data', folder, ...options], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running.add(child);
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const ended = once(child, 'close').then(([code, signal]) => {
        running.delete(child);
        return { code, signal, stdout, stderr };
      });
      return {
        child,
        ended,
        async firstLine() {
          while (!stdout.includes('\n')) {
            if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${stderr}`);
            await sleep(20);
          }
          return stdout.slice(0, stdout.indexOf('\n'));
        },
      };
    },
    stage() {
      const file = join(folder, 'demo.json');
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { stage: string }).stage : undefined;
    },
    countSubjects(server) {
      const db = new DatabaseSync(join(folder, server, 'purvey.db'), { readOnly: true });
      try {
        const rows = db.prepare('select kind, life, count(*) as n from subjects group by kind, life').all();
        return Object.fromEntries(rows.map((row) => [`${row.kind} ${row.life}`, Number(row.n)]));
      } finally {
        db.close();
      }
    },
    [Symbol.dispose]() {
      for (const child of running) {
        for (const pid of [child.pid!, ...serverPids()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; throws after `withinMs`. */
export async function waitUntil(what: string, condition: () => boolean, withinMs = 30_000): Promise<void> {
  for (const since = performance.now(); !condition(); await sleep(10)) {
    if (performance.now() - since > withinMs) throw new Error(`after ${withinMs} ms still not so: ${what}`);
  }
}
