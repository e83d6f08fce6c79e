import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFromSources, packageFolder } from '../../base/package.ts';
import { CliError } from '../client.ts';
import type { ServerOrder, ServerReport } from './server.ts';

/** A server of the demo, a process of its own. */
export type DemoServer = {
  name: string;
  url: string;
  data: string;
  logFile: string;
  /** The API token with the scopes `admin scim`. */
  token: string;
  /** Of `admin`; only when this start made it. */
  firstPassword: string | undefined;
};

export type DemoServers = {
  /**
   * Starts one. `port` when it is free, else another, saying so. With `empty` what was in its folder goes first. Data
   * that is still in use, as by a demo that was killed and whose servers are ending, is waited for a little. Throws
   * `CliError`.
   */
  start(name: string, options: { port: number; data: string; empty: boolean }): Promise<DemoServer>;
  /** Ends all, by their process ids; after ten seconds by force. Safe to repeat. */
  stop(): Promise<void>;
};

const patienceMs = 6_000;

/** `died` is told when a server ends by itself, `say` what a person should know. `signal` ends all waiting. */
export function openServers(parts: {
  died: (why: CliError) => void;
  say: (line: string) => void;
  signal: AbortSignal;
}): DemoServers {
  const children = new Set<ChildProcess>();
  let isStopping = false;
  const file = join(packageFolder, isFromSources ? 'src/cli/demo/server.ts' : 'dist/program/demo-server.js');

  async function tryStart(name: string, order: ServerOrder, logFile: string): Promise<ServerReport> {
    const log = openSync(logFile, order.empty ? 'w' : 'a', 0o600);
    const child = fork(file, [JSON.stringify(order)], { stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    children.add(child);
    // What it reported last may be read after its end was noticed, but always before the channel is closed.
    const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
      ([[code, signal]]): ServerReport => {
        children.delete(child);
        return { failure: `it ended at once (${signal ?? code}); ${logFile} may say why`, why: 'other' };
      },
    );
    const first = await Promise.race([once(child, 'message').then(([message]) => message as ServerReport), ended]);
    if ('failure' in first) await ended;
    else {
      void ended.then(() => {
        if (!isStopping) parts.died(new CliError(`the server ${name} ended by itself: ${logFile} may say why`));
      });
    }
    return first;
  }

  return {
    async start(name, { port, data, empty }) {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      const logFile = join(data, 'purvey.log');
      const since = performance.now();
      const order = { port, data, empty };
      for (let told = false; ; ) {
        parts.signal.throwIfAborted();
        const report = await tryStart(name, order, logFile);
        if (!('failure' in report)) {
          const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
          const { url, firstPassword } = report;
          return { name, url, data, logFile, token, firstPassword };
        }
        if (report.why === 'port-taken' && order.port !== 0) {
          parts.say(`port ${order.port} is taken, so ${name} listens on another`);
          order.port = 0;
        } else if (report.why === 'data-in-use' && performance.now() - since < patienceMs) {
          if (!told) parts.say(`${report.failure}. Waiting a little, in case it is just ending …`);
          told = true;
          await sleep(250, undefined, { signal: parts.signal });
        } else {
          throw new CliError(`the server ${name} does not start: ${report.failure}`);
        }
      }
    },
    async stop() {
      isStopping = true;
      await Promise.all(
        [...children].map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
          await ended;
          clearTimeout(force);
        }),
      );
    },
  };
}
