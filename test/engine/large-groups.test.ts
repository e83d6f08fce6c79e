import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { createGroup } from '../../src/directory/groups.ts';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { groupType, userType } from '../../src/protocol/scim/schema.ts';
import { planStep } from '../../src/provisioning/plan.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const policy = { timeoutMs: 1_000, settleMs: 200, concurrency: 16, membersPerRequest: 400 };
const count = 1_200;

/** So many users that are at the target already, in few transactions. */
async function addCrowd(bed: EngineBed): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 200) {
    await bed.store.write(async (tx) => {
      for (let n = from; n < from + 200; n++) {
        const body = { schemas: [userType.schema.id], userName: `p${n}` };
        ids.push((await createUser(tx, readResource(userType, body), { origin: bed.resident })).id);
      }
    });
  }
  bed.store.signal('changes');
  await bed.rest();
  return ids;
}

async function addLargeGroup(bed: EngineBed, members: readonly string[]): Promise<string> {
  const body = {
    schemas: [groupType.schema.id],
    displayName: 'crowd',
    members: members.map((value) => ({ value })),
  };
  const made = await bed.store.write((tx) => createGroup(tx, readResource(groupType, body), { origin: bed.resident }));
  return made.id;
}

eachDatabase('a group larger than one step of planning', (database) => {
  it('is noted in steps, whatever becomes of it between them, and comes out whole', async () => {
    await using bed = await openEngineBed(database, { policy, fake: { membersPerPatch: 400 } });
    await bed.start();
    const people = await addCrowd(bed);
    await bed.stop();
    const { key, outbound, store } = bed;
    const book = await store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
    const group = await addLargeGroup(bed, people.slice(0, 1_190));
    const noted = async () => (await store.read((r) => r.all(r.q.selectFrom('links').select('member_id')))).length;
    // The first step plans the creation and notes some members; between the steps members come, go and leave.
    await planStep(store, book);
    const first = await noted();
    assert.ok(first > 0 && first < 1_190, `${first} of 1,190 in one transaction`);
    const sorted = [...people].sort();
    await bed.addMember(group, people[1_195]!);
    await bed.removeMember(group, sorted[3]!);
    await bed.removeMember(group, sorted[1_100]!);
    await planStep(store, book);
    await bed.removeUser(sorted[5]!);
    await bed.removeUser(sorted[1_050]!);
    await bed.addMember(group, sorted[3]!);
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(await noted(), 0);
    assert.deepEqual(await store.read((r) => r.all(r.q.selectFrom('wakes').selectAll())), []);
  });

  it('goes again with all its members when the target lost it, and empties when everybody leaves', async () => {
    await using bed = await openEngineBed(database, { policy, fake: { membersPerPatch: 400 } });
    await bed.start();
    const people = await addCrowd(bed);
    const group = await addLargeGroup(bed, people);
    bed.store.signal('changes');
    await bed.rest();
    await bed.removeThere('groups', (await bed.account(group))!.remote_id!);
    await bed.renameGroup(group, 'crowd again', people);
    await bed.rest();
    await bed.assertAgrees();
    await bed.renameGroup(group, 'crowd again', []);
    // Some of those that leave the group leave altogether: their removals are forgotten with them.
    for (const id of people.slice(0, 20)) await bed.removeUser(id);
    await bed.rest();
    await bed.assertAgrees();
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll())), []);
  });
});
