import assert from 'node:assert/strict';
import { it } from 'node:test';
import { oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { openEngineBed } from './bed.ts';
import { bindResident, ended, openWaiting, outcomes } from './waiting.ts';

const limits = { timeoutMs: 2_000, settleMs: 200, concurrency: 4 };

oneDatabase('postgres', 'a blocking binding on two nodes', (database) => {
  it('is waited for on one while the other does all the work', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const idle = await bed.start();
    const { settle } = openWaiting(bed, idle);
    // This node's engine works no more; it still knows the bindings.
    await bed.stop();
    await using _other = await startAnotherNode(database, bed);
    const from = bed.clock.now();
    const answer = settle(await bed.addUser('ada'));
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    assert.ok(bed.clock.now() - from < 3_000, `${bed.clock.now() - from} ms`);
    await bed.assertAgrees();
  });

  it('set on one node blocks on the other within a second', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await using other = await startAnotherNode(database, bed);
    const { settle } = openWaiting(bed, other.engine, { store: other.store });
    const ada = await bed.addUser('ada');
    assert.deepEqual(await settle(ada), []);
    await bindResident(bed, [{ targetId: bed.targetId }]);
    await bed.clock.runUntil(
      async () => (await other.engine.currentBook()).blockingOf({ spId: bed.resident.spId, by: 'call' }).length > 0,
      {
        limitMs: 1_200,
      },
    );
    const answer = settle(ada);
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 done']);
    await bed.clock.runUntil(() => !other.engine.busy, { stepMs: 20 });
  });
});
