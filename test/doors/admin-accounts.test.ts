import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountDetail, AccountPage } from '../../src/contract/account.ts';
import { AttemptDetail, AttemptPage } from '../../src/contract/attempt.ts';
import { ChangePage } from '../../src/contract/change.ts';
import { StatusAnswer } from '../../src/contract/status.ts';
import { SubjectDetail, SubjectList } from '../../src/contract/subject.ts';
import { createGroup } from '../../src/directory/groups.ts';
import { createUser, deleteUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

eachDatabase('accounts, attempts, changes and status', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  const ids: string[] = [];
  const origin = () => ({ spId: api.residentId, door: 'api', actor: 'test' }) as const;
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (let n = 0; n < 200; n++) {
      if (await holds()) return;
      await sleep(50);
    }
    assert.fail(`it never came to be: ${what}`);
  };
  const count = async (query: string) => (await api.call('GET', `/accounts?${query}`)).body.items.length;

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'the-secret-of-the-target' } });
    // One name is refused for good, so that there is something parked.
    fake.misbehave({
      when: { method: 'POST', on: 'users', that: (request) => JSON.stringify(request.body).includes('user3') },
      times: Number.POSITIVE_INFINITY,
      act: { kind: 'answer', status: 400, body: { detail: 'user3 is not welcome; the-secret-of-the-target' } },
    });
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const made = await api.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'the-secret-of-the-target',
        'scim2-user-ep': fake.usersEndpoint,
        'scim2-group-ep': fake.groupsEndpoint,
      },
    });
    assert.equal(made.status, 201, made.text);
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await api.startEngine();
    for (let n = 0; n < 5; n++) {
      const resource = readResource(userType, {
        schemas: [coreUserUrn],
        userName: `user${n}`,
        displayName: `User ${n}`,
      });
      const user = await api.store.write((tx) => createUser(tx, resource, { origin: origin() }));
      ids.push(user.id);
    }
    const group = readResource(groupType, {
      schemas: [coreGroupUrn],
      displayName: 'everybody',
      members: [{ value: ids[0] }, { value: ids[1] }],
    });
    await api.store.write((tx) => createGroup(tx, group, { origin: origin() }));
    api.store.signal('changes');
    await until('five are done and one is parked', async () => {
      // In this order: what is planned between the two calls shows as due in the second.
      const status = (await api.call('GET', '/status')).body as { unplannedChanges: number };
      const page = (await api.call('GET', '/accounts')).body.items as { state: string; due: boolean }[];
      return status.unplannedChanges === 0 && page.length === 6 && page.every((row) => !row.due);
    });
  });
  after(() => fake.close());

  it('an account says who let it in, and by what', async () => {
    const { why, waitsBehind } = (await api.call('GET', `/accounts/partner:SCIM2/${ids[0]}`)).body;
    assert.deepEqual(
      [why.serviceProvider, why.binding, why.heldBy, why.inScope, why.since.door, waitsBehind],
      ['resident', 'enabled', ['resident'], true, 'api', null],
    );
    assert.match(why.sentence, /^resident, by its binding to partner:SCIM2, since change \d+$/);
  });

  it('an account says which password did not get there, and that one is due', async () => {
    const set = (id: string, row: { pw_seq: number | null; pw_note: string | null }) =>
      api.store.write((tx) => tx.all(tx.q.updateTable('accounts').set(row).where('subject_id', '=', id)));
    await set(ids[0]!, { pw_seq: null, pw_note: 'password refused: too short' });
    await set(ids[1]!, { pw_seq: 99, pw_note: null });
    const shown = async (id: string) => {
      const { body } = await api.call('GET', `/accounts/partner:SCIM2/${id}`);
      return [body.passwordDue, body.passwordNote];
    };
    assert.deepEqual(await shown(ids[0]!), [false, 'password refused: too short']);
    assert.deepEqual(await shown(ids[1]!), [true, null]);
    const { body } = await api.call('GET', '/accounts?state=done');
    const noted = body.items.filter((row: { passwordNote: string | null }) => row.passwordNote !== null);
    assert.deepEqual(
      noted.map((row: { subject: { id: string } }) => row.subject.id),
      [ids[0]],
    );
    for (const id of [ids[0]!, ids[1]!]) await set(id, { pw_seq: null, pw_note: null });
  });

  it('list accounts by target, state, kind and subject, page by page', async () => {
    const whole = await api.call('GET', '/accounts');
    assert.ok(fits(AccountPage, whole.body), whole.text);
    assert.equal(whole.body.items.length, 6);
    assert.equal(whole.body.next, null);
    assert.equal(await count('target=partner:SCIM2&state=done'), 5);
    assert.equal(await count('state=parked,withheld'), 1);
    assert.equal(await count('kind=group'), 1);
    assert.equal(await count('subject=USER2'), 1);
    assert.equal(await count(`subject=${ids[2]}&kind=group`), 0);
    assert.equal(await count('due=true'), 0);
    const seen: string[] = [];
    let after = '';
    do {
      const page = await api.call('GET', `/accounts?limit=2${after && `&after=${after}`}`);
      assert.ok(page.body.items.length <= 2);
      seen.push(...page.body.items.map((row: { subject: { id: string } }) => row.subject.id));
      after = page.body.next;
    } while (after);
    assert.deepEqual(
      seen,
      whole.body.items.map((row: { subject: { id: string } }) => row.subject.id),
    );
  });

  it('show an account with what was said about it, secrets out of sight', async () => {
    const shown = await api.call('GET', '/accounts/partner:SCIM2/user3');
    assert.equal(shown.status, 200, shown.text);
    assert.ok(fits(AccountDetail, shown.body), shown.text);
    assert.equal(shown.body.state, 'parked');
    assert.match(shown.body.reason, /not welcome/);
    assert.equal(shown.body.serviceProvider, 'resident');
    const exchanges = shown.body.attempts.flatMap((attempt: AttemptDetail) => attempt.exchanges);
    assert.ok(exchanges.some((exchange: { status: number }) => exchange.status === 400));
    assert.ok(!api.heard.some((text) => text.includes('the-secret-of-the-target')));
    assert.ok(!api.logged.some((text) => text.includes('the-secret-of-the-target')));
    const done = await api.call('GET', `/accounts/partner:SCIM2/${ids[0]}`);
    assert.equal(done.body.state, 'done');
    assert.equal(done.body.remoteId, fake.userNamed('user0')!.id);
    assert.ok(done.body.acknowledged);
    assert.equal((await api.call('GET', '/accounts/partner:SCIM2/nobody')).status, 404);
  });

  it('list attempts, the latest first, and show one', async () => {
    const list = await api.call('GET', '/attempts?target=partner:SCIM2&limit=3');
    assert.ok(fits(AttemptPage, list.body), list.text);
    assert.equal(list.body.items.length, 3);
    const next = await api.call('GET', `/attempts?target=partner:SCIM2&limit=1000&after=${list.body.next}`);
    const all = [...list.body.items, ...next.body.items].map((row: { id: number }) => row.id);
    assert.deepEqual(
      all,
      [...all].sort((a, b) => b - a),
    );
    const refused = await api.call('GET', '/attempts?outcome=refused');
    assert.ok(refused.body.items.length > 0);
    assert.ok(refused.body.items.every((row: { outcome: string }) => row.outcome === 'refused'));
    const one = await api.call('GET', `/attempts/${refused.body.items[0].id}`);
    assert.ok(fits(AttemptDetail, one.body), one.text);
  });

  it('list changes after a sequence, or the last ones', async () => {
    const last = await api.call('GET', '/changes?limit=2');
    assert.ok(fits(ChangePage, last.body), last.text);
    assert.equal(last.body.items.length, 2);
    assert.equal(last.body.next, null);
    assert.equal(last.body.items[1].subject.name, 'everybody');
    const first = await api.call('GET', '/changes?after=0&limit=2');
    assert.equal(first.body.items[0].subject.name, 'user0');
    assert.equal(first.body.items[0].serviceProvider, 'resident');
    assert.equal(first.body.next, String(first.body.items[1].seq));
    const rest = await api.call('GET', `/changes?after=${first.body.next}`);
    assert.ok(rest.body.items.every((row: { seq: number }) => row.seq > Number(first.body.next)));
    const own = await api.call('GET', `/changes?subject=${ids[4]}`);
    assert.equal(own.body.items.length, 1);
  });

  it('count in the status what the lists show', async () => {
    const status = await api.call('GET', '/status');
    assert.ok(fits(StatusAnswer, status.body), status.text);
    assert.equal(status.body.users, 5);
    assert.equal(status.body.groups, 1);
    assert.equal(status.body.unplannedChanges, 0);
    assert.equal(status.body.database.kind, bed.kind);
    assert.deepEqual([status.body.targets[0].banners, status.body.targets[0].withheldRemovals], [[], 0]);
    const [target] = status.body.targets;
    assert.equal(target.name, 'partner:SCIM2');
    assert.deepEqual(target.boundBy, ['resident']);
    assert.equal(target.accounts, 6);
    assert.deepEqual(target.byState, { done: 5, parked: 1 });
    assert.equal(target.pending, 0);
    assert.equal(target.parked, 1);
    assert.deepEqual(target.held, []);
    assert.equal(target.oldestPendingMs, null);
  });

  it('list and show users and groups', async () => {
    const list = await api.call(
      'GET',
      `/users?limit=2&startIndex=2&filter=${encodeURIComponent('userName sw "user"')}`,
    );
    assert.ok(fits(SubjectList, list.body), list.text);
    assert.equal(list.body.total, 5);
    assert.equal(list.body.items.length, 2);
    const named = await api.call('GET', '/users?limit=2&startIndex=4&name=USER');
    assert.ok(fits(SubjectList, named.body), named.text);
    assert.deepEqual([named.body.total, named.body.more, named.body.startIndex], [5, false, 4]);
    assert.deepEqual(
      named.body.items.map(({ name }: { name: string }) => name),
      ['user3', 'user4'],
    );
    const user = await api.call('GET', '/users/USER0');
    assert.ok(fits(SubjectDetail, user.body), user.text);
    assert.equal(user.body.id, ids[0]);
    assert.deepEqual(
      user.body.groups.map((group: { name: string }) => group.name),
      ['everybody'],
    );
    assert.equal(user.body.accounts[0].target, 'partner:SCIM2');
    const group = await api.call('GET', '/groups/everybody');
    assert.equal(group.body.members.length, 2);
    assert.equal((await api.call('GET', '/groups/user0')).status, 404);
  });

  it('try a parked account again at once', async () => {
    fake.heal();
    const retried = await api.call('POST', '/accounts/partner:SCIM2/user3/retry');
    assert.equal(retried.status, 202, retried.text);
    assert.equal(retried.body.due, true);
    await until('the parked one is done', async () => (await count('state=done')) === 6);
    assert.ok(fake.userNamed('user3'));
    assert.equal((await api.call('POST', '/accounts/partner:SCIM2/nobody/retry')).status, 404);
  });

  it('say why a lane is held, and for how long somebody waits', async () => {
    fake.options.auth = { mode: 'bearer', token: 'another' };
    const [leaver] = ids;
    await api.store.write((tx) => deleteUser(tx, leaver!, { origin: origin() }));
    api.store.signal('changes');
    const held = async () => (await api.call('GET', '/status')).body.targets[0].held;
    await until('the lane is held', async () => (await held()).length > 0);
    const status = await api.call('GET', '/status');
    assert.ok(fits(StatusAnswer, status.body), status.text);
    assert.ok(status.body.targets[0].pending > 0);
    assert.equal(typeof status.body.targets[0].oldestPendingMs, 'number');
    assert.match((await held())[0].hold, /401/);
    const refused = await api.call('DELETE', '/targets/partner:SCIM2');
    assert.equal(refused.status, 409);
    const gone = await api.call('GET', `/accounts/partner:SCIM2/${leaver}`);
    assert.equal(gone.body.subject.life, 'gone');
    fake.options.auth = { mode: 'bearer', token: 'the-secret-of-the-target' };
  });

  it('cannot forget a target that has accounts', async () => {
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [] });
    const refused = await api.call('DELETE', '/targets/partner:SCIM2');
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /knows \d accounts/);
  });
});
