import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { systemClock } from './base/clock.ts';
import { type Logger, openLog } from './base/log.ts';
import { packageFolder, readVersion } from './base/package.ts';
import type { SealingKey } from './base/secret.ts';
import { type Config, readSealingKey, storeFile } from './config.ts';
import { connectorKinds } from './connectors/index.ts';
import type { ServerAnswer } from './contract/status.ts';
import { settleDeclaredAttributes } from './directory/declared-attributes.ts';
import { adminDoor } from './inbound/admin/door.ts';
import { createApiToken } from './inbound/api-tokens.ts';
import { consoleDoor } from './inbound/console/door.ts';
import { openCredentials } from './inbound/credentials.ts';
import { type DoorLimits, openDoor } from './inbound/door.ts';
import { addFront, frontOptions } from './inbound/front.ts';
import { loginDoor } from './inbound/login/door.ts';
import { openCurrentProvider } from './inbound/oauth/current-provider.ts';
import { oauthDoor, oauthPath } from './inbound/oauth/door.ts';
import { signInPages } from './inbound/oauth/sign-in.ts';
import { readSigningKeys } from './inbound/oauth-keys.ts';
import { ensureFirstAdministrator, resetAdministratorPassword } from './inbound/operators.ts';
import { scim1Codec } from './inbound/scim/codec1.ts';
import { scimDoor } from './inbound/scim/door.ts';
import { openOutbound } from './outbound/request.ts';
import { coreTypes, openResourceTypes, type ResourceTypes } from './protocol/scim/schema.ts';
import { readSchemaFile } from './protocol/scim/schema-file.ts';
import { startEngine } from './provisioning/engine.ts';
import { checkSealingKey } from './provisioning/key-check.ts';
import { openNewsroom } from './provisioning/news.ts';
import { startRetention } from './provisioning/retention.ts';
import { ensureResidentServiceProvider, readInbound } from './provisioning/service-providers.ts';
import { findUnreadableScopes } from './provisioning/stored-scopes.ts';
import { openWaits } from './provisioning/wait.ts';
import { openZone } from './rules/zone.ts';
import { lockDatabaseFile } from './store/lock.ts';
import { migrateStore } from './store/migrate.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

/** A running server. */
export type Purvey = {
  /** Where it listens, such as `http://127.0.0.1:9080`. */
  url: string;
  /** Of the administrator `admin`, when this start made it. Shown this one time. */
  firstPassword: string | undefined;
  /** Answers what is under way, lets deliveries end and be written down, and gives everything back. Safe to repeat. */
  stop(): Promise<void>;
};

/** The server cannot start, and the message says why and what to do. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartError';
  }
}

/**
 * Starts a server; when it resolves, the server listens. What was started is stopped again when a later part fails.
 * The first start makes the administrator and writes `admin-token` (mode 0600) into the data folder: an API token with
 * the scopes `admin scim` for commands on this machine. With SQLite it is written again when it is missing, since who
 * may write the data folder owns the database anyway.
 */
