import assert from 'node:assert/strict';
import { it } from 'node:test';
import { entraCollection, hasEntraCollection, runEntra } from '../conformance/entra.ts';
import { entraExceptions } from '../conformance/entra-exceptions.ts';
import { eachDatabase } from '../database.ts';
import { startWholeServer } from '../whole-server.ts';

const absent = hasEntraCollection() ? false : `there is no collection at ${entraCollection}`;
if (absent) console.log(`skipped: ${absent}`);

eachDatabase('the Entra collection', (database) => {
  it('passes, but for the requests that are not SCIM as the RFCs have it', { skip: absent }, async () => {
    await using server = await startWholeServer(database);
    const requests = await runEntra(entraCollection, `${server.url}/scim2`, server.token);
    assert.ok(requests.length > 70, `only ${requests.length} requests were sent`);
    const failed = requests.filter(({ failures }) => failures.length > 0);
    const unexpected = failed.filter(({ name }) => !(name in entraExceptions));
    assert.deepEqual(unexpected, []);
    assert.deepEqual(failed.map(({ name }) => name).sort(), Object.keys(entraExceptions).sort());
  });
});
