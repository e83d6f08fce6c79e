import type { Failure, Found, Remote, SubjectKind } from '../connectors/connector.ts';
import type { Attributes } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Claim } from './claim.ts';
import type { Decision, Named } from './decisions.ts';
import { isBare } from './owed-passwords.ts';
import { afterAdoption, afterFinding } from './password.ts';
import { failureOf, park, type Result, resultOf, stepOn } from './result.ts';
import { storableText } from './storable-text.ts';

/**
 * Whose account is it (engine rules 14 to 16). A creation or a rename met a name that is taken: by our own earlier
 * request, by another of our accounts, or by a stranger.
 */
export interface ConflictLookups {
  /** Our accounts at a target that own these remote ids. */
  ownersOf(targetId: number, kind: SubjectKind, remoteIds: readonly string[]): Promise<AccountRow[]>;
  /** Our accounts at a target of those of these texts that are ids of our subjects, and which of them are subjects at all. */
  marksOf(targetId: number, externalIds: readonly string[]): Promise<{ subjects: Set<string>; accounts: AccountRow[] }>;
  /** Whether `from` waits, directly or through others, for the account of `subjectId`. */
  waitsOn(targetId: number, from: string, subjectId: string): Promise<boolean>;
  /** The kind of subjects by id. */
  kindsOf(targetId: number, subjectIds: readonly string[]): Promise<Map<string, SubjectKind>>;
  /** What an operator decided, by the id that an account has of it. */
  decisionOf(id: number): Promise<Decision | undefined>;
}

/** Who waits for another account is woken by it; this is only the time after which it looks again by itself. */
const waitMs = 30_000;

/** A creation was answered "already taken". */
export async function resolveCreateConflict(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  reason: string,
): Promise<Result> {
  const { account, open } = claim;
  const found = await findThere(claim, courier);
  if (found.outcome !== 'done') return failureOf(claim, 'create', found, { settled: true, mutated: false });

  const marked = found.found.filter((remote) => remote.externalId === account.subject_id);
  if (marked.length > 1) return meetTwin(claim, 'create');
  const [ours] = marked;
  if (ours) {
    return stepOn(claim, 'create', {
      outcome: 'exists',
      reason: 'it is our own, made by an earlier request',
      remoteId: ours.remoteId,
      acked: JSON.stringify(ours.attributes),
      origin: account.origin ?? 'created',
      chunk: isBare(account) ? null : account.chunk,
      password: afterFinding(claim),
    });
  }
  const holder = await findHolder(claim, lookups, found.found);
  if (holder) return waitFor(claim, 'create', holder, reason);

  const [stranger] = found.found;
  if (!stranger) return unexplained(claim, 'create', reason);
  if (open.target.policy.adopt !== 'name') {
    return park(
      claim,
      'create',
      'exists',
      `the target already has ${describe(found.found)}, which Purvey did not make. Adopt it, or leave it parked; or rename one of the two, then retry`,
      { conflict: { name: claim.name, adoptable: true, remotes: found.found.map(nameOf) } },
    );
  }
  return adopt(claim, stranger);
}

/**
 * A rename was answered "already taken". A stranger who has the name is not offered for adoption: that would take the
 * person's account away from them. It would be left behind, with all that is in it and our mark on it, or ended as if they
 * had gone; and a name alone does not say that the other one is theirs. Whoever knows that it is removes the account they
 * have at the target, where it is seen what is in it: the next attempt finds it gone, and meets the other one as a creation
 * does (rules 16 and 17).
 */
export async function resolveRenameConflict(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  reason: string,
  acked: string,
): Promise<Result> {
  const { account } = claim;
  const found = await findThere(claim, courier);
  const change = { acked };
  if (found.outcome !== 'done') return failureOf(claim, 'update', found, { settled: true, mutated: false, change });
  const others = found.found.filter((remote) => remote.remoteId !== account.remote_id);
  if (others.some((remote) => remote.externalId === account.subject_id)) return meetTwin(claim, 'update');
  const holder = await findHolder(claim, lookups, others);
  if (holder) return { ...waitFor(claim, 'update', holder, reason), ...change };
  if (others.length === 0) return { ...unexplained(claim, 'update', reason), ...change };
  return park(
    claim,
    'update',
    'exists',
    `the target has ${describe(others)} under the name this account (id ${account.remote_id}) should have, and Purvey did not make it. Rename or remove it there, then retry. It is not taken over: the account that is kept in step now would be left behind`,
    { ...change, conflict: { name: claim.name, adoptable: false, remotes: others.map(nameOf) } },
  );
}

/** Two resources there bear our mark. The id is set aside, so that the next attempt finds both and one of them goes. */
function meetTwin(claim: Claim, operation: Result['operation']): Result {
  return resultOf(claim, {
    operation,
    outcome: 'exists',
    reason: 'two resources there bear the mark of this account: one of them has to go',
    remoteId: null,
    acked: null,
    doubt: 'raise',
    againInMs: claim.open.target.policy.settleMs,
    relink: claim.account.kind === 'group' && claim.wish === 'present',
  });
}

/**
 * Who has the name or our mark at the target. A search may lag behind, so each it shows is read before it is believed:
 * one that is gone holds no name, and one that was renamed since does not hold the name it was found by.
 */
export async function findThere(claim: Claim, courier: Courier): Promise<Found | Failure> {
  const { account, open } = claim;
  const ask = { kind: account.kind, externalId: account.subject_id, names: [claim.name] };
  const shown = await open.connector.find(courier, ask);
  if (shown.outcome !== 'done') return shown;
  const found: Remote[] = [];
  for (const one of shown.found) {
    const read = await open.connector.read(courier, account.kind, one.remoteId);
    if (read.outcome === 'absent') continue;
    if (read.outcome !== 'done') return read;
    if (read.remote.externalId === account.subject_id || read.remote.name === one.name) found.push(read.remote);
  }
  return { outcome: 'done', found };
}

