import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('names change hands', (database) => {
  it('swaps the names of two, and of three in a circle', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const a = await bed.addUser('a');
    const b = await bed.addUser('b');
    await bed.rest();
    const remoteOf = async (id: string) => (await bed.account(id))?.remote_id;
    const before = [await remoteOf(a), await remoteOf(b)];
    await bed.stop();
    await bed.changeUser(a, 'x');
    await bed.changeUser(b, 'a');
    await bed.changeUser(a, 'b');
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.deepEqual([await remoteOf(a), await remoteOf(b)], before, 'both keep their remote account');

    const c = await bed.addUser('c');
    await bed.rest();
    await bed.stop();
    await bed.changeUser(a, 'x');
    await bed.changeUser(b, 'b');
    await bed.changeUser(c, 'a');
    await bed.changeUser(a, 'c');
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 3);
  });

  it('gives the name of a leaver to a newcomer without touching the newcomer', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const old = await bed.addUser('ada');
    await bed.rest();
    const oldRemote = (await bed.account(old))?.remote_id;
    // The removal is slow to come through, so the creation meets the old account.
    bed.fake.misbehave({
      when: { method: 'DELETE' },
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '20' }, body: {} },
    });
    await bed.removeUser(old);
    const fresh = await bed.addUser('ada');
    await bed.rest();
    await bed.assertAgrees();
    assert.notEqual((await bed.account(fresh))?.remote_id, oldRemote, 'never adopts what another of our subjects owns');
  });

  it('parks two subjects that want one name for good, and looks again when the holder changes', async () => {
    await using bed = await openEngineBed(database, { settings: { 'scim2-user-store-domain': 'WEST' } });
    await bed.store.write(async (tx) => {
      await tx.all(tx.q.insertInto('user_store_domains').values({ name: 'SALES', description: null }));
    });
    await bed.start();
    const one = await bed.addUser('ada');
    await bed.rest();
    const two = await bed.addUser('SALES/ada');
    await bed.rest();
    const parked = await bed.account(two);
    assert.equal(parked?.state, 'parked');
    assert.match(parked?.reason ?? '', new RegExp(one));
    await bed.changeUser(one, 'ada.lovelace');
    await bed.rest();
    assert.equal((await bed.account(two))?.state, 'done');
    assert.deepEqual([...bed.fake.users.values()].map((user) => user.userName).sort(), [
      'WEST/ada',
      'WEST/ada.lovelace',
    ]);
  });
});
