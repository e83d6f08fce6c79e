import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plagueKinds } from './sweep/plague.ts';
import { openSweepGround, sweepFaults } from './sweep/sweep.ts';

// A part of the sweep; the whole: `node test/engine/sweep/run.ts faults --database sqlite|postgres`.

const bounds = [
  { database: 'sqlite', every: 47 },
  { database: 'postgres', every: 397 },
] as const;

describe('fault sweep', () => {
  for (const { database, every } of bounds) {
    it(`gets through every kind of fault at every ${every}th place (${database})`, async () => {
      const swept = await sweepFaults({ database, every });
      assert.deepEqual(swept.wrong, []);
      assert.ok(swept.faults >= plagueKinds.length, `only ${swept.faults} faults struck`);
    });
  }

  it('has something to sweep: the scenario takes many statements and exchanges', async () => {
    const ground = await openSweepGround('sqlite');
    try {
      const untouched = await ground.play(undefined);
      assert.deepEqual(untouched.faults, []);
      assert.ok(untouched.statements > 500 && untouched.exchanges > 20, JSON.stringify(untouched));
    } finally {
      await ground.close();
    }
  });
});
