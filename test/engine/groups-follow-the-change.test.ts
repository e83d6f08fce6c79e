import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('groups: cost follows the change', (database) => {
  it('creates groups with their members, nested and in circles', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const inner = await bed.addGroup('inner', [ada]);
    const outer = await bed.addGroup('outer', [inner, bob]);
    await bed.addMember(inner, outer);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('says one added and one removed member as one operation each', async () => {
    await using bed = await openEngineBed(database, {
      policy: { membersPerRequest: 50 },
      fake: { membersPerPatch: 50 },
    });
    await bed.start();
    const people: string[] = [];
    for (let n = 0; n < 130; n++) people.push(await bed.addUser(`p${n}`));
    const all = await bed.addGroup('everyone', people);
    await bed.rest();
    await bed.assertAgrees();
    const newcomer = await bed.addUser('newcomer');
    await bed.rest();
    const before = bed.fake.requests.length;
    await bed.addMember(all, newcomer);
    await bed.rest();
    await bed.removeMember(all, people[7]!);
    await bed.rest();
    await bed.assertAgrees();
    const sent = bed.fake.requests.filter((request) => request.n > before && request.on === 'groups');
    assert.equal(sent.length, 2);
    for (const request of sent) assert.equal((request.body as { Operations: unknown[] }).Operations.length, 1);
    assert.equal(
      (await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll()))).length,
      0,
      'a settled membership has no row',
    );
  });

  it('lets a member that arrives later join by itself', async () => {
    await using bed = await openEngineBed(database);
    const late = await bed.addUser('late');
    const early = await bed.addUser('early');
    const group = await bed.addGroup('team', [late, early]);
    bed.fake.misbehave({
      when: { method: 'POST', that: (request) => (request.body as { userName?: string }).userName === 'late' },
      times: 1,
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '60' }, body: {} },
    });
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    assert.equal((await bed.account(group))?.state, 'done');
  });

  it('parks the one member that is refused, on its own link', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const people: string[] = [];
    for (let n = 0; n < 20; n++) people.push(await bed.addUser(`p${n}`));
    const group = await bed.addGroup('team');
    await bed.rest();
    const bad = (await bed.account(people[13]!))!.remote_id!;
    bed.fake.misbehave({
      when: { method: 'PATCH', on: 'groups', that: (request) => JSON.stringify(request.body).includes(`"${bad}"`) },
      times: Number.POSITIVE_INFINITY,
      act: {
        kind: 'answer',
        status: 400,
        body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '400', detail: 'not this one' },
      },
    });
    for (const person of people) await bed.addMember(group, person);
    await bed.rest();
    const links = await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll()));
    assert.deepEqual(
      links.map((link) => [link.member_id, link.state]),
      [[people[13], 'parked']],
    );
    assert.match(links[0]?.reason ?? '', /not this one/);
    const remote = (await bed.account(group))!.remote_id!;
    assert.equal(bed.fake.membersOf(remote).length, 19);
    bed.fake.heal();
    await bed.removeMember(group, people[13]!);
    await bed.addMember(group, people[13]!);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('sends the whole group to a target without PATCH', async () => {
    await using bed = await openEngineBed(database, { fake: { patch: false } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'a' });
    const bob = await bed.addUser('bob');
    const group = await bed.addGroup('team', [ada]);
    await bed.rest();
    await bed.addMember(group, bob);
    await bed.removeMember(group, ada);
    await bed.changeUser(ada, 'ada', { title: 'b' });
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.requests.filter((request) => request.method === 'PATCH').length, 0);
  });

  it('takes leavers out of their groups and drops removed groups', async () => {
    await using bed = await openEngineBed(database, { policy: { deprovision: 'delete' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const team = await bed.addGroup('team', [ada, bob]);
    const other = await bed.addGroup('other', [team]);
    await bed.rest();
    await bed.removeUser(ada);
    await bed.removeGroup(team);
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(await bed.account(team), undefined);
    assert.equal((await bed.account(other))?.state, 'done');
  });
});
