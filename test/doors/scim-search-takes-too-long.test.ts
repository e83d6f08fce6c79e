import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { fillDirectory } from '../directory/many-people.ts';
import { openScimBed } from './scim-bed.ts';

eachDatabase('a search that takes too long', (beds) => {
  it('is refused, and what an index answers is not', async () => {
    const store = await beds.open();
    await fillDirectory(store, 3_000);
    await using bed = await openScimBed(store, { searchMs: 1 });
    const wide = await bed.call('GET', '/Users?filter=title%20co%20"Seventh"');
    assert.equal(wide.status, 400);
    assert.equal(wide.body.scimType, 'tooMany');
    assert.match(wide.body.detail, /No index answers this search.*Narrow it/);
    const narrow = await bed.call('GET', '/Users?filter=userName%20eq%20"name000007"');
    assert.deepEqual([narrow.status, narrow.body.totalResults], [200, 1]);
  });
});
