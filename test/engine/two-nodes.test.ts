import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { claimLane } from '../../src/provisioning/claim.ts';
import { planStep } from '../../src/provisioning/plan.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import type { Store, Tx } from '../../src/store/store.ts';
import { oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

// Only a database with many nodes has more than one engine.
oneDatabase('postgres', 'two nodes on one database', (database) => {
  it('share the work: nobody is made twice, nothing is said twice, groups of hundreds come out whole', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, membersPerRequest: 20 } });
    await bed.start();
    await using other = await startAnotherNode(database, bed);
    const both = async () => {
      await bed.rest();
      await bed.clock.runUntil(() => !other.engine.busy, { stepMs: 20 });
      await bed.rest();
    };
    const people: string[] = [];
    for (let n = 0; n < 150; n++) people.push(await bed.addUser(`p${n}`));
    const groups = [
      await bed.addGroup('all', people),
      await bed.addGroup(
        'even',
        people.filter((_, n) => n % 2 === 0),
      ),
      await bed.addGroup('none', []),
    ];
    await bed.addMember(groups[2]!, groups[0]!);
    await both();
    await bed.assertAgrees();
    const posts = bed.fake.requests.filter((request) => request.method === 'POST');
    assert.equal(posts.length, people.length + groups.length, 'one creation each');
    // Members come and go from both sides while both nodes deliver.
    for (let n = 0; n < 40; n++) {
      if (n % 3 === 0) await bed.removeUser(people[n]!);
      else if (n % 3 === 1) await bed.removeMember(groups[0]!, people[n]!);
      else await bed.addMember(groups[1]!, people[n]!);
      if (n % 7 === 0) await bed.clock.advance(15);
    }
    await both();
    await bed.assertAgrees();
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll())), []);
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
    const open = (await bed.attempts()).filter((attempt) => attempt.outcome === null);
    assert.deepEqual(open, [], 'every attempt has its end written down');
  });

  it('keep a held lane held for both: one probe at a time', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({
      times: Number.POSITIVE_INFINITY,
      when: { on: 'users' },
      act: { kind: 'answer', status: 401, body: {} },
    });
    for (let n = 0; n < 60; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await using other = await startAnotherNode(database, bed);
    await bed.pass(30_000);
    const heard = bed.fake.requests.length;
    await bed.pass(120_000);
    assert.ok(bed.fake.requests.length - heard <= 6, `${bed.fake.requests.length - heard} probes in two minutes`);
    bed.fake.heal();
    await bed.rest();
    await bed.clock.runUntil(() => !other.engine.busy, { stepMs: 20 });
    await bed.assertAgrees();
    assert.deepEqual([...new Set((await bed.accounts()).map((row) => row.state))], ['done']);
  });

  it('one stops in the middle and the other carries on', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    for (let n = 0; n < 80; n++) await bed.addUser(`p${n}`);
    await using other = await startAnotherNode(database, bed);
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.users.size > 20, { stepMs: 2 });
    await bed.stop();
    await bed.clock.runUntil(async () => (await bed.accounts()).every((row) => row.state === 'done'), {
      stepMs: 50,
      what: 'the one that is left',
    });
    await bed.assertAgrees();
    assert.equal(bed.fake.requests.filter((request) => request.method === 'POST').length, 80);
    await bed.clock.runUntil(() => !other.engine.busy, { stepMs: 20 });
  });

  it('a member that is claimed while its leaving is planned leaves no membership that waits for ever', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const { key, outbound, store, clock, targetId } = bed;
    const book = await store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
    const ada = await bed.addUser('ada');
    const group = await bed.addGroup('group', [ada]);
    await planStep(store, book);
    await bed.removeMember(group, ada);
    const second = await database.openAgain(store, { clock, time: 'clock' });
    let claimed = 0;
    // Another node claims the member directly after the planner has looked whether she has an account there.
    const slow: Store = {
      ...store,
      write: (work) =>
        store.write((tx) => {
          const watching: Tx = {
            ...tx,
            async run(statement, params) {
              const rows = await tx.run(statement, params);
              const text = statement.compileFor(tx.dialect, tx.q).sql;
              if (text.includes('insert into links') && claimed === 0) {
                claimed = (await claimLane(second, clock, book, { targetId, kind: 'user' }, 1)).claims.length;
              }
              return rows;
            },
          };
          return work(watching);
        }),
    };
    await planStep(slow, book);
    assert.equal(claimed, 1);
    await bed.start();
    await bed.rest();
    assert.deepEqual(await store.read((r) => r.all(r.q.selectFrom('links').selectAll())), []);
    await bed.assertAgrees();
  });

  it('a change that comes after a new binding is never planned by bindings of before', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, []));
    const { key, outbound, store } = bed;
    const book = await store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
    const second = await database.openAgain(store, { clock: bed.clock, time: 'clock' });
    let added: Promise<string> | undefined;
    // Directly after the planner has looked at the stamp, an administrator binds the target on another node, and then a
    // person is added there.
    const slow: Store = {
      ...store,
      write: (work) =>
        store.write((tx) => {
          const watching: Tx = {
            ...tx,
            async run(statement, params) {
              const rows = await tx.run(statement, params);
              if (added === undefined && Object.keys(params).length === 0) {
                added = second
                  .write((other) => replaceBindings(other, bed.resident.spId, [{ target: bed.targetId }]))
                  .then(() => bed.addUser('ada'));
                await Promise.race([added, new Promise((resolve) => setTimeout(resolve, 300))]);
              }
              return rows;
            },
          };
          return work(watching);
        }),
    };
    await planStep(slow, book);
    const ada = await added!;
    await bed.start();
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.assertAgrees();
  });
});
