import { sql } from 'kysely';
import { prepare, type Reading } from '../store/store.ts';

const look = prepare<{ now: number }, { stamp: number; work: number }>(
  (_, p) => sql<{ stamp: number; work: number }>`
    select value as stamp, case
      when exists (select 1 from changes where unplanned is not null)
        or exists (select 1 from wakes)
        or exists (select 1 from descents where cursor is not null)
        or exists (select 1 from former_members)
        or exists (select 1 from waves where state = 'running')
        or exists (select 1 from accounts where ask_at is not null and ask_at <= ${p.now})
        or exists (select 1 from targets where removed_at is not null)
      then 1 else 0 end as work
    from stamps where name = 'delivery'`,
);

/**
 * Whether there is anything for the planner, and the delivery stamp, in one read: what it would find out with a
 * transaction, a lock and a look into each of these tables.
 */
export async function lookForPlannerWork(reading: Reading): Promise<{ stamp: number; work: boolean }> {
  const [row] = await reading.run(look, { now: reading.now });
  return { stamp: row!.stamp, work: row!.work === 1 };
}
