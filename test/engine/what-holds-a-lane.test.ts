import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { it } from 'node:test';
import type { Act } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

async function addPeople(bed: EngineBed, count: number, prefix = 'p'): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await bed.addUser(`${prefix}${n}`));
  return ids;
}

const statesOf = async (bed: EngineBed) => [...new Set((await bed.accounts()).map((row) => row.state))];
const userLane = async (bed: EngineBed) => (await bed.lanes()).find((lane) => lane.kind === 'user');

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

eachDatabase('what belongs to a lane', (database) => {
  const answers: { name: string; act: Act; says: RegExp }[] = [
    { name: 'a redirect', act: { kind: 'answer', status: 302, headers: { location: '/login' } }, says: /redirect/ },
    {
      name: 'a missing scope',
      act: { kind: 'answer', status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } },
      says: /scope/,
    },
    { name: 'an endpoint that does not do this', act: { kind: 'answer', status: 405 }, says: /does not do this/ },
    { name: 'half an answer', act: { kind: 'half', applied: false }, says: /every delivery fails/ },
  ];
  for (const { name, act, says } of answers) {
    it(`${name}: parks nobody, probes, heals by itself, makes nobody twice`, async () => {
      await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 2 } });
      bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, when: { method: 'POST' }, act });
      await addPeople(bed, 20);
      await bed.start();
      await bed.pass(120_000);
      assert.match((await userLane(bed))?.hold ?? '', says);
      assert.ok(!(await statesOf(bed)).includes('parked'), 'nothing is parked');
      bed.fake.heal();
      await bed.rest();
      assert.deepEqual(await statesOf(bed), ['done']);
      await bed.assertAgrees();
    });
  }

  for (const [name, url, says] of [
    ['a connection that is refused', async () => `http://127.0.0.1:${await closedPort()}`, /refused|connect/i],
    ['TLS with somebody who has none', async (bed) => bed.fake.url.replace('http:', 'https:'), /TLS|SSL|certificate/i],
    ['a name that nobody knows', async () => 'https://nobody.invalid', /not found|nobody\.invalid/i],
  ] satisfies [string, (bed: EngineBed) => Promise<string>, RegExp][]) {
    it(`${name}: parks nobody, and goes on with the right address`, async () => {
      await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 2 } });
      await addPeople(bed, 20);
      const base = await url(bed);
      await resetTarget(bed, {
        policy: { ...limits, maxTries: 2 },
        settings: { 'scim2-user-ep': `${base}/scim2/Users`, 'scim2-group-ep': `${base}/scim2/Groups` },
      });
      await bed.start();
      await bed.clock.runUntil(async () => (await userLane(bed))?.hold !== null && (await bed.lanes()).length > 0, {
        limitMs: 60_000,
      });
      await bed.pass(60_000);
      assert.match((await userLane(bed))?.hold ?? '', says);
      assert.deepEqual(await statesOf(bed), ['due']);
      await resetTarget(bed, { policy: { ...limits, maxTries: 2 } });
      await bed.rest();
      assert.deepEqual(await statesOf(bed), ['done']);
      assert.equal((await userLane(bed))?.hold, null);
      await bed.assertAgrees();
    });
  }

  it('an access token that was recalled: nobody notices but the one that met it', async () => {
    const auth = { mode: 'oauth', clientId: 'purvey', clientSecret: 'fake-secret', client: 'basic' } as const;
    await using bed = await openEngineBed(database, { policy: limits, fake: { auth } });
    await resetTarget(bed, {
      policy: limits,
      settings: {
        'scim2-authentication-mode': 'oauth2ClientCredentials',
        'scim2-token-endpoint': bed.fake.tokenEndpoint,
        'scim2-client-id': auth.clientId,
        'scim2-client-secret': auth.clientSecret,
        'scim2-client-authentication': auth.client,
      },
    });
    await bed.start();
    const people = await addPeople(bed, 10);
    await bed.rest();
    bed.fake.recallTokens();
    for (const [n, id] of people.entries()) await bed.changeUser(id, `p${n}`, { title: 'x' });
    await bed.rest();
    await bed.assertAgrees();
    assert.equal((await userLane(bed))?.hold, null);
  });
});

eachDatabase('a poison account', (database) => {
  const poisons: { name: string; act: Act }[] = [
    { name: 'is always answered 500', act: { kind: 'answer', status: 500, body: {} } },
    { name: 'makes the target close the connection', act: { kind: 'drop', applied: false } },
    { name: 'is sent to a login page', act: { kind: 'answer', status: 302, headers: { location: '/login' } } },
    { name: 'is answered 401', act: { kind: 'answer', status: 401, body: {} } },
  ];
  for (const { name, act } of poisons) {
    it(`that ${name} does not keep the lane from the others, however long it has been there`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      bed.fake.misbehave({
        times: Number.POSITIVE_INFINITY,
        when: { that: (request) => (request.body as { userName?: string } | undefined)?.userName === 'poison' },
        act,
      });
      await bed.addUser('poison');
      await bed.start();
      // Long enough to hold the lane with nobody else there.
      await bed.pass(5 * 60_000);
      const from = bed.clock.now();
      await addPeople(bed, 30);
      await bed.clock.runUntil(() => bed.fake.users.size === 30, { stepMs: 200, limitMs: 300_000, what: 'the others' });
      assert.ok(bed.clock.now() - from <= 75_000, `${bed.clock.now() - from} ms`);
      bed.fake.heal();
      await bed.rest();
      await bed.assertAgrees();
    });
  }
});

eachDatabase('limits of what absence can do', (database) => {
  it('holds the lane before a target that lost everybody is told to forget hundreds of leavers', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addPeople(bed, 100);
    await bed.rest();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'DELETE' },
      act: { kind: 'answer', status: 404, body: {} },
    });
    for (const id of people) await bed.removeUser(id);
    await bed.clock.runUntil(async () => /not found/.test((await userLane(bed))?.hold ?? ''), { stepMs: 20 });
    assert.ok(bed.fake.users.size === 100);
    bed.fake.heal();
    await bed.rest();
    assert.equal(bed.fake.users.size, 0, 'a 404 to a removal is not believed while the account can be found');
    assert.deepEqual(await bed.accounts(), []);
  });

  it('concludes nothing from an empty listing while reading by id still finds them', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const people = await addPeople(bed, 12);
    await bed.rest();
    const ids = (await bed.accounts()).map((row) => row.remote_id);
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'GET', on: 'users', resource: false },
      act: { kind: 'emptyList' },
    });
    bed.fake.misbehave({ times: 6, when: { method: 'PATCH' }, act: { kind: 'drop', applied: true } });
    for (const [n, id] of people.entries()) await bed.changeUser(id, `p${n}`, { title: 'x' });
    await bed.rest();
    assert.deepEqual(
      (await bed.accounts()).map((row) => row.remote_id),
      ids,
    );
    await bed.assertAgrees();
  });
});
