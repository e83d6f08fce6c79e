import type { Compilable, Kysely } from 'kysely';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Statement, Tx } from './store.ts';

/**
 * Gives `work` the `Tx` (or `Reading`) of one use of a connection and takes it back when `work` ends: a statement that
 * comes later, from a forgotten `await`, would run inside somebody else's transaction and is refused.
 *
 * A statement that failed spoils a write, even if `work` swallows the failure: PostgreSQL turns the commit of a spoiled
 * transaction into a silent rollback, so the caller must not be told that it is on disk.
 */
export async function useConnection<T>(
  connection: {
    dialect: Dialect;
    q: Kysely<Schema>;
    /** Database time at the beginning. */
    now: number;
    use: 'read' | 'write';
    execute(sql: string, values: readonly unknown[], how: 'once' | 'prepared'): Promise<unknown[]>;
  },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { dialect, q, now } = connection;
  let ended = false;
  let failure: { error: unknown } | undefined;

  async function execute(sql: string, values: readonly unknown[], how: 'once' | 'prepared'): Promise<unknown[]> {
    if (ended) throw new Error('this transaction or read is over: something in it was not awaited');
    if (failure) throw failure.error;
    try {
      return await connection.execute(sql, values, how);
    } catch (error) {
      if (connection.use === 'write') failure ??= { error };
      throw error;
    }
  }
  const tx: Tx = {
    writes: true,
    dialect,
    q,
    now,
    async all<R>(query: Compilable<R>) {
      const { sql, parameters } = query.compile();
      return (await execute(sql, parameters, 'once')) as R[];
    },
    async first<R>(query: Compilable<R>) {
      const { sql, parameters } = query.compile();
      return (await execute(sql, parameters, 'once'))[0] as R | undefined;
    },
    async run<P extends object, R>(statement: Statement<P, R>, params: P) {
      const { sql, bind } = statement.compileFor(dialect, q);
      return (await execute(sql, bind(params), 'prepared')) as R[];
    },
  };

  try {
    const value = await work(tx);
    if (failure) throw (failure as { error: unknown }).error;
    return value;
  } finally {
    ended = true;
  }
}
