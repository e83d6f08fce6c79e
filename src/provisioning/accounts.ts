import { sql } from 'kysely';
import type { AccountRow, AccountState, PasswordSent } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { storableText } from './storable-text.ts';

/**
 * The only writer of `accounts` (with `fenced-accounts.ts` and `account-passwords.ts`): where one subject stands at one target.
 *
 * The life of a row (engine rules 2, 7, 10, 24):
 *
 *     (no row) --raise--> due --claim--> due, leased --complete--> done       the target agrees
 *                          ^                           |            disabled   removed here, kept switched off there
 *                          |                           |            kept       removed here, left as it is there
 *                          |                           |            unbound    no binding names the target any more
 *                          |                           |            parked     refused: somebody has to look
 *                          |                           |            waiting    for the account that holds its name
 *                          |                           |            withheld   a rule said no
 *                          +------------raise----------+            (no row)   removed, and nothing left to say
 *
 * `wanted > done` means due, whatever `state` says. `due_at` is when it may be claimed; a lease is `lease_attempt` set
 * and `due_at` at its end, so that a lease nobody completes becomes claimable by itself.
 */

/** What makes an account due. `makes`: the account may come into being by it; otherwise only an existing one is raised. */
export type Raise = {
  targetId: number;
  subjectId: string;
  kind: 'user' | 'group';
  urgency: number;
  spId: number;
  makes: boolean;
  /** Not before this time; default now. */
  at?: number;
  /** The change whose password the account owes from now on, in place of any before. */
  passwordSeq?: number;
  /** Not if it is parked because the target has no such group: who comes to it or leaves it is noted and does not start a search. */
  unlessMissing?: boolean;
};

export type Keys = { target_id: number; subject_id: string };
export const keyColumns = { target_id: 'int', subject_id: 'text' } as const;

type RaiseResult = { target_id: number; subject_id: string; wanted: number };

const raise = prepare<{ rows: string; now: number }, RaiseResult>((_, p, d) => {
  const rows = d.rowsOf<
    {
      target_id: number;
      subject_id: string;
      kind: string;
      urgency: number;
      sp_id: number;
      makes: number;
      at: number;
      pw_seq: number;
      unless_missing: number;
    },
    'r'
  >(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    kind: 'text',
    urgency: 'int',
    sp_id: 'int',
    makes: 'int',
    at: 'int',
    pw_seq: 'int',
    unless_missing: 'int',
  });
  // Changes are planned by urgency, so an older password may come after a newer one.
  const newPassword = sql`excluded.pw_seq is not null and coalesce(accounts.pw_seq, 0) < excluded.pw_seq`;
  // Asked under the row's lock: a search that is under way is not mistaken for one that found nothing.
  const spared = d.rowsOf<Keys & { unless_missing: number }, 's'>(p.rows, 's', {
    ...keyColumns,
    unless_missing: 'int',
  });
  const when = d.greatest(sql`excluded.due_at`, sql`coalesce(accounts.not_before, 0)`);
  return sql<RaiseResult>`
    insert into accounts (target_id, subject_id, kind, urgency, due_at, wanted, done, tries, strikes, state, sp_id, seq_done, version, pw_seq)
    select r.target_id, r.subject_id, r.kind, r.urgency, r.at, 1, 0, 0, 0, 'due', r.sp_id, 0, 0, r.pw_seq
    from ${rows}
    where r.makes = 1
       or exists (select 1 from accounts a where a.target_id = r.target_id and a.subject_id = r.subject_id)
    on conflict (target_id, subject_id) do update set
      wanted = accounts.wanted + 1,
      urgency = case when accounts.wanted > accounts.done
                  then ${d.least(sql`accounts.urgency`, sql`excluded.urgency`)} else excluded.urgency end,
      tries = 0, strikes = 0,
      pw_seq = case when ${newPassword} then excluded.pw_seq else accounts.pw_seq end,
      pw_sent = case when ${newPassword} then null else accounts.pw_sent end,
      pw_note = case when ${newPassword} then null else accounts.pw_note end,
      state = case when accounts.lease_attempt is not null or accounts.state = 'waiting' then accounts.state else 'due' end,
      due_at = case when accounts.lease_attempt is not null then accounts.due_at
                    when accounts.due_at is null then ${when}
                    else ${d.least(sql`accounts.due_at`, when)} end
    where not (accounts.state = 'parked' and accounts.ask_at is not null and accounts.wanted <= accounts.done
      and exists (select 1 from ${spared}
        where s.target_id = accounts.target_id and s.subject_id = accounts.subject_id and s.unless_missing = 1))
    returning target_id, subject_id, wanted`;
});

/**
 * Makes accounts due (engine rule 2) and answers with the keys of those that came into being. Ends an account's own
 * backoff, never the wait for a request in doubt.
 */
