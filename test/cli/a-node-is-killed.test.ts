import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { type Bed, oneDatabase } from '../database.ts';
import { makeFolder, type Served, serve } from './processes.ts';

// Real processes on one database: what one of them was doing when it ended or stood still, the others finish.

const people = 240;
const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };
/** The lease of whatever the killed node had claimed: its turn in line, three requests and the settle time. */
const leaseMs = 2_000 + 3 * limits.timeoutMs + limits.settleMs;

type Status = { unplannedChanges: number; targets: { accounts: number; pending: number; parked: number }[] };

/** Servers on one database, a slow target that all of them deliver to, and a way to ask them. */
async function openServers(database: Bed, test: TestContext) {
  const store = await database.open({ schema: 'empty' });
  const location = database.locationOf(store);
  assert.ok('url' in location);
  const env = { DATABASE_URL: location.url, PURVEY_KEY: randomBytes(32).toString('base64'), PURVEY_LOG: 'error' };
  const fake = await startFakeScim2();
  const folders: ReturnType<typeof makeFolder>[] = [];
  const nodes: Served[] = [];
  test.after(async () => {
    fake.heal();
    for (const node of nodes) await node.stop('SIGKILL');
    await fake.close();
    for (const folder of folders) folder.remove();
  });
  const start = async () => {
    const folder = makeFolder();
    folders.push(folder);
    const node = await serve(folder.path, env);
    nodes.push(node);
    return node;
  };
  const [one, two] = [await start(), await start()];
  const token = readFileSync(join(folders[0]!.path, 'admin-token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = async (node: Served, method: string, path: string, body?: unknown) => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`${node.url}${path}`, { method, headers, ...text, signal: AbortSignal.timeout(10_000) });
  };
  const say = async (path: string, body: unknown, method = 'POST') => {
    const answer = await ask(one, method, path, body);
    assert.ok(answer.ok, await answer.text());
  };
  await say('/api/identity-providers', { name: 'partner' });
  await say('/api/identity-providers/partner/targets', {
    type: 'SCIM2',
    settings: {
      'scim2-authentication-mode': 'basic',
      'scim2-username': 'purvey',
      'scim2-password': 'fake-password',
      'scim2-user-ep': fake.usersEndpoint,
      'scim2-group-ep': fake.groupsEndpoint,
    },
    policy: limits,
  });
  await say('/api/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] }, 'PUT');
  // Slow enough that both nodes have requests under way whenever one is struck.
  fake.misbehave({ when: { method: 'POST' }, times: Number.POSITIVE_INFINITY, act: { kind: 'delay', ms: 120 } });

  const statusOf = async (node: Served) => (await (await ask(node, 'GET', '/api/status')).json()) as Status;
  return {
    store,
    fake,
    one,
    two,
    start,
    ask,
    statusOf,
    create: (node: Served, n: number) =>
      ask(node, 'POST', '/scim2/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `person${n}`,
      }),
    /** Seconds until everybody is delivered. */
    async untilSettled(node: Served, count: number, since: number): Promise<number> {
      for (;;) {
        const { unplannedChanges, targets } = await statusOf(node);
        if (unplannedChanges === 0 && targets[0]!.accounts === count && targets[0]!.pending === 0) break;
        assert.ok(performance.now() - since < 60_000, 'it is not settled a minute later');
        await sleep(100);
      }
      return (performance.now() - since) / 1_000;
    },
    async checkEverybodyOnce(count: number, alive: readonly Served[]): Promise<void> {
      const names = [...fake.users.values()].map((user) => String(user.userName)).sort();
      assert.deepEqual(names, Array.from({ length: count }, (_, n) => `person${n}`).sort(), 'everybody once');
      assert.equal(new Set([...fake.users.values()].map((user) => user.externalId)).size, count);
      assert.deepEqual(fake.faults, []);
      for (const node of alive) {
        const list = (await (await ask(node, 'GET', '/scim2/Users?count=1')).json()) as { totalResults: number };
        assert.equal(list.totalResults, count, 'every door serves the same people');
        assert.equal((await statusOf(node)).targets[0]!.parked, 0);
      }
    },
    /** The nodes whose attempts have no end, and those that are there. */
    async nodes() {
      const open = await store.read((r) =>
        r.all(r.q.selectFrom('attempts').select('node').distinct().where('ended_at', 'is', null)),
      );
      const there = await store.read((r) => r.all(r.q.selectFrom('nodes').select('id')));
      return { unfinished: open.map((row) => row.node), there: there.map((row) => row.id) };
    },
  };
}

oneDatabase('postgres', 'a server among others', (database) => {
  it('is killed: nobody is lost and nobody doubled; the others take over within seconds', {
    timeout: 150_000,
  }, async (test) => {
    const servers = await openServers(database, test);
    const { fake, one, two, create } = servers;
    let killedAt = 0;
    for (let n = 0; n < people; n++) {
      if (n === people / 2) {
        assert.ok(fake.users.size > 0 && fake.users.size < people / 2, `${fake.users.size} are there at the kill`);
        two.child.kill('SIGKILL');
        killedAt = performance.now();
      }
      const node: Served = n % 2 === 0 ? one : two;
      // Whoever calls a door and gets no answer calls another one; it may have been made all the same.
      const answer: Response = await create(node, n).catch(() => create(one, n));
      assert.ok(answer.status === 201 || answer.status === 409, `${answer.status}: ${await answer.text()}`);
      if (n % 4 === 0) await sleep(10);
    }
    const third = await servers.start();
    const seconds = await servers.untilSettled(third, people, killedAt);
    test.diagnostic(`settled ${seconds.toFixed(1)} s after the kill, leases of ${leaseMs / 1_000} s`);
    assert.ok(seconds < 20, `${seconds} s`);
    await servers.checkEverybodyOnce(people, [one, third]);
    const { unfinished, there } = await servers.nodes();
    assert.equal(there.length, 2, 'who is gone has no row any more');
    assert.deepEqual(
      unfinished.filter((node) => node === null || there.includes(node)),
      [],
      'every attempt of who is there has its end written down',
    );
    for (const node of [one, third]) assert.equal(await node.stop(), 0, node.printed());
    assert.deepEqual((await servers.nodes()).there, []);
  });

  it('stands still: the others take over, and when it goes on it does no harm', { timeout: 150_000 }, async (test) => {
    const servers = await openServers(database, test);
    const { fake, one, two, create } = servers;
    const half = people / 2;
    for (let n = 0; n < half; n++) {
      assert.equal((await create(n % 2 === 0 ? one : two, n)).status, 201);
    }
    assert.ok(fake.users.size > 0 && fake.users.size < half, `${fake.users.size} are there when it stops`);
    two.child.kill('SIGSTOP');
    const stoppedAt = performance.now();
    for (let n = half; n < people; n++) {
      assert.equal((await create(one, n).catch(() => create(one, n))).status, 201);
    }
    const seconds = await servers.untilSettled(one, people, stoppedAt);
    test.diagnostic(`settled ${seconds.toFixed(1)} s after one stood still`);
    assert.ok(seconds < 30, `${seconds} s`);
    await servers.checkEverybodyOnce(people, [one]);
    two.child.kill('SIGCONT');
    await sleep(3_000);
    const more = 20;
    for (let n = people; n < people + more; n++) {
      const answer = await create(two, n).catch(() => create(two, n));
      assert.ok(answer.status === 201 || answer.status === 409, `${answer.status}: ${await answer.text()}`);
    }
    await servers.untilSettled(two, people + more, performance.now());
    await servers.checkEverybodyOnce(people + more, [one, two]);
    const { unfinished, there } = await servers.nodes();
    assert.equal(there.length, 2);
    assert.deepEqual(
      unfinished.filter((node) => node === null || there.includes(node)),
      [],
      'it goes on as another node, and every attempt of that has its end',
    );
    for (const node of [one, two]) assert.equal(await node.stop(), 0, node.printed());
  });
});
