import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { oneDatabase } from '../database.ts';
import { makeFolder, type Served, serve } from './processes.ts';

// Real processes on one database: what one of them was doing when it was killed, the others finish.

const people = 240;
const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };
/** The lease of whatever the killed node had claimed: its turn in line, three requests and the settle time. */
const leaseMs = 2_000 + 3 * limits.timeoutMs + limits.settleMs;

type Status = { unplannedChanges: number; targets: { accounts: number; pending: number; parked: number }[] };

oneDatabase('postgres', 'kill -9 of a node', (database) => {
  it('loses nobody and doubles nobody; the others take over within seconds', { timeout: 150_000 }, async (test) => {
    const store = await database.open({ schema: 'empty' });
    const location = database.locationOf(store);
    assert.ok('url' in location);
    const env = { DATABASE_URL: location.url, PURVEY_KEY: randomBytes(32).toString('base64'), PURVEY_LOG: 'error' };
    const fake = await startFakeScim2();
    const folders = [makeFolder(), makeFolder(), makeFolder()];
    const nodes: Served[] = [];
    test.after(async () => {
      fake.heal();
      for (const node of nodes) await node.stop('SIGKILL');
      await fake.close();
      for (const folder of folders) folder.remove();
    });
    nodes.push(await serve(folders[0]!.path, env));
    nodes.push(await serve(folders[1]!.path, env));
    const token = readFileSync(join(folders[0]!.path, 'admin-token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const ask = async (node: Served, method: string, path: string, body?: unknown) => {
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      return fetch(`${node.url}${path}`, { method, headers, ...text, signal: AbortSignal.timeout(10_000) });
    };
    const say = async (path: string, body: unknown, method = 'POST') => {
      const answer = await ask(nodes[0]!, method, path, body);
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
    // Slow enough that both nodes have requests under way whenever one is killed.
    fake.misbehave({ when: { method: 'POST' }, times: Number.POSITIVE_INFINITY, act: { kind: 'delay', ms: 120 } });

    const create = (node: Served, n: number) =>
      ask(node, 'POST', '/scim2/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `person${n}`,
      });
    let killedAt = 0;
    for (let n = 0; n < people; n++) {
      if (n === people / 2) {
        assert.ok(fake.users.size > 0 && fake.users.size < people / 2, `${fake.users.size} are there at the kill`);
        nodes[1]!.child.kill('SIGKILL');
        killedAt = performance.now();
      }
      const node = nodes[n % 2]!;
      // Whoever calls a door and gets no answer calls another one; it may have been made all the same.
      const answer = await create(node, n).catch(() => create(nodes[0]!, n));
      assert.ok(answer.status === 201 || answer.status === 409, `${answer.status}: ${await answer.text()}`);
      if (n % 4 === 0) await sleep(10);
    }
    const third = await serve(folders[2]!.path, env);
    nodes[1] = third;
    const settled = async () => {
      const status = (await (await ask(third, 'GET', '/api/status')).json()) as Status;
      const [target] = status.targets;
      return status.unplannedChanges === 0 && target!.accounts === people && target!.pending === 0;
    };
    while (!(await settled())) {
      assert.ok(performance.now() - killedAt < 60_000, 'it is not settled a minute after the kill');
      await sleep(100);
    }
    const seconds = (performance.now() - killedAt) / 1_000;
    test.diagnostic(`settled ${seconds.toFixed(1)} s after the kill, leases of ${leaseMs / 1_000} s`);
    const names = [...fake.users.values()].map((user) => String(user.userName)).sort();
    assert.deepEqual(names, Array.from({ length: people }, (_, n) => `person${n}`).sort(), 'everybody once');
    assert.equal(new Set([...fake.users.values()].map((user) => user.externalId)).size, people);
    assert.deepEqual(fake.faults, []);
    for (const node of nodes) {
      const list = (await (await ask(node, 'GET', '/scim2/Users?count=1')).json()) as { totalResults: number };
      assert.equal(list.totalResults, people, 'every door serves the same people');
    }
    const status = (await (await ask(third, 'GET', '/api/status')).json()) as Status;
    assert.equal(status.targets[0]!.parked, 0);
    const open = await store.read((r) =>
      r.all(r.q.selectFrom('attempts').select(['id', 'deadline']).where('ended_at', 'is', null)),
    );
    assert.ok(open.length <= 40, `${open.length} attempts of the killed node have no end`);
    for (const node of nodes) assert.equal(await node.stop(), 0, node.printed());
  });
});