export async function raiseAccounts(
  tx: Tx,
  raises: readonly Raise[],
): Promise<{ targetId: number; subjectId: string }[]> {
  const byKey = new Map<string, Raise>();
  for (const one of raises) {
    const key = `${one.targetId} ${one.subjectId}`;
    const seen = byKey.get(key);
    byKey.set(key, seen ? mergeRaises(seen, one) : one);
  }
  if (byKey.size === 0) return [];
  // Rows are written in key order on every path, so two writers can wait for each other but never in a circle.
  const ordered = [...byKey.values()].sort((a, b) => a.targetId - b.targetId || (a.subjectId < b.subjectId ? -1 : 1));
  const rows = ordered.map((one) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    kind: one.kind,
    urgency: one.urgency,
    sp_id: one.spId,
    makes: one.makes ? 1 : 0,
    at: one.at ?? tx.now,
    pw_seq: one.passwordSeq ?? null,
    unless_missing: one.unlessMissing ? 1 : 0,
  }));
  const raised = await tx.run(raise, { rows: JSON.stringify(rows), now: tx.now });
  return raised
    .filter((row) => row.wanted === 1)
    .map((row) => ({ targetId: row.target_id, subjectId: row.subject_id }));
}

function mergeRaises(one: Raise, other: Raise): Raise {
  const passwordSeq = Math.max(one.passwordSeq ?? 0, other.passwordSeq ?? 0);
  return {
    ...other,
    unlessMissing: one.unlessMissing === true && other.unlessMissing === true,
    urgency: Math.min(one.urgency, other.urgency),
    makes: one.makes || other.makes,
    ...(passwordSeq > 0 ? { passwordSeq } : {}),
  };
}

export type Lease = {
  targetId: number;
  subjectId: string;
  attemptId: number;
  until: number;
  doubt: string;
  passwordSent: PasswordSent | null;
};

const lease = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<
    { target_id: number; subject_id: string; attempt: number; until: number; doubt: string; pw_sent: string },
    'r'
  >(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    attempt: 'int',
    until: 'int',
    doubt: 'text',
    pw_sent: 'text',
  });
  return sql`
    update accounts set lease_attempt = r.attempt, due_at = r.until, doubt = r.doubt, pw_sent = r.pw_sent
    from ${rows} where accounts.target_id = r.target_id and accounts.subject_id = r.subject_id`;
});

/** Takes selected accounts under a lease and writes their doubt down, before anything can be sent (engine rule 7). */
export async function leaseAccounts(tx: Tx, leases: readonly Lease[]): Promise<void> {
  const rows = leases.map((one) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    attempt: one.attemptId,
    until: one.until,
    doubt: one.doubt,
    pw_sent: one.passwordSent,
  }));
  await tx.run(lease, { rows: JSON.stringify(rows) });
}

/** What an attempt makes of its account; written only while the attempt still holds the lease. */
export type Completion = {
  targetId: number;
  subjectId: string;
  attemptId: number;
  noted: number;
  /** `done := noted`: nothing more to do for what was noted. */
  finished: boolean;
  /** When to try again if not finished. */
  dueAt: number | null;
  state: AccountState;
  reason: string | null;
  tries: number;
  strikes: number;
  waitOn: string | null;
  remoteId: string | null;
  doubt: string | null;
  notBefore: number | null;
  acked: string | null;
  origin: AccountRow['origin'];
  chunk: number | null;
  seqDone: number;
  version: number;
  withheldOperation: string | null;
  askAt: number | null;
  /** The row may go: its remote is absent and nothing is left to say. */
  drop: boolean;
  /** About the password that was owed when it was claimed; one that came meanwhile is not touched. */
  password: CompletedPassword;
};

export type CompletedPassword = {
  seq: number | null;
  /** It is owed no more. */
  settled: boolean;
  sent: PasswordSent | null;
  /** Undefined: the note stays. */
  note: string | null | undefined;
};

type CompletionColumns = {
  target_id: number;
  subject_id: string;
  attempt: number;
  noted: number;
  finished: number;
  due_at: number;
  state: string;
  reason: string;
  tries: number;
  strikes: number;
  wait_on: string;
  remote_id: string;
  doubt: string;
  not_before: number;
  acked: string;
  origin: string;
  chunk: number;
  seq_done: number;
  version: number;
  withheld_operation: string;
  ask_at: number;
  pw_seq: number;
  pw_settled: number;
  pw_sent: string;
  pw_noted: number;
  pw_note: string;
};
type Completed = { target_id: number; subject_id: string; wanted: number; done: number; due_at: number | null };

