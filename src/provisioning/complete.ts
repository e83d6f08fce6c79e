import type { Exchange } from '../outbound/courier.ts';
import type { LaneRow } from '../store/schema.ts';
import { type Store, type Tx, UniqueViolation } from '../store/store.ts';
import { eraseToldToAll } from './account-bodies.ts';
import { eraseUnowedPasswords, noteLatePasswords } from './account-passwords.ts';
import {
  type CompletedPassword,
  type Completion,
  completeAccounts,
  dropAccounts,
  readAccounts,
  wakeWaitingAccounts,
} from './accounts.ts';
import { endAttempts } from './attempts.ts';
import { waitsOn } from './chain.ts';
import { nameIn } from './claim.ts';
import { temporaryName } from './conflict.ts';
import { endDecisions, forgetConflicts, noteConflicts } from './decisions.ts';
import { readDeliveryStamp } from './delivery-stamp.ts';
import { addAside, addDoubt } from './doubt.ts';
import { type Fenced, fenceAccounts } from './fenced-accounts.ts';
import { keepsMembersOnly } from './group-modes.ts';
import { hideBody } from './hide-body.ts';
import {
  foldLaneNews,
  isForbidden,
  isForbiddenToAll,
  type LaneKey,
  lockLane,
  longestProbeMs,
  writeLane,
} from './lanes.ts';
import { forgetLinksOf, groupsWithDueLinks, settleLinks } from './links.ts';
import { forgetPlaced } from './placed-members.ts';
import { park, type Result, resultOf } from './result.ts';
import { retryAccount } from './retry.ts';
import { askEveryMs, backoffMs } from './schedule.ts';
import { readTargetVersions } from './target-versions.ts';
import { appendWakes } from './wakes.ts';

/** A result with what was said and, if a mutation left, when that was (database time). */
export type Ended = { result: Result; exchanges: readonly Exchange[]; mutatedAt: number | null };

/**
 * What became due when (the worker looks again then), the lanes that are held by now, how many arrivals there are to
 * plan, the removals that were withheld, and the attempts whose result the database would not take, with its reason.
 */
export type Recorded = {
  due: { targetId: number; dueAt: number }[];
  held: LaneKey[];
  wakes: number;
  /** Removals that a rule withholds: accounts that stay alive though their subject should have none. */
  alarms: { targetId: number; subjectId: string; reason: string | null }[];
  untold: { attemptId: number; error: unknown }[];
};

/**
 * Writes a batch of ended attempts down: accounts, attempts, exchanges, links, wakes and lanes in one transaction
 * (design section 3, step 12). A batch in which one row is bad is replayed row by row, so that one account's trouble
 * stays its own (engine rule 27). Rejects when the database takes nothing at all.
 */
export async function recordResults(store: Store, random: () => number, ended: readonly Ended[]): Promise<Recorded> {
  const batch = ended.map(hideBody);
  try {
    return await store.write((tx) => recordBatch(tx, random, batch));
  } catch {
    const recorded: Recorded = { due: [], held: [], wakes: 0, alarms: [], untold: [] };
    for (const one of batch) {
      const { due, held, wakes, alarms, untold } = await recordAlone(store, random, one);
      recorded.due.push(...due);
      recorded.held.push(...held);
      recorded.wakes += wakes;
      recorded.alarms.push(...alarms);
      recorded.untold.push(...untold);
    }
    return recorded;
  }
}

/**
 * A remote id that belongs to another account cannot be taken (rule 14). Who found it a moment too late looks again and
 * then meets its owner; a target that gives one id to two creations has to be looked at by somebody. Whatever else the
 * database would not take leaves the account in doubt: what was said is not known to us.
 */
async function recordAlone(store: Store, random: () => number, ended: Ended): Promise<Recorded> {
  const record = (one: Ended) => store.write((tx) => recordBatch(tx, random, [one]));
  try {
    return await record(ended);
  } catch (error) {
    if (error instanceof UniqueViolation) return record({ ...ended, result: takenElsewhere(ended.result) });
    const recorded = await record({ ...ended, exchanges: [], result: untoldResult(ended) });
    return { ...recorded, untold: [{ attemptId: ended.result.claim.attemptId, error }] };
  }
}

