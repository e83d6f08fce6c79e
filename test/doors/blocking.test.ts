import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createPolicy } from '../../src/provisioning/policies.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { addTarget } from '../engine/another-target.ts';
import { type EngineBed, openEngineBed } from '../engine/bed.ts';
import { atOnce, bindResident, ended, openWaiting } from '../engine/waiting.ts';
import {
  type Answer,
  groupSchemas,
  openScimBed,
  operatorName,
  operatorPassword,
  patchSchemas,
  type ScimBed,
  userSchemas,
} from './scim-bed.ts';

const limits = { timeoutMs: 60_000, settleMs: 200, concurrency: 4 };
const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** A SCIM door in front of an engine bed; its callers speak for the resident service provider. */
async function openDoorBed(bed: EngineBed, boundMs = 10_000) {
  const waiting = openWaiting(bed, await bed.start(), { boundMs });
  const scim = await openScimBed(bed.store as Store, { clock: bed.clock, waits: waiting.waits });
  const authorization = `Basic ${Buffer.from(`${operatorName}:${operatorPassword}`).toString('base64')}`;
  const send: ScimBed['call'] = (method, path, body, headers = {}) =>
    scim.call(method, path, body, { authorization, ...headers });
  return {
    waits: waiting.waits,
    url: scim.url,
    authorization,
    send,
    /** The same, with test time going on until it is answered. */
    async call(...request: Parameters<ScimBed['call']>): Promise<Answer> {
      const answer = send(...request);
      await ended(bed, answer);
      return answer;
    },
    [Symbol.asyncDispose]: () => scim[Symbol.asyncDispose](),
  };
}

const user = (userName: string, more: object = {}) => ({ schemas: userSchemas, userName, ...more });

