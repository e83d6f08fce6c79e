import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RawBuilder, sql } from 'kysely';
import { fold } from '../../src/base/fold.ts';
import { compareText } from '../../src/protocol/scim/text.ts';
import { prepare, type Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';

const ask = <R>(store: Store, query: (dialect: Store['dialect']) => RawBuilder<R>): Promise<R[]> =>
  store.read((r) => r.all({ compile: () => query(r.dialect).compile(r.q) }));

/** Scripts and letters whose case is not as simple as it looks. */
const texts = [
  'Ada Lovelace',
  'STRASSE',
  'Straße',
  'STRAẞE',
  'İstanbul',
  'ISPARTA',
  'ıspanak',
  'ΟΔΥΣΣΕΥΣ',
  'Ὀδυσσεύς',
  'ΑΣ ΑΣ.',
  'Σ',
  'ЖАННА Ёлкина',
  'É',
  'E\u0301',
  'ﬃ',
  'ǅ',
  'Ω Ω',
  'Å Å',
  'ᲐᲑᲒ',
  'Ⴀ',
  '𐐀𐐨',
  'ΐ',
  'گل‌رخ',
  'नीला',
  '田中',
  'Ａｄａ',
  '',
  ' a  b ',
  'O\'Brien "x" \\ % _ \t\n',
];

eachDatabase('dialect', (bed) => {
  test('rowsOf makes a table of one parameter, in order, with nulls and odd text', async () => {
    const store = await bed.open();
    const rows = texts.map((text, n) => ({ n, text, gap: n % 2 === 0 ? null : 2 ** 45 + n }));
    const read = await ask(
      store,
      (d) =>
        sql<(typeof rows)[number]>`select * from ${d.rowsOf<(typeof rows)[number], 'r'>(JSON.stringify(rows), 'r', {
          n: 'int',
          text: 'text',
          gap: 'int',
        })}`,
    );
    assert.deepEqual(
      read.map((row) => ({ ...row })),
      rows,
    );
    assert.deepEqual(
      await ask(store, (d) => sql`select * from ${d.rowsOf<{ n: number }, 'r'>('[]', 'r', { n: 'int' })}`),
      [],
    );
  });

  test('rowsOf feeds an insert, a join and a prepared statement', async () => {
    const store = await bed.open();
    const insertAll = prepare((q, p: { rows: string }, dialect) =>
      q
        .insertInto('members')
        .columns(['group_id', 'member_id'])
        .expression(
          q
            .selectFrom(
              dialect.rowsOf<{ group: string; member: string }, 'r'>(p.rows, 'r', { group: 'text', member: 'text' }),
            )
            .select(['r.group', 'r.member']),
        ),
    );
    const rows = Array.from({ length: 500 }, (_, i) => ({ group: `g${i % 7}`, member: `m${i}` }));
    await store.write((tx) => tx.run(insertAll, { rows: JSON.stringify(rows) }));
    await store.write((tx) => tx.run(insertAll, { rows: JSON.stringify([{ group: 'h', member: 'x' }]) }));
    const found = await store.read((r) =>
      r.all(
        r.q
          .selectFrom('members')
          .innerJoin(
            r.dialect.rowsOf<{ id: string }, 'wanted'>(JSON.stringify([{ id: 'm7' }, { id: 'x' }]), 'wanted', {
              id: 'text',
            }),
            'wanted.id',
            'members.member_id',
          )
          .select(['group_id', 'member_id'])
          .orderBy('member_id'),
      ),
    );
    assert.deepEqual(
      found.map((row) => ({ ...row })),
      [
        { group_id: 'g0', member_id: 'm7' },
        { group_id: 'h', member_id: 'x' },
      ],
    );
  });

  const doc = {
    'urn:a:b:2.0:User': { department: 'R&D', 'odd.name': 'x' },
    name: { familyName: 'Δέλτα', middle: null },
    active: true,
    off: false,
    age: 41,
    half: 1.5,
    empty: '',
    emails: [{ value: 'a@example.com', primary: true }, { value: 'b@example.com' }],
    roles: ['plain', 'with "quotes"', 7, true, false],
    none: [],
  };

  async function withDoc(): Promise<Store> {
    const store = await bed.open();
    await store.write((tx) =>
      tx.all(
        tx.q.insertInto('subjects').values({
          id: 's',
          kind: 'user',
          domain: 'PRIMARY',
          name_key: 's',
          life: 'live',
          seq: 1,
          external_id: null,
          display_key: null,
          doc: JSON.stringify(doc),
          version: 1,
          created_at: 1,
          modified_at: 1,
        }),
      ),
    );
    return store;
  }

  test('lookUp finds the rows of each row, by index whatever the sizes are said to be', async () => {
    const store = await bed.open();
    const members = ['a', 'b', 'c'].flatMap((group_id) =>
      ['1', '2', group_id].map((n) => ({ group_id, member_id: n })),
    );
    await store.write((tx) => tx.all(tx.q.insertInto('members').values(members)));
    const pairs = (dialect: Store['dialect']) => {
      const rows = dialect.rowsOf<{ id: string }, 'r'>(
        JSON.stringify([{ id: '2' }, { id: 'c' }, { id: 'none' }]),
        'r',
        {
          id: 'text',
        },
      );
      return sql<{ id: string; group: string }>`
        select r.id, m.group_id as "group" from ${rows} ${dialect.lookUp('members', 'm', sql`m.member_id = r.id`)}
        where m.group_id <> 'b' order by 1, 2`;
    };
    assert.deepEqual(
      (await ask(store, pairs)).map(({ id, group }) => `${id} ${group}`),
      ['2 a', '2 c', 'c c'],
    );
    const explain = store.dialect.name === 'sqlite' ? 'explain query plan' : 'explain';
    const plan = await ask(store, (dialect) => sql`${sql.raw(explain)} ${pairs(dialect)}`);
    assert.match(JSON.stringify(plan), /members_member|members_pkey/);
    assert.doesNotMatch(JSON.stringify(plan), /SCAN m\b|Hash Join|Merge Join/);
  });

  test('jsonText gives every kind of value as the same text', async () => {
    const store = await withDoc();
    const cases: [string[], string | null][] = [
      [['urn:a:b:2.0:User', 'department'], 'R&D'],
      [['urn:a:b:2.0:User', 'odd.name'], 'x'],
      [['name', 'familyName'], 'Δέλτα'],
      [['name', 'middle'], null],
      [['name', 'absent'], null],
      [['absent', 'deeper'], null],
      [['active'], 'true'],
      [['off'], 'false'],
      [['age'], '41'],
      [['half'], '1.5'],
      [['empty'], ''],
    ];
    for (const [path, expected] of cases) {
      const rows = await ask(
        store,
        (d) => sql<{ v: string | null }>`select ${d.jsonText(sql.ref('doc'), path)} as v from subjects`,
      );
      assert.equal(rows[0]!.v, expected, path.join(' . '));
    }
  });

  test('jsonEach gives each element as JSON, and no row for what is no array', async () => {
    const store = await bed.open();
    const elements = async (path: string[]) => {
      const rows = await ask(
        store,
        (d) =>
          sql<{
            value: string;
          }>`select e.value from ${d.jsonEach(sql`cast(${JSON.stringify(doc)} as ${sql.raw(d.columns.$json)})`, path, 'e')}`,
      );
      return rows.map((row) => JSON.parse(row.value));
    };
    assert.deepEqual(await elements(['emails']), doc.emails);
    assert.deepEqual(await elements(['roles']), doc.roles);
    for (const path of [['none'], ['absent'], ['name'], ['name', 'middle'], ['empty'], ['active'], ['age']]) {
      assert.deepEqual(await elements(path), [], path.join('.'));
    }
  });

  test('exists over jsonEach finds a value inside an element', async () => {
    const store = await withDoc();
    const find = (value: string) =>
      ask(
        store,
        (d) => sql<{ id: string }>`select id from subjects where exists (
          select 1 from ${d.jsonEach(sql.ref('doc'), ['emails'], 'e')} where ${d.jsonText(sql.ref('e.value'), ['value'])} = ${value})`,
      );
    assert.equal((await find('b@example.com')).length, 1);
    assert.equal((await find('c@example.com')).length, 0);
  });

  test('fold is the fold of the protocol, in every script', async () => {
    const store = await bed.open();
    for (const part of await foldAll(store, texts))
      assert.equal(part.folded, fold(part.text), JSON.stringify(part.text));
  });

  test('a folded prefix is a prefix of the folded name', async () => {
    const store = await bed.open();
    const [name, prefix] = await foldAll(store, ['ΟΔΟΣΤΡΩΜΑ', 'ΟΔΟΣ']);
    assert.ok(name!.folded.startsWith(prefix!.folded));
  });

  test('fold agrees on random text of tricky letters', async () => {
    const store = await bed.open();
    const letter = fc.constantFrom(..."aAßẞiIıİΣσςΆάЁёÉ\u0301\u0307\u0345ǅﬃᲐა .'-".split(''));
    const sample = fc.sample(
      fc.array(letter, { maxLength: 8 }).map((letters) => letters.join('')),
      { numRuns: 3_000, seed: 7 },
    );
    for (const part of await foldAll(store, sample))
      assert.equal(part.folded, fold(part.text), JSON.stringify(part.text));
  });

  test('fold agrees on every letter that has two cases', async () => {
    const store = await bed.open();
    const cased: string[] = [];
    for (let point = 0x20; point < 0x20000; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const text = String.fromCodePoint(point);
      if (text.toLowerCase() !== text || text.toUpperCase() !== text) cased.push(`x${text}y`);
    }
    assert.ok(cased.length > 2_000);
    const wrong = (await foldAll(store, cased)).filter((part) => part.folded !== fold(part.text));
    assert.deepEqual(wrong, []);
  });

  test('keys and JSON text sort and compare by code point', async () => {
    const store = await bed.open();
    const keys = ['a', 'B', 'b', 'Z', 'z', 'ä', 'é', '_', '-', 'a b', 'ab', 'a-b', 'Ω', '\uffee', '𐐀', '田', 'α'];
    await store.write((tx) =>
      tx.all(tx.q.insertInto('members').values(keys.map((key) => ({ group_id: 'g', member_id: key })))),
    );
    const sorted = [...keys].sort(compareText);
    const rows = await store.read((r) => r.all(r.q.selectFrom('members').select('member_id').orderBy('member_id')));
    assert.deepEqual(
      rows.map((row) => row.member_id),
      sorted,
    );
    const after = await store.read((r) =>
      r.all(r.q.selectFrom('members').select('member_id').where('member_id', '>', 'a').orderBy('member_id')),
    );
    assert.deepEqual(
      after.map((row) => row.member_id),
      sorted.filter((key) => compareText(key, 'a') > 0),
    );
    const json = await ask(
      store,
      (d) => sql<{ v: string }>`select ${d.jsonText(sql.ref('r.doc'), ['k'])} as v from (
        select ${d.name === 'sqlite' ? sql`value` : sql`cast(value as jsonb)`} as doc from ${d.jsonEach(
          sql`cast(${JSON.stringify(keys.map((k) => ({ k })))} as ${sql.raw(d.columns.$json)})`,
          [],
          'e',
        )}) as r order by ${d.jsonText(sql.ref('r.doc'), ['k'])}`,
    );
    assert.deepEqual(
      json.map((row) => row.v),
      sorted,
    );
  });
});

async function foldAll(store: Store, all: readonly string[]): Promise<{ text: string; folded: string }[]> {
  const rows = all.map((text, n) => ({ n, text }));
  const read = await ask(
    store,
    (d) =>
      sql<{ n: number; folded: string }>`select n, ${d.fold(sql.ref('text'))} as folded from ${d.rowsOf<
        (typeof rows)[number],
        'r'
      >(JSON.stringify(rows), 'r', { n: 'int', text: 'text' })}`,
  );
  assert.equal(read.length, all.length);
  return read.map(({ n, folded }) => ({ text: all[n]!, folded }));
}
