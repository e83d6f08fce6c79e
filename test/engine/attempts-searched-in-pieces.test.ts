import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { type AttemptFilter, listAttempts } from '../../src/provisioning/inspect.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';

/** Attempt n began at n; every tenth was refused, by turns of two subjects. */
const fill = `
  insert into attempts (target_id, subject_id, kind, noted, operation, started_at, deadline, ended_at, outcome, reason, version)
  with recursive n(n) as (select 1 union all select n + 1 from n where n < 100)
  select 1, case when n % 20 = 0 then 'ada' else 'bob' end, 'user', 1, 'update', n, n, n,
    case when n % 10 = 0 then 'refused' else 'done' end, case when n % 10 = 0 then 'No Badge' end, 1
  from n order by n`;

async function open(bed: { open(): Promise<Store> }) {
  const store = await bed.open();
  await store.write((tx) => tx.all({ compile: () => CompiledQuery.raw(fill) }));
  const ask = (filter: AttemptFilter, page: { before?: number; limit: number; lookAt?: number }) =>
    store.read(async (reading) => {
      const found = await listAttempts(reading, filter, page);
      return { ...found, attempts: found.attempts.map((row) => Number(row.started_at)) };
    });
  return { store, ask };
}

eachDatabase('a search among many attempts', (bed) => {
  it('stops after so many, says how far back it came, and goes on from there', async () => {
    const { store, ask } = await open(bed);
    const found: number[] = [];
    const stops: (number | null)[] = [];
    let before: number | undefined;
    for (let n = 0; n < 20; n++) {
      const page = await ask({ text: 'no badge' }, { limit: 50, lookAt: 25, ...(before ? { before } : {}) });
      found.push(...page.attempts);
      stops.push(page.searchedBack);
      if (page.next === null) break;
      before = page.next;
    }
    assert.deepEqual(found, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]);
    assert.deepEqual(stops, [76, 51, 26, null]);
    assert.equal(store.dialect.name, bed.kind);
  });

  it('that finds nothing in so many is not at its end', async () => {
    const { ask } = await open(bed);
    const { attempts, next, searchedBack } = await ask({ outcome: 'withheld' }, { limit: 5, lookAt: 40 });
    assert.deepEqual([attempts, searchedBack], [[], 61]);
    assert.notEqual(next, null);
    assert.deepEqual(await ask({ outcome: 'withheld' }, { limit: 5, lookAt: 100 }), {
      attempts: [],
      next: null,
      searchedBack: null,
    });
  });

  it('that fills its page says nothing of how far it came', async () => {
    const { ask } = await open(bed);
    const { attempts, searchedBack, next } = await ask({ outcome: 'refused' }, { limit: 2, lookAt: 50 });
    assert.deepEqual([attempts, searchedBack], [[100, 90], null]);
    assert.deepEqual((await ask({ outcome: 'refused' }, { limit: 2, lookAt: 50, before: next! })).attempts, [80, 70]);
  });

  it('for one account, or for all, is not bounded: an index knows them', async () => {
    const { ask } = await open(bed);
    assert.deepEqual((await ask({ subjectId: 'ada', text: 'badge' }, { limit: 9, lookAt: 10 })).attempts, []);
    const { attempts, next } = await ask({ targetId: 1, subjectId: 'ada' }, { limit: 9, lookAt: 10 });
    assert.deepEqual([attempts, next], [[100, 80, 60, 40, 20], null]);
    assert.equal((await ask({}, { limit: 60, lookAt: 10 })).attempts.length, 60);
  });
});
