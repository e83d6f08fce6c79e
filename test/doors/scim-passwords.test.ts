import assert from 'node:assert/strict';
import { it } from 'node:test';
import { unseal } from '../../src/base/secret.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { readAllText } from '../engine/all-text.ts';
import { openScimBed, patchSchemas, userSchemas } from './scim-bed.ts';

const day = 86_400_000;
const secretsOf = (store: Store) => store.read((r) => r.all(r.q.selectFrom('secrets').selectAll().orderBy('seq')));
const changesOf = (store: Store) =>
  store.read(async (r) => (await r.all(r.q.selectFrom('changes').select('seq').orderBy('seq'))).map((row) => row.seq));

eachDatabase('passwords that come in by SCIM 2.0', (database) => {
  it('are sealed under their change for so many days, each in the place of the one before', async () => {
    const store = await database.open();
    await using bed = await openScimBed(store);
    const user = { schemas: userSchemas, userName: 'ada' };
    const { body: made } = await bed.call('POST', '/Users', { ...user, password: 'Clear-1' });
    const look = async () => {
      const [row, ...more] = await secretsOf(store);
      assert.deepEqual(more, []);
      assert.equal(row!.subject_id, made.id);
      assert.equal(row!.seq, (await changesOf(store)).at(-1));
      const days = (row!.expires_at - store.now()) / day;
      assert.ok(days > 6.9 && days <= 7, `${days} days`);
      return unseal(bed.passwordKey, row!.sealed, `password:${made.id}`).reveal();
    };
    assert.equal(await look(), 'Clear-1');
    await bed.call('PUT', `/Users/${made.id}`, { ...user, password: 'Clear-2' });
    assert.equal(await look(), 'Clear-2');
    const replace = (value: string) => ({
      schemas: patchSchemas,
      Operations: [{ op: 'replace', path: 'password', value }],
    });
    await bed.call('PATCH', `/Users/${made.id}`, replace('Clear-3'));
    assert.equal(await look(), 'Clear-3');
    const changes = await changesOf(store);
    await bed.call('PATCH', `/Users/${made.id}`, replace('Clear-3'));
    assert.deepEqual(await changesOf(store), changes, 'the same password again is no change');
    assert.equal(await look(), 'Clear-3');
    for (const password of ['Clear-1', 'Clear-2', 'Clear-3']) {
      assert.ok(!(await readAllText(store)).includes(password), 'a clear password is in the database');
      assert.ok(!bed.logged.join().includes(password), 'a clear password is in the log');
    }
  });

  it('go when the password is removed, and when the user is deleted', async () => {
    const store = await database.open();
    await using bed = await openScimBed(store);
    const make = async (userName: string) =>
      (await bed.call('POST', '/Users', { schemas: userSchemas, userName, password: 'Clear-1' })).body.id as string;
    const ada = await make('ada');
    await bed.call('PATCH', `/Users/${ada}`, {
      schemas: patchSchemas,
      Operations: [{ op: 'remove', path: 'password' }],
    });
    assert.deepEqual(await secretsOf(store), []);
    const bob = await make('bob');
    assert.equal((await secretsOf(store)).length, 1);
    await bed.call('DELETE', `/Users/${bob}`);
    assert.deepEqual(await secretsOf(store), []);
  });

  it('are not kept when the write fails', async () => {
    const store = await database.open();
    await using bed = await openScimBed(store);
    const user = { schemas: userSchemas, userName: 'ada', password: 'Clear-1' };
    await bed.call('POST', '/Users', user);
    const before = await secretsOf(store);
    assert.equal((await bed.call('POST', '/Users', { ...user, password: 'Clear-2' })).status, 409);
    assert.deepEqual(await secretsOf(store), before);
  });
});