function takenElsewhere({ claim, operation, outcome, remoteId, news }: Result): Result {
  if (operation === 'create' && outcome === 'done') {
    const reason = `the target answered with the id ${remoteId}, which already belongs to the account of another subject`;
    return park(claim, operation, 'refused', reason, { news });
  }
  return resultOf(claim, {
    operation,
    outcome: 'exists',
    reason: `the account of another subject took the id ${remoteId} first`,
    failed: true,
    strike: 'always',
    news,
  });
}

function untoldResult({ result: { claim, operation }, mutatedAt }: Ended): Result {
  return resultOf(claim, {
    operation,
    outcome: 'unknown',
    reason: `our database would not take what the target answered; logged with attempt ${claim.attemptId}`,
    doubt: 'raise',
    password: { fate: mutatedAt === null ? 'kept' : 'doubtful' },
    failed: true,
    strike: 'if the lane succeeds',
    news: { news: 'nothing' },
  });
}

async function recordBatch(tx: Tx, random: () => number, batch: readonly Ended[]): Promise<Recorded> {
  const ordered = [...batch].sort(
    (a, b) =>
      a.result.claim.account.target_id - b.result.claim.account.target_id ||
      (a.result.claim.account.subject_id < b.result.claim.account.subject_id ? -1 : 1),
  );
  const lanes = await recordLanes(tx, random, batch);
  const results = ordered.map((ended) => ended.result);
  await settleLinks(
    tx,
    results.flatMap((result) => result.said.map((said) => ({ ...said, attemptId: result.claim.attemptId }))),
  );
  const stillDue = await groupsWithDueLinks(
    tx,
    results
      .filter(
        (result) => result.finished && result.claim.account.kind === 'group' && !result.drop && result.state === 'done',
      )
      .map((result) => ({ targetId: result.claim.account.target_id, groupId: result.claim.account.subject_id })),
  );
  const versions = await readTargetVersions(tx, [...new Set(results.map((result) => result.claim.open.target.id))]);
  const stamp = await readDeliveryStamp(tx);
  const waits = waitsOf(results);
  const completions: Completion[] = [];
  for (const ended of ordered) {
    completions.push(await completionOf(tx, random, ended, lanes, stillDue, versions, stamp, waits));
  }
  const written = await completeAccounts(tx, completions);
  const held = heldLeases(written, results);
  const kept = ordered.filter(({ result }) => held.has(result.claim.attemptId));

  await forgetPlaced(
    tx,
    kept
      .filter(({ result }) => keepsMembersOnly(result.claim))
      .flatMap(({ result }) => result.said.flatMap(({ link, refused }) => (refused === undefined ? [link] : []))),
  );
  const fenced = ordered.filter(({ result }) => !held.has(result.claim.attemptId));
  await fenceAccounts(
    tx,
    // A target that was removed needs nobody to look again.
    fenced
      .filter(({ result }) => versions.has(result.claim.open.target.id))
      .flatMap((ended) => toFenced(ended, tx.now) ?? []),
  );
  await noteLatePasswords(
    tx,
    fenced.flatMap(({ result, mutatedAt }) => {
      const { owed } = result.claim;
      const { fate } = result.password;
      if (mutatedAt === null || result.claim.account.kind !== 'user') return [];
      const sent = owed !== null && (fate === 'taken' || fate === 'doubtful');
      return [{ ...accountKey(result), seq: sent ? owed.seq : null, taken: fate === 'taken' }];
    }),
  );
  const settled = new Set(written.filter((row) => row.settled).map((row) => keyOf(row)));
  const dropped = kept
    .filter(({ result }) => result.drop && settled.has(keyOf(accountKey(result))))
    .map(({ result }) => accountKey(result));
  await forgetLinksOf(tx, dropped);
  await forgetConflicts(tx, dropped);
  await dropAccounts(tx, dropped);
  await noteConflicts(
    tx,
    kept.flatMap(({ result }) =>
      result.conflict !== null && settled.has(keyOf(accountKey(result)))
        ? [{ ...accountKey(result), noted: result.claim.account.wanted, conflict: result.conflict }]
        : [],
    ),
  );
  await endDecisions(tx, kept.flatMap(decidedBefore));
  const gone = new Set(dropped.map(keyOf));
  await eraseUnowedPasswords(
    tx,
    ordered.flatMap(({ result }) => {
      const { seq, settled } = completedPassword(result);
      const owesNoMore = settled || gone.has(keyOf(accountKey(result)));
      return seq !== null && owesNoMore ? [seq] : [];
    }),
  );
  await wakeWaitingAccounts(
    tx,
    kept.filter(({ result }) => freesName(result)).map(({ result }) => accountKey(result)),
  );
  const wakes = await appendWakes(tx, [
    ...kept.flatMap(({ result }) => [
      ...(hasArrived(result) ? [{ ...accountKey(result), cause: 'arrived' as const }] : []),
      ...(result.relink ? [{ ...accountKey(result), cause: 'relink' as const }] : []),
    ]),
    ...dropped.map((key) => ({ ...key, cause: 'left' as const })),
  ]);
  await eraseToldToAll(
    tx,
    ordered.flatMap(({ result: { claim } }) => (claim.subject?.life === 'forwarded' ? [claim.account.subject_id] : [])),
  );
  await endAttempts(
    tx,
    ordered.map(({ result, exchanges }) => ({
      id: result.claim.attemptId,
      operation: result.operation,
      outcome: result.outcome,
      rule: result.claim.rules?.said ?? null,
      reason: held.has(result.claim.attemptId)
        ? result.reason
        : `${result.reason ?? ''} (its lease was lost: another attempt had taken over)`.trim(),
      exchanges,
    })),
  );
  return {
    due: written.flatMap((row) => (row.dueAt === null ? [] : [{ targetId: row.targetId, dueAt: row.dueAt }])),
    held: [...lanes.values()]
      .filter((lane) => lane.hold !== null)
      .map((lane) => ({ targetId: lane.target_id, kind: lane.kind })),
    wakes,
    alarms: kept
      .filter(({ result }) => result.withheld?.operation === 'DELETE')
      .map(({ result }) => ({ ...accountKey(result), reason: result.reason })),
    untold: [],
  };
}

