import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFound, explore } from './explorer/explore.ts';

// The same seeds every time: a schedule that comes out wrong is printed, as short as it goes, and can be run again by
// its seed. Others: `npm run sweep -- explore N --seed S`. On PostgreSQL: `explorer-on-postgres.test.ts`.

const count = 500;

describe('schedule explorer (sqlite)', () => {
  for (const seed of [1, 501, 1_001, 1_501]) {
    it(`comes to rest right in ${count} random schedules from seed ${seed}`, async () => {
      const explored = await explore({ count, seed, database: 'sqlite' });
      assert.equal(explored.wrong.length, 0, explored.wrong.map(describeFound).join('\n'));
      assert.equal(explored.schedules, count);
      assert.ok(explored.attempts > 3 * count, `the schedules did something: ${explored.attempts} attempts`);
    });
  }
});
