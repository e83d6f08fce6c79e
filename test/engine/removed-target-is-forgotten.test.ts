import assert from 'node:assert/strict';
import { it } from 'node:test';
import { forgetStep, removeTarget } from '../../src/provisioning/remove-target.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };
const tables = ['accounts', 'links', 'attempts', 'exchanges', 'wakes', 'waves', 'lanes', 'budgets', 'targets'] as const;

async function countAll(bed: EngineBed): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const row = await bed.store.read((r) => r.first(r.q.selectFrom(table).select((e) => e.fn.countAll().as('n'))));
    counts[table] = Number(row!.n);
  }
  return counts;
}

async function untilForgotten(bed: EngineBed): Promise<void> {
  const gone = async () => Object.values(await countAll(bed)).every((count) => count === 0);
  await bed.clock.runUntil(gone, { limitMs: 120_000, what: 'every row being forgotten' });
}

async function unbind(bed: EngineBed): Promise<void> {
  await bed.store.write((tx) => replaceBindings(tx, bed.resident.spId, []));
  bed.store.signal('targets');
}

async function remove(bed: EngineBed, forget?: number): Promise<void> {
  await bed.store.write((tx) => removeTarget(tx, bed.targetId, forget));
  bed.store.signal('targets');
}

// Engine rule 25: deleting a target asks, counts, and keeps remote accounts.
eachDatabase('a target that is removed', (database) => {
  it('asks for the number, keeps what is there, and is forgotten to the last row', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push(await bed.addUser(`p${n}`));
    await bed.addGroup('team', ids);
    await bed.rest();
    await unbind(bed);
    await bed.rest();
    await assert.rejects(remove(bed), /knows 31 accounts at partner:SCIM2.*forget=31/);
    await assert.rejects(remove(bed, 30), /31 accounts \(and not 30\)/);
    const heard = bed.fake.requests.length;
    await remove(bed, 31);
    await bed.changeUser(ids[0]!, 'renamed');
    await untilForgotten(bed);
    assert.equal(bed.fake.requests.length, heard, 'nothing is said to it');
    assert.equal(bed.fake.users.size, 30, 'remote accounts stay');
  });

  it('is forgotten in bounded steps that a crash only interrupts', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    await bed.addUser('ada');
    await bed.rest();
    await bed.stop();
    const rows = Array.from({ length: 1_700 }, (_, n) => ({
      target_id: bed.targetId,
      subject_id: `made-${n}`,
      kind: 'user' as const,
      urgency: 3,
      wanted: 1,
      done: 1,
      tries: 0,
      strikes: 0,
      state: 'done' as const,
      sp_id: bed.resident.spId,
      seq_done: 1,
      version: 1,
      remote_id: `r-${n}`,
    }));
    for (let from = 0; from < rows.length; from += 100) {
      const some = rows.slice(from, from + 100);
      await bed.store.write((tx) => tx.all(tx.q.insertInto('accounts').values(some as never)));
    }
    await unbind(bed);
    await remove(bed, 1_701);
    assert.equal(await forgetStep(bed.store), 0, 'a lease may still run');
    await bed.clock.advance(10_000);
    const steps: number[] = [];
    for (let taken = await forgetStep(bed.store); taken > 0; taken = await forgetStep(bed.store)) steps.push(taken);
    assert.ok(steps.length >= 6 && Math.max(...steps) <= 500, String(steps));
    assert.equal((await countAll(bed)).targets, 0);
  });

  it('while something is under way ends without harm', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    bed.fake.misbehave({ when: { method: 'POST' }, times: 1, act: { kind: 'hold', applied: false } });
    for (let n = 0; n < 3; n++) await bed.addUser(`p${n}`);
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.held === 1, { stepMs: 5, what: 'a creation under way' });
    await unbind(bed);
    await remove(bed, 3);
    await bed.fake.release();
    await untilForgotten(bed);
  });
});
