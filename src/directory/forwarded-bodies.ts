import { sql } from 'kysely';
import { type SealingKey, seal, unseal } from '../base/secret.ts';
import type { ForwardedBodyRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { forgetReferences } from './references.ts';
import { type Attributes, idRows, readSubjects, type Subject } from './subjects.ts';

/**
 * The only writer of `forwarded_bodies`: what a forwarded subject is to be at its targets, sealed from the request until
 * all of them have it (engine rule 23). Who still waits for it, and until when, is for others to say.
 *
 *     (no row) --created, PUT--> whole --everybody has it--> (no row) --PATCH of active--> part --everybody has it--> (no row)
 *                                  |                                                       |
 *                                  +--------its time is over, or an operator gives it up---+--> lost, until the next PUT
 */

const contextOf = (subjectId: string) => `forwarded:${subjectId}`;

type Kept = { id: string; seq: number; part: number; sealed: string; expiresAt: number };

// What was lost is made good by a whole body, not by a part of one.
const put = prepare<Kept, never>(
  (_, p) => sql`
    insert into forwarded_bodies (subject_id, seq, part, sealed, expires_at)
    values (${p.id}, ${p.seq}, ${p.part}, ${p.sealed}, ${p.expiresAt})
    on conflict (subject_id) do update set seq = excluded.seq, part = excluded.part, sealed = excluded.sealed,
      expires_at = excluded.expires_at,
      lost_seq = case when excluded.part = 1 then forwarded_bodies.lost_seq else null end`,
);

/** Keeps what the change `seq` brought, in its transaction, in the place of what was kept before. */
export async function keepForwardedBody(
  tx: Tx,
  subjectId: string,
  body: { seq: number; attributes: Attributes; part: boolean },
  keeping: { key: SealingKey; lastsMs: number },
): Promise<void> {
  await tx.run(put, {
    id: subjectId,
    seq: body.seq,
    part: body.part ? 1 : 0,
    sealed: seal(keeping.key, JSON.stringify(body.attributes), contextOf(subjectId)),
    expiresAt: tx.now + keeping.lastsMs,
  });
}

const selectBodies = prepare<{ ids: string }, ForwardedBodyRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<ForwardedBodyRow>`select b.* from ${ids} inner join forwarded_bodies b on b.subject_id = r.id`;
});

/**
 * `readSubjects`, those that were forwarded with what is kept of them. Costs nothing more where none is.
 */
export async function readWholeSubjects(
  reading: Reading,
  key: SealingKey,
  ids: readonly string[],
): Promise<Map<string, Subject>> {
  const subjects = await readSubjects(reading, ids);
  for (const opened of await openBodies(reading, key, [...subjects.values()])) subjects.set(opened.id, opened);
  return subjects;
}

/** Those of these subjects that were forwarded and of which something is kept, with it; a damaged one has lost it. */
export async function openBodies(
  reading: Reading,
  key: SealingKey,
  subjects: readonly Subject[],
): Promise<(Subject & Required<Pick<Subject, 'forwarded'>>)[]> {
  const forwarded = new Map(subjects.filter((one) => one.life === 'forwarded').map((one) => [one.id, one]));
  if (forwarded.size === 0) return [];
  const rows = await reading.run(selectBodies, { ids: idRows(forwarded.keys()) });
  return rows.map((row) => open(row, key, forwarded.get(row.subject_id)!));
}

function open(row: ForwardedBodyRow, key: SealingKey, subject: Subject) {
  const { spId } = subject.forwarded!;
  const lost = (lostSeq: number | null) => ({ ...subject, forwarded: { spId, body: 'none' as const, lostSeq } });
  if (row.sealed === null) return lost(row.lost_seq);
  try {
    const attributes = JSON.parse(unseal(key, row.sealed, contextOf(subject.id)).reveal()) as Attributes;
    const body = row.part === 1 ? ('part' as const) : ('whole' as const);
    return { ...subject, attributes, forwarded: { spId, body, lostSeq: row.lost_seq } };
  } catch {
    // One row that was damaged must not stop the accounts that are claimed with it.
    return lost(row.seq);
  }
}

// A change that nobody planned yet may still find somebody who wants it.
const lockPlanned = prepare<{ ids: string }, ForwardedBodyRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<ForwardedBodyRow>`
    select * from forwarded_bodies where subject_id in (select r.id from ${ids}) and sealed is not null
      and not exists (
        select 1 from changes c where c.subject_id = forwarded_bodies.subject_id and c.unplanned is not null)
    order by subject_id${d.forUpdate}`;
});

