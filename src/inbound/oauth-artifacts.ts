import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** The only writer of `oauth_artifacts`. The value of a token or code is never kept: what is stored is its digest. */

const digestOf = (value: string) => createHash('sha256').update(value).digest('hex');

export type Artifact = { payload: Record<string, unknown>; consumedAt: number | null };

type Row = { payload: string; consumed_at: number | null };

const select = prepare<{ kind: string; digest: string }, Row>(
  (_, p) => sql<Row>`select payload, consumed_at from oauth_artifacts where kind = ${p.kind} and digest = ${p.digest}`,
);

export async function findArtifact(reading: Reading, kind: string, value: string): Promise<Artifact | undefined> {
  const [row] = await reading.run(select, { kind, digest: digestOf(value) });
  if (!row) return undefined;
  return { payload: JSON.parse(row.payload), consumedAt: row.consumed_at };
}

const upsert = prepare<
  {
    kind: string;
    digest: string;
    clientId: string | null;
    grantId: string | null;
    uid: string | null;
    payload: string;
    expiresAt: number | null;
  },
  never
>(
  (_, p) => sql`
    insert into oauth_artifacts (kind, digest, client_id, grant_id, uid, payload, expires_at)
    values (${p.kind}, ${p.digest}, ${p.clientId}, ${p.grantId}, ${p.uid}, ${p.payload}, ${p.expiresAt})
    on conflict (kind, digest) do update set client_id = excluded.client_id, grant_id = excluded.grant_id,
      uid = excluded.uid, payload = excluded.payload, expires_at = excluded.expires_at`,
);

const selectByUid = prepare<{ kind: string; uid: string }, Row>(
  (_, p) => sql<Row>`select payload, consumed_at from oauth_artifacts where kind = ${p.kind} and uid = ${p.uid}`,
);

export async function findArtifactByUid(reading: Reading, kind: string, uid: string): Promise<Artifact | undefined> {
  const [row] = await reading.run(selectByUid, { kind, uid });
  return row && { payload: JSON.parse(row.payload), consumedAt: row.consumed_at };
}

/** Safe to repeat. `expiresAt` in milliseconds of database time. */
export async function keepArtifact(
  tx: Tx,
  kind: string,
  value: string,
  given: { payload: Record<string, unknown>; expiresAt: number | null },
): Promise<void> {
  const { jti: _, ...payload } = given.payload;
  await tx.run(upsert, {
    kind,
    digest: digestOf(value),
    clientId: textOf(payload.clientId),
    grantId: textOf(payload.grantId),
    uid: kind === 'Session' ? textOf(payload.uid) : null,
    payload: JSON.stringify(payload),
    expiresAt: given.expiresAt,
  });
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : null);

export async function consumeArtifact(tx: Tx, kind: string, value: string): Promise<void> {
  const query = tx.q.updateTable('oauth_artifacts').set({ consumed_at: tx.now });
  await tx.all(query.where('kind', '=', kind).where('digest', '=', digestOf(value)));
}

const take = prepare<{ kind: string; digest: string }, { payload: string; expires_at: number | null }>(
  (_, p) => sql<{ payload: string; expires_at: number | null }>`
    delete from oauth_artifacts where kind = ${p.kind} and digest = ${p.digest} returning payload, expires_at`,
);

/** What was kept, which is gone then; undefined where there is none, or it has expired. */
export async function takeArtifact(tx: Tx, kind: string, value: string): Promise<Artifact['payload'] | undefined> {
  const [row] = await tx.run(take, { kind, digest: digestOf(value) });
  return row && (row.expires_at === null || row.expires_at > tx.now) ? JSON.parse(row.payload) : undefined;
}

const look = prepare<{ kind: string; digest: string; now: number }, { payload: string }>(
  (_, p) => sql<{ payload: string }>`
    select payload from oauth_artifacts where kind = ${p.kind} and digest = ${p.digest}
      and (expires_at is null or expires_at > ${p.now})`,
);

/** What `takeArtifact` would answer; it stays. */
export async function lookAtArtifact(
  reading: Reading,
  kind: string,
  value: string,
): Promise<Artifact['payload'] | undefined> {
  const [row] = await reading.run(look, { kind, digest: digestOf(value), now: reading.now });
  return row && JSON.parse(row.payload);
}

/** Safe to repeat. */
export async function dropArtifact(tx: Tx, kind: string, value: string): Promise<void> {
  await tx.all(tx.q.deleteFrom('oauth_artifacts').where('kind', '=', kind).where('digest', '=', digestOf(value)));
}

export async function dropArtifactsOfGrant(tx: Tx, grantId: string): Promise<void> {
  await tx.all(tx.q.deleteFrom('oauth_artifacts').where('grant_id', '=', grantId));
}

export async function dropArtifactsOfClient(tx: Tx, clientId: string): Promise<void> {
  await tx.all(tx.q.deleteFrom('oauth_artifacts').where('client_id', '=', clientId));
}

const dropExpired = prepare<{ now: number; limit: number }, { digest: string }>(
  (_, p) => sql<{ digest: string }>`
    delete from oauth_artifacts where (kind, digest) in (
      select kind, digest from oauth_artifacts where expires_at <= ${p.now} limit ${p.limit})
    returning digest`,
);

/** At most `limit` of those that have expired; answers how many they were. */
export async function dropExpiredArtifacts(tx: Tx, limit: number): Promise<number> {
  return (await tx.run(dropExpired, { now: tx.now, limit })).length;
}

/** Whose an access token is, by its value. Also one that has expired. */
export type Access = { spId: number; spName: string; scopes: string[]; expiresAt: number | null };

type AccessRow = { payload: string; expires_at: number | null; sp_id: number; name: string; scopes: string };

const selectAccess = prepare<{ digest: string }, AccessRow>(
  (_, p) => sql<AccessRow>`
    select a.payload, a.expires_at, c.sp_id, sp.name, c.scopes from oauth_artifacts a
    join oauth_clients c on c.client_id = a.client_id join service_providers sp on sp.id = c.sp_id
    where a.kind = 'ClientCredentials' and a.digest = ${p.digest}`,
);

/** The scopes are those that it was given and that its client still may have. */
export async function findAccess(reading: Reading, value: string): Promise<Access | undefined> {
  const [row] = await reading.run(selectAccess, { digest: digestOf(value) });
  if (!row) return undefined;
  const given = String((JSON.parse(row.payload) as { scope?: string }).scope ?? '').split(' ');
  const allowed = row.scopes.split(' ');
  return {
    spId: row.sp_id,
    spName: row.name,
    scopes: given.filter((scope) => allowed.includes(scope)),
    expiresAt: row.expires_at,
  };
}
