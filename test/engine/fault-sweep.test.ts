import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plagueKinds } from './sweep/plague.ts';
import { openSweepGround, sweepFaults } from './sweep/sweep.ts';

// A part of the sweep; the whole: `npm run sweep -- faults`. On PostgreSQL: `fault-sweep-on-postgres.test.ts`.

const every = 71;

describe('fault sweep (sqlite)', () => {
  it(`gets through every kind of fault at every ${every}th place`, async () => {
    const swept = await sweepFaults({ database: 'sqlite', every });
    assert.deepEqual(swept.wrong, []);
    assert.ok(swept.faults >= plagueKinds.length, `only ${swept.faults} faults struck`);
  });

  it('has something to sweep: the scenario takes many statements and exchanges', async () => {
    const ground = await openSweepGround('sqlite');
    try {
      const untouched = await ground.play();
      assert.deepEqual(untouched.faults, []);
      assert.ok(untouched.statements > 500 && untouched.exchanges > 20, JSON.stringify(untouched));
    } finally {
      await ground.close();
    }
  });
});
