import assert from 'node:assert/strict';
import { it } from 'node:test';
import { selectDueAccounts } from '../../src/provisioning/due-accounts.ts';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200 };

eachDatabase('urgent first, and nothing starves', (database) => {
  it('sends a removal that comes in the middle of thousands of creations before them', async () => {
    await using bed = await openEngineBed(database, { policy: { ...limits, concurrency: 4, requestsPerSecond: 100 } });
    await bed.start();
    const leaver = await bed.addUser('leaver');
    await bed.rest();
    await bed.stop();
    const { store, resident } = bed;
    await store.write(async (tx) => {
      const rows = Array.from({ length: 3_000 }, (_, n) => `p${String(n).padStart(4, '0')}`);
      for (const name of rows) {
        await tx.all(
          tx.q.insertInto('subjects').values({
            id: name,
            kind: 'user',
            domain: 'PRIMARY',
            name_key: name,
            life: 'live',
            seq: 0,
            external_id: null,
            display_key: null,
            doc: JSON.stringify({ userName: name }),
            version: 1,
            created_at: tx.now,
            modified_at: tx.now,
          }),
        );
        await tx.all(tx.q.insertInto('subject_sps').values({ subject_id: name, sp_id: resident.spId }));
        await tx.all(
          tx.q.insertInto('changes').values({
            subject_id: name,
            other_id: null,
            sp_id: resident.spId,
            door: 'scim',
            actor: 'test',
            at: tx.now,
            urgency: 2,
            unplanned: 1,
          } as never),
        );
      }
    });
    await bed.start();
    await bed.clock.runUntil(() => bed.fake.users.size > 20, { stepMs: 5 });
    const before = bed.fake.requests.length;
    const from = bed.clock.now();
    await bed.removeUser(leaver);
    await bed.clock.runUntil(() => bed.fake.userNamed('leaver') === undefined, { stepMs: 5, what: 'the removal' });
    const ahead = bed.fake.requests.length - before;
    assert.ok(ahead <= 300, `${ahead} creations went first`);
    assert.ok(bed.clock.now() - from <= 3_000, `${bed.clock.now() - from} ms`);
    await bed.stop();
  });

  for (const limit of [1, 2, 3, 8, 32]) {
    it(`gives every urgency its turn while more urgent work never ends (${limit} at a time)`, async () => {
      await using bed = await openEngineBed(database, { policy: limits });
      const { store, targetId } = bed;
      await store.write(async (tx) => {
        for (let urgency = 0; urgency < 4; urgency++) {
          for (let n = 0; n < 200; n++) {
            await tx.all(
              tx.q.insertInto('accounts').values({
                target_id: targetId,
                subject_id: `s${urgency}-${n}`,
                kind: 'user',
                urgency,
                due_at: tx.now - 1_000 + n,
                wanted: 1,
                done: 0,
                tries: 0,
                strikes: 0,
                state: 'due',
                sp_id: 1,
                seq_done: 0,
                version: 0,
              } as never),
            );
          }
        }
      });
      const taken = [0, 0, 0, 0];
      for (let turn = 0; turn < 96; ) {
        const rows = await store.write((tx) => selectDueAccounts(tx, { targetId, kind: 'user', turn }, limit));
        assert.equal(rows.length, limit);
        for (const row of rows) taken[row.urgency]! += 1;
        turn += rows.length;
      }
      assert.ok(taken[0]! >= 48, `half and more for the most urgent: ${taken}`);
      for (const urgency of [1, 2, 3]) assert.ok(taken[urgency]! >= 8, `a share for each: ${taken}`);
    });
  }
});
