import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFound, explore } from './explorer/explore.ts';

// As `explorer.test.ts`, where transactions of two nodes meet. Others: `npm run sweep -- explore N --database postgres`.

const count = 200;

describe('schedule explorer (postgres)', () => {
  it(`comes to rest right in ${count} random schedules`, async () => {
    const explored = await explore({ count, seed: 1, database: 'postgres' });
    assert.equal(explored.wrong.length, 0, explored.wrong.map(describeFound).join('\n'));
    assert.equal(explored.schedules, count);
    assert.ok(explored.attempts > 3 * count, `the schedules did something: ${explored.attempts} attempts`);
  });
});