/**
 * Which attempts still had their lease. Two results of one account may come in one batch; attempt ids only grow, so of
 * these the last is the one that can have had it.
 */
function heldLeases(
  written: readonly { targetId: number; subjectId: string }[],
  results: readonly Result[],
): Set<number> {
  const latest = new Map<string, number>();
  for (const result of results) {
    const key = keyOf(accountKey(result));
    latest.set(key, Math.max(latest.get(key) ?? 0, result.claim.attemptId));
  }
  return new Set(written.map((row) => latest.get(keyOf(row))!));
}

/**
 * Who sent nothing changed nothing: whoever has the lease by now goes on. A process that stood still may have sent long
 * after it read the clock, so what it sent is taken to have left only now.
 */
function toFenced({ result, mutatedAt }: Ended, now: number): Fenced | undefined {
  if (mutatedAt === null) return undefined;
  const { account, doubtDuring, open } = result.claim;
  const { timeoutMs, settleMs } = open.target.policy;
  return {
    ...accountKey(result),
    kind: account.kind,
    urgency: account.urgency,
    spId: account.sp_id,
    doubt: result.operation === 'create' ? { ...doubtDuring, twin: true } : doubtDuring,
    settlesAt: now + timeoutMs + settleMs,
  };
}

/** Folds what the attempts tell about their lanes, each lane once and in the order of the attempts' ends. */
async function recordLanes(tx: Tx, random: () => number, batch: readonly Ended[]): Promise<Map<string, LaneRow>> {
  const lanes = new Map<string, LaneRow>();
  const keys = batch.map(({ result: { claim } }) => ({ targetId: claim.account.target_id, kind: claim.account.kind }));
  // Locked in one order by every node, whatever order the attempts ended in.
  for (const key of keys.sort((a, b) => a.targetId - b.targetId || (a.kind < b.kind ? -1 : 1))) {
    const name = `${key.targetId} ${key.kind}`;
    if (!lanes.has(name)) lanes.set(name, await lockLane(tx, key));
  }
  for (const [key, lane] of lanes) {
    const news = batch
      .filter(({ result }) => `${result.claim.account.target_id} ${result.claim.account.kind}` === key)
      .map(({ result }) => ({ ...result.news, probe: result.claim.probe }));
    const after = foldLaneNews(lane, news, tx.now, random);
    lanes.set(key, after);
    await releaseFirstRefused(tx, lane, after);
    if (JSON.stringify(after) !== JSON.stringify(lane)) await writeLane(tx, after);
  }
  return lanes;
}

