import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../client.ts';

/**
 * How far a demo came, kept in `demo.json` (mode 0600) of its folder so that `--resume` can go on. Each stage begins
 * once what comes before it is done for good; a demo that ended while `preparing` has loaded nobody and starts over.
 */
export type DemoRecord = {
  stage: 'preparing' | 'loading' | 'changing' | 'done';
  people: number;
  /** Where the servers listened; tried first when they start again. */
  ports: { acme: number; partner: number };
  /** Of the administrator `admin` of each. */
  passwords: { acme: string; partner: string };
  /** What Acme signs in to Partner with. */
  partnerToken: string;
};

export function writeRecord(folder: string, record: DemoRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'demo.json');
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

/** `undefined` when no demo was here. Throws `CliError` when the file is broken. */
export function readRecord(folder: string): DemoRecord | undefined {
  const file = join(folder, 'demo.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    const record = JSON.parse(text) as DemoRecord;
    if (['preparing', 'loading', 'changing', 'done'].includes(record.stage) && record.people > 0) return record;
  } catch {
    // Said below.
  }
  throw new CliError(`${file} is broken, so the demo cannot go on from there: start it anew, without --resume`);
}
