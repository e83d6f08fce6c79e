import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';
import { bindResident, ended, openWaiting, outcomes } from './waiting.ts';

const limits = { timeoutMs: 2_000, settleMs: 200, concurrency: 4 };
const forever = Number.POSITIVE_INFINITY;

eachDatabase('a blocking binding and groups', (database) => {
  it('waits for the group with all its members, also for those who come in between', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, membersPerRequest: 3 } });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const people: string[] = [];
    for (let n = 0; n < 10; n++) people.push(await bed.addUser(`p${n}`));
    await bed.rest();
    bed.fake.misbehave({
      when: { method: 'POST', on: 'users' },
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '4' }, body: {} },
    });
    // The last one is not there yet, and comes after a while.
    people.push(await bed.addUser('late'));
    const group = await bed.addGroup('all', people);
    const from = bed.clock.now();
    const answer = settle(group);
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    assert.ok(bed.clock.now() - from >= 4_000, 'before the last one was there');
    const [remoteId] = [...bed.fake.groups.keys()];
    assert.equal(bed.fake.membersOf(remoteId!).length, people.length);
  });

  it('waits for a group whose members are noted in steps', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, membersPerRequest: 10_000 } });
    bed.fake.options.membersPerPatch = 10_000;
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const people: string[] = [];
    for (let n = 0; n < 1_200; n++) people.push(await bed.addUser(`p${n}`));
    await bed.rest();
    const answer = settle(await bed.addGroup('all', people));
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    const [remoteId] = [...bed.fake.groups.keys()];
    assert.equal(bed.fake.membersOf(remoteId!).length, people.length);
  });

  it('does not wait for members who are not to be there', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title eq "Countess"' } });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const [ada, bob] = [await bed.addUser('ada', { title: 'Countess' }), await bed.addUser('bob')];
    await bed.rest();
    const from = bed.clock.now();
    assert.deepEqual(outcomes(await settled(await bed.addGroup('team', [ada, bob]))), ['partner:SCIM2 done']);
    assert.ok(bed.clock.now() - from < 2_000, `${bed.clock.now() - from} ms`);
  });

  it('tells of memberships that are refused, and only to whoever made them', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const team = await bed.addGroup('team', []);
    await bed.rest();
    const rule = bed.fake.misbehave({
      times: forever,
      when: { method: 'PATCH', on: 'groups' },
      act: { kind: 'answer', status: 400, body: { detail: 'bob is not one of ours' } },
    });
    await bed.addMember(team, bob);
    const [refused] = await settled(team);
    assert.equal(refused?.outcome, 'parked');
    assert.match(refused?.reason ?? '', /^1 membership was refused: .*bob is not one of ours/);
    rule.stop();
    await bed.pass(1_000);
    await bed.addMember(team, ada);
    assert.deepEqual(outcomes(await settled(team)), ['partner:SCIM2 done'], 'what somebody else did is not theirs');
    await bed.removeGroup(team);
    assert.deepEqual(outcomes(await settled(team)), ['partner:SCIM2 done']);
    assert.equal(bed.fake.groups.size, 0);
  });
});
