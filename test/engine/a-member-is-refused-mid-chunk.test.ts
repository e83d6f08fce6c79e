import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const policy = { timeoutMs: 3_000, settleMs: 500, membersPerRequest: 6 };
const refusal = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: '400',
  detail: 'not this one',
};

eachDatabase('a member is refused in the middle of a chunk', (database) => {
  for (const trouble of ['nothing else', 'a lost answer', 'a lost lease'] as const) {
    it(`parks alone, and everybody before and after it is there, with ${trouble} on the way`, async () => {
      await using bed = await openEngineBed(database, { policy });
      await bed.start();
      const people: string[] = [];
      for (let n = 0; n < 20; n++) people.push(await bed.addUser(`p${n}`));
      const group = await bed.addGroup('team');
      await bed.rest();
      const bad = (await bed.account(people[9]!))!.remote_id!;
      const names = (request: { body: unknown }) => JSON.stringify(request.body).includes(`"${bad}"`);
      const refused = bed.fake.misbehave({
        when: { method: 'PATCH', on: 'groups', that: names },
        times: Number.POSITIVE_INFINITY,
        act: { kind: 'answer', status: 400, body: refusal },
      });
      // What is said after the first refusal belongs to the chunk that is halved.
      bed.fake.misbehave({
        when: { method: 'PATCH', on: 'groups', that: (request) => refused.hits > 0 && !names(request) },
        times: trouble === 'nothing else' ? 0 : 1,
        act: trouble === 'a lost answer' ? { kind: 'drop', applied: true } : { kind: 'hold', applied: true },
      });
      await bed.stop();
      for (const person of people) await bed.addMember(group, person);
      const before = bed.fake.requests.length;
      await bed.start();
      if (trouble === 'a lost lease') {
        await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 5 });
        const made = (await bed.attempts(group)).length;
        await bed.store.write((tx) =>
          tx.all(tx.q.updateTable('accounts').set({ due_at: tx.now }).where('subject_id', '=', group)),
        );
        await bed.clock.runUntil(async () => (await bed.attempts(group)).length > made, { stepMs: 5, limitMs: 2_500 });
        await bed.fake.release();
      }
      await bed.rest();
      const links = await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll()));
      assert.deepEqual(
        links.map((link) => [link.member_id, link.state]),
        [[people[9], 'parked']],
      );
      assert.match(links[0]?.reason ?? '', /not this one/);
      const remote = (await bed.account(group))!.remote_id!;
      assert.equal(bed.fake.membersOf(remote).length, people.length - 1);
      assert.ok(!bed.fake.membersOf(remote).includes(bad));
      const patches = bed.fake.requests.slice(before).filter((request) => request.method === 'PATCH');
      for (const patch of patches) {
        assert.ok((JSON.stringify(patch.body).match(/"value"/g) ?? []).length <= 7, 'a chunk and not more');
      }
      assert.ok(patches.length >= 5, `${patches.length} requests`);
      refused.stop();
      await bed.removeMember(group, people[9]!);
      await bed.addMember(group, people[9]!);
      await bed.rest();
      await bed.assertAgrees();
    });
  }
});
