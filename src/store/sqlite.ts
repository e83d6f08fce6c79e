import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { sqliteDialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import { openSignals } from './signals.ts';
import { openBuilder, type StatementHook, type Store, type Tx, UniqueViolation } from './store.ts';
import { useConnection } from './use.ts';

/** Work that stands in line for the writer. */
type Job = { work: (tx: Tx) => Promise<unknown>; resolve: (value: unknown) => void; reject: (error: unknown) => void };

/** One commit serves at most this many jobs, and takes no further one after `sliceMs`: the event loop must breathe. */
const jobsPerCommit = 256;
const sliceMs = 10;

/**
 * SQLite in WAL mode with `synchronous=FULL`: a resolved write is on disk.
 *
 * One connection writes, another reads, so that readers see only what was committed. Writes of one turn of the event
 * loop share a `begin immediate` (one fsync serves many), each inside its own savepoint. Measured on two cores: 0.23 ms
 * a commit, so shared commits are worth a factor of ten at a door under load.
 */
export function openSqliteStore(options: {
  file: string;
  clock: Clock;
  durability: 'full' | 'none';
  onStatement?: StatementHook;
}): Store {
  const { file, clock, onStatement } = options;
  const writer = connect(file, 'write', options.durability);
  const reader = connect(file, 'read');
  const q = openBuilder(sqliteDialect);
  const signals = openSignals();
  const useWriter = openConnection(writer, 'write', q, clock, onStatement);
  const useReader = openConnection(reader, 'read', q, clock, onStatement);
  const say = (sql: string) => {
    const statement = writer.prepare(sql);
    return () => {
      onStatement?.(sql);
      statement.run();
    };
  };
  const begin = say('begin immediate');
  const commit = say('commit');
  const rollback = say('rollback');
  const savepoint = say('savepoint job');
  const release = say('release job');
  const undo = say('rollback to job');

  const queue: Job[] = [];
  let pumping: Promise<void> | undefined;
  let closed = false;

  /** One commit. Whatever ends the transaction as a whole rejects every job in it: none of them happened. */
  async function commitBatch(): Promise<void> {
    const taken: Job[] = [];
    const tell: (() => void)[] = [];
    const started = clock.monotonic();
    try {
      if (writer.isTransaction) rollback();
      begin();
      while (
        queue.length > 0 &&
        taken.length < jobsPerCommit &&
        (taken.length === 0 || clock.monotonic() - started < sliceMs)
      ) {
        const job = queue.shift()!;
        taken.push(job);
        savepoint();
        let settle: () => void;
        try {
          const value = await useWriter(job.work);
          settle = () => job.resolve(value);
        } catch (error) {
          undo();
          settle = () => job.reject(error);
        }
        release();
        tell.push(settle);
      }
      commit();
    } catch (error) {
      if (taken.length === 0) taken.push(...queue.splice(0));
      for (const job of taken) job.reject(error);
      // The callers hear why it failed. A rollback that fails too is tried again before the next transaction.
      try {
        if (writer.isTransaction) rollback();
      } catch {}
      return;
    }
    for (const settle of tell) settle();
  }

  async function pump(): Promise<void> {
    while (queue.length > 0) {
      await commitBatch();
      await new Promise((resolve) => setImmediate(resolve));
    }
    pumping = undefined;
  }

  return {
    dialect: sqliteDialect,
    now: () => clock.now(),
    write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(new Error('the store is closed'));
      return new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
        pumping ??= new Promise<void>((done) => setImmediate(done)).then(pump);
      });
    },
    async read(work) {
      if (closed) throw new Error('the store is closed');
      return useReader(work);
    },
    signal: (topic) => signals.emit(topic),
    onSignal: (topic, listener) => signals.on(topic, listener),
    async close() {
      if (closed) return;
      closed = true;
      while (pumping) await pumping;
      // The last connection folds the log into the file, and only the writer can.
      reader.close();
      writer.close();
    },
  };
}

function connect(file: string, mode: 'read' | 'write', durability: 'full' | 'none' = 'full'): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000, readOnly: mode === 'read' });
  if (mode === 'write')
    db.exec(
      `pragma journal_mode = wal; pragma synchronous = ${durability === 'full' ? 'full' : 'off'}; pragma wal_autocheckpoint = 4000;`,
    );
  db.exec('pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -16000;');
  db.function('fold', { deterministic: true }, (text) =>
    typeof text === 'string' ? text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ') : text,
  );
  return db;
}

/** What a connection gives out for one transaction or read: see `useConnection`. */
function openConnection(
  db: DatabaseSync,
  use: 'read' | 'write',
  q: Kysely<Schema>,
  clock: Clock,
  onStatement: StatementHook | undefined,
) {
  const statements = new Map<string, StatementSync>();
  const execute = (sql: string, params: readonly unknown[]): unknown[] => {
    onStatement?.(sql);
    try {
      let statement = statements.get(sql);
      if (!statement) {
        statement = db.prepare(sql);
        // Ad-hoc filters make ever new texts; the hot ones come back at once after a clear.
        if (statements.size > 500) statements.clear();
        statements.set(sql, statement);
      }
      return statement.all(...(params.map(bindable) as never[]));
    } catch (error) {
      throw translate(error);
    }
  };
  return <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    useConnection(
      { dialect: sqliteDialect, q, now: clock.now(), use, execute: async (sql, values) => execute(sql, values) },
      work,
    );
}

/** What SQLite can bind: flags become 0 and 1, an absent value becomes null. */
function bindable(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value;
}

function translate(error: unknown): unknown {
  const { errcode, message } = error as { errcode?: number; message?: string };
  // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY.
  if (errcode === 2067 || errcode === 1555) {
    return new UniqueViolation(message?.replace(/^UNIQUE constraint failed: /, '') ?? '', error);
  }
  return error;
}
