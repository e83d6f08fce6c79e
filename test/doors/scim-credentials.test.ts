import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import { createApiToken, revokeApiToken } from '../../src/inbound/api-tokens.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { createOperator, ensureFirstAdministrator, findOperator } from '../../src/inbound/operators.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';
import { openScimBed, operatorName, operatorPassword, userSchemas } from './scim-bed.ts';

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

eachDatabase('who may come in', (database) => {
  it('the first administrator is made once, with a password that must be changed', async () => {
    const store = await database.open();
    const results = await Promise.all([ensureFirstAdministrator(store), ensureFirstAdministrator(store)]);
    const made = results.filter((one) => one !== undefined);
    assert.equal(made.length, 1);
    const { name, password } = made[0]!;
    assert.equal(await ensureFirstAdministrator(store), undefined);
    const credentials = openCredentials({ store, clock: openTestClock() });
    const authorization = basic(name, password);
    await assert.rejects(credentials.authenticateScim(authorization), { code: 'passwordChangeRequired' });
    await assert.rejects(credentials.authenticateAdmin(authorization, { mayBeDue: false }), {
      code: 'passwordChangeRequired',
    });
    const caller = await credentials.authenticateAdmin(authorization, { mayBeDue: true });
    await credentials.changePassword(caller.operatorId!, new Secret('my own choice'));
    await assert.rejects(credentials.authenticateAdmin(authorization, { mayBeDue: true }), {
      code: 'notAuthenticated',
    });
    const resident = await credentials.authenticateScim(basic(name.toUpperCase(), 'my own choice'));
    assert.equal(resident.actor, 'admin');
    const rows = await store.read((reading) =>
      reading.all(reading.q.selectFrom('service_providers').select(['id', 'resident'])),
    );
    assert.deepEqual(
      rows.map((row) => [row.id, row.resident]),
      [[resident.spId, 1]],
    );
    const stored = JSON.stringify(await store.read((reading) => findOperator(reading, name)));
    assert.doesNotMatch(stored, /my own choice/);
  });

  it('a service account may use SCIM and not the admin API; a token what its scopes say', async () => {
    await using bed = await openScimBed(await database.open());
    const { credentials } = bed;
    const service = basic(operatorName, operatorPassword);
    assert.equal((await credentials.authenticateScim(service)).spId, bed.residentId);
    await assert.rejects(credentials.authenticateAdmin(service, { mayBeDue: false }), { code: 'notAllowed' });
    assert.equal((await credentials.authenticateScim(`bearer ${bed.token}`)).spId, 7);
    await assert.rejects(credentials.authenticateAdmin(`Bearer ${bed.token}`, { mayBeDue: false }), {
      code: 'notAllowed',
    });
    const { token } = await credentials.createToken({ label: 'ops', spId: 1, scopes: ['admin'], expiresAt: undefined });
    assert.match(token, /^pv_[\w-]{43}$/);
    const answer = await bed.call('GET', '/Users', undefined, { authorization: `Bearer ${token}` });
    assert.deepEqual([answer.status, answer.body.status], [403, '403']);
  });

  it('an operator is no directory user, and a directory user no operator', async () => {
    await using bed = await openScimBed(await database.open());
    assert.equal((await bed.call('GET', '/Users')).body.totalResults, 0);
    const made = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'ada', password: 'secret' });
    assert.equal(made.status, 201);
    const answer = await bed.call('GET', '/Users', undefined, { authorization: basic('ada', 'secret') });
    assert.equal(answer.status, 403);
    for (const mayBeDue of [true, false]) {
      await assert.rejects(bed.credentials.authenticateAdmin(basic('ada', 'secret'), { mayBeDue }), {
        code: 'notAuthenticated',
      });
    }
    await assert.rejects(bed.credentials.authenticateScim(basic('ada', 'secret')), { code: 'notAuthenticated' });
    const nul = await bed.call('GET', '/Users', undefined, { authorization: basic('a\0da', 'secret') });
    assert.equal(nul.status, 401);
  });

  it('a revoked token is refused within five seconds, an expired one at once', async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const credentials = openCredentials({ store, clock });
    const make = (expiresAt?: number) =>
      store.write((tx) => createApiToken(tx, { label: 't', spId: 1, scopes: ['scim'], expiresAt }));
    const revoked = await make();
    const short = await make(clock.now() + 1_000);
    await credentials.authenticateScim(`Bearer ${revoked.token}`);
    await credentials.authenticateScim(`Bearer ${short.token}`);
    await store.write((tx) => revokeApiToken(tx, revoked.id));
    await clock.advance(1_000);
    await assert.rejects(credentials.authenticateScim(`Bearer ${short.token}`), { code: 'notAuthenticated' });
    await clock.advance(4_000);
    await assert.rejects(credentials.authenticateScim(`Bearer ${revoked.token}`), { code: 'notAuthenticated' });
  });

  it('the last use of a token is noted, and not at every call', async () => {
    const clock = openTestClock();
    const writes: string[] = [];
    const store = await database.open({
      clock,
      time: 'clock',
      onStatement: (sql) => void (/update api_tokens/.test(sql) && writes.push(sql)),
    });
    const credentials = openCredentials({ store, clock });
    const { id, token } = await store.write((tx) => createApiToken(tx, { label: 't', spId: 1, scopes: ['scim'] }));
    for (let i = 0; i < 10; i++) await credentials.authenticateScim(`Bearer ${token}`);
    const lastUse = async () => {
      await store.write(async () => {});
      const query = (reading: Parameters<Parameters<typeof store.read>[0]>[0]) =>
        reading.first(reading.q.selectFrom('api_tokens').select('last_used_at').where('id', '=', id));
      return (await store.read(query))?.last_used_at;
    };
    const deadline = Date.now() + 5_000;
    while ((await lastUse()) === null && Date.now() < deadline) await new Promise((next) => setTimeout(next, 5));
    assert.equal(await lastUse(), clock.now());
    assert.equal(writes.length, 1);
    const row = await store.read((reading) => reading.all(reading.q.selectFrom('api_tokens').selectAll()));
    assert.ok(!JSON.stringify(row).includes(token), 'the token itself is stored nowhere');
  });

  it('a password changed elsewhere is refused within five seconds', async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const here = openCredentials({ store, clock });
    const there = openCredentials({ store, clock });
    const id = await store.write(async (tx) => {
      await tx.all(
        tx.q.insertInto('service_providers').values({
          name: 'resident',
          name_key: 'resident',
          description: null,
          resident: 1,
          created_at: tx.now,
          modified_at: tx.now,
        }),
      );
      return createOperator(tx, { name: 'ops', hash: await old, role: 'administrator', mustChange: false });
    });
    await here.authenticateScim(basic('ops', 'old'));
    await there.changePassword(id, new Secret('new'));
    await clock.advance(5_000);
    await assert.rejects(here.authenticateScim(basic('ops', 'old')), { code: 'notAuthenticated' });
    await here.authenticateScim(basic('ops', 'new'));
  });

  it('guessing is slowed down, for names nobody has too, and does not shut out who knows the password', async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const { password } = (await ensureFirstAdministrator(store))!;
    const credentials = openCredentials({ store, clock });
    const enter = (name: string, guess: string) =>
      credentials.authenticateAdmin(basic(name, guess), { mayBeDue: true });
    await enter('admin', password);
    for (const name of ['admin', 'nobody']) {
      for (let i = 0; i < 5; i++) await assert.rejects(enter(name, `guess ${i}`), { code: 'notAuthenticated' });
      await assert.rejects(enter(name, 'guess'), { code: 'tooManyRequests' });
    }
    await enter('admin', password);
    await clock.advance(1_000);
    await assert.rejects(enter('admin', 'guess'), { code: 'notAuthenticated' });
    await clock.advance(1_000);
    await assert.rejects(enter('admin', 'guess'), { code: 'tooManyRequests' });
  });
});

const old = hashPassword('old');
