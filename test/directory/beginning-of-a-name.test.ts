import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CompiledQuery } from 'kysely';
import type { Problem } from '../../src/base/problem.ts';
import { listByBeginning } from '../../src/directory/beginnings.ts';
import { deepestScan } from '../../src/directory/scan.ts';
import { listSubjects, walkSubjects } from '../../src/directory/search.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { fillDirectory } from './many-people.ts';

const people = [
  ['bob', 'Anna Bobson'],
  ['anna.2', 'Ämil'],
  ['Anna.1', 'Anna One'],
  ['carl', 'ANNABEL'],
  ['dora', null],
  ['SALES/anna', 'Zoë'],
] as const;

async function fillPeople(store: Store): Promise<void> {
  const rows = people.map(([name, shown], n) => {
    const doc = JSON.stringify({ userName: name, ...(shown === null ? {} : { displayName: shown }) });
    const display = shown === null ? 'null' : `'${shown.toLowerCase()}'`;
    return `('id${n}', 'user', 'PRIMARY', '${name.toLowerCase()}', 'live', ${n}, ${display}, '${doc}', 1, 1, 1)`;
  });
  rows.push(`('gone', 'user', 'PRIMARY', 'anna.0', 'gone', 9, null, '{"userName":"anna.0"}', 1, 1, 1)`);
  rows.push(`('team', 'group', 'PRIMARY', 'annas team', 'live', 9, null, '{"displayName":"Annas team"}', 1, 1, 1)`);
  await store.write((tx) =>
    tx.all({
      compile: () =>
        CompiledQuery.raw(`insert into subjects
          (id, kind, domain, name_key, life, seq, display_key, doc, version, created_at, modified_at) values ${rows}`),
    }),
  );
}

