import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { coreGroupUrn, coreUserUrn } from '../../src/protocol/scim/schema.ts';
import {
  countLeft,
  decideAdoption,
  leaveParked,
  listDecisions,
  readConflict,
  readLeaves,
} from '../../src/provisioning/decisions.ts';
import { retryAccount } from '../../src/provisioning/retry.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { replaceTarget } from '../../src/provisioning/targets.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const existing = (userName: string, more: Record<string, string | boolean> = {}) => ({
  schemas: [coreUserUrn],
  userName,
  active: true,
  ...more,
});

/** Ada is parked, because somebody at the target is called so already. */
async function parkAda(bed: EngineBed, more: Record<string, string | boolean> = {}) {
  const remoteId = bed.fake.seedUser(existing('ada', more));
  const ada = await bed.addUser('ada', { title: 'Analyst', password: 'a word of ours' });
  await bed.start();
  await bed.rest();
  assert.equal((await bed.account(ada))?.state, 'parked');
  return { ada, remoteId, key: { targetId: bed.targetId, subjectId: ada } };
}

/** Ada has an account there, and is renamed to a name that somebody else has. */
async function parkRename(bed: EngineBed) {
  const strange = bed.fake.seedUser(existing('taken'));
  const ada = await bed.addUser('ada');
  await bed.start();
  await bed.rest();
  await bed.changeUser(ada, 'taken');
  await bed.rest();
  const account = (await bed.account(ada))!;
  assert.equal(account.state, 'parked');
  return { ada, strange, own: account.remote_id! };
}

const conflictOf = async (bed: EngineBed, id: string) => {
  const account = (await bed.account(id))!;
  return bed.store.read((reading) => readConflict(reading, account));
};
const decisionsOf = async (bed: EngineBed, id: string) => {
  const account = (await bed.account(id))!;
  return bed.store.read((reading) => listDecisions(reading, account, 10));
};
const adopt = async (bed: EngineBed, id: string, remoteId: string) => {
  await bed.store.write((tx) =>
    decideAdoption(tx, { targetId: bed.targetId, subjectId: id }, { remoteId, actor: 'olga' }),
  );
  bed.store.signal('work');
};
const leave = (bed: EngineBed, id: string, note: string | null = null) =>
  bed.store.write((tx) => leaveParked(tx, { targetId: bed.targetId, subjectId: id }, { note, actor: 'olga' }));
const isLeft = async (bed: EngineBed, id: string) => {
  const account = (await bed.account(id))!;
  return bed.store.read(async (reading) => {
    const held = (await readLeaves(reading, [account])).size === 1;
    assert.equal((await countLeft(reading)).get(bed.targetId) ?? 0, held ? 1 : 0, 'the count says otherwise');
    return held;
  });
};
const again = async (bed: EngineBed, id: string) => {
  const account = (await bed.account(id))!;
  await bed.store.write((tx) => retryAccount(tx, account));
  bed.store.signal('work');
  await bed.rest();
};
const ask = { policy: { adopt: 'ask' } };

