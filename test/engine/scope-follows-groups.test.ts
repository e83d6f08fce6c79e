import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createGroup, deleteGroup, replaceGroup } from '../../src/directory/groups.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { groupType } from '../../src/protocol/scim/schema.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { eachDatabase } from '../database.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200 };
const staffOnly = { ...limits, scopeUsers: 'groups.display eq "staff"' };

const there = (bed: EngineBed) => [...bed.fake.users.values()].map((user) => String(user.userName)).sort();
const writes = (bed: EngineBed) =>
  bed.fake.requests.filter((request) => request.method !== 'GET' && request.on === 'users').length;

eachDatabase('a scope that reads groups', (database) => {
  it('lets in who joins and removes who leaves, whoever else is about', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', []);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    await bed.addMember(staff, ada);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    assert.equal((await bed.account(ada))?.sp_id, bed.resident.spId);
    await bed.addMember(staff, bob);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob']);
    await bed.removeMember(staff, ada);
    await bed.rest();
    assert.deepEqual(there(bed), ['bob']);
    assert.equal(await bed.account(ada), undefined);
    // Who never had an account gets no row by leaving or joining groups that say nothing.
    await bed.addMember(await bed.addGroup('choir'), ada);
    await bed.rest();
    assert.equal(await bed.account(ada), undefined);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('a leaver goes as a removal, before creations and updates, and a joiner as a creation', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', [ada]);
    await bed.rest();
    await bed.stop();
    await bed.addMember(staff, bob);
    await bed.removeMember(staff, ada);
    bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, act: { kind: 'answer', status: 503, body: {} } });
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.account(bob)) !== undefined, { stepMs: 5 });
    const urgencies = [(await bed.account(ada))?.urgency, (await bed.account(bob))?.urgency];
    bed.fake.heal();
    await bed.rest();
    assert.deepEqual(urgencies, [0, 2]);
    assert.deepEqual(there(bed), ['bob']);
  });

  it('leaving the scope by an attribute of one’s own is a removal too', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title eq "Seller"' } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'Seller' });
    await bed.rest();
    bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, act: { kind: 'answer', status: 503, body: {} } });
    await bed.changeUser(ada, 'ada', { title: 'Buyer' });
    await bed.clock.runUntil(async () => (await bed.account(ada))?.state === 'due', { stepMs: 5 });
    const found = await bed.account(ada);
    bed.fake.heal();
    await bed.rest();
    assert.equal(found?.urgency, 0);
    assert.deepEqual(there(bed), []);
  });

  it('follows groups in groups, in and out, however deep', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const team = await bed.addGroup('team', [ada]);
    const wing = await bed.addGroup('wing', [team]);
    const staff = await bed.addGroup('staff', []);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    await bed.addMember(staff, wing);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    const bob = await bed.addUser('bob');
    await bed.addMember(team, bob);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob']);
    await bed.removeMember(wing, team);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    await bed.addMember(wing, team);
    await bed.rest();
    await bed.removeMember(staff, wing);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    assert.equal(await bed.account(bob), undefined);
  });

  it('knows direct from indirect membership (RFC 7643 section 4.1.2)', async () => {
    const scopeUsers = 'groups[display eq "STAFF" and type eq "indirect"]';
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers } });
    await bed.start();
    const [ada, bob, cyd] = [await bed.addUser('ada'), await bed.addUser('bob'), await bed.addUser('cyd')];
    const team = await bed.addGroup('team', [bob, cyd]);
    const staff = await bed.addGroup('staff', [ada, cyd, team]);
    await bed.rest();
    assert.deepEqual(there(bed), ['bob'], 'who is in it both ways is in it directly');
    await bed.removeMember(staff, cyd);
    await bed.rest();
    assert.deepEqual(there(bed), ['bob', 'cyd']);
  });

  it('comes to rest with groups that are in each other, and right', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const one = await bed.addGroup('one', [ada]);
    const two = await bed.addGroup('two', [one]);
    const three = await bed.addGroup('three', [two]);
    await bed.addMember(one, three);
    await bed.rest();
    const staff = await bed.addGroup('staff', [two]);
    await bed.addMember(three, staff);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    await bed.removeMember(staff, two);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    assert.equal(await bed.account(ada), undefined);
  });

  it('follows a group that is renamed into the scope and out of it', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const team = await bed.addGroup('team', [bob]);
    const group = await bed.addGroup('crew', [ada, team]);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    await bed.renameGroup(group, 'Staff', [ada, team]);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob']);
    await bed.renameGroup(group, 'crew', [ada, team]);
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });

  it('follows a group that is deleted, to those in the groups in it', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const [ada, bob, cyd] = [await bed.addUser('ada'), await bed.addUser('bob'), await bed.addUser('cyd')];
    const team = await bed.addGroup('team', [bob]);
    const staff = await bed.addGroup('staff', [ada, team]);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob']);
    await bed.removeGroup(staff);
    await bed.rest();
    assert.deepEqual(there(bed), []);
    // Another group of that name is another group, and a group in between can go as well.
    await bed.addGroup('staff', [cyd, team]);
    await bed.rest();
    assert.deepEqual(there(bed), ['bob', 'cyd']);
    await bed.removeGroup(team);
    await bed.rest();
    assert.deepEqual(there(bed), ['cyd']);
    const left = await bed.store.read((r) => r.all(r.q.selectFrom('former_members').selectAll()));
    assert.deepEqual(left, []);
  });

  it('says nothing to a target about people for whom nothing changes', async () => {
    await using bed = await openEngineBed(database, {
      policy: { ...limits, scopeUsers: 'groups.display eq "staff" or groups.display eq "board"' },
    });
    await bed.start();
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    const staff = await bed.addGroup('staff', [ada]);
    const board = await bed.addGroup('board', [ada]);
    const other = await bed.addGroup('other', [ada, bob]);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    const [said, attempts] = [writes(bed), (await bed.attempts(ada)).length];
    await bed.removeMember(board, ada);
    await bed.renameGroup(other, 'another', [ada, bob]);
    await bed.removeMember(other, ada);
    await bed.rest();
    assert.equal(writes(bed), said);
    assert.equal((await bed.attempts(ada)).length, attempts, 'not even looked at by an attempt');
    assert.deepEqual(await bed.attempts(bob), []);
    await bed.removeMember(staff, ada);
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });

  it('disables and reactivates the same account where the policy keeps it', async () => {
    await using bed = await openEngineBed(database, { policy: { ...staffOnly, deprovision: 'disable' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    const staff = await bed.addGroup('staff', [ada]);
    await bed.rest();
    const remoteId = (await bed.account(ada))?.remote_id;
    await bed.removeMember(staff, ada);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'disabled');
    const attempts = (await bed.attempts(ada)).length;
    await bed.renameGroup(staff, 'crew', []);
    await bed.addMember(await bed.addGroup('choir'), ada);
    await bed.rest();
    assert.equal((await bed.attempts(ada)).length, attempts, 'who is disabled and stays out is left alone');
    await bed.renameGroup(staff, 'staff', [ada]);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    assert.equal((await bed.account(ada))?.remote_id, remoteId);
    assert.equal(bed.fake.userNamed('ada')?.active, true);
  });

  it('the group goes while the account is being created, and comes back while it is being removed', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'POST', on: 'users' }, act: { kind: 'hold', applied: false } });
    const staff = await bed.addGroup('staff', [ada]);
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 5 });
    await bed.removeGroup(staff);
    await bed.pass(50);
    await bed.fake.release();
    await bed.rest();
    assert.deepEqual(there(bed), []);
    assert.equal(await bed.account(ada), undefined);

    const crew = await bed.addGroup('staff', [ada]);
    await bed.rest();
    bed.fake.misbehave({ when: { method: 'DELETE', on: 'users' }, act: { kind: 'hold', applied: false } });
    await bed.removeMember(crew, ada);
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 5 });
    await bed.addMember(crew, ada);
    await bed.pass(50);
    await bed.fake.release();
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    assert.equal((await bed.account(ada))?.state, 'done');
  });

  it('a user who is deleted while a descent is on its way is not made again', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    const ada = await bed.addUser('ada');
    const group = await bed.addGroup('crew', [ada]);
    await bed.start();
    await bed.rest();
    await bed.stop();
    await bed.renameGroup(group, 'staff', [ada]);
    await bed.removeUser(ada);
    await bed.start();
    await bed.rest();
    assert.deepEqual(there(bed), []);
    assert.equal(await bed.account(ada), undefined);
  });

  it('provisioning roles are names of groups or of roles; groups themselves all go', async () => {
    await using bed = await openEngineBed(database, {
      policy: { ...limits, provisioningRoles: ['Sales', 'it"s'], scopeUsers: 'active eq true' },
    });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada', { active: true }), await bed.addUser('bob', { active: true })];
    const cyd = await bed.addUser('cyd', { active: true, roles: [{ value: 'sales' }] });
    await bed.addUser('dee', { active: true, roles: [{ value: 'Sales manager' }] });
    const sales = await bed.addGroup('Sales', [ada]);
    const choir = await bed.addGroup('it"s', [ada, bob]);
    const eve = await bed.addUser('eve', { active: false });
    await bed.addMember(sales, eve);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob', 'cyd']);
    assert.equal(bed.fake.groups.size, 2);
    await bed.removeMember(sales, ada);
    await bed.removeMember(choir, bob);
    await bed.changeUser(cyd, 'cyd', { active: true, roles: [] });
    await bed.changeUser(eve, 'eve', { active: true });
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'eve']);
    await bed.removeMember(choir, ada);
    await bed.rest();
    assert.deepEqual(there(bed), ['eve']);
  });

  it('each target has its own scope, and one that reads no groups hears nothing of them', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await using ids = await addTarget(bed, 'ids', { policy: limits });
    const ada = await bed.addUser('ada');
    const bob = await bed.addUser('bob');
    await bed.start();
    const staff = await bed.addGroup('staff', [ada]);
    await bed.rest();
    assert.deepEqual([there(bed), ids.fake.users.size], [['ada'], 2]);
    const attempts = (await bed.attempts()).filter((row) => row.target_id === ids.targetId && row.kind === 'user');
    await bed.renameGroup(staff, 'crew', [ada, bob]);
    await bed.rest();
    assert.deepEqual([there(bed), ids.fake.users.size], [[], 2]);
    const after = (await bed.attempts()).filter((row) => row.target_id === ids.targetId && row.kind === 'user');
    assert.equal(after.length, attempts.length);
  });

  it('reads a group by its id, whatever it is called', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const group = await bed.addGroup('staff', [ada]);
    await resetTarget(bed, { policy: { ...limits, scopeUsers: `groups eq "${group}"` } });
    await bed.start();
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    const attempts = (await bed.attempts(ada)).length;
    await bed.renameGroup(group, 'crew', [ada, bob]);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada', 'bob']);
    assert.equal((await bed.attempts(ada)).length, attempts);
    await bed.removeGroup(group);
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });
});

