import assert from 'node:assert/strict';
import { it } from 'node:test';
import { coreUserUrn } from '../../src/protocol/scim/schema.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const existing = (userName: string, more: Record<string, string | boolean> = {}) => ({
  schemas: [coreUserUrn],
  userName,
  active: true,
  ...more,
});

eachDatabase('adoption', (database) => {
  it('takes over an account of the same name, marks it, and disables rather than deletes it', async () => {
    await using bed = await openEngineBed(database);
    const remoteId = bed.fake.seedUser(existing('ada', { nickName: 'kept' }));
    const ada = await bed.addUser('ada', { title: 'Analyst' });
    await bed.start();
    await bed.rest();
    const account = await bed.account(ada);
    assert.deepEqual([account?.remote_id, account?.origin], [remoteId, 'adopted']);
    assert.equal(bed.fake.users.get(remoteId)?.externalId, ada);
    assert.equal(bed.fake.users.get(remoteId)?.nickName, 'kept', 'what we have nothing to say about stays');
    await bed.assertAgrees();
    await bed.removeUser(ada);
    await bed.rest();
    assert.equal(bed.fake.users.get(remoteId)?.active, false);
    assert.equal((await bed.account(ada))?.state, 'disabled');
  });

  it('does not switch an inactive account on by adopting it', async () => {
    await using bed = await openEngineBed(database);
    const remoteId = bed.fake.seedUser(existing('ada', { active: false }));
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.users.get(remoteId)?.active, false);
    assert.equal(bed.fake.users.get(remoteId)?.title, 'one');
    await bed.changeUser(ada, 'ada', { active: false });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { active: true });
    await bed.rest();
    assert.equal(bed.fake.users.get(remoteId)?.active, true, 'switching it here, later, does');
  });

  it('never adopts what bears the mark of another of our subjects', async () => {
    await using bed = await openEngineBed(database);
    const other = await bed.addUser('other');
    await bed.start();
    await bed.rest();
    // Somebody at the target renamed the account of `other` to the name that is about to be wanted.
    const held = bed.fake.users.get((await bed.account(other))!.remote_id!)!;
    held.userName = 'ada';
    const ada = await bed.addUser('ada');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    assert.equal(held.externalId, other);
  });

  it('asks before it adopts where the policy says so', async () => {
    await using bed = await openEngineBed(database, { policy: { adopt: 'ask' } });
    const remoteId = bed.fake.seedUser(existing('ada'));
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', new RegExp(remoteId));
    assert.equal(bed.fake.users.get(remoteId)?.externalId, undefined);
  });

  it('removes nothing that it neither made nor adopted', async () => {
    await using bed = await openEngineBed(database, { policy: { adopt: 'marked', deprovisionAdopted: 'delete' } });
    bed.fake.seedUser(existing('ada'));
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    await bed.removeUser(ada);
    await bed.rest();
    assert.ok(bed.fake.userNamed('ada'));
    assert.equal(await bed.account(ada), undefined);
  });
});
