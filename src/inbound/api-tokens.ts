import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { ApiTokenRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** The only writer of `api_tokens`. */
export type ApiToken = Omit<ApiTokenRow, 'id'> & { id: number };

export type TokenScope = 'scim' | 'admin';

/** So that a token is known for one wherever it turns up. */
export const apiTokenPrefix = 'pv_';

/**
 * Makes a token that calls for `spId`. The answer is the only place it is ever seen: what is stored is its digest.
 * `expiresAt` in milliseconds of database time; absent: never.
 */
export async function createApiToken(
  tx: Tx,
  input: { label: string; spId: number; scopes: readonly TokenScope[]; expiresAt?: number | undefined },
): Promise<{ id: number; token: string }> {
  const token = `${apiTokenPrefix}${randomBytes(32).toString('base64url')}`;
  const rows = await tx.all<{ id: number }>(
    tx.q
      .insertInto('api_tokens')
      .values({
        digest: digestToken(token),
        label: input.label,
        sp_id: input.spId,
        scopes: input.scopes.join(' '),
        created_at: tx.now,
        expires_at: input.expiresAt ?? null,
        last_used_at: null,
      })
      .returning('id'),
  );
  return { id: rows[0]!.id, token };
}

/** Ends a token; every node refuses it within five seconds. Whether there was one. Safe to repeat. */
export async function revokeApiToken(tx: Tx, id: number): Promise<boolean> {
  const rows = await tx.all(tx.q.deleteFrom('api_tokens').where('id', '=', id).returning('id'));
  return rows.length > 0;
}

/** All of them, the oldest first. */
export async function listApiTokens(reading: Reading): Promise<ApiToken[]> {
  return reading.all<ApiToken>(reading.q.selectFrom('api_tokens').selectAll().orderBy('id'));
}

export function digestToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

const byDigest = prepare<{ digest: string }, ApiToken>(
  (_, p) => sql<ApiToken>`select * from api_tokens where digest = ${p.digest}`,
);

export async function findApiToken(reading: Reading, digest: string): Promise<ApiToken | undefined> {
  return (await reading.run(byDigest, { digest }))[0];
}

const use = prepare<{ id: number; at: number }, never>(
  (_, p) =>
    sql`update api_tokens set last_used_at = ${p.at} where id = ${p.id} and coalesce(last_used_at, 0) < ${p.at}`,
);

export async function noteTokenUse(tx: Tx, id: number, at: number): Promise<void> {
  await tx.run(use, { id, at });
}
