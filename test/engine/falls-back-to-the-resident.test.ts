import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Origin } from '../../src/directory/changes.ts';
import { readSubjects } from '../../src/directory/subjects.ts';
import { listBindingsForDelivery } from '../../src/provisioning/bindings.ts';
import { countNewcomers } from '../../src/provisioning/newcomers.ts';
import { createPolicy } from '../../src/provisioning/policies.ts';
import {
  createServiceProvider,
  removeServiceProvider,
  replaceBindings,
  replaceServiceProvider,
} from '../../src/provisioning/service-providers.ts';
import { readTarget } from '../../src/provisioning/targets.ts';
import { readWhyHere } from '../../src/provisioning/why-here.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';
import { bindResident, ended, openWaiting, outcomes } from './waiting.ts';
import { askForSync, bind } from './waves.ts';

// An application without bindings of its own goes by those of the resident service provider, unless it says otherwise.

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

async function addApplication(bed: EngineBed, name: string, fallback?: 'none'): Promise<Origin> {
  const { id: spId } = await bed.store.write((tx) =>
    createServiceProvider(tx, { name, ...(fallback && { fallback }) }),
  );
  return { spId, door: 'scim', actor: name };
}

async function setFallback(bed: EngineBed, { spId }: Origin, name: string, fallback: 'resident' | 'none') {
  const set = await bed.store.write((tx) => replaceServiceProvider(tx, spId, { name, fallback }));
  bed.store.signal('targets');
  return set;
}

const people = (bed: EngineBed) => [...bed.fake.users.values()].map((user) => user.userName).sort();

async function why(bed: EngineBed, subjectId: string) {
  const account = (await bed.account(subjectId))!;
  return bed.store.read(async (reading) => {
    const subject = (await readSubjects(reading, [subjectId])).get(subjectId);
    return readWhyHere(reading, await readTarget(reading, bed.targetId), account, subject);
  });
}

eachDatabase('a service provider that falls back to the resident one', (database) => {
  it('lets in by its bindings while it has none of its own, also when it was made a moment ago', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await bed.addUser('first');
    await bed.rest();
    // The engine learned of its targets before there was this service provider, and nobody told it.
    const hr = await addApplication(bed, 'hr');
    const crm = await addApplication(bed, 'crm', 'none');
    const ada = await bed.addUser('ada', {}, hr);
    await bed.addUser('bob', {}, crm);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada', 'first']);
    const told = await why(bed, ada);
    assert.deepEqual([told.serviceProvider, told.fallsBackTo, told.heldBy], ['hr', 'resident', ['hr']]);
    assert.match(told.sentence, /^hr, by the binding of resident to partner:SCIM2 \(it has none of its own\), since/);
  });

  it('is no way in for sign-ins', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const hr = await addApplication(bed, 'hr');
    await bed.addUser('ada', {}, { ...hr, door: 'login' });
    await bed.rest();
    await askForSync(bed);
    await bed.rest();
    assert.deepEqual(people(bed), []);
  });

  it('goes by its own once it has one, even one that is switched off; accounts rest, and come back with the fallback', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const hr = await addApplication(bed, 'hr');
    const ada = await bed.addUser('ada', { title: 'one' }, hr);
    await bed.rest();
    const own = await bed.store.write((tx) => replaceBindings(tx, hr.spId, [{ target: bed.targetId, enabled: false }]));
    assert.deepEqual([own.concerned, own.letsIn], [[bed.targetId], []]);
    bed.store.signal('targets');
    await bed.changeUser(ada, 'ada', { title: 'two' }, hr);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    const back = await bed.store.write((tx) => replaceBindings(tx, hr.spId, []));
    assert.deepEqual([back.concerned, back.letsIn], [[bed.targetId], [bed.targetId]]);
    bed.store.signal('targets');
    await bed.rest();
    await bed.assertAgrees();
  });

  it('follows the switch at once: off, accounts rest; on, they catch up and the others are for a sync', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const engine = await bed.start();
    const hr = await addApplication(bed, 'hr', 'none');
    await bed.addUser('early', {}, hr);
    await bed.rest();
    const missing = async () => {
      const book = await engine.currentBook();
      return (await countNewcomers(bed.store, book, book.targets.get(bed.targetId)!)).users;
    };
    assert.deepEqual([people(bed), await missing()], [[], 0]);
    await setFallback(bed, hr, 'hr', 'resident');
    const ada = await bed.addUser('ada', { title: 'one' }, hr);
    await bed.rest();
    assert.deepEqual([people(bed), await missing()], [['ada'], 1]);
    await setFallback(bed, hr, 'hr', 'none');
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'two' }, hr);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    await setFallback(bed, hr, 'hr', 'resident');
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'two');
    await askForSync(bed);
    await bed.rest();
    await bed.assertAgrees();
  });

  it('rests with the resident one, and when it is removed', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const hr = await addApplication(bed, 'hr');
    const ada = await bed.addUser('ada', { title: 'one' }, hr);
    await bed.rest();
    await bind(bed, bed.resident.spId, 'not at all');
    await bed.changeUser(ada, 'ada', { title: 'two' }, hr);
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    await bind(bed, bed.resident.spId, true);
    await bed.rest();
    await bed.assertAgrees();
    await bed.store.write((tx) => removeServiceProvider(tx, hr.spId));
    bed.store.signal('targets');
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'unbound');
    assert.deepEqual(people(bed), ['ada']);
  });

  it('is waited for, and asks the rules in its own name', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    const hr = await addApplication(bed, 'hr');
    const document = fillTemplate({
      policyId: 'p',
      template: 'claim',
      serviceProvider: 'hr',
      claim: 'title',
      values: ['CEO'],
    });
    await bed.store.write((tx) => createPolicy(tx, { name: 'p', document }, 'test'));
    await bindResident(bed, [{ targetId: bed.targetId, rules: true, onFailure: 'fail' }]);
    const { waits } = openWaiting(bed, await bed.start());
    const ada = await bed.addUser('ada', { title: 'clerk' }, hr);
    const subject = (await bed.store.read((reading) => readSubjects(reading, [ada]))).get(ada)!;
    const answer = waits.settle({ spId: hr.spId, subject });
    await ended(bed, answer);
    assert.deepEqual(outcomes(await answer), ['partner:SCIM2 withheld']);
    assert.match((await bed.account(ada))?.reason ?? '', /^POST for hr: denied/);
    assert.deepEqual(await waits.settle({ spId: hr.spId, subject, by: 'sign-in' }), []);
    assert.equal((await bed.store.read(listBindingsForDelivery)).length, 1, 'one row, whoever goes by it');
  });

  it('counts as bound where the policy follows bound service providers only', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, follow: 'bound' } });
    await bed.start();
    const hr = await addApplication(bed, 'hr');
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    await bed.changeUser(ada, 'ada', { title: 'two' }, hr);
    await bed.rest();
    await bed.assertAgrees();
  });
});
