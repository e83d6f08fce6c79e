import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { LogLevel } from './base/log.ts';
import { type SealingKey, Secret } from './base/secret.ts';

/** Everything that can be set from outside. Frozen; made once per process by `readConfig`. */
export type Config = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The data folder, absolute. */
  readonly data: string;
  /** PostgreSQL; undefined: SQLite in the data folder. Holds credentials. */
  readonly databaseUrl: Secret | undefined;
  /** The key from the environment; undefined: the file `key` in the data folder (`readSealingKey`). */
  readonly key: Secret | undefined;
  /** PEM texts; undefined: plain HTTP, on loopback only. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** Where clients reach this server, without a slash at the end; undefined: where it listens. */
  readonly publicUrl: string | undefined;
  readonly log: LogLevel;
  /** How long a request waits for blocking targets, in milliseconds. */
  readonly blockingMs: number;
  /** Most operations, and bytes, of one SCIM bulk request. */
  readonly bulk: { readonly operations: number; readonly bytes: number };
  /** The zone rules see the clock in, by its IANA name. */
  readonly timeZone: string;
  /** What becomes of an operation that no rule applies to. */
  readonly whenNoRule: 'let-through' | 'withhold';
  /** How long clear passwords wait for the targets, in days. */
  readonly passwordDays: number;
  /** The file with schema extensions and what it holds; undefined: none are declared. */
  readonly schemas: { readonly file: string; readonly text: string } | undefined;
  /** How long what is only forwarded waits for its targets, in days. */
  readonly forwardedDays: number;
  /** Days that attempts and changes are kept; 0: for ever. */
  readonly keep: { readonly attemptsDays: number; readonly changesDays: number };
};

/** What a client of a running server needs. */
export type ClientConfig = { readonly url: string; readonly token: Secret | undefined; readonly tokenFile: string };

/** A setting that cannot be used. The message says which, what it is, and what is allowed. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

export const defaultPort = 9080;
const defaultKeep = { attempts: 30, changes: 400 } as const;
const defaultBulk = { operations: 1_000, bytes: 1_048_576 } as const;
const mostDays = 36_500;
const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** The settings and their meaning; help and `docs/configuration.md` are printed from here. */
export const variables = [
  { name: 'PURVEY_PORT', fallback: String(defaultPort), help: 'Port to listen on; 0 takes any free one.' },
  {
    name: 'PURVEY_HOST',
    fallback: '127.0.0.1',
    help: 'Address to listen on. Any other than loopback needs PURVEY_TLS_CERT and PURVEY_TLS_KEY.',
  },
  { name: 'PURVEY_DATA', fallback: './data', help: 'Folder of database, key and first token. Made when missing.' },
  {
    name: 'DATABASE_URL',
    fallback: 'SQLite in the data folder',
    help: 'postgres://user:password@host:port/database; any number of servers may share it.',
  },
  {
    name: 'PURVEY_KEY',
    fallback: 'the file key in the data folder',
    help: '32 bytes in base64; seals the secrets of targets and passwords on their way. Servers that share a database share it. Make one with: openssl rand -base64 32',
  },
  { name: 'PURVEY_TLS_CERT', fallback: 'plain HTTP', help: 'File with the certificate (chain) in PEM.' },
  { name: 'PURVEY_TLS_KEY', fallback: 'plain HTTP', help: 'File with the private key in PEM.' },
  {
    name: 'PURVEY_PUBLIC_URL',
    fallback: 'where it listens',
    help: 'Where clients reach this server, such as https://id.acme.example, when that is another address than it listens at. The issuer of OAuth tokens and the addresses of SCIM resources begin with it.',
  },
  {
    name: 'PURVEY_KEEP_ATTEMPTS_DAYS',
    fallback: String(defaultKeep.attempts),
    help: 'Days for which attempts and what was said in them are kept; 0 is for ever. The last attempt of an account stays as long as the account.',
  },
  {
    name: 'PURVEY_KEEP_CHANGES_DAYS',
    fallback: String(defaultKeep.changes),
    help: 'Days for which changes are kept; 0 is for ever. A change that a target is still to be told of stays.',
  },
  { name: 'PURVEY_LOG', fallback: 'info', help: `How much is logged: ${logLevels.join(', ')}.` },
  {
    name: 'PURVEY_BLOCKING_SECONDS',
    fallback: '10',
    help: 'How long a request waits at most for the targets of blocking bindings, 0.1 to 300. Keep it below the time-outs of its clients.',
  },
  {
    name: 'PURVEY_BULK_OPERATIONS',
    fallback: String(defaultBulk.operations),
    help: 'Most operations that one SCIM bulk request may have, 1 to 100000.',
  },
  {
    name: 'PURVEY_BULK_BYTES',
    fallback: String(defaultBulk.bytes),
    help: 'Most bytes that one SCIM bulk request may have, 1000 to 100000000. It is held in memory.',
  },
  {
    name: 'PURVEY_TIME_ZONE',
    fallback: 'the zone of the machine',
    help: 'The zone that rules see the clock in, such as Europe/Zurich. Servers that share a database should agree.',
  },
  {
    name: 'PURVEY_NO_RULE',
    fallback: 'let-through',
    help: 'Where rules are enabled and none applies: let-through, or withhold.',
  },
  {
    name: 'PURVEY_PASSWORD_DAYS',
    fallback: '7',
    help: 'How many days a new password waits, sealed, for targets that cannot be told; then it is erased and the account says so. 1 to 365.',
  },
  {
    name: 'PURVEY_FORWARDED_DAYS',
    fallback: '30',
    help: 'How many days what is only forwarded waits, sealed, for targets that do not take it; then it is erased and the account says so. 1 to 365.',
  },
  {
    name: 'PURVEY_SCHEMAS',
    fallback: 'none',
    help: 'File, in YAML or JSON, with schema extensions for users and groups (docs/schemas.md). Servers that share a database share it.',
  },
  {
    name: 'PURVEY_URL',
    fallback: 'http://127.0.0.1:PORT',
    help: 'For commands that talk to a running server: where it is.',
  },
  {
    name: 'PURVEY_TOKEN',
    fallback: 'the file admin-token in the data folder',
    help: 'For commands that talk to a running server: an API token with the scope admin.',
  },
  {
    name: 'PURVEY_CONFIG',
    fallback: 'none',
    help: 'File with lines NAME=value for any of these; what the environment says goes first.',
  },
] as const;

