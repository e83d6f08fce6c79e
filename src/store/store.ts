import {
  type Compilable,
  type CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteQueryCompiler,
} from 'kysely';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';

/**
 * The database. Rooms never see a connection: a write gets a `Tx`, a read gets a `Reading`, both are gone when the
 * function they were given to ends.
 */
export interface Store {
  readonly dialect: Dialect;
  /**
   * Runs `work` in one transaction and resolves once it is on disk. What `work` throws undoes its own writes and
   * rejects the call; other work that shares the commit is not touched.
   *
   * `work` may be called again after a deadlock or serialization failure, so it must do nothing but read and write
   * through `tx`, and must await nothing else: on SQLite other writes stand in line behind it.
   *
   * With `durable: 'later'` it resolves once it is committed, and the next write that is durable takes it to the disk
   * with it. A power cut may undo it, never without everything that was written after it: for what is then simply
   * worked out again.
   */
  write<T>(work: (tx: Tx) => Promise<T>, options?: { durable?: Durable }): Promise<T>;
  /** Runs `work` on committed data. Each statement sees what was committed when it began. */
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  /** Database time in milliseconds since 1970: one clock for all nodes. */
  now(): number;
  /** Tells listeners here and, soon after, on every other node that there is something new. A hint: never required for correctness. */
  signal(topic: Topic): void;
  /** Calls `listener` on each signal of `topic`; the answer ends it. */
  onSignal(topic: Topic, listener: () => void): () => void;
  close(): Promise<void>;
}

/** Whether a write resolves on disk (`now`) or may still be on its way there (`later`). */
export type Durable = 'now' | 'later';

/** `changes`: there are unplanned changes. `work`: accounts became due. `targets`: a target, binding or identity provider changed. */
export type Topic = 'changes' | 'work' | 'targets';

export interface Reading {
  readonly dialect: Dialect;
  /** Database time when the transaction (or read) began. */
  readonly now: number;
  /** Builds queries; it cannot run them. */
  readonly q: Kysely<Schema>;
  all<R>(query: Compilable<R>): Promise<R[]>;
  first<R>(query: Compilable<R>): Promise<R | undefined>;
  /** Runs a statement that is compiled once per database and kept prepared: for hot paths. */
  run<P extends object, R>(statement: Statement<P, R>, params: P): Promise<R[]>;
}

/** A `Reading` that may also write. The type keeps read-only code from being handed a transaction by mistake the other way round. */
export interface Tx extends Reading {
  readonly writes: true;
}

/** Thrown for a violated unique index, on both databases. `constraint` names the index or its columns as the database says it. */
export class UniqueViolation extends Error {
  readonly constraint: string;
  constructor(constraint: string, cause: unknown) {
    super(`a unique value is already taken (${constraint})`, { cause });
    this.name = 'UniqueViolation';
    this.constraint = constraint;
  }
}

/** Called before each statement with its text; what it throws, the statement throws. For fault tests. */
export type StatementHook = (sql: string) => void;

const param = Symbol('param');
type Marker = { [param]: string };

/** A query with named parameters, compiled at its first use on each database. Made by `prepare`. */
export interface Statement<P extends object, R> {
  /** @internal */
  compileFor(dialect: Dialect, q: Kysely<Schema>): { sql: string; bind(params: P): unknown[] };
  readonly __result?: R;
}

/**
 * A statement from a query builder. `p.name` stands where a parameter goes:
 *
 *     const findByKey = prepare((q, p: { key: string }) =>
 *       q.selectFrom('subjects').selectAll().where('name_key', '=', p.key));
 *     const rows = await tx.run(findByKey, { key: 'ada' });
 *
 * The builder runs once per database, so it must not look at the parameters' values.
 */
export function prepare<P extends object, R>(
  build: (q: Kysely<Schema>, p: P, dialect: Dialect) => Compilable<R> | RawBuilder<R>,
): Statement<P, R> {
  const compiled = new Map<string, { sql: string; bind(params: P): unknown[] }>();
  const markers = new Proxy({} as P, { get: (_, name) => ({ [param]: String(name) }) satisfies Marker });
  return {
    compileFor(dialect, q) {
      let known = compiled.get(dialect.name);
      if (!known) {
        const query: CompiledQuery = build(q, markers, dialect).compile(q);
        const slots = query.parameters.map((value) => {
          const name = (value as Marker | null)?.[param];
          return name === undefined ? { value } : { name };
        });
        known = {
          sql: query.sql,
          bind: (params) =>
            slots.map((slot) =>
              slot.name === undefined ? slot.value : (params as Record<string, unknown>)[slot.name],
            ),
        };
        compiled.set(dialect.name, known);
      }
      return known;
    },
  };
}

/** A Kysely that compiles for `dialect` and refuses to run anything: queries run through a `Tx` only. */
export function openBuilder(dialect: Dialect): Kysely<Schema> {
  const refuse = async () => {
    throw new Error('this builder only builds: hand the query to tx.all or tx.first');
  };
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => (dialect.name === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
      createDriver: () => ({
        init: async () => {},
        acquireConnection: refuse,
        beginTransaction: refuse,
        commitTransaction: refuse,
        rollbackTransaction: refuse,
        releaseConnection: refuse,
        destroy: async () => {},
      }),
      createIntrospector: () => {
        throw new Error('this builder only builds');
      },
      createQueryCompiler: () => (dialect.name === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    },
  });
}
