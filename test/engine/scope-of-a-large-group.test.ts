import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { createGroup } from '../../src/directory/groups.ts';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { groupType, userType } from '../../src/protocol/scim/schema.ts';
import { planStep } from '../../src/provisioning/plan.ts';
import { openTargetBook, type TargetBook } from '../../src/provisioning/target-book.ts';
import { eachDatabase, oneDatabase } from '../database.ts';
import { startAnotherNode } from './another-node.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const policy = { timeoutMs: 1_000, settleMs: 200, concurrency: 64, scopeUsers: 'groups.display eq "staff"' };
/** What one transaction of the planner may make due at most; the wire takes it from there. */
const mostPerStep = 200;

/** So many users, in few transactions, in the order of their ids. */
async function addCrowd(bed: EngineBed, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 200) {
    await bed.store.write(async (tx) => {
      for (let n = from; n < Math.min(count, from + 200); n++) {
        const body = { schemas: [userType.schema.id], userName: `p${n}` };
        ids.push((await createUser(tx, readResource(userType, body), { origin: bed.resident })).id);
      }
    });
  }
  return ids.sort();
}

async function addLargeGroup(bed: EngineBed, displayName: string, members: readonly string[]): Promise<string> {
  const body = { schemas: [groupType.schema.id], displayName, members: members.map((value) => ({ value })) };
  const made = await bed.store.write((tx) => createGroup(tx, readResource(groupType, body), { origin: bed.resident }));
  return made.id;
}

async function openBook(bed: EngineBed): Promise<TargetBook> {
  const { key, outbound, store } = bed;
  return store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
}

const dueUsers = async (bed: EngineBed) =>
  (await bed.accounts()).filter((row) => row.kind === 'user' && row.wanted > row.done);

/** Plans until nothing is left; answers how many users each transaction made due. */
async function planAll(bed: EngineBed, book: TargetBook): Promise<number[]> {
  const made: number[] = [];
  let before = (await dueUsers(bed)).length;
  for (;;) {
    const taken = await planStep(bed.store, book);
    if (taken === 0) return made;
    assert.notEqual(taken, 'outdated');
    const after = (await dueUsers(bed)).length;
    if (after !== before) made.push(after - before);
    before = after;
  }
}

async function forgetAccounts(bed: EngineBed): Promise<void> {
  await bed.store.write((tx) => tx.all(tx.q.deleteFrom('accounts').where('kind', '=', 'user')));
}

