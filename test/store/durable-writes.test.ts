import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { type Disk, openDisk } from '../../src/store/disk.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase, oneDatabase } from '../database.ts';

const add = (store: Store, member: string, durable: 'now' | 'later' = 'now') =>
  store.write((tx) => tx.all(tx.q.insertInto('members').values({ group_id: 'g', member_id: member })), { durable });

async function listMembers(store: Store): Promise<string[]> {
  const rows = await store.read((r) => r.all(r.q.selectFrom('members').select('member_id').orderBy('member_id')));
  return rows.map((row) => row.member_id);
}

async function passTurns(): Promise<void> {
  for (let i = 0; i < 10; i++) await nextTurn();
}

/** A disk whose syncs a test ends: `ends` has those under way. */
function makeSlowDisk() {
  const ends: ((error?: Error) => void)[] = [];
  let closed = false;
  const disk: Disk = {
    sync: () =>
      new Promise((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {
      closed = true;
    },
  };
  return { disk, ends, isClosed: () => closed };
}

eachDatabase('durable later', (bed) => {
  test('it is committed when it resolves, and a later write has it with it', async () => {
    const store = await bed.open();
    await add(store, 'a', 'later');
    assert.deepEqual(await listMembers(store), ['a']);
    await add(store, 'b');
    const again = await bed.openAgain(store);
    assert.deepEqual(await listMembers(again), ['a', 'b']);
  });

  test('its failure undoes it and is told', async () => {
    const store = await bed.open();
    const fails = store.write(
      async (tx) => {
        await tx.all(tx.q.insertInto('members').values({ group_id: 'g', member_id: 'a' }));
        throw new Error('no');
      },
      { durable: 'later' },
    );
    await assert.rejects(fails, /^Error: no$/);
    assert.deepEqual(await listMembers(store), []);
  });
});

oneDatabase('sqlite', 'a slow disk', (bed) => {
  async function openOn(disk: Disk): Promise<Store> {
    const migrated = await bed.open();
    const location = bed.locationOf(migrated);
    await migrated.close();
    assert.ok('file' in location);
    return openSqliteStore({ file: location.file, clock: systemClock(), durability: 'full', disk: () => disk });
  }

  test('a write is told when the disk has it, one that is durable later when it is committed', async () => {
    const { disk, ends, isClosed } = makeSlowDisk();
    const store = await openOn(disk);
    const told: string[] = [];
    const writes = [
      add(store, 'a').then(() => told.push('a')),
      add(store, 'b', 'later').then(() => told.push('b')),
      add(store, 'c').then(() => told.push('c')),
    ];
    await passTurns();
    assert.deepEqual(told, ['b']);
    assert.equal(ends.length, 1);
    ends[0]!();
    await Promise.all(writes);
    assert.deepEqual(told, ['b', 'a', 'c']);
    await store.close();
    assert.ok(isClosed());
  });

  test('nothing is synced for what is durable later alone', async () => {
    const { disk, ends } = makeSlowDisk();
    const store = await openOn(disk);
    await add(store, 'a', 'later');
    await passTurns();
    assert.equal(ends.length, 0);
    await store.close();
  });

  test('commits made during a sync are not told by it and share the next one', async () => {
    const { disk, ends } = makeSlowDisk();
    const store = await openOn(disk);
    const told: string[] = [];
    const say = (member: string) => add(store, member).then(() => told.push(member));
    const first = say('a');
    await passTurns();
    const others = [say('b')];
    await passTurns();
    others.push(say('c'));
    await passTurns();
    assert.deepEqual(await listMembers(store), ['a', 'b', 'c'], 'the loop goes on meanwhile');
    assert.equal(ends.length, 1);
    ends[0]!();
    await first;
    await passTurns();
    assert.deepEqual(told, ['a']);
    assert.equal(ends.length, 2);
    ends[1]!();
    await Promise.all(others);
    assert.equal(ends.length, 2);
    await store.close();
  });

  test('a close waits for the disk', async () => {
    const { disk, ends, isClosed } = makeSlowDisk();
    const store = await openOn(disk);
    const write = add(store, 'a');
    await passTurns();
    const closing = store.close();
    await passTurns();
    assert.ok(!isClosed());
    ends[0]!();
    await write;
    await closing;
    assert.ok(isClosed());
  });

  test('a disk that fails is told to all who wait, and nothing more is promised', { timeout: 10_000 }, async () => {
    const { disk, ends } = makeSlowDisk();
    const store = await openOn(disk);
    const waiting = [add(store, 'a')];
    await passTurns();
    waiting.push(add(store, 'b'));
    await passTurns();
    ends[0]!(new Error('EIO: i/o error'));
    const results = await Promise.allSettled(waiting);
    for (const result of results) {
      assert.ok(result.status === 'rejected' && /the disk did not keep .*EIO/.test(result.reason.message));
    }
    await assert.rejects(add(store, 'c'), /until Purvey is started again: EIO/);
    await assert.rejects(add(store, 'd', 'later'), /the disk did not keep/);
    assert.equal(ends.length, 1, 'a disk that failed is not asked again');
    await store.close();
  });
});

test('the disk syncs one file, again and again', { timeout: 10_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'purvey-disk-'));
  const file = join(folder, 'log');
  writeFileSync(file, 'something');
  const disk = openDisk(file);
  await disk.sync();
  await disk.sync();
  await disk.close();
  await assert.rejects(disk.sync(), /ended/);
  rmSync(folder, { recursive: true });
});

test('a disk without its file says so at every call and hangs nobody', { timeout: 10_000 }, async () => {
  const disk = openDisk(join(tmpdir(), 'purvey-no-such-folder', 'log'));
  await assert.rejects(disk.sync(), /ENOENT/);
  await assert.rejects(disk.sync(), /ENOENT/);
  await disk.close();
});