const complete = prepare<{ rows: string; now: number }, Completed>((_, p, d) => {
  const rows = d.rowsOf<CompletionColumns, 'r'>(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    attempt: 'int',
    noted: 'int',
    finished: 'int',
    due_at: 'int',
    state: 'text',
    reason: 'text',
    tries: 'int',
    strikes: 'int',
    wait_on: 'text',
    remote_id: 'text',
    doubt: 'text',
    not_before: 'int',
    acked: 'text',
    origin: 'text',
    chunk: 'int',
    seq_done: 'int',
    version: 'int',
    withheld_operation: 'text',
    ask_at: 'int',
    pw_seq: 'int',
    pw_settled: 'int',
    pw_sent: 'text',
    pw_noted: 'int',
    pw_note: 'text',
  });
  return sql<Completed>`
    update accounts set
      lease_attempt = null,
      done = case when r.finished = 1 and accounts.done < r.noted then r.noted else accounts.done end,
      due_at = case when accounts.wanted > r.noted then ${d.greatest(sql`cast(${p.now} as bigint)`, sql`coalesce(r.not_before, 0)`)}
                    when r.finished = 1 then null
                    else r.due_at end,
      state = case when accounts.wanted > r.noted and r.state <> 'waiting' then 'due' else r.state end,
      tries = case when accounts.wanted > r.noted then 0 else r.tries end,
      strikes = case when accounts.wanted > r.noted then 0 else r.strikes end,
      reason = r.reason, wait_on = r.wait_on, remote_id = r.remote_id, doubt = r.doubt, not_before = r.not_before,
      acked = r.acked, origin = r.origin, chunk = r.chunk, seq_done = r.seq_done, version = r.version,
      withheld_operation = r.withheld_operation, ask_at = r.ask_at,
      pw_seq = case when r.pw_settled = 1 and accounts.pw_seq = r.pw_seq then null else accounts.pw_seq end,
      pw_sent = case when accounts.pw_seq = r.pw_seq then r.pw_sent else accounts.pw_sent end,
      pw_note = case when r.pw_noted = 1 and (accounts.pw_seq is null or accounts.pw_seq = r.pw_seq) then r.pw_note else accounts.pw_note end
    from ${rows}
    where accounts.target_id = r.target_id and accounts.subject_id = r.subject_id and accounts.lease_attempt = r.attempt
    returning accounts.target_id, accounts.subject_id, accounts.wanted, accounts.done, accounts.due_at`;
});

/**
 * Writes what attempts found out. Answers with the rows as they stand; an account that is missing from the answer had
 * lost its lease (rule 10): `fenceAccounts` is for it. Rejects with `UniqueViolation` when a remote id belongs to
 * another account; nothing of the batch is written then.
 */
export async function completeAccounts(
  tx: Tx,
  completions: readonly Completion[],
): Promise<{ targetId: number; subjectId: string; dueAt: number | null; settled: boolean }[]> {
  const rows = completions.map((one) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    attempt: one.attemptId,
    noted: one.noted,
    finished: one.finished ? 1 : 0,
    due_at: one.dueAt,
    state: one.state,
    reason: one.reason === null ? null : storableText(one.reason),
    tries: one.tries,
    strikes: one.strikes,
    wait_on: one.waitOn,
    remote_id: one.remoteId,
    doubt: one.doubt,
    not_before: one.notBefore,
    acked: one.acked,
    origin: one.origin,
    chunk: one.chunk,
    seq_done: one.seqDone,
    version: one.version,
    withheld_operation: one.withheldOperation,
    ask_at: one.askAt,
    pw_seq: one.password.seq,
    pw_settled: one.password.settled ? 1 : 0,
    pw_sent: one.password.sent,
    pw_noted: one.password.note === undefined ? 0 : 1,
    pw_note: typeof one.password.note === 'string' ? storableText(one.password.note) : null,
  }));
  const written = await tx.run(complete, { rows: JSON.stringify(rows), now: tx.now });
  return written.map((row) => ({
    targetId: row.target_id,
    subjectId: row.subject_id,
    dueAt: row.due_at,
    settled: row.wanted <= row.done,
  }));
}

const keysOf = (keys: readonly { targetId: number; subjectId: string }[]) =>
  JSON.stringify(keys.map((key) => ({ target_id: key.targetId, subject_id: key.subjectId })));

const drop = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Keys, 'r'>(p.rows, 'r', keyColumns);
  return sql`
    delete from accounts
    where wanted <= done and lease_attempt is null and doubt is null and remote_id is null
      and (target_id, subject_id) in (select r.target_id, r.subject_id from ${rows})`;
});

/** Removes rows whose remote is absent and for which nothing is due, leased or in doubt (rule 10); others stay. */
export async function dropAccounts(tx: Tx, keys: readonly { targetId: number; subjectId: string }[]): Promise<void> {
  if (keys.length > 0) await tx.run(drop, { rows: keysOf(keys) });
}

