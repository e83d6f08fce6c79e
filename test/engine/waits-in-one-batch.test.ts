import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('two conflicts in one batch', (database) => {
  it('sees at once that two accounts wait for each other', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const a = await bed.addUser('a');
    const b = await bed.addUser('b');
    await bed.rest();
    await bed.stop();
    await bed.changeUser(a, 'x');
    await bed.changeUser(b, 'a');
    await bed.changeUser(a, 'b');
    // Both renames are answered "taken" together, so both results are written down in one step.
    bed.fake.misbehave({ when: { method: 'PATCH' }, times: 2, act: { kind: 'hold', applied: false } });
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 2, { stepMs: 1, what: 'both renames on their way' });
    const from = bed.clock.now();
    await bed.fake.release();
    await bed.rest();
    await bed.assertAgrees();
    assert.ok(bed.clock.now() - from < 10_000, `${bed.clock.now() - from} ms until both had their names`);
  });
});
