import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connectorKinds } from '../../src/connectors/index.ts';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { userType } from '../../src/protocol/scim/schema.ts';
import { planStep } from '../../src/provisioning/plan.ts';
import type { Nesting } from '../../src/provisioning/policy.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import { waveStep } from '../../src/provisioning/wave-step.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { listWaves } from './waves.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };
const flatten = { ...limits, nestedGroups: 'flatten' };

/** What every group at the target holds is what the directory says by this mode, and nothing is left to say. */
async function assertMembers(bed: EngineBed, nesting: Nesting): Promise<void> {
  const { members, groups, links, former, descents } = await bed.store.read(async (r) => ({
    members: await r.all(r.q.selectFrom('members').selectAll()),
    groups: await r.all(r.q.selectFrom('subjects').select('id').where('kind', '=', 'group').where('life', '=', 'live')),
    links: await r.all(r.q.selectFrom('links').selectAll()),
    former: await r.all(r.q.selectFrom('former_members').selectAll()),
    descents: await r.all(r.q.selectFrom('descents').selectAll()),
  }));
  const isGroup = new Set(groups.map((row) => row.id));
  const heldBy = new Map<string, string[]>();
  for (const row of members) heldBy.set(row.group_id, [...(heldBy.get(row.group_id) ?? []), row.member_id]);
  const remoteIds = new Map((await bed.accounts()).map((row) => [row.subject_id, row.remote_id]));
  for (const { id } of groups) {
    const held = new Set(heldBy.get(id));
    if (nesting === 'flatten') for (const one of held) for (const each of heldBy.get(one) ?? []) held.add(each);
    const named = [...held].filter((one) => nesting === 'native' || !isGroup.has(one));
    assert.deepEqual(
      bed.fake.membersOf(remoteIds.get(id)!),
      named.map((one) => remoteIds.get(one)!).sort(),
      `members of ${id}`,
    );
  }
  assert.deepEqual([links, former, descents], [[], [], []]);
  assert.deepEqual(bed.fake.faults, []);
}

const saidOfGroups = (bed: EngineBed, after: number) =>
  bed.fake.requests
    .filter((one) => one.n > after && one.on === 'groups' && one.method !== 'GET')
    .map((one) => one.method);

/** So many users, in few transactions. */
async function addCrowd(bed: EngineBed, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 250) {
    await bed.store.write(async (tx) => {
      for (let n = from; n < Math.min(count, from + 250); n++) {
        const body = { schemas: [userType.schema.id], userName: `p${n}` };
        ids.push((await createUser(tx, readResource(userType, body), { origin: bed.resident })).id);
      }
    });
  }
  bed.store.signal('changes');
  return ids;
}

async function openBook({ store, key, outbound }: EngineBed) {
  return store.read((reading) => openTargetBook(reading, { key, kinds: connectorKinds, outbound }));
}

async function planAll(bed: EngineBed): Promise<void> {
  const book = await openBook(bed);
  while ((await planStep(bed.store, book)) !== 0);
}

