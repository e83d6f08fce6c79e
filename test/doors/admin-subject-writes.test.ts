import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreviewAnswer } from '../../src/contract/account.ts';
import { SubjectDetail } from '../../src/contract/subject.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

eachDatabase('people and groups by the admin API', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/user-store-domains', { name: 'SALES' });
  });

  it('a user is added for the resident service provider, and any part of it changed', async () => {
    const ada = {
      userName: 'ada',
      displayName: 'Ada Lovelace',
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      emails: [{ value: 'ada@acme.example', type: 'work', primary: true }],
      [enterprise]: { department: 'Research', costCenter: 'R1' },
    };
    const made = await api.call('POST', '/users', ada);
    assert.equal(made.status, 201, made.text);
    assert.ok(fits(SubjectDetail, made.body));
    assert.equal(made.body.attributes.name.familyName, 'Lovelace');
    const patch = {
      title: 'Countess',
      name: { familyName: 'King' },
      [enterprise]: { department: null },
      active: false,
    };
    const changed = await api.call('PATCH', '/users/ada', patch);
    assert.equal(changed.status, 200, changed.text);
    const { attributes, active } = changed.body;
    assert.deepEqual(attributes.name, { givenName: 'Ada', familyName: 'King' });
    assert.deepEqual(attributes[enterprise], { costCenter: 'R1' });
    assert.equal(attributes.emails[0].value, 'ada@acme.example', 'what was not named is as it was');
    assert.equal(active, false);
    const changes = await api.call('GET', `/changes?subject=${made.body.id}`);
    assert.equal(changes.body.items.length, 2);
    assert.deepEqual(
      [...new Set(changes.body.items.map((one: { serviceProvider: string }) => one.serviceProvider))],
      ['resident'],
    );
    const same = await api.call('PATCH', '/users/ada', { title: 'Countess' });
    assert.equal(same.status, 200);
    assert.equal((await api.call('GET', `/changes?subject=${made.body.id}`)).body.items.length, 2, 'nothing changed');
  });

  it('a name belongs to a user store domain, and a password is never shown', async () => {
    const made = await api.call('POST', '/users', {
      userName: 'bob',
      domain: 'sales',
      password: 'correct horse battery',
    });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.name, 'SALES/bob');
    const changed = await api.call('PATCH', `/users/${made.body.id}`, {
      displayName: 'Bob',
      password: 'another good one',
    });
    assert.equal(changed.body.name, 'SALES/bob', changed.text);
    assert.ok(![...api.heard, ...api.logged].some((text) => /correct horse|another good one/.test(text)));
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('passwords').selectAll()));
    assert.equal(rows.length, 1);
  });

  it('members come and go one by one, and are listed page by page', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await api.call('POST', '/users', { userName: `member${n}` })).body.id);
    const made = await api.call('POST', '/groups', { displayName: 'Team' });
    assert.equal(made.status, 201, made.text);
    const path = `/groups/${made.body.id}`;
    assert.equal((await api.call('PATCH', path, { add: ids })).status, 200);
    assert.equal((await api.call('PATCH', path, { remove: [ids[0]], displayName: 'Crew' })).body.name, 'Crew');
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page = await api.call('GET', `${path}/members?limit=3${next === '' ? '' : `&after=${next}`}`);
      seen.push(...page.body.items.map((one: { id: string }) => one.id));
      next = page.body.next;
    }
    assert.deepEqual(seen.toSorted(), ids.slice(1).toSorted());
  });

  it('what cannot be done is said with the field, and changes nothing', async () => {
    const cases: [string, string, unknown, number, string | undefined][] = [
      ['POST', '/users', {}, 400, undefined],
      ['POST', '/users', { userName: 'ADA' }, 409, 'userName'],
      ['POST', '/users', { userName: 'x', domain: 'NOWHERE' }, 400, 'domain'],
      ['POST', '/users', { userName: 'x', password: 5 }, 400, 'password'],
      ['POST', '/users', { userName: 'x', active: 'perhaps' }, 400, undefined],
      ['PATCH', '/users/nobody', { title: 'x' }, 404, undefined],
      ['PATCH', '/users/ada', { userName: null }, 400, undefined],
      ['PATCH', '/groups/Crew', {}, 400, 'displayName'],
      ['PATCH', '/groups/Crew', { members: [] }, 400, 'members'],
      ['PATCH', '/groups/Crew', { add: ['nobody'] }, 400, undefined],
      ['PATCH', '/groups/Crew', { remove: 'ada' }, 400, 'remove'],
      ['DELETE', '/users/nobody', undefined, 404, undefined],
      ['GET', '/groups/nobody/members', undefined, 404, undefined],
    ];
    const last = (await api.call('GET', '/changes?limit=1')).body.items[0].seq;
    for (const [method, path, body, status, field] of cases) {
      const refused = await api.call(method, path, body);
      assert.equal(refused.status, status, `${method} ${path} ${JSON.stringify(body)}: ${refused.text}`);
      if (field !== undefined) assert.equal(refused.body.field, field, refused.text);
    }
    assert.equal((await api.call('GET', '/changes?limit=1')).body.items[0].seq, last);
  });

  it('who is removed is gone, and a group goes without its members', async () => {
    assert.equal((await api.call('DELETE', '/groups/Crew')).status, 204);
    assert.equal((await api.call('GET', '/users/member1')).status, 200);
    assert.equal((await api.call('DELETE', '/users/member1')).status, 204);
    assert.equal((await api.call('GET', '/users/member1')).status, 404);
  });
});

