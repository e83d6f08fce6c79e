import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, storeFile } from '../../config.ts';
import { StartError, startPurvey } from '../../main.ts';
import { lockDatabaseFile } from '../../store/lock.ts';

/**
 * One of the demo's two servers, as a process of its own. It is told what to do by one argument and reports by one
 * message. It ends when it is told to or when the demo is no more, however that ended.
 */
export type ServerOrder = { port: number; data: string; empty: boolean };
export type ServerReport =
  | { url: string; firstPassword: string | undefined }
  | { failure: string; why: 'port-taken' | 'data-in-use' | 'other' };

const order = JSON.parse(process.argv[2] ?? '') as ServerOrder;

// A terminal sends Ctrl-C to everyone; the demo decides when its servers end.
process.on('SIGINT', () => {});
process.umask(0o077);

const report = (message: ServerReport) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

try {
  // Nothing of the caller's environment: DATABASE_URL is meant for another server.
  const config = readConfig({ PURVEY_PORT: String(order.port), PURVEY_DATA: order.data, PURVEY_LOG: 'info' }, {});
  if (order.empty) emptyFolder(config.data, storeFile(config));
  const purvey = await startPurvey(config);
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), 10_000).unref();
    await purvey.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  if (!process.connected) await stop();
  await report({ url: purvey.url, firstPassword: purvey.firstPassword });
} catch (error) {
  const { message, stack, cause } = error as Error & { cause?: { code?: string } };
  const why =
    cause?.code === 'EADDRINUSE' ? 'port-taken' : /is in use by another/.test(message) ? 'data-in-use' : 'other';
  if (why === 'other' && !(error instanceof StartError)) process.stderr.write(`${stack}\n`);
  if (process.connected) await report({ failure: message, why });
  process.exit(1);
}

/** Removes what a server keeps, and only that, while nobody uses it. */
function emptyFolder(data: string, database: string): void {
  const unlock = lockDatabaseFile(database);
  try {
    for (const file of [database, `${database}-wal`, `${database}-shm`]) rmSync(file, { force: true });
    for (const name of ['key', 'admin-token']) rmSync(join(data, name), { force: true });
  } finally {
    unlock();
  }
}
