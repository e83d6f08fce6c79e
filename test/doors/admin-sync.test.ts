import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { BindingsChanged, ServiceProviderChanged } from '../../src/contract/service-provider.ts';
import { SyncAnswer } from '../../src/contract/sync.ts';
import { createGroup } from '../../src/directory/groups.ts';
import { createUser, deleteUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed } from './admin-bed.ts';

eachDatabase('a sync is offered and asked for', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  const sync = '/targets/partner:SCIM2/sync';
  const bindings = '/service-providers/resident/bindings';
  const bound = { bindings: [{ target: 'partner:SCIM2' }] };
  const settings = () => ({
    'scim2-authentication-mode': 'bearer',
    'scim2-access-token': 'token',
    'scim2-user-ep': fake.usersEndpoint,
    'scim2-group-ep': fake.groupsEndpoint,
  });

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'token' } });
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const policy = { scopeUsers: 'not (title eq "Guest")' };
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings(), policy });
    const other = await api.call('POST', '/service-providers', { name: 'other', fallback: 'none' });
    await api.call('POST', '/service-providers', { name: 'crm' });
    const crm = (await api.call('GET', '/service-providers/crm')).body.id;
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    const make = (userName: string, more: object = {}, by = origin as Parameters<typeof createUser>[2]['origin']) =>
      api.store.write((tx) =>
        createUser(tx, readResource(userType, { schemas: [coreUserUrn], userName, ...more }), { origin: by }),
      );
    await make('ada');
    // By an application that goes by the bindings of the resident one.
    await make('bob', {}, { ...origin, spId: crm });
    await make('guest', { title: 'Guest' });
    await make('stranger', {}, { ...origin, spId: other.body.id });
    const gone = await make('gone');
    await api.store.write((tx) => deleteUser(tx, gone.id, { origin }));
    const group = readResource(groupType, { schemas: [coreGroupUrn], displayName: 'team' });
    await api.store.write((tx) => createGroup(tx, group, { origin }));
    // As if an engine had planned all that long ago, when nothing was bound.
    await api.store.write((tx) => tx.all(tx.q.updateTable('changes').set({ unplanned: null })));
  });
  after(() => fake.close());

  it('is refused where it would be in vain, saying what to do', async () => {
    assert.equal((await api.call('POST', '/targets/nobody:SCIM2/sync')).status, 404);
    const unbound = await api.call('POST', sync);
    assert.equal(unbound.status, 409);
    assert.match(unbound.body.detail, /no service provider is bound to partner:SCIM2.*bind one first/);
    for (const what of ['pause', 'cancel']) {
      const none = await api.call('POST', `${sync}/${what}`);
      assert.equal(none.status, 409);
      assert.match(none.body.detail, /no sync of partner:SCIM2 is under way; start one/);
    }
    await api.call('PATCH', '/targets/partner:SCIM2', { enabled: false });
    const disabled = await api.call('POST', sync);
    assert.equal(disabled.status, 409);
    assert.match(disabled.body.detail, /switched off: enable it first/);
    await api.call('PATCH', '/targets/partner:SCIM2', { enabled: true });
  });

  it('is offered by a binding that is new or newly enabled, tried or done, and by no other', async () => {
    const off = await api.call('PUT', bindings, { bindings: [{ target: 'partner:SCIM2', enabled: false }] });
    assert.deepEqual(off.body.offers, []);
    const offers = [
      {
        targetId: off.body.bindings[0].targetId,
        target: 'partner:SCIM2',
        missing: { users: 2, groups: 1, more: false },
      },
    ];
    assert.deepEqual((await api.call('PUT', `${bindings}?dryRun=true`, bound)).body.offers, offers);
    const made = await api.call('PUT', bindings, bound);
    assert.ok(Value.Check(BindingsChanged, made.body), made.text);
    assert.deepEqual(made.body.offers, offers);
    assert.deepEqual((await api.call('PUT', bindings, bound)).body.offers, []);
  });

  it('is offered where an application begins to go by the bindings of the resident one, tried or done, and by nothing else', async () => {
    const other = '/service-providers/other';
    const offers = [
      {
        targetId: (await api.call('GET', bindings)).body.bindings[0].targetId,
        target: 'partner:SCIM2',
        missing: { users: 3, groups: 1, more: false },
      },
    ];
    const tried = await api.call('PATCH', `${other}?dryRun=true`, { fallback: 'resident' });
    assert.ok(Value.Check(ServiceProviderChanged, tried.body), tried.text);
    assert.deepEqual(tried.body.offers, offers);
    assert.deepEqual((await api.call('PATCH', other, { description: 'one more' })).body.offers, []);
    assert.deepEqual((await api.call('PATCH', other, { fallback: 'resident' })).body.offers, offers);
    assert.deepEqual((await api.call('PATCH', other, { fallback: 'resident' })).body.offers, []);
    assert.deepEqual((await api.call('PUT', other, { name: 'other', fallback: 'none' })).body.offers, []);
    const own = { bindings: [{ target: 'partner:SCIM2', enabled: false }] };
    await api.call('PUT', `${other}/bindings`, own);
    const isBound = await api.call('PATCH', other, { fallback: 'resident' });
    assert.deepEqual(isBound.body.offers, [], 'it has a binding of its own');
    await api.call('PATCH', other, { fallback: 'none' });
    await api.call('PUT', `${other}/bindings`, { bindings: [] });
  });

  it('says what is under way, and whom it would send before and after', async () => {
    const before = await api.call('GET', sync);
    assert.ok(Value.Check(SyncAnswer, before.body), before.text);
    assert.deepEqual(
      [before.body.sync, before.body.here, before.body.missing],
      [null, { users: 4, groups: 1 }, { users: 2, groups: 1, more: false }],
    );
    const started = await api.call('POST', sync);
    assert.equal(started.status, 202);
    const { state, total, seen, cause, actor } = started.body.sync;
    assert.deepEqual([state, total, seen, cause], ['running', 5, 0, 'sync']);
    assert.match(actor, /test/, 'who asked for it');
    assert.equal(started.body.missing, null);
    assert.equal((await api.call('POST', sync)).body.sync.id, started.body.sync.id, 'there is one');
    const paused = await api.call('POST', `${sync}/pause`);
    assert.deepEqual([paused.status, paused.body.sync.state], [200, 'paused']);
    const { waves } = (await api.call('GET', '/status')).body.targets[0];
    assert.deepEqual(
      waves.map((wave: { state: string; kind: string }) => [wave.kind, wave.state]),
      [['everyone', 'paused']],
    );
    await api.startEngine();
    assert.equal((await api.call('POST', sync)).body.sync.id, started.body.sync.id, 'it goes on');
    let now = await api.call('GET', sync);
    for (let n = 0; n < 200 && !(now.body.sync.state === 'done' && now.body.pending === 0); n++) {
      await sleep(50);
      now = await api.call('GET', sync);
    }
    assert.deepEqual([now.body.sync.state, now.body.sync.seen, now.body.sync.raised], ['done', 5, 3], now.text);
    assert.deepEqual(now.body.missing, { users: 0, groups: 0, more: false });
    assert.equal(fake.users.size, 2);
    assert.equal(fake.groups.size, 1);
    assert.equal((await api.call('POST', `${sync}/cancel`)).status, 409, 'it is over');
    assert.deepEqual((await api.call('GET', '/status')).body.targets[0].waves, []);
  });

  it('names who changed the settings that a wave brings to everybody', async () => {
    await api.call('PATCH', '/targets/partner:SCIM2', { policy: { scopeUsers: 'userName eq "ada"' } });
    let row: { cause: string; actor: string; state: string } | undefined;
    for (let n = 0; n < 200 && row?.state !== 'done'; n++) {
      await sleep(50);
      row = await api.store.read((r) =>
        r.first(r.q.selectFrom('waves').select(['cause', 'actor', 'state']).orderBy('id', 'desc').limit(1)),
      );
    }
    assert.deepEqual([row?.cause, row?.state], ['policy changed', 'done']);
    assert.match(row!.actor, /test/);
    for (let n = 0; n < 200 && fake.users.size > 1; n++) await sleep(50);
    assert.equal(fake.users.size, 1, 'bob is out of scope');
  });
});
