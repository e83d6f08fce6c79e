import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { addTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('an engine with nothing to do', (database) => {
  it('reads twice a second and writes nothing, however many targets there are', async () => {
    const said: string[] = [];
    await using bed = await openEngineBed(database, { onStatement: (sql) => said.push(sql) });
    await using targets = new AsyncDisposableStack();
    for (let n = 0; n < 20; n++) targets.use(await addTarget(bed, `partner${n}`));
    await bed.addUser('ada');
    await bed.start();
    await bed.rest();
    await bed.pass(2_000);
    said.length = 0;
    await bed.pass(10_000);
    assert.deepEqual(
      said.filter((sql) => !/^\s*(select|with)/i.test(sql)),
      [],
    );
    assert.ok(
      said.length >= 10 && said.length <= 22,
      [`${said.length} statements in ten seconds`, ...new Set(said)].join('\n'),
    );
  });

  it('leaves a held lane alone until its next probe', async () => {
    const said: string[] = [];
    await using bed = await openEngineBed(database, { onStatement: (sql) => said.push(sql) });
    bed.fake.misbehave({
      when: { on: 'users' },
      times: Number.POSITIVE_INFINITY,
      act: { kind: 'answer', status: 401, body: {} },
    });
    await bed.addUser('ada');
    await bed.start();
    // While a probe is under way the lane waits for the end of its lease, which is further off.
    const isFarOff = async () =>
      (await bed.lanes()).some((lane) => {
        const wait = (lane.probe_at ?? 0) - bed.clock.now();
        return wait > 6_000 && wait < 30_000;
      });
    await bed.clock.runUntil(isFarOff, { what: 'a probe that is six seconds off' });
    await bed.pass(500);
    said.length = 0;
    await bed.pass(5_000);
    assert.deepEqual(
      said.filter((sql) => !/^\s*(select|with)/i.test(sql)),
      [],
    );
    const heard = bed.fake.requests.length;
    await bed.pass(62_000);
    assert.ok(bed.fake.requests.length > heard, 'and then it is probed');
  });
});
