import { sql } from 'kysely';
import type { SealingKey } from '../base/secret.ts';
import type { ChangeRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** On whose behalf and by which way a change is made. `actor`: who called, as shown to operators; never a secret. */
export type Origin = {
  spId: number;
  door: 'scim' | 'soap' | 'console' | 'login' | 'import' | 'api';
  actor: string;
  /** How what may only be forwarded is kept; absent where a door makes and writes nobody of that kind. */
  forwarding?: Forwarding;
};

/**
 * A service provider that spoke for a subject: by a call of its own, or because somebody signed in to it. What a sign-in
 * may bring about is less (*Enable JIT*), so the two are told apart for as long as the subject is known.
 */
export type Speaker = { spId: number; by: 'call' | 'sign-in' };

/** How whoever made a change spoke. */
export function speakerOf({ spId, door }: Pick<Origin, 'spId' | 'door'>): Speaker {
  return { spId, by: door === 'login' ? 'sign-in' : 'call' };
}

/** How bodies are kept of resources that are only forwarded (`forwarded.ts`). */
export type Forwarding = {
  key: SealingKey;
  /** Milliseconds until a body that some target does not take is given up. */
  lastsMs: number;
  settingOf(reading: Reading, spId: number): Promise<InboundSetting>;
};

/** What is set for a service provider about what is made for it. */
export type InboundSetting = {
  forwardOnly: boolean;
  /** It has an enabled binding. */
  bound: boolean;
  /** Where users and groups are made; absent: where their names say. */
  userStoreDomain?: string | undefined;
};

/** What goes first to the targets (engine rule 6). `security` is a password, a reactivation, a membership. */
export const urgency = { removal: 0, security: 1, creation: 2, cosmetic: 3 } as const;

export type Urgency = (typeof urgency)[keyof typeof urgency];

/** That a subject changed; never what to do about it. */
export type Change = {
  seq: number;
  subjectId: string;
  /** The member, when the change is that it came to or left the group `subjectId`. */
  otherId: string | null;
  spId: number;
  door: Origin['door'];
  actor: string;
  /** Milliseconds of database time. */
  at: number;
  urgency: number;
};

type NewChange = { subjectId: string; otherId?: string | undefined; origin: Origin; urgency: Urgency };

const insertRow = prepare<
  { subject: string; other: string | null; sp: number; door: string; actor: string; at: number; urgency: number },
  { seq: number }
>(
  (_, p) => sql<{ seq: number }>`
    insert into changes (subject_id, other_id, sp_id, door, actor, at, urgency, unplanned)
    values (${p.subject}, ${p.other}, ${p.sp}, ${p.door}, ${p.actor}, ${p.at}, ${p.urgency}, 1) returning seq`,
);

const insertRows = prepare<
  { rows: string; sp: number; door: string; actor: string; at: number; urgency: number },
  { seq: number; subject_id: string }
>((_, p, d) => {
  const rows = d.rowsOf<{ subject_id: string; other_id: string }, 'r'>(p.rows, 'r', {
    subject_id: 'text',
    other_id: 'text',
  });
  return sql<{ seq: number; subject_id: string }>`
    insert into changes (subject_id, other_id, sp_id, door, actor, at, urgency, unplanned)
    select r.subject_id, r.other_id, ${p.sp}, ${p.door}, ${p.actor}, ${p.at}, ${p.urgency}, 1 from ${rows}
    returning seq, subject_id`;
});

const insertSp = prepare<{ subject: string; sp: number }, never>(
  (_, p) => sql`insert into subject_sps (subject_id, sp_id) values (${p.subject}, ${p.sp}) on conflict do nothing`,
);

const insertSignIn = prepare<{ subject: string; sp: number }, never>(
  (_, p) => sql`insert into subject_sign_ins (subject_id, sp_id) values (${p.subject}, ${p.sp}) on conflict do nothing`,
);

async function noteSpeaker(tx: Tx, subject: string, { spId, by }: Speaker): Promise<void> {
  await tx.run(by === 'sign-in' ? insertSignIn : insertSp, { subject, sp: spId });
}

const lockSubject = prepare<{ id: string }, { id: string }>((q, p, d) =>
  q.selectFrom('subjects').select('id').where('id', '=', p.id).modifyEnd(d.forUpdate),
);

const setSeq = prepare<{ id: string; seq: number }, never>(
  (_, p) => sql`update subjects set seq = ${p.seq} where id = ${p.id}`,
);

/**
 * Appends a change and answers its sequence; it is planned after commit. Locks the subject's row first and takes the
 * sequence then, so that per subject the sequence grows with commit order (engine rule 3). Doing it again appends
 * another change: only call it for something that really changed.
 */
export async function appendChange(tx: Tx, change: NewChange): Promise<number> {
  await tx.run(lockSubject, { id: change.subjectId });
  const seq = await insertChange(tx, change);
  await tx.run(setSeq, { id: change.subjectId, seq });
  return seq;
}

/**
 * `appendChange` for a caller inside the directory that holds the subject's row (or is about to insert it) and writes
 * the sequence there itself.
 */
export async function insertChange(tx: Tx, { subjectId, otherId, origin, urgency }: NewChange): Promise<number> {
  const { spId, door, actor } = origin;
  const rows = await tx.run(insertRow, {
    subject: subjectId,
    other: otherId ?? null,
    sp: spId,
    door,
    actor,
    at: tx.now,
    urgency,
  });
  await noteSpeaker(tx, subjectId, speakerOf(origin));
  return rows[0]!.seq;
}

/** One membership change for each pair; answers the greatest sequence of each group. The groups' rows are held by the caller. */
export async function insertMembershipChanges(
  tx: Tx,
  pairs: readonly { groupId: string; memberId: string }[],
  origin: Origin,
): Promise<Map<string, number>> {
  const { spId, door, actor } = origin;
  const rows = JSON.stringify(pairs.map(({ groupId, memberId }) => ({ subject_id: groupId, other_id: memberId })));
  const made = await tx.run(insertRows, { rows, sp: spId, door, actor, at: tx.now, urgency: urgency.security });
  const latest = new Map<string, number>();
  for (const { seq, subject_id } of made) latest.set(subject_id, Math.max(seq, latest.get(subject_id) ?? 0));
  for (const subject of latest.keys()) await noteSpeaker(tx, subject, speakerOf(origin));
  return latest;
}

const unplanned = prepare<{ limit: number }, ChangeRow>(
  (q, p, d) =>
    q
      .selectFrom('changes')
      .selectAll()
      .where('unplanned', 'is not', null)
      .orderBy('urgency')
      .orderBy('seq')
      .limit(p.limit)
      .modifyEnd(d.forUpdateSkipLocked) as never,
);

/** The most urgent unplanned changes, oldest first, locked until commit; those another node holds are passed over. */
export async function takeUnplanned(tx: Tx, limit: number): Promise<Change[]> {
  return (await tx.run(unplanned, { limit })).map(toChange);
}

const stillUnplanned = prepare<{ rows: string }, { seq: number }>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', { seq: 'int' });
  return sql<{ seq: number }>`
    select c.seq from ${rows} cross join changes c where c.seq = r.seq and c.unplanned is not null`;
});

