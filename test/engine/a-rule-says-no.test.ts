import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Origin } from '../../src/directory/changes.ts';
import { createPolicy, readPolicy, removePolicy, replacePolicy } from '../../src/provisioning/policies.ts';
import { createServiceProvider, replaceBindings } from '../../src/provisioning/service-providers.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import type { TemplateForm } from '../../src/rules/templates/form.ts';
import { eachDatabase } from '../database.ts';
import { apply, designator, policy, rule, value } from '../spec/xacml-case.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

// Engine rule 22: with *Enable rules* on a binding each operation is asked about before anything is said.

const hour = 3_600_000;
const stringEqual = 'urn:oasis:names:tc:xacml:1.0:function:string-equal';
const oneAndOnly = 'urn:oasis:names:tc:xacml:1.0:function:string-one-and-only';

async function enableRules(bed: EngineBed, spId = bed.resident.spId): Promise<void> {
  await bed.store.write((tx) => replaceBindings(tx, spId, [{ target: bed.targetId, rules: true }]));
  bed.store.signal('targets');
}

async function putPolicy(bed: EngineBed, document: string, name = 'p'): Promise<void> {
  await bed.store.write(async (tx) => {
    const known = await readPolicy(tx, name).catch(() => undefined);
    if (known) await replacePolicy(tx, known.id, { name, document }, 'test');
    else await createPolicy(tx, { name, document }, 'test');
  });
  bed.store.signal('targets');
}

const fill = (form: Partial<TemplateForm> & Pick<TemplateForm, 'template'>) => fillTemplate({ policyId: 'p', ...form });
const people = (bed: EngineBed) => [...bed.fake.users.values()].map((user) => user.userName).sort();
const sentBy = (bed: EngineBed) => bed.fake.requests.filter((request) => request.method !== 'GET').length;

/** Denies one operation and permits the rest. */
const denying = (operation: string) => {
  const category = 'http://wso2.org/identity/provisioning';
  const asked = designator('http://wso2.org/identity/provisioning/provision-operation', 'string', { category });
  const condition = apply(stringEqual, apply(oneAndOnly, asked), value('string', operation));
  return policy(rule('Deny', { id: `no-${operation}`, condition }) + rule('Permit', { id: 'else' }), {
    id: 'p',
    combining: 'urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable',
  });
};

