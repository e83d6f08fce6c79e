import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { readDateTime } from '../base/datetime.ts';
import { fold } from '../base/fold.ts';
import { sqliteDialect } from './dialect.ts';
import { type Disk, openDisk } from './disk.ts';
import type { Schema } from './schema.ts';
import { openSignals } from './signals.ts';
import { openSteadyTime } from './steady-time.ts';
import { type Durable, openBuilder, type StatementHook, type Store, type Tx, UniqueViolation } from './store.ts';
import { useConnection } from './use.ts';

/** Work that stands in line for the writer. */
type Job = {
  work: (tx: Tx) => Promise<unknown>;
  durable: Durable;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
};

/** A job whose commit is in the log: how its caller hears of it, and what it hears if the disk fails. */
type Done = { job: Job; settle: () => void };

/** One commit serves at most this many jobs, and takes no further one after `sliceMs`: the event loop must breathe. */
const jobsPerCommit = 256;
const sliceMs = 10;

/**
 * SQLite in WAL mode: a resolved write is on disk.
 *
 * One connection writes, another reads, so that readers see only what was committed. Writes of one turn of the event
 * loop share a `begin immediate`, each inside its own savepoint.
 *
 * A commit only appends to the log (`synchronous=normal`), and a thread of its own then has the disk keep it, one sync
 * for all commits that came in meanwhile; only then their callers hear of it. With `synchronous=full` SQLite does the
 * same before `commit` returns, and the event loop stands still for it: measured 0.2 ms each on a quiet disk, and 4 ms
 * on a busy one, which at 200 commits a second was most of the time there is. What a power cut takes is in both cases
 * the end of the log, whole commits from the last one back, and nothing that was told. A reader may see a commit that
 * is still on its way to the disk.
 */
export function openSqliteStore(options: {
  file: string;
  clock: Clock;
  durability: 'full' | 'none';
  onStatement?: StatementHook;
  /** For tests of a disk that is slow or fails. */
  disk?: (log: string) => Disk;
}): Store {
  const { file, clock, onStatement } = options;
  const writer = connect(file, 'write', options.durability);
  const reader = connect(file, 'read');
  const q = openBuilder(sqliteDialect);
  const signals = openSignals();
  const now = openSteadyTime(clock);
  const useWriter = openConnection(writer, 'write', q, now, onStatement);
  const useReader = openConnection(reader, 'read', q, now, onStatement);
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
  /** Where the log is SQLite says itself: it follows links. */
  const disk = options.durability === 'full' ? (options.disk ?? openDisk)(`${writer.location()}-wal`) : undefined;
  const unsynced: Done[] = [];
  let syncing: Promise<void> | undefined;
  /** After a sync that failed nobody knows what the disk has: nothing more is promised until the next start. */
  let broken: Error | undefined;

  /** One commit. Whatever ends the transaction as a whole rejects every job in it: none of them happened. */
  async function commitBatch(): Promise<void> {
    const taken: Job[] = [];
    const done: Done[] = [];
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
        done.push({ job, settle });
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
    for (const one of done) {
      if (disk === undefined || one.job.durable === 'later') one.settle();
      else unsynced.push(one);
    }
    if (disk !== undefined && unsynced.length > 0) syncing ??= syncAll(disk);
  }

  async function syncAll(disk: Disk): Promise<void> {
    while (unsynced.length > 0) {
      const waiting = unsynced.splice(0);
      try {
        if (broken) throw broken;
        await disk.sync();
        for (const { settle } of waiting) settle();
      } catch (error) {
        const what =
          'the disk did not keep what was written, and nothing more is written until Purvey is started again';
        broken ??= new Error(`${what}: ${(error as Error).message}`, { cause: error });
        for (const { job } of waiting) job.reject(broken);
      }
    }
    syncing = undefined;
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
    now,
    write<T>(work: (tx: Tx) => Promise<T>, { durable = 'now' }: { durable?: Durable } = {}): Promise<T> {
      if (broken) return Promise.reject(broken);
      if (closed) return Promise.reject(new Error('the store is closed'));
      return new Promise<T>((resolve, reject) => {
        queue.push({ work, durable, resolve: resolve as (value: unknown) => void, reject });
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
      while (pumping || syncing) await (pumping ?? syncing);
      await disk?.close();
      // The last connection folds the log into the file, and only the writer can.
      reader.close();
      writer.close();
    },
  };
}

/** Pages that a connection keeps, in KB; what it drops the operating system still has. */
const cacheKb = 8_000;

function connect(file: string, mode: 'read' | 'write', durability: 'full' | 'none' = 'full'): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000, readOnly: mode === 'read' });
  if (mode === 'write')
    db.exec(
      `pragma journal_mode = wal; pragma synchronous = ${durability === 'full' ? 'normal' : 'off'}; pragma wal_autocheckpoint = 4000;`,
    );
  db.exec(`pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -${cacheKb};`);
  db.function('fold', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : text));
  db.function('moment', { deterministic: true }, (text) =>
    typeof text === 'string' ? (readDateTime(text) ?? null) : null,
  );
  return db;
}

/** What a connection gives out for one transaction or read: see `useConnection`. */
function openConnection(
  db: DatabaseSync,
  use: 'read' | 'write',
  q: Kysely<Schema>,
  now: () => number,
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
      { dialect: sqliteDialect, q, now: now(), use, execute: async (sql, values) => execute(sql, values) },
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
