import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { openPostgresStore } from './postgres.ts';
import { openSqliteStore } from './sqlite.ts';
import type { StatementHook, Store } from './store.ts';

/** Where the data is: a PostgreSQL URL, or a SQLite file (made, with its folder, when it is not there). */
export type StoreLocation = { url: string } | { file: string };

/**
 * Opens the store without touching its schema; `migrateStore` does that. Rejects when the database cannot be reached.
 * `durability: 'none'` lets a SQLite database be lost when the machine stops: for tests that make thousands of them.
 */
export async function openStore(options: {
  location: StoreLocation;
  clock: Clock;
  log: Logger;
  time?: 'database' | 'clock';
  durability?: 'full' | 'none';
  onStatement?: StatementHook;
}): Promise<Store> {
  const { location, clock, log, durability = 'full', onStatement } = options;
  const hook = onStatement ? { onStatement } : {};
  if ('url' in location) {
    return openPostgresStore({ url: location.url, clock, log, time: options.time ?? 'database', ...hook });
  }
  mkdirSync(dirname(location.file), { recursive: true });
  return openSqliteStore({ file: location.file, clock, durability, ...hook });
}
