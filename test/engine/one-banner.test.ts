import assert from 'node:assert/strict';
import { it } from 'node:test';
import { listBanners } from '../../src/provisioning/banners.ts';
import { listHeldLanes } from '../../src/provisioning/inspect.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

// Engine rule 26: what concerns everybody is told once.

eachDatabase('credentials that are refused', (database) => {
  it('are one banner with all who wait behind it, and gone when it is over', async () => {
    await using bed = await openEngineBed(database, { policy: { timeoutMs: 1_000, settleMs: 200 } });
    bed.fake.misbehave({
      when: { on: ['users', 'groups'] },
      times: Number.POSITIVE_INFINITY,
      act: { kind: 'answer', status: 401, body: {} },
    });
    const people: string[] = [];
    for (let n = 0; n < 40; n++) people.push(await bed.addUser(`p${n}`));
    await bed.addGroup('team', people);
    const banners = () => bed.store.read(async (reading) => listBanners(reading, await listHeldLanes(reading)));
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.lanes()).filter((lane) => lane.hold !== null).length === 2, {
      what: 'both lanes being held',
    });
    await bed.pass(5_000);
    const told = await banners();
    assert.equal(told.length, 1, JSON.stringify(told));
    const [banner] = told;
    assert.deepEqual(banner!.kinds.toSorted(), ['group', 'user']);
    assert.equal(banner!.waiting, 41);
    assert.match(banner!.reason, /401.*credentials were not accepted/);
    assert.ok(banner!.nextTryAt !== null && !banner!.throttled);
    assert.deepEqual(
      (await bed.accounts()).filter((row) => row.state === 'parked'),
      [],
    );
    bed.fake.heal();
    await bed.rest();
    assert.deepEqual(await banners(), []);
    await bed.assertAgrees();
  });
});
