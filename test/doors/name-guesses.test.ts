import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Problem } from '../../src/base/problem.ts';
import { lockedForMs, wrongPasswordsAtMost } from '../../src/directory/sign-in-locks.ts';
import { createUser } from '../../src/directory/users.ts';
import { openNameGuesses } from '../../src/inbound/login/name-guesses.ts';
import { readGiven, settle } from '../../src/inbound/login/settle.ts';
import { coreTypes } from '../../src/protocol/scim/schema.ts';
import { noFederation } from '../../src/provisioning/federation-settings.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';

eachDatabase('user names that somebody new tries and that are taken', (database) => {
  /** Two servers on one database. */
  const open = async () => {
    const clock = openTestClock();
    const store = await database.open({ clock, time: 'clock' });
    const [one, two] = [openNameGuesses({ store, clock }), openNameGuesses({ store, clock })];
    const remote = { idpId: 1, issuer: 'https://login.example', subject: 'u-1' };
    const check = (at = one, who = remote) =>
      store
        .read((reading) => at.check(reading, who))
        .then(
          () => 'go on',
          (error: { code: string; field: string; message: string }) => `${error.code} ${error.field} ${error.message}`,
        );
    return { clock, store, one, two, remote, check };
  };
  const tooMany = /^tooManyRequests userName Too many user names that somebody here has already\. Try again in /;

  it('have each to wait after a few, and after ten none can be tried for a while, on every server', async () => {
    const { clock, one, two, remote, check } = await open();
    for (let n = 0; n < wrongPasswordsAtMost; n++) {
      await clock.advance(31_000);
      const at = n % 2 === 0 ? one : two;
      assert.equal(await check(at), 'go on');
      await at.count(remote);
    }
    assert.match(await check(one), tooMany);
    await clock.advance(31_000);
    assert.match(await check(one), tooMany);
    assert.match(await check(two), /in 15 minutes\.$/);
    for (const other of [{ subject: 'u-2' }, { idpId: 2 }, { issuer: 'https://other.example' }]) {
      assert.equal(await check(one, { ...remote, ...other }), 'go on', 'others are not concerned');
    }
    await clock.advance(lockedForMs);
    assert.equal(await check(one), 'go on');
  });

  it('make whoever tries them fast wait a second, and then longer', async () => {
    const { clock, one, two, remote, check } = await open();
    for (let n = 0; n < 5; n++) await one.count(remote);
    assert.match(await check(one), /in 1 seconds\.$/);
    await clock.advance(1_000);
    assert.equal(await check(one), 'go on');
    await one.count(remote);
    assert.match(await check(one), /in 2 seconds\.$/);
    assert.equal(await check(two), 'go on', 'each server counts these for itself');
  });

  it('leave no free name to be taken either, on whichever way; and concern nobody who is known', async () => {
    const { clock, store, one, remote } = await open();
    const spId = await store.write(ensureResidentServiceProvider);
    const origin = { spId, door: 'api', actor: 'test' } as const;
    await store.write((tx) => createUser(tx, { schemas: [], userName: 'taken' }, { origin }));
    const idp = await store.write((tx) => createIdentityProvider(tx, { name: 'partner' }));
    const come = async (sub: string, claim: string, chosen?: { userName?: string }) => {
      await clock.advance(31_000);
      const jit = { ...noFederation.jit, enabled: true, prompt: chosen ? 'userName' : 'silent' } as const;
      const federation = { idp, settings: { ...noFederation, jit }, secretSince: null, modifiedAt: null };
      const claims = { sub, preferred_username: claim };
      const given = readGiven(federation, { spId, issuer: remote.issuer, claims }, { types: coreTypes, guesses: one });
      return settle(store, chosen ? { ...given, chosen } : given).then(
        (settled) => `welcome ${settled!.user.fullName}`,
        (error: Problem) => error.code,
      );
    };
    assert.equal(await come('u-ada', 'ada'), 'welcome ada');
    for (const sub of ['u-chooses', 'u-is-said']) {
      const names = (name: string) => (sub === 'u-chooses' ? come(sub, 'x', { userName: name }) : come(sub, name));
      const refused = sub === 'u-chooses' ? 'uniqueness' : 'notAllowed';
      for (let n = 0; n < wrongPasswordsAtMost; n++) assert.equal(await names('taken'), refused);
      assert.equal(await names('taken'), 'tooManyRequests');
      assert.equal(await names('free'), 'tooManyRequests');
      await clock.advance(lockedForMs);
      assert.equal(await names(`free ${sub}`), `welcome free ${sub}`);
    }
    for (let n = 0; n < wrongPasswordsAtMost; n++) await one.count({ ...remote, idpId: idp.id, subject: 'u-ada' });
    assert.equal(await come('u-ada', 'whatever'), 'welcome ada');
  });

  it('are told of ten at most, however many are tried at once', async () => {
    const { one, two, remote } = await open();
    const told = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : two).count(remote)),
    );
    assert.equal(told.filter(({ status }) => status === 'fulfilled').length, wrongPasswordsAtMost);
    for (const each of told) if (each.status === 'rejected') assert.equal(each.reason.code, 'tooManyRequests');
  });
});
