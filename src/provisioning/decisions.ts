import { type Selectable, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import type { ConflictRow, DecisionRow } from '../store/decision-rows.ts';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { type Keys, keyColumns } from './accounts.ts';
import { retryAccount } from './retry.ts';
import { storableText } from './storable-text.ts';

/**
 * The only writer of `decisions`, of `conflicts` and of `accounts.decision`: whom a parked account met under its name, and
 * what an operator said to it. A decision is written down when it is said and carried out by a later attempt, so a crash
 * in between loses nothing:
 *
 *     (said) --> stands --used-------> the next attempt took the resource over (`adopt`)
 *                   |-----in vain----> it could not: the resource is gone, renamed, or somebody's by now
 *                   |-----superseded-> decided anew, another name is wanted by now, or the account has a resource
 *                   +-----over-------> something about the account changed (`leave`)
 *
 * What is true of an account only until it is wanted otherwise (a conflict, a leave) names the `wanted` that it was said
 * at, so that nobody who raises an account has to know of it.
 */
export type Decision = Selectable<DecisionRow>;

export type Named = { remoteId: string; name: string };

/** Resources at the target that are nobody's of ours and have the name that an account wants. */
export type Conflict = {
  name: string;
  /** The account has no resource of its own yet, so that it may take over one of these (why only then: `conflict.ts`). */
  adoptable: boolean;
  remotes: Named[];
};

type Account = Pick<AccountRow, 'target_id' | 'subject_id' | 'wanted' | 'done' | 'state' | 'remote_id' | 'decision'>;

type ConflictColumns = Keys & { noted: number; name: string; adoptable: number; remotes: string };

const writeConflicts = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<ConflictColumns, 'r'>(p.rows, 'r', {
    ...keyColumns,
    noted: 'int',
    name: 'text',
    adoptable: 'int',
    remotes: 'text',
  });
  return sql`
    insert into conflicts (target_id, subject_id, noted, name, adoptable, remotes)
    select target_id, subject_id, noted, name, adoptable, remotes from ${rows} where true
    on conflict (target_id, subject_id) do update set
      noted = excluded.noted, name = excluded.name, adoptable = excluded.adoptable, remotes = excluded.remotes`;
});

/** Of accounts that come to rest with it, in the transaction that writes their results down. */
export async function noteConflicts(
  tx: Tx,
  met: readonly { targetId: number; subjectId: string; noted: number; conflict: Conflict }[],
): Promise<void> {
  if (met.length === 0) return;
  const rows = met.map(({ targetId, subjectId, noted, conflict }) => ({
    target_id: targetId,
    subject_id: subjectId,
    noted,
    name: storableText(conflict.name),
    adoptable: conflict.adoptable ? 1 : 0,
    // JSON escapes what a database does not store.
    remotes: JSON.stringify(conflict.remotes),
  }));
  await tx.run(writeConflicts, { rows: JSON.stringify(rows) });
}

const dropConflicts = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Keys, 'r'>(p.rows, 'r', keyColumns);
  return sql`
    delete from conflicts where (target_id, subject_id) in (select r.target_id, r.subject_id from ${rows})`;
});

/** Of accounts that are no more. */
export async function forgetConflicts(tx: Tx, keys: readonly { targetId: number; subjectId: string }[]): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys.map((key) => ({ target_id: key.targetId, subject_id: key.subjectId }));
  await tx.run(dropConflicts, { rows: JSON.stringify(rows) });
}

/** Null: it is not parked by a conflict, or something was wanted of it since. */
export async function readConflict(reading: Reading, account: Account): Promise<Conflict | null> {
  if (!isParked(account)) return null;
  const row: ConflictRow | undefined = await reading.first(
    reading.q
      .selectFrom('conflicts')
      .selectAll()
      .where('target_id', '=', account.target_id)
      .where('subject_id', '=', account.subject_id)
      .where('noted', '=', account.wanted),
  );
  if (!row) return null;
  return { name: row.name, adoptable: row.adoptable === 1, remotes: JSON.parse(row.remotes) };
}

const isParked = ({ state, wanted, done }: Account) => state === 'parked' && wanted <= done;

export async function readDecision(reading: Reading, id: number): Promise<Decision | undefined> {
  const query = reading.q.selectFrom('decisions').selectAll().where('id', '=', id);
  return (await reading.first(query)) as unknown as Decision | undefined;
}

