import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plagueKinds } from './sweep/plague.ts';
import { sweepFaults } from './sweep/sweep.ts';

// A part of the sweep; the whole: `npm run sweep -- faults --database postgres`.

const every = 599;

describe('fault sweep (postgres)', () => {
  it(`gets through every kind of fault at every ${every}th place`, async () => {
    const swept = await sweepFaults({ database: 'postgres', every });
    assert.deepEqual(swept.wrong, []);
    assert.ok(swept.faults >= plagueKinds.length, `only ${swept.faults} faults struck`);
  });
});
