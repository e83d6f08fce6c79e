import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from 'kysely';
import { deleteGroup } from '../../src/directory/groups.ts';
import { forgetFormerMembers, listEveryMember, readAllGroupsOf } from '../../src/directory/memberships.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';

/** Writes subjects and memberships as they are, `team: 'ada bob'`; who is written in capitals is a group. */
async function fill(store: Store, groups: Record<string, string>): Promise<void> {
  const ids = new Set(Object.entries(groups).flatMap(([group, members]) => [group, ...members.split(' ')]));
  await store.write(async (tx) => {
    for (const id of ids) {
      const kind = id === id.toUpperCase() ? 'group' : 'user';
      const doc = kind === 'user' ? { userName: id } : { displayName: `the ${id}` };
      await tx.all({
        compile: () =>
          sql`insert into subjects (id, kind, domain, name_key, life, seq, doc, version, created_at, modified_at)
          values (${id}, ${kind}, 'PRIMARY', ${id}, 'live', 1, ${JSON.stringify(doc)}, 1, 1, 1)`.compile(tx.q),
      });
    }
    const rows = Object.entries(groups).flatMap(([group_id, members]) =>
      members.split(' ').map((member_id) => ({ group_id, member_id })),
    );
    await tx.all(tx.q.insertInto('members').values(rows));
  });
}

eachDatabase('the groups that users are in (RFC 7643 section 4.1.2)', (bed) => {
  const readAll = async (store: Store, ids: string[]) => {
    const all = await store.read((reading) => readAllGroupsOf(reading, ids));
    return Object.fromEntries(
      [...all].map(([id, held]) => [id, held.map((one) => `${one.id} ${one.type} ${one.display}`).sort()]),
    );
  };

  it('are direct or indirect, direct where they are both, each once, also in circles', async () => {
    const store = await bed.open();
    await fill(store, { A: 'ada B', B: 'bob C', C: 'cyd A bob', D: 'A ada', E: 'eve' });
    assert.deepEqual(await readAll(store, ['ada', 'bob', 'cyd', 'fay', 'ada']), {
      ada: ['A direct the A', 'B indirect the B', 'C indirect the C', 'D direct the D'],
      bob: ['A indirect the A', 'B direct the B', 'C direct the C', 'D indirect the D'],
      cyd: ['A indirect the A', 'B indirect the B', 'C direct the C', 'D indirect the D'],
    });
    assert.deepEqual(await readAll(store, []), {});
  });

  it('are found through a thousand groups in each other', async () => {
    const store = await bed.open();
    const name = (n: number) => `G${String(n).padStart(4, '0')}`;
    const chain = Array.from({ length: 1_000 }, (_, n) => [name(n), n === 0 ? 'ada' : name(n - 1)]);
    await fill(store, Object.fromEntries(chain));
    const { ada } = await readAll(store, ['ada']);
    assert.equal(ada?.length, 1_000);
    assert.equal(ada?.filter((one) => one.includes(' direct ')).length, 1);
  });

  it('are forgotten with a group that is deleted, whose members can be told until then', async () => {
    const store = await bed.open();
    await fill(store, { A: 'ada bob B', B: 'cyd' });
    const origin = { spId: 7, door: 'scim', actor: 'test' } as const;
    const page = (after: string, until: string | null, limit: number) =>
      store.read((reading) => listEveryMember(reading, 'A', { after, until, limit }));
    const whole = [
      { id: 'B', kind: 'group' },
      { id: 'ada', kind: 'user' },
      { id: 'bob', kind: 'user' },
    ];
    assert.deepEqual(await page('', null, 10), whole);
    await store.write((tx) => deleteGroup(tx, 'A', { origin }));
    assert.deepEqual(await readAll(store, ['ada', 'cyd']), { cyd: ['B direct the B'] });
    assert.deepEqual(await page('', null, 10), whole);
    assert.deepEqual(await page('B', 'ada', 10), [whole[1]]);
    assert.deepEqual(await page('B', null, 1), [whole[1]]);
    const forget = () => store.write((tx) => forgetFormerMembers(tx, 2));
    assert.equal(await forget(), 0, 'not before its change is planned');
    await store.write((tx) => tx.all(tx.q.updateTable('changes').set({ unplanned: null })));
    assert.equal(await forget(), 2);
    assert.equal((await page('', null, 10)).length, 1);
  });
});
