import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { endLink, findLink, listLinksOf } from '../../src/directory/sign-in-links.ts';
import { lockSubject, type Subject } from '../../src/directory/subjects.ts';
import { createUser, deleteUser } from '../../src/directory/users.ts';
import type { Claims } from '../../src/inbound/login/claims.ts';
import { openNameGuesses } from '../../src/inbound/login/name-guesses.ts';
import { readGiven, settle } from '../../src/inbound/login/settle.ts';
import { coreTypes } from '../../src/protocol/scim/schema.ts';
import { type FederationSettings, noFederation } from '../../src/provisioning/federation-settings.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import type { Store, Tx } from '../../src/store/store.ts';
import { openTestClock } from '../clock.ts';
import { oneDatabase } from '../database.ts';

/** Until so many transactions wait for a row. */
async function untilWaiting(store: Store, count: number): Promise<void> {
  const query = CompiledQuery.raw(
    'select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())',
  );
  while ((await store.read((reading) => reading.all({ compile: () => query }))).length < count) await sleep(5);
}

oneDatabase('postgres', 'somebody signs in', (database) => {
  const open = async (more: Partial<FederationSettings>) => {
    const store = await database.open();
    const spId = await store.write(ensureResidentServiceProvider);
    const idp = await store.write((tx) => createIdentityProvider(tx, { name: 'partner' }));
    const federation = { idp, settings: { ...noFederation, ...more }, secretSince: null, modifiedAt: null };
    const guesses = openNameGuesses({ store, clock: openTestClock() });
    const come = async (claims: Claims) => {
      const said = { spId, issuer: 'https://login.example', claims };
      return (await settle(store, readGiven(federation, said, { types: coreTypes, guesses })))!.user;
    };
    return { store, spId, idp, come };
  };

  /** Signs in while `work` has the user's row, which it lets go of when the sign-in waits for it. */
  const signInDuring = async (work: (tx: Tx, user: { id: string; spId: number; link: number }) => Promise<unknown>) => {
    const { store, spId, idp, ...bed } = await open({ jit: { ...noFederation.jit, enabled: true } });
    const come = (userName: string) => bed.come({ sub: 'u-1', preferred_username: userName });
    const before = await come('ada');
    const [link] = await store.read((reading) => listLinksOf(reading, before.id, 1));
    let came: ReturnType<typeof come> | undefined;
    await store.write(async (tx) => {
      await work(tx, { id: before.id, spId, link: link!.id });
      came ??= come('ada again');
      await untilWaiting(store, 1);
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

  it('and so does another with the same address: one of them is the user', async () => {
    const { store, spId, come } = await open({ linkBy: 'verifiedEmail' });
    const emails = [{ value: 'ada@acme.example' }];
    const origin = { spId, door: 'api', actor: 'test' } as const;
    const { id } = await store.write((tx) => createUser(tx, { schemas: [], userName: 'ada', emails }, { origin }));
    let came: Promise<PromiseSettledResult<Subject>[]> | undefined;
    await store.write(async (tx) => {
      await lockSubject(tx, 'user', id);
      came ??= Promise.allSettled(
        ['u-1', 'u-2'].map((sub) => come({ sub, email: 'ada@acme.example', email_verified: true })),
      );
      await untilWaiting(store, 2);
    });
    const [good, bad] = (await came!).toSorted((a, b) => a.status.localeCompare(b.status));
    assert.equal(good!.status === 'fulfilled' && good!.value.id, id);
    assert.match(
      String(bad!.status === 'rejected' && bad!.reason),
      /somebody else who signs in that way has your e-mail/,
    );
    assert.equal((await store.read((reading) => listLinksOf(reading, id, 10))).length, 1);
  });
});