/** What was decided about an account, the latest first. */
export async function listDecisions(reading: Reading, account: Account, limit: number): Promise<Decision[]> {
  const query = reading.q
    .selectFrom('decisions')
    .selectAll()
    .where('target_id', '=', account.target_id)
    .where('subject_id', '=', account.subject_id);
  return (await reading.all(query.orderBy('id', 'desc').limit(limit))) as unknown as Decision[];
}

/**
 * Decides that the next attempt takes this resource over, as `adopt: name` would, and makes the account due. It has to
 * be one of those that the account met. Saying it again changes nothing. Throws Problem `conflict` when the account is
 * not parked by such a conflict. The caller says `store.signal('work')` after its commit.
 */
export async function decideAdoption(
  tx: Tx,
  key: { targetId: number; subjectId: string },
  word: { remoteId: string; actor: string },
): Promise<void> {
  const account = await lockAccount(tx, key);
  if (account.remote_id === word.remoteId) return;
  const before = account.decision === null ? undefined : await readDecision(tx, account.decision);
  if (before?.what === 'adopt' && before.remote_id === word.remoteId) return;
  const conflict = await readConflict(tx, account);
  if (!conflict) {
    throw new Problem('conflict', 'it is not parked because of a name that is taken there: there is nothing to adopt');
  }
  if (!conflict.adoptable) {
    const why = `it has an account there already (id ${account.remote_id}), which would be left behind. Rename or remove the other one at the target, then retry`;
    const instead = `If the other one is to be theirs, remove the id ${account.remote_id} there, then retry: it can be adopted then`;
    throw new Problem('conflict', `${why}. ${instead}`);
  }
  const remote = conflict.remotes.find((one) => one.remoteId === word.remoteId);
  if (!remote) {
    const known = conflict.remotes.map((one) => one.remoteId).join(', ');
    const why = `it met no account with the id ${word.remoteId.slice(0, 200)} there; it met ${known}`;
    throw new Problem('invalidValue', why, { field: 'remoteId' });
  }
  await write(tx, account, {
    what: 'adopt',
    name: conflict.name,
    remote_id: remote.remoteId,
    remote_name: storableText(remote.name),
    note: null,
    actor: word.actor,
  });
  await retryAccount(tx, account);
}

/**
 * Leaves a parked account parked: it counts no longer among those to look at, until something is wanted of it again.
 * Saying it again changes at most the note. Throws Problem `conflict` when it is not parked.
 */
export async function leaveParked(
  tx: Tx,
  key: { targetId: number; subjectId: string },
  word: { note: string | null; actor: string },
): Promise<void> {
  const account = await lockAccount(tx, key);
  if (!isParked(account)) throw new Problem('conflict', 'it is not parked: there is nothing to leave');
  const before = account.decision === null ? undefined : await readDecision(tx, account.decision);
  if (before && isLeft(account, before) && (word.note === null || word.note === before.note)) return;
  const conflict = await readConflict(tx, account);
  await write(tx, account, {
    what: 'leave',
    name: conflict?.name ?? '',
    remote_id: null,
    remote_name: null,
    note: word.note,
    actor: word.actor,
  });
}

const isLeft = (account: Account, decision: Decision) =>
  decision.what === 'leave' && isParked(account) && decision.noted === account.wanted;

async function lockAccount(tx: Tx, key: { targetId: number; subjectId: string }): Promise<AccountRow> {
  const query = tx.q
    .selectFrom('accounts')
    .selectAll()
    .where('target_id', '=', key.targetId)
    .where('subject_id', '=', key.subjectId);
  const row = await tx.first(query.modifyEnd(tx.dialect.forUpdate));
  if (!row) throw new Problem('notFound', 'it has no account there');
  return row as AccountRow;
}

/** Of one account so many decisions are kept. */
const kept = 20;

async function write(
  tx: Tx,
  account: AccountRow,
  word: Pick<Decision, 'what' | 'name' | 'remote_id' | 'remote_name' | 'note' | 'actor'>,
): Promise<void> {
  const { target_id, subject_id, wanted, decision } = account;
  if (decision !== null) await end(tx, decision, 'superseded', `decided anew by ${word.actor}`);
  const made = await tx.first(
    tx.q
      .insertInto('decisions')
      .values({ target_id, subject_id, ...word, at: tx.now, noted: wanted })
      .returning('id'),
  );
  await tx.all(
    tx.q
      .updateTable('accounts')
      .set({ decision: Number(made!.id) })
      .where('target_id', '=', target_id)
      .where('subject_id', '=', subject_id),
  );
  const old = (await listDecisions(tx, account, kept + 1))[kept];
  if (!old) return;
  await tx.all(
    tx.q
      .deleteFrom('decisions')
      .where('target_id', '=', target_id)
      .where('subject_id', '=', subject_id)
      .where('id', '<=', old.id),
  );
}

