import { sql } from 'kysely';
import { prepare, type Reading } from '../store/store.ts';

/** What waits at targets, found out without taking a lock or writing anything. */

export type DueLane = {
  targetId: number;
  kind: 'user' | 'group';
  /** When the next of its accounts may be claimed, as far as is known now: in the past when one may already. */
  dueAt: number;
};

type Row = {
  target_id: number;
  kind: 'user' | 'group';
  due0: number | null;
  due1: number | null;
  due2: number | null;
  due3: number | null;
  hold: string | null;
  probe_at: number | null;
};

/** One step into the index for each lane and urgency, however many accounts are due. */
const look = prepare<{ rows: string }, Row>((_, p, d) => {
  const rows = d.rowsOf<{ target_id: number; kind: string }, 'r'>(p.rows, 'r', { target_id: 'int', kind: 'text' });
  const earliest = (urgency: number) => sql`(
    select min(a.due_at) from accounts a
    where a.target_id = r.target_id and a.kind = r.kind and a.urgency = ${sql.lit(urgency)} and a.due_at is not null)`;
  return sql<Row>`
    select r.target_id, r.kind, ${earliest(0)} as due0, ${earliest(1)} as due1, ${earliest(2)} as due2,
      ${earliest(3)} as due3, l.hold, l.probe_at
    from ${rows} left join lanes l on l.target_id = r.target_id and l.kind = r.kind`;
});

/** The lanes of these targets that have something due, now or later. A lane that is held counts from its next probe. */
export async function listDueLanes(reading: Reading, targetIds: readonly number[]): Promise<DueLane[]> {
  if (targetIds.length === 0) return [];
  const lanes = targetIds.flatMap((target_id) => ['user', 'group'].map((kind) => ({ target_id, kind })));
  const rows = await reading.run(look, { rows: JSON.stringify(lanes) });
  return rows.flatMap((row) => {
    const due = [row.due0, row.due1, row.due2, row.due3].filter((at) => at !== null);
    if (due.length === 0) return [];
    const opensAt = row.hold === null ? 0 : (row.probe_at ?? 0);
    return [{ targetId: row.target_id, kind: row.kind, dueAt: Math.max(opensAt, Math.min(...due)) }];
  });
}
