import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { prepare, type Store, type Tx, UniqueViolation } from '../../src/store/store.ts';
import { eachDatabase, oneDatabase } from '../database.ts';

const insert = prepare((q, p: { group: string; member: string }) =>
  q.insertInto('members').values({ group_id: p.group, member_id: p.member }),
);
const add = (tx: Tx, group: string, member: string) => tx.run(insert, { group, member });

async function listMembers(store: Store): Promise<string[]> {
  const rows = await store.read((r) =>
    r.all(r.q.selectFrom('members').selectAll().orderBy('group_id').orderBy('member_id')),
  );
  return rows.map((row) => `${row.group_id}/${row.member_id}`);
}

eachDatabase('writes', (bed) => {
  test('one that fails undoes its own writes and nobody else’s', async () => {
    const store = await bed.open();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        store.write(async (tx) => {
          await add(tx, 'g', `a${i}`);
          await add(tx, 'g', `b${i}`);
          if (i % 3 === 0) throw new Error(`no ${i}`);
          return i;
        }),
      ),
    );
    results.forEach((result, i) => {
      if (i % 3 === 0) assert.equal(result.status === 'rejected' && result.reason.message, `no ${i}`);
      else assert.equal(result.status === 'fulfilled' && result.value, i);
    });
    const expected = Array.from({ length: 20 }, (_, i) => i)
      .filter((i) => i % 3 !== 0)
      .flatMap((i) => [`g/a${i}`, `g/b${i}`])
      .sort();
    assert.deepEqual(await listMembers(store), expected);
  });

  test('a resolved write can be read at once, by its own node and another', async () => {
    const store = await bed.open();
    const other = await bed.openAgain(store);
    for (let i = 0; i < 20; i++) {
      await store.write((tx) => add(tx, 'g', `m${i}`));
      assert.equal((await listMembers(store)).length, i + 1);
      assert.equal((await listMembers(other)).length, i + 1);
    }
  });

  test('a reader sees nothing of a transaction that is under way', async () => {
    const store = await bed.open();
    let during: string[] | undefined;
    await store.write(async (tx) => {
      await add(tx, 'g', 'm');
      during = await listMembers(store);
      assert.equal((await tx.all(tx.q.selectFrom('members').selectAll())).length, 1, 'it sees its own writes');
    });
    assert.deepEqual(during, []);
    assert.deepEqual(await listMembers(store), ['g/m']);
  });

  test('a taken value is a UniqueViolation, by index, by key and by statement builder', async () => {
    const store = await bed.open();
    await store.write((tx) => add(tx, 'g', 'm'));
    await assert.rejects(
      store.write((tx) => add(tx, 'g', 'm')),
      (error) => error instanceof UniqueViolation && /members/.test(error.constraint),
    );
    const provider = { name: 'a', name_key: 'a', description: null, resident: 1, created_at: 1, modified_at: 1 };
    await store.write((tx) => tx.all(tx.q.insertInto('service_providers').values(provider)));
    await assert.rejects(
      store.write((tx) => tx.all(tx.q.insertInto('service_providers').values({ ...provider, resident: 0 }))),
      (error) => error instanceof UniqueViolation && /name_key/.test(error.constraint),
    );
    await assert.rejects(
      store.write((tx) =>
        tx.all(tx.q.insertInto('service_providers').values({ ...provider, name: 'b', name_key: 'b' })),
      ),
      (error) => error instanceof UniqueViolation && /resident/.test(error.constraint),
    );
  });

  test('other violations are not taken for a UniqueViolation', async () => {
    const store = await bed.open();
    await assert.rejects(
      store.write((tx) => tx.all(tx.q.insertInto('members').values({ group_id: 'g', member_id: null as never }))),
      (error) => !(error instanceof UniqueViolation),
    );
    const binding = { blocking: 0, rules: 0, jit: 0, enabled: 1, position: 0 };
    await assert.rejects(
      store.write((tx) => tx.all(tx.q.insertInto('bindings').values({ sp_id: 98, target_id: 99, ...binding }))),
      (error) => error instanceof Error && /foreign key/i.test(error.message) && !(error instanceof UniqueViolation),
    );
  });

  test('swallowing the failure of a statement does not make the write succeed', async () => {
    const store = await bed.open();
    await store.write((tx) => add(tx, 'g', 'm'));
    const write = store.write(async (tx) => {
      await add(tx, 'g', 'before');
      await add(tx, 'g', 'm').catch(() => {});
      await add(tx, 'g', 'after').catch(() => {});
      return 'on disk';
    });
    await assert.rejects(write, UniqueViolation);
    assert.deepEqual(await listMembers(store), ['g/m']);
    await store.write((tx) => add(tx, 'g', 'next'));
    assert.deepEqual(await listMembers(store), ['g/m', 'g/next']);
  });

  test('a transaction that is over takes no further statement', async () => {
    const store = await bed.open();
    let kept: Tx | undefined;
    await store.write(async (tx) => {
      kept = tx;
    });
    await assert.rejects(add(kept!, 'g', 'late'), /not awaited/);
    await assert.rejects(
      store.write(async (tx) => {
        kept = tx;
        throw new Error('no');
      }),
      /^Error: no$/,
    );
    await assert.rejects(add(kept!, 'g', 'late'), /not awaited/);
    assert.deepEqual(await listMembers(store), []);
  });

  test('a closed store takes nothing; what was under way is on disk', async () => {
    const store = await bed.open();
    const again = await bed.openAgain(store);
    const writes = Array.from({ length: 5 }, (_, i) => store.write((tx) => add(tx, 'g', `m${i}`)));
    await nextTurn();
    await Promise.all(writes);
    await store.close();
    await store.close();
    await assert.rejects(store.write((tx) => add(tx, 'g', 'late')));
    await assert.rejects(store.read((r) => r.all(r.q.selectFrom('members').selectAll())));
    assert.equal((await listMembers(again)).length, 5);
  });

  test('a statement that a fault stops fails the write, and the next one works', async () => {
    let fault: RegExp | undefined;
    const store = await bed.open({
      onStatement: (text) => {
        if (fault?.test(text)) throw new Error('the disk is full');
      },
    });
    for (const pattern of [/insert into "members"/, /^commit$/]) {
      fault = pattern;
      await assert.rejects(
        store.write((tx) => add(tx, 'g', 'm')),
        /the disk is full/,
        `${pattern}`,
      );
      fault = undefined;
      assert.deepEqual(await listMembers(store), []);
    }
    await store.write((tx) => add(tx, 'g', 'm'));
    assert.deepEqual(await listMembers(store), ['g/m']);
  });

  test('an unawaited statement builder runs nothing by itself', async () => {
    const store = await bed.open();
    await store.read(async (r) => {
      await assert.rejects(r.q.selectFrom('members').selectAll().execute(), /only builds/);
    });
  });

  test('counts and sums are numbers', async () => {
    const store = await bed.open();
    const provider = { description: null, resident: 0, created_at: 2 ** 40, modified_at: 1 };
    await store.write((tx) =>
      tx.all(
        tx.q.insertInto('service_providers').values([
          { name: 'a', name_key: 'a', ...provider },
          { name: 'b', name_key: 'b', ...provider },
        ]),
      ),
    );
    const query = sql<{ n: number; s: number }>`select count(*) as n, sum(created_at) as s from service_providers`;
    const row = await store.read((r) => r.first({ compile: () => query.compile(r.q) }));
    assert.deepEqual({ ...row }, { n: 2, s: 2 ** 41 });
  });
});