async function end(tx: Tx, id: number, ended: NonNullable<DecisionRow['ended']>, why: string | null): Promise<void> {
  const change = { ended, ended_at: tx.now, why: why === null ? null : storableText(why) };
  await tx.all(tx.q.updateTable('decisions').set(change).where('id', '=', id).where('ended', 'is', null));
}

/** What an attempt made of the decision that stood when it was claimed. */
export type Ending = { how: 'used' | 'in vain' | 'superseded'; why: string | null };

/**
 * Ends decisions of accounts whose results are written down, in the same transaction. A leave ends because something was
 * wanted of the account; an adoption by what the attempt made of it, or because the account `hasOther` than was decided.
 * A decision that was said meanwhile stays.
 */
export async function endDecisions(
  tx: Tx,
  accounts: readonly {
    targetId: number;
    subjectId: string;
    decision: number;
    noted: number;
    ending: Ending | null;
    hasOther: boolean;
  }[],
): Promise<void> {
  for (const { targetId, subjectId, decision, noted, ending, hasOther } of accounts) {
    const found = await readDecision(tx, decision);
    // An account that looked again by itself takes its leave along (`carryLeaves`).
    const isOver = found?.what === 'leave' && found.noted < noted;
    const how = found?.what === 'adopt' ? (ending?.how ?? (hasOther ? 'superseded' : undefined)) : isOver && 'over';
    if (!how) continue;
    await end(tx, decision, how, ending?.why ?? null);
    await tx.all(
      tx.q
        .updateTable('accounts')
        .set({ decision: null })
        .where('target_id', '=', targetId)
        .where('subject_id', '=', subjectId)
        .where('decision', '=', decision),
    );
  }
}

const carry = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ id: number; wanted: number }, 'r'>(p.rows, 'r', { id: 'int', wanted: 'int' });
  return sql`
    update decisions set noted = r.wanted + 1 from ${rows}
    where decisions.id = r.id and decisions.what = 'leave' and decisions.noted = r.wanted`;
});

/** These accounts are about to be raised once only to look again: nothing about them changed, so who left them parked is not asked again. */
export async function carryLeaves(tx: Tx, accounts: readonly Account[]): Promise<void> {
  const rows = accounts.flatMap(({ decision, wanted }) => (decision === null ? [] : [{ id: decision, wanted }]));
  if (rows.length > 0) await tx.run(carry, { rows: JSON.stringify(rows) });
}

/** The leaves that hold, of these accounts, by the id of the decision. */
export async function readLeaves(reading: Reading, accounts: readonly Account[]): Promise<Map<number, Decision>> {
  const parked = accounts.filter((account) => account.decision !== null && isParked(account));
  if (parked.length === 0) return new Map();
  const query = reading.q.selectFrom('decisions').selectAll();
  const ids = parked.map((account) => account.decision!);
  const found = new Map(
    ((await reading.all(query.where('id', 'in', ids))) as unknown as Decision[]).map((row) => [row.id, row]),
  );
  return new Map(
    parked.flatMap((account) => {
      const decision = found.get(account.decision!);
      return decision && isLeft(account, decision) ? [[decision.id, decision] as const] : [];
    }),
  );
}

const countLeaves = prepare<Record<string, never>, { target_id: number; count: number }>(
  () => sql<{ target_id: number; count: number }>`
    select a.target_id, count(*) as count from accounts a join decisions d on d.id = a.decision
    where a.decision is not null and a.state = 'parked' and a.wanted <= a.done and d.what = 'leave' and d.noted = a.wanted
    group by a.target_id`,
);

/** How many accounts are left parked, by target. Costs what was decided, not what is parked. */
export async function countLeft(reading: Reading): Promise<Map<number, number>> {
  return new Map((await reading.run(countLeaves, {})).map((row) => [row.target_id, Number(row.count)]));
}
