import { sql } from 'kysely';
import { prepare, type Tx } from '../store/store.ts';
import type { OpenTarget } from './target-book.ts';

/** Leases that a node left behind, by targets as they are known here: of a target that changed since they run out by themselves. */

type Lane = { target_id: number; kind: string; urgency: number; version: number; lands_ms: number };
type Lease = { target_id: number; subject_id: string; kind: string; attempt: number; ends: number; until: number };

/** By the index on what is due, which knows targets, kinds and urgencies: the accounts may be a million. */
const selectLeases = prepare<{ rows: string; node: number; lastSentAt: number; now: number }, Lease>((_, p, d) => {
  const rows = d.rowsOf<Lane, 'r'>(p.rows, 'r', {
    target_id: 'int',
    kind: 'text',
    urgency: 'int',
    version: 'int',
    lands_ms: 'int',
  });
  const until = d.greatest(sql`cast(${p.now} as bigint)`, sql`cast(${p.lastSentAt} as bigint) + r.lands_ms`);
  return sql<Lease>`
    select a.target_id, a.subject_id, a.kind, a.lease_attempt as attempt, a.due_at as ends, ${until} as until
    from ${rows} cross join accounts a cross join attempts t
    where a.target_id = r.target_id and a.kind = r.kind and a.urgency = r.urgency and a.due_at > ${until}
      and a.lease_attempt is not null and t.id = a.lease_attempt and t.node = ${p.node} and t.version = r.version
    order by a.target_id, a.subject_id`;
});

const shortenLeases = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Omit<Lease, 'kind' | 'ends'>, 'r'>(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    attempt: 'int',
    until: 'int',
  });
  return sql`
    update accounts set due_at = r.until from ${rows}
    where accounts.target_id = r.target_id and accounts.subject_id = r.subject_id
      and accounts.lease_attempt = r.attempt and accounts.due_at > r.until`;
});

/** A held lane waits for its probe until that one's lease ends. */
const shortenProbes = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Pick<Lease, 'target_id' | 'kind' | 'ends' | 'until'>, 'r'>(p.rows, 'r', {
    target_id: 'int',
    kind: 'text',
    ends: 'int',
    until: 'int',
  });
  return sql`
    update lanes set probe_at = r.until from ${rows}
    where lanes.target_id = r.target_id and lanes.kind = r.kind and lanes.hold is not null and lanes.probe_at = r.ends`;
});

/**
 * Ends the leases of a node that has sent nothing since `lastSentAt` (database time) as soon as nothing it sent can land
 * any more (engine rule 9), and answers how many.
 */
export async function endLeasesOf(
  tx: Tx,
  node: number,
  lastSentAt: number,
  targets: Iterable<OpenTarget>,
): Promise<number> {
  const lanes: Lane[] = [];
  for (const { target } of targets) {
    for (const kind of ['user', 'group']) {
      for (const urgency of [0, 1, 2, 3]) {
        const lands_ms = target.policy.timeoutMs + target.policy.settleMs;
        lanes.push({ target_id: target.id, kind, urgency, version: target.version, lands_ms });
      }
    }
  }
  const leases = await tx.run(selectLeases, { rows: JSON.stringify(lanes), node, lastSentAt, now: tx.now });
  if (leases.length === 0) return 0;
  const rows = JSON.stringify(leases);
  await tx.run(shortenLeases, { rows });
  await tx.run(shortenProbes, { rows });
  return leases.length;
}
