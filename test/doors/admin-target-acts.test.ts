import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed, settings } from './admin-bed.ts';

eachDatabase('a target in an operator’s hands', (bed) => {
  let api: AdminBed;
  const know = (subject: string, due: boolean) =>
    api.store.write((tx) =>
      tx.all(
        tx.q.insertInto('accounts').values({
          target_id: 1,
          subject_id: subject,
          kind: 'user',
          urgency: 3,
          wanted: due ? 2 : 1,
          done: 1,
          due_at: due ? 1 : null,
          tries: 0,
          strikes: 0,
          state: due ? 'due' : 'done',
          sp_id: api.residentId,
          seq_done: 1,
          version: 1,
          remote_id: subject,
        } as never),
      ),
    );

  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
    await know('ada', true);
    await know('bob', false);
  });

  it('is paused and goes on, says by whom and how many wait, and again changes nothing', async () => {
    const first = await api.call('POST', '/targets/partner:SCIM2/pause');
    assert.equal(first.status, 200, first.text);
    assert.equal(first.body.waiting, 1);
    assert.ok(first.body.paused.by.length > 0 && first.body.version === 1, first.text);
    assert.deepEqual((await api.call('POST', '/targets/partner:SCIM2/pause')).body, first.body);
    const [shown] = (await api.call('GET', '/status')).body.targets;
    assert.deepEqual([shown.paused, shown.pending], [first.body.paused, 1]);
    assert.equal((await api.call('POST', '/targets/partner:SCIM2/resume')).body.paused, null);
    assert.equal((await api.call('POST', '/targets/partner:SCIM2/resume')).body.paused, null);
    assert.equal((await api.call('POST', '/targets/nobody:SCIM2/pause')).status, 404);
  });

  it('that is switched off says how many wait', async () => {
    const off = await api.call('PATCH', '/targets/partner:SCIM2', { enabled: false });
    assert.deepEqual([off.body.enabled, off.body.waiting], [false, 1], off.text);
    await api.call('PATCH', '/targets/partner:SCIM2', { enabled: true });
  });

  it('is removed only by who says how many accounts Purvey forgets, and its place is free at once', async () => {
    const asked = await api.call('DELETE', '/targets/partner:SCIM2');
    assert.deepEqual([asked.status, asked.body.field], [409, 'forget']);
    assert.match(asked.body.detail, /2 accounts at partner:SCIM2.*stay there as they are.*forget=2/);
    assert.equal((await api.call('DELETE', '/targets/partner:SCIM2?forget=1')).status, 409);
    assert.equal((await api.call('DELETE', '/targets/partner:SCIM2?forget=many')).body.field, 'forget');
    assert.equal((await api.call('DELETE', '/targets/partner:SCIM2?forget=2')).status, 204);
    assert.equal((await api.call('GET', '/targets/partner:SCIM2')).status, 404);
    assert.deepEqual((await api.call('GET', '/targets')).body.items, []);
    assert.deepEqual((await api.call('GET', '/status')).body.targets, []);
    const held = await api.call('DELETE', '/identity-providers/partner');
    assert.match(held.body.detail, /still being forgotten/);
    const made = await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
    assert.deepEqual([made.status, made.body.name, made.body.waiting], [201, 'partner:SCIM2', 0], made.text);
  });
});