/**
 * Of these subjects, those whose body is kept and of whom no change is unplanned, with the change that brought it, held
 * until commit: of several who find at the same time that nobody waits any more, the last one sees it.
 */
export async function lockPlannedBodies(tx: Tx, ids: readonly string[]): Promise<{ id: string; seq: number }[]> {
  if (ids.length === 0) return [];
  const rows = await tx.run(lockPlanned, { ids: idRows(new Set(ids)) });
  return rows.map((row) => ({ id: row.subject_id, seq: row.seq }));
}

const forgetTold = prepare<{ ids: string }, never>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql`delete from forwarded_bodies where lost_seq is null and subject_id in (select r.id from ${ids})`;
});
const emptyTold = prepare<{ ids: string }, never>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql`update forwarded_bodies set sealed = null where subject_id in (select r.id from ${ids})`;
});

/** Everybody has what is kept of these. That some were never told what was lost before stays known. */
export async function eraseToldBodies(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = idRows(ids);
  await tx.run(forgetTold, { ids: rows });
  await tx.run(emptyTold, { ids: rows });
  await forgetReferences(tx, ids);
}

const giveUp = prepare<{ ids: string }, never>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql`
    update forwarded_bodies set lost_seq = seq, sealed = null
    where sealed is not null and subject_id in (select r.id from ${ids})`;
});

/** Erases what is kept of these though somebody waits for it, and remembers that. */
export async function giveUpBodies(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.run(giveUp, { ids: idRows(ids) });
  await forgetReferences(tx, ids);
}

const erase = prepare<{ ids: string }, never>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql`delete from forwarded_bodies where subject_id in (select r.id from ${ids})`;
});

/** These are gone. */
export async function eraseForwardedBodies(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.run(erase, { ids: idRows(ids) });
}

const selectExpiry = prepare<{ id: string }, { expires_at: number }>(
  (_, p) => sql<{ expires_at: number }>`
    select expires_at from forwarded_bodies where subject_id = ${p.id} and sealed is not null`,
);

/** When what is kept of a subject is given up; undefined when nothing is kept. */
export async function readBodyExpiry(reading: Reading, id: string): Promise<number | undefined> {
  return (await reading.run(selectExpiry, { id }))[0]?.expires_at;
}

type Place = { id: string; seq: number; expiresAt: number };

const selectExpired = prepare<{ now: number; limit: number }, Place>(
  (_, p) => sql<Place>`
    select subject_id as id, seq, expires_at as "expiresAt" from forwarded_bodies
    where sealed is not null and expires_at <= ${p.now} order by expires_at limit ${p.limit}`,
);

/** Bodies whose time is over, the oldest first. */
export function listExpiredBodies(reading: Reading, limit: number): Promise<Place[]> {
  return reading.run(selectExpired, { now: reading.now, limit });
}

const selectPage = prepare<{ after: string; limit: number }, { id: string }>(
  (_, p) => sql<{ id: string }>`
    select subject_id as id from forwarded_bodies where sealed is not null and subject_id > ${p.after}
    order by subject_id limit ${p.limit}`,
);

/** Subjects whose body is kept, from the one after `after`, in the order of their ids. */
export async function listForwardedBodies(reading: Reading, after: string, limit: number): Promise<string[]> {
  return (await reading.run(selectPage, { after, limit })).map((row) => row.id);
}

const count = prepare<object, { users: number; groups: number; bodies: number; lost: number }>(
  () => sql<{ users: number; groups: number; bodies: number; lost: number }>`
    select (select count(*) from subjects where kind = 'user' and life = 'forwarded') as users,
      (select count(*) from subjects where kind = 'group' and life = 'forwarded') as groups,
      (select count(*) from forwarded_bodies where sealed is not null) as bodies,
      (select count(*) from forwarded_bodies where lost_seq is not null) as lost`,
);

/** How many users and groups were only forwarded, of how many a body is kept, and of how many one was given up. */
export async function countForwarded(
  reading: Reading,
): Promise<{ users: number; groups: number; bodies: number; lost: number }> {
  const { users, groups, bodies, lost } = (await reading.run(count, {}))[0]!;
  return { users: Number(users), groups: Number(groups), bodies: Number(bodies), lost: Number(lost) };
}
