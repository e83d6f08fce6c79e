import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { needOf } from '../../src/contract/operation.ts';
import { operations } from '../../src/contract/operations.ts';
import { OperatorList, OperatorMade, SessionAnswer } from '../../src/contract/session.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { createOperator, ensureFirstAdministrator, findOperator } from '../../src/inbound/operators.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, basic, fits, openAdminBed } from './admin-bed.ts';

const ownPassword = 'eine gute Losung';

eachDatabase('sessions of the console', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
  });

  /** As the console calls: with the cookie, and the header that no other site can add. */
  const callWith = async (cookie: string | undefined, method: string, path: string, body?: unknown, client = true) => {
    const response = await fetch(`${api.url}/api${path}`, {
      method,
      headers: {
        ...(cookie === undefined ? {} : { cookie }),
        ...(client ? { 'purvey-client': 'console' } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
      setCookie: response.headers.get('set-cookie'),
    };
  };
  const signIn = async (name: string, password: string) => {
    const answer = await callWith(undefined, 'POST', '/session', { name, password });
    return { ...answer, cookie: answer.setCookie?.split(';')[0] };
  };
  const makeOperator = async (name: string, role: 'administrator' | 'operator' | 'auditor' | 'service') => {
    const hash = await hashPassword(ownPassword);
    return api.store.write((tx) => createOperator(tx, { name, hash, role, mustChange: false }));
  };

  it('begin with name and password, and demand a change of the first password', async () => {
    const { status, body, setCookie, cookie } = await signIn('admin', api.password);
    assert.equal(status, 200);
    assert.ok(fits(SessionAnswer, body));
    assert.deepEqual(body, { name: 'admin', role: 'administrator', by: 'session', mustChangePassword: true });
    const port = new URL(api.url).port;
    assert.match(
      setCookie!,
      new RegExp(`^purvey-session-${port}=[\\w-]{43}; Path=/api; Max-Age=43200; HttpOnly; SameSite=Strict$`),
    );
    assert.equal((await callWith(cookie, 'GET', '/session')).status, 200);
    const refused = await callWith(cookie, 'GET', '/status');
    assert.equal(refused.status, 403);
    assert.equal(refused.body.code, 'passwordChangeRequired');

    const bad: [Record<string, unknown>, string][] = [
      [{ newPassword: ownPassword }, 'oldPassword'],
      [{ newPassword: ownPassword, oldPassword: 'wrong' }, 'oldPassword'],
      [{ newPassword: api.password, oldPassword: api.password }, 'newPassword'],
      [{ newPassword: 'short', oldPassword: api.password }, 'newPassword'],
    ];
    for (const [given, field] of bad) {
      const answer = await callWith(cookie, 'POST', '/password', given);
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.equal(answer.body.field, field);
    }
    const elsewhere = await signIn('admin', api.password);
    const given = { newPassword: ownPassword, oldPassword: api.password };
    assert.equal((await callWith(cookie, 'POST', '/password', given)).status, 204);
    assert.equal((await callWith(cookie, 'GET', '/status')).status, 200, 'its own session goes on');
    assert.equal((await callWith(elsewhere.cookie, 'GET', '/session')).status, 401, 'every other one has ended');
  });

  it('end, and are refused from then on', async () => {
    const { cookie } = await signIn('admin', ownPassword);
    assert.equal((await callWith(cookie, 'DELETE', '/session', undefined, false)).status, 204);
    assert.equal((await callWith(cookie, 'GET', '/status')).status, 200, 'another site cannot sign anybody out');
    const ended = await callWith(cookie, 'DELETE', '/session');
    assert.equal(ended.status, 204);
    assert.match(ended.setCookie!, /=; Path=\/api; Max-Age=0;/);
    const refused = await callWith(cookie, 'GET', '/status');
    assert.equal(refused.status, 401);
    assert.doesNotMatch(refused.headers.get('www-authenticate')!, /Basic/, 'a browser would ask by itself');
    assert.equal((await callWith(cookie, 'DELETE', '/session')).status, 204);
  });

  it('are worth nothing without the header that another site cannot add', async () => {
    const { cookie } = await signIn('admin', ownPassword);
    for (const [method, path, body] of [
      ['GET', '/status', undefined],
      ['POST', '/service-providers', { name: 'forged' }],
      ['POST', '/password', { newPassword: 'another good one', oldPassword: ownPassword }],
    ] as const) {
      const refused = await callWith(cookie, method, path, body, false);
      assert.equal(refused.status, 403, path);
      assert.match(refused.body.detail, /purvey-client/);
    }
    const preflight = await fetch(`${api.url}/api/status`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    // A form of another site cannot sign somebody in either: it cannot send JSON.
    const form = await fetch(`${api.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `name=admin&password=${encodeURIComponent(ownPassword)}`,
    });
    assert.equal(form.status, 415);
  });

  it('are kept as a digest, and refused when the cookie is made up', async () => {
    const { cookie } = await signIn('admin', ownPassword);
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('sessions').selectAll()));
    assert.ok(rows.length > 0);
    assert.ok(!JSON.stringify(rows).includes(cookie!.split('=')[1]!));
    const name = cookie!.split('=')[0];
    for (const value of ['', 'x', 'y'.repeat(43), rows[0]!.digest]) {
      assert.equal((await callWith(`${name}=${value}`, 'GET', '/status')).status, 401, value);
    }
  });

  it('a wrong password is slowed down as with Basic, and says the same for a name nobody has', async () => {
    await makeOperator('guessed', 'auditor');
    const details = new Set<string>();
    for (const name of ['guessed', 'nobody-at-all']) {
      for (let n = 0; n < 5; n++) {
        const refused = await signIn(name, `guess ${n}`);
        assert.equal(refused.status, 401);
        assert.equal(refused.setCookie, null);
        details.add(refused.body.detail);
      }
      assert.equal((await signIn(name, 'guess')).status, 429, name);
    }
    assert.equal(details.size, 1);
    for (const body of [{}, { name: 'admin' }, { name: 1, password: 'x' }, { name: 'a', password: 'b', more: 1 }]) {
      assert.equal((await callWith(undefined, 'POST', '/session', body)).status, 400, JSON.stringify(body));
    }
  });

  it('a role goes as far as the contract says, by session and by Basic', async () => {
    await makeOperator('olga', 'operator');
    await makeOperator('otto', 'auditor');
    await makeOperator('robot', 'service');
    assert.equal((await signIn('robot', ownPassword)).status, 403);
    assert.equal((await api.call('GET', '/status', undefined, basic('robot', ownPassword))).status, 403);
    const mayDo = { olga: ['read', 'operate'], otto: ['read'] };
    for (const [name, needs] of Object.entries(mayDo)) {
      const { cookie } = await signIn(name, ownPassword);
      for (const operation of operations) {
        const { method, path, is } = operation;
        // The answer of /events has no end; `admin-events` tries it.
        if (is === 'open' || path === '/password' || path === '/events') continue;
        const real = path.replace(/\{\w+\}/g, 'nobody');
        const isAllowed = needs.includes(needOf(operation));
        const bySession = await callWith(cookie, method.toUpperCase(), real, method === 'get' ? undefined : {});
        const byBasic = await api.call(
          method.toUpperCase(),
          real,
          method === 'get' ? undefined : {},
          basic(name, ownPassword),
        );
        for (const answer of [bySession, byBasic]) {
          const told = `${name}: ${method} ${path} ${answer.status} ${JSON.stringify(answer.body)}`;
          assert.equal(answer.status === 403, !isAllowed, told);
        }
      }
    }
    const told = await callWith((await signIn('otto', ownPassword)).cookie, 'POST', '/service-providers', {
      name: 'x',
    });
    assert.match(told.body.detail, /otto is an auditor, and only administrators may do this/);
  });

  it('operators are made with a one-time password, change role, and go; the last administrator stays', async () => {
    const made = await api.call('POST', '/operators', { name: 'Nora', role: 'operator' });
    assert.equal(made.status, 201, made.text);
    assert.ok(fits(OperatorMade, made.body));
    assert.equal((await api.call('POST', '/operators', { name: 'nora', role: 'auditor' })).status, 409);
    for (const [body, field] of [
      [{ name: 'a:b', role: 'auditor' }, 'name'],
      [{ name: 'x', role: 'king' }, 'role'],
      [{ name: 'x' }, 'role'],
      [{ role: 'auditor' }, 'name'],
    ] as const) {
      assert.equal((await api.call('POST', '/operators', body)).body.field, field);
    }
    const first = await signIn('nora', made.body.password);
    assert.equal(first.body.mustChangePassword, true);
    const given = { newPassword: 'noras own password', oldPassword: made.body.password };
    assert.equal((await callWith(first.cookie, 'POST', '/password', given)).status, 204);
    assert.equal((await callWith(first.cookie, 'GET', '/status')).status, 200);
    assert.equal((await callWith(first.cookie, 'POST', '/targets/nobody/pause')).status, 404);
    assert.equal((await api.call('PATCH', '/operators/nora', { role: 'auditor' })).status, 200);
    assert.equal((await callWith(first.cookie, 'POST', '/targets/nobody/pause')).status, 403);
    const list = await api.call('GET', '/operators');
    assert.ok(fits(OperatorList, list.body));
    assert.ok(!list.text.includes('argon2') && !list.text.includes(made.body.password));

    const reset = await api.call('POST', `/operators/${made.body.id}/password`);
    assert.equal(reset.status, 200);
    assert.equal((await callWith(first.cookie, 'GET', '/status')).status, 401, 'whoever had the old one is out');
    const again = await signIn('nora', reset.body.password);
    assert.equal(again.status, 200);
    assert.equal((await api.call('DELETE', '/operators/nora')).status, 204);
    assert.equal((await callWith(again.cookie, 'GET', '/session')).status, 401);
    assert.equal((await api.call('DELETE', '/operators/nora')).status, 404);
    assert.equal((await api.call('DELETE', '/operators/admin')).status, 409);
    assert.equal((await api.call('PATCH', '/operators/admin', { role: 'auditor' })).status, 409);
  });
});

eachDatabase('how long a session lasts', (bed) => {
  const minute = 60_000;
  const begin = async () => {
    const clock = openTestClock();
    const store = await bed.open({ clock, time: 'clock' });
    const { password } = (await ensureFirstAdministrator(store))!;
    const here = openCredentials({ store, clock });
    const { token } = await here.signIn('admin', new Secret(password));
    const enter = (credentials = here) => credentials.authenticateSession(token, { mayBeDue: true });
    return { clock, store, here, token, enter };
  };
  const ended = { code: 'notAuthenticated' };

  it('half an hour after the last use, twelve hours in all', async () => {
    const { clock, enter } = await begin();
    await clock.advance(29 * minute);
    await enter();
    await clock.advance(29 * minute);
    await enter();
    await clock.advance(31 * minute);
    await assert.rejects(enter(), ended);
    const used = await begin();
    for (let n = 0; n < 35; n++) {
      await used.clock.advance(20 * minute);
      await used.enter();
    }
    await used.clock.advance(20 * minute);
    await assert.rejects(used.enter(), ended);
  });

  it('it is known on every node, and its end within five seconds', async () => {
    const { clock, store, here, token, enter } = await begin();
    const there = openCredentials({ store, clock });
    assert.equal((await enter(there)).actor, 'admin');
    await here.signOut(token);
    await assert.rejects(enter(here), ended);
    await clock.advance(5_000);
    await assert.rejects(enter(there), ended);
  });

  it('its renewal is not written at every use', async () => {
    const { clock, store, enter } = await begin();
    const renewed = async () =>
      (await store.read((reading) => reading.first(reading.q.selectFrom('sessions').select('renewed_at'))))!.renewed_at;
    const began = await renewed();
    for (let n = 0; n < 10; n++) {
      await clock.advance(5_000);
      await enter();
    }
    assert.equal(await renewed(), began);
    await clock.advance(11_000);
    await enter();
    assert.ok((await renewed()) > began);
    assert.equal((await store.read((reading) => findOperator(reading, 'admin')))!.role, 'administrator');
  });
});
