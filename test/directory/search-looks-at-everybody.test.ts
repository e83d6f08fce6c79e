import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { isNarrow } from '../../src/directory/filter-sql.ts';
import { deepestScan } from '../../src/directory/scan.ts';
import { listSubjects, type Place, type Query, walkSubjects } from '../../src/directory/search.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { groupType, userType } from '../../src/protocol/scim/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { fillDirectory } from './many-people.ts';

const people = 12_000;

const sevenths = Array.from({ length: Math.floor(people / 7) }, (_, i) => `u${String((i + 1) * 7).padStart(6, '0')}`);
const nickOf = (n: number) => String((n * 7919) % 10_007).padStart(6, '0');
const byNick = Array.from({ length: people }, (_, i) => i + 1)
  .map((n) => ({ nick: nickOf(n), id: `u${String(n).padStart(6, '0')}` }))
  .sort((a, b) => (a.nick < b.nick ? -1 : a.nick > b.nick ? 1 : a.id < b.id ? -1 : 1))
  .map(({ id }) => id);
const title = parseFilter('title eq "Seventh"');

eachDatabase('a search that no index answers', (bed) => {
  let store: Store;
  let statements = 0;
  before(async () => {
    store = await bed.open({
      onStatement: () => {
        statements += 1;
      },
    });
    await fillDirectory(store, people);
  });

  const list = (search: Query & { startIndex: number; count: number }) =>
    store.read(async (reading) => {
      const { total, subjects } = await listSubjects(reading, 'user', search);
      return { total, ids: subjects.map(({ id }) => id) };
    });

  it('finds the page and the total', async () => {
    for (const [startIndex, count] of [
      [1, 10],
      [500, 7],
      [sevenths.length - 2, 10],
      [sevenths.length + 1, 10],
      [1, 0],
    ] as const) {
      const { total, ids } = await list({ filter: title, startIndex, count });
      assert.equal(total, sevenths.length);
      assert.deepEqual(ids, sevenths.slice(startIndex - 1, startIndex - 1 + count), `${count} from ${startIndex}`);
    }
  });

  it('sorts over all pieces', async () => {
    const page = { sortBy: 'nickName', startIndex: 3_001, count: 25 };
    assert.deepEqual(await list(page), { total: people, ids: byNick.slice(3_000, 3_025) });
    const wanted = byNick.filter((id) => Number(id.slice(1)) % 7 === 0);
    assert.deepEqual((await list({ ...page, filter: title, startIndex: 1 })).ids, wanted.slice(0, 25));
    // Without a value: last when ascending, first when descending; equal ones in the order of ids.
    const byTitle = await list({ sortBy: 'title', startIndex: sevenths.length, count: 2 });
    assert.deepEqual(byTitle.ids, [sevenths.at(-1), 'u000001']);
    const backward = await list({ sortBy: 'title', sortOrder: 'descending', startIndex: 1, count: 8 });
    assert.deepEqual(backward.ids, [
      'u000001',
      'u000002',
      'u000003',
      'u000004',
      'u000005',
      'u000006',
      'u000008',
      'u000009',
    ]);
  });

  it('is walked by place, everybody once, sorted or not', async () => {
    for (const [sortBy, wanted] of [
      [undefined, sevenths],
      ['nickName', byNick.filter((id) => Number(id.slice(1)) % 7 === 0)],
    ] as const) {
      const seen: string[] = [];
      for (let after: Place | undefined; ; ) {
        const query = { filter: title, count: 400, ...(sortBy ? { sortBy } : {}), ...(after ? { after } : {}) };
        const { subjects, next } = await store.read((reading) => walkSubjects(reading, 'user', query));
        seen.push(...subjects.map(({ id }) => id));
        if (!next) break;
        after = next;
      }
      assert.deepEqual(seen, wanted);
    }
  });

  it('lets others be answered meanwhile, and stops when it is told to', async () => {
    const over = new AbortController();
    let turns = 0;
    const count = () => {
      turns += 1;
      if (turns === 3) over.abort(new Problem('tooMany', 'told to stop'));
      else if (!over.signal.aborted) setImmediate(count);
    };
    setImmediate(count);
    await assert.rejects(list({ filter: title, startIndex: 1, count: 10, signal: over.signal }), /told to stop/);
    const stopped = statements;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(statements, stopped, 'it went on after it was stopped');
    assert.ok(turns >= 3);
  });

  it('refuses a page that begins too deep', async () => {
    await assert.rejects(
      list({ filter: title, startIndex: deepestScan, count: 10 }),
      (error: Problem) => error.code === 'tooMany' && /cursor/.test(error.message),
    );
  });
});

it('knows what an index answers', () => {
  const narrow = (text: string, type = userType) =>
    isNarrow(parseFilter(text), type === userType ? 'user' : 'group', type);
  const indexed = [
    'userName eq "a"',
    'userName sw "a"',
    'externalId eq "a"',
    'id eq "a"',
    'displayName eq "a"',
    'displayName sw "a"',
    'emails eq "a"',
    'emails.value eq "a"',
    'emails[type eq "work" and value eq "a"]',
    'groups.value eq "a"',
    'title co "x" and userName eq "a"',
    'userName eq "a" or externalId eq "b"',
    'members.value eq "only groups have it"',
  ];
  const scanned = [
    'userName ne "a"',
    'userName sw ""',
    'displayName sw ""',
    `displayName sw "${'a'.repeat(201)}"`,
    'userName co "a"',
    'not (userName eq "a")',
    'userName eq "a" or title eq "b"',
    'emails[type eq "work"]',
    'title eq "a"',
    'active eq true',
    'externalId eq null',
    'meta.lastModified gt "2026-01-01T00:00:00Z"',
  ];
  assert.deepEqual(
    indexed.filter((text) => !narrow(text)),
    [],
  );
  assert.deepEqual(
    scanned.filter((text) => narrow(text)),
    [],
  );
  assert.equal(narrow('displayName sw "T"', groupType), true);
});
