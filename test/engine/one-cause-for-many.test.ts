import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { causeOf } from '../../src/provisioning/cause-of.ts';
import { listAccountsOfCause, listCauses } from '../../src/provisioning/causes.ts';
import { leaveParked } from '../../src/provisioning/decisions.ts';
import { listAccounts } from '../../src/provisioning/inspect.ts';
import { fixOf } from '../../src/provisioning/known-fixes.ts';
import { retryAccount } from '../../src/provisioning/retry.ts';
import type { FakeRequest } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

describe('the cause of a reason', () => {
  const same: [string, string, string][] = [
    ['quoted values', 'the target already has "ada" (id u1), which', 'the target already has "bob" (id 77), which'],
    ['lists of any length', 'it has "a" (id 1), "b" (id 2) there', 'it has "c" (id 3) there'],
    ['addresses', 'ada@acme.example is taken', 'bob.b@sub.acme.example is taken'],
    ['ids', 'waits for 01936f2e-1111-7abc-8def-0123456789ab', 'waits for 01936f2e-2222-7abc-8def-ba9876543210'],
    ['numbers', 'given up after 8 tries', 'given up after 12 tries'],
    ['tokens', 'trace a1b2c3d4 says no', 'trace ffee0099 says no'],
    ['times', 'locked until 2026-11-25T09:12:04.211Z', 'locked until 2027-01-02T00:00:00Z'],
    ['places', 'see https://a.example/x?y=1 for more', 'see https://b.example/z for more'],
    ['apostrophes', "the value 'x' can't be read", "the value 'y z' can't be read"],
  ];
  for (const [what, one, other] of same) {
    it(`is the same whatever the ${what}`, () => assert.equal(causeOf(one, null), causeOf(other, null)));
  }

  it('leaves the name of the subject out, also where it is not quoted, and in any case', () => {
    assert.equal(causeOf('User Ada has no badge', 'ada'), causeOf('User BOB has no badge', 'bob'));
    assert.equal(causeOf('a parade of ada', 'ada'), 'a parade of …', 'a part of a word is not the name');
    assert.equal(causeOf('a+b (c) is odd', 'a+b (c)'), '… is odd');
    assert.equal(causeOf('ΝΙΚΟΣ is odd', 'νικοσ'), '… is odd');
    assert.equal(causeOf('it is ſam', 'sam'), 'it is …');
    const known = new Map<string, string>();
    const asked = ['ada', 'bob', 'eve'].map((name) => causeOf(`${name} has ada's badge 7`, name, known));
    assert.deepEqual(asked, ["… has …'s badge …", "… has ada's badge …", "… has ada's badge …"]);
  });

  it('keeps what tells one cause from another', () => {
    assert.notEqual(causeOf('the target answered 400: no', null), causeOf('the target answered 422: no', null));
    assert.notEqual(causeOf('no badge', null), causeOf('no mail', null));
    assert.equal(causeOf("can't be read, and the user's badge isn't there", null).includes('…'), false);
  });

  it('has a fix where one is known', () => {
    assert.match(fixOf('the name is held by the account of our own subject …') ?? '', /rename one/);
    assert.match(fixOf('the target answered 401') ?? '', /password or token/);
    assert.equal(fixOf('the moon is full'), null);
  });
});

const badge = (request: FakeRequest) => /^eve/.test((request.body as { userName?: string })?.userName ?? '');
const sick = (request: FakeRequest) => /^sick/.test((request.body as { userName?: string })?.userName ?? '');

async function openTrouble(bed: EngineBed): Promise<Map<string, string>> {
  const { fake } = bed;
  fake.misbehave({
    when: { method: 'POST', on: 'users', that: badge },
    times: Number.POSITIVE_INFINITY,
    act: { kind: 'answer', status: 400, body: { detail: 'A badge is missing' } },
  });
  fake.misbehave({
    when: { method: 'POST', on: 'users', that: sick },
    times: Number.POSITIVE_INFINITY,
    act: { kind: 'answer', status: 503, headers: { 'retry-after': '3000' }, body: {} },
  });
  const ids = new Map<string, string>();
  for (const name of ['ada', 'eve1', 'eve2', 'eve3', 'bob', 'sick1', 'sick2', 'joan']) {
    ids.set(name, await bed.addUser(name));
  }
  await bed.start();
  await bed.clock.runUntil(
    async () => {
      const accounts = await bed.accounts();
      return (
        accounts.filter((row) => row.state === 'done').length === 3 &&
        accounts.every((row) => row.lease_attempt === null && (row.state !== 'due' || row.tries > 0)) &&
        accounts.length === 8
      );
    },
    { limitMs: 60_000, what: 'all were tried' },
  );
  return ids;
}

