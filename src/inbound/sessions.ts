import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { SessionRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** The only writer of `sessions`: who is signed in to the console. Any node serves any session. */
export type Session = SessionRow;

/** A session that nobody uses ends after so long, and each after the second at the latest. */
const idleMs = 30 * 60_000;
export const sessionLastsMs = 12 * 3_600_000;
/** `expires_at` is not written more often. */
const renewedEveryMs = 60_000;

/** The answer is the only place where the token is ever seen: what is stored is its digest. */
export async function createSession(tx: Tx, operatorId: number): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await tx.all(tx.q.deleteFrom('sessions').where('expires_at', '<=', tx.now));
  await tx.all(
    tx.q.insertInto('sessions').values({
      digest: digestSession(token),
      operator_id: operatorId,
      created_at: tx.now,
      renewed_at: tx.now,
      expires_at: tx.now + idleMs,
    }),
  );
  return token;
}

export function digestSession(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

const byDigest = prepare<{ digest: string }, Session>(
  (_, p) => sql<Session>`select * from sessions where digest = ${p.digest}`,
);

/** Also one that has expired. */
export async function findSession(reading: Reading, digest: string): Promise<Session | undefined> {
  return (await reading.run(byDigest, { digest }))[0];
}

/** Whether a use at `now` should make it last longer. */
export function isWorthRenewing(session: Session, now: number): boolean {
  return now - session.renewed_at >= renewedEveryMs;
}

/** When it expires from now on. Makes nothing of a session that has ended meanwhile. */
export async function renewSession(tx: Tx, session: Session): Promise<number> {
  const expiresAt = Math.min(tx.now + idleMs, session.created_at + sessionLastsMs);
  const values = { renewed_at: tx.now, expires_at: expiresAt };
  await tx.all(tx.q.updateTable('sessions').set(values).where('digest', '=', session.digest));
  return expiresAt;
}

/** Safe to repeat. */
export async function endSession(tx: Tx, digest: string): Promise<void> {
  await tx.all(tx.q.deleteFrom('sessions').where('digest', '=', digest));
}

/** All of an operator's, but the one of this digest. */
export async function endSessionsOf(tx: Tx, operatorId: number, keeping?: string): Promise<void> {
  let query = tx.q.deleteFrom('sessions').where('operator_id', '=', operatorId);
  if (keeping !== undefined) query = query.where('digest', '<>', keeping);
  await tx.all(query);
}
