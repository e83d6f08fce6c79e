import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe } from 'node:test';
import pg from 'pg';
import { type Clock, systemClock } from '../src/base/clock.ts';
import { openLog } from '../src/base/log.ts';
import { migrateStore } from '../src/store/migrate.ts';
import { openStore, type StoreLocation } from '../src/store/open.ts';
import type { StatementHook, Store } from '../src/store/store.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

export type DatabaseKind = 'sqlite' | 'postgres';

export const databaseKinds: readonly DatabaseKind[] = ['sqlite', 'postgres'];

export type OpenOptions = {
  /** Default: the system's. */
  clock?: Clock;
  /** `clock`: database time is the clock's, so that a test owns it. Default: the database's own. */
  time?: 'database' | 'clock';
  /** Called before each statement; what it throws, the statement throws. It is not called while migrating. */
  onStatement?: StatementHook;
  /** `full`: a write to SQLite resolves on disk, as in a server. Default `none`: in the file, which outlives the process. */
  durability?: 'full' | 'none';
  /**
   * `socket`: PostgreSQL is reached by its socket in the file system, for tests that ask it very much: half the work of
   * the network for both sides. Default: the network, as users have it.
   */
  by?: 'network' | 'socket';
  /** `empty`: without any table. Default: `migrated`. */
  schema?: 'migrated' | 'empty';
};

export type Bed = {
  readonly kind: DatabaseKind;
  /** A store on a fresh database of its own. Opened inside a test it is closed after the test, else after the suite. */
  open(options?: OpenOptions): Promise<Store>;
  /** Where a store of this bed has its data: for another process, or for a second store. */
  locationOf(store: Store): StoreLocation;
  /** Another store on the same database: a second node, or a restart after `store.close()`. */
  openAgain(store: Store, options?: Omit<OpenOptions, 'schema'>): Promise<Store>;
};

/** Describes the same tests twice: on SQLite and on PostgreSQL. */
export function eachDatabase(name: string, body: (bed: Bed) => void): void {
  for (const kind of databaseKinds) describe(`${name} (${kind})`, () => body(makeBed(kind)));
}

/** Describes tests for one database: for what only that one promises. */
export function oneDatabase(kind: DatabaseKind, name: string, body: (bed: Bed) => void): void {
  describe(`${name} (${kind})`, () => body(makeBed(kind)));
}

function makeBed(kind: DatabaseKind): Bed {
  const ofSuite: TestStore[] = [];
  const ofTest: TestStore[] = [];
  let opened = ofSuite;
  const closeAll = async (stores: TestStore[]) => {
    for (const each of stores.splice(0).reverse()) await each.remove();
  };
  beforeEach(() => {
    opened = ofTest;
  });
  afterEach(async () => {
    opened = ofSuite;
    await closeAll(ofTest);
  });
  after(() => closeAll(ofSuite));

  const find = (store: Store) => {
    const known = [...ofTest, ...ofSuite].find((each) => each.store === store);
    if (!known) throw new Error('this store was not opened by this bed, or its test is over');
    return known;
  };
  return {
    kind,
    async open(options) {
      const fresh = await openTestStore(kind, options);
      opened.push(fresh);
      return fresh.store;
    },
    locationOf: (store) => find(store).location,
    async openAgain(store, options = {}) {
      const { location } = find(store);
      const again = await openAt(location, options);
      opened.push({ store: again, location, remove: () => again.close() });
      return again;
    },
  };
}

export type TestStore = {
  store: Store;
  location: StoreLocation;
  /** Closes the store and removes its database. */
  remove(): Promise<void>;
};

/** A store on a fresh database, for a test that takes care of its end itself. */
export async function openTestStore(kind: DatabaseKind, options: OpenOptions = {}): Promise<TestStore> {
  return kind === 'sqlite' ? openOnSqlite(options) : openOnPostgres(options);
}

async function openOnSqlite(options: OpenOptions): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'purvey-store-'));
  const location = { file: join(folder, 'purvey.db') };
  if (options.schema !== 'empty') {
    await migrateAt(location);
  }
  const store = await openAt(location, options);
  return {
    store,
    location,
    async remove() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openOnPostgres(options: OpenOptions): Promise<TestStore> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdministrator(async (admin) => {
    if (options.schema !== 'empty') await ensureTemplate(admin);
    await admin.query(`create database ${name} template ${options.schema === 'empty' ? 'template0' : template}`);
  });
  const location = { url: await urlOf(name, options.by) };
  const store = await openAt(location, options);
  return {
    store,
    location,
    async remove() {
      await store.close();
      await asAdministrator((admin) => admin.query(`drop database ${name} with (force)`));
    },
  };
}

function openAt(location: StoreLocation, options: OpenOptions): Promise<Store> {
  const { clock = systemClock(), time, durability = 'none', onStatement } = options;
  return openStore({
    location,
    clock,
    log: openLog('silent'),
    ...(time ? { time } : {}),
    durability,
    ...(onStatement ? { onStatement } : {}),
  });
}

async function migrateAt(location: StoreLocation): Promise<void> {
  const store = await openAt(location, {});
  try {
    await migrateStore(store);
  } finally {
    await store.close();
  }
}

/** Copying a migrated database is ten times faster than migrating an empty one. */
const template = 'purvey_template';

/** Makes the template once for all processes of the run: whoever comes first holds the lock, the others wait. */
async function ensureTemplate(admin: pg.Client): Promise<void> {
  const isThere = async () =>
    (await admin.query('select 1 from pg_database where datname = $1', [template])).rows.length > 0;
  if (await isThere()) return;
  await admin.query('select pg_advisory_lock(1)');
  try {
    if (await isThere()) return;
    const draft = `${template}_draft`;
    await admin.query(`drop database if exists ${draft} with (force)`);
    await admin.query(`create database ${draft}`);
    await migrateAt({ url: await urlOf(draft) });
    await admin.query(`alter database ${draft} rename to ${template}`);
  } finally {
    await admin.query('select pg_advisory_unlock(1)');
  }
}

async function asAdministrator<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: await serverUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

async function urlOf(database: string, by: OpenOptions['by'] = 'network'): Promise<string> {
  const url = new URL(await serverUrl());
  url.pathname = `/${database}`;
  if (by === 'socket') {
    const { rows } = await asAdministrator((admin) => admin.query('show unix_socket_directories'));
    url.searchParams.set('host', rows[0].unix_socket_directories);
  }
  return url.href;
}

let own: Promise<PostgresServer> | undefined;

/** The server that `npm test` started; a file run on its own with `node --test` starts one for itself. */
async function serverUrl(): Promise<string> {
  const given = process.env.PURVEY_TEST_POSTGRES;
  if (given) return given;
  own ??= startPostgres();
  return (await own).url;
}
