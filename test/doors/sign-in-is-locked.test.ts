import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import {
  forgetWrongPasswords,
  lockedForMs,
  readLockedUntil,
  wrongPasswordsAtMost,
} from '../../src/directory/sign-in-locks.ts';
import { createUser, replaceUser } from '../../src/directory/users.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import { openTestClock } from '../clock.ts';
import { type Bed, eachDatabase } from '../database.ts';

const right = 'eine gute Losung';
const origin = { spId: 1, door: 'api', actor: 'test' } as const;

/** Two servers on one database. */
async function open(database: Bed) {
  const clock = openTestClock();
  const store = await database.open({ clock, time: 'clock' });
  await store.write(ensureResidentServiceProvider);
  const passwordHash = await hashPassword(right);
  const make = (userName: string) =>
    store.write(async (tx) => (await createUser(tx, { schemas: [], userName }, { origin, passwordHash })).id);
  const ids = { ada: await make('ada'), bob: await make('bob') };
  const [one, two] = [openCredentials({ store, clock }), openCredentials({ store, clock })];
  /** What somebody is told, after whatever they have to wait. */
  const say = async (name: string, password: string, at = one): Promise<string> => {
    await clock.advance(31_000);
    return at.signInUser(name, new Secret(password)).then(
      ({ userName }) => `welcome ${userName}`,
      (error: Error) => error.message,
    );
  };
  const fail = async (name: string, times: number) => {
    const told = new Set<string>();
    for (let n = 0; n < times; n++) told.add(await say(name, `wrong ${n}`, n % 2 === 0 ? one : two));
    assert.equal(told.size, 1);
    return [...told][0]!;
  };
  const lockedUntil = (id: string) => store.read((reading) => readLockedUntil(reading, id));
  return { clock, store, ids, one, two, say, fail, lockedUntil };
}

eachDatabase('signing in after too many wrong passwords', (database) => {
  it('is locked on every server, for a while, also with the right one; and nobody learns who is there', async () => {
    const { clock, store, ids, two, say, fail, lockedUntil } = await open(database);
    const told = await fail('ada', wrongPasswordsAtMost);
    assert.match(told, /^The name or the password is wrong\. After 10 wrong passwords .* locked for 15 minutes/);
    assert.equal(await lockedUntil(ids.ada), store.now() + lockedForMs);
    assert.equal(await say('ada', right), told);
    assert.equal(await say('ada', right, two), told);
    assert.equal(await fail('nobody', wrongPasswordsAtMost + 2), told);
    assert.equal(await say('bob', right), 'welcome bob', 'others are not concerned');
    await clock.advance(lockedForMs);
    assert.equal(await lockedUntil(ids.ada), null);
    assert.equal(await fail('ada', 1), told);
    assert.equal(await say('ada', right, two), 'welcome ada', 'the count began anew');
  });

  it('ends when an administrator unlocks, everywhere at once', async () => {
    const { store, ids, two, say, fail } = await open(database);
    await fail('ada', wrongPasswordsAtMost);
    assert.equal(await store.write((tx) => forgetWrongPasswords(tx, ids.ada)), true);
    assert.equal(await store.write((tx) => forgetWrongPasswords(tx, ids.ada)), false);
    assert.equal(await say('ada', right, two), 'welcome ada');
  });

  it('is not reached where a right one lay between, or a long time', async () => {
    const { clock, store, ids, say, fail, lockedUntil } = await open(database);
    await fail('ada', wrongPasswordsAtMost - 1);
    assert.equal(await say('ada', right), 'welcome ada');
    await fail('ada', wrongPasswordsAtMost - 1);
    assert.equal(await lockedUntil(ids.ada), null);
    await clock.advance(lockedForMs);
    await fail('ada', wrongPasswordsAtMost - 1);
    assert.equal(await lockedUntil(ids.ada), null);
    const rows = await store.read((r) => r.all(r.q.selectFrom('sign_in_failures').selectAll()));
    assert.deepEqual(
      rows.map((row) => [row.subject_id, row.failures]),
      [[ids.ada, wrongPasswordsAtMost - 1]],
    );
  });

  it('holds for Basic of directory users too, and counts what was wrong there', async () => {
    const { clock, ids, one, two, say, lockedUntil } = await open(database);
    const basic = (password: string) => `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
    assert.equal((await one.authenticateScimOrUser(basic(right))).userId, ids.ada);
    for (let n = 0; n < wrongPasswordsAtMost; n++) {
      await clock.advance(31_000);
      await assert.rejects(two.authenticateScimOrUser(basic(`wrong ${n}`)), { code: 'notAuthenticated' });
    }
    assert.notEqual(await lockedUntil(ids.ada), null);
    await assert.rejects(one.authenticateScimOrUser(basic(right)), { code: 'notAuthenticated' });
    assert.match(await say('ada', right), /name or the password is wrong/);
  });

  it('leaves one who is switched off as shut as before', async () => {
    const { store, ids, say, fail } = await open(database);
    await store.write((tx) => replaceUser(tx, ids.bob, { schemas: [], userName: 'bob', active: false }, { origin }));
    const told = await fail('bob', wrongPasswordsAtMost);
    assert.equal(await say('bob', right), told);
  });
});
