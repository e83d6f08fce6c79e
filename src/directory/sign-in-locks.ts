import { sql } from 'kysely';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/**
 * Wrong passwords of directory users, counted over all servers. After too many in a row signing in is locked for a while;
 * the count begins anew when none was wrong for as long, or one was right.
 */
export const wrongPasswordsAtMost = 10;
export const lockedForMs = 15 * 60_000;
const keptMs = 86_400_000;

/** Whom wrong passwords are counted for where there is nobody who could sign in: it has to take as long. */
export const nobody = '';

const note = prepare<{ id: string; now: number; stale: number; until: number }, { failures: number }>((_, p) => {
  const failures = sql`
    case when sign_in_failures.last_at <= cast(${p.stale} as bigint) then 1 else sign_in_failures.failures + 1 end`;
  return sql<{ failures: number }>`
    insert into sign_in_failures (subject_id, failures, last_at, locked_until)
    values (${p.id}, 1, cast(${p.now} as bigint), null)
    on conflict (subject_id) do update set
      failures = ${failures}, last_at = excluded.last_at,
      locked_until = case when ${failures} >= ${sql.lit(wrongPasswordsAtMost)} then cast(${p.until} as bigint) end
    returning failures`;
});

const forgetOld = prepare<{ before: number }, never>(
  (_, p) => sql`delete from sign_in_failures where last_at < ${p.before}`,
);

/** Answers how many there are in a row. */
export async function noteWrongPassword(tx: Tx, id: string): Promise<number> {
  const now = tx.now;
  const [row] = await tx.run(note, { id, now, stale: now - lockedForMs, until: now + lockedForMs });
  await tx.run(forgetOld, { before: now - keptMs });
  return row!.failures;
}

const forget = prepare<{ id: string }, { locked_until: number | null }>(
  (_, p) => sql<{ locked_until: number | null }>`
    delete from sign_in_failures where subject_id = ${p.id} returning locked_until`,
);

/** Also unlocks; answers whether it was locked. Safe to repeat. */
export async function forgetWrongPasswords(tx: Tx, id: string): Promise<boolean> {
  const [row] = await tx.run(forget, { id });
  return (row?.locked_until ?? 0) > tx.now;
}

const selectLock = prepare<{ id: string }, { locked_until: number | null }>(
  (_, p) => sql<{ locked_until: number | null }>`
    select locked_until from sign_in_failures where subject_id = ${p.id}`,
);

/** Until when signing in is locked for a user, in milliseconds of database time; null when it is not. */
export async function readLockedUntil(reading: Reading, id: string): Promise<number | null> {
  const until = (await reading.run(selectLock, { id }))[0]?.locked_until ?? 0;
  return until > reading.now ? until : null;
}
