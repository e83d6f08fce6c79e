import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { postgresDialect } from './dialect.ts';
import { openSignals } from './signals.ts';
import {
  type Durable,
  openBuilder,
  type StatementHook,
  type Store,
  type Topic,
  type Tx,
  UniqueViolation,
} from './store.ts';
import { useConnection } from './use.ts';

const channel = 'purvey';
/** A deadlock or serialization failure is tried again this often before it is the caller's. */
const triesPerWrite = 6;
/**
 * The database ends a transaction in which nothing was said for this long. Transactions wait for nothing but their own
 * statements, so whoever is silent in one has vanished or stands still, and its locks, the planner's among them, are
 * what the other nodes wait for.
 */
const longestSilenceMs = 10_000;
/** A connection of which nothing is heard is asked whether it is still there after this time. */
const keepAliveMs = 10_000;
/** The server's clock may be set, and no two clocks run alike. */
const measureEveryMs = 10_000;
/** NOTIFY inside hot commits halves them, so signals go outside, at most one per topic in this time. */
const notifyEveryMs = 50;

/**
 * PostgreSQL with a pool of connections; any number of nodes. Isolation is READ COMMITTED: code that decides on what
 * it read locks it (`dialect.forUpdate`).
 */
export async function openPostgresStore(options: {
  url: string;
  clock: Clock;
  log: Logger;
  connections?: number;
  /** `clock`: the given clock is the database's time (tests own it). Default: the server's own. */
  time?: 'database' | 'clock';
  onStatement?: StatementHook;
}): Promise<Store> {
  const { url, clock, log, onStatement } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 10,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    idle_in_transaction_session_timeout: longestSilenceMs,
    types: { getTypeParser: parserOf as never },
  });
  pool.on('error', (error) => log.warn({ error: error.message }, 'an idle database connection was lost'));
  // Of a connection that is in use the pool says nothing; unheard, its loss would end the process. Its statement fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  const q = openBuilder(postgresDialect);
  const signals = openSignals();
  const nameOf = openNames();

  /** What the monotonic clock is behind the database's; the wall clock of this machine may step and means nothing. */
  let offset = 0;
  const measureOffset = async () => {
    const before = clock.monotonic();
    const { rows } = await pool.query('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now');
    offset = rows[0].now - (before + clock.monotonic()) / 2;
  };
  const now = options.time === 'clock' ? () => Math.floor(clock.now()) : () => Math.floor(clock.monotonic() + offset);
  const timers: NodeJS.Timeout[] = [];

  const pending = new Set<Topic>();
  let notifying = false;
  async function notify(): Promise<void> {
    if (notifying) return;
    notifying = true;
    while (pending.size > 0 && !closed) {
      const topics = [...pending].join(',');
      pending.clear();
      await pool.query('select pg_notify($1, $2)', [channel, topics]).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, notifyEveryMs).unref());
    }
    notifying = false;
  }
  let closed = false;
  let ear: pg.Client | undefined;
  async function listen(): Promise<void> {
    if (closed) return;
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    });
    client.on('error', () => {});
    client.on('end', () => {
      if (!closed) setTimeout(() => listen().catch(() => {}), 1_000).unref();
    });
    client.on('notification', (message) => {
      for (const topic of (message.payload ?? '').split(',')) signals.emit(topic as Topic);
    });
    await client.connect();
    await client.query(`listen ${channel}`);
    ear = client;
  }
  const connectionOf = (client: pg.ClientBase, use: 'read' | 'write') => ({
    dialect: postgresDialect,
    q,
    now: now(),
    use,
    async execute(sql: string, values: readonly unknown[], how: 'once' | 'prepared'): Promise<unknown[]> {
      onStatement?.(sql);
      try {
        const name = how === 'prepared' ? { name: nameOf(sql) } : {};
        return (await client.query({ ...name, text: sql, values: values as unknown[] })).rows;
      } catch (error) {
        throw translate(error);
      }
    },
  });

  try {
    if (options.time !== 'clock') {
      await measureOffset();
      timers.push(setInterval(() => measureOffset().catch(() => {}), measureEveryMs).unref());
    }
    await listen();
  } catch (error) {
    closed = true;
    for (const timer of timers) clearInterval(timer);
    await pool.end();
    throw error;
  }

  return {
    dialect: postgresDialect,
    now,
    async write<T>(work: (tx: Tx) => Promise<T>, { durable = 'now' }: { durable?: Durable } = {}): Promise<T> {
      const begin = durable === 'now' ? 'begin' : 'begin; set local synchronous_commit to off';
      for (let attempt = 1; ; attempt++) {
        const client = await pool.connect();
        let broken: Error | undefined;
        try {
          await client.query(begin);
          const value = await useConnection(connectionOf(client, 'write'), work);
          onStatement?.('commit');
          await client.query('commit');
          return value;
        } catch (error) {
          await client.query('rollback').catch((lost: Error) => {
            broken = lost;
          });
          if (!isTransient(error) || attempt >= triesPerWrite) throw error;
        } finally {
          client.release(broken);
        }
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
      }
    },
    async read(work) {
      const client = await pool.connect();
      try {
        return await useConnection(connectionOf(client, 'read'), work);
      } finally {
        client.release();
      }
    },
    signal(topic) {
      signals.emit(topic);
      pending.add(topic);
      void notify();
    },
    onSignal: (topic, listener) => signals.on(topic, listener),
    async close() {
      if (closed) return;
      closed = true;
      for (const timer of timers) clearInterval(timer);
      await ear?.end().catch(() => {});
      await pool.end();
    },
  };
}

/** Prepared statements are named by their text, so every connection prepares each at its first use. */
function openNames(): (sql: string) => string {
  const names = new Map<string, string>();
  return (sql) => {
    let name = names.get(sql);
    if (!name) {
      name = createHash('sha256').update(sql).digest('hex').slice(0, 32);
      names.set(sql, name);
    }
    return name;
  };
}

/** `bigint` and its sums as number (ours stay far below 2^53), JSON as the text it is, the rest as the driver has it. */
function parserOf(oid: number, format?: string): unknown {
  if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
  if (oid === pg.types.builtins.JSONB || oid === pg.types.builtins.JSON) return String;
  return pg.types.getTypeParser(oid, format as 'text');
}

function isTransient(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === '40P01' || code === '40001';
}

function translate(error: unknown): unknown {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' ? new UniqueViolation(constraint ?? '', error) : error;
}