eachDatabase('groups in groups', (database) => {
  for (const nestedGroups of ['flatten', 'ignore'] as const) {
    it(`${nestedGroups}: through several groups and in circles, whatever comes and goes`, async () => {
      await using bed = await openEngineBed(database, { policy: { ...limits, nestedGroups } });
      await bed.start();
      const [ada, bob, cyd] = [await bed.addUser('ada'), await bed.addUser('bob'), await bed.addUser('cyd')];
      const inner = await bed.addGroup('inner', [ada]);
      const middle = await bed.addGroup('middle', [inner, bob]);
      const outer = await bed.addGroup('outer', [middle]);
      await bed.rest();
      await assertMembers(bed, nestedGroups);
      // A circle, then somebody at its far end, then the circle opens.
      await bed.addMember(inner, outer);
      await bed.addMember(middle, cyd);
      await bed.rest();
      await assertMembers(bed, nestedGroups);
      await bed.removeMember(middle, inner);
      await bed.removeMember(inner, ada);
      await bed.rest();
      await assertMembers(bed, nestedGroups);
      await bed.removeUser(cyd);
      await bed.removeGroup(middle);
      await bed.rest();
      await assertMembers(bed, nestedGroups);
    });
  }

  it('somebody who is in by two ways stays until the last is gone, and nothing is said of the first', async () => {
    await using bed = await openEngineBed(database, { policy: flatten });
    await bed.start();
    const ada = await bed.addUser('ada');
    const [left, right] = [await bed.addGroup('left', [ada]), await bed.addGroup('right', [ada])];
    const top = await bed.addGroup('top', [left, right, ada]);
    await bed.rest();
    const remote = (await bed.account(top))!.remote_id!;
    const heard = bed.fake.requests.length;
    await bed.removeMember(top, ada);
    await bed.rest();
    await bed.removeMember(top, left);
    await bed.rest();
    assert.deepEqual(saidOfGroups(bed, heard), []);
    assert.equal(bed.fake.membersOf(remote).length, 1);
    await bed.removeMember(right, ada);
    await bed.rest();
    assert.deepEqual(saidOfGroups(bed, heard), ['PATCH', 'PATCH'], 'one to each group that she was in by it');
    await assertMembers(bed, 'flatten');
  });

  it('whoever leaves a group just before that leaves another is taken out of the outer one', async () => {
    await using bed = await openEngineBed(database, { policy: flatten });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const inner = await bed.addGroup('inner', [ada, bob]);
    const middle = await bed.addGroup('middle', [inner]);
    const outer = await bed.addGroup('outer', [middle]);
    await bed.rest();
    await bed.stop();
    await bed.removeMember(inner, ada);
    await bed.removeMember(middle, inner);
    await bed.removeMember(outer, middle);
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'flatten');
    assert.deepEqual(bed.fake.membersOf((await bed.account(outer))!.remote_id!), []);
    // And where the group between is deleted, and the group itself.
    await bed.addMember(middle, inner);
    await bed.addMember(outer, middle);
    await bed.rest();
    await bed.stop();
    await bed.removeMember(inner, bob);
    await bed.removeGroup(inner);
    await bed.removeGroup(middle);
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'flatten');
  });

  it('sends the whole of a group to a target without PATCH', async () => {
    await using bed = await openEngineBed(database, { policy: flatten, fake: { patch: false } });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const inner = await bed.addGroup('inner', [ada]);
    await bed.addGroup('outer', [inner, bob]);
    await bed.rest();
    await assertMembers(bed, 'flatten');
    await bed.removeMember(inner, ada);
    await bed.rest();
    await assertMembers(bed, 'flatten');
  });

  it('a member that arrives late joins every group above', async () => {
    await using bed = await openEngineBed(database, { policy: flatten });
    const late = await bed.addUser('late');
    const inner = await bed.addGroup('inner', [late]);
    await bed.addGroup('outer', [inner]);
    bed.fake.misbehave({
      when: { method: 'POST', that: (request) => (request.body as { userName?: string }).userName === 'late' },
      times: 1,
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '60' }, body: {} },
    });
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'flatten');
  });

  it('keeps to what was put there, with membership-only', async () => {
    await using bed = await openEngineBed(database, { policy: { ...flatten, groups: 'membership-only' } });
    const stranger = bed.fake.seedUser({ schemas: [userType.schema.id], userName: 'stranger', active: true });
    const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'outer' };
    const outer = bed.fake.seedGroup(group, [stranger]);
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const inner = await bed.addGroup('inner', [ada, bob]);
    const top = await bed.addGroup('outer', [inner]);
    await bed.rest();
    assert.equal(bed.fake.membersOf(outer).length, 3);
    await bed.removeMember(inner, ada);
    await bed.rest();
    assert.equal(bed.fake.membersOf(outer).length, 2);
    await bed.removeGroup(top);
    await bed.rest();
    assert.deepEqual(bed.fake.membersOf(outer), [stranger]);
  });
});

