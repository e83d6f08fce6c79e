import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { countWithheldRemovals } from '../../src/provisioning/banners.ts';
import { type AccountFilter, countAccounts, listAccounts, listAttempts } from '../../src/provisioning/inspect.ts';
import { openTally } from '../../src/provisioning/tally.ts';
import { readRates } from '../../src/provisioning/throughput.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestClock } from '../clock.ts';
import { eachDatabase } from '../database.ts';

const run = (store: Store, ...texts: string[]) =>
  store.write(async (tx) => {
    for (const text of texts) await tx.all({ compile: () => CompiledQuery.raw(text) });
  });

/** At target 1 and 2: of every thousand one is parked, one waits, two are due and the rest is done. */
const accounts = (target: number, count: number) => `
  insert into accounts (target_id, subject_id, kind, urgency, due_at, wanted, done, tries, strikes, state, sp_id, seq_done, version)
  with recursive n(n) as (select 1 union all select n + 1 from n where n < ${count})
  select ${target}, substr('s00000', 1, 6 - length(cast(n as text))) || n, 'user', 1,
    case when n % 1000 in (5, 6) then 1 end, 1, 1, 0, 0,
    case n % 1000 when 3 then 'parked' when 4 then 'waiting' when 5 then 'due' when 6 then 'due' else 'done' end, 1, 0, 1
  from n`;

const targets = [
  `insert into identity_providers (name, name_key, enabled, created_at, modified_at) values ('a', 'a', 1, 1, 1)`,
  `insert into targets (idp_id, type, enabled, settings, policy, version, created_at, modified_at)
   values (1, 'x', 1, '{}', '{}', 1, 1, 1), (1, 'y', 1, '{}', '{}', 1, 1, 1)`,
];

