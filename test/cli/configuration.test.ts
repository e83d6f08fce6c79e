import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { describeConfiguration } from '../../src/cli/configuration.ts';
import { ConfigError, type Environment, readClientConfig, readConfig, readSealingKey } from '../../src/config.ts';
import { makeFolder, root } from './processes.ts';

const key = Buffer.alloc(32, 7).toString('base64');

describe('the configuration', () => {
  const folder = makeFolder();
  after(folder.remove);
  const read = (environment: Environment) => readConfig({}, environment);
  const file = (name: string, text: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };

  it('has defaults that need nothing', () => {
    const config = read({});
    assert.equal(config.host, '127.0.0.1');
    assert.equal(config.port, 9080);
    assert.equal(config.databaseUrl, undefined);
    assert.equal(config.blockingMs, 10_000);
    assert.deepEqual(config.bulk, { operations: 1_000, bytes: 1_048_576 });
    assert.equal(read({ PURVEY_BULK_OPERATIONS: '5' }).bulk.operations, 5);
    assert.equal(config.tls, undefined);
    assert.equal(config.passwordDays, 7);
    assert.equal(read({ PURVEY_PASSWORD_DAYS: '30' }).passwordDays, 30);
    assert.deepEqual(config.keep, { attemptsDays: 30, changesDays: 400 });
    assert.ok(Object.isFrozen(config));
  });

  const pem = file('x.pem', 'PEM');
  const bad: [what: string, environment: Environment, says: RegExp][] = [
    ['a port that is no number', { PURVEY_PORT: 'http' }, /PURVEY_PORT is http: .* 0 to 65535/],
    ['a port beyond the last', { PURVEY_PORT: '65536' }, /PURVEY_PORT is 65536/],
    ['a host that is no address', { PURVEY_HOST: 'acme' }, /PURVEY_HOST is acme/],
    ['plain HTTP for others', { PURVEY_HOST: '0.0.0.0' }, /PURVEY_HOST is 0\.0\.0\.0.*PURVEY_TLS_CERT/],
    ['plain HTTP for others, IPv6', { PURVEY_HOST: '::' }, /PURVEY_HOST is ::/],
    ['a certificate without key', { PURVEY_TLS_CERT: pem }, /PURVEY_TLS_CERT is set and PURVEY_TLS_KEY is not/],
    ['a key without certificate', { PURVEY_TLS_KEY: pem }, /PURVEY_TLS_KEY is set and PURVEY_TLS_CERT is not/],
    [
      'a certificate file that is not there',
      { PURVEY_TLS_CERT: '/nowhere', PURVEY_TLS_KEY: pem },
      /PURVEY_TLS_CERT is \/nowhere/,
    ],
    ['no operations at all', { PURVEY_BULK_OPERATIONS: '0' }, /PURVEY_BULK_OPERATIONS is 0: .* 1 to 100000/],
    ['bytes with a unit', { PURVEY_BULK_BYTES: '1MB' }, /PURVEY_BULK_BYTES is 1MB/],
    [
      'days that are no number',
      { PURVEY_KEEP_ATTEMPTS_DAYS: 'x' },
      /PURVEY_KEEP_ATTEMPTS_DAYS is x: .*0 to 36500.*for ever/,
    ],
    ['half a day', { PURVEY_KEEP_CHANGES_DAYS: '0.5' }, /PURVEY_KEEP_CHANGES_DAYS is 0.5/],
    ['more days than there are', { PURVEY_KEEP_CHANGES_DAYS: '36501' }, /PURVEY_KEEP_CHANGES_DAYS is 36501/],
    ['a log level', { PURVEY_LOG: 'loud' }, /PURVEY_LOG is loud: .*silent, error, warn, info, debug/],
    ['no time to wait', { PURVEY_BLOCKING_SECONDS: '0' }, /PURVEY_BLOCKING_SECONDS is 0: .* 0\.1 to 300/],
    ['too long to wait', { PURVEY_BLOCKING_SECONDS: '301' }, /PURVEY_BLOCKING_SECONDS is 301/],
    ['a wait that is no number', { PURVEY_BLOCKING_SECONDS: '10s' }, /PURVEY_BLOCKING_SECONDS is 10s/],
    ['no days for passwords', { PURVEY_PASSWORD_DAYS: '0' }, /PURVEY_PASSWORD_DAYS is 0: .* 1 to 365/],
    ['half a day for passwords', { PURVEY_PASSWORD_DAYS: '0.5' }, /PURVEY_PASSWORD_DAYS is 0\.5: .* 1 to 365/],
    ['another database', { DATABASE_URL: 'mysql://root:hush@db/x' }, /DATABASE_URL .*postgres:\/\//],
    ['a schema file that is not there', { PURVEY_SCHEMAS: '/nowhere.yaml' }, /PURVEY_SCHEMAS is \/nowhere\.yaml/],
    ['a short key', { PURVEY_KEY: 'c2hvcnQ=' }, /PURVEY_KEY .*32 bytes/],
    ['a settings file that is not there', { PURVEY_CONFIG: '/nowhere.env' }, /PURVEY_CONFIG is \/nowhere\.env/],
    ['a settings file with a typo', { PURVEY_CONFIG: file('typo.env', 'PURVEY_PROT=1') }, /typo\.env sets PURVEY_PROT/],
  ];
  for (const [what, environment, says] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => read(environment),
        (error) => error instanceof ConfigError && says.test(error.message),
      );
    });
  }

  it('never repeats what may be secret', () => {
    for (const environment of [{ DATABASE_URL: 'mysql://root:hush-hush@db/x' }, { PURVEY_KEY: 'hush-hush' }]) {
      assert.throws(
        () => read(environment),
        (error) => !(error as Error).message.includes('hush-hush'),
      );
    }
    const config = read({ DATABASE_URL: 'postgres://purvey:hush-hush@db/purvey', PURVEY_KEY: key });
    assert.ok(!JSON.stringify(config).includes('hush-hush'));
    assert.ok(!JSON.stringify(config).includes(key));
  });

  it('lets others in with a certificate', () => {
    assert.equal(read({ PURVEY_HOST: '0.0.0.0', PURVEY_TLS_CERT: pem, PURVEY_TLS_KEY: pem }).tls!.certificate, 'PEM');
  });

  it('keeps attempts and changes for as many days as it is told, 0 for ever', () => {
    const config = read({ PURVEY_KEEP_ATTEMPTS_DAYS: '0', PURVEY_KEEP_CHANGES_DAYS: '7' });
    assert.deepEqual(config.keep, { attemptsDays: 0, changesDays: 7 });
  });

  it('takes options before the environment, and the environment before the file', () => {
    const path = file('good.env', 'PURVEY_PORT=1\nPURVEY_LOG=warn\nPURVEY_DATA="/var/x"\n');
    const config = readConfig({ PURVEY_PORT: '3' }, { PURVEY_CONFIG: path, PURVEY_PORT: '2', PURVEY_LOG: 'error' });
    assert.equal(config.port, 3);
    assert.equal(config.log, 'error');
    assert.equal(config.data, '/var/x');
    assert.equal(read({ PURVEY_CONFIG: path }).port, 1);
  });

  it('makes a key file of its own, readable by nobody else, and keeps to it', () => {
    const data = join(folder.path, 'keyed');
    const config = read({ PURVEY_DATA: data });
    const made = readSealingKey(config);
    assert.equal(made.length, 32);
    assert.equal(statSync(join(data, 'key')).mode & 0o777, 0o600);
    assert.deepEqual(readSealingKey(config), made);
    assert.deepEqual(readSealingKey(read({ PURVEY_DATA: data, PURVEY_KEY: key })), Buffer.alloc(32, 7));
    chmodSync(join(data, 'key'), 0o600);
    writeFileSync(join(data, 'key'), 'broken\n');
    assert.throws(() => readSealingKey(config), /does not hold a key.*backup/s);
  });

  it('tells a client where the server is', () => {
    assert.equal(readClientConfig({}, {}).url, 'http://127.0.0.1:9080');
    assert.equal(readClientConfig({}, { PURVEY_PORT: '81' }).url, 'http://127.0.0.1:81');
    assert.equal(readClientConfig({}, { PURVEY_URL: 'https://acme.example/' }).url, 'https://acme.example');
    assert.throws(() => readClientConfig({}, { PURVEY_URL: 'acme' }), /PURVEY_URL is acme/);
  });

  it('is what docs/configuration.md says', () => {
    assert.equal(readFileSync(join(root, 'docs/configuration.md'), 'utf8'), describeConfiguration());
  });
});
