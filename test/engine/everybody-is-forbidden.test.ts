import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

// Engine rule 26: a 403 is one account's matter or everybody's, and the lane sees which.

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };
const forbidden = { kind: 'answer', status: 403, body: { detail: 'no seats left' } } as const;

eachDatabase('a target that forbids', (database) => {
  it('everybody holds the lane; nobody is parked, and all go once it lets them', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const before = await bed.addUser('before');
    await bed.start();
    await bed.rest();
    bed.fake.misbehave({ when: { method: ['POST', 'PATCH'] }, times: Number.POSITIVE_INFINITY, act: forbidden });
    await bed.changeUser(before, 'before', { title: 'changed' });
    for (let n = 0; n < 40; n++) await bed.addUser(`p${n}`);
    await bed.pass(60_000);
    const [lane] = (await bed.lanes()).filter((one) => one.kind === 'user');
    assert.match(lane?.hold ?? '', /every delivery is forbidden: .*no seats left/);
    const parked = (await bed.accounts()).filter((row) => row.state === 'parked');
    assert.ok(parked.length <= 1, `${parked.length} are parked`);
    const asked = bed.fake.requests.length;
    await bed.pass(120_000);
    assert.ok(bed.fake.requests.length - asked <= 8, `${bed.fake.requests.length - asked} requests in two minutes`);
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
  });

  it('creations alone still takes the removal of a leaver, first of all', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const leaver = await bed.addUser('leaver');
    await bed.start();
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'POST' }, times: Number.POSITIVE_INFINITY, act: forbidden });
    for (let n = 0; n < 30; n++) await bed.addUser(`p${n}`);
    await bed.pass(60_000);
    await bed.removeUser(leaver);
    await bed.pass(70_000);
    assert.equal(bed.fake.users.size, 0, 'the leaver is still there');
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
  });

  it('one person parks that one and holds nobody', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const isEve = (request: { text?: string; body?: unknown }) => JSON.stringify(request.body ?? '').includes('eve');
    bed.fake.misbehave({
      when: { method: 'POST', that: (request) => isEve(request as never) },
      times: Number.POSITIVE_INFINITY,
      act: forbidden,
    });
    const eve = await bed.addUser('eve');
    for (let n = 0; n < 12; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(eve))?.state, 'parked');
    assert.equal(bed.fake.users.size, 12);
    assert.ok((await bed.lanes()).every((lane) => lane.hold === null));
  });
});
