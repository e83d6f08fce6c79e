import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import type { JsonValue } from '../protocol/scim/json.ts';
import type { SubjectRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import type { Speaker } from './changes.ts';
import { nameInDomain } from './names.ts';

export type Attributes = Record<string, JsonValue>;

/** One user or one group, without its memberships. */
export type Subject = {
  id: string;
  kind: 'user' | 'group';
  domain: string;
  /** Without the domain. */
  name: string;
  /** The userName or displayName as it is written: outside PRIMARY with its domain. */
  fullName: string;
  /** A `gone` subject keeps its id, kind and name; its attributes are the name alone. */
  life: 'live' | 'forwarded' | 'gone';
  /** Sequence of its latest change. */
  seq: number;
  /** Counts writes; the ETag. */
  version: number;
  /** The SCIM resource without id, meta, schemas, password, members and groups. Never changed in place. */
  attributes: Attributes;
  /** Milliseconds of database time. */
  createdAt: number;
  modifiedAt: number;
  /** It was never in the directory: see `forwarded-bodies.ts`. A `gone` one that was forwarded has it too. */
  forwarded?: Forwarded;
};

/**
 * Who a subject was forwarded for, and what `attributes` holds of it: the `whole`, a `part` (name and what the last PATCH
 * said), or the name alone (`none`). `lostSeq`: the last change whose body was given up before everybody had it.
 */
export type Forwarded = { spId: number; body: 'whole' | 'part' | 'none'; lostSeq: number | null };

/** Of one that was only forwarded: whether what it should be at its targets is not known as a whole. */
export function lacksBody(subject: Subject | undefined): boolean {
  return subject?.life === 'forwarded' && subject.forwarded?.body !== 'whole';
}

export function toSubject(row: SubjectRow): Subject {
  const attributes = JSON.parse(row.doc) as Attributes;
  const fullName = attributes[nameAttribute[row.kind]] as string;
  return {
    id: row.id,
    kind: row.kind,
    domain: row.domain,
    name: nameInDomain(row.domain, fullName),
    fullName,
    life: row.life,
    seq: row.seq,
    version: row.version,
    attributes,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    ...(row.forwarded_for === null ? {} : { forwarded: { spId: row.forwarded_for, body: 'none', lostSeq: null } }),
  };
}

/** The attribute that names a subject of this kind. */
export const nameAttribute = { user: 'userName', group: 'displayName' } as const;

const byId = prepare<{ id: string }, SubjectRow>((_, p) => sql<SubjectRow>`select * from subjects where id = ${p.id}`);

/** One subject that is live or was only forwarded; `undefined` when there is none of that id and kind. */
export async function readPresent(reading: Reading, kind: Subject['kind'], id: string): Promise<Subject | undefined> {
  const row = (await reading.run(byId, { id }))[0];
  return row?.kind === kind && row.life !== 'gone' ? toSubject(row) : undefined;
}

const byIds = prepare<{ ids: string }, SubjectRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<SubjectRow>`select s.* from ${ids} inner join subjects s on s.id = r.id`;
});

/** Subjects by id, in one statement, tombstones included. An id that never was has no entry. */
export async function readSubjects(reading: Reading, ids: readonly string[]): Promise<Map<string, Subject>> {
  const found = new Map<string, Subject>();
  if (ids.length === 0) return found;
  for (const row of await reading.run(byIds, { ids: idRows(ids) })) {
    if (!found.has(row.id)) found.set(row.id, toSubject(row));
  }
  return found;
}

const livePage = {
  user: prepare<{ after: string; limit: number }, SubjectRow>(
    (_, p) => sql<SubjectRow>`
      select * from subjects where kind = 'user' and life = 'live' and id > ${p.after} order by id limit ${p.limit}`,
  ),
  group: prepare<{ after: string; limit: number }, SubjectRow>(
    (_, p) => sql<SubjectRow>`
      select * from subjects where kind = 'group' and life = 'live' and id > ${p.after} order by id limit ${p.limit}`,
  ),
};

/** Live users or groups in the order of their ids, from the one after `after`. */
export async function listLiveSubjects(
  reading: Reading,
  kind: Subject['kind'],
  page: { after: string; limit: number },
): Promise<Subject[]> {
  return (await reading.run(livePage[kind], page)).map(toSubject);
}

type SpokeRow = { subject_id: string; sp_id: number; by_sign_in: number };

