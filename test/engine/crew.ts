import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { DatabaseKind } from '../database.ts';
import { startPostgres } from '../postgres.ts';

/**
 * Long searches are divided among processes of their own, each with a database of its own: one process keeps one
 * processor busy. On PostgreSQL they share a server that is started here.
 */

/** What a process of the crew knows of its part: it takes every `of`-th place from the `nth` (from 0) on. */
export type Share = { nth: number; of: number };

export function readWorkers(text: string | undefined): number | undefined {
  const workers = text === undefined ? Math.min(availableParallelism(), 8) : Number(text);
  return Number.isInteger(workers) && workers >= 1 && workers <= 64 ? workers : undefined;
}

/**
 * Runs `file` once for each worker and hears what they say (`openShift`). After `stop` each ends when it comes to the end of what
 * it is at. Resolves when all have ended; rejects when one ended by a fault, and then the others are ended too.
 */
export async function runCrew<Order, Said>(
  file: URL,
  options: { workers: number; database: DatabaseKind; order: Order; onSaid: (said: Said, stop: () => void) => void },
): Promise<void> {
  const { workers, database, order, onSaid } = options;
  const postgres = database === 'postgres' && !process.env.PURVEY_TEST_POSTGRES ? await startPostgres() : undefined;
  const env = { ...process.env, ...(postgres ? { PURVEY_TEST_POSTGRES: postgres.url } : {}) };
  const crew = Array.from({ length: workers }, (_, nth) =>
    fork(file, [JSON.stringify({ ...order, share: { nth, of: workers } })], { env }),
  );
  const stop = () => {
    for (const one of crew) if (one.connected) one.send('stop');
  };
  try {
    await Promise.all(
      crew.map(
        (one, nth) =>
          new Promise<void>((resolve, reject) => {
            one.on('message', (said) => onSaid(said as Said, stop));
            one.once('error', reject);
            one.once('close', (code, signal) => {
              if (code === 0) resolve();
              else reject(new Error(`worker ${nth} of ${workers} ended by ${signal ?? `a fault (${code})`}`));
            });
          }),
      ),
    );
  } finally {
    for (const one of crew) if (one.exitCode === null && one.signalCode === null) one.kill();
    await postgres?.stop();
  }
}

/** The other side: what this process is to do, and whom it tells. It ends with the process that started it. */
export function openShift<Order, Said>(): {
  order: Order & { share: Share };
  say(said: Said): void;
  readonly stopped: boolean;
  end(): void;
} {
  let stopped = false;
  process.on('message', () => {
    stopped = true;
  });
  process.once('disconnect', () => process.exit(1));
  return {
    order: JSON.parse(process.argv[2]!) as Order & { share: Share },
    say: (said) => void process.send!(said),
    get stopped() {
      return stopped;
    },
    end() {
      process.removeAllListeners('disconnect');
      process.disconnect!();
    },
  };
}

/** Prints how far it is, at most every ten seconds. */
export function openProgress(what: string): (done: number, of: number) => void {
  const started = performance.now();
  let told = started;
  return (done, of) => {
    const now = performance.now();
    if (now - told < 10_000 || done === 0) return;
    told = now;
    const rate = done / ((now - started) / 1_000);
    const left = Math.max(0, of - done) / rate;
    const time = left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`;
    console.log(`${done} of ${of} ${what}, ${rate.toFixed(rate < 10 ? 1 : 0)} a second, ${time} left`);
  };
}
