import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deleteGroup, patchGroup, replaceGroup } from '../../src/directory/groups.ts';
import { areMembers, listGroupsOf, listMembers, readMembers } from '../../src/directory/memberships.ts';
import { readPresent } from '../../src/directory/subjects.ts';
import { deleteUser } from '../../src/directory/users.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { changesAfter, groupBody, groupPatch, latestSeq, makeGroup, makeUser, origin } from './directory-fixtures.ts';

async function makeUsers(store: Store, count: number): Promise<string[]> {
  const made = await Promise.all(Array.from({ length: count }, (_, i) => makeUser(store, { userName: `user${i}` })));
  return made.map((user) => user.id).sort();
}

function membersOf(store: Store, groupId: string): Promise<string[]> {
  return store.read(async (reading) => (await listMembers(reading, groupId, { limit: 1000 })).map(({ id }) => id));
}

eachDatabase('writing groups', (bed) => {
  const patch = (store: Store, id: string, ...operations: object[]) =>
    store.write((tx) => patchGroup(tx, id, groupPatch(...operations), { origin }));

  it('creation and deletion append one change each, memberships one per member that came or left', async () => {
    const store = await bed.open();
    const [a, b, c] = (await makeUsers(store, 3)) as [string, string, string];
    let seq = await latestSeq(store);
    const group = await makeGroup(store, 'Team', [a, b]);
    assert.deepEqual(await changesAfter(store, seq), [[group.id, null, 2]]);

    seq = await latestSeq(store);
    const after = await patch(
      store,
      group.id,
      { op: 'add', path: 'members', value: [{ value: b }, { value: c }] },
      { op: 'remove', path: `members[value eq "${a}"]` },
    );
    assert.deepEqual(
      (await changesAfter(store, seq)).sort(),
      [
        [group.id, a, 1],
        [group.id, c, 1],
      ].sort(),
    );
    assert.equal(after.version, 2);
    assert.equal(after.seq, await latestSeq(store));
    assert.deepEqual(await store.read((reading) => readPresent(reading, 'group', group.id)), after);
    assert.deepEqual(await membersOf(store, group.id), [b, c].sort());

    seq = await latestSeq(store);
    await store.write((tx) => deleteGroup(tx, group.id, { origin }));
    assert.deepEqual(await changesAfter(store, seq), [[group.id, null, 0]]);
    assert.deepEqual(await membersOf(store, group.id), []);
  });

  it('operations count in their order: what is added and removed again is not there', async () => {
    const store = await bed.open();
    const [a, b, c] = (await makeUsers(store, 3)) as [string, string, string];
    const group = await makeGroup(store, 'Team', [a]);
    await patch(
      store,
      group.id,
      { op: 'add', path: 'members', value: [{ value: b }] },
      { op: 'remove', path: 'members', value: [{ value: b }] },
    );
    assert.deepEqual(await membersOf(store, group.id), [a]);
    await patch(
      store,
      group.id,
      { op: 'remove', path: 'members' },
      { op: 'add', path: 'members', value: [{ value: c }] },
      { op: 'replace', path: 'displayName', value: 'Crew' },
    );
    assert.deepEqual(await membersOf(store, group.id), [c]);
    assert.equal((await store.read((reading) => readPresent(reading, 'group', group.id)))?.fullName, 'Crew');
    const seq = await latestSeq(store);
    const same = await patch(
      store,
      group.id,
      { op: 'add', path: 'members', value: [{ value: c }] },
      { op: 'remove', path: `members[value eq "${a}"]` },
      { op: 'replace', path: 'displayName', value: 'Crew' },
    );
    assert.deepEqual(await changesAfter(store, seq), []);
    assert.equal(same.version, 2);
  });

  it('members chosen by something else than their id are found too', async () => {
    const store = await bed.open();
    const [a, b] = (await makeUsers(store, 2)) as [string, string];
    const inner = await makeGroup(store, 'Inner');
    const group = await makeGroup(store, 'Team', [a, b, inner.id]);
    await patch(store, group.id, { op: 'remove', path: 'members[type eq "User"]' });
    assert.deepEqual(await membersOf(store, group.id), [inner.id]);
  });

  it('a replace says the whole: who is not named leaves', async () => {
    const store = await bed.open();
    const [a, b, c] = (await makeUsers(store, 3)) as [string, string, string];
    const group = await makeGroup(store, 'Team', [a, b]);
    const seq = await latestSeq(store);
    const body = groupBody({ displayName: 'Team', members: [{ value: b }, { value: c }] });
    await store.write((tx) => replaceGroup(tx, group.id, body, { origin }));
    assert.deepEqual(await membersOf(store, group.id), [b, c].sort());
    assert.equal((await changesAfter(store, seq)).length, 2);
    const again = await store.write((tx) => replaceGroup(tx, group.id, body, { origin }));
    assert.deepEqual([again.version, (await changesAfter(store, seq)).length], [2, 2]);
    await store.write((tx) => replaceGroup(tx, group.id, groupBody({ displayName: 'Team' }), { origin }));
    assert.deepEqual(await membersOf(store, group.id), []);
  });

  it('a member must be there and live, and no group holds itself', async () => {
    const store = await bed.open();
    const [a, gone] = (await makeUsers(store, 2)) as [string, string];
    await store.write((tx) => deleteUser(tx, gone, { origin }));
    const group = await makeGroup(store, 'Team', [a]);
    const seq = await latestSeq(store);
    for (const id of [gone, 'no-such-id', group.id]) {
      const refusal = { code: 'invalidValue', field: 'members' };
      await assert.rejects(patch(store, group.id, { op: 'add', path: 'members', value: [{ value: id }] }), refusal);
      const body = groupBody({ displayName: 'Team', members: [{ value: id }] });
      await assert.rejects(
        store.write((tx) => replaceGroup(tx, group.id, body, { origin })),
        refusal,
      );
    }
    await assert.rejects(makeGroup(store, 'Other', ['no-such-id']), { code: 'invalidValue', message: /no-such-id/ });
    assert.deepEqual(await membersOf(store, group.id), [a]);
    assert.deepEqual(await changesAfter(store, seq), []);
  });

  it('groups hold groups, in a circle too, and a deleted one leaves those that held it', async () => {
    const store = await bed.open();
    const outer = await makeGroup(store, 'Outer');
    const inner = await makeGroup(store, 'Inner', [outer.id]);
    await patch(store, outer.id, { op: 'add', path: 'members', value: [{ value: inner.id }] });
    const seq = await latestSeq(store);
    await store.write((tx) => deleteGroup(tx, inner.id, { origin }));
    assert.deepEqual(await changesAfter(store, seq), [
      [inner.id, null, 0],
      [outer.id, inner.id, 1],
    ]);
    assert.deepEqual(await membersOf(store, outer.id), []);
    assert.deepEqual(await store.read((reading) => listGroupsOf(reading, [outer.id])), []);
  });

  it('the name of a group is unique without case, apart from the names of users', async () => {
    const store = await bed.open();
    await makeUser(store, { userName: 'team' });
    const team = await makeGroup(store, 'Team');
    await assert.rejects(makeGroup(store, 'TEAM'), { code: 'uniqueness', field: 'displayName' });
    const other = await makeGroup(store, 'Other');
    await assert.rejects(patch(store, other.id, { op: 'replace', path: 'displayName', value: 'team' }), {
      code: 'uniqueness',
    });
    await patch(store, team.id, { op: 'replace', path: 'displayName', value: 'TEAM' });
    await assert.rejects(makeGroup(store, 'NOWHERE/x'), { code: 'invalidValue', field: 'displayName' });
  });

  it('questions about memberships are answered in batches', async () => {
    const store = await bed.open();
    const ids = await makeUsers(store, 5);
    const group = await makeGroup(store, 'Team', ids.slice(0, 4));
    const page = await store.read((reading) => listMembers(reading, group.id, { after: ids[1]!, limit: 1 }));
    assert.deepEqual(page, [{ id: ids[2], kind: 'user' }]);
    const found = await store.read((reading) =>
      areMembers(
        reading,
        ids.slice(3).map((memberId) => ({ groupId: group.id, memberId })),
      ),
    );
    assert.deepEqual(found, new Set([`${group.id} ${ids[3]}`]));
    const held = await store.read((reading) => listGroupsOf(reading, [ids[0]!, ids[4]!, ids[0]!]));
    assert.deepEqual(held, [{ groupId: group.id, memberId: ids[0] }]);
    const shown = (await store.read((reading) => readMembers(reading, [group.id]))).get(group.id)!;
    assert.equal(shown.length, 4);
    assert.match(shown[0]!.display, /^user\d$/);
  });

  it('a deletion and an addition at the same time never leave a member that is gone', async () => {
    const store = await bed.open();
    const ids = await makeUsers(store, 12);
    const groups = await Promise.all(['G1', 'G2', 'G3'].map((name) => makeGroup(store, name)));
    await Promise.allSettled(
      ids.flatMap((id) => [
        ...groups.map((group) => patch(store, group.id, { op: 'add', path: 'members', value: [{ value: id }] })),
        store.write((tx) => deleteUser(tx, id, { origin })),
      ]),
    );
    for (const group of groups) assert.deepEqual(await membersOf(store, group.id), []);
  });

  it('one membership costs the same in a large group: nobody else is read', async () => {
    const statements: string[] = [];
    const store = await bed.open({ onStatement: (sql) => void statements.push(sql) });
    const ids = await makeUsers(store, 60);
    const small = await makeGroup(store, 'Small', [ids[0]!]);
    const large = await makeGroup(store, 'Large', ids.slice(1));
    const add = async (id: string) => {
      statements.length = 0;
      await patch(store, id, { op: 'add', path: 'members', value: [{ value: ids[0]! }] });
      return statements.filter((sql) => /members/.test(sql));
    };
    await patch(store, small.id, { op: 'remove', path: 'members' });
    assert.deepEqual(await add(large.id), await add(small.id));
    for (const sql of await add(small.id)) assert.doesNotMatch(sql, /select m?\.?member_id from members/);
  });
});
