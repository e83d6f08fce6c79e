import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { AttemptPage } from '../../src/contract/attempt.ts';
import { ChangePage } from '../../src/contract/change.ts';
import { StatusAnswer } from '../../src/contract/status.ts';
import { createUser, deleteUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { userType } from '../../src/protocol/scim/schema.ts';
import { openPass } from '../../src/provisioning/retention.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

const moment = 1e-7;

eachDatabase('attempts and changes that are no longer kept', (bed) => {
  let api: AdminBed;
  let attempts: number[];

  const forget = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const pass = openPass(api.store, { attemptsDays: moment, changesDays: moment }, 'at once');
    while (await pass.step());
    return pass.forgotten;
  };
  const addAttempts = (count: number) =>
    api.store.write(async (tx) => {
      const row = { target_id: 1, subject_id: 'nobody', kind: 'user' as const, noted: 1, version: 1, outcome: 'done' };
      const times = { started_at: tx.now, deadline: tx.now, ended_at: tx.now };
      const rows = Array.from({ length: count }, () => ({ ...row, ...times }));
      return (await tx.all(tx.q.insertInto('attempts').values(rows).returning('id'))).map((made) => made.id);
    });
  const addUser = (userName: string) =>
    api.store.write((tx) =>
      createUser(tx, readResource(userType, { schemas: [userType.schema.id], userName }), {
        origin: { spId: api.residentId, door: 'scim', actor: 'test' },
      }),
    );
  const plan = () => api.store.write((tx) => tx.all(tx.q.updateTable('changes').set({ unplanned: null })));

  before(async () => {
    api = await openAdminBed(bed);
    attempts = await addAttempts(3);
    const { id } = await addUser('ada');
    await api.store.write((tx) =>
      deleteUser(tx, id, { origin: { spId: api.residentId, door: 'scim', actor: 'test' } }),
    );
    await plan();
  });

  it('nothing is said to be gone while everything is there', async () => {
    assert.equal((await api.call('GET', '/attempts')).body.gone, null);
    assert.equal((await api.call('GET', '/changes?after=0')).body.gone, null);
    const { kept } = (await api.call('GET', '/status')).body;
    assert.deepEqual([kept.attemptsDays, kept.changesDays], [30, 400]);
    assert.ok(kept.oldestAttempt <= new Date().toISOString() && kept.oldestChange <= new Date().toISOString());
    const unknown = await api.call('GET', '/attempts/999999');
    assert.deepEqual([unknown.status, unknown.body.detail], [404, 'there is no attempt 999999']);
  });

  it('are told from those that never were', async () => {
    assert.deepEqual(await forget(), { attempts: 3, changes: 2 });
    const old = await api.call('GET', `/attempts/${attempts[1]}`);
    assert.deepEqual(
      [old.status, old.body.code, old.body.detail],
      [
        404,
        'notFound',
        `attempt ${attempts[1]} is no longer there: attempts are kept for 30 days (PURVEY_KEEP_ATTEMPTS_DAYS)`,
      ],
    );
    for (const id of ['999999', '0', 'x']) {
      assert.equal((await api.call('GET', `/attempts/${id}`)).body.detail, `there is no attempt ${id}`);
    }
    const status = await api.call('GET', '/status');
    assert.ok(fits(StatusAnswer, status.body), status.text);
    assert.deepEqual([status.body.kept.oldestAttempt, status.body.kept.oldestChange], [null, null]);
  });

  it('are missed by lists that reach back to them, and by no others', async () => {
    const fresh = await addAttempts(2);
    await addUser('bob');
    const all = await api.call('GET', '/attempts');
    assert.ok(fits(AttemptPage, all.body), all.text);
    assert.deepEqual(
      all.body.items.map((row: { id: number }) => row.id),
      [...fresh].reverse(),
    );
    assert.match(all.body.gone, /older attempts are no longer there: attempts are kept for 30 days/);
    assert.equal((await api.call('GET', '/attempts?limit=1')).body.gone, null, 'there is a page after this one');
    const changes = await api.call('GET', '/changes?after=0');
    assert.ok(fits(ChangePage, changes.body), changes.text);
    assert.equal(changes.body.items.length, 1);
    assert.match(changes.body.gone, /older changes are no longer there: changes are kept for 400 days/);
    assert.equal((await api.call('GET', '/changes')).body.gone, changes.body.gone);
    const { seq } = changes.body.items[0];
    assert.equal((await api.call('GET', `/changes?after=${seq - 1}`)).body.gone, null);
  });
});
