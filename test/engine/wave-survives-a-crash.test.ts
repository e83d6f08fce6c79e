import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase, oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { resetTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';
import { addUsers, askForSync, bind, listWaves } from './waves.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 8 };
const people = 600;

eachDatabase('a process dies in the middle of a wave', (database) => {
  for (const kind of ['accounts', 'everyone'] as const) {
    it(`goes on at its cursor: nobody is missed, nobody looked at twice (${kind})`, async () => {
      let chunks = 0;
      let dies = false;
      await using bed = await openEngineBed(database, {
        policy: limits,
        onStatement(sql) {
          if (!dies || !/update "waves" set "cursor"/.test(sql)) return;
          chunks += 1;
          // Within the transaction of a chunk, after all else was written.
          if (chunks > 1) throw new Error('killed');
        },
      });
      await bed.start();
      if (kind === 'everyone') await bind(bed, bed.resident.spId, 'not at all');
      await addUsers(bed, people, (n) => `p${n}`);
      await bed.rest();
      // What was claimed but not tried before a stop does not count.
      const tried = async () => (await bed.attempts()).filter((attempt) => attempt.outcome === 'done').length;
      const before = await tried();
      dies = true;
      if (kind === 'everyone') {
        await bind(bed, bed.resident.spId, true);
        await askForSync(bed);
      } else await resetTarget(bed, { settings: { 'scim2-user-store-domain': 'SALES' }, policy: limits });
      await bed.clock.runUntil(() => chunks > 2, { stepMs: 20 });
      await bed.stop();
      const [halfway] = await listWaves(bed);
      assert.deepEqual([halfway?.state, halfway?.seen, halfway?.cursor === ''], ['running', 250, false]);
      dies = false;
      await bed.start();
      await bed.rest();
      const [wave] = await listWaves(bed);
      assert.deepEqual([wave?.state, wave?.seen, wave?.raised], ['done', people, people]);
      assert.equal(await tried(), before + people, 'one attempt each');
      const prefix = kind === 'everyone' ? /^p\d+$/ : /^SALES\/p\d+$/;
      const names = [...bed.fake.users.values()].map((user) => String(user.userName));
      assert.equal(names.filter((name) => prefix.test(name)).length, people);
      assert.deepEqual(bed.fake.faults, []);
    });
  }
});

oneDatabase('postgres', 'two nodes carry a wave on', (database) => {
  it('one chunk at a time, and the other goes on when one stops', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await bind(bed, bed.resident.spId, 'not at all');
    await addUsers(bed, people, (n) => `p${n}`);
    await bed.rest();
    await bed.stop();
    await bind(bed, bed.resident.spId, true);
    await using other = await startAnotherNode(database, bed);
    await bed.start();
    await askForSync(bed);
    await bed.clock.runUntil(() => bed.fake.users.size > 20, { stepMs: 2 });
    await bed.stop();
    await bed.clock.runUntil(async () => bed.fake.users.size === people && !other.engine.busy, { stepMs: 50 });
    await bed.clock.runUntil(async () => (await listWaves(bed)).every((wave) => wave.state === 'done'), { stepMs: 50 });
    const waves = (await listWaves(bed)).filter((wave) => wave.kind === 'everyone');
    assert.deepEqual(
      waves.map((wave) => [wave.state, wave.seen, wave.raised]),
      [['done', people, people]],
    );
    const posts = bed.fake.requests.filter((request) => request.method === 'POST');
    assert.equal(posts.length, people, 'nobody is made twice');
    await bed.assertAgrees();
  });
});
