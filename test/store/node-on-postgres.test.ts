import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import type { Store, Topic, Tx } from '../../src/store/store.ts';
import { oneDatabase } from '../database.ts';

async function addRows(store: Store, members: readonly string[]): Promise<void> {
  await store.write((tx) =>
    tx.all(tx.q.insertInto('refs').values(members.map((id) => ({ subject_id: id, ref_id: '' })))),
  );
}

/** Locks one row and appends to it. */
async function touch(tx: Tx, id: string, mark: string): Promise<void> {
  const mine = sql`update user_store_domains set description = coalesce(description, '') || ${mark} where name = ${id}`;
  await tx.all({ compile: () => mine.compile(tx.q) });
}

async function untilTrue(condition: () => boolean, what: string, ms = 5_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `${what}: not within ${ms} ms`);
    await wait(5);
  }
}

oneDatabase('postgres', 'a node on PostgreSQL', (bed) => {
  test('writes that lock each other out are tried again, and each happens once', { timeout: 30_000 }, async () => {
    const store = await bed.open();
    await store.write((tx) =>
      tx.all(tx.q.insertInto('user_store_domains').values(['A', 'B'].map((name) => ({ name, description: '' })))),
    );
    let runs = 0;
    let met = 0;
    const cross = (first: string, second: string, mark: string) =>
      store.write(async (tx) => {
        runs++;
        await touch(tx, first, mark);
        // Both hold their first row before either asks for its second.
        met++;
        if (runs <= 2) await untilTrue(() => met >= 2, 'both hold a row');
        await touch(tx, second, mark);
      });
    await Promise.all([cross('A', 'B', '1'), cross('B', 'A', '2')]);
    assert.ok(runs >= 3, `a deadlock was provoked (${runs} runs)`);
    const rows = await store.read((r) =>
      r.all(r.q.selectFrom('user_store_domains').select('description').where('name', 'in', ['A', 'B'])),
    );
    for (const row of rows) assert.deepEqual([...row.description!].sort(), ['1', '2']);
  });

  test('other failures are not tried again', async () => {
    const store = await bed.open();
    let runs = 0;
    await assert.rejects(
      store.write(async () => {
        runs++;
        throw new Error('no');
      }),
    );
    assert.equal(runs, 1);
  });

  test('a connection cut in the middle of a write fails that write only, and the process goes on', async () => {
    const store = await bed.open();
    const { url } = bed.locationOf(store) as { url: string };
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    try {
      const cut = store.write(async (tx) => {
        const self = sql<{ pid: number }>`select pg_backend_pid() as pid`;
        const [row] = await tx.all({ compile: () => self.compile(tx.q) });
        await tx.all(tx.q.insertInto('refs').values({ subject_id: 'lost', ref_id: '' }));
        await admin.query('select pg_terminate_backend($1)', [row!.pid]);
        await wait(50);
        await tx.all(tx.q.insertInto('refs').values({ subject_id: 'lost too', ref_id: '' }));
      });
      await assert.rejects(cut);
      await addRows(store, ['kept']);
      const rows = await store.read((r) => r.all(r.q.selectFrom('refs').select('subject_id')));
      assert.deepEqual(
        rows.map((row) => row.subject_id),
        ['kept'],
      );
    } finally {
      await admin.end();
    }
  });

  test('all connections cut: the node comes back by itself and hears signals again', { timeout: 30_000 }, async () => {
    const [store, url] = await bed.open().then((s) => [s, (bed.locationOf(s) as { url: string }).url] as const);
    const other = await bed.openAgain(store);
    let heard = 0;
    other.onSignal('work', () => heard++);
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    try {
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    } finally {
      await admin.end();
    }
    await wait(50);
    await addRows(store, ['a']);
    await addRows(other, ['b']);
    const deadline = performance.now() + 10_000;
    while (heard === 0 && performance.now() < deadline) {
      store.signal('work');
      await wait(100);
    }
    assert.ok(heard > 0, 'the other node hears again');
  });

  test('signals reach every node, the sender at once, and are thinned out', async () => {
    const store = await bed.open();
    const other = await bed.openAgain(store);
    const heard: [string, Topic][] = [];
    for (const topic of ['changes', 'work', 'targets'] as const) {
      store.onSignal(topic, () => heard.push(['own', topic]));
      other.onSignal(topic, () => heard.push(['other', topic]));
    }
    store.signal('changes');
    assert.deepEqual(heard, [['own', 'changes']]);
    await untilTrue(() => heard.some(([who]) => who === 'other'), 'the other node hears');
    assert.ok(!heard.some(([who, topic]) => who === 'other' && topic !== 'changes'));

    await wait(100);
    heard.length = 0;
    for (let i = 0; i < 500; i++) store.signal(i % 2 ? 'work' : 'targets');
    await untilTrue(
      () => new Set(heard.filter(([who]) => who === 'other').map(([, t]) => t)).size === 2,
      'both topics',
    );
    await wait(150);
    const received = heard.filter(([who]) => who === 'other').length;
    assert.ok(received <= 8, `${received} notifications for 500 signals`);
  });

  test('a listener that is taken back hears nothing more', async () => {
    const store = await bed.open();
    let heard = 0;
    const stop = store.onSignal('work', () => heard++);
    store.signal('work');
    stop();
    store.signal('work');
    assert.equal(heard, 1);
  });

  test('locked rows are passed over, not waited for', async () => {
    const store = await bed.open();
    await addRows(store, ['a', 'b']);
    const take = (tx: Tx) =>
      tx.all(
        tx.q
          .selectFrom('refs')
          .select('subject_id')
          .orderBy('subject_id')
          .limit(1)
          .modifyEnd(tx.dialect.forUpdateSkipLocked),
      );
    await store.write(async (tx) => {
      assert.deepEqual(await take(tx), [{ subject_id: 'a' }]);
      await store.write(async (second) => assert.deepEqual(await take(second), [{ subject_id: 'b' }]));
    });
  });

  test('database time is one clock for all nodes', async () => {
    const store = await bed.open();
    const crooked = { now: () => Date.now() - 3_600_000, monotonic: () => 0, after: () => () => {} };
    const other = await bed.openAgain(store, { clock: crooked });
    assert.ok(Math.abs(store.now() - other.now()) < 2_000, `${store.now() - other.now()} ms apart`);
    const own = await bed.openAgain(store, { clock: crooked, time: 'clock' });
    assert.ok(Math.abs(own.now() - crooked.now()) < 1_000);
  });
});
