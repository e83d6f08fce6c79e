import assert from 'node:assert/strict';
import { it } from 'node:test';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { addTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

// Only a database with many nodes has more than one engine.
oneDatabase('postgres', 'what is only forwarded, with two nodes on one database', (database) => {
  it('is made once at each target, and erased by whichever node finds that all have it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const origin = await bed.forwarder();
    await bed.store.write((tx) =>
      replaceBindings(tx, origin.spId, [{ target: bed.targetId }, { target: other.targetId }]),
    );
    bed.store.signal('targets');
    await bed.start();
    await using node = await startAnotherNode(database, bed);
    const both = async () => {
      await bed.rest();
      await bed.clock.runUntil(() => !node.engine.busy, { stepMs: 20 });
      await bed.rest();
    };
    const people: string[] = [];
    for (let n = 0; n < 60; n++) people.push(await bed.addUser(`p${n}`, { title: 'one' }, origin));
    const team = await bed.addGroup('team', people, origin);
    await both();
    for (let n = 0; n < 60; n++) {
      if (n % 3 === 0) await bed.removeUser(people[n]!);
      else await bed.changeUser(people[n]!, `p${n}`, { title: `t${n}` });
      if (n % 3 === 1) await bed.removeMember(team, people[n]!);
    }
    await both();
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
    for (const fake of [bed.fake, other.fake]) {
      assert.deepEqual(
        [...fake.users.values()].map((held) => `${held.userName} ${held.title}`).sort(),
        people.flatMap((_, n) => (n % 3 === 0 ? [] : [`p${n} t${n}`])).sort(),
      );
      assert.equal(fake.groupNamed('team')?.members.size, 20);
      assert.equal(fake.requests.filter((one) => one.method === 'POST' && one.on === 'users').length, 60, 'once each');
      assert.deepEqual(fake.faults, []);
    }
  });
});