const speakers = prepare<{ ids: string }, SpokeRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<SpokeRow>`
    select s.subject_id, s.sp_id, 0 as by_sign_in from ${ids} inner join subject_sps s on s.subject_id = r.id
    union all
    select s.subject_id, s.sp_id, 1 as by_sign_in from ${ids} inner join subject_sign_ins s on s.subject_id = r.id
    order by by_sign_in, sp_id`;
});

/** The service providers that ever spoke for each subject, those that called first (engine rule 20). */
export async function spokenForBy(reading: Reading, ids: readonly string[]): Promise<Map<string, Speaker[]>> {
  const found = new Map<string, Speaker[]>();
  if (ids.length === 0) return found;
  for (const { subject_id, sp_id, by_sign_in } of await reading.run(speakers, { ids: idRows(new Set(ids)) })) {
    const speaker: Speaker = { spId: sp_id, by: by_sign_in === 1 ? 'sign-in' : 'call' };
    const known = found.get(subject_id);
    if (known) known.push(speaker);
    else found.set(subject_id, [speaker]);
  }
  return found;
}

const counts = prepare<object, { users: number; groups: number }>(
  () => sql<{ users: number; groups: number }>`
    select (select count(*) from subjects where kind = 'user' and life = 'live') as users,
      (select count(*) from subjects where kind = 'group' and life = 'live') as groups`,
);

/** How many live users and groups there are. Reads an index from end to end: not for hot paths. */
export async function countSubjects(reading: Reading): Promise<{ users: number; groups: number }> {
  const { users, groups } = (await reading.run(counts, {}))[0]!;
  return { users, groups };
}

const lockOne = prepare<{ id: string }, SubjectRow>(
  (q, p, d) => q.selectFrom('subjects').selectAll().where('id', '=', p.id).modifyEnd(d.forUpdate) as never,
);

/**
 * A live subject, its row held until commit. Throws `Problem('notFound')`, and `Problem('preconditionFailed')` when
 * `ifVersion` is given and is not its version.
 */
export async function lockSubject(
  tx: Tx,
  kind: Subject['kind'],
  id: string,
  ifVersion?: readonly number[],
): Promise<Subject> {
  const row = (await tx.run(lockOne, { id }))[0];
  return checkVersion(liveOrNotFound(row && toSubject(row), kind, id), ifVersion);
}

/** `lockSubject` that also answers one that was only forwarded. */
export async function lockPresent(
  tx: Tx,
  kind: Subject['kind'],
  id: string,
  ifVersion?: readonly number[],
): Promise<Subject> {
  const row = (await tx.run(lockOne, { id }))[0];
  return checkVersion(presentOrNotFound(row && toSubject(row), kind, id), ifVersion);
}

/** Throws `Problem('notFound')` for whoever can be neither read nor written. */
export function presentOrNotFound(subject: Subject | undefined, kind: Subject['kind'], id: string): Subject {
  return subject?.kind === kind && subject.life === 'forwarded' ? subject : liveOrNotFound(subject, kind, id);
}

/** Of one that was only forwarded it says so. */
export function liveOrNotFound(subject: Subject | undefined, kind: Subject['kind'], id: string): Subject {
  if (subject?.kind === kind && subject.life === 'live') return subject;
  if (subject?.kind === kind && subject.life === 'forwarded') {
    throw new Problem(
      'notFound',
      `The ${kind} "${id.slice(0, 100)}" was only forwarded to its targets and is not kept here, so it cannot be read. PUT and DELETE reach it.`,
    );
  }
  throw new Problem('notFound', `There is no ${kind} with the id "${id.slice(0, 100)}".`);
}

export function checkVersion(subject: Subject, ifVersion: readonly number[] | undefined): Subject {
  if (ifVersion === undefined || ifVersion.includes(subject.version)) return subject;
  throw new Problem(
    'preconditionFailed',
    `The ${subject.kind} was changed since you read it: its version is ${subject.version}. Read it again.`,
  );
}

const lockMany = prepare<{ ids: string }, SubjectRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<SubjectRow>`select * from subjects where id in (select r.id from ${ids}) order by id${d.forUpdate}`;
});

/** Holds many rows until commit. They are locked in the order of their ids, so that two writers do not lock each other out. */
export async function lockSubjects(tx: Tx, ids: readonly string[]): Promise<Map<string, Subject>> {
  const rows = await tx.run(lockMany, { ids: idRows(new Set(ids)) });
  return new Map(rows.map((row) => [row.id, toSubject(row)]));
}

/** Ids as the parameter of `dialect.rowsOf` with one column `id`. */
export function idRows(ids: Iterable<string>): string {
  const rows: { id: string }[] = [];
  for (const id of ids) rows.push({ id });
  return JSON.stringify(rows);
}
