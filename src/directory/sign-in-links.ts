import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { SignInLinkRow } from '../store/federation-rows.ts';
import { prepare, type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { endOfPrefix } from './filter-sql.ts';
import { dropPrimaryPrefix } from './names.ts';
import type { Subject } from './subjects.ts';

/**
 * The only writer of `sign_in_links`: who somebody at an identity provider is here. A link that an administrator ends
 * stays as a note of who ended it and counts for nothing; when its user is deleted all of it goes, in the same transaction.
 * Whoever makes or ends one holds the user's row, so that none is left of somebody who is deleted meanwhile.
 */
export type SignInLink = {
  id: number;
  idpId: number;
  issuer: string;
  subject: string;
  userId: string;
  rule: SignInLinkRow['rule'];
  /** Who linked by hand. */
  actor: string | null;
  /** Ids of the groups that signing in put the user into. */
  groups: string[];
  linkedAt: number;
  /** When they last came by it; null: not yet, or before that was written down. */
  lastAt: number | null;
  ended: { at: number; by: string } | null;
};

export type LinkRule = NonNullable<SignInLink['rule']>;

/** Somebody as an identity provider knows them: the pair is unique and lasts (OpenID Connect Core section 5.7). */
export type RemoteUser = { idpId: number; issuer: string; subject: string };

/** Characters of the name that an identity provider gives somebody. */
export const longestRemoteSubject = 255;

type Row = Selectable<SignInLinkRow>;

const select = prepare<{ idp: number; issuer: string; subject: string }, Row>(
  (_, p) => sql<Row>`
    select * from sign_in_links
    where idp_id = ${p.idp} and issuer = ${p.issuer} and remote_subject = ${p.subject} and ended_at is null`,
);

export async function findLink(
  reading: Reading,
  { idpId, issuer, subject }: RemoteUser,
): Promise<SignInLink | undefined> {
  const [row] = await reading.run(select, { idp: idpId, issuer, subject });
  return row && toLink(row);
}

/** Whether anybody at this identity provider is this user already. */
export async function isLinked(reading: Reading, idpId: number, userId: string): Promise<boolean> {
  const query = reading.q.selectFrom('sign_in_links').select('id').where('user_id', '=', userId);
  const found = await reading.first(query.where('idp_id', '=', idpId).where('ended_at', 'is', null).limit(1));
  return found !== undefined;
}

/**
 * Links somebody there to a user here, whose row is held. `signsIn`: they come by it at this moment. Throws Problem
 * `uniqueness` when they are linked already, to whomever.
 */
export async function makeLink(
  tx: Tx,
  { idpId, issuer, subject }: RemoteUser,
  given: { user: Subject; rule: LinkRule; actor?: string; groups?: readonly string[]; signsIn?: true },
): Promise<SignInLink> {
  const { user, rule, actor = null, groups = [], signsIn } = given;
  const query = tx.q.insertInto('sign_in_links').values({
    idp_id: idpId,
    issuer,
    remote_subject: subject,
    user_id: user.id,
    name_key: fold(user.fullName),
    rule,
    actor,
    given_groups: JSON.stringify(groups),
    created_at: tx.now,
    last_at: signsIn ? tx.now : null,
    ended_at: null,
    ended_by: null,
  });
  try {
    return toLink((await tx.first(query.returningAll())) as Row);
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `"${subject}" is linked to somebody here already`, {
      field: 'subject',
      cause: error,
    });
  }
}

const note = prepare<{ id: number; now: number }, { id: number }>(
  (_, p) => sql<{ id: number }>`
    update sign_in_links set last_at = ${p.now} where id = ${p.id} and ended_at is null returning id`,
);

/** That they came by it; false when there is no such link any more. */
export async function noteSignIn(tx: Tx, id: number): Promise<boolean> {
  return (await tx.run(note, { id, now: tx.now })).length > 0;
}

export async function keepGivenGroups(tx: Tx, id: number, groups: readonly string[]): Promise<void> {
  const query = tx.q.updateTable('sign_in_links').set({ given_groups: JSON.stringify(groups) });
  await tx.all(query.where('id', '=', id));
}

/** Ends a link of a user, whose row is held. Throws `notFound` when the user has no such link, or it has ended. */
export async function endLink(tx: Tx, given: { id: number; userId: string; actor: string }): Promise<void> {
  const query = tx.q.updateTable('sign_in_links').set({ ended_at: tx.now, ended_by: given.actor });
  const ended = await tx.all(
    query.where('id', '=', given.id).where('user_id', '=', given.userId).where('ended_at', 'is', null).returning('id'),
  );
  if (ended.length === 0) throw new Problem('notFound', 'there is no such link any more: read the list again');
}