eachDatabase('a scope that reads a large group', (database) => {
  it('looks at 2,000 people of a nested group step by step, never all in one transaction', async () => {
    await using bed = await openEngineBed(database, { policy });
    const book = await openBook(bed);
    const people = await addCrowd(bed, 2_000);
    const crowd = await addLargeGroup(bed, 'crowd', people);
    const wing = await addLargeGroup(bed, 'wing', [crowd]);
    const staff = await addLargeGroup(bed, 'staff', []);
    await planAll(bed, book);
    assert.equal((await dueUsers(bed)).length, 0);

    for (const [what, act] of [
      ['the group comes to a group', () => bed.addMember(staff, wing)],
      [
        'the group around it is renamed',
        async () => {
          await bed.removeMember(staff, wing);
          await planAll(bed, book);
          await forgetAccounts(bed);
          await bed.renameGroup(wing, 'staff of old', [crowd]);
          await planAll(bed, book);
          assert.equal((await dueUsers(bed)).length, 0);
          await bed.removeGroup(staff);
          await bed.renameGroup(wing, 'staff', [crowd]);
        },
      ],
    ] as const) {
      await act();
      const made = await planAll(bed, book);
      assert.equal((await dueUsers(bed)).length, 2_000, what);
      assert.ok(made.length >= 2_000 / mostPerStep, `${what}: ${made.length} transactions`);
      assert.ok(Math.max(...made) <= mostPerStep, `${what}: ${Math.max(...made)} people in one transaction`);
    }
    // Everybody is out of it again when the group is deleted, and what was kept of it is forgotten.
    await bed.store.write((tx) => tx.all(tx.q.updateTable('accounts').set({ wanted: 1, done: 1, due_at: null })));
    await bed.removeGroup(wing);
    const made = await planAll(bed, book);
    const due = await dueUsers(bed);
    assert.deepEqual([due.length, new Set(due.map((row) => row.urgency))], [2_000, new Set([0])]);
    assert.ok(Math.max(...made) <= mostPerStep);
    for (const table of ['descents', 'former_members'] as const) {
      assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom(table).selectAll())), [], table);
    }
  });

  it('a request that finds the group half looked through comes round to where it was', async () => {
    await using bed = await openEngineBed(database, { policy });
    const book = await openBook(bed);
    const people = await addCrowd(bed, 1_000);
    const crowd = await addLargeGroup(bed, 'crowd', people);
    const staff = await addLargeGroup(bed, 'staff', []);
    await planAll(bed, book);
    await bed.addMember(staff, crowd);
    // Half of them are let in …
    while ((await dueUsers(bed)).length < 500) await planStep(bed.store, book);
    // … when the group leaves again, comes back, and leaves, each in the middle of looking.
    for (const act of [bed.removeMember, bed.addMember, bed.removeMember, bed.addMember]) {
      await act(staff, crowd);
      await planStep(bed.store, book);
      await planStep(bed.store, book);
    }
    const rows = await bed.store.read((r) => r.all(r.q.selectFrom('descents').selectAll()));
    assert.ok(
      rows.some((row) => row.cursor !== null && row.stop !== null),
      'it is on its way round',
    );
    await planAll(bed, book);
    assert.equal((await dueUsers(bed)).length, 1_000);
  });

  it('people come, go and move between the steps, and everybody comes out right', async () => {
    await using bed = await openEngineBed(database, { policy });
    const book = await openBook(bed);
    const people = await addCrowd(bed, 700);
    const crowd = await addLargeGroup(bed, 'crowd', people.slice(0, 600));
    const side = await addLargeGroup(bed, 'side', people.slice(600, 650));
    const staff = await addLargeGroup(bed, 'staff', [crowd]);
    await planStep(bed.store, book);
    await bed.removeMember(crowd, people[1]!);
    await bed.removeMember(crowd, people[590]!);
    await bed.addMember(crowd, people[699]!);
    await bed.addMember(crowd, side);
    await planStep(bed.store, book);
    await bed.removeUser(people[0]!);
    await bed.removeUser(people[580]!);
    await bed.removeMember(side, people[649]!);
    await bed.start();
    await bed.rest();
    const inside = (n: number) => ![0, 1, 580, 590, 649].includes(n) && (n < 650 || n === 699);
    const wanted = people.filter((_, n) => inside(n)).sort();
    assert.deepEqual([...bed.fake.users.values()].map((user) => String(user.externalId)).sort(), wanted);
    assert.deepEqual(bed.fake.faults, []);
    await bed.removeGroup(staff);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
  });

  it('goes on where it was after the process is killed between the steps', async () => {
    let kill = Number.POSITIVE_INFINITY;
    await using bed = await openEngineBed(database, {
      policy,
      onStatement: () => {
        if (--kill <= 0) throw new Error('killed');
      },
    });
    const book = await openBook(bed);
    const people = await addCrowd(bed, 600);
    const crowd = await addLargeGroup(bed, 'crowd', people);
    const staff = await addLargeGroup(bed, 'staff', []);
    await planAll(bed, book);
    await bed.addMember(staff, crowd);
    // Each step dies at another statement, then again at none.
    for (let n = 1; n <= 60; n++) {
      kill = n;
      await planStep(bed.store, book).catch((error: Error) => assert.match(error.message, /killed/));
      kill = Number.POSITIVE_INFINITY;
    }
    await bed.removeGroup(staff);
    for (let n = 1; n <= 60; n += 3) {
      kill = n;
      await planStep(bed.store, book).catch((error: Error) => assert.match(error.message, /killed/));
      kill = Number.POSITIVE_INFINITY;
    }
    await planAll(bed, book);
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
    assert.deepEqual(
      (await bed.accounts()).filter((row) => row.kind === 'user'),
      [],
    );
  });

  it('what is left of deleted groups is forgotten in steps also where no scope reads groups', async () => {
    await using bed = await openEngineBed(database, { policy: { timeoutMs: 1_000, settleMs: 200 } });
    const people = await addCrowd(bed, 300);
    const inner = await addLargeGroup(bed, 'inner', people);
    const outer = await addLargeGroup(bed, 'outer', [inner, ...people]);
    await resetTarget(bed, { enabled: false, policy: { timeoutMs: 1_000, settleMs: 200 } });
    const book = await openBook(bed);
    await planAll(bed, book);
    await bed.removeGroup(outer);
    await planAll(bed, book);
    for (const table of ['descents', 'former_members'] as const) {
      assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom(table).selectAll())), [], table);
    }
  });
});

// Only a database with many nodes has more than one engine.
oneDatabase('postgres', 'two nodes and a scope that reads groups', (database) => {
  it('plan one descent between them, and agree with the directory whatever happens meanwhile', async () => {
    await using bed = await openEngineBed(database, { policy });
    const people = await addCrowd(bed, 400);
    const teams: string[] = [];
    for (let n = 0; n < 8; n++) teams.push(await addLargeGroup(bed, `team ${n}`, people.slice(n * 50, n * 50 + 50)));
    const wing = await addLargeGroup(bed, 'wing', teams);
    await bed.start();
    await using other = await startAnotherNode(database, bed);
    const both = async () => {
      await bed.rest();
      await bed.clock.runUntil(() => !other.engine.busy, { stepMs: 20 });
      await bed.rest();
    };
    const staff = await addLargeGroup(bed, 'staff', [wing]);
    for (let n = 0; n < 8; n++) {
      if (n % 2 === 0) await bed.removeMember(wing, teams[n]!);
      else await bed.removeMember(teams[n]!, people[n * 50]!);
      await bed.clock.advance(10);
    }
    await both();
    const wanted = people.filter((_, n) => Math.floor(n / 50) % 2 === 1 && n % 50 !== 0).sort();
    assert.deepEqual([...bed.fake.users.values()].map((user) => String(user.externalId)).sort(), wanted);
    await Promise.all([bed.removeGroup(staff), bed.addMember(wing, teams[0]!)]);
    await both();
    assert.equal(bed.fake.users.size, 0);
    assert.deepEqual(
      (await bed.accounts()).filter((row) => row.kind === 'user'),
      [],
    );
    assert.deepEqual(bed.fake.faults, []);
  });
});
