import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { replaceTarget } from '../../src/provisioning/targets.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('a binding lets in, accounts follow', (database) => {
  it('lets in only whom a bound service provider spoke for, then follows every door', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const outsider = await bed.addUser('outsider', {}, bed.stranger);
    const ada = await bed.addUser('ada');
    await bed.rest();
    assert.equal(await bed.account(outsider), undefined);
    await bed.changeUser(ada, 'ada', { title: 'by another door' }, bed.stranger);
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'by another door');
    await bed.removeUser(ada, bed.stranger);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
  });

  it('follows only bound doors where the policy says so', async () => {
    await using bed = await openEngineBed(database, { policy: { follow: 'bound' } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'two' }, bed.stranger);
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    await bed.changeUser(ada, 'ada', { title: 'three' });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('rests when no binding names the target: nothing sent, nothing removed, and goes on when one does', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const bind = async (bindings: unknown[]) => {
      await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, bindings));
      bed.store.signal('targets');
    };
    await bind([]);
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    await bind([{ target: bed.targetId }]);
    await bed.changeUser(ada, 'ada', { title: 'three' });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('moves people in and out of scope, and disables and reactivates the same account', async () => {
    await using bed = await openEngineBed(database, {
      policy: { scopeUsers: 'title eq "Seller"', deprovision: 'disable' },
    });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'Buyer' });
    await bed.rest();
    assert.equal(await bed.account(ada), undefined);
    await bed.changeUser(ada, 'ada', { title: 'Seller' });
    await bed.rest();
    const remoteId = (await bed.account(ada))?.remote_id;
    await bed.changeUser(ada, 'ada', { title: 'Buyer' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'disabled');
    assert.equal(bed.fake.userNamed('ada')?.active, false);
    await bed.changeUser(ada, 'ada', { title: 'Seller' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.remote_id, remoteId);
    await bed.assertAgrees();
  });

  it('keeps what the policy says to keep', async () => {
    await using bed = await openEngineBed(database, { policy: { deprovision: 'keep' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.removeUser(ada);
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.active, true);
    assert.equal((await bed.account(ada))?.state, 'kept');
  });
});

eachDatabase('a target that is switched off', (database) => {
  it('gets, once it is on again, whoever came meanwhile', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const turn = async (enabled: boolean) => {
      await bed.store.write((tx) =>
        replaceTarget(tx, { key: bed.key, kinds: connectorKinds }, bed.targetId, {
          enabled,
          settings: {
            'scim2-authentication-mode': 'basic',
            'scim2-username': 'purvey',
            'scim2-user-ep': bed.fake.usersEndpoint,
            'scim2-group-ep': bed.fake.groupsEndpoint,
          },
        }),
      );
      bed.store.signal('targets');
    };
    await turn(false);
    await bed.changeUser(ada, 'ada', { title: 'two' });
    const bob = await bed.addUser('bob');
    await bed.clock.runUntil(async () => (await bed.account(bob))?.state === 'due');
    await bed.pass(5_000);
    assert.equal(bed.fake.users.size, 1);
    assert.equal((await bed.account(bob))?.state, 'due');
    await turn(true);
    await bed.rest();
    await bed.assertAgrees();
  });
});

eachDatabase('a slow target', (database) => {
  it('is not called broken because its own limit keeps us waiting', async () => {
    await using bed = await openEngineBed(database, {
      policy: { requestsPerSecond: 0.2, timeoutMs: 1_000, settleMs: 200 },
    });
    await bed.start();
    for (let n = 0; n < 12; n++) await bed.addUser(`p${n}`);
    for (let n = 0; n < 30; n++) {
      await bed.pass(10_000);
      assert.deepEqual(
        (await bed.lanes()).map((lane) => lane.hold).filter((hold) => hold !== null),
        [],
      );
    }
    await bed.rest();
    await bed.assertAgrees();
  });
});