const forget = prepare<{ id: string }, never>((_, p) => sql`delete from sign_in_links where user_id = ${p.id}`);

/** All that is known of how a user signs in through identity providers: of one who is deleted. */
export async function forgetLinksOf(tx: Tx, userId: string): Promise<void> {
  await tx.run(forget, { id: userId });
}

const rename = prepare<{ id: string; name: string }, never>(
  (_, p) => sql`update sign_in_links set name_key = ${p.name} where user_id = ${p.id}`,
);

/** A user has another name from now on. */
export async function renameLinksOf(tx: Tx, userId: string, nameKey: string): Promise<void> {
  await tx.run(rename, { id: userId, name: nameKey });
}

/** Of one user, the latest first; also those that have ended. */
export async function listLinksOf(reading: Reading, userId: string, limit: number): Promise<SignInLink[]> {
  const query = reading.q.selectFrom('sign_in_links').selectAll().where('user_id', '=', userId);
  return (await reading.all(query.orderBy('id', 'desc').limit(limit))).map((row) => toLink(row as Row));
}

/** Where a page of `listLinksAt` ended: the last by user name, or among the rest by subject. */
export type LinkPlace = { by: 'name' | 'subject'; key: string; id: number };

/** Of those whose subject is like what is searched so many are looked at in one go. */
const lookedAtOnce = 500;

/**
 * Whom an identity provider's people are, in the order of user names. With `search`: those whose user name begins with
 * it, and after them the rest of those whose subject does, in the order of subjects. A page is read from its place in an
 * index, however many there are.
 */
export async function listLinksAt(
  reading: Reading,
  idpId: number,
  { search = '', after, limit }: { search?: string; after?: LinkPlace; limit: number },
): Promise<{ links: SignInLink[]; next: LinkPlace | undefined }> {
  const name = fold(dropPrimaryPrefix(search));
  const found: { row: Row; place: LinkPlace }[] = [];
  if (after?.by !== 'subject') {
    found.push(...(await readLinks(reading, idpId, { by: 'name', prefix: name, after, limit: limit + 1 })));
  }
  let piece = { after: after?.by === 'subject' ? after : undefined, isLast: search === '' };
  // In pieces: who is like it by both is passed over, and of these there may be many.
  while (found.length <= limit && !piece.isLast) {
    const next = { by: 'subject', prefix: search, after: piece.after, limit: lookedAtOnce } as const;
    const looked = await readLinks(reading, idpId, next);
    found.push(...looked.filter(({ row }) => !row.name_key.startsWith(name)));
    piece = { after: looked.at(-1)?.place, isLast: looked.length < lookedAtOnce };
    if (!piece.isLast) await setImmediate();
  }
  const shown = found.slice(0, limit);
  return { links: shown.map(({ row }) => toLink(row)), next: found.length > limit ? shown.at(-1)?.place : undefined };
}

async function readLinks(
  reading: Reading,
  idpId: number,
  { by, prefix, after, limit }: { by: LinkPlace['by']; prefix: string; after: LinkPlace | undefined; limit: number },
): Promise<{ row: Row; place: LinkPlace }[]> {
  const column = by === 'name' ? 'name_key' : 'remote_subject';
  const key = sql.ref(column);
  const rest = after ? sql`and ${key} >= ${after.key} and (${key} > ${after.key} or id > ${after.id})` : sql``;
  const query = sql<Row>`
    select * from sign_in_links where idp_id = ${idpId} and ended_at is null ${beginsWith(key, prefix)} ${rest}
    order by ${key}, id limit ${limit}`;
  const rows = await reading.all<Row>({ compile: () => query.compile(reading.q) });
  return rows.map((row) => ({ row, place: { by, key: row[column], id: Number(row.id) } }));
}

function beginsWith(text: RawBuilder<unknown>, prefix: string): RawBuilder<unknown> {
  if (prefix === '') return sql``;
  const end = endOfPrefix(prefix);
  return end === undefined ? sql`and ${text} >= ${prefix}` : sql`and ${text} >= ${prefix} and ${text} < ${end}`;
}

function toLink(row: Row): SignInLink {
  return {
    id: Number(row.id),
    idpId: Number(row.idp_id),
    issuer: row.issuer,
    subject: row.remote_subject,
    userId: row.user_id,
    rule: row.rule,
    actor: row.actor,
    groups: JSON.parse(row.given_groups) as string[],
    linkedAt: row.created_at,
    lastAt: row.last_at,
    ended: row.ended_at === null ? null : { at: row.ended_at, by: row.ended_by ?? '' },
  };
}
