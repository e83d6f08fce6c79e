import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed, settings } from './admin-bed.ts';

// Engine rule 25: ids that one system gave mean nothing, or somebody else, at another.

eachDatabase('the address of a target', (bed) => {
  let api: AdminBed;
  let id: number;
  const change = (more: Record<string, unknown>, query = '') =>
    api.call('PATCH', `/targets/${id}${query}`, { settings: more });

  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const made = await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
    id = made.body.id;
  });

  it('changes freely while nobody is known there', async () => {
    assert.equal((await change({ 'scim2-user-ep': 'https://old.example/scim2/Users' })).change, 'updated');
    assert.equal((await change({ 'scim2-user-ep': 'https://partner.example/scim2/Users' })).change, 'updated');
  });

  it('raises the question once somebody is, and changes nothing before it is answered', async () => {
    const row = { target_id: id, urgency: 3, wanted: 1, done: 1, tries: 0, strikes: 0, state: 'done' as const };
    const more = { kind: 'user' as const, sp_id: api.residentId, seq_done: 1, version: 1 };
    await api.store.write((tx) =>
      tx.all(tx.q.insertInto('accounts').values({ ...row, ...more, subject_id: 'ada', remote_id: 'r1' } as never)),
    );
    const elsewhere = { 'scim2-user-ep': 'https://other.example/scim2/Users' };
    const asked = await change(elsewhere);
    assert.deepEqual([asked.status, asked.body.code, asked.body.field], [409, 'conflict', 'settings.scim2-user-ep']);
    assert.match(
      asked.body.detail,
      /is it the same system\? User Endpoint of partner:SCIM2 would change from https:\/\/partner\.example\S* to https:\/\/other\.example\S*, and 1 account is known/,
    );
    assert.equal((await change(elsewhere, '?dryRun=true')).status, 409, 'a try raises it too');
    assert.equal((await change(elsewhere, '?sameSystem=yes')).body.field, 'sameSystem');
    const { body } = await api.call('GET', `/targets/${id}`);
    assert.equal(body.settings['scim2-user-ep'], 'https://partner.example/scim2/Users');

    for (const [same, why] of [
      ['https://PARTNER.example:443/scim2/Users/', 'the same address written otherwise'],
      ['https://partner.example/scim2/Users', 'the address itself'],
    ] as const) {
      assert.equal((await change({ 'scim2-user-ep': same })).status, 200, why);
    }
    const groups = await change({ 'scim2-group-ep': 'https://partner.example/scim2/Groups' });
    assert.equal(groups.status, 200, 'an endpoint where there was none is no other system');
    assert.equal((await change({ 'scim2-default-pwd': 'Welcome-1' })).status, 200);

    const moved = await change(elsewhere, '?sameSystem=true');
    assert.deepEqual([moved.status, moved.change], [200, 'updated'], moved.text);
    const accounts = await api.store.read((r) => r.all(r.q.selectFrom('accounts').select('remote_id')));
    assert.deepEqual(
      accounts.map((one) => one.remote_id),
      ['r1'],
      'the ids stay',
    );
  });

  it('is what the form says which system it is by', async () => {
    const { items } = (await api.call('GET', '/connector-kinds')).body;
    const marked = items[0].settings.filter((one: { system?: true }) => one.system);
    assert.deepEqual(
      marked.map((one: { key: string }) => one.key),
      ['scim2-user-ep', 'scim2-group-ep'],
    );
  });
});
