import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a SQLite database for this process alone, or throws saying who has it. The answer gives it back.
 *
 * The lock is the operating system's, on `<file>.lock`: it ends with the process however that ends, so none is ever
 * left behind and a process id that was used again cannot mislead. The id in `<file>.lock.pid` is for the message only.
 */
export function lockDatabaseFile(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const pidFile = `${file}.lock.pid`;
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    lock.close();
    if (!/locked|busy/.test(String(error))) throw error;
    const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : 'unknown';
    throw new Error(
      `${file} is in use by another Purvey (process ${pid}): stop that one first, or give this one another data folder (PURVEY_DATA)`,
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return () => lock.close();
}
