import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { startPurvey } from '../../src/main.ts';
import { startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { type Bed, eachDatabase } from '../database.ts';
import { patchSchemas, userSchemas } from './scim-bed.ts';

/** A whole server, as `purvey serve` starts it, and an administrator of it. */
async function startServer(database: Bed, environment: Record<string, string> = {}) {
  const data = await mkdtemp(join(tmpdir(), 'purvey-blocking-'));
  const location = database.kind === 'postgres' ? database.locationOf(await database.open()) : undefined;
  const server = await startPurvey(
    readConfig({
      PURVEY_DATA: data,
      PURVEY_PORT: '0',
      PURVEY_LOG: 'silent',
      ...(location && 'url' in location ? { DATABASE_URL: location.url } : {}),
      ...environment,
    }),
  );
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(path.startsWith('http') ? path : `${server.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': path.includes('/scim2') ? 'application/scim+json' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: what a server answers has no type until a test looks at it
    const json = (text === '' ? undefined : JSON.parse(text)) as any;
    return { status: response.status, delivery: response.headers.get('purvey-delivery'), body: json };
  }
  return {
    url: server.url,
    call,
    stop: server.stop,
    async tokenFor(serviceProvider: string): Promise<string> {
      await call('POST', '/api/service-providers', { name: serviceProvider });
      const made = await call('POST', '/api/tokens', { label: serviceProvider, serviceProvider, scopes: ['scim'] });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      return made.body.token;
    },
    async addTarget(name: string, usersEndpoint: string, accessToken: string): Promise<void> {
      await call('POST', '/api/identity-providers', { name });
      const made = await call('POST', `/api/identity-providers/${name}/targets`, {
        type: 'SCIM2',
        settings: {
          'scim2-authentication-mode': 'bearer',
          'scim2-access-token': accessToken,
          'scim2-user-ep': usersEndpoint,
        },
        policy: { timeoutMs: 2_500, settleMs: 100 },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
    },
    async bind(serviceProvider: string, target: string): Promise<void> {
      const bindings = [{ target, blocking: true, onFailure: 'fail' }];
      const bound = await call('PUT', `/api/service-providers/${serviceProvider}/bindings`, { bindings });
      assert.equal(bound.status, 200, JSON.stringify(bound.body));
    },
    async attempts(): Promise<{ outcome: string; reason: string }[]> {
      return (await call('GET', '/api/attempts?limit=200')).body.items;
    },
    async isAtRest(): Promise<boolean> {
      const { body } = await call('GET', '/api/status');
      return body.unplannedChanges === 0 && body.targets.every((one: { pending: number }) => one.pending === 0);
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

const until = async (what: string, condition: () => Promise<boolean>) => {
  for (let n = 0; n < 400; n++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come true within 20 s`);
};

eachDatabase('two servers that are each other’s targets, both blocking', (database) => {
  it('come to rest after a creation, a renaming and a removal, and make nobody wait for an echo', async () => {
    await using acme = await startServer(database);
    await using partner = await startServer(database);
    // What comes from the other is sent back to it as well: the service provider that it speaks for is bound too.
    const forAcme = await partner.tokenFor('acme');
    const forPartner = await acme.tokenFor('partner');
    await acme.addTarget('partner', `${partner.url}/scim2/Users`, forAcme);
    await partner.addTarget('acme', `${acme.url}/scim2/Users`, forPartner);
    for (const provider of ['resident', 'partner']) await acme.bind(provider, 'partner:SCIM2');
    for (const provider of ['resident', 'acme']) await partner.bind(provider, 'acme:SCIM2');

    const all = async () => [...(await acme.attempts()), ...(await partner.attempts())];
    const atRest = () =>
      until('rest', async () => {
        if (!(await acme.isAtRest()) || !(await partner.isAtRest())) return false;
        // Nothing is due; and it stays so.
        const before = (await all()).length;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return (await acme.isAtRest()) && (await partner.isAtRest()) && before === (await all()).length;
      });
    const names = async (server: typeof acme) =>
      (await server.call('GET', '/scim2/Users')).body.Resources.map((one: { userName: string }) => one.userName).sort();

    let told = 0;
    for (const [first, second, other] of [
      [acme, partner, 'partner:SCIM2'],
      [partner, acme, 'acme:SCIM2'],
    ] as const) {
      const name = `from-${other.split(':')[0]}`;
      const made = await first.call('POST', '/scim2/Users', { schemas: userSchemas, userName: name });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal(made.delivery, `"${other}";outcome=done`);
      assert.deepEqual(await names(second), [name]);
      await atRest();
      const rename = [{ op: 'replace', path: 'userName', value: `${name}-renamed` }];
      const path = `/scim2/Users/${made.body.id}`;
      const renamed = await first.call('PATCH', path, { schemas: patchSchemas, Operations: rename });
      assert.equal(renamed.status, 200, JSON.stringify(renamed.body));
      assert.equal(renamed.delivery, `"${other}";outcome=done`);
      assert.deepEqual(await names(second), [`${name}-renamed`]);
      await atRest();
      const removed = await first.call('DELETE', path);
      assert.equal(removed.status, 204, JSON.stringify(removed.body));
      assert.equal(removed.delivery, `"${other}";outcome=done`);
      assert.deepEqual(await names(second), []);
      await atRest();
      assert.deepEqual(await names(first), []);
      const attempts = await all();
      assert.ok(attempts.length - told <= 16, `${attempts.length - told} attempts for three changes`);
      // Who waits for an echo runs into the time-out of the request that it echoes.
      assert.deepEqual(
        attempts.filter(({ outcome }) => outcome === 'unknown' || outcome === 'unavailable'),
        [],
      );
      told = attempts.length;
    }
  });

  it('answer who waits when they stop, and do not wait themselves', async () => {
    const fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'fake-token' } });
    try {
      await using server = await startServer(database, { PURVEY_BLOCKING_SECONDS: '60' });
      await server.addTarget('slow', fake.usersEndpoint, 'fake-token');
      await server.bind('resident', 'slow:SCIM2');
      fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
      const answer = server.call('POST', '/scim2/Users', { schemas: userSchemas, userName: 'ada' });
      await until('the delivery', async () => fake.held > 0);
      await until('the attempt', async () => (await server.attempts()).length > 0);
      const stopped = server.stop();
      // The target is still thinking, and the bound is a minute away.
      const { status, body } = await answer;
      assert.equal(status, 504);
      assert.match(
        body.detail,
        /^The change is stored here\. slow:SCIM2 does not have it yet: this server is stopping/,
      );
      await fake.release();
      await stopped;
      assert.ok(fake.userNamed('ada'), 'and what was under way ended');
    } finally {
      await fake.close();
    }
  });
});