export async function startPurvey(config: Config): Promise<Purvey> {
  const clock = systemClock();
  const startedAt = clock.monotonic();
  const log = openLog(config.log);
  const undo: (() => unknown)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      for (const each of undo.splice(0).reverse()) await each();
    })();
    return stopping;
  };
  try {
    const types = readResourceTypes(config);
    const store = await openDatabase(config, log, undo);
    const key = readSealingKey(config);
    await checkKey(store, key);
    await settleSchemas(store, types);
    const first = await ensureFirstAdministrator(store);
    await ensureAdminToken(store, config, first !== undefined);

    const outbound = openOutbound({ clock, log });
    undo.push(() => outbound.close());
    const rules = { zone: openZone(config.timeZone), whenNotApplicable: config.whenNoRule };
    const engine = await startEngine({ store, clock, log, outbound, kinds: connectorKinds, key, rules, types });
    undo.push(() => engine.stop());
    const retention = startRetention({ store, clock, log, keep: config.keep });
    undo.push(() => retention.stop());

    const newsroom = openNewsroom({ store, clock, log });
    undo.push(() => newsroom.stop());

    const credentials = openCredentials({ store, clock });
    const waits = openWaits({ store, clock, log, engine, boundMs: config.blockingMs });
    const door = openDoor({ store, credentials, clock, log, waits, types });
    const server = describeServer(config, door.limits);
    const facts = { version: readVersion(), startedAt, place: placeOf(config), keep: config.keep, server };
    const app = openServer(config);
    undo.push(() => app.close());
    // Before the doors close: whoever waits for a delivery is answered.
    undo.push(() => waits.stop());
    addFront(app);
    app.get('/healthz', async () => {
      await store.read((reading) => reading.first(reading.q.selectFrom('stamps').select('name').limit(1)));
      return { status: 'ok' };
    });
    const passwords = { key, lastsMs: config.passwordDays * 86_400_000 };
    const limits = { bulkOperations: config.bulk.operations, bulkBytes: config.bulk.bytes };
    const forwarding = { key, lastsMs: config.forwardedDays * 86_400_000, settingOf: readInbound };
    const baseOf = (prefix: string) => (config.publicUrl ? { baseUrl: `${config.publicUrl}${prefix}` } : {});
    const scim = { door, passwords, forwarding, limits };
    await app.register(scimDoor({ ...scim, ...baseOf('/scim2') }), { prefix: '/scim2' });
    for (const prefix of ['/wso2/scim', '/scim1']) {
      await app.register(scimDoor({ ...scim, ...baseOf(prefix), codec: scim1Codec }), { prefix });
    }
    const addressOf = () => config.publicUrl ?? urlOf(app, config);
    const issuerOf = () => `${addressOf()}${oauthPath}`;
    // The first start makes one, and what is sealed with another key is found out now.
    await readSigningKeys(store, key);
    const provider = openCurrentProvider({ store, clock, log, key, issuerOf });
    await app.register(oauthDoor({ provider }));
    await app.register(signInPages({ provider, store, credentials, log }), { prefix: oauthPath });
    await app.register(loginDoor({ store, clock, log, outbound, waits, key, passwords, types, addressOf }));
    const admin = { key, kinds: connectorKinds, outbound, facts, rules, passwords, newsroom, issuerOf, addressOf };
    await app.register(adminDoor(door, admin), { prefix: '/api' });
    await app.register(consoleDoor({ folder: join(packageFolder, 'dist/console') }));
    const url = await listen(app, config);
    log.info({ url, database: store.dialect.name, ms: Math.round(clock.monotonic() - startedAt) }, 'Purvey listens');
    return { url, firstPassword: first?.password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Gives an administrator a one-time password, for whoever may write the data folder or the database. SQLite has one
 * owner, so no server may run on it; on PostgreSQL servers go on, and know the password within five seconds. The schema
 * is brought up to date as at a start. Throws `StartError`, or Problem `notFound` and `notAllowed` about the name.
 */
export async function resetPassword(config: Config, name: string): Promise<{ name: string; password: string }> {
  if (!config.databaseUrl && !existsSync(storeFile(config))) {
    throw new StartError(`there is no database ${storeFile(config)}: name the server's data folder with --data`);
  }
  const undo: (() => unknown)[] = [];
  try {
    const store = await openDatabase(config, openLog(config.log), undo);
    return await resetAdministratorPassword(store, name);
  } finally {
    for (const each of undo.reverse()) await each();
  }
}

/** What users and groups are, with the extensions that the administrator declares. Throws `StartError` with every fault. */
function readResourceTypes({ schemas }: Config): ResourceTypes {
  if (!schemas) return coreTypes;
  const { extensions, faults } = readSchemaFile(schemas.file, schemas.text);
  if (faults.length === 0) return openResourceTypes(extensions);
  throw new StartError(`the schema extensions (PURVEY_SCHEMAS) cannot be used:\n${faults.join('\n')}`);
}

async function openDatabase(config: Config, log: Logger, undo: (() => unknown)[]): Promise<Store> {
  const { databaseUrl } = config;
  const file = storeFile(config);
  try {
    mkdirSync(config.data, { recursive: true, mode: 0o700 });
    if (!databaseUrl) undo.push(lockDatabaseFile(file));
    const location = databaseUrl ? { url: databaseUrl.reveal() } : { file };
    const store = await openStore({ location, clock: systemClock(), log });
    undo.push(() => store.close());
    await migrateStore(store);
    return store;
  } catch (error) {
    const { message } = error as Error;
    const isShut = /unable to open|readonly|EACCES|EPERM|EROFS/.test(message);
    const hint = isShut ? `; may whoever runs Purvey write in ${config.data}?` : '';
    throw new StartError(`the database ${placeOf(config)} cannot be used: ${message}${hint}`, error);
  }
}

async function checkKey(store: Store, key: SealingKey): Promise<void> {
  if (await store.write((tx) => checkSealingKey(tx, key))) return;
  throw new StartError(
    'this is not the key that the secrets in the database were sealed with: restore the file key in the data folder, or the PURVEY_KEY it was started with before',
  );
}

/** Throws `StartError` with every reason why what is stored does not fit the declared schema extensions. */
async function settleSchemas(store: Store, types: ResourceTypes): Promise<void> {
  const faults = await store.read((reading) => findUnreadableScopes(reading, types));
  if (faults.length === 0) faults.push(...(await settleDeclaredAttributes(store, types)));
  if (faults.length === 0) return;
  throw new StartError(`the schema extensions (PURVEY_SCHEMAS) do not fit what is stored:\n${faults.join('\n')}`);
}

async function ensureAdminToken(store: Store, config: Config, isFirstStart: boolean): Promise<void> {
  const file = join(config.data, 'admin-token');
  if (existsSync(file) || (config.databaseUrl && !isFirstStart)) return;
  const { token } = await store.write(async (tx) => {
    const spId = await ensureResidentServiceProvider(tx);
    return createApiToken(tx, { label: 'commands on the server itself', spId, scopes: ['admin', 'scim'] });
  });
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

function openServer(config: Config): FastifyInstance {
  const options = {
    logger: false,
    // Idle connections that clients keep must not hold up the end.
    forceCloseConnections: 'idle',
    requestTimeout: 60_000,
    ...frontOptions,
  } as const;
  if (!config.tls) return fastify(options);
  const https = { cert: config.tls.certificate, key: config.tls.key, minVersion: 'TLSv1.2' } as const;
  try {
    return fastify({ ...options, https }) as unknown as FastifyInstance;
  } catch (error) {
    const why = (error as Error).message;
    const names = 'PURVEY_TLS_CERT and PURVEY_TLS_KEY';
    throw new StartError(`${names} cannot be used (${why}): they name a certificate and its own key, in PEM`, error);
  }
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? `port ${config.port} on ${config.host} is in use: stop what uses it, or choose another with PURVEY_PORT`
        : `it cannot listen on ${config.host} port ${config.port}: ${message}`;
    throw new StartError(why, error);
  }
  return urlOf(app, config);
}

/** Where it listens. */
function urlOf(app: FastifyInstance, config: Config): string {
  const { port } = app.server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${config.tls ? 'https' : 'http'}://${host}:${port}`;
}

/** The database as it may be shown: never with user name, password or options. */
function placeOf(config: Config): string {
  if (!config.databaseUrl) return storeFile(config);
  const { host, pathname } = new URL(config.databaseUrl.reveal());
  return `${host}${pathname}`;
}

function describeServer(config: Config, limits: DoorLimits): ServerAnswer {
  return {
    sealingKey: config.key ? 'environment' : 'file',
    tls: config.tls !== undefined,
    publicUrl: config.publicUrl ?? null,
    timeZone: config.timeZone,
    whenNoRule: config.whenNoRule,
    limits: {
      bodyBytes: limits.bodyBytes,
      bulkOperations: config.bulk.operations,
      bulkBytes: config.bulk.bytes,
      searchSeconds: limits.searchMs / 1_000,
      blockingSeconds: config.blockingMs / 1_000,
      passwordDays: config.passwordDays,
      forwardedDays: config.forwardedDays,
    },
  };
}