eachDatabase('an operator decides about a name that is taken there', (database) => {
  it('takes over exactly the one that was named, as the policy would: marked, no password, not deleted', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed, { nickName: 'kept' });
    assert.deepEqual(await conflictOf(bed, ada), {
      name: 'ada',
      adoptable: true,
      remotes: [{ remoteId, name: 'ada' }],
    });
    await adopt(bed, ada, remoteId);
    await bed.rest();
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.remote_id, account?.origin], ['done', remoteId, 'adopted']);
    assert.equal(account?.decision, null);
    const there = bed.fake.users.get(remoteId)!;
    assert.deepEqual([there.externalId, there.title, there.nickName], [ada, 'Analyst', 'kept']);
    assert.equal(there.password, undefined, 'an adopted account gets no password');
    const [decision] = await decisionsOf(bed, ada);
    assert.deepEqual([decision?.what, decision?.actor, decision?.ended], ['adopt', 'olga', 'used']);
    const reasons = (await bed.attempts(ada)).map((attempt) => attempt.reason ?? '');
    assert.ok(
      reasons.some((reason) => /as olga decided/.test(reason)),
      String(reasons),
    );
    assert.equal(await conflictOf(bed, ada), null);
    await bed.removeUser(ada);
    await bed.rest();
    assert.equal(bed.fake.users.get(remoteId)?.active, false, 'a leaver is disabled there, not deleted');
  });

  it('does not switch on who is switched off there', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed, { active: false });
    await adopt(bed, ada, remoteId);
    await bed.rest();
    assert.equal(bed.fake.users.get(remoteId)?.active, false);
    assert.equal((await bed.account(ada))?.origin, 'adopted-inactive');
  });

  it('said twice does no harm, and another id than was met is refused', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await assert.rejects(adopt(bed, ada, 'somebody-else'), /met no account with the id somebody-else/);
    await bed.stop();
    await adopt(bed, ada, remoteId);
    await adopt(bed, ada, remoteId);
    assert.equal((await decisionsOf(bed, ada)).length, 1);
    await bed.start();
    await bed.rest();
    await adopt(bed, ada, remoteId);
    await bed.rest();
    assert.equal((await decisionsOf(bed, ada)).length, 1);
    await bed.assertAgrees();
  });

  it('a stop between the word and the attempt loses nothing', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    // The first attempt that reads it has no answer, and then the server is stopped.
    bed.fake.misbehave({ when: { method: 'GET', on: 'users' }, act: { kind: 'drop', applied: false } });
    await adopt(bed, ada, remoteId);
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).length >= 2, { stepMs: 1 });
    await bed.stop();
    assert.notEqual((await bed.account(ada))?.decision, null, 'the word is gone');
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.remote_id, remoteId);
    assert.equal((await decisionsOf(bed, ada))[0]?.ended, 'used');
    await bed.assertAgrees();
  });

  it('parks again, and says so, when what was to be adopted is gone', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await bed.removeThere('users', remoteId);
    await adopt(bed, ada, remoteId);
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', /nothing with the id .* any more, which olga decided to adopt/);
    assert.equal(bed.fake.users.size, 0, 'something else was made instead');
    assert.equal((await decisionsOf(bed, ada))[0]?.ended, 'in vain');
    await again(bed, ada);
    assert.equal((await bed.account(ada))?.origin, 'created');
  });

  it('parks again when what was to be adopted is called otherwise by now', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    bed.fake.users.get(remoteId)!.userName = 'adele';
    await adopt(bed, ada, remoteId);
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'parked');
    assert.match(account?.reason ?? '', /was called "ada" then and is called "adele" by now/);
    assert.equal(bed.fake.users.get(remoteId)?.externalId, undefined);
    assert.equal(await conflictOf(bed, ada), null, 'what it met before is not offered again');
  });

  it('never takes what another account of ours has by now, nor what bears its mark', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    const other = await bed.addUser('other');
    await bed.rest();
    bed.fake.users.get(remoteId)!.externalId = other;
    await adopt(bed, ada, remoteId);
    await bed.rest();
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.remote_id], ['parked', null]);
    assert.equal(bed.fake.users.get(remoteId)?.externalId, other);
    assert.equal((await decisionsOf(bed, ada))[0]?.ended, 'in vain');
  });

  it('what was decided for one name is not done for another', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await bed.stop();
    await adopt(bed, ada, remoteId);
    await bed.changeUser(ada, 'adalovelace', { title: 'Analyst' });
    await bed.start();
    await bed.rest();
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.origin], ['done', 'created']);
    assert.notEqual(account?.remote_id, remoteId);
    const [decision] = await decisionsOf(bed, ada);
    assert.equal(decision?.ended, 'superseded');
    assert.equal(bed.fake.users.get(remoteId)?.externalId, undefined);
  });

  it('who leaves before it is done leaves the stranger alone', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await bed.stop();
    await adopt(bed, ada, remoteId);
    await bed.removeUser(ada);
    await bed.start();
    await bed.rest();
    assert.equal(await bed.account(ada), undefined);
    assert.deepEqual(bed.fake.users.get(remoteId)?.active, true);
  });

  it('a name that a rename met is shown and not offered, since there is an account already', async () => {
    await using bed = await openEngineBed(database);
    const { ada, own, strange } = await parkRename(bed);
    assert.deepEqual(await conflictOf(bed, ada), {
      name: 'taken',
      adoptable: false,
      remotes: [{ remoteId: strange, name: 'taken' }],
    });
    const reason = (await bed.account(ada))?.reason ?? '';
    assert.match(reason, /Rename or remove it there, then retry\. It is not taken over: .* would be left behind/);
    await assert.rejects(adopt(bed, ada, strange), (error: Error) => {
      assert.match(error.message, /it has an account there already \(id u2\), which would be left behind/);
      assert.match(error.message, /Rename or remove the other one .* then retry.* remove the id u2 there, then retry/);
      return true;
    });
    assert.deepEqual([bed.fake.users.get(own)?.userName, bed.fake.users.get(own)?.externalId], ['ada', ada]);
    assert.equal(bed.fake.users.get(strange)?.externalId, undefined);
  });

  it('and is given to it when the stranger is renamed there', async () => {
    await using bed = await openEngineBed(database);
    const { ada, own, strange } = await parkRename(bed);
    bed.fake.users.get(strange)!.userName = 'moved-away';
    await again(bed, ada);
    assert.deepEqual([(await bed.account(ada))?.state, (await bed.account(ada))?.remote_id], ['done', own]);
    await bed.assertAgrees({ strangers: ['moved-away'] });
  });

  it('where the stranger is to be its account, its own is removed there, and then it is asked', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, own, strange } = await parkRename(bed);
    await bed.removeThere('users', own);
    // A stop when it is known that its own is gone, and nothing else yet.
    await bed.store.write(async (tx) => retryAccount(tx, (await bed.account(ada))!));
    bed.store.signal('work');
    await bed.clock.runUntil(async () => (await bed.account(ada))?.remote_id === null, { stepMs: 1 });
    await bed.stop();
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    assert.equal(bed.fake.users.get(strange)?.externalId, undefined, 'it was taken before anybody said so');
    assert.equal((await conflictOf(bed, ada))?.adoptable, true);
    await adopt(bed, ada, strange);
    await bed.rest();
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.remote_id, account?.origin], ['done', strange, 'adopted']);
    assert.deepEqual([...bed.fake.users.keys()], [strange]);
    await bed.assertAgrees();
  });

  it('and is not asked where the policy says that a name is enough', async () => {
    await using bed = await openEngineBed(database);
    const { ada, own, strange } = await parkRename(bed);
    await bed.removeThere('users', own);
    await again(bed, ada);
    assert.deepEqual([(await bed.account(ada))?.state, (await bed.account(ada))?.remote_id], ['done', strange]);
    await bed.assertAgrees();
  });

  it('a stranger that is another account of ours by now is waited for, and its own stays what it was', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, own, strange } = await parkRename(bed);
    const other = await bed.addUser('other');
    await bed.rest();
    await bed.removeThere('users', (await bed.account(other))!.remote_id!);
    bed.fake.users.get(strange)!.externalId = other;
    await again(bed, ada);
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.remote_id], ['parked', own]);
    assert.match(account?.reason ?? '', /held by the account of our own subject/);
    assert.equal(await conflictOf(bed, ada), null);
    await assert.rejects(adopt(bed, ada, strange), /not parked because of a name that is taken there/);
    assert.equal(bed.fake.users.get(strange)?.externalId, other);
  });

  it('a group that met a stranger goes on in it likewise, with everybody who is in it', async () => {
    await using bed = await openEngineBed(database, ask);
    const strange = bed.fake.seedGroup({ schemas: [coreGroupUrn], displayName: 'taken' });
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', [bob]);
    await bed.start();
    await bed.rest();
    await bed.renameGroup(staff, 'taken', [bob]);
    await bed.rest();
    assert.equal((await conflictOf(bed, staff))?.adoptable, false);
    await bed.removeThere('groups', (await bed.account(staff))!.remote_id!);
    await again(bed, staff);
    await adopt(bed, staff, strange);
    await bed.rest();
    assert.deepEqual([(await bed.account(staff))?.state, (await bed.account(staff))?.remote_id], ['done', strange]);
    await bed.assertAgrees();
  });

  it('takes over a group as well, and then says who is in it', async () => {
    await using bed = await openEngineBed(database, ask);
    const remoteId = bed.fake.seedGroup({ schemas: [coreGroupUrn], displayName: 'staff' });
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', [bob]);
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(staff))?.state, 'parked');
    await adopt(bed, staff, remoteId);
    await bed.rest();
    assert.deepEqual([(await bed.account(staff))?.state, (await bed.account(staff))?.remote_id], ['done', remoteId]);
    await bed.assertAgrees();
  });

  it('what was decided is not done while nobody lets it in, and is done when somebody does', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await bed.stop();
    await adopt(bed, ada, remoteId);
    const spId = bed.resident.spId;
    await bed.store.write((tx) => replaceBindings(tx, spId, []));
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.equal(bed.fake.users.get(remoteId)?.externalId, undefined);
    await bed.store.write((tx) => replaceBindings(tx, spId, [{ target: bed.targetId }]));
    bed.store.signal('targets');
    await bed.rest();
    assert.deepEqual([(await bed.account(ada))?.state, (await bed.account(ada))?.remote_id], ['done', remoteId]);
  });

  it('left parked it stays so and is not counted, until the person changes', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada, remoteId } = await parkAda(bed);
    await leave(bed, ada, 'she has another one there');
    await leave(bed, ada);
    assert.equal(await isLeft(bed, ada), true);
    assert.deepEqual(
      (await decisionsOf(bed, ada)).map((one) => [one.what, one.note]),
      [['leave', 'she has another one there']],
    );
    await bed.pass(120_000);
    assert.equal(await isLeft(bed, ada), true);
    await bed.changeUser(ada, 'ada', { title: 'Countess' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    assert.equal(await isLeft(bed, ada), false);
    const [decision] = await decisionsOf(bed, ada);
    assert.equal(decision?.ended, 'over');
    assert.ok(await conflictOf(bed, ada), 'it can be decided again');
    await adopt(bed, ada, remoteId);
    await bed.rest();
    await bed.assertAgrees();
    await assert.rejects(leave(bed, ada), /it is not parked/);
  });

  it('left parked it is to be looked at again after a retry, and after other settings', async () => {
    await using bed = await openEngineBed(database, ask);
    const { ada } = await parkAda(bed);
    await leave(bed, ada);
    await again(bed, ada);
    assert.equal(await isLeft(bed, ada), false);
    await leave(bed, ada);
    const input = {
      settings: {
        'scim2-authentication-mode': 'basic',
        'scim2-username': 'purvey',
        'scim2-password': 'fake-password',
        'scim2-user-ep': bed.fake.usersEndpoint,
        'scim2-group-ep': bed.fake.groupsEndpoint,
      },
      policy: { adopt: 'ask', concurrency: 3 },
    };
    await bed.store.write((tx) =>
      replaceTarget(tx, { key: bed.key, kinds: connectorKinds }, bed.targetId, input, 'olga'),
    );
    bed.store.signal('targets');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    assert.equal(await isLeft(bed, ada), false);
  });

  it('a group that looks again by itself is still left parked', async () => {
    await using bed = await openEngineBed(database, { policy: { groups: 'link-existing' } });
    const group = await bed.addGroup('staff');
    await bed.start();
    await bed.rest();
    await leave(bed, group);
    const tried = (await bed.attempts(group)).length;
    await bed.pass(31 * 60_000);
    await bed.rest();
    assert.ok((await bed.attempts(group)).length > tried, 'it did not look again');
    assert.equal(await isLeft(bed, group), true);
  });
});
