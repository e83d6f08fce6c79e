import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

// A process that stood still sends its creation long after another searched in vain and made its own (engine rules 7, 14).

const limits = { timeoutMs: 1_000, settleMs: 200 };

/** What the process that stood still makes there: the same mark under the name of that time. */
async function makeTwin(bed: EngineBed, subjectId: string, userName: string): Promise<void> {
  const answer = await fetch(bed.fake.usersEndpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from('purvey:fake-password').toString('base64')}`,
      'content-type': 'application/scim+json',
      accept: 'application/scim+json',
    },
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName,
      externalId: subjectId,
      active: true,
    }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

async function leaveInDoubt(bed: EngineBed): Promise<string> {
  bed.fake.misbehave({ when: { method: 'POST', on: 'users' }, times: 1, act: { kind: 'drop', applied: true } });
  const ada = await bed.addUser('ada');
  await bed.start();
  await bed.clock.runUntil(() => bed.fake.users.size === 1, { stepMs: 5, what: 'a creation without an answer' });
  await makeTwin(bed, ada, 'ada.before');
  return ada;
}

eachDatabase('two resources that bear one mark', (database) => {
  it('are brought down to one, the one that has the name', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const ada = await leaveInDoubt(bed);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.assertAgrees();
    const said = (await bed.attempts(ada)).map((attempt) => attempt.reason ?? '').join('\n');
    assert.match(said, /two resources there bear the mark of this account; \S+ was taken away/);
  });

  it('of a leaver both go', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const ada = await leaveInDoubt(bed);
    await bed.removeUser(ada);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0, 'nothing is left alive');
    assert.equal(await bed.account(ada), undefined);
  });

  it('one that shows only when a name is taken is found then', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const ada = await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    await makeTwin(bed, ada, 'ada.king');
    await bed.changeUser(ada, 'ada.king');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.assertAgrees();
  });
});