/** The first that a lane-wide refusal met was parked, since nothing told it from an account's own: it is due again. */
async function releaseFirstRefused(tx: Tx, before: LaneRow, after: LaneRow): Promise<void> {
  if (!isForbidden(before) || after.hold !== null || before.first_refused === null) return;
  const [row] = await readAccounts(tx, [{ targetId: before.target_id, subjectId: before.first_refused }]);
  if (row?.state === 'parked') await retryAccount(tx, row);
}

/** What was computed with outdated settings or bindings is looked at again after this time; by then they are read anew. */
const bookMs = 500;

/** Others of a lane succeed while one fails if one of them did so at most this long before the attempt began. */
const successWindowMs = 60_000;

async function completionOf(
  tx: Tx,
  random: () => number,
  { result, mutatedAt }: Ended,
  lanes: ReadonlyMap<string, LaneRow>,
  stillDue: ReadonlySet<string>,
  versions: ReadonlyMap<number, number>,
  stamp: number,
  waits: ReadonlyMap<number, ReadonlyMap<string, string>>,
): Promise<Completion> {
  const { claim } = result;
  const { account } = claim;
  const { policy, version, id: targetId } = claim.open.target;
  const lane = lanes.get(`${targetId} ${account.kind}`)!;
  const othersSucceed = lane.hold === null && (lane.last_success_at ?? 0) >= claim.startedAt - successWindowMs;
  const strikes =
    result.strike === 'always' || (result.strike === 'if the lane succeeds' && othersSucceed)
      ? account.strikes + 1
      : result.finished || !result.failed
        ? 0
        : account.strikes;
  // What holds the lane may be one account's alone: it steps back, so that it neither is the next probe while others are
  // due nor holds the lane again as soon as another has opened it.
  const broken = result.news.news === 'broken';
  const everybodys = result.news.news === 'forbidden' && isForbiddenToAll(lane);
  const failed = result.failed || everybodys;
  const tries = failed || broken ? account.tries + 1 : 0;
  // What was computed with old settings or old bindings is no last word (rule 5).
  const current = versions.get(targetId) === version && claim.stamp === stamp;
  const parked = strikes >= policy.maxTries && current;
  // Whoever parks because of an account that changed while it looked would not be woken by that change: it looks again.
  const missed = result.holder !== null && (await hasChanged(tx, result.holder));
  const finished =
    parked ||
    (result.finished && !everybodys && current && !missed && !stillDue.has(`${targetId} ${account.subject_id}`));
  const settlesAt =
    result.doubt === 'raise' && mutatedAt !== null ? mutatedAt + policy.timeoutMs + policy.settleMs : null;
  // A change that comes meanwhile does not make a search believed that may lag (rule 17).
  const notBefore = result.outcome === 'absent' ? Math.max(settlesAt ?? 0, tx.now + policy.settleMs) : settlesAt;
  const own = failed ? backoffMs(account.tries, random()) : 0;
  const stepBack = broken ? Math.min(longestProbeMs, backoffMs(account.tries, random())) : 0;
  const afterProbe = broken && lane.probe_at !== null ? lane.probe_at + 1 - tx.now : 0;
  const wait = Math.max(result.againInMs, own, stepBack, afterProbe, current ? 0 : bookMs);
  const cycle =
    result.waitOn !== null &&
    result.operation !== 'rename' &&
    nameIn(result.acked, claim.open.nameAttribute[account.kind]) !== temporaryName(claim) &&
    (await waitsOn(tx, targetId, result.waitOn, account.subject_id, waits.get(targetId)));
  return {
    ...accountKey(result),
    attemptId: claim.attemptId,
    noted: account.wanted,
    finished,
    // Whoever closes a circle of waiting accounts goes again at once and opens it. Having done so it waits like others.
    dueAt: Math.max(tx.now + (cycle ? 0 : wait), notBefore ?? 0),
    state: parked ? 'parked' : finished || result.state === 'waiting' ? result.state : 'due',
    reason: parked
      ? `${result.reason ?? ''} (given up after ${strikes} tries while others succeeded)`.trim()
      : // An account that agrees in all but its password is not explained by that; its note is.
        finished && result.operation === 'password'
        ? null
        : result.reason,
    tries,
    strikes: parked ? 0 : strikes,
    waitOn: result.waitOn,
    remoteId: result.remoteId,
    doubt: doubtAfter(result),
    notBefore,
    acked: result.acked,
    origin: result.origin,
    chunk: result.chunk,
    // What a rule withheld or the target refused is not delivered: whoever it was done for is asked again (rule 22).
    // A refused password is delivered as far as it ever will be.
    seqDone:
      finished && (result.outcome === 'done' || result.operation === 'password') && !restsUntold(result)
        ? (claim.subject?.seq ?? account.seq_done)
        : account.seq_done,
    version: finished ? version : account.version,
    withheldOperation: result.withheld?.operation ?? null,
    askAt: result.withheld?.readsClock
      ? tx.now + askEveryMs
      : finished && result.lookAgainInMs !== null
        ? tx.now + result.lookAgainInMs
        : null,
    drop: result.drop,
    password: completedPassword(result),
  };
}

