import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';
import { bindResident, ended, openWaiting, outcomes } from './waiting.ts';

const limits = { timeoutMs: 2_000, settleMs: 200, concurrency: 4 };
const forever = Number.POSITIVE_INFINITY;

eachDatabase('a blocking binding', (database) => {
  it('lets whoever changed somebody wait until the target has it: creation, change, removal', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const ada = await bed.addUser('ada');
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 done']);
    assert.equal(bed.fake.userNamed('ada')?.externalId, ada);
    await bed.changeUser(ada, 'ada', { title: 'Countess' });
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 done']);
    assert.equal(bed.fake.userNamed('ada')?.title, 'Countess');
    await bed.removeUser(ada);
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 done']);
    assert.equal(bed.fake.users.size, 0);
  });

  it('counts from the moment it is set, and not for who spoke for another service provider', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { waits, settle } = openWaiting(bed, await bed.start());
    const ada = await bed.addUser('ada');
    assert.deepEqual(await settle(ada), [], 'the binding does not block');
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const answer = settle(ada);
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    const subject = { id: ada, kind: 'user', life: 'live', seq: 1 } as Parameters<typeof waits.settle>[0]['subject'];
    assert.deepEqual(await waits.settle({ spId: bed.stranger.spId, subject }), []);
  });

  it('asks the database nothing for those who do not wait, and nothing while nothing happens', async () => {
    const statements: string[] = [];
    await using bed = await openEngineBed(database, {
      policy: limits,
      onStatement: (sql) => void statements.push(sql),
    });
    const { waits, settle } = openWaiting(bed, await bed.start());
    /** When nothing was asked for a while; answers how much was asked until then. */
    const whenQuiet = async () => {
      for (let n = 0; n < 50; n++) {
        const before = statements.length;
        await new Promise((resolve) => setTimeout(resolve, 150));
        if (statements.length === before) return before;
      }
      throw new Error('there is no end of asking');
    };
    const ada = await bed.addUser('ada');
    await bed.rest();
    const subject = { id: ada, kind: 'user', life: 'live', seq: 1 } as Parameters<typeof waits.settle>[0]['subject'];
    statements.length = 0;
    assert.deepEqual(await waits.settle({ spId: bed.resident.spId, subject }), []);
    assert.equal(statements.length, 0, 'nobody waits');

    await bindResident(bed, [{ targetId: bed.targetId }]);
    await bed.rest();
    bed.fake.misbehave({ times: forever, when: { method: 'PATCH' }, act: { kind: 'hold', applied: false } });
    await bed.changeUser(ada, 'ada', { title: 'Countess' });
    const answers = Array.from({ length: 200 }, () => settle(ada));
    await bed.clock.runUntil(() => bed.fake.held > 0, { stepMs: 5 });
    await bed.clock.advance(10);
    // Time stands still and so does the target: whoever waits asks nothing and holds nothing.
    const before = await whenQuiet();
    await bed.clock.advance(150);
    await whenQuiet();
    const looks = statements.slice(before).filter((sql) => sql.includes('holder_due_at'));
    assert.ok(looks.length >= 1 && looks.length <= 2, `${looks.length} looks at 200 who wait`);
    await bed.fake.release();
    bed.fake.heal();
    await ended(bed, Promise.all(answers));
    for (const answer of answers) assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
  });

  it('tells with its reason what the target refused, and the next change what became of itself', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const body = { detail: 'no titles of nobility here' };
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body } });
    const ada = await bed.addUser('ada', { title: 'Countess' });
    const [refused] = await settled(ada);
    assert.equal(refused?.outcome, 'parked');
    assert.equal(refused?.onFailure, 'fail');
    assert.match(refused?.reason ?? '', /no titles of nobility here/);
    await bed.changeUser(ada, 'ada');
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 done']);
  });

  it('answers pending when the time is up, with what is known, and delivery goes on', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, timeoutMs: 60_000 } });
    const { settle } = openWaiting(bed, await bed.start(), { boundMs: 3_000 });
    await bindResident(bed, [{ targetId: bed.targetId }]);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const from = bed.clock.now();
    const answer = settle(await bed.addUser('ada'));
    await ended(bed, answer);
    const took = bed.clock.now() - from;
    assert.ok(took >= 3_000 && took < 3_500, `${took} ms`);
    assert.deepEqual((await answer)[0], {
      targetId: bed.targetId,
      target: 'partner:SCIM2',
      onFailure: 'report',
      outcome: 'pending',
      reason: 'not delivered within 3 s',
    });
    await bed.fake.release();
    await bed.rest();
    await bed.assertAgrees();
  });

  it('waits no longer than the caller wishes, and not at all if it wishes so', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, timeoutMs: 60_000 } });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const ada = await bed.addUser('ada');
    const from = bed.clock.now();
    const [unasked] = await settle(ada, { withinMs: 0 });
    assert.equal(bed.clock.now(), from);
    assert.deepEqual([unasked?.outcome, unasked?.onFailure], ['pending', 'report'], 'who did not wait does not fail');
    const short = settle(ada, { withinMs: 1_000 });
    await ended(bed, short);
    assert.ok(bed.clock.now() - from < 1_300);
    assert.deepEqual([(await short)[0]?.outcome, (await short)[0]?.onFailure], ['pending', 'fail']);
    await bed.fake.release();
    await bed.rest();
  });

  it('answers pending at once while the lane is held, before and after it learns of it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    bed.fake.misbehave({ times: forever, when: { on: 'users' }, act: { kind: 'answer', status: 401, body: {} } });
    const from = bed.clock.now();
    const first = settle(await bed.addUser('ada'));
    await ended(bed, first);
    assert.match((await first)[0]?.reason ?? '', /^the lane is held: /);
    assert.ok(bed.clock.now() - from < 1_000, 'not the whole time');
    const second = settle(await bed.addUser('bob'));
    const at = bed.clock.now();
    await ended(bed, second, { stepMs: 1 });
    assert.equal((await second)[0]?.outcome, 'pending');
    assert.match((await second)[0]?.reason ?? '', /^the lane is held: /);
    assert.ok(bed.clock.now() - at < 200, `${bed.clock.now() - at} ms`);
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
  });

  it('answers pending at once when the account is due later than anybody waits', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const busy = { kind: 'answer', status: 503, headers: { 'retry-after': '40' }, body: {} } as const;
    bed.fake.misbehave({ when: { method: 'POST' }, act: busy });
    const from = bed.clock.now();
    const answer = settle(await bed.addUser('ada'));
    await ended(bed, answer);
    assert.ok(bed.clock.now() - from < 1_000, `${bed.clock.now() - from} ms`);
    assert.equal((await answer)[0]?.outcome, 'pending');
    assert.match((await answer)[0]?.reason ?? '', /^due again at 2026-03-02T12:00:4\d/);
  });

  it('waits through a short backoff', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 500, body: {} } });
    assert.deepEqual(outcomes(await settled(await bed.addUser('ada'))), ['partner:SCIM2 done']);
    await bed.assertAgrees();
  });

  it('answers pending at once for a target that is switched off, and done where there is nothing to do', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const ada = await bed.addUser('ada');
    await bed.rest();
    await resetTarget(bed, { enabled: false, policy: limits });
    await bed.changeUser(ada, 'ada', { title: 'Countess' });
    const from = bed.clock.now();
    const answer = settle(ada);
    await ended(bed, answer, { stepMs: 1 });
    assert.ok(bed.clock.now() - from < 200, `${bed.clock.now() - from} ms`);
    assert.deepEqual(
      [(await answer)[0]?.outcome, (await answer)[0]?.reason],
      ['pending', 'the target is switched off'],
    );
  });

  it('waits for all of them together: one delivers, one is down', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settle } = openWaiting(bed, await bed.start());
    await using other = await addTarget(bed, 'other', { policy: { ...limits, timeoutMs: 60_000 } });
    await bindResident(bed, [{ targetId: other.targetId, onFailure: 'fail' }, { targetId: bed.targetId }]);
    other.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const from = bed.clock.now();
    const answer = settle(await bed.addUser('ada'));
    await ended(bed, answer);
    assert.ok(bed.clock.now() - from < 10_500, 'one bound for both');
    assert.deepEqual(outcomes(await answer), ['other:SCIM2 pending', 'partner:SCIM2 done']);
    await other.fake.release();
    await bed.rest();
  });

  it('says none for who has no business there, also when somebody has just left the scope', async () => {
    const policy = { ...limits, scopeUsers: 'title eq "Countess"' };
    await using bed = await openEngineBed(database, { policy, settings: { 'scim2-group-ep': '' } });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const bob = await bed.addUser('bob');
    assert.deepEqual(
      (await settled(bob)).map(({ outcome, reason }) => [outcome, reason]),
      [['none', 'outside the scope of this target']],
    );
    const ada = await bed.addUser('ada', { title: 'Countess' });
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 done']);
    await bed.changeUser(ada, 'ada', { title: 'Lady' });
    assert.deepEqual(outcomes(await settled(ada)), ['partner:SCIM2 none']);
    assert.equal(bed.fake.users.size, 0);
    const [team] = await settled(await bed.addGroup('team', [ada]));
    assert.deepEqual([team?.outcome, team?.reason], ['none', 'this target takes no groups']);
  });

  it('counts a leaver who is switched off or left alone by policy as done', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, deprovision: 'disable' } });
    const { settled } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const ada = await bed.addUser('ada');
    await settled(ada);
    await bed.removeUser(ada);
    const [gone] = await settled(ada);
    assert.equal(gone?.outcome, 'done');
    assert.match(gone?.reason ?? '', /switched off there/);
    assert.equal(bed.fake.userNamed('ada')?.active, false);
  });

  it('waits for a leaver whose name the newcomer needs', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const old = await bed.addUser('ada');
    await bed.rest();
    const busy = { kind: 'answer', status: 503, headers: { 'retry-after': '3' }, body: {} } as const;
    bed.fake.misbehave({ when: { method: 'DELETE' }, act: busy });
    await bed.removeUser(old);
    const from = bed.clock.now();
    const answer = settle(await bed.addUser('ada'));
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    assert.ok(bed.clock.now() - from >= 3_000);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('ends when whoever asked goes away, and when the server stops', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, timeoutMs: 60_000 } });
    const { waits, settle } = openWaiting(bed, await bed.start());
    await bindResident(bed, [{ targetId: bed.targetId }]);
    bed.fake.misbehave({ times: forever, when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const ada = await bed.addUser('ada');
    const client = new AbortController();
    const abandoned = settle(ada, { signal: client.signal });
    const waiting = settle(ada);
    await bed.clock.runUntil(() => bed.fake.held > 0, { stepMs: 5 });
    client.abort();
    const from = bed.clock.now();
    assert.deepEqual(outcomes(await abandoned), ['partner:SCIM2 pending']);
    waits.stop();
    assert.match((await waiting)[0]?.reason ?? '', /stopping/);
    assert.match((await settle(ada))[0]?.reason ?? '', /stopping/);
    assert.equal(bed.clock.now(), from, 'all of them without waiting');
    await bed.fake.release();
    await bed.rest();
  });
});