eachDatabase('what an account would be sent, and many accounts tried again', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'first-secret-token' } });
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const settings = {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'first-secret-token',
      'scim2-user-ep': fake.usersEndpoint,
      'scim2-group-ep': fake.groupsEndpoint,
    };
    const made = await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
    assert.equal(made.status, 201, made.text);
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await api.startEngine();
  });
  after(() => fake.close());

  const preview = async (name: string) => {
    const answer = await api.call('GET', `/accounts/partner:SCIM2/${name}/preview`);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(fits(PreviewAnswer, answer.body), answer.text);
    return answer.body;
  };
  const until = async (name: string, state: string) => {
    for (let n = 0; n < 200; n++) {
      const { body } = await api.call('GET', `/accounts/partner:SCIM2/${name}`);
      if (body?.state === state && body.due === false) return body;
      await sleep(25);
    }
    assert.fail(`${name} did not become ${state}: ${(await api.call('GET', `/accounts/partner:SCIM2/${name}`)).text}`);
  };

  it('a preview says what would be sent, from where each value comes, and sends nothing', async () => {
    await api.call('POST', '/users', { userName: 'ada', displayName: 'Ada', title: 'Countess' });
    await until('ada', 'done');
    assert.equal((await preview('ada')).operation, 'nothing');
    await api.call('POST', '/targets/partner:SCIM2/pause');
    await api.call('PATCH', '/users/ada', { displayName: 'Ada King', title: null });
    const requests = fake.requests.length;
    const shown = await preview('ada');
    assert.equal(shown.operation, 'update');
    assert.deepEqual(shown.set, ['displayName']);
    assert.deepEqual(shown.unset, ['title']);
    assert.equal(shown.rule, null);
    const name = shown.mapping.find((row: { to: string }) => row.to === 'userName');
    assert.deepEqual(name, { to: 'userName', from: '$name', value: 'ada' });
    assert.equal(fake.requests.length, requests);
    await api.call('PUT', '/service-providers/resident/bindings', {
      bindings: [{ target: 'partner:SCIM2', rules: true }],
    });
    assert.equal((await preview('ada')).rule.action, 'let-through');
    await api.call('POST', '/targets/partner:SCIM2/resume');
    await until('ada', 'done');
    assert.equal((await preview('ada')).operation, 'nothing');
  });

  it('a preview knows groups that have to be at the target already', async () => {
    await api.call('PATCH', '/targets/partner:SCIM2', { policy: { groups: 'link-existing' } });
    await api.call('POST', '/groups', { displayName: 'Crew' });
    await until('Crew', 'parked');
    assert.equal((await preview('Crew')).operation, 'find');
    await api.call('PATCH', '/targets/partner:SCIM2', { policy: { groups: 'none' } });
    assert.equal((await preview('Crew')).operation, 'none');
    await api.call('DELETE', '/groups/Crew');
    await api.call('PATCH', '/targets/partner:SCIM2', { policy: { groups: 'full' } });
  });

  it('parked accounts are tried again all together, and found by what was said of them', async () => {
    const names = ['eve1', 'eve2', 'eve3'];
    const fault = fake.misbehave({
      when: { method: 'POST', on: 'users' },
      times: 3,
      act: { kind: 'answer', status: 422 },
    });
    for (const userName of names) await api.call('POST', '/users', { userName });
    for (const name of names) await until(name, 'parked');
    const found = await api.call('GET', '/attempts?status=422');
    assert.equal(found.body.items.length, 3, found.text);
    const [reason] = found.body.items.map((one: { reason: string }) => one.reason);
    const byText = await api.call(
      'GET',
      `/attempts?text=${encodeURIComponent(reason.slice(3, 20).toUpperCase())}&status=422`,
    );
    assert.equal(byText.body.items.length, 3, byText.text);
    assert.equal((await api.call('GET', '/attempts?text=100%25_')).body.items.length, 0, 'signs are taken as they are');
    fault.stop();
    assert.equal((await api.call('POST', '/accounts/retry')).body.field, 'state');
    const raised = await api.call('POST', '/accounts/retry?target=partner:SCIM2&state=parked');
    assert.equal(raised.status, 202);
    assert.deepEqual(raised.body, { raised: 3, next: null });
    for (const name of names) await until(name, 'done');
  });
});
