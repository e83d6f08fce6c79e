import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BindingsChanged } from '../../src/contract/service-provider.ts';
import { TargetAnswer } from '../../src/contract/target.ts';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, userType } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

eachDatabase('what a save would do', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  const target = '/targets/partner:SCIM2';
  const names = ['ada', 'bob', 'cleo', 'dora', 'eve'];
  const rest = async () => {
    // Twice, since what a wave makes due may be counted before the wave is seen to have ended.
    for (let n = 0, quiet = 0; n < 400; n++) {
      const { targets, unplannedChanges } = (await api.call('GET', '/status')).body;
      if (unplannedChanges === 0 && targets[0].pending === 0 && targets[0].waves.length === 0) quiet++;
      else quiet = 0;
      if (quiet === 2) return;
      await sleep(25);
    }
    assert.fail('it does not come to rest');
  };
  /** Tries a change, makes it, and compares what it said with what was sent. */
  const tryAndDo = async (body: unknown) => {
    const sent = () => fake.requests.filter((one) => one.method !== 'GET').length;
    const tried = await api.call('PATCH', `${target}?dryRun=true`, body);
    assert.equal(tried.status, 200, tried.text);
    assert.ok(fits(TargetAnswer, tried.body), tried.text);
    const begun = sent();
    await sleep(100);
    assert.equal(sent(), begun, 'a try sends nothing');
    const saved = await api.call('PATCH', target, body);
    assert.equal(saved.body.effect, undefined);
    await rest();
    const { effect } = tried.body;
    assert.equal(effect.requests, sent() - begun, JSON.stringify(effect));
    return effect;
  };

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'a-token' } });
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const settings = {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'a-token',
      'scim2-user-ep': fake.usersEndpoint,
    };
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await api.startEngine();
    for (const userName of names) await api.call('POST', '/users', { userName });
    await rest();
    assert.equal(fake.users.size, names.length);
  });
  after(() => fake.close());

  it('is nothing where nothing differs, or where what differs is not said to the target', async () => {
    const unsaid = { memberships: { added: 0, removed: 0, more: false }, passwords: 0, defaultPasswords: 0 };
    const counts = { accounts: 0, requests: 0, removals: 0, disables: 0, withheld: 0 };
    const nothing = { ...counts, ...unsaid, about: false, waits: false };
    const same = await api.call('PATCH', `${target}?dryRun=true`, { policy: { concurrency: 16 } });
    assert.deepEqual(same.body.effect, nothing);
    assert.deepEqual(await tryAndDo({ policy: { concurrency: 4 } }), { ...nothing, accounts: 5 });
  });

  it('is an update for each who looks otherwise by it', async () => {
    const effect = await tryAndDo({ settings: { 'scim2-user-store-domain': 'EMEA' } });
    assert.deepEqual([effect.accounts, effect.requests, effect.removals], [5, 5, 0]);
  });

  it('is a removal for each who is outside the scope by it, and as the policy says', async () => {
    const policy = { scopeUsers: 'not (userName sw "a")' };
    const effect = await tryAndDo({ policy });
    assert.deepEqual([effect.requests, effect.removals, effect.disables], [1, 1, 0]);
    const less = await tryAndDo({ policy: { scopeUsers: 'userName sw "c"', deprovision: 'disable' } });
    assert.deepEqual([less.requests, less.removals, less.disables], [3, 0, 3]);
    const back = await tryAndDo({ policy: { scopeUsers: null } });
    assert.equal(back.removals + back.disables, 0);
    const none = await api.call('PATCH', `${target}?dryRun=true`, {
      policy: { scopeUsers: 'userName sw "x"', deprovision: 'keep' },
    });
    assert.deepEqual([none.body.effect.requests, none.body.effect.removals], [0, 0]);
  });

  it('says that it waits while nothing is sent there', async () => {
    await api.call('POST', `${target}/pause`);
    const tried = await api.call('PATCH', `${target}?dryRun=true`, { policy: { concurrency: 5 } });
    assert.equal(tried.body.effect.waits, true);
    await api.call('POST', `${target}/resume`);
  });

  it('of bindings, tells whom they would let in and who would be brought up to date', async () => {
    const put = (bindings: unknown, query = '') =>
      api.call('PUT', `/service-providers/resident/bindings${query}`, { bindings });
    const off = await put([], '?dryRun=true');
    assert.ok(fits(BindingsChanged, off.body), off.text);
    assert.deepEqual(
      off.body.effects.map((one: { accounts: number; requests: number }) => [one.accounts, one.requests]),
      [[off.body.effects[0].accounts, 0]],
    );
    assert.ok(off.body.effects[0].accounts > 0);
    assert.deepEqual((await api.call('GET', '/service-providers/resident/bindings')).body.bindings.length, 1);
    await put([]);
    await rest();
    for (const userName of ['fay', 'gus']) await api.call('POST', '/users', { userName });
    await api.call('PATCH', '/users/cleo', { title: 'Countess' });
    await rest();
    const on = await put([{ target: 'partner:SCIM2' }], '?dryRun=true');
    // Ada's account was removed when she was out of scope.
    assert.equal(on.body.offers[0].missing.users, 3);
    assert.equal(on.body.effects[0].requests, 1, JSON.stringify(on.body.effects));
    assert.equal((await put([{ target: 'partner:SCIM2' }])).body.effects, undefined);
    await rest();
  });

  it('of more than five hundred, is reckoned from a part of them', async () => {
    const { id: targetId } = (await api.call('GET', target)).body;
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    await api.call('POST', `${target}/pause`);
    await api.store.write(async (tx) => {
      for (let n = 0; n < 900; n++) {
        const user = readResource(userType, { schemas: [coreUserUrn], userName: `p${n}` });
        const { id } = await createUser(tx, user, { origin });
        const row = {
          target_id: targetId,
          subject_id: id,
          kind: 'user',
          urgency: 1,
          wanted: 1,
          done: 1,
          tries: 0,
        } as const;
        const more = {
          strikes: 0,
          state: 'done',
          sp_id: api.residentId,
          seq_done: 0,
          version: 1,
          remote_id: `r${n}`,
        } as const;
        await tx.all(tx.q.insertInto('accounts').values({ ...row, ...more, origin: 'created', acked: '{}' } as never));
      }
      // They are not planned, so that they stay as they are.
      await tx.all(tx.q.updateTable('changes').set({ unplanned: null }));
    });
    const { effect } = (await api.call('PATCH', `${target}?dryRun=true`, { policy: { concurrency: 6 } })).body;
    assert.equal(effect.about, true);
    assert.ok(effect.accounts >= 900, JSON.stringify(effect));
    assert.ok(effect.requests >= 800 && effect.requests <= 1_000, JSON.stringify(effect));
  });
});