/**
 * Which of these changes the planner has not seen yet. A write that appends several changes of one subject appends the
 * least urgent last, so once that one is planned all of them are.
 */
export async function listUnplanned(reading: Reading, seqs: readonly number[]): Promise<Set<number>> {
  if (seqs.length === 0) return new Set();
  const rows = JSON.stringify(seqs.map((seq) => ({ seq })));
  return new Set((await reading.run(stillUnplanned, { rows })).map((row) => row.seq));
}

const plan = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', { seq: 'int' });
  return sql`update changes set unplanned = null where seq in (select r.seq from ${rows})`;
});

/** Takes changes off the planner's queue, in the transaction that planned them. Doing it again does no harm. */
export async function markPlanned(tx: Tx, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await tx.run(plan, { rows: JSON.stringify(seqs.map((seq) => ({ seq }))) });
}

const nextChanges = prepare<
  { after: number; limit: number },
  { seq: number; subject_id: string; at: number; unplanned: number | null }
>(
  (_, p) => sql<{ seq: number; subject_id: string; at: number; unplanned: number | null }>`
    select seq, subject_id, at, unplanned from changes where seq > ${p.after} order by seq limit ${p.limit}`,
);

const forget = prepare<{ rows: string }, { seq: number }>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number }, 'r'>(p.rows, 'r', { seq: 'int' });
  return sql<{ seq: number }>`
    delete from changes where unplanned is null and seq in (select r.seq from ${rows})
      and not exists (select 1 from secrets where secrets.seq = changes.seq)
    returning seq`;
});

/**
 * Of the next `limit` changes after the sequence `after`, those that were made before `before` and are planned. `next`
 * is the sequence to go on after, undefined when all that follow are younger.
 */