eachDatabase('the nesting of groups changes', (database) => {
  it('to each mode and back, saying only what differs', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const [ada, bob, cyd] = [await bed.addUser('ada'), await bed.addUser('bob'), await bed.addUser('cyd')];
    const inner = await bed.addGroup('inner', [ada]);
    const flat = await bed.addGroup('flat', [bob, cyd]);
    const outer = await bed.addGroup('outer', [inner, bob]);
    await bed.rest();
    for (const nesting of ['flatten', 'ignore', 'native', 'ignore', 'flatten', 'native'] as const) {
      const heard = bed.fake.requests.length;
      await resetTarget(bed, { policy: { ...limits, nestedGroups: nesting } });
      await bed.rest();
      await assertMembers(bed, nesting);
      const said = bed.fake.requests.filter((one) => one.n > heard && one.method !== 'GET');
      const of = async (id: string) => (await bed.account(id))!.remote_id!;
      const paths = new Set(said.map((one) => one.path.split('/').at(-1)));
      assert.ok(!paths.has(await of(flat)) && !paths.has(await of(inner)), `${nesting}: nothing differs there`);
      assert.ok(paths.has(await of(outer)), nesting);
    }
    assert.ok((await listWaves(bed)).every((wave) => wave.cause === 'policy changed'));
  });

  it('back before it has reached a group: what was said under it is taken back, what was not is not', async () => {
    await using bed = await openEngineBed(database, { policy: flatten });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const inner = await bed.addGroup('inner', [ada, bob]);
    const outer = await bed.addGroup('outer', [inner]);
    await bed.rest();
    await bed.stop();
    // Under native, before the wave: she leaves, which is planned by what was said and not by the policy.
    await resetTarget(bed, { policy: limits });
    await bed.removeMember(inner, ada);
    await planAll(bed);
    await resetTarget(bed, { policy: { ...limits, nestedGroups: 'ignore' } });
    await bed.removeMember(outer, inner);
    await planAll(bed);
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'ignore');
    await bed.addMember(outer, inner);
    await bed.rest();
    await bed.stop();
    // To flatten and back, with the wave half way.
    await resetTarget(bed, { policy: flatten });
    const book = await openBook(bed);
    await waveStep(bed.store, book);
    await planStep(bed.store, book);
    await bed.removeMember(inner, bob);
    await resetTarget(bed, { policy: limits });
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'native');
  });
});

eachDatabase('a large group in a group', (database) => {
  const policy = { ...flatten, concurrency: 16, membersPerRequest: 500 };
  const size = 2_200;

  it('costs one operation for one change, and as many statements as a small one', async () => {
    let statements = 0;
    const onStatement = () => {
      statements += 1;
    };
    await using bed = await openEngineBed(database, { policy, fake: { membersPerPatch: 500 }, onStatement });
    await bed.start();
    const people = await addCrowd(bed, size);
    await bed.rest();
    const cost = async (members: readonly string[], name: string) => {
      const newcomer = await bed.addUser(`newcomer ${name}`);
      const inner = await bed.addGroup(`${name} inner`, members);
      await bed.addGroup(name, [inner]);
      await bed.rest();
      await bed.stop();
      await bed.addMember(inner, newcomer);
      const heard = bed.fake.requests.length;
      statements = 0;
      await planAll(bed);
      const planned = statements;
      await bed.start();
      await bed.rest();
      const said = bed.fake.requests.filter((one) => one.n > heard && one.method === 'PATCH');
      assert.equal(said.length, 2, 'one to the group, one to the group above');
      for (const one of said) {
        assert.equal((one.body as { Operations: unknown[] }).Operations.length, 1);
        assert.ok(JSON.stringify(one.body).length < 400, 'it names one member');
      }
      return planned;
    };
    const small = await cost(people.slice(0, 20), 'small');
    const large = await cost(people, 'large');
    assert.equal(large, small);
    await assertMembers(bed, 'flatten');
  });

  it('leaves in bounded steps, through a crash, while somebody leaves it and somebody stays by another way', async () => {
    await using bed = await openEngineBed(database, { policy, fake: { membersPerPatch: 500 } });
    await bed.start();
    const people = (await addCrowd(bed, size)).sort();
    await bed.rest();
    const inner = await bed.addGroup('inner', people);
    const other = await bed.addGroup('other', [people[10]!, people[2_190]!]);
    const outer = await bed.addGroup('outer', [inner, other]);
    const above = await bed.addGroup('above', [outer]);
    await bed.rest();
    await assertMembers(bed, 'flatten');
    await bed.stop();
    const noted = async () => (await bed.store.read((r) => r.all(r.q.selectFrom('links').select('op')))).length;
    await bed.removeMember(outer, inner);
    const book = await openBook(bed);
    let steps = 0;
    for (let before = 0; ; steps++) {
      const taken = await planStep(bed.store, book);
      const now = await noted();
      assert.ok(now - before <= 1_100, `${now - before} memberships in one transaction`);
      before = now;
      if (steps === 1) break;
      assert.notEqual(taken, 0);
    }
    assert.ok((await noted()) < 2 * size - 1_000, 'it is half way');
    // Those before the place it has got to and those behind, and one is gone altogether.
    await bed.removeMember(inner, people[5]!);
    await bed.removeMember(inner, people[2_195]!);
    await bed.removeUser(people[2_196]!);
    // It goes on from the store alone: a fresh engine, killed once more on its way.
    await bed.start();
    await bed.clock.advance(200);
    await bed.stop();
    await bed.start();
    await bed.rest();
    await assertMembers(bed, 'flatten');
    for (const id of [outer, above]) {
      assert.equal(bed.fake.membersOf((await bed.account(id))!.remote_id!).length, 2);
    }
  });
});
