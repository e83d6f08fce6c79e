import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { endLink, findLink, listLinksOf } from '../../src/directory/sign-in-links.ts';
import { lockSubject } from '../../src/directory/subjects.ts';
import { deleteUser } from '../../src/directory/users.ts';
import { openNameGuesses } from '../../src/inbound/login/name-guesses.ts';
import { readGiven, settle } from '../../src/inbound/login/settle.ts';
import { coreTypes } from '../../src/protocol/scim/schema.ts';
import { noFederation } from '../../src/provisioning/federation-settings.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import type { Store, Tx } from '../../src/store/store.ts';
import { openTestClock } from '../clock.ts';
import { oneDatabase } from '../database.ts';

async function isWaitedFor(store: Store): Promise<boolean> {
  const query = CompiledQuery.raw(
    'select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())',
  );
  return (await store.read((reading) => reading.all({ compile: () => query }))).length > 0;
}

oneDatabase('postgres', 'somebody signs in', (database) => {
  /** Signs in while `work` has the user's row, which it lets go of when the sign-in waits for it. */
  const signInDuring = async (work: (tx: Tx, user: { id: string; spId: number; link: number }) => Promise<unknown>) => {
    const store = await database.open();
    const spId = await store.write(ensureResidentServiceProvider);
    const idp = await store.write((tx) => createIdentityProvider(tx, { name: 'partner' }));
    const settings = { ...noFederation, jit: { ...noFederation.jit, enabled: true } };
    const federation = { idp, settings, secretSince: null, modifiedAt: null };
    const guesses = openNameGuesses({ store, clock: openTestClock() });
    const come = async (userName: string) => {
      const said = { spId, issuer: 'https://login.example', claims: { sub: 'u-1', preferred_username: userName } };
      return (await settle(store, readGiven(federation, said, { types: coreTypes, guesses })))!.user;
    };
    const before = await come('ada');
    const [link] = await store.read((reading) => listLinksOf(reading, before.id, 1));
    let came: ReturnType<typeof come> | undefined;
    await store.write(async (tx) => {
      await work(tx, { id: before.id, spId, link: link!.id });
      came ??= come('ada again');
      while (!(await isWaitedFor(store))) await sleep(5);
    });
    const after = await came!;
    const known = await store.read((reading) =>
      findLink(reading, { idpId: idp.id, issuer: 'https://login.example', subject: 'u-1' }),
    );
    assert.equal(known!.userId, after.id);
    return { before, after, left: await store.read((reading) => listLinksOf(reading, before.id, 10)) };
  };

  it('and is deleted at that moment: they are new then, and nothing is left of who they were', async () => {
    const { before, after, left } = await signInDuring((tx, { id, spId }) =>
      deleteUser(tx, id, { origin: { spId, door: 'api', actor: 'test' } }),
    );
    assert.notEqual(after.id, before.id);
    assert.deepEqual(left, []);
  });

  it('and is unlinked at that moment: they are unknown then', async () => {
    const { before, after, left } = await signInDuring(async (tx, { id, link }) => {
      await lockSubject(tx, 'user', id);
      await endLink(tx, { id: link, userId: id, actor: 'admin' });
    });
    assert.notEqual(after.id, before.id);
    assert.equal(left[0]!.ended?.by, 'admin');
  });
});
