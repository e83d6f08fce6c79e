import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { ServiceProviderAnswer, ServiceProviderList } from '../../src/contract/service-provider.ts';
import { listBindingsForDelivery } from '../../src/provisioning/bindings.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed, settings } from './admin-bed.ts';

eachDatabase('service providers and bindings', (bed) => {
  let api: AdminBed;
  const stamp = async () => {
    const row = await api.store.read((reading) =>
      reading.first(reading.q.selectFrom('stamps').select('value').where('name', '=', 'delivery')),
    );
    return row!.value;
  };
  before(async () => {
    api = await openAdminBed(bed);
    for (const name of ['one', 'two', 'off']) {
      await api.call('POST', '/identity-providers', { name });
      await api.call('POST', `/identity-providers/${name}/targets`, { type: 'SCIM2', settings: settings() });
    }
    await api.call('PATCH', '/identity-providers/off', { enabled: false });
  });

  it('have the resident one from the start, which cannot be removed', async () => {
    const list = await api.call('GET', '/service-providers');
    assert.ok(fits(ServiceProviderList, list.body));
    assert.equal(list.body.items.length, 1);
    assert.equal(list.body.items[0].resident, true);
    const refused = await api.call('DELETE', '/service-providers/resident');
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /resident/);
    await api.call('PATCH', '/service-providers/resident', { name: 'home' });
    assert.equal((await api.call('GET', '/service-providers/resident')).body.name, 'home');
    await api.call('PATCH', '/service-providers/home', { name: 'resident' });
  });

  it('are made with unique names', async () => {
    const made = await api.call('POST', '/service-providers', { name: 'payroll' });
    assert.equal(made.status, 201);
    assert.ok(fits(ServiceProviderAnswer, made.body));
    assert.equal(made.body.resident, false);
    const taken = await api.call('POST', '/service-providers', { name: 'PAYROLL' });
    assert.equal(taken.status, 409);
    assert.equal(taken.body.field, 'name');
    const forged = await api.call('POST', '/service-providers', { name: 'x', resident: true });
    assert.equal(forged.body.field, 'resident');
  });

  it('are bound with everything off, as one list', async () => {
    const before = await stamp();
    const put = await api.call('PUT', '/service-providers/resident/bindings', {
      bindings: [{ target: 'two:SCIM2' }, { target: 'one:scim2', enabled: false }],
    });
    assert.equal(put.status, 200, put.text);
    assert.equal(put.change, 'updated');
    assert.deepEqual(
      put.body.bindings.map(({ targetId: _, ...binding }: { targetId: number }) => binding),
      [
        { target: 'two:SCIM2', blocking: false, onFailure: 'report', rules: false, jit: false, enabled: true },
        { target: 'one:SCIM2', blocking: false, onFailure: 'report', rules: false, jit: false, enabled: false },
      ],
    );
    assert.notEqual(await stamp(), before, 'the engine would not see it');
    const again = await api.call('PUT', '/service-providers/resident/bindings', { bindings: put.body.bindings });
    assert.equal(again.status, 400, 'targetId is not part of what is put');
    const same = await api.call('PUT', '/service-providers/resident/bindings', {
      bindings: [{ target: put.body.bindings[0].targetId }, { target: 'one:SCIM2', enabled: false }],
    });
    assert.equal(same.change, 'unchanged');
    const delivered = await api.store.read(listBindingsForDelivery);
    const { targetId } = put.body.bindings[0];
    assert.deepEqual(delivered, [
      {
        spId: api.residentId,
        serviceProvider: 'resident',
        targetId,
        blocking: false,
        onFailure: 'report',
        rules: false,
        jit: false,
      },
    ]);
    assert.deepEqual((await api.call('GET', '/service-providers/resident/bindings')).body.bindings, put.body.bindings);
  });

  it('may block, and then say what a failure leads to', async () => {
    const before = (await api.call('GET', '/service-providers/resident')).body.bindings;
    const flagsOf = (answer: { body: { bindings: { blocking: boolean; onFailure: string }[] } }) =>
      answer.body.bindings.map(({ blocking, onFailure }) => [blocking, onFailure]);
    const put = (bindings: unknown) => api.call('PUT', '/service-providers/resident/bindings', { bindings });
    const old = await stamp();
    const blocking = await put([
      { target: 'two:SCIM2', blocking: true, onFailure: 'fail' },
      { target: 'one:SCIM2', blocking: true, enabled: false },
    ]);
    assert.equal(blocking.status, 200, blocking.text);
    assert.deepEqual(flagsOf(blocking), [
      [true, 'fail'],
      [true, 'report'],
    ]);
    assert.notEqual(await stamp(), old, 'the doors would not see it');
    assert.deepEqual(await api.store.read(listBindingsForDelivery), [
      {
        spId: api.residentId,
        serviceProvider: 'resident',
        targetId: before[0].targetId,
        blocking: true,
        onFailure: 'fail',
        rules: false,
        jit: false,
      },
    ]);
    const plain = [
      { target: 'two:SCIM2', onFailure: 'report' },
      { target: 'one:SCIM2', enabled: false },
    ];
    assert.deepEqual((await put(plain)).body.bindings, before);

    const useless = await put([{ target: 'two:SCIM2', onFailure: 'fail' }]);
    assert.equal(useless.status, 400);
    assert.equal(useless.body.field, 'bindings[0].onFailure');
    assert.match(useless.body.detail, /only a blocking binding can fail a request.*switch blocking on/);
  });

  it('refuse jit for the resident service provider, to which nobody signs in, and take it for an application', async () => {
    const bindings = [{ target: 'one:SCIM2', jit: true }];
    const refused = await api.call('PUT', '/service-providers/resident/bindings', { bindings });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.field, 'bindings[0].jit');
    assert.match(refused.body.detail, /nobody signs in to the resident.*application that people sign in to/);
    assert.equal((await api.call('GET', '/service-providers/resident')).body.bindings.length, 2);
    const taken = await api.call('PUT', '/service-providers/payroll/bindings', { bindings });
    assert.equal(taken.status, 200, taken.text);
    assert.equal(taken.body.bindings[0].jit, true);
    assert.equal((await api.call('PUT', '/service-providers/payroll/bindings', { bindings: [] })).status, 200);
  });

  it('are those of the resident for an application without any, unless it has no fallback', async () => {
    const patch = (body: unknown) => api.call('PATCH', '/service-providers/payroll', body);
    const read = async () => (await api.call('GET', '/service-providers/payroll')).body;
    assert.deepEqual([(await read()).fallback, (await read()).userStoreDomain], ['resident', null]);
    const none = await patch({ fallback: 'none' });
    assert.deepEqual([none.status, none.body.fallback, none.change], [200, 'none', 'updated']);
    assert.equal((await patch({ fallback: 'none' })).change, 'unchanged');
    const wrong = await patch({ fallback: 'hr' });
    assert.deepEqual([wrong.status, wrong.body.field], [400, 'fallback']);
    const self = await api.call('PATCH', '/service-providers/resident', { fallback: 'none' });
    assert.deepEqual([self.status, self.body.field], [400, 'fallback']);
    const nowhere = await patch({ userStoreDomain: 'NOWHERE' });
    assert.deepEqual([nowhere.status, nowhere.body.field], [400, 'userStoreDomain']);
    assert.equal((await patch({ userStoreDomain: 'primary' })).body.userStoreDomain, 'PRIMARY');
    const back = await patch({ fallback: 'resident', userStoreDomain: null });
    assert.deepEqual([back.body.fallback, back.body.userStoreDomain], ['resident', null]);
  });

  const bad: [what: string, bindings: unknown, field: string][] = [
    ['no list', { target: 'one:SCIM2' }, 'bindings'],
    ['a row that is no object', ['one:SCIM2'], 'bindings[0]'],
    ['a row without target', [{ enabled: true }], 'bindings[0].target'],
    ['an unknown target', [{ target: 'one:SCIM2' }, { target: 'three:SCIM2' }], 'bindings[1].target'],
    ['the same target twice', [{ target: 'one:SCIM2' }, { target: 'ONE:SCIM2' }], 'bindings[1].target'],
    ['an unknown switch', [{ target: 'one:SCIM2', fast: true }], 'bindings[0].fast'],
    ['a switch that is no boolean', [{ target: 'one:SCIM2', enabled: 1 }], 'bindings[0].enabled'],
    [
      'a way to fail that there is not',
      [{ target: 'one:SCIM2', blocking: true, onFailure: 'panic' }],
      'bindings[0].onFailure',
    ],
    ['a target whose identity provider is off', [{ target: 'off:SCIM2' }], 'bindings[0].target'],
  ];
  for (const [what, bindings, field] of bad) {
    it(`refuse ${what}, naming ${field}`, async () => {
      const refused = await api.call('PUT', '/service-providers/resident/bindings', { bindings });
      assert.equal(refused.status, 400, refused.text);
      assert.equal(refused.body.field, field);
      assert.equal((await api.call('GET', '/service-providers/resident')).body.bindings.length, 2);
    });
  }

  it('refuse a connector that is switched off, but keep one that was bound before', async () => {
    await api.call('PATCH', '/targets/one:SCIM2', { enabled: false });
    const kept = await api.call('PUT', '/service-providers/resident/bindings', {
      bindings: [{ target: 'one:SCIM2' }, { target: 'two:SCIM2' }],
    });
    assert.equal(kept.status, 200, kept.text);
    const refused = await api.call('PUT', '/service-providers/payroll/bindings', {
      bindings: [{ target: 'one:SCIM2' }],
    });
    assert.equal(refused.status, 400);
    assert.match(refused.body.detail, /switched off/);
    await api.call('PATCH', '/targets/one:SCIM2', { enabled: true });
  });

  it('hold what they use: the target, and the service provider itself', async () => {
    await api.call('PUT', '/service-providers/payroll/bindings', { bindings: [{ target: 'two:SCIM2' }] });
    const target = await api.call('DELETE', '/targets/two:SCIM2');
    assert.equal(target.status, 409);
    assert.match(target.body.detail, /payroll.*resident/);
    const provider = await api.call('DELETE', '/service-providers/payroll');
    assert.equal(provider.status, 409);
    assert.match(provider.body.detail, /two:SCIM2/);
    await api.call('PUT', '/service-providers/payroll/bindings', { bindings: [] });
    await api.call('POST', '/tokens', { label: 'nightly run', serviceProvider: 'payroll', scopes: ['scim'] });
    const spoken = await api.call('DELETE', '/service-providers/payroll');
    assert.equal(spoken.status, 409);
    assert.match(spoken.body.detail, /nightly run/);
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [] });
    assert.equal((await api.call('DELETE', '/targets/two:SCIM2')).status, 204);
  });
});