eachDatabase('a rule says no', (database) => {
  it('withholds with its reason, and delivers once the policy says yes', async () => {
    await using bed = await openEngineBed(database);
    await putPolicy(bed, fill({ template: 'role', roles: ['Sales'] }));
    await enableRules(bed);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    assert.deepEqual(people(bed), []);
    const withheld = await bed.account(ada);
    assert.equal(withheld?.state, 'withheld');
    assert.match(
      withheld?.reason ?? '',
      /^POST for resident: denied by policy p: Withhold everybody else: not in Sales\.$/,
    );
    const [attempt] = await bed.attempts(ada);
    assert.deepEqual([attempt?.outcome, attempt?.rule], ['withheld', withheld?.reason]);

    await putPolicy(bed, fill({ template: 'claim', claim: 'userName', values: ['ada'] }));
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
    assert.equal((await bed.account(ada))?.state, 'done');
    assert.match(
      (await bed.attempts(ada)).at(-1)?.rule ?? '',
      /permitted by policy p: Let through everybody whose userName is ada\./,
    );
  });

  it('asks again when the subject changes, and lets out nothing else meanwhile', async () => {
    await using bed = await openEngineBed(database);
    await putPolicy(bed, fill({ template: 'claim', claim: 'title', values: ['Countess'] }));
    await enableRules(bed);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.addUser('bob', { title: 'Countess' });
    await bed.rest();
    assert.deepEqual(people(bed), ['bob']);
    await bed.changeUser(ada, 'ada', { title: 'Countess' });
    await bed.rest();
    assert.deepEqual(people(bed), ['ada', 'bob']);
    await bed.changeUser(ada, 'ada.king', { title: 'Lady' });
    await bed.rest();
    assert.deepEqual(people(bed), ['ada', 'bob'], 'a no withholds, and removes nothing');
    assert.equal((await bed.account(ada))?.state, 'withheld');
  });

  it('roles are the groups at the moment, with every operation', async () => {
    await using bed = await openEngineBed(database);
    await putPolicy(bed, fill({ template: 'role', roles: ['Sales'] }));
    await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, [{ target: bed.targetId, rules: true }]));
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.addGroup('Sales', [ada]);
    await bed.changeUser(ada, 'ada', { title: 'seller' });
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });

  it('asks again when somebody joins a group, and when a group is renamed', async () => {
    await using bed = await openEngineBed(database);
    await putPolicy(bed, fill({ template: 'role', roles: ['Sales'] }));
    await enableRules(bed);
    await bed.start();
    const [ada, bob] = [await bed.addUser('ada'), await bed.addUser('bob')];
    const sales = await bed.addGroup('Sales');
    const crew = await bed.addGroup('crew', [bob]);
    await bed.rest();
    assert.deepEqual([people(bed), (await bed.account(ada))?.state], [[], 'withheld']);
    await bed.addMember(sales, ada);
    await bed.rest();
    assert.deepEqual([people(bed), (await bed.account(bob))?.state], [['ada'], 'withheld']);
    await bed.renameGroup(sales, 'Buyers', [ada]);
    await bed.renameGroup(crew, 'Sales', [bob]);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada', 'bob']);
    const attempts = (await bed.attempts()).filter((one) => one.kind === 'user').length;
    await bed.removeMember(crew, bob);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada', 'bob'], 'a no removes nothing');
    assert.equal((await bed.attempts()).filter((one) => one.kind === 'user').length, attempts);
  });

  it('a withheld removal keeps the account and raises an alarm, until it may go', async () => {
    await using bed = await openEngineBed(database);
    await enableRules(bed);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    assert.deepEqual(people(bed), ['ada'], 'no rule applies: it is let through');
    await putPolicy(bed, denying('DELETE'));
    await bed.removeUser(ada);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
    const row = await bed.account(ada);
    assert.deepEqual([row?.state, row?.withheld_operation], ['withheld', 'DELETE']);
    await bed.store.write(async (tx) => removePolicy(tx, (await readPolicy(tx, 'p')).id, 'test'));
    bed.store.signal('targets');
    await bed.rest();
    assert.deepEqual(people(bed), []);
    assert.equal(await bed.account(ada), undefined);
  });

  it('what cannot be decided parks: nothing sent, nothing removed, and it goes once it can be', async () => {
    await using bed = await openEngineBed(database);
    const title = designator('title', 'string', { category: 'http://wso2.org/identity/user' });
    const missing = apply(stringEqual, apply(oneAndOnly, title), value('string', 'x'));
    await putPolicy(bed, policy(rule('Permit', { id: 'r', condition: missing }), { id: 'p' }));
    await enableRules(bed);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    const row = await bed.account(ada);
    assert.equal(row?.state, 'parked');
    assert.match(row?.reason ?? '', /cannot be decided/);
    assert.equal(sentBy(bed), 0);
    await putPolicy(bed, fill({ template: 'claim', claim: 'userName', values: ['ada'] }));
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });

  it('a rule that reads the clock is asked again within a minute, also after a restart', async () => {
    await using bed = await openEngineBed(database);
    const now = new Date(bed.store.now());
    const clock = (ms: number) => new Date(now.getTime() + ms).toISOString().slice(11, 19);
    await putPolicy(bed, fill({ template: 'time', from: clock(2 * hour), to: clock(4 * hour) }));
    await enableRules(bed);
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.pass(90_000);
    assert.equal((await bed.account(ada))?.state, 'withheld');
    const before = (await bed.attempts(ada)).length;
    await bed.pass(300_000);
    assert.equal((await bed.attempts(ada)).length, before, 'asking again writes no attempts');
    await bed.stop();
    await bed.clock.advance(2 * hour);
    await bed.start();
    await bed.pass(60_000);
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
  });

  it('all who spoke since the last delivery and have rules on are asked, and all must permit', async () => {
    await using bed = await openEngineBed(database);
    const hr = await bed.store.write(async (tx) => {
      const { id } = await createServiceProvider(tx, { name: 'hr' });
      await replaceBindings(tx, id, [{ target: bed.targetId, rules: true }]);
      return { spId: id, door: 'scim', actor: 'test' } satisfies Origin;
    });
    await putPolicy(bed, fill({ template: 'claim', serviceProvider: 'hr', claim: 'title', values: ['CEO'] }));
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    assert.deepEqual(people(bed), ['ada'], 'the resident one has rules off: nobody is asked');
    await bed.changeUser(ada, 'ada', { title: 'clerk' }, hr);
    await bed.rest();
    assert.match((await bed.account(ada))?.reason ?? '', /^PUT for hr: denied/);
    await bed.changeUser(ada, 'ada', { title: 'secretary' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'withheld', "hr's change is undelivered still");
    await bed.changeUser(ada, 'ada', { title: 'CEO' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.changeUser(ada, 'ada', { title: 'retired' });
    await bed.rest();
    assert.equal((await bed.account(ada))?.state, 'done', 'only the resident one spoke since');
  });

  it('resolving doubt asks no rule; what follows from it does', async () => {
    await using bed = await openEngineBed(database);
    await enableRules(bed);
    bed.fake.misbehave({ times: 1, when: { on: 'users', method: 'POST' }, act: { kind: 'drop', applied: true } });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.clock.runUntil(async () => (await bed.account(ada))?.doubt !== null && bed.fake.users.size === 1, {
      what: 'a creation without an answer',
    });
    await putPolicy(bed, denying('POST'));
    await bed.rest();
    assert.deepEqual(people(bed), ['ada']);
    const row = await bed.account(ada);
    assert.equal(row?.state, 'done', 'found out without asking, and nothing more to say');
    assert.equal(row?.doubt, null);
  });

  it('a policy that cannot be used is refused with its line, and what is in force stays', async () => {
    await using bed = await openEngineBed(database);
    await putPolicy(bed, denying('DELETE'));
    const broken = denying('DELETE').replace('<Policy ', '<Policy Wrong="1" ');
    await assert.rejects(putPolicy(bed, broken), (error: { code?: string; field?: string; line?: number }) => {
      assert.deepEqual([error.code, error.field, error.line], ['invalidValue', 'document', 1]);
      return true;
    });
    const { version, document } = await bed.store.read((reading) => readPolicy(reading, 'p'));
    assert.deepEqual([version, document], [1, denying('DELETE')]);
  });
});