/** Nobody lets it in, so it was not told what is kept for it. */
function restsUntold({ claim, state }: Result): boolean {
  return state === 'unbound' && claim.subject?.life === 'forwarded';
}

function completedPassword({ claim, password }: Result): CompletedPassword {
  const { account, owed } = claim;
  const isLost = owed !== null && 'lost' in owed;
  const settled = isLost || password.fate === 'taken' || password.fate === 'let go';
  const note = password.fate === 'taken' ? null : 'note' in password ? password.note : undefined;
  return {
    seq: owed?.seq ?? null,
    settled,
    sent: settled ? null : password.fate === 'doubtful' ? (password.sent ?? claim.sentDuring) : account.pw_sent,
    note: isLost ? (owed.lost ?? note) : note,
  };
}

/** Who is about to wait for whom, by target. */
function waitsOf(results: readonly Result[]): Map<number, Map<string, string>> {
  const waits = new Map<number, Map<string, string>>();
  for (const { claim, waitOn } of results) {
    if (waitOn === null) continue;
    const { target_id: targetId, subject_id: subjectId } = claim.account;
    waits.set(targetId, (waits.get(targetId) ?? new Map<string, string>()).set(subjectId, waitOn));
  }
  return waits;
}

function doubtAfter(result: Result): string | null {
  const { claim } = result;
  if (result.doubt === 'clear') return null;
  if (result.doubt === 'keep') return claim.account.doubt;
  const { remote_id: before } = claim.account;
  const isSetAside = result.outcome === 'absent' && before !== null && result.remoteId === null;
  return JSON.stringify(addAside(addDoubt(claim.doubtDuring, []), isSetAside ? [before] : []));
}

/** Whether an account is not as it was seen. Attempts of one lane are written down one after the other, so the answer holds. */
async function hasChanged(tx: Tx, seen: Result['claim']['account']): Promise<boolean> {
  const [row] = await readAccounts(tx, [{ targetId: seen.target_id, subjectId: seen.subject_id }]);
  if (!row) return true;
  return (['wanted', 'done', 'remote_id', 'acked'] as const).some((column) => row[column] !== seen[column]);
}

/** The subject has a remote id that it did not have: whoever names it is told (engine rule 19). */
function hasArrived({ remoteId, claim }: Result): boolean {
  return remoteId !== null && remoteId !== claim.account.remote_id;
}

/** The decision that stood when the account was claimed; almost always there is none. */
function decidedBefore({ result }: Ended) {
  const { decision, wanted } = result.claim.account;
  if (decision === null) return [];
  const hasOther = result.remoteId !== null || result.drop;
  return [{ ...accountKey(result), decision, noted: wanted, ending: result.decided, hasOther }];
}

/** Whether somebody who waits for this account's name, or is parked because of it, should look again. */
function freesName(result: Result): boolean {
  const { account, open } = result.claim;
  const attribute = open.nameAttribute[account.kind];
  return (
    result.drop ||
    result.remoteId !== account.remote_id ||
    nameIn(result.acked, attribute) !== nameIn(account.acked, attribute)
  );
}

function accountKey(result: Result): { targetId: number; subjectId: string } {
  return { targetId: result.claim.account.target_id, subjectId: result.claim.account.subject_id };
}

function keyOf(key: { targetId: number; subjectId: string }): string {
  return `${key.targetId} ${key.subjectId}`;
}
