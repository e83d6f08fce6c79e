import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountDetail } from '../../src/contract/account.ts';
import { CausesAnswer } from '../../src/contract/cause.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import { createOperator } from '../../src/inbound/operators.ts';
import { coreUserUrn } from '../../src/protocol/scim/schema.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, basic, fits, openAdminBed } from './admin-bed.ts';

eachDatabase('an account that is there already is adopted or left', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  let remoteId: string;
  const password = 'a word for olga and otto';
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (let n = 0; n < 200; n++) {
      if (await holds()) return;
      await sleep(50);
    }
    assert.fail(`it never came to be: ${what}`);
  };
  const status = async () => (await api.call('GET', '/status')).body.targets[0];
  const ada = '/accounts/partner:SCIM2/ada';

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'a-token' } });
    remoteId = fake.seedUser({ schemas: [coreUserUrn], userName: 'ada', active: true });
    const hash = await hashPassword(password);
    for (const [name, role] of [
      ['olga', 'operator'],
      ['otto', 'auditor'],
    ] as const) {
      await api.store.write((tx) => createOperator(tx, { name, hash, role, mustChange: false }));
    }
    await api.call('POST', '/identity-providers', { name: 'partner' });
    await api.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'a-token',
        'scim2-user-ep': fake.usersEndpoint,
      },
      policy: { adopt: 'ask' },
    });
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await api.startEngine();
    await api.call('POST', '/users', { userName: 'ada' });
    await api.call('POST', '/users', { userName: 'bob' });
    await until('one is parked', async () => (await status()).parked === 1 && (await status()).pending === 0);
  });
  after(() => fake.close());

  it('the account says whom it met', async () => {
    const shown = await api.call('GET', ada);
    assert.ok(fits(AccountDetail, shown.body), shown.text);
    assert.deepEqual(shown.body.conflict, { name: 'ada', adoptable: true, remotes: [{ remoteId, name: 'ada' }] });
    assert.deepEqual([shown.body.left, shown.body.decisions], [null, []]);
    assert.equal((await api.call('GET', '/accounts/partner:SCIM2/bob')).body.conflict, null);
  });

  it('an operator may decide, an auditor may not', async () => {
    for (const [act, body] of [
      ['adopt', { remoteId }],
      ['leave', {}],
    ] as const) {
      assert.equal((await api.call('POST', `${ada}/${act}`, body, basic('otto', password))).status, 403);
    }
    const left = await api.call('POST', `${ada}/leave`, { note: ' she has two ' }, basic('olga', password));
    assert.equal(left.status, 200, left.text);
    assert.deepEqual([left.body.left.by, left.body.left.note, left.body.state], ['olga', 'she has two', 'parked']);
  });

  it('who is left is no failure any more; others are, by their cause', async () => {
    assert.deepEqual((await api.call('GET', '/causes')).body, { accounts: 0, causes: 0, more: false, items: [] });
    const refused = { when: { method: 'POST', on: 'users' }, act: { kind: 'answer', status: 400 } } as const;
    for (const userName of ['eve', 'eva']) {
      fake.misbehave(refused);
      await api.call('POST', '/users', { userName });
      await until('it is parked', async () => (await status()).pending === 0 && (await status()).parked > 1);
    }
    await until('both are', async () => (await status()).parked === 3);
    const { body } = await api.call('GET', '/causes');
    assert.ok(fits(CausesAnswer, body), JSON.stringify(body));
    assert.deepEqual([body.accounts, body.causes, body.items[0].parked], [2, 1, 2]);
    assert.match(body.items[0].fix, /Mend the value/);
    const query = `target=partner:SCIM2&cause=${body.items[0].key}`;
    const listed = await api.call('GET', `/accounts?${query}`);
    assert.deepEqual([listed.body.items.length, listed.body.next], [2, null]);
    assert.equal((await api.call('GET', `/accounts?${query}&state=parked`)).status, 400);
    assert.equal((await api.call('GET', '/accounts?cause=x')).status, 400);
    const retried = await api.call('POST', `/accounts/retry?${query}`, undefined, basic('olga', password));
    assert.deepEqual([retried.status, retried.body], [202, { raised: 2, next: null }]);
    await until('they are done', async () => (await status()).parked === 1 && (await status()).pending === 0);
  });

  it('who is left is counted and listed by itself', async () => {
    const { parked, left } = await status();
    assert.deepEqual([parked, left], [1, 1]);
    const listed = async (query: string) => (await api.call('GET', `/accounts?${query}`)).body.items.length;
    assert.equal(await listed('state=parked&left=false'), 0);
    assert.equal(await listed('state=parked&left=true'), 1);
    assert.equal(await listed('left=false'), 3);
  });

  it('refuses what cannot be', async () => {
    const refusals: [string, unknown, number, RegExp][] = [
      ['adopt', {}, 400, /remoteId names the account/],
      ['adopt', { remoteId: 'u999' }, 400, /it met no account with the id u999/],
      ['adopt', { remoteId, force: true }, 400, /there is no force/],
      ['leave', { note: 'x'.repeat(501) }, 400, /at most 500/],
    ];
    for (const [act, body, code, why] of refusals) {
      const refused = await api.call('POST', `${ada}/${act}`, body);
      assert.equal(refused.status, code, refused.text);
      assert.match(refused.body.detail, why);
    }
    assert.equal((await api.call('POST', '/accounts/partner:SCIM2/bob/leave', {})).status, 409);
    assert.equal((await api.call('POST', '/accounts/partner:SCIM2/bob/adopt', { remoteId })).status, 409);
    assert.equal((await api.call('POST', '/accounts/partner:SCIM2/nobody/leave', {})).status, 404);
  });

  it('adopts, and says who decided; again is no fault', async () => {
    const adopted = await api.call('POST', `${ada}/adopt`, { remoteId }, basic('olga', password));
    assert.equal(adopted.status, 202, adopted.text);
    await until('it is done', async () => (await api.call('GET', ada)).body.state === 'done');
    const { body } = await api.call('GET', ada);
    assert.deepEqual([body.remoteId, body.origin, body.conflict], [remoteId, 'adopted', null]);
    assert.deepEqual(
      body.decisions.map((one: { what: string; by: string; ended: string }) => [one.what, one.by, one.ended]),
      [
        ['adopt', 'olga', 'used'],
        ['leave', 'olga', 'superseded'],
      ],
    );
    assert.equal((await api.call('POST', `${ada}/adopt`, { remoteId })).status, 202);
    assert.deepEqual([(await status()).parked, (await status()).left], [0, 0]);
  });

  it('an account is found by its id at the target, and by no part of it', async () => {
    const found = async (id: string, more = '') =>
      (await api.call('GET', `/accounts?remoteId=${encodeURIComponent(id)}${more}`)).body.items.map(
        (row: { subject: { name: string } }) => row.subject.name,
      );
    assert.deepEqual(await found(remoteId), ['ada']);
    assert.deepEqual(await found(remoteId, '&target=partner:SCIM2&kind=user'), ['ada']);
    assert.deepEqual(await found(remoteId, '&kind=group'), []);
    assert.deepEqual(await found(remoteId.slice(0, -1)), []);
  });
});