eachDatabase('the SCIM door and blocking bindings', (database) => {
  it('say nothing and wait for nothing where no binding blocks', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const from = bed.clock.now();
    const made = await door.send('POST', '/Users', user('ada'));
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('purvey-delivery'), null);
    assert.equal(bed.clock.now(), from);
    await bed.clock.runUntil(() => bed.fake.held > 0);
    await bed.fake.release();
    await bed.rest();
  });

  it('answer every write of users and groups when it is delivered, with the header', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const done = '"partner:SCIM2";outcome=done';
    const check = (answer: Answer, status: number) => {
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.headers.get('purvey-delivery'), done);
      return answer;
    };
    const ada = check(await door.call('POST', '/Users', user('ada')), 201).body;
    assert.ok(bed.fake.userNamed('ada'));
    check(await door.call('PUT', `/Users/${ada.id}`, user('ada', { title: 'Countess' })), 200);
    assert.equal(bed.fake.userNamed('ada')?.title, 'Countess');
    const replace = { schemas: patchSchemas, Operations: [{ op: 'replace', path: 'userName', value: 'ada.l' }] };
    check(await door.call('PATCH', `/Users/${ada.id}`, replace), 200);
    assert.ok(bed.fake.userNamed('ada.l'));
    const group = { schemas: groupSchemas, displayName: 'team', members: [{ value: ada.id }] };
    const team = check(await door.call('POST', '/Groups', group), 201).body;
    const [remoteId] = [...bed.fake.groups.keys()];
    assert.equal(bed.fake.membersOf(remoteId!).length, 1);
    const remove = { schemas: patchSchemas, Operations: [{ op: 'remove', path: 'members' }] };
    check(await door.call('PATCH', `/Groups/${team.id}`, remove), 204);
    assert.equal(bed.fake.membersOf(remoteId!).length, 0);
    check(await door.call('PUT', `/Groups/${team.id}`, { ...group, displayName: 'crew' }), 200);
    assert.ok(bed.fake.groupNamed('crew'));
    check(await door.call('DELETE', `/Groups/${team.id}`), 204);
    check(await door.call('DELETE', `/Users/${ada.id}`), 204);
    assert.equal(bed.fake.users.size + bed.fake.groups.size, 0);
    assert.equal((await door.send('GET', '/Users')).headers.get('purvey-delivery'), null);
  });

  it('answer a bulk request when all of it is delivered, and say of each operation what failed', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const bulk = (...Operations: object[]) => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations,
    });
    const post = (path: string, bulkId: string, data: object) => ({ method: 'POST', path, bulkId, data });
    const group = (displayName: string, ...ids: string[]) =>
      post('/Groups', displayName, {
        schemas: groupSchemas,
        displayName,
        members: ids.map((id) => ({ value: `bulkId:${id}` })),
      });
    const people = Array.from({ length: 30 }, (_, n) => post('/Users', `u${n}`, user(`u${n}`)));
    const all = await door.call('POST', '/Bulk', bulk(group('A', 'B', 'u7'), ...people, group('B', 'A')));
    assert.equal(all.headers.get('purvey-delivery'), '"partner:SCIM2";outcome=done');
    assert.deepEqual(new Set(all.body.Operations.map((one: { status: string }) => one.status)), new Set(['201']));
    assert.equal(bed.fake.users.size, 30);
    const remoteId = (name: string) => bed.fake.groupNamed(name)!.resource.id as string;
    assert.deepEqual([bed.fake.membersOf(remoteId('A')).length, bed.fake.membersOf(remoteId('B')).length], [2, 1]);

    const refusal = { kind: 'answer', status: 400, body: { detail: 'no room' } } as const;
    bed.fake.misbehave({ when: { method: 'POST' }, act: refusal });
    const some = await door.call(
      'POST',
      '/Bulk',
      bulk(post('/Users', 'eve', user('eve')), post('/Users', 'u1', user('u1'))),
    );
    const [eve, taken] = some.body.Operations;
    assert.deepEqual([eve.status, eve.response.status, taken.status], ['502', '502', '409']);
    assert.match(eve.response.detail, /is stored here.*no room/);
    assert.match(
      some.headers.get('purvey-delivery')!,
      /outcome=parked;reason="1 of 1 users and groups, the first: .*no room/,
    );
    assert.equal((await door.send('GET', eve.location)).status, 200);
    const hurried = await door.send('POST', '/Bulk', bulk(post('/Users', 'x', user('x'))), { prefer: 'wait=0' });
    assert.deepEqual([hurried.status, hurried.body.Operations[0].status], [200, '201']);
    assert.match(hurried.headers.get('purvey-delivery')!, /outcome=pending/);
    await bed.rest();
  });

  it('report by default: success, and the header says what the target refused', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId }]);
    const body = { detail: 'quota "gold" is used up: 50 € more' };
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body } });
    const made = await door.call('POST', '/Users', user('ada'));
    assert.equal(made.status, 201);
    const header = made.headers.get('purvey-delivery')!;
    assert.match(header, /^"partner:SCIM2";outcome=parked;reason=%"[\x20-\x7e]*50 %e2%82%ac more[^"]*"$/);
    assert.match(header, /%22gold%22/);
  });

  it('fail with 502, saying where the stored change is, when the target will not take it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const body = { detail: 'no more seats' };
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body } });
    const refused = await door.call('POST', '/Users', user('ada'));
    assert.equal(refused.status, 502);
    assert.match(refused.headers.get('content-type')!, /^application\/scim\+json/);
    assert.deepEqual(refused.body.schemas, [errorUrn]);
    assert.equal(refused.body.status, '502');
    assert.match(refused.body.detail, /^The change is stored here\. partner:SCIM2 does not take it, .*no more seats/);
    assert.match(
      refused.headers.get('purvey-delivery')!,
      /^"partner:SCIM2";outcome=parked;reason=".*no more seats.*"$/,
    );
    const stored = await door.send('GET', refused.headers.get('location')!);
    assert.equal(stored.status, 200);
    assert.equal(stored.body.userName, 'ada');

    // A removal of what never came there is done.
    const gone = await door.call('DELETE', refused.headers.get('location')!);
    assert.equal(gone.status, 204);
    assert.equal(gone.headers.get('purvey-delivery'), '"partner:SCIM2";outcome=done');
  });

  it('fail with 502 when a rule keeps it from the target', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    const document = fillTemplate({ policyId: 'p', template: 'claim', claim: 'title', values: ['Countess'] });
    await bed.store.write((tx) => createPolicy(tx, { name: 'p', document }, 'test'));
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail', rules: true }]);
    const withheld = await door.call('POST', '/Users', user('ada'));
    assert.equal(withheld.status, 502);
    assert.match(
      withheld.headers.get('purvey-delivery')!,
      /^"partner:SCIM2";outcome=withheld;reason="POST for resident/,
    );
    assert.match(withheld.body.detail, /A rule keeps it from partner:SCIM2: POST for resident/);
    const ada = withheld.headers.get('location')!;
    const permitted = await door.call('PUT', ada, user('ada', { title: 'Countess' }));
    assert.equal(permitted.status, 200);
    assert.equal(permitted.headers.get('purvey-delivery'), '"partner:SCIM2";outcome=done');
  });

  it('fail with 504 after the bound when the target is slow, and delivery goes on', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed, 2_000);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const from = bed.clock.now();
    const answer = door.send('POST', '/Users', user('ada'));
    let answered = false;
    void answer.then(() => {
      answered = true;
    });
    await bed.clock.runUntil(() => bed.fake.held > 0, { stepMs: 1 });
    const lost = bed.clock.now() - from;
    // In small steps, in which the waiter sees how far it is.
    await bed.clock.runUntil(() => bed.clock.now() - from >= 1_500, { stepMs: 10 });
    await bed.clock.advance(from + 1_990 - bed.clock.now());
    assert.equal(answered, false, 'before the bound');
    await bed.clock.advance(lost + 10);
    const late = await atOnce(answer);
    assert.equal(late.status, 504);
    assert.match(
      late.body.detail,
      /^The change is stored here\. partner:SCIM2 does not have it yet: not delivered within 2 s\./,
    );
    assert.match(late.body.detail, /delivery goes on by itself\.$/);
    assert.equal((await door.send('GET', late.headers.get('location')!)).status, 200);
    await bed.fake.release();
    await bed.rest();
    await bed.assertAgrees();

    bed.fake.misbehave({ when: { method: 'DELETE' }, act: { kind: 'hold', applied: false } });
    const removal = await door.call('DELETE', late.headers.get('location')!);
    assert.equal(removal.status, 504);
    assert.equal(removal.headers.get('location'), null, 'there is nothing any more');
    await bed.fake.release();
    await bed.rest();
  });

  it('fail with 504 at once while the lane is held', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const act = { kind: 'answer', status: 401, body: {} } as const;
    bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, when: { on: 'users' }, act });
    await door.call('POST', '/Users', user('ada'));
    const from = bed.clock.now();
    const answer = door.send('POST', '/Users', user('bob'));
    await ended(bed, answer, { stepMs: 1 });
    const second = await answer;
    assert.ok(bed.clock.now() - from < 300, `${bed.clock.now() - from} ms`);
    assert.equal(second.status, 504);
    assert.match(second.headers.get('purvey-delivery')!, /outcome=pending;reason="the lane is held: /);
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
  });

  it('name every blocking target, and fail only for those that say so', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed, 1_000);
    await using other = await addTarget(bed, 'hr', { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    await bindResident(bed, [{ targetId: bed.targetId }, { targetId: other.targetId, onFailure: 'fail' }]);
    const made = await door.call('POST', '/Users', user('ada'));
    assert.equal(made.status, 201);
    assert.equal(
      made.headers.get('purvey-delivery'),
      '"partner:SCIM2";outcome=pending;reason="not delivered within 1 s", "hr:SCIM2";outcome=done',
    );
    await bed.fake.release();
    await bed.rest();
    await bindResident(bed, [
      { targetId: bed.targetId, blocking: false },
      { targetId: other.targetId, onFailure: 'fail' },
    ]);
    const next = await door.call('POST', '/Users', user('bob'));
    assert.equal(next.headers.get('purvey-delivery'), '"hr:SCIM2";outcome=done', 'only who blocks is named');
  });

  it('do not hold up who wishes not to wait', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'hold', applied: false } });
    const from = bed.clock.now();
    const made = await door.send('POST', '/Users', user('ada'), { prefer: 'return=minimal, wait=0' });
    assert.equal(bed.clock.now(), from);
    assert.equal(made.status, 201);
    assert.match(made.headers.get('purvey-delivery')!, /outcome=pending/);
    await bed.clock.runUntil(() => bed.fake.held > 0);
    await bed.fake.release();
    await bed.rest();
  });

  it('say nothing of targets when the request itself is refused', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    await door.call('POST', '/Users', user('ada'));
    const taken = await door.call('POST', '/Users', user('ADA'));
    assert.equal(taken.status, 409);
    assert.equal(taken.headers.get('purvey-delivery'), null);
  });

  it('stop waiting when the client goes away, and answer when the server stops', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bindResident(bed, [{ targetId: bed.targetId, onFailure: 'fail' }]);
    const act = { kind: 'hold', applied: false } as const;
    bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, when: { method: 'POST' }, act });
    const client = new AbortController();
    const abandoned = fetch(`${door.url}/Users`, {
      method: 'POST',
      headers: { authorization: door.authorization, 'content-type': 'application/scim+json' },
      body: JSON.stringify(user('ada')),
      signal: client.signal,
    }).catch((error: Error) => error.name);
    await bed.clock.runUntil(() => bed.fake.held > 0, { stepMs: 5 });
    const timers = bed.clock.waiting();
    client.abort();
    assert.equal(await abandoned, 'AbortError');
    // Its bound and the looking after it are gone.
    for (let n = 0; n < 100 && bed.clock.waiting() >= timers; n++) await new Promise((r) => setTimeout(r, 10));
    assert.ok(bed.clock.waiting() < timers);

    const waiting = door.send('POST', '/Users', user('bob'));
    await bed.clock.runUntil(async () => (await bed.accounts()).length === 2, { stepMs: 5 });
    const from = bed.clock.now();
    door.waits.stop();
    const answer = await waiting;
    assert.equal(bed.clock.now(), from);
    assert.equal(answer.status, 504);
    assert.match(answer.body.detail, /stopping/);
    bed.fake.heal();
    await bed.rest();
    await bed.assertAgrees();
  });
});
