import { sql } from 'kysely';
import { prepare, type Store } from '../../../src/store/store.ts';

type Row = { what: 'account' | 'lane' | 'plan'; kind: 'user' | 'group'; at: number };

const select = prepare<Record<string, never>, Row>(
  () => sql<Row>`
    select 'account' as what, kind, due_at as at from accounts where due_at is not null
    union all select 'lane', kind, coalesce(probe_at, 0) from lanes
    union all select 'plan', 'user', 0 from (select seq from changes where unplanned is not null limit 1) c
    union all select 'plan', 'user', 0 from (select id from wakes limit 1) w
    union all select 'plan', 'user', 0 from (select group_id from descents limit 1) g
    union all select 'plan', 'user', 0 from (select group_id from former_members limit 1) f
    union all select 'plan', 'user', 0 from (select id from waves where state = 'running' limit 1) v`,
);

/**
 * What is still to be done: accounts with the time they are due at, lanes with that of their next probe, and whether
 * the planner has anything to do. One statement: schedules spend most of their time on the way to the database.
 */
export async function lookAhead(store: Store): Promise<{ accounts: Row[]; lanes: Row[]; toPlan: boolean }> {
  const rows = await store.read((reading) => reading.run(select, {}));
  return {
    accounts: rows.filter((row) => row.what === 'account'),
    lanes: rows.filter((row) => row.what === 'lane'),
    toPlan: rows.some((row) => row.what === 'plan'),
  };
}