oneDatabase('sqlite', 'shared commits', (bed) => {
  test('writes of one turn share one commit, and none is told before it', async () => {
    const statements: string[] = [];
    const store = await bed.open({ onStatement: (text) => statements.push(text) });
    const writes = Array.from({ length: 50 }, (_, i) =>
      store.write((tx) => add(tx, 'g', `m${i}`)).then(() => statements.push('told')),
    );
    await Promise.all(writes);
    assert.equal(statements.filter((text) => text === 'commit').length, 1);
    assert.equal(statements.filter((text) => text === 'told').length, 50);
    assert.ok(statements.indexOf('told') > statements.indexOf('commit'));
  });

  test('a commit that fails rejects every write in it and keeps nothing', async () => {
    let broken = true;
    const store = await bed.open({
      onStatement: (text) => {
        if (broken && text === 'commit') throw new Error('the disk is full');
      },
    });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => store.write((tx) => add(tx, 'g', `m${i}`))),
    );
    assert.ok(results.every((result) => result.status === 'rejected' && /disk is full/.test(result.reason.message)));
    assert.deepEqual(await listMembers(store), []);
    broken = false;
    await store.write((tx) => add(tx, 'g', 'm'));
    assert.deepEqual(await listMembers(store), ['g/m']);
  });

  for (const where of ['begin immediate', 'savepoint job', 'release job', 'rollback to job', 'rollback']) {
    test(`a fault at "${where}" rejects, hangs nobody, and the store goes on`, { timeout: 10_000 }, async () => {
      let broken = true;
      const store = await bed.open({
        onStatement: (text) => {
          if (broken && (text === where || (where === 'rollback' && text === 'commit'))) throw new Error('a fault');
        },
      });
      const results = await Promise.allSettled([
        store.write((tx) => add(tx, 'g', 'm1')),
        store.write(async (tx) => {
          await add(tx, 'g', 'm2');
          throw new Error('its own failure');
        }),
        store.write((tx) => add(tx, 'g', 'm3')),
      ]);
      const stored = await listMembers(store);
      for (const [i, result] of results.entries()) {
        assert.equal(stored.includes(`g/m${i + 1}`), result.status === 'fulfilled', `write ${i + 1}`);
      }
      assert.equal(results[1]!.status, 'rejected');
      broken = false;
      await store.write((tx) => add(tx, 'h', 'next'));
      assert.ok((await listMembers(store)).includes('h/next'));
      assert.ok(!(await listMembers(store)).includes('g/m2'));
    });
  }

  test('a full queue is cut into commits that let the event loop breathe', async () => {
    const statements: string[] = [];
    const store = await bed.open({ onStatement: (text) => statements.push(text) });
    let turns = 0;
    let running = true;
    const count = async () => {
      for (; running; turns++) await nextTurn();
    };
    const counting = count();
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => store.write((tx) => add(tx, 'g', `m${i}`))));
    running = false;
    await counting;
    const commits = statements.filter((text) => text === 'commit').length;
    assert.ok(commits >= 8, `${commits} commits for 2,000 writes`);
    assert.ok(turns >= commits, `${turns} turns of the event loop during ${commits} commits`);
  });
});
