import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Act } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { addTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

async function addPeople(bed: EngineBed, count: number, prefix = 'p'): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await bed.addUser(`${prefix}${n}`));
  return ids;
}

const namesOf = (users: ReadonlyMap<string, { userName?: unknown }>) =>
  [...users.values()].map((user) => String(user.userName)).sort();

eachDatabase('targets are independent', (database) => {
  const troubles: { name: string; act: Act }[] = [
    { name: 'refuses the credentials', act: { kind: 'answer', status: 401, body: {} } },
    { name: 'fails', act: { kind: 'answer', status: 500, body: {} } },
    { name: 'asks for patience', act: { kind: 'answer', status: 429, headers: { 'retry-after': '60' }, body: {} } },
    { name: 'never answers', act: { kind: 'silence', applied: false } },
  ];
  for (const { name, act } of troubles) {
    it(`serves one target while another ${name}, and the other when it is well`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      await using other = await addTarget(bed, 'other', { policy: limits });
      bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, when: { on: 'users' }, act });
      const people = await addPeople(bed, 30);
      await bed.start();
      const from = bed.clock.now();
      const served = async () => (await other.accounts()).filter((row) => row.state === 'done').length;
      await bed.clock.runUntil(async () => (await served()) === people.length, { stepMs: 20, what: 'the healthy one' });
      // 30 people, 4 at a time: without the other's trouble it takes less than this.
      assert.ok(bed.clock.now() - from < 3_000, `${bed.clock.now() - from} ms for the healthy target`);
      assert.equal(
        (await other.accounts()).every((row) => row.tries === 0 && row.reason === null),
        true,
      );
      assert.deepEqual(
        (await bed.lanes()).filter((lane) => lane.target_id === other.targetId && lane.hold !== null),
        [],
        'no lane of the healthy target is held',
      );
      assert.equal(bed.fake.users.size, 0);
      bed.fake.heal();
      await bed.rest();
      assert.deepEqual(namesOf(bed.fake.users), namesOf(other.fake.users));
      assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
    });
  }

  it('parks one account at one target and nobody anywhere else', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    bed.fake.misbehave({
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'p3' },
      act: { kind: 'answer', status: 400, body: { detail: 'not this one' } },
    });
    const people = await addPeople(bed, 8);
    await bed.start();
    await bed.rest();
    const parked = (await bed.accounts()).filter((row) => row.state === 'parked');
    assert.deepEqual(
      parked.map((row) => [row.target_id, row.subject_id]),
      [[bed.targetId, people[3]]],
    );
    assert.equal(other.fake.users.size, 8);
    assert.equal(bed.fake.users.size, 7);
  });

  it('keeps remote ids of different targets apart, though both give the same ones', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    await bed.start();
    const people = await addPeople(bed, 6);
    const team = await bed.addGroup('team', people);
    await bed.rest();
    await bed.removeMember(team, people[0]!);
    await bed.removeUser(people[1]!);
    await bed.rest();
    const at = async (fake: typeof bed.fake, accounts: typeof other.accounts) => {
      const rows = await accounts();
      const owner = new Map(rows.map((row) => [row.remote_id, row.subject_id]));
      return fake
        .membersOf(rows.find((row) => row.subject_id === team)!.remote_id!)
        .map((id) => owner.get(id))
        .sort();
    };
    const wanted = people.slice(2).sort();
    assert.deepEqual(await at(other.fake, other.accounts), wanted);
    assert.deepEqual(
      await at(bed.fake, async () => (await bed.accounts()).filter((row) => row.target_id === bed.targetId)),
      wanted,
    );
  });
});

eachDatabase('one bad row in a batch', (database) => {
  it('writes everybody else down when a target says what no database can store', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 2 } });
    await using other = await addTarget(bed, 'other', { policy: limits });
    // A lone surrogate: JSON can say it, a text of PostgreSQL cannot hold it.
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'p3' },
      act: {
        kind: 'answer',
        status: 400,
        headers: { 'content-type': 'application/scim+json' },
        body: { detail: 'no \ud800 good' },
      },
    });
    const people = await addPeople(bed, 12);
    await bed.start();
    await bed.rest();
    const left = (await bed.accounts()).filter((row) => row.state !== 'done');
    assert.deepEqual(
      left.map((row) => [row.target_id, row.subject_id, row.state]),
      [[bed.targetId, people[3], 'parked']],
    );
    assert.equal(other.fake.users.size, 12);
    for (const id of people.filter((each) => each !== people[3])) {
      const tries = (await bed.attempts(id)).filter((attempt) => attempt.target_id === bed.targetId);
      assert.deepEqual(
        tries.map((attempt) => attempt.outcome),
        ['done'],
        'nobody else is tried twice for it',
      );
    }
  });

  it('writes everybody else down when a target gives out an id with a character that cannot be stored', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, maxTries: 2 } });
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'p3' },
      act: {
        kind: 'answer',
        status: 201,
        body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: 'x\u0000y', userName: 'p3' },
      },
    });
    const people = await addPeople(bed, 12);
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.accounts()).filter((row) => row.state === 'done').length >= 11, {
      limitMs: 600_000,
    });
    for (const id of people.filter((each) => each !== people[3])) {
      assert.deepEqual(
        (await bed.attempts(id)).map((attempt) => attempt.outcome),
        ['done'],
        'nobody else is tried twice for it',
      );
    }
  });

  it('parks a creation that was answered with an id we own already, and leaves its owner as it is', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    const owned = (await bed.account(ada))!.remote_id!;
    await bed.stop();
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'p1' },
      act: {
        kind: 'answer',
        status: 201,
        body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: owned, userName: 'p1' },
      },
    });
    const people = await addPeople(bed, 3);
    await bed.start();
    await bed.rest();
    const parked = await bed.account(people[1]!);
    assert.deepEqual([parked?.state, parked?.remote_id], ['parked', null]);
    assert.match(parked?.reason ?? '', /belongs to the account of another subject/);
    assert.deepEqual([(await bed.account(ada))?.remote_id, (await bed.account(ada))?.state], [owned, 'done']);
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))].sort(), ['done', 'parked']);
    // The one that never got an account of its own goes: the owner's account must stay.
    bed.fake.heal();
    await bed.removeUser(people[1]!);
    await bed.rest();
    assert.ok(bed.fake.users.has(owned), 'a removal never takes what another subject owns');
    await bed.assertAgrees();
  });

  for (const failures of [1, 2]) {
    it(`goes on row by row when a batch fails for no known reason (${failures} times)`, async () => {
      let left = 0;
      const onStatement = (statement: string) => {
        if (left === 0 || !statement.includes('update attempts set ended_at')) return;
        left -= 1;
        throw new Error('the disk is full for a moment');
      };
      await using bed = await openEngineBed(database, { policy: limits, onStatement });
      const people = await addPeople(bed, 8);
      bed.fake.misbehave({ when: { method: 'POST' }, times: 4, act: { kind: 'hold', applied: false } });
      await bed.start();
      await bed.clock.runUntil(() => bed.fake.held === 4, { stepMs: 1 });
      left = failures;
      await bed.fake.release();
      await bed.rest();
      const tries = await Promise.all(people.map(async (id) => (await bed.attempts(id)).length));
      assert.equal(
        tries.filter((count) => count > 1).length,
        failures - 1,
        'only the one that failed alone goes again',
      );
      assert.equal(bed.fake.requests.filter((request) => request.method === 'POST').length, 8, 'nobody is made twice');
      await bed.assertAgrees();
    });
  }
});