export async function listOldChanges(
  reading: Reading,
  options: { after: number; before: number; limit: number },
): Promise<{ next: number | undefined; old: { seq: number; subjectId: string }[] }> {
  const { after, before, limit } = options;
  const seen = await reading.run(nextChanges, { after, limit });
  if (!seen.some((row) => row.at < before)) return { next: undefined, old: [] };
  return {
    next: seen.length < limit ? undefined : seen.at(-1)!.seq,
    old: seen
      .filter((row) => row.at < before && row.unplanned === null)
      .map((row) => ({ seq: row.seq, subjectId: row.subject_id })),
  };
}

/**
 * Takes planned changes out of the log for good, but for those whose clear password is still kept; answers which went.
 * Their sequences are never given again. Doing it again does no harm.
 */
export async function forgetChanges(tx: Tx, seqs: readonly number[]): Promise<number[]> {
  if (seqs.length === 0) return [];
  const gone = await tx.run(forget, { rows: JSON.stringify(seqs.map((seq) => ({ seq }))) });
  return gone.map((row) => row.seq);
}

/** When the oldest change that is still in the log was made; undefined when the log is empty. */
export async function readOldestChange(reading: Reading): Promise<number | undefined> {
  return (await reading.first(reading.q.selectFrom('changes').select('at').orderBy('seq').limit(1)))?.at;
}

/** Changes in the order of their sequence, from the one after `after`. */
export async function listChanges(
  reading: Reading,
  options: { after?: number; subjectId?: string; limit: number },
): Promise<Change[]> {
  const { after, subjectId, limit } = options;
  let query = reading.q.selectFrom('changes').selectAll().orderBy('seq').limit(limit);
  if (after !== undefined) query = query.where('seq', '>', after);
  if (subjectId !== undefined) query = query.where('subject_id', '=', subjectId);
  return (await reading.all(query)).map((row) => toChange(row as unknown as ChangeRow));
}

type SpokeRow = { subject_id: string; sp_id: number; by_sign_in: number };

const since = prepare<{ rows: string }, SpokeRow>((_, p, d) => {
  const rows = d.rowsOf<{ subject_id: string; after: number }, 'r'>(p.rows, 'r', { subject_id: 'text', after: 'int' });
  return sql<SpokeRow>`
    select distinct c.subject_id, c.sp_id, case when c.door = 'login' then 1 else 0 end as by_sign_in from ${rows}
    inner join changes c on c.subject_id = r.subject_id and c.seq > r.after`;
});

/** Who spoke for each subject in changes later than `after`. */
export async function speakersSince(
  reading: Reading,
  subjects: readonly { subjectId: string; after: number }[],
): Promise<Map<string, Speaker[]>> {
  const found = new Map<string, Speaker[]>();
  if (subjects.length === 0) return found;
  const rows = JSON.stringify(subjects.map(({ subjectId, after }) => ({ subject_id: subjectId, after })));
  for (const { subject_id, sp_id, by_sign_in } of await reading.run(since, { rows })) {
    const speaker: Speaker = { spId: sp_id, by: by_sign_in === 1 ? 'sign-in' : 'call' };
    found.set(subject_id, [...(found.get(subject_id) ?? []), speaker]);
  }
  return found;
}

const firstOf = prepare<{ subject: string; sp: number }, ChangeRow>(
  (_, p) => sql<ChangeRow>`
    select * from changes where subject_id = ${p.subject} and sp_id = ${p.sp} order by seq limit 1`,
);

/** The first change of a subject for a service provider that is still kept. */
export async function readChangeOf(
  reading: Reading,
  { subjectId, spId }: { subjectId: string; spId: number },
): Promise<Change | undefined> {
  const [row] = await reading.run(firstOf, { subject: subjectId, sp: spId });
  return row && toChange(row);
}

const count = prepare<object, { n: number }>(
  () => sql<{ n: number }>`select count(*) as n from changes where unplanned is not null`,
);

/** How many changes the planner has still to see. */
export async function countUnplanned(reading: Reading): Promise<number> {
  return (await reading.run(count, {}))[0]!.n;
}

function toChange(row: Omit<ChangeRow, 'seq'> & { seq: unknown }): Change {
  return {
    seq: row.seq as number,
    subjectId: row.subject_id,
    otherId: row.other_id,
    spId: row.sp_id,
    door: row.door as Origin['door'],
    actor: row.actor,
    at: row.at,
    urgency: row.urgency,
  };
}
