import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFound, explore } from './explorer/explore.ts';

// The same seeds every time: a schedule that comes out wrong is printed, as short as it goes, and can be run again by
// its seed. Other seeds: `node test/engine/explorer/run.ts explore N --seed S --database sqlite|postgres`.

const bounds = [
  { database: 'sqlite', count: 2_000 },
  { database: 'postgres', count: 200 },
] as const;

describe('schedule explorer', () => {
  for (const { database, count } of bounds) {
    it(`comes to rest right in ${count} random schedules (${database})`, async () => {
      const explored = await explore({ count, seed: 1, database });
      assert.equal(explored.wrong.length, 0, explored.wrong.map(describeFound).join('\n'));
      assert.equal(explored.schedules, count);
      assert.ok(explored.attempts > 3 * count, `the schedules did something: ${explored.attempts} attempts`);
    });
  }
});
