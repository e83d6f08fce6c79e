import assert from 'node:assert/strict';
import { it } from 'node:test';
import { giveUpOn, noteOfGivingUp } from '../../src/provisioning/account-bodies.ts';
import { readAccount } from '../../src/provisioning/inspect.ts';
import { createPolicy, removePolicy } from '../../src/provisioning/policies.ts';
import { replaceBindings, replaceServiceProvider } from '../../src/provisioning/service-providers.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { eachDatabase } from '../database.ts';
import { readAllText } from './all-text.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { openEngineBed } from './bed.ts';
import { startMortalNode } from './mortal-node.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };
const always = Number.POSITIVE_INFINITY;

eachDatabase('what is only forwarded', (database) => {
  it('reaches its targets, is erased when all have it, and is forwarded whole by the next PUT', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one', nickName: 'addie' }, origin);
    assert.deepEqual((await bed.bodies()).kept, [ada], 'sealed from the request on');
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
    assert.equal((await bed.account(ada))?.state, 'done');
    // What is left out of a whole is taken away, though nobody here remembers that it was there.
    await bed.changeUser(ada, 'ada.l', { title: 'two' }, origin);
    await bed.rest();
    assert.equal(bed.fake.users.size, 1);
    assert.deepEqual([bed.fake.userNamed('ada.l')?.title, bed.fake.userNamed('ada.l')?.nickName], ['two', undefined]);
    await bed.removeUser(ada, origin);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
    assert.equal(await bed.account(ada), undefined);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('is in no table in clear, neither under way nor parked nor at rest nor gone', async () => {
    const words = [
      'Majestät-"Ärger"',
      'nickname-secret-1',
      'streetname-secret-2',
      'mail-secret-3@acme.example',
      'title-secret-4',
    ];
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const origin = await bed.forwarder();
    await bed.store.write((tx) =>
      replaceBindings(tx, origin.spId, [{ target: bed.targetId }, { target: other.targetId }]),
    );
    bed.store.signal('targets');
    const whole = {
      displayName: words[0],
      nickName: words[1],
      addresses: [{ type: 'work', streetAddress: words[2] }],
      emails: [{ value: words[3], type: 'work' }],
    };
    const look = async (when: string) => {
      const text = await readAllText(bed.store);
      for (const word of words) {
        const inside = JSON.stringify(word).slice(1, -1);
        for (const form of [word, inside, JSON.stringify(inside).slice(1, -1), encodeURIComponent(word)]) {
          assert.ok(!text.includes(form), `"${word}" is in a table, ${when}`);
        }
      }
    };
    // They echo what they were sent, as chatty targets do.
    const chatty = {
      kind: 'answer',
      status: 400,
      body: { detail: `I will not have ${words[0]} ${words[3]}` },
    } as const;
    other.fake.misbehave({ times: always, when: { method: 'POST' }, act: chatty });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada', whole, origin);
    await look('before it is sent');
    await bed.rest();
    await look('while one target refuses it');
    assert.equal((await other.account(ada))?.state, 'parked');
    assert.match((await other.account(ada))!.reason!, /I will not have/);
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    other.fake.heal();
    await bed.changeUser(ada, 'ada', { ...whole, title: words[4] }, origin);
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, words[4]);
    assert.equal(other.fake.userNamed('ada')?.nickName, words[1]);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
    await look('at rest');
    bed.fake.misbehave({ when: { method: 'DELETE' }, act: { kind: 'drop', applied: false } });
    await bed.removeUser(ada, origin);
    await bed.rest();
    await look('gone');
    assert.equal(bed.fake.users.size + other.fake.users.size, 0);
  });

  it('survives a crash between request and record', async () => {
    for (const applied of [true, false]) {
      await using bed = await openEngineBed(database, { policy: limits });
      const origin = await bed.forwarder();
      bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied } });
      const ada = await bed.addUser('ada', { title: 'one' }, origin);
      {
        await using node = await startMortalNode(bed, bed.store);
        await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
        node.kill();
      }
      bed.fake.heal();
      await bed.start();
      await bed.rest();
      assert.equal(bed.fake.users.size, 1, 'made once');
      assert.equal(bed.fake.userNamed('ada')?.title, 'one');
      assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
      assert.equal((await bed.account(ada))?.doubt, null);
    }
  });

  it('waits sealed for a target that is down for a day, over a restart, and is erased when the last has it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const origin = await bed.forwarder();
    await bed.store.write((tx) =>
      replaceBindings(tx, origin.spId, [{ target: bed.targetId }, { target: other.targetId }]),
    );
    bed.store.signal('targets');
    other.fake.misbehave({ times: always, when: {}, act: { kind: 'answer', status: 503, body: {} } });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.clock.runUntil(() => bed.fake.users.size === 1 && other.fake.requests.length > 0);
    await bed.stop();
    await bed.clock.advance(86_400_000);
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    await bed.start();
    await bed.pass(10_000);
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    other.fake.heal();
    await bed.rest(7_200_000);
    assert.equal(other.fake.userNamed('ada')?.title, 'one');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is superseded by a PUT while it is under way', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: true } });
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 1 });
    await bed.changeUser(ada, 'ada', { title: 'two' }, origin);
    await bed.fake.release();
    await bed.rest();
    assert.equal(bed.fake.users.size, 1);
    assert.equal(bed.fake.userNamed('ada')?.title, 'two');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is removed without a body, also when it is in doubt whether it is there', async () => {
    await using bed = await openEngineBed(database, { policy: limits, forwardedLastMs: 60_000 });
    const origin = await bed.forwarder();
    await bed.start();
    const timeout = { kind: 'answer', status: 504, body: {} } as const;
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'drop', applied: true } });
    bed.fake.misbehave({ times: always, when: { method: 'GET' }, act: timeout });
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.pass(140_000);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [ada] });
    bed.fake.heal();
    await bed.removeUser(ada, origin);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
    assert.equal(await bed.account(ada), undefined);
  });

  it('is given up when its time is over, which the account says; the next PUT makes it good', async () => {
    await using bed = await openEngineBed(database, { policy: limits, forwardedLastMs: 60_000 });
    const origin = await bed.forwarder();
    await bed.start();
    const no = { kind: 'answer', status: 400, body: { detail: 'no' } } as const;
    bed.fake.misbehave({ times: always, when: { method: 'POST' }, act: no });
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    await bed.pass(140_000);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [ada] });
    const parked = (await bed.account(ada))!;
    assert.equal(parked.state, 'parked');
    assert.match(
      parked.reason!,
      /^only forwarded, and what was sent waited until .* erased: send the whole again by PUT/,
    );
    const before = bed.fake.requests.length;
    await bed.patchUser(ada, { op: 'replace', path: 'active', value: false });
    await bed.rest();
    assert.match((await bed.account(ada))!.reason!, /given up and is erased/);
    assert.equal(bed.fake.requests.length, before, 'nothing is made of a part');
    bed.fake.heal();
    await bed.changeUser(ada, 'ada', { title: 'two' }, origin);
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'two');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is kept while a rule withholds it, and erased when the rule lets it through', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.store.write((tx) => replaceBindings(tx, origin.spId, [{ target: bed.targetId, rules: true }]));
    const document = fillTemplate({ template: 'role', policyId: 'p', roles: ['boss'] });
    const made = await bed.store.write((tx) => createPolicy(tx, { name: 'p', document }, 'test'));
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'withheld');
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    await bed.store.write((tx) => removePolicy(tx, made.id, 'test'));
    bed.store.signal('targets');
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is given up by an operator, while others have it; a removal reaches all', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const origin = await bed.forwarder();
    await bed.store.write((tx) =>
      replaceBindings(tx, origin.spId, [{ target: bed.targetId }, { target: other.targetId }]),
    );
    bed.store.signal('targets');
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.rest();
    const no = { kind: 'answer', status: 400, body: { detail: 'no' } } as const;
    other.fake.misbehave({ times: always, when: { method: 'PATCH' }, act: no });
    await bed.changeUser(ada, 'ada', { title: 'two' }, origin);
    await bed.rest();
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    await bed.store.write((tx) => giveUpOn(tx, [{ id: ada, why: noteOfGivingUp('it was enough') }]));
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [ada] });
    assert.match((await other.account(ada))!.reason!, /^only forwarded, and it was enough: send the whole again/);
    other.fake.heal();
    await bed.patchUser(ada, { op: 'replace', path: 'active', value: false });
    await bed.rest();
    for (const fake of [bed.fake, other.fake]) assert.equal(fake.userNamed('ada')?.active, false, 'a part reaches all');
    assert.equal((await other.account(ada))?.state, 'parked', 'and does not hide that the whole did not');
    assert.match((await other.account(ada))!.reason!, /was not told what was forwarded last/);
    await bed.removeUser(ada, origin);
    await bed.rest();
    assert.equal(bed.fake.users.size + other.fake.users.size, 0);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is not made again when somebody else removed it, which the account says; a group says its members still', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    const ada = await bed.addUser('ada', {}, origin);
    const team = await bed.addGroup('team', [], origin);
    await bed.rest();
    await bed.removeThere('users', (await bed.account(ada))!.remote_id!);
    await bed.patchUser(ada, { op: 'replace', path: 'active', value: false });
    await bed.addMember(team, ada);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'parked');
    assert.match((await bed.account(ada))!.reason!, /is not at the target, and what was forwarded is erased/);
    assert.equal(bed.fake.users.size, 0);
    await bed.changeUser(ada, 'ada', {}, origin);
    await bed.rest();
    assert.equal(bed.fake.groupNamed('team')?.members.size, 1, 'who came back is in the group that waited');
    assert.deepEqual(bed.fake.faults, []);
  });

  it('takes a name that the directory has, and not one that was forwarded for the same service provider', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title ne "here"' } });
    const origin = await bed.forwarder();
    await bed.start();
    await bed.addUser('ada', { title: 'here' });
    const forwarded = await bed.addUser('Ada', { title: 'there' }, origin);
    await bed.rest();
    assert.equal(bed.fake.userNamed('Ada')?.title, 'there');
    await assert.rejects(bed.addUser('ADA', {}, origin), {
      code: 'uniqueness',
      message: new RegExp(`was forwarded for this service provider already. Its id is ${forwarded}`),
    });
    const eve = await bed.addUser('eve', {}, origin);
    await assert.rejects(bed.changeUser(eve, 'ada', {}, origin), { code: 'uniqueness' });
    await bed.removeUser(forwarded, origin);
    await bed.changeUser(eve, 'ada', {}, origin);
    await bed.rest();
    assert.equal(bed.fake.users.size, 1);
  });

  it('reaches nobody without an enabled binding, and is refused', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    const ada = await bed.addUser('ada', {}, origin);
    await bed.start();
    await bed.rest();
    await bed.store.write((tx) => replaceBindings(tx, origin.spId, [{ target: bed.targetId, enabled: false }]));
    bed.store.signal('targets');
    const refusal = { code: 'notAllowed', message: /has no enabled binding: it would reach nobody/ };
    await assert.rejects(bed.addUser('bob', {}, origin), refusal);
    await assert.rejects(bed.addGroup('g', [], origin), refusal);
    await assert.rejects(bed.changeUser(ada, 'ada', {}, origin), refusal);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    await bed.store.write((tx) => replaceBindings(tx, origin.spId, [{ target: bed.targetId }]));
    bed.store.signal('targets');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
  });

  it('waits for a binding that went before it was told, and is told when that comes back', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    const later = { kind: 'answer', status: 503, headers: { 'retry-after': '5' }, body: {} } as const;
    bed.fake.misbehave({ when: { method: 'POST' }, act: later });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.clock.runUntil(async () => (await bed.attempts(ada)).at(-1)?.outcome === 'unavailable');
    await bed.store.write((tx) => replaceBindings(tx, origin.spId, [{ target: bed.targetId, enabled: false }]));
    bed.store.signal('targets');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.deepEqual((await bed.bodies()).kept, [ada]);
    assert.equal(bed.fake.users.size, 0);
    await bed.store.write((tx) => replaceBindings(tx, origin.spId, [{ target: bed.targetId }]));
    bed.store.signal('targets');
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('keeps what exists as it is when forward-only is switched', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    const ada = await bed.addUser('ada', {}, origin);
    await bed.store.write((tx) => replaceServiceProvider(tx, origin.spId, { name: 'forwarder', forwardOnly: false }));
    const bob = await bed.addUser('bob', {}, origin);
    await bed.changeUser(ada, 'ada', { title: 'two' }, origin);
    await bed.store.write((tx) => replaceServiceProvider(tx, origin.spId, { name: 'forwarder', forwardOnly: true }));
    await bed.changeUser(bob, 'bob', { title: 'three' }, origin);
    await bed.rest();
    const lives = await bed.store.read((r) => r.all(r.q.selectFrom('subjects').select(['id', 'life']).orderBy('id')));
    assert.deepEqual(Object.fromEntries(lives.map((row) => [row.id, row.life])), { [ada]: 'forwarded', [bob]: 'live' });
    assert.deepEqual([bed.fake.userNamed('ada')?.title, bed.fake.userNamed('bob')?.title], ['two', 'three']);
  });

  it('is not told changed settings when it is erased, which the account says until the next PUT', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' }, origin);
    await bed.rest();
    await resetTarget(bed, { policy: { ...limits, scopeUsers: 'title eq "two"' } });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    assert.match((await bed.account(ada))!.reason!, /^the settings of the target changed since it was forwarded/);
    assert.equal(bed.fake.users.size, 1);
    await bed.changeUser(ada, 'ada', { title: 'two' }, origin);
    await bed.rest();
    assert.equal((await bed.account(ada))?.reason, null);
    // Out of scope by a whole body: removed like anybody.
    await bed.changeUser(ada, 'ada', { title: 'three' }, origin);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is switched off and on by PATCH though it is erased, at targets with and without PATCH', async () => {
    for (const patch of [true, false]) {
      await using bed = await openEngineBed(database, { policy: limits, fake: { patch } });
      const origin = await bed.forwarder();
      await bed.start();
      const ada = await bed.addUser('ada', { title: 'one', emails: [{ value: 'a@b.example' }] }, origin);
      await bed.rest();
      await bed.patchUser(ada, { op: 'replace', path: 'active', value: false });
      await bed.rest();
      const held = bed.fake.userNamed('ada')!;
      assert.deepEqual([held.active, held.title, held.emails], [false, 'one', [{ value: 'a@b.example' }]]);
      assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
      await assert.rejects(bed.patchUser(ada, { op: 'replace', path: 'title', value: 'x' }), {
        code: 'conflict',
        message: /send the whole user by PUT/,
      });
      await bed.patchUser(ada, { op: 'replace', value: { active: true } });
      await bed.rest();
      assert.equal(bed.fake.userNamed('ada')?.active, true);
      assert.deepEqual(bed.fake.faults, []);
    }
  });

  it('is changed by PATCH as anybody while it is kept', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    const ada = await bed.addUser('ada', { title: 'one', nickName: 'addie' }, origin);
    await bed.patchUser(ada, { op: 'replace', path: 'title', value: 'two' });
    await bed.start();
    await bed.rest();
    assert.deepEqual([bed.fake.userNamed('ada')?.title, bed.fake.userNamed('ada')?.nickName], ['two', 'addie']);
  });

  it('has passwords that are carried as everywhere, and no hash of them here', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const origin = await bed.forwarder();
    await bed.start();
    const ada = await bed.addUser('ada', { password: 'first secret 1' }, origin);
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'first secret 1');
    await bed.patchUser(ada, { op: 'replace', path: 'password', value: 'second secret 2' });
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'second secret 2');
    await bed.changeUser(ada, 'ada', { password: 'third secret 3', title: 'new' }, origin);
    await bed.rest();
    assert.equal(bed.fake.passwordOf('ada'), 'third secret 3');
    assert.equal(bed.fake.userNamed('ada')?.title, 'new');
    assert.deepEqual(await bed.secrets(), []);
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('passwords').selectAll())), []);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
  });

  it('is switched off by policy and comes back by a PUT, also where the target takes only the whole', async () => {
    for (const patch of [true, false]) {
      await using bed = await openEngineBed(database, {
        policy: { ...limits, deprovision: 'disable', scopeUsers: 'title ne "out"' },
        fake: { patch },
      });
      const origin = await bed.forwarder();
      await bed.start();
      const ada = await bed.addUser('ada', { title: 'in', nickName: 'addie' }, origin);
      await bed.rest();
      await bed.changeUser(ada, 'ada', { title: 'out', nickName: 'addie' }, origin);
      await bed.rest();
      const held = bed.fake.userNamed('ada')!;
      assert.deepEqual([held.active, held.nickName], [false, 'addie']);
      assert.equal((await bed.account(ada))?.state, 'disabled');
      assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
      await bed.changeUser(ada, 'ada', { title: 'in again' }, origin);
      await bed.rest();
      assert.equal(bed.fake.users.size, 1, 'the same account');
      assert.deepEqual([bed.fake.userNamed('ada')?.active, bed.fake.userNamed('ada')?.nickName], [true, undefined]);
      assert.equal(
        (await bed.store.read((r) => readAccount(r, { targetId: bed.targetId, subjectId: ada })))?.state,
        'done',
      );
    }
  });
});