eachDatabase('who lets in somebody whom a group brings into the scope', (database) => {
  const group = (displayName: string, ids: string[]) =>
    readResource(groupType, { schemas: [groupType.schema.id], displayName, members: ids.map((value) => ({ value })) });

  it('those who spoke for the member, not those who keep the group', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const ada = await bed.addUser('ada');
    const outsider = await bed.addUser('outsider', {}, bed.stranger);
    const staff = await bed.store.write((tx) =>
      createGroup(tx, group('staff', [ada, outsider]), { origin: bed.stranger }),
    );
    bed.store.signal('changes');
    await bed.rest();
    assert.deepEqual(there(bed), ['ada'], 'a group by a service provider that is not bound moves who is bound');
    assert.equal(await bed.account(outsider), undefined);
    assert.equal((await bed.account(ada))?.sp_id, bed.resident.spId);
    await bed.store.write((tx) => deleteGroup(tx, staff.id, { origin: bed.stranger }));
    bed.store.signal('changes');
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });

  it('where the target follows bound service providers only, the group’s has to be bound as well', async () => {
    await using bed = await openEngineBed(database, { policy: { ...staffOnly, follow: 'bound' } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.store.write((tx) => createGroup(tx, group('staff', [ada]), { origin: bed.stranger }));
    bed.store.signal('changes');
    await bed.rest();
    assert.deepEqual(there(bed), []);
    const bob = await bed.addUser('bob');
    const wing = await bed.addGroup('wing', [bob]);
    const staff = await bed.addGroup('staff 2', [wing]);
    await resetTarget(bed, { policy: { ...staffOnly, follow: 'bound', scopeUsers: 'groups.display sw "staff"' } });
    await bed.renameGroup(staff, 'staff 3', [wing]);
    await bed.rest();
    assert.deepEqual(there(bed), ['bob']);
    // Renamed by one door that does not count, deleted by one that does, and looked through for both.
    await bed.stop();
    const rename = group('crew', [wing]);
    await bed.store.write((tx) => replaceGroup(tx, staff, rename, { origin: bed.stranger }));
    await bed.removeGroup(staff);
    await bed.start();
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });

  it('nobody, while no binding names the target: accounts rest, and none is made', async () => {
    await using bed = await openEngineBed(database, { policy: staffOnly });
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const staff = await bed.addGroup('staff', [ada]);
    await bed.rest();
    await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, []));
    bed.store.signal('targets');
    await bed.addMember(staff, bob);
    await bed.removeMember(staff, ada);
    await bed.rest();
    assert.deepEqual(there(bed), ['ada']);
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.equal(await bed.account(bob), undefined);
    await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, [{ target: bed.targetId }]));
    bed.store.signal('targets');
    await bed.rest();
    assert.deepEqual(there(bed), []);
  });
});
