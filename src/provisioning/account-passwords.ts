import { sql } from 'kysely';
import {
  eraseClearPasswords,
  listClearPasswords,
  listExpiredPasswords,
  lockPlannedPasswords,
} from '../directory/clear-passwords.ts';
import { prepare, type Reading, type Store, type Tx } from '../store/store.ts';

/**
 * Which accounts still owe their target a password, and the end of it (engine rule 28): a sealed password is erased as soon
 * as its change is planned and no account owes it, or when its time is over. Writes the password columns of `accounts`
 * beside `accounts.ts`.
 */

const selectOwed = prepare<{ rows: string }, { seq: number }>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', { seq: 'int' });
  return sql<{ seq: number }>`
    select r.seq from ${rows} where exists (select 1 from accounts where accounts.pw_seq = r.seq)`;
});

async function findOwed(reading: Reading, seqs: readonly number[]): Promise<Set<number>> {
  const rows = await reading.run(selectOwed, { rows: JSON.stringify(seqs.map((seq) => ({ seq }))) });
  return new Set(rows.map((row) => row.seq));
}

/**
 * Erases of these passwords those that no account owes any more and whose change is planned. To be called after the
 * accounts were written, in the same transaction; safe to repeat.
 */
export async function eraseUnowedPasswords(tx: Tx, seqs: readonly number[]): Promise<void> {
  const kept = await lockPlannedPasswords(tx, seqs);
  if (kept.length === 0) return;
  const owed = await findOwed(tx, kept);
  await eraseClearPasswords(
    tx,
    kept.filter((seq) => !owed.has(seq)),
  );
}

// An attempt under way finds the time over by itself, when it is written down or tried again. An account that was withheld
// for its password alone has nothing withheld any more, and looks.
const expire = prepare<{ rows: string; now: number }, never>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number; note: string }, 'r'>(p.rows, 'r', { seq: 'int', note: 'text' });
  const isWithheld = sql`accounts.withheld_operation = 'PATCH'`;
  const when = d.greatest(sql`cast(${p.now} as bigint)`, sql`coalesce(accounts.not_before, 0)`);
  return sql`
    update accounts set pw_seq = null, pw_sent = null, pw_note = r.note,
      wanted = case when ${isWithheld} then accounts.wanted + 1 else accounts.wanted end,
      state = case when ${isWithheld} then 'due' else accounts.state end,
      due_at = case when ${isWithheld} then ${when} else accounts.due_at end
    from ${rows} where accounts.pw_seq = r.seq and accounts.lease_attempt is null`;
});

export function noteOfExpiry(expiredAt: number): string {
  return `password expired unsent at ${new Date(expiredAt).toISOString()}: set it again`;
}

/** A password may be owed by an account at every target, so this many are already much for one transaction. */
const expiredPerStep = 20;
const lookedAtPerStep = 200;

/**
 * Erases passwords whose time is over, and notes it on the accounts that still owe them. Looks besides at some of the
 * others, from the one after `after`: whoever owed them may have gone with its target. Answers where to look next time.
 * Bounded in each transaction; safe on several nodes at once.
 */
export async function tidyPasswords(store: Store, after: number): Promise<number> {
  for (let taken = expiredPerStep; taken === expiredPerStep; ) {
    taken = await expireSome(store);
  }
  const page = await store.read((reading) => listClearPasswords(reading, after, lookedAtPerStep));
  if (page.length > 0) {
    const owed = await store.read((reading) => findOwed(reading, page));
    const unowed = page.filter((seq) => !owed.has(seq));
    if (unowed.length > 0) await store.write((tx) => eraseUnowedPasswords(tx, unowed));
  }
  return page.length < lookedAtPerStep ? 0 : page.at(-1)!;
}

async function expireSome(store: Store): Promise<number> {
  const expired = await store.read((reading) => listExpiredPasswords(reading, expiredPerStep));
  if (expired.length === 0) return 0;
  const seqs = expired.map((one) => one.seq);
  const left = await store.write(async (tx) => {
    const rows = expired.map(({ seq, expiredAt }) => ({ seq, note: noteOfExpiry(expiredAt) }));
    await tx.run(expire, { rows: JSON.stringify(rows), now: tx.now });
    await eraseUnowedPasswords(tx, seqs);
    return (await findOwed(tx, seqs)).size;
  });
  // What is left is under way or unplanned; it is looked at next time, not over and over now.
  return left > 0 ? 0 : expired.length;
}

/** `seq`: the password that was sent; null when none was. */
export type LateMutation = { targetId: number; subjectId: string; seq: number | null; taken: boolean };

const lateNote =
  'password in doubt: an older one was sent late, by a process that had stood still, and may have replaced it. Set it again to be sure';

const noteLate = prepare<{ rows: string; note: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ target_id: number; subject_id: string; seq: number; taken: number }, 'r'>(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    seq: 'int',
    taken: 'int',
  });
  const isThere = sql`r.taken = 1 and accounts.pw_seq = r.seq`;
  return sql`
    update accounts set
      pw_note = case when r.seq is not null and accounts.pw_seq is null then ${p.note} else accounts.pw_note end,
      pw_seq = case when ${isThere} then null else accounts.pw_seq end,
      pw_sent = case when ${isThere} then null
                     when accounts.pw_sent = 'created' and coalesce(r.seq, 0) <> accounts.pw_seq then 'perhaps'
                     else accounts.pw_sent end
    from ${rows} where accounts.target_id = r.target_id and accounts.subject_id = r.subject_id`;
});

/**
 * For what was sent to accounts of users under a lease that was lost. Whoever owes the password that went out still owes
 * it, or has it by now. Where none is owed any more another went out since, and nobody can read at the target which of
 * them holds. And a creation that is found may be this one, without the password that is owed.
 */
export async function noteLatePasswords(tx: Tx, late: readonly LateMutation[]): Promise<void> {
  if (late.length === 0) return;
  const rows = late.map((one) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    seq: one.seq,
    taken: one.taken ? 1 : 0,
  }));
  await tx.run(noteLate, { rows: JSON.stringify(rows), note: lateNote });
}