type Name = (typeof variables)[number]['name'];
export type Environment = { readonly [name: string]: string | undefined };

/** The files in the data folder. */
export const dataFiles = [
  {
    name: 'purvey.db',
    help: 'the database (with purvey.db-wal and purvey.db-shm beside it) when DATABASE_URL is not set',
  },
  {
    name: 'purvey.db.lock',
    help: 'held (by the process that purvey.db.lock.pid names) while a server runs: one process owns the database',
  },
  {
    name: 'key',
    help: 'seals the secrets of targets and passwords on their way; keep it apart from backups of the database',
  },
  { name: 'admin-token', help: 'the API token that commands on this machine use; made at the first start' },
] as const;

/** The SQLite database of a configuration without `databaseUrl`. */
export function storeFile(config: Config): string {
  return join(config.data, 'purvey.db');
}

/** A setting of the process's own environment: for texts that name one, such as `${PARTNER_TOKEN}`. */
export function readEnvironment(name: string): string | undefined {
  return process.env[name];
}

/**
 * Reads and checks the settings. `overrides` go before the environment (options of a command line). Throws
 * `ConfigError`. Touches nothing on disk but the files that settings name.
 */
export function readConfig(overrides: Environment = {}, environment: Environment = process.env): Config {
  const get = openSettings(overrides, environment);
  const host = readHost(get('PURVEY_HOST'));
  const tls = readTls(get('PURVEY_TLS_CERT'), get('PURVEY_TLS_KEY'));
  if (!tls && !isLoopback(host)) {
    throw new ConfigError(
      `PURVEY_HOST is ${host}, which others can reach, and plain HTTP is for this machine only: set PURVEY_TLS_CERT and PURVEY_TLS_KEY to the files of a certificate and its key, or leave PURVEY_HOST at 127.0.0.1`,
    );
  }
  const config: Config = {
    host,
    port: readPort(get('PURVEY_PORT')),
    data: resolve(get('PURVEY_DATA') ?? './data'),
    databaseUrl: readDatabaseUrl(get('DATABASE_URL')),
    key: readKeyText(get('PURVEY_KEY')),
    tls,
    publicUrl: readPublicUrl(get('PURVEY_PUBLIC_URL')),
    log: readLogLevel(get('PURVEY_LOG')),
    blockingMs: readBlockingMs(get('PURVEY_BLOCKING_SECONDS')),
    bulk: Object.freeze({
      operations: readWhole(
        'PURVEY_BULK_OPERATIONS',
        get('PURVEY_BULK_OPERATIONS'),
        defaultBulk.operations,
        1,
        100_000,
      ),
      bytes: readWhole('PURVEY_BULK_BYTES', get('PURVEY_BULK_BYTES'), defaultBulk.bytes, 1_000, 100_000_000),
    }),
    timeZone: readTimeZone(get('PURVEY_TIME_ZONE')),
    whenNoRule: readWhenNoRule(get('PURVEY_NO_RULE')),
    passwordDays: readWaitDays('PURVEY_PASSWORD_DAYS', get('PURVEY_PASSWORD_DAYS'), 7),
    forwardedDays: readWaitDays('PURVEY_FORWARDED_DAYS', get('PURVEY_FORWARDED_DAYS'), 30),
    schemas: readSchemas(get('PURVEY_SCHEMAS')),
    keep: Object.freeze({
      attemptsDays: readDays('PURVEY_KEEP_ATTEMPTS_DAYS', get('PURVEY_KEEP_ATTEMPTS_DAYS'), defaultKeep.attempts),
      changesDays: readDays('PURVEY_KEEP_CHANGES_DAYS', get('PURVEY_KEEP_CHANGES_DAYS'), defaultKeep.changes),
    }),
  };
  return Object.freeze(config);
}