// `cross join` keeps SQLite from walking a whole target: almost always nobody waits, and the partial index knows.
const wakeWaiters = prepare<{ rows: string; now: number }, never>((_, p, d) => {
  const rows = d.rowsOf<Keys, 'r'>(p.rows, 'r', keyColumns);
  return sql`
    update accounts set
      wanted = case when wanted <= done then wanted + 1 else wanted end,
      tries = 0, strikes = 0,
      state = case when state = 'parked' then 'due' else state end,
      due_at = case when lease_attempt is not null then due_at
                    else ${d.greatest(sql`cast(${p.now} as bigint)`, sql`coalesce(not_before, 0)`)} end
    where (target_id, subject_id) in (
      select a.target_id, a.subject_id from ${rows} cross join accounts a
      where a.wait_on is not null and a.target_id = r.target_id and a.wait_on = r.subject_id)`;
});

/** The holders' accounts changed: whoever waits for their name, or is parked because of it, is due again (rule 15). */
export async function wakeWaitingAccounts(
  tx: Tx,
  holders: readonly { targetId: number; subjectId: string }[],
): Promise<void> {
  if (holders.length > 0) await tx.run(wakeWaiters, { rows: keysOf(holders), now: tx.now });
}

const selectAccounts = prepare<{ rows: string }, AccountRow>((q, p, d) =>
  q
    .selectFrom('accounts')
    .innerJoin(d.rowsOf<Keys, 'r'>(p.rows, 'r', keyColumns), (join) =>
      join.onRef('accounts.target_id', '=', 'r.target_id').onRef('accounts.subject_id', '=', 'r.subject_id'),
    )
    .selectAll('accounts'),
);

/** The rows of these accounts; those without a row are missing from the answer. */
export function readAccounts(
  reading: Reading,
  keys: readonly { targetId: number; subjectId: string }[],
): Promise<AccountRow[]> {
  return keys.length === 0 ? Promise.resolve([]) : reading.run(selectAccounts, { rows: keysOf(keys) });
}

const selectOfSubjects = prepare<{ ids: string }, Pick<AccountRow, 'target_id' | 'subject_id' | 'sp_id'>>((q, p, d) =>
  q
    .selectFrom('accounts')
    .innerJoin(d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' }), 'r.id', 'accounts.subject_id')
    .select(['accounts.target_id', 'accounts.subject_id', 'accounts.sp_id']),
);

/** Every account of these subjects, at any target. */
export function listAccountsOf(reading: Reading, subjectIds: readonly string[]) {
  return reading.run(selectOfSubjects, { ids: JSON.stringify(subjectIds.map((id) => ({ id }))) });
}

const selectOwners = prepare<{ targetId: number; kind: 'user' | 'group'; ids: string }, AccountRow>((q, p, d) =>
  q
    .selectFrom('accounts')
    .innerJoin(d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' }), 'r.id', 'accounts.remote_id')
    .selectAll('accounts')
    .where('accounts.target_id', '=', p.targetId)
    .where('accounts.kind', '=', p.kind),
);

/** Whose these remote ids are at a target (rule 14). */
export function listOwners(
  reading: Reading,
  lane: { targetId: number; kind: 'user' | 'group' },
  remoteIds: readonly string[],
): Promise<AccountRow[]> {
  return reading.run(selectOwners, { ...lane, ids: JSON.stringify(remoteIds.map((id) => ({ id }))) });
}

const postpone = prepare<{ rows: string; at: number }, never>((_, p, d) => {
  const rows = d.rowsOf<Keys, 'r'>(p.rows, 'r', keyColumns);
  return sql`
    update accounts set ask_at = cast(${p.at} as bigint)
    where (target_id, subject_id) in (select r.target_id, r.subject_id from ${rows})`;
});

/** When the rules that withhold these accounts are to be asked again. */
export async function postponeAsking(
  tx: Tx,
  keys: readonly { targetId: number; subjectId: string }[],
  at: number,
): Promise<void> {
  if (keys.length > 0) await tx.run(postpone, { rows: keysOf(keys), at });
}

const writeRegimes = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<Keys & { regime: string }, 'r'>(p.rows, 'r', { ...keyColumns, regime: 'text' });
  return sql`
    update accounts set regime = r.regime
    from ${rows} where accounts.target_id = r.target_id and accounts.subject_id = r.subject_id`;
});

/** By which modes the memberships of these groups are kept (`group-modes.ts`). Only for the planner. */
export async function setRegimes(
  tx: Tx,
  groups: readonly { targetId: number; groupId: string; regime: string }[],
): Promise<void> {
  if (groups.length === 0) return;
  const rows = groups.map(({ targetId, groupId, regime }) => ({ target_id: targetId, subject_id: groupId, regime }));
  await tx.run(writeRegimes, { rows: JSON.stringify(rows) });
}
