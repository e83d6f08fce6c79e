import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Origin } from '../../src/directory/changes.ts';
import { readSubjects } from '../../src/directory/subjects.ts';
import { countNewcomers } from '../../src/provisioning/newcomers.ts';
import { createPolicy } from '../../src/provisioning/policies.ts';
import { createServiceProvider, replaceBindings } from '../../src/provisioning/service-providers.ts';
import { readTarget } from '../../src/provisioning/targets.ts';
import { readWhyHere } from '../../src/provisioning/why-here.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { eachDatabase } from '../database.ts';
import { addTarget, resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { ended, openWaiting, outcomes } from './waiting.ts';
import { askForSync, bind, listWaves } from './waves.ts';

// Engine rule 20: who comes by signing in to an application is let in by its bindings with *Enable JIT* and no others.

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

/** An application: how its calls and the sign-ins to it are written into changes. */
type Application = { spId: number; call: Origin; signIn: Origin };

async function addApplication(bed: EngineBed, name: string): Promise<Application> {
  const { id: spId } = await bed.store.write((tx) => createServiceProvider(tx, { name }));
  bed.store.signal('targets');
  const actor = `somebody at ${name}`;
  return { spId, call: { spId, door: 'scim', actor: name }, signIn: { spId, door: 'login', actor } };
}

async function setBindings(bed: EngineBed, { spId }: { spId: number }, flags: Record<string, unknown> | undefined) {
  const bindings = flags ? [{ target: bed.targetId, ...flags }] : [];
  const set = await bed.store.write((tx) => replaceBindings(tx, spId, bindings));
  bed.store.signal('targets');
  return set;
}

const people = (bed: EngineBed) => [...bed.fake.users.values()].map((user) => user.userName).sort();

async function missing(bed: EngineBed): Promise<number> {
  const engine = await bed.start();
  const book = await engine.currentBook();
  return (await countNewcomers(bed.store, book, book.targets.get(bed.targetId)!)).users;
}

async function why(bed: EngineBed, subjectId: string) {
  const account = (await bed.account(subjectId))!;
  return bed.store.read(async (reading) => {
    const subject = (await readSubjects(reading, [subjectId])).get(subjectId);
    return readWhyHere(reading, await readTarget(reading, bed.targetId), account, subject);
  });
}

eachDatabase('who comes by a sign-in', (database) => {
  it('is let in by a binding with Enable JIT of that application, not by others, and not by the resident', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    const payroll = await addApplication(bed, 'payroll');
    const wiki = await addApplication(bed, 'wiki');
    await setBindings(bed, shop, { jit: true });
    await setBindings(bed, payroll, {});
    await bed.addUser('at-shop', {}, shop.signIn);
    const atPayroll = await bed.addUser('at-payroll', {}, payroll.signIn);
    const atWiki = await bed.addUser('at-wiki', {}, wiki.signIn);
    await bed.addUser('called-by-payroll', {}, payroll.call);
    await bed.addUser('called-by-shop', {}, shop.call);
    await bed.rest();
    assert.deepEqual(people(bed), ['at-shop', 'called-by-payroll', 'called-by-shop']);

    // Two applications: signing in to the other one is another change, and lets in.
    await bed.changeUser(atWiki, 'at-wiki', { title: 'x' }, shop.signIn);
    // The same person, by a call of the application: now all its bindings count, though nobody signs in again.
    await bed.changeUser(atPayroll, 'at-payroll', { title: 'x' }, payroll.call);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('is not let in by a change of the resident where it is not bound, and is where it is', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const payroll = await addApplication(bed, 'payroll');
    await setBindings(bed, payroll, {});
    await bind(bed, bed.resident.spId, 'not at all');
    const ada = await bed.addUser('ada', {}, payroll.signIn);
    await bed.changeUser(ada, 'ada', { title: 'x' });
    await bed.rest();
    assert.deepEqual(await bed.accounts(), [], 'payroll spoke at a sign-in only, and has no JIT');
    await bind(bed, bed.resident.spId, true);
    await bed.changeUser(ada, 'ada', { title: 'y' });
    await bed.rest();
    await bed.assertAgrees();
  });

  it('opens no door that others left shut: whoever was known before is let in by the sign-in alone', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const payroll = await addApplication(bed, 'payroll');
    await setBindings(bed, payroll, {});
    await bind(bed, bed.resident.spId, 'not at all');
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bind(bed, bed.resident.spId, true);
    await bed.changeUser(ada, 'ada', { title: 'signed in' }, payroll.signIn);
    await bed.rest();
    assert.deepEqual(await bed.accounts(), []);
    await setBindings(bed, payroll, { jit: true });
    await bed.changeUser(ada, 'ada', { title: 'again' }, payroll.signIn);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('is kept in step once there, whoever changes them, also at the sign-in to an application without JIT', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    const wiki = await addApplication(bed, 'wiki');
    await setBindings(bed, shop, { jit: true });
    await bind(bed, bed.resident.spId, 'not at all');
    const ada = await bed.addUser('ada', { title: 'one' }, shop.signIn);
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'two' }, wiki.signIn);
    await bed.rest();
    await bed.assertAgrees();
    await bed.changeUser(ada, 'ada', { title: 'three' });
    await bed.rest();
    await bed.assertAgrees();
    const told = await why(bed, ada);
    assert.deepEqual([told.serviceProvider, told.atSignIn, told.heldBy], ['shop', true, ['shop']]);
    assert.match(told.sentence, /^a sign-in to shop, by its binding to partner:SCIM2, since change \d+$/);
    await bed.removeUser(ada, wiki.signIn);
    await bed.rest();
    assert.deepEqual(people(bed), []);
  });

  it('has its scope asked like everybody', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'title eq "Seller"' } });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    await setBindings(bed, shop, { jit: true });
    const ada = await bed.addUser('ada', { title: 'Buyer' }, shop.signIn);
    await bed.rest();
    assert.deepEqual(people(bed), []);
    await bed.changeUser(ada, 'ada', { title: 'Seller' }, shop.signIn);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });

  it('comes into the scope by a group only where a binding lets them in', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, scopeUsers: 'groups.display eq "team"' } });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    const payroll = await addApplication(bed, 'payroll');
    await setBindings(bed, shop, { jit: true });
    await setBindings(bed, payroll, {});
    const ada = await bed.addUser('ada', {}, shop.signIn);
    const bob = await bed.addUser('bob', {}, payroll.signIn);
    await bed.addGroup('team', [ada, bob]);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });

  it('has the rules asked for the application they signed in to', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const shop = await addApplication(bed, 'shop');
    const document = fillTemplate({
      policyId: 'p',
      template: 'claim',
      serviceProvider: 'shop',
      claim: 'title',
      values: ['CEO'],
    });
    await bed.store.write((tx) => createPolicy(tx, { name: 'p', document }, 'test'));
    await setBindings(bed, shop, { jit: true, rules: true });
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'clerk' }, shop.signIn);
    await bed.rest();
    assert.match((await bed.account(ada))?.reason ?? '', /^POST for shop: denied/);
    await bed.changeUser(ada, 'ada', { title: 'CEO' }, shop.signIn);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });
});

