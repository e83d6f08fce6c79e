import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { newId } from '../../src/base/ids.ts';
import { openLog } from '../../src/base/log.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import { openStore } from '../../src/store/open.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { type Ended, makeFolder, root, runPurvey, type Served, serve } from './processes.ts';

const fileOf = (url: string, policy: string) => `
identityProviders:
  - name: partner
    connectors:
      - type: SCIM2
        settings: { scim2-authentication-mode: bearer, scim2-access-token: the-token, scim2-user-ep: ${url}/scim2/Users, scim2-group-ep: ${url}/scim2/Groups }
        policy: ${policy}
serviceProviders:
  - name: resident
    outboundProvisioning:
      - { identityProvider: partner, connector: SCIM2 }
`;

describe('purvey sync', () => {
  const folder = makeFolder();
  const data = join(folder.path, 'data');
  const yaml = join(folder.path, 'purvey.yaml');
  let served: Served;
  let fake: FakeScim2;
  const env = () => ({ PURVEY_URL: served.url, PURVEY_DATA: data });
  const run = (...args: string[]): Promise<Ended> => runPurvey(args, { env: env() });
  const apply = (policy: string, ...more: string[]) => {
    writeFileSync(yaml, fileOf(fake.url, policy));
    return run('apply', '-f', yaml, ...more);
  };

  before(async () => {
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'the-token' } });
    served = await serve(data);
    const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
    const post = async (path: string, body: Record<string, unknown>) => {
      const response = await fetch(`${served.url}/scim2${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 201);
    };
    const user = 'urn:ietf:params:scim:schemas:core:2.0:User';
    for (let n = 0; n < 12; n++) await post('/Users', { schemas: [user], userName: `p${n}` });
    await post('/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'team' });
  });
  after(async () => {
    await served.stop();
    await fake.close();
    folder.remove();
  });

  it('is offered by apply, beside the lines of a pipe', async () => {
    const line = '12 people and 1 group are here and not at partner:SCIM2. Send them: purvey sync partner:SCIM2\n';
    const applied = await apply('{ concurrency: 2 }');
    assert.equal(applied.code, 0, applied.err);
    assert.equal(applied.err, line);
    assert.equal(applied.out.trim().split('\n').at(-1), 'bindings\tresident\tupdated');
    assert.equal(fake.requests.length, 0, 'nobody is sent by that alone');
    const again = await apply('{ concurrency: 2 }');
    assert.equal(again.err, '');
  });

  it('sends everybody, and says how many were looked at', async () => {
    const done = await run('sync', 'partner:SCIM2');
    assert.equal(done.code, 0, done.err);
    assert.match(
      done.out,
      /^a sync of partner:SCIM2 begins: 12 people and 1 group to send, and everybody there to compare\n/,
    );
    assert.match(done.out, /\npartner:SCIM2: \d+ of 13 looked at, \d+ pending, /);
    assert.match(done.out, /\nsync of partner:SCIM2 done: 13 looked at, 13 made due, \d+ deliver(y|ies) pending\n$/);
    const json = await run('sync', 'partner:SCIM2', '--json');
    const { sync, target } = JSON.parse(json.out);
    assert.deepEqual([target, sync.state, sync.seen], ['partner:SCIM2', 'done', 13]);
    assert.equal(json.out.trim().split('\n').length, 1);
    const none = await run('sync', 'partner:SCIM2', '--cancel');
    assert.equal(none.code, 1);
    assert.match(
      none.err,
      /^purvey: no sync of partner:SCIM2 is under way; start one with: purvey sync partner:SCIM2\n$/,
    );
    assert.match((await run('sync', 'nobody:SCIM2')).err, /there is no target nobody:SCIM2/);
    assert.match((await run('sync', 'partner:SCIM2', '--pause', '--cancel')).err, /not both/);
    for (let n = 0; n < 100 && fake.users.size < 12; n++) await sleep(50);
    assert.equal(fake.users.size, 12);
  });

  it('goes on at the server after Ctrl-C, is attached to, paused, resumed and cancelled', async () => {
    // A target this slow keeps a sync of so many waiting.
    assert.equal((await apply('{ concurrency: 1, requestsPerSecond: 1, burst: 1 }')).code, 0);
    await served.stop();
    await fillDirectory(join(data, 'purvey.db'), 2_300);
    served = await serve(data);

    const watching = start('sync', 'partner:SCIM2');
    await watching.says(/ of \d+ looked at/);
    watching.child.kill('SIGINT');
    const left = await watching.ended;
    assert.equal(left.code, 130, left.err);
    assert.equal(
      left.err,
      'the sync of partner:SCIM2 goes on at the server; see it with: purvey sync partner:SCIM2, end it with: purvey sync partner:SCIM2 --cancel\n',
    );

    const attached = await run('sync', 'partner:SCIM2', '--no-wait');
    assert.match(attached.out, /^a sync of partner:SCIM2 runs already, asked for by .*\n$/);
    assert.match(
      (await run('status')).out,
      /^partner:SCIM2: sync \(.*\) running, \d+ of 2313 looked at, \d+ made due$/m,
    );
    const paused = await run('sync', 'partner:SCIM2', '--pause');
    assert.equal(paused.code, 0, paused.err);
    assert.match(
      paused.out,
      /^sync of partner:SCIM2 paused: [\d,]+ looked at, [\d,]+ made due, [\d,]+ deliveries pending\n$/,
    );

    const resumed = start('sync', 'partner:SCIM2');
    await resumed.says(/^the sync of partner:SCIM2 goes on\n/);
    assert.equal((await run('sync', 'partner:SCIM2', '--cancel')).code, 0);
    const ended = await resumed.ended;
    assert.equal(ended.code, 1, 'it did not come to its end');
    assert.match(ended.out, /\nsync of partner:SCIM2 cancelled: /);
  });

  /** A command that may be spoken to while it runs. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(root, 'bin/purvey.mjs'), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    const ended = new Promise<Ended>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, out, err });
      });
    });
    return {
      child,
      ended,
      async says(what: RegExp): Promise<void> {
        for (let n = 0; n < 600 && !what.test(out); n++) await sleep(50);
        assert.match(out, what, err);
      },
    };
  }
});

/** People of whom only a sync can know, written beside all doors while no server runs. */
async function fillDirectory(file: string, count: number): Promise<void> {
  const store = await openStore({ location: { file }, clock: systemClock(), log: openLog('silent') });
  try {
    await store.write(async (tx) => {
      const resident = await ensureResidentServiceProvider(tx);
      for (let n = 0; n < count; n++) {
        const id = newId(tx.now + n);
        const doc = JSON.stringify({ userName: `more${n}` });
        const named = { id, kind: 'user', domain: 'PRIMARY', name_key: `more${n}`, life: 'live', doc } as const;
        const rest = { seq: 0, external_id: null, display_key: null, version: 1 };
        const at = { created_at: tx.now, modified_at: tx.now };
        await tx.all(tx.q.insertInto('subjects').values({ ...named, ...rest, ...at }));
        await tx.all(tx.q.insertInto('subject_sps').values({ subject_id: id, sp_id: resident }));
      }
    });
  } finally {
    await store.close();
  }
}