eachDatabase('of very many accounts', (bed) => {
  const open = async (texts: string[] = []) => {
    const store = await bed.open({ onStatement: (text) => void texts.push(text) });
    await run(store, ...targets, accounts(1, 20_000), accounts(2, 3_000));
    if (bed.kind === 'postgres') await run(store, 'analyze accounts');
    texts.length = 0;
    return store;
  };
  const walk = async (store: Store, filter: AccountFilter, limit: number) => {
    const met: string[] = [];
    for (let after: { targetId: number; subjectId: string } | undefined; ; ) {
      const rows = await store.read((reading) => listAccounts(reading, filter, { limit, ...(after ? { after } : {}) }));
      met.push(...rows.map((row) => `${row.target_id} ${row.subject_id}`));
      const last = rows.at(-1);
      if (rows.length < limit || !last) return met;
      after = { targetId: last.target_id, subjectId: last.subject_id };
    }
  };

  it('a list by state meets each once, in the order of target and subject, whatever the page', async () => {
    const store = await open();
    for (const filter of [
      { states: ['parked'] },
      { states: ['waiting', 'due'] },
      { states: ['due', 'parked', 'due'], targetId: 2 },
      { due: true },
      { states: ['done'], targetId: 2 },
      { states: ['kept'] },
    ] satisfies AccountFilter[]) {
      const whole = await walk(store, filter, 100_000);
      assert.deepEqual(whole, whole.toSorted());
      assert.equal(new Set(whole).size, whole.length);
      assert.deepEqual(await walk(store, filter, 7), whole, JSON.stringify(filter));
    }
    assert.equal((await walk(store, { states: ['parked'] }, 100)).length, 23);
    assert.equal((await walk(store, { states: ['waiting', 'due'] }, 100)).length, 69);
    assert.equal((await walk(store, { due: true }, 100)).length, 46);
  });

  it('those in a state, and of a state that nobody is in, come from the index of states', async () => {
    const texts: string[] = [];
    const store = await open(texts);
    for (const states of [['parked'], ['kept']] as const) {
      await store.read((reading) => listAccounts(reading, { states, targetId: 1 }, { limit: 50 }));
    }
    await store.read(countWithheldRemovals);
    const said = [...texts];
    assert.equal(said.length, 3);
    for (const text of said) assert.match(await planOf(store, text), /accounts_state/, text);
  });

  it('few that are due are not looked for in the order of all', async () => {
    const texts: string[] = [];
    const store = await open(texts);
    await store.read((reading) => listAccounts(reading, { due: true, targetId: 1 }, { limit: 5 }));
    assert.match(await planOf(store, texts.at(-1)!), /accounts_due/);
  });

  it('the latest attempts of a target, and its rate, are read from the end of the log', async () => {
    const texts: string[] = [];
    const store = await open(texts);
    await run(
      store,
      `insert into attempts (target_id, subject_id, kind, noted, started_at, deadline, outcome, version)
       with recursive n(n) as (select 1 union all select n + 1 from n where n < 20000)
       select n % 2 + 1, 's' || n, 'user', 1, n, n, 'done', 1 from n`,
    );
    if (bed.kind === 'postgres') await run(store, 'analyze attempts');
    texts.length = 0;
    const page = await store.read((reading) => listAttempts(reading, { targetId: 1 }, { limit: 3 }));
    assert.deepEqual(
      page.attempts.map(({ id }) => id),
      [20_000, 19_998, 19_996],
    );
    await store.read(readRates);
    const asked = texts.filter((text) => /group by|order by "id" desc limit/.test(text) && !/offset/.test(text));
    assert.ok(asked.length >= 2);
    for (const text of asked) assert.doesNotMatch(await planOf(store, text), /attempts_account/, text);
  });

  it('all are counted at once while that is quick; else what is known is told, and counted anew behind it', async () => {
    let now = 0;
    const clock = { ...openTestClock(), monotonic: () => now };
    let takesMs = 0;
    let counted = 0;
    const store = await bed.open({
      onStatement: (text) => {
        if (!text.includes('min(target_id)')) return;
        counted++;
        now += takesMs;
      },
    });
    await run(store, ...targets, accounts(1, 30_000), accounts(2, 10));
    const tally = openTally({ store, clock });
    const read = async () => [...(await tally.read()).accounts.values()].join();
    assert.equal(await read(), '30000,10');
    await run(store, `delete from accounts where subject_id = 's00001'`);
    assert.equal(await read(), '29999,9');

    takesMs = 40;
    assert.equal(await read(), '29999,9');
    await run(store, `delete from accounts where subject_id = 's00002'`);
    counted = 0;
    // It took long the last time, but a moment ago.
    assert.equal(await read(), '29999,9');
    assert.equal(counted, 0);
    now += 10_000;
    assert.equal(await read(), '29999,9');
    for (let n = 0; counted < 3; n++) {
      assert.ok(n < 1_000, 'it was not counted behind the answer');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (let n = 0; (await read()) !== '29998,8'; n++) {
      assert.ok(n < 1_000, 'what was counted is not told');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await run(store, `delete from accounts where subject_id = 's00003'`);
    now += 60_000;
    assert.equal(await read(), '29997,7', 'nobody is told of what was a minute ago');
  });

  it('those that are done are told from all and from those that are not, also while all were counted before', async () => {
    const store = await open();
    const of = async (all: number) =>
      (await store.read((reading) => countAccounts(reading, new Map([[1, all]])))).get(1)!;
    const byState = { parked: 20, waiting: 20, due: 40 };
    assert.deepEqual([(await of(20_000)).accounts, (await of(20_000)).byState], [20_000, { ...byState, done: 19_920 }]);
    assert.deepEqual([(await of(70)).accounts, (await of(70)).byState], [80, byState]);
    assert.deepEqual((await store.read((reading) => countAccounts(reading, new Map()))).get(2)?.pending, 6);
  });
});

async function planOf(store: Store, text: string): Promise<string> {
  const explain = store.dialect.name === 'postgres' ? 'explain (generic_plan)' : 'explain query plan';
  return JSON.stringify(
    await store.read((reading) => reading.all({ compile: () => CompiledQuery.raw(`${explain} ${text}`) })),
  );
}