eachDatabase('Enable JIT is switched', (database) => {
  it('on: offers whom it would let in, sends nobody by itself, and a sync sends just those', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    const wiki = await addApplication(bed, 'wiki');
    await setBindings(bed, shop, {});
    await setBindings(bed, wiki, {});
    await bed.addUser('at-shop', {}, shop.signIn);
    await bed.addUser('at-wiki', {}, wiki.signIn);
    await bed.rest();
    await bed.stop();
    assert.equal(await missing(bed), 0);
    await askForSync(bed);
    await bed.rest();
    assert.deepEqual(people(bed), [], 'a sync comes to the same answer as the sign-ins did');

    const on = await setBindings(bed, shop, { jit: true });
    assert.deepEqual([on.letsIn, on.concerned], [[bed.targetId], [bed.targetId]]);
    await bed.rest();
    await bed.pass(2_000);
    assert.deepEqual(people(bed), [], 'nobody by the switch alone (rule 21)');
    await bed.stop();
    assert.equal(await missing(bed), 1);
    await askForSync(bed);
    await bed.rest();
    assert.deepEqual(people(bed), ['at-shop']);
  });

  it('off: accounts rest, and go on where they were when it comes back', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const shop = await addApplication(bed, 'shop');
    await setBindings(bed, shop, { jit: true });
    const ada = await bed.addUser('ada', { title: 'one' }, shop.signIn);
    const bob = await bed.addUser('bob', { title: 'one' }, shop.signIn);
    await bed.rest();
    const off = await setBindings(bed, shop, {});
    assert.deepEqual([off.letsIn, off.concerned], [[], [bed.targetId]]);
    const heard = bed.fake.requests.length;
    await bed.changeUser(ada, 'ada', { title: 'two' }, shop.signIn);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.equal(bed.fake.requests.length, heard, 'nothing sent, nothing removed');
    assert.match((await why(bed, ada)).sentence, /which has Enable JIT off now.*so it rests$/);
    // A call of the application is another matter: all its bindings count from then on.
    await bed.changeUser(bob, 'bob', { title: 'two' }, shop.call);
    await bed.rest();
    assert.equal(bed.fake.userNamed('bob')?.title, 'two');
    await setBindings(bed, shop, { jit: true });
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'two', 'caught up by itself');
    assert.equal(
      (await listWaves(bed)).some((wave) => wave.cause === 'binding changed'),
      true,
    );
    await bed.assertAgrees();
  });

  it('while everything is down: what is let in is read from what is written', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const shop = await addApplication(bed, 'shop');
    const payroll = await addApplication(bed, 'payroll');
    await setBindings(bed, shop, { jit: true });
    await setBindings(bed, payroll, {});
    // Nothing is planned yet when the server that took the sign-ins is gone.
    await bed.addUser('at-shop', {}, shop.signIn);
    await bed.addUser('at-payroll', {}, payroll.signIn);
    await bed.start();
    await bed.stop();
    await bed.start();
    await bed.rest();
    assert.deepEqual(people(bed), ['at-shop']);
    // The log is forgotten in time; who spoke, and how, is not.
    await bed.store.write((tx) => tx.all(tx.q.deleteFrom('changes')));
    await resetTarget(bed, { policy: { ...limits, scopeUsers: 'userName pr' } });
    await askForSync(bed);
    await bed.rest();
    assert.deepEqual(people(bed), ['at-shop']);
  });
});

