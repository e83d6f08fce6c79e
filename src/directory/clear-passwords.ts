import { sql } from 'kysely';
import { type SealingKey, type Secret, seal, unseal } from '../base/secret.ts';
import type { SecretRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/**
 * The only writer of `secrets`: clear passwords, sealed, from the change that brought them until nobody waits for them
 * any more (engine rule 28). A user has one at most: a newer password takes the place of an older one, whether or not it
 * is known in clear. The directory itself needs only the hash; who is waiting, and until when, is for others to say.
 */

/** How clear passwords are kept. */
export type PasswordKeeping = { key: SealingKey /** Milliseconds. */; lastsMs: number };

/** A new password as it was given, to be kept beside its hash. */
export type ClearPassword = { password: Secret; keeping: PasswordKeeping };

const contextOf = (subjectId: string) => `password:${subjectId}`;

const insert = prepare<{ seq: number; id: string; sealed: string; expiresAt: number }, never>(
  (_, p) => sql`
    insert into secrets (seq, subject_id, sealed, expires_at) values (${p.seq}, ${p.id}, ${p.sealed}, ${p.expiresAt})`,
);
const forget = prepare<{ id: string }, never>((_, p) => sql`delete from secrets where subject_id = ${p.id}`);

/** Keeps the password that the change `seq` brought, in the transaction of that change. */
export async function keepClearPassword(
  tx: Tx,
  subjectId: string,
  seq: number,
  { password, keeping }: ClearPassword,
): Promise<void> {
  const sealed = seal(keeping.key, password.reveal(), contextOf(subjectId));
  await tx.run(insert, { seq, id: subjectId, sealed, expiresAt: tx.now + keeping.lastsMs });
}

/** The user has another password, none, or is gone: what was kept of the old one must reach nobody. */
export async function forgetClearPassword(tx: Tx, subjectId: string): Promise<void> {
  await tx.run(forget, { id: subjectId });
}

const seqRows = (seqs: Iterable<number>) => JSON.stringify([...new Set(seqs)].map((seq) => ({ seq })));
const seqColumns = { seq: 'int' } as const;

const selectBySeq = prepare<{ rows: string }, SecretRow>((q, p, d) =>
  q
    .selectFrom('secrets')
    .innerJoin(d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', seqColumns), 'r.seq', 'secrets.seq')
    .selectAll('secrets'),
);

/** Which of these changes brought a password that is still kept. */
export async function findClearPasswords(reading: Reading, seqs: readonly number[]): Promise<Set<number>> {
  if (seqs.length === 0) return new Set();
  return new Set((await reading.run(selectBySeq, { rows: seqRows(seqs) })).map((row) => row.seq));
}

/** A kept password, or why it cannot be told any more. */
export type OpenedPassword = { password: Secret } | { expiredAt: number } | { unreadable: true };

/** The passwords of these changes, by sequence; what is missing from the answer is kept no longer. */
export async function openClearPasswords(
  reading: Reading,
  key: SealingKey,
  seqs: readonly number[],
): Promise<Map<number, OpenedPassword>> {
  if (seqs.length === 0) return new Map();
  const rows = await reading.run(selectBySeq, { rows: seqRows(seqs) });
  return new Map(rows.map((row) => [row.seq, open(row, key, reading.now)]));
}

function open(row: SecretRow, key: SealingKey, now: number): OpenedPassword {
  if (row.expires_at <= now) return { expiredAt: row.expires_at };
  try {
    return { password: unseal(key, row.sealed, contextOf(row.subject_id)) };
  } catch {
    // One row that was damaged must not stop the accounts that are claimed with it.
    return { unreadable: true };
  }
}

const selectExpired = prepare<{ now: number; limit: number }, { seq: number; expires_at: number }>((q, p) =>
  q
    .selectFrom('secrets')
    .select(['seq', 'expires_at'])
    .where('expires_at', '<=', p.now)
    .orderBy('expires_at')
    .limit(p.limit),
);

/** Passwords whose time is over, the oldest first. */
export async function listExpiredPasswords(
  reading: Reading,
  limit: number,
): Promise<{ seq: number; expiredAt: number }[]> {
  const rows = await reading.run(selectExpired, { now: reading.now, limit });
  return rows.map((row) => ({ seq: row.seq, expiredAt: row.expires_at }));
}

const selectPage = prepare<{ after: number; limit: number }, { seq: number }>((q, p) =>
  q.selectFrom('secrets').select('seq').where('seq', '>', p.after).orderBy('seq').limit(p.limit),
);

/** The changes after `after` whose password is kept, in their order. */
export async function listClearPasswords(reading: Reading, after: number, limit: number): Promise<number[]> {
  return (await reading.run(selectPage, { after, limit })).map((row) => row.seq);
}

// A change that nobody planned yet may still find somebody who wants its password.
const lockPlanned = prepare<{ rows: string }, { seq: number }>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', seqColumns);
  return sql<{ seq: number }>`
    select seq from secrets where seq in (select r.seq from ${rows})
      and not exists (select 1 from changes where changes.seq = secrets.seq and changes.unplanned is not null)
    order by seq${d.forUpdate}`;
});

/**
 * Of these, the passwords that are kept and whose change is planned, held until commit: of several who find at the same
 * time that nobody waits any more, the last one sees it.
 */
export async function lockPlannedPasswords(tx: Tx, seqs: readonly number[]): Promise<number[]> {
  if (seqs.length === 0) return [];
  return (await tx.run(lockPlanned, { rows: seqRows(seqs) })).map((row) => row.seq);
}

const erase = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', seqColumns);
  return sql`delete from secrets where seq in (select r.seq from ${rows})`;
});

/** Doing it again does no harm. */
export async function eraseClearPasswords(tx: Tx, seqs: readonly number[]): Promise<void> {
  if (seqs.length > 0) await tx.run(erase, { rows: seqRows(seqs) });
}
