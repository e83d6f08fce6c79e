import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createPolicy, removePolicy } from '../../src/provisioning/policies.ts';
import { retryAccount } from '../../src/provisioning/retry.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { eachDatabase } from '../database.ts';
import { apply, designator, policy, rule, value } from '../spec/xacml-case.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const hour = 3_600_000;

/** Denies one operation and permits the rest. */
function denying(operation: string): string {
  const category = 'http://wso2.org/identity/provisioning';
  const asked = designator(`${category}/provision-operation`, 'string', { category });
  const urn = 'urn:oasis:names:tc:xacml:1.0:function';
  const condition = apply(
    `${urn}:string-equal`,
    apply(`${urn}:string-one-and-only`, asked),
    value('string', operation),
  );
  return policy(rule('Deny', { id: `no-${operation}`, condition }) + rule('Permit', { id: 'else' }), {
    id: 'p',
    combining: 'urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable',
  });
}

/** Answers with what takes the policy away again. */
async function deny(bed: EngineBed, operation: string): Promise<() => Promise<void>> {
  const made = await bed.store.write(async (tx) => {
    await replaceBindings(tx, bed.resident.spId, [{ target: bed.targetId, rules: true }]);
    return createPolicy(tx, { name: 'p', document: denying(operation) }, 'test');
  });
  bed.store.signal('targets');
  return async () => {
    await bed.store.write((tx) => removePolicy(tx, made.id, 'test'));
    bed.store.signal('targets');
  };
}

eachDatabase('passwords and rules', (database) => {
  it('PATCH is the password alone: withheld, the rest goes, and it follows when it may', async () => {
    await using bed = await openEngineBed(database);
    const engine = await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    const permit = await deny(bed, 'PATCH');
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-1');
    const withheld = await bed.account(ada);
    assert.deepEqual([withheld?.state, withheld?.withheld_operation], ['withheld', 'PATCH']);
    assert.deepEqual([withheld?.pw_sent, await bed.secrets()], [null, [withheld?.pw_seq]]);
    await permit();
    await engine.currentBook();
    await bed.store.write((tx) => retryAccount(tx, withheld!));
    bed.store.signal('work');
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.pw_seq, account?.withheld_operation], ['done', null, null]);
    assert.deepEqual(await bed.secrets(), []);
  });

  it('a password goes while a rule withholds the rest', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await deny(bed, 'PUT');
    await bed.changeUser(ada, 'ada', { password: 'Clear-2', title: 'two' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'Clear-2');
    assert.equal(bed.fake.userNamed('ada')?.title, undefined);
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, account?.withheld_operation, account?.pw_seq], ['withheld', 'PUT', null]);
    assert.deepEqual(await bed.secrets(), []);
  });

  it('an account that was withheld for its password alone is done when that expires', async () => {
    await using bed = await openEngineBed(database, { passwordsLastMs: hour });
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    await deny(bed, 'PATCH');
    await bed.changeUser(ada, 'ada', { password: 'Clear-2' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'withheld');
    await bed.clock.runUntil(async () => (await bed.secrets()).length === 0, { stepMs: 10_000, limitMs: 2 * hour });
    await bed.rest();
    const account = await bed.account(ada);
    assert.equal(account?.state, 'done');
    assert.match(account?.pw_note ?? '', /^password expired unsent/);
  });

  it('a creation that is withheld says no password, and keeps it', async () => {
    await using bed = await openEngineBed(database);
    await deny(bed, 'POST');
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'Clear-1' });
    await bed.rest();
    assert.deepEqual(bed.fake.heardPasswords(), []);
    const account = await bed.account(ada);
    assert.deepEqual([account?.state, await bed.secrets()], ['withheld', [account?.pw_seq]]);
  });
});