/** The account of ours that holds one of these remote resources, by ownership or by the mark they bear. */
export async function findHolder(
  claim: Claim,
  lookups: ConflictLookups,
  remotes: readonly Remote[],
): Promise<{ subjectId: string; account: AccountRow | undefined } | undefined> {
  if (remotes.length === 0) return undefined;
  const { account, open } = claim;
  const owners = await lookups.ownersOf(
    open.target.id,
    account.kind,
    remotes.map((remote) => remote.remoteId),
  );
  const owner = owners.find((one) => one.subject_id !== account.subject_id);
  if (owner) return { subjectId: owner.subject_id, account: owner };
  const marks = remotes.flatMap((remote) => (remote.externalId === undefined ? [] : [remote.externalId]));
  const marked = await lookups.marksOf(
    open.target.id,
    marks.filter((mark) => mark !== account.subject_id),
  );
  const [subjectId] = marked.subjects;
  if (subjectId === undefined) return undefined;
  return { subjectId, account: marked.accounts.find((one) => one.subject_id === subjectId) };
}

/**
 * Another account of ours holds the name. If it is on its way to something else, this one waits for it; if it is at
 * rest with the name, somebody has to decide, and a change of the holder is the occasion to look again.
 */
export function waitFor(
  claim: Claim,
  operation: Result['operation'],
  holder: { subjectId: string; account: AccountRow | undefined },
  reason: string,
): Result {
  if (holder.account && holder.account.wanted > holder.account.done) {
    return resultOf(claim, {
      operation,
      outcome: 'exists',
      state: 'waiting',
      reason: `waits for the account of ${holder.subjectId}, which holds its name and is about to change`,
      waitOn: holder.subjectId,
      againInMs: waitMs,
    });
  }
  return park(
    claim,
    operation,
    'exists',
    `the name is held by the account of our own subject ${holder.subjectId} (${reason}). Two subjects cannot have one name at this target: rename one`,
    { waitOn: holder.subjectId, holder: holder.account ?? null },
  );
}

/** The target says *taken* but shows nobody who has it: a search that lags behind, or another unique attribute. */
function unexplained(claim: Claim, operation: Result['operation'], reason: string): Result {
  return resultOf(claim, {
    operation,
    outcome: 'exists',
    reason: `the target says that a value is already taken, but finds nobody named ${claim.name}: ${reason}`,
    failed: true,
    strike: 'always',
  });
}

/**
 * Takes over the resource that an operator chose when the account was parked. It may be another by now, so it is read
 * first: one that is gone, is called otherwise, or is somebody's of ours parks the account again and is not taken.
 */
export async function adoptAsDecided(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  decision: Decision,
): Promise<Result> {
  const { account, open } = claim;
  const { actor, remote_id: remoteId, remote_name: wasCalled } = decision;
  const inVain = (why: string) => ({ decided: { how: 'in vain', why } }) as const;
  const read = await open.connector.read(courier, account.kind, remoteId!);
  if (read.outcome === 'absent') {
    const why = `the target has nothing with the id ${remoteId} any more, which ${actor} decided to adopt. Retry to have the account made, or decide again`;
    // Nothing of ours is absent: it says nothing about the endpoint, and nothing was concluded but that somebody looks.
    const news = { news: 'answered', success: false } as const;
    return resultOf(claim, {
      operation: 'find',
      outcome: 'absent',
      reason: why,
      finished: true,
      state: 'parked',
      news,
      ...inVain(why),
    });
  }
  if (read.outcome !== 'done') return failureOf(claim, 'find', read, { settled: true, mutated: false });
  const { remote } = read;
  const holder = await findHolder(claim, lookups, [remote]);
  if (holder) {
    const why = `what ${actor} decided to adopt belongs to the account of ${holder.subjectId} by now`;
    return { ...waitFor(claim, 'find', holder, why), ...inVain(why) };
  }
  if (storableText(remote.name) !== wasCalled) {
    const why = `what ${actor} decided to adopt (id ${remoteId}) was called "${wasCalled}" then and is called "${remote.name}" by now. Retry, and decide by what is there then`;
    return park(claim, 'find', 'exists', why, inVain(why));
  }
  return {
    ...adopt(claim, remote),
    reason: `adopted the account named ${remote.name} that was there already, as ${actor} decided`,
    decided: { how: 'used', why: null },
  };
}

/** Takes over an account that was there before us; it gets no password and is not switched on by this (rule 16). */
export function adopt(claim: Claim, remote: Remote): Result {
  const known: Attributes = {};
  for (const [path, value] of Object.entries(remote.attributes)) {
    if (path in claim.attributes) known[path] = value;
  }
  return stepOn(claim, 'create', {
    outcome: 'exists',
    reason: `adopted the account named ${remote.name} that was there already`,
    remoteId: remote.remoteId,
    acked: JSON.stringify(known),
    origin: remote.attributes['active'] === false ? 'adopted-inactive' : 'adopted',
    chunk: isBare(claim.account) ? null : claim.account.chunk,
    password: afterAdoption(claim),
  });
}

function nameOf({ remoteId, name }: Remote): Named {
  return { remoteId, name };
}

function describe(remotes: readonly Remote[]): string {
  return remotes
    .slice(0, 3)
    .map((remote) => `"${remote.name}" (id ${remote.remoteId})`)
    .join(', ');
}

/** A name nobody else has, to open a circle of accounts that wait for each other's names (rule 15). */
export function temporaryName(claim: Claim): string {
  return `purvey-${claim.account.subject_id.replaceAll('-', '').slice(-10)}-${claim.name.replace('/', '-')}`;
}