eachDatabase('a sign-in that waits', (database) => {
  it('waits for the bindings with JIT of its application, and fails as they say', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using other = await addTarget(bed, 'other', { policy: limits });
    const shop = await addApplication(bed, 'shop');
    await bed.store.write((tx) =>
      replaceBindings(tx, shop.spId, [
        { target: bed.targetId, jit: true, blocking: true, onFailure: 'fail' },
        { target: other.targetId, blocking: true, onFailure: 'fail' },
      ]),
    );
    const { waits } = openWaiting(bed, await bed.start());
    const settle = async (id: string, by: 'call' | 'sign-in') => {
      const subject = (await bed.store.read((reading) => readSubjects(reading, [id]))).get(id)!;
      const answer = waits.settle({ spId: shop.spId, subject, by });
      await ended(bed, answer);
      return answer;
    };
    const ada = await bed.addUser('ada', {}, shop.signIn);
    assert.deepEqual(outcomes(await settle(ada, 'sign-in')), ['partner:SCIM2 done']);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body: { detail: 'no' } } });
    const bob = await bed.addUser('bob', {}, shop.signIn);
    const [refused] = await settle(bob, 'sign-in');
    assert.deepEqual([refused?.outcome, refused?.onFailure], ['parked', 'fail']);
    assert.equal(await other.account(ada), undefined);
    await bed.changeUser(ada, 'ada', { title: 'called' }, shop.call);
    assert.deepEqual(outcomes(await settle(ada, 'call')), ['partner:SCIM2 done', 'other:SCIM2 done']);
  });
});