/** The settings of a command that talks to a running server. Throws `ConfigError`. */
export function readClientConfig(overrides: Environment = {}, environment: Environment = process.env): ClientConfig {
  const get = openSettings(overrides, environment);
  const data = resolve(get('PURVEY_DATA') ?? './data');
  const token = get('PURVEY_TOKEN');
  const port = readPort(get('PURVEY_PORT')) || defaultPort;
  const scheme = get('PURVEY_TLS_CERT') === undefined ? 'http' : 'https';
  const url = get('PURVEY_URL') ?? `${scheme}://127.0.0.1:${port}`;
  const parsed = URL.parse(url);
  if ((parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') || parsed.username !== '') {
    throw new ConfigError(`PURVEY_URL is ${url}: it must be a whole address, such as http://127.0.0.1:${defaultPort}`);
  }
  return Object.freeze({
    url: url.replace(/\/+$/, ''),
    token: token === undefined ? undefined : new Secret(token),
    tokenFile: join(data, 'admin-token'),
  });
}

/**
 * The key that seals secrets: from the environment, else from the file `key` (mode 0600) in the data folder, which is
 * made with a new key when it is not there. Safe when several processes start at once.
 */
export function readSealingKey(config: Config): SealingKey {
  if (config.key) return decodeKey(config.key.reveal())!;
  const file = join(config.data, 'key');
  if (!existsSync(file)) {
    mkdirSync(config.data, { recursive: true });
    const fresh = `${file}.${process.pid}.new`;
    writeFileSync(fresh, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    try {
      linkSync(fresh, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(fresh);
    }
  }
  const key = decodeKey(readFileSync(file, 'utf8').trim());
  if (!key) {
    throw new ConfigError(
      `${file} does not hold a key of 32 bytes in base64: restore it from your backup (without it the secrets of targets cannot be opened)`,
    );
  }
  return key;
}

function openSettings(overrides: Environment, environment: Environment): (name: Name) => string | undefined {
  const given = (values: Environment, name: string) => (values[name] === '' ? undefined : values[name]);
  const path = given(overrides, 'PURVEY_CONFIG') ?? given(environment, 'PURVEY_CONFIG');
  const file = path === undefined ? {} : readSettingsFile(path);
  return (name) => given(overrides, name) ?? given(environment, name) ?? given(file, name);
}

function readSettingsFile(path: string): Environment {
  const values = parseEnv(readText('PURVEY_CONFIG', path));
  for (const name of Object.keys(values)) {
    if (!variables.some((one) => one.name === name)) {
      const known = variables.map((one) => one.name).join(', ');
      throw new ConfigError(`${path} sets ${name}, which is no setting of Purvey: known are ${known}`);
    }
  }
  return values;
}

function readText(name: Name, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${name} is ${path}, and that file cannot be read: ${(error as Error).message}`);
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new ConfigError(`PURVEY_PORT is ${text}: it must be a number from 0 to 65535`);
  return port;
}

function readDays(name: Name, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(days <= mostDays)) {
    throw new ConfigError(
      `${name} is ${text}: it must be a whole number of days from 0 to ${mostDays}, and 0 is for ever`,
    );
  }
  return days;
}

function readWhole(name: Name, text: string | undefined, absent: number, least: number, most: number): number {
  if (text === undefined) return absent;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new ConfigError(`${name} is ${text}: it must be a whole number from ${least} to ${most}`);
  }
  return number;
}

function readHost(text: string | undefined): string {
  const host = text ?? '127.0.0.1';
  if (host !== 'localhost' && isIP(host) === 0) {
    throw new ConfigError(`PURVEY_HOST is ${host}: it must be an IP address or localhost (0.0.0.0 is every address)`);
  }
  return host;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function readTls(certificate: string | undefined, key: string | undefined): Config['tls'] {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    const [set, missing] =
      key === undefined ? ['PURVEY_TLS_CERT', 'PURVEY_TLS_KEY'] : ['PURVEY_TLS_KEY', 'PURVEY_TLS_CERT'];
    throw new ConfigError(`${set} is set and ${missing} is not: both are needed, each the path of a PEM file`);
  }
  return Object.freeze({
    certificate: readText('PURVEY_TLS_CERT', certificate),
    key: readText('PURVEY_TLS_KEY', key),
  });
}

function readSchemas(file: string | undefined): Config['schemas'] {
  return file === undefined ? undefined : Object.freeze({ file, text: readText('PURVEY_SCHEMAS', file) });
}

function readDatabaseUrl(text: string | undefined): Secret | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url?.protocol !== 'postgres:' && url?.protocol !== 'postgresql:') {
    // The value is not repeated: it may hold a password.
    throw new ConfigError(
      'DATABASE_URL is not an address that can be used: it must look like postgres://user:password@host:5432/database; leave it unset for SQLite',
    );
  }
  return new Secret(text);
}

function readKeyText(text: string | undefined): Secret | undefined {
  if (text === undefined) return undefined;
  if (!decodeKey(text)) {
    // The value is not repeated: it may be nearly right.
    throw new ConfigError(
      'PURVEY_KEY is not a key that can be used: it must be 32 bytes in base64 (44 characters); make one with: openssl rand -base64 32',
    );
  }
  return new Secret(text);
}

function decodeKey(text: string): SealingKey | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length === 32 ? key : undefined;
}

function readTimeZone(text: string | undefined): string {
  if (text === undefined) return Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new ConfigError(`PURVEY_TIME_ZONE is ${text}: it must be a zone such as Europe/Zurich or UTC`);
  }
}

function readWhenNoRule(text: string | undefined): Config['whenNoRule'] {
  if (text === undefined || text === 'let-through') return 'let-through';
  if (text === 'withhold') return text;
  throw new ConfigError(`PURVEY_NO_RULE is ${text}: it must be let-through or withhold`);
}

function readPublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isWhole = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isWhole || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigError(`PURVEY_PUBLIC_URL is ${text}: it must be an address such as https://id.acme.example`);
  }
  return text.replace(/\/+$/, '');
}

function readLogLevel(text: string | undefined): LogLevel {
  const level = text ?? 'info';
  if (!(logLevels as readonly string[]).includes(level)) {
    throw new ConfigError(`PURVEY_LOG is ${level}: it must be one of ${logLevels.join(', ')}`);
  }
  return level as LogLevel;
}

function readBlockingMs(text: string | undefined): number {
  if (text === undefined) return 10_000;
  const seconds = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 0.1 && seconds <= 300)) {
    throw new ConfigError(`PURVEY_BLOCKING_SECONDS is ${text}: it must be a number of seconds from 0.1 to 300`);
  }
  return Math.round(seconds * 1_000);
}

function readWaitDays(name: string, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  const days = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(days >= 1 && days <= 365)) {
    throw new ConfigError(`${name} is ${text}: it must be a whole number of days from 1 to 365`);
  }
  return days;
}