eachDatabase('the beginning of a name', (bed) => {
  const list = (store: Store, kind: 'user' | 'group', text: string, startIndex = 1, count = 10) =>
    store.read((reading) => listByBeginning(reading, kind, { text, startIndex, count }));
  const namesOf = async (...args: Parameters<typeof list>) =>
    (await list(...args)).subjects.map(({ fullName }) => fullName);

  it('finds names first and then display names, each in their order', async () => {
    const store = await bed.open();
    await fillPeople(store);
    assert.deepEqual(await namesOf(store, 'user', 'ANNA'), ['Anna.1', 'anna.2', 'bob', 'carl']);
    assert.deepEqual(await namesOf(store, 'user', 'primary/anna.'), ['Anna.1', 'anna.2']);
    assert.deepEqual(await namesOf(store, 'user', 'sales/a'), ['SALES/anna']);
    assert.deepEqual(await namesOf(store, 'user', 'äm'), ['anna.2']);
    assert.deepEqual(await namesOf(store, 'group', 'anna'), ['Annas team']);
    assert.deepEqual(await list(store, 'user', 'nobody'), { subjects: [], total: 0, more: false });
  });

  it('of an empty text are all, in the order of names, counted or as many as is known', async () => {
    const store = await bed.open();
    await fillPeople(store);
    assert.deepEqual(await namesOf(store, 'user', ''), ['Anna.1', 'anna.2', 'bob', 'carl', 'dora', 'SALES/anna']);
    assert.deepEqual(await namesOf(store, 'user', '', 3, 2), ['bob', 'carl']);
    assert.equal((await list(store, 'user', '')).total, 6);
    const known = await store.read((reading) =>
      listByBeginning(reading, 'user', { text: '', startIndex: 2, count: 1, known: 1_000_000 }),
    );
    assert.deepEqual(
      [known.subjects.map(({ fullName }) => fullName), known.total, known.more],
      [['anna.2'], 1_000_000, false],
    );
  });

  it('gives pages that meet everybody once, over the end of the names', async () => {
    const store = await bed.open();
    await fillPeople(store);
    for (const size of [1, 2, 3, 4]) {
      const met: string[] = [];
      for (let from = 1; from <= 4; from += size) {
        const page = await list(store, 'user', 'anna', from, size);
        assert.deepEqual([page.total, page.more], [4, false]);
        met.push(...page.subjects.map(({ fullName }) => fullName));
      }
      assert.deepEqual(met, ['Anna.1', 'anna.2', 'bob', 'carl'], `pages of ${size}`);
    }
    assert.deepEqual(await namesOf(store, 'user', 'anna', 5), []);
  });

  it('counts the first thousands, and says that there are more', async () => {
    const store = await bed.open();
    await fillDirectory(store, 12_000);
    const first = await list(store, 'user', 'name', 1, 2);
    assert.deepEqual([first.total, first.more], [5_000, true]);
    assert.deepEqual(await namesOf(store, 'user', 'name', 11_999, 5), ['name011999', 'name012000']);
    const last = await list(store, 'user', 'name', 11_999, 2);
    assert.deepEqual([last.total, last.more], [12_000, false]);
    const few = await list(store, 'user', 'name0119', 1, 2);
    assert.deepEqual([few.total, few.more], [100, false]);
  });

  it('refuses a text that is no beginning of a name, and a page too deep', async () => {
    const store = await bed.open();
    await assert.rejects(list(store, 'user', 'x'.repeat(301)), (error: Problem) => error.code === 'invalidValue');
    await assert.rejects(list(store, 'user', 'x', deepestScan), (error: Problem) => error.code === 'tooMany');
  });

  it('is read from the indexes of names, in their order', async () => {
    const texts: string[] = [];
    const store = await bed.open({ onStatement: (text) => void texts.push(text) });
    await fillDirectory(store, 30_000);
    if (bed.kind === 'postgres')
      await store.write((tx) => tx.all({ compile: () => CompiledQuery.raw('analyze subjects') }));
    texts.length = 0;
    await list(store, 'user', 'name00001', 1, 20);
    const said = texts.filter((text) => text.includes('subjects'));
    assert.equal(said.length, 4);
    for (const [n, index] of [/subjects_name/, /subjects_name/, /subjects_display/, /subjects_display/].entries()) {
      const plan = await planOf(store, bed.kind, said[n]!);
      assert.match(plan, index, said[n]!);
      assert.doesNotMatch(plan, /SCAN [sr]\b|Seq Scan/, plan);
    }
  });

  it('of very many is no order that a filter could be sorted from: they are walked by id, and counted by index', async () => {
    const texts: string[] = [];
    const store = await bed.open({ onStatement: (text) => void texts.push(text) });
    await fillDirectory(store, 12_000);
    const filter = parseFilter('userName sw "name"');
    texts.length = 0;
    const found = await store.read((reading) => listSubjects(reading, 'user', { filter, startIndex: 3, count: 2 }));
    assert.deepEqual([found.total, found.subjects.map(({ id }) => id)], [12_000, ['u000003', 'u000004']]);
    assert.ok(
      texts.some((text) => text.includes('max(id) as last')),
      'it was sorted',
    );
    const walked = await store.read((reading) => walkSubjects(reading, 'user', { filter, count: 2 }));
    assert.deepEqual(
      walked.subjects.map(({ id }) => id),
      ['u000001', 'u000002'],
    );

    texts.length = 0;
    const narrow = parseFilter('userName sw "name000"');
    const few = await store.read((reading) =>
      listSubjects(reading, 'user', { filter: narrow, startIndex: 1, count: 2 }),
    );
    assert.deepEqual([few.total, few.subjects.length], [999, 2]);
    assert.ok(!texts.some((text) => text.includes('max(id) as last')), 'an index knows so few');
  });

  it('is looked for in what is there of displayName, and of nobody who has none', async () => {
    const store = await bed.open();
    await fillPeople(store);
    const find = async (text: string) => {
      const filter = parseFilter(text);
      const found = await store.read((reading) => listSubjects(reading, 'user', { filter, startIndex: 1, count: 10 }));
      return found.subjects.map(({ fullName }) => fullName);
    };
    assert.deepEqual(await find('displayName sw "anna"'), ['bob', 'Anna.1', 'carl']);
    assert.deepEqual(await find('not (displayName sw "anna")'), ['anna.2', 'dora', 'SALES/anna']);
    assert.deepEqual(await find('displayName pr'), ['bob', 'anna.2', 'Anna.1', 'carl', 'SALES/anna']);
  });
});

eachDatabase('a deep page', (bed) => {
  it('is what follows the pages before it, and skips in an index', async () => {
    const texts: string[] = [];
    const store = await bed.open({ onStatement: (text) => void texts.push(text) });
    await fillDirectory(store, 30_000);
    const orders = [
      [{}, 'u025001'],
      [{ sortBy: 'userName' }, 'u025001'],
      [{ sortBy: 'userName', sortOrder: 'descending' }, 'u005000'],
    ] as const;
    for (const [order, id] of orders) {
      texts.length = 0;
      const page = { ...order, startIndex: 25_001, count: 3, known: 30_000 };
      const found = await store.read((reading) => listSubjects(reading, 'user', page));
      assert.deepEqual([found.subjects.length, found.subjects[0]?.id, found.total], [3, id, 30_000]);
      const plan = await planOf(store, bed.kind, texts.find((text) => text.includes('offset'))!);
      if (bed.kind === 'sqlite') assert.match(plan, /COVERING INDEX subjects_(order|name)/, plan);
      assert.doesNotMatch(plan, /SCAN s\b|AUTOMATIC/, plan);
    }
  });
});

async function planOf(store: Store, kind: string, text: string): Promise<string> {
  const explain = kind === 'postgres' ? 'explain (generic_plan)' : 'explain query plan';
  return JSON.stringify(
    await store.read((reading) => reading.all({ compile: () => CompiledQuery.raw(`${explain} ${text}`) })),
  );
}
