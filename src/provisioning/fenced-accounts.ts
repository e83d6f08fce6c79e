import { sql } from 'kysely';
import { prepare, type Tx } from '../store/store.ts';
import { type Keys, keyColumns, readAccounts } from './accounts.ts';
import { addAside, addDoubt, type Doubt, readDoubt } from './doubt.ts';

/** A result that sent something and whose lease was lost. `settlesAt`: until when what it sent may land. */
export type Fenced = {
  targetId: number;
  subjectId: string;
  kind: 'user' | 'group';
  urgency: number;
  spId: number;
  doubt: Doubt;
  settlesAt: number;
};

type FencedColumns = Keys & {
  kind: string;
  urgency: number;
  sp_id: number;
  doubt: string;
  settles_at: number;
};

const fence = prepare<{ rows: string; now: number }, never>((_, p, d) => {
  const rows = d.rowsOf<FencedColumns, 'r'>(p.rows, 'r', {
    ...keyColumns,
    kind: 'text',
    urgency: 'int',
    sp_id: 'int',
    doubt: 'text',
    settles_at: 'int',
  });
  const settled = d.greatest(sql`coalesce(accounts.not_before, 0)`, sql`excluded.not_before`);
  const leaseEnd = sql`case when accounts.lease_attempt is not null then accounts.due_at else 0 end`;
  const notBefore = d.greatest(settled, leaseEnd);
  return sql`
    insert into accounts (target_id, subject_id, kind, urgency, due_at, wanted, done, tries, strikes, state, sp_id, seq_done, version, doubt, not_before)
    select r.target_id, r.subject_id, r.kind, r.urgency, ${d.greatest(sql`cast(${p.now} as bigint)`, sql`r.settles_at`)},
      1, 0, 0, 0, 'due', r.sp_id, 0, 0, r.doubt, r.settles_at
    from ${rows} where true
    on conflict (target_id, subject_id) do update set
      wanted = accounts.wanted + 1, lease_attempt = null, doubt = excluded.doubt, not_before = ${notBefore},
      due_at = ${d.greatest(d.greatest(sql`excluded.due_at`, sql`coalesce(accounts.due_at, 0)`), notBefore)}`;
});

/**
 * For results that sent something and whose lease was lost (a process stood still between reading the clock and
 * sending): it may have been applied after somebody else looked, so the account is in doubt and due again, and is made again if it was dropped. An attempt that has the lease by now knows nothing of
 * this and may not clear the doubt: it loses the lease too, and nobody takes it before it would have ended.
 */
export async function fenceAccounts(tx: Tx, fenced: readonly Fenced[]): Promise<void> {
  const byKey = new Map<string, Fenced>();
  for (const one of fenced) {
    const key = `${one.targetId} ${one.subjectId}`;
    const seen = byKey.get(key);
    const doubt = seen ? joinDoubts(seen.doubt, one.doubt) : one.doubt;
    byKey.set(key, { ...one, doubt, settlesAt: Math.max(one.settlesAt, seen?.settlesAt ?? 0) });
  }
  if (byKey.size === 0) return;
  const known = await readAccounts(tx, [...byKey.values()]);
  const doubtOf = new Map(known.map((row) => [`${row.target_id} ${row.subject_id}`, readDoubt(row.doubt)]));
  const rows = [...byKey].map(([key, one]) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    kind: one.kind,
    urgency: one.urgency,
    sp_id: one.spId,
    doubt: JSON.stringify(joinDoubts(doubtOf.get(key) ?? null, one.doubt)),
    settles_at: one.settlesAt,
  }));
  await tx.run(fence, { rows: JSON.stringify(rows), now: tx.now });
}

function joinDoubts(doubt: Doubt | null, more: Doubt): Doubt {
  const joined = addAside(addDoubt(doubt, more.names, more.paths), more.aside ?? []);
  return more.twin ? { ...joined, twin: true } : joined;
}
