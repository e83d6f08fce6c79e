import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { prepare, type Store, type Tx } from '../store/store.ts';
import { leaseMs } from './claim.ts';
import { raiseDeliveryStamp } from './delivery-stamp.ts';
import { readPolicy } from './policy.ts';
import { lockTarget, readTarget } from './targets.ts';

/**
 * Taking a target away (engine rule 25). Its accounts stay at the remote system as they are; what is forgotten is what
 * Purvey knows of them. The target is gone for everybody at once and its place is free; a million rows are then forgotten
 * piece by piece, by the planner, and the last piece is the target's own row. A crash in between changes nothing:
 * `removed_at` says what is left to do.
 */

/**
 * Throws Problem `conflict` while a service provider is bound to it, and while accounts are known there unless `forget`
 * is their number: whoever removes them has seen how many they are. The caller says `store.signal('targets')` after its
 * commit.
 */
export async function removeTarget(tx: Tx, id: number, forget?: number): Promise<void> {
  const found = await lockTarget(tx, id);
  const { name } = await readTarget(tx, id);
  const bound = await tx.all(
    tx.q
      .selectFrom('bindings as b')
      .innerJoin('service_providers as s', 's.id', 'b.sp_id')
      .select('s.name')
      .where('b.target_id', '=', id)
      .orderBy('s.name'),
  );
  if (bound.length > 0) {
    const names = bound.map((row) => row.name).join(', ');
    throw new Problem('conflict', `${name} is bound to ${names}: take it out of their bindings first`);
  }
  const counted = await tx.first(
    tx.q
      .selectFrom('accounts')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('target_id', '=', id),
  );
  const accounts = Number(counted!.count);
  if (accounts > 0 && forget !== accounts) {
    const again = forget === undefined ? '' : ` (and not ${forget})`;
    throw new Problem(
      'conflict',
      `Purvey knows ${accounts} accounts${again} at ${name}. They stay there as they are, but Purvey will not know them any more, nor remove a leaver's. If that is meant, say how many it forgets: forget=${accounts}`,
      { field: 'forget' },
    );
  }
  const [tried] = await tx.all(tx.q.selectFrom('attempts').select('id').where('target_id', '=', id).limit(1));
  if (accounts === 0 && !tried) {
    for (const table of ['lanes', 'waves', 'budgets'] as const) {
      await tx.all(tx.q.deleteFrom(table).where('target_id', '=', id));
    }
    await tx.all(tx.q.deleteFrom('targets').where('id', '=', id));
    await raiseDeliveryStamp(tx);
    return;
  }
  await tx.all(
    tx.q
      .updateTable('targets')
      .set({ removed_at: tx.now, enabled: 0, type: `${found.type}#${id}` })
      .where('id', '=', id),
  );
  await raiseDeliveryStamp(tx);
}

/** So many rows are forgotten in one transaction. */
const rowsPerStep = 500;

const selectRemoved = prepare<Record<string, never>, { id: number; policy: string; removed_at: number }>(
  () => sql<{ id: number; policy: string; removed_at: number }>`
    select id, policy, removed_at from targets where removed_at is not null order by id`,
);

type Step = { targetId: number; limit: number };

/** In this order: what others lead to goes before them. Each removes at most `limit` rows and answers which. */
const steps = [
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from links where target_id = ${p.targetId} and (group_id, member_id) in (
        select group_id, member_id from links where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from placed_members where target_id = ${p.targetId} and (group_id, member_id) in (
        select group_id, member_id from placed_members where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from exchanges where attempt_id in (
        select e.attempt_id from attempts t cross join exchanges e
        where t.target_id = ${p.targetId} and e.attempt_id = t.id limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from attempts where id in (
        select id from attempts where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from accounts where target_id = ${p.targetId} and subject_id in (
        select subject_id from accounts where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from wakes where id in (select id from wakes where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  prepare<Step, { n: number }>(
    (_, p) => sql<{ n: number }>`
      delete from conflicts where target_id = ${p.targetId} and subject_id in (
        select subject_id from conflicts where target_id = ${p.targetId} limit ${p.limit})
      returning 1 as n`,
  ),
  ...(['decisions', 'waves', 'lanes', 'budgets'] as const).map((table) =>
    prepare<Step, { n: number }>(
      (_, p) => sql<{ n: number }>`delete from ${sql.table(table)} where target_id = ${p.targetId} returning 1 as n`,
    ),
  ),
];

/**
 * Forgets a piece of what is known of a removed target, in one transaction; answers how many rows it was, 0 when there
 * is nothing to forget. It begins when the last lease has ended, so that whatever was under way at the removal is written
 * down before. Any number of nodes may do it at once.
 */
export async function forgetStep(store: Store): Promise<number> {
  const all = await store.read((reading) => reading.run(selectRemoved, {}));
  const removed = all.find(
    ({ policy, removed_at }) => store.now() > removed_at + leaseMs(readPolicy(JSON.parse(policy))),
  );
  if (!removed) return 0;
  return store.write(
    async (tx) => {
      for (const step of steps) {
        const gone = await tx.run(step, { targetId: removed.id, limit: rowsPerStep });
        if (gone.length > 0) return gone.length;
      }
      await tx.all(tx.q.deleteFrom('targets').where('id', '=', removed.id));
      return 1;
    },
    { durable: 'later' },
  );
}