eachDatabase('many accounts in trouble for one reason', (database) => {
  it('are one cause; those that fail and those that are parked are counted apart', async () => {
    await using bed = await openEngineBed(database);
    const ids = await openTrouble(bed);
    const [one, two, three] = ['eve1', 'eve2', 'eve3'].map((name) => ids.get(name)!).sort() as [string, string, string];
    const { causes, more } = await listCauses(bed.store, [bed.targetId]);
    assert.equal(more, false);
    const [first, second] = causes;
    assert.deepEqual([causes.length, first?.parked, first?.failing], [2, 3, 0], JSON.stringify(causes));
    assert.deepEqual([second?.parked, second?.failing], [0, 2]);
    assert.match(first!.cause, /answered 400.*A badge is missing/);
    assert.ok(first!.since !== null && first!.since <= first!.latest!);
    assert.equal(first!.example.subjectId, one);

    await bed.store.write((tx) =>
      leaveParked(tx, { targetId: bed.targetId, subjectId: two }, { note: null, actor: 'olga' }),
    );
    assert.equal((await listCauses(bed.store, [bed.targetId])).causes.find((one) => one.key === first!.key)?.parked, 2);

    const list = (after?: string) =>
      bed.store.read((reading) =>
        listAccountsOfCause(
          reading,
          { targetId: bed.targetId, key: first!.key },
          { limit: 1, ...(after === undefined ? {} : { after }) },
        ),
      );
    const page = await list();
    assert.deepEqual(
      page.rows.map((row) => row.subject_id),
      [one],
    );
    const rest = await list(page.next!);
    assert.deepEqual(
      rest.rows.map((row) => row.subject_id),
      [three],
    );
    assert.deepEqual(await list(rest.next!), { rows: [], next: null });

    bed.fake.heal();
    for (const row of [...page.rows, ...rest.rows]) await bed.store.write((tx) => retryAccount(tx, row));
    bed.store.signal('work');
    await bed.clock.runUntil(async () => (await bed.account(three))?.state === 'done', { limitMs: 60_000 });
    const after = await listCauses(bed.store, [bed.targetId]);
    assert.deepEqual(
      after.causes.map((one) => one.failing),
      [2],
    );
  });

  it('what a held lane keeps waiting is no cause: its banner says it', async () => {
    await using bed = await openEngineBed(database);
    bed.fake.misbehave({ times: Number.POSITIVE_INFINITY, act: { kind: 'answer', status: 401 } });
    for (const name of ['ada', 'bob']) await bed.addUser(name);
    await bed.start();
    await bed.clock.runUntil(async () => (await bed.lanes()).some((lane) => lane.hold !== null), { limitMs: 60_000 });
    assert.deepEqual(await listCauses(bed.store, [bed.targetId]), { causes: [], more: false });
  });

  it('are looked at up to a bound, and then it says that there are more', async () => {
    const store = await database.open();
    await store.write((tx) => tx.all({ compile: () => CompiledQuery.raw(fill('parked', 11_000)) }));
    const { causes, more } = await listCauses(store, [1]);
    assert.deepEqual([more, causes.length, causes[0]?.parked], [true, 1, 10_000]);
  });

  it('are found by indexes, as an account by its remote id is', async () => {
    const said: string[] = [];
    const store = await database.open({ onStatement: (text) => void said.push(text) });
    await store.write(async (tx) => {
      await tx.all({ compile: () => CompiledQuery.raw(fill('done', 20_000)) });
      if (database.kind === 'postgres') await tx.all({ compile: () => CompiledQuery.raw('analyze accounts') });
    });
    said.length = 0;
    await listCauses(store, [1]);
    await store.read((reading) => listAccounts(reading, { remoteId: 'r7' }, { limit: 100 }));
    const wanted = [
      [/tries > 0/, /accounts_troubled/],
      [/"remote_id" =/, /accounts_remote/],
    ] as const;
    for (const [which, index] of wanted) {
      const text = said.find((one) => which.test(one));
      assert.ok(text, `${which} was not said`);
      const explain = database.kind === 'postgres' ? 'explain (generic_plan)' : 'explain query plan';
      const plan = JSON.stringify(
        await store.read((reading) => reading.all({ compile: () => CompiledQuery.raw(`${explain} ${text}`) })),
      );
      assert.match(plan, index, text);
    }
  });
});

const fill = (state: 'parked' | 'done', count: number) => `
  insert into accounts (target_id, subject_id, kind, urgency, wanted, done, tries, strikes, state, reason, sp_id, seq_done,
    version, remote_id)
  with recursive n(n) as (select 1 union all select n + 1 from n where n < ${count})
  select 1, 's' || n, 'user', 1, 1, 1, 0, 0, '${state}', ${state === 'parked' ? `'no badge ' || n` : 'null'}, 1, 0, 1, 'r' || n
  from n`;
