import type { Clock } from '../base/clock.ts';
import type { Speaker } from '../directory/changes.ts';
import { readWholeSubjects } from '../directory/forwarded-bodies.ts';
import { lacksBody, type Subject, spokenForBy } from '../directory/subjects.ts';
import { applyMapping } from '../mapping/apply.ts';
import type { Attributes, Json } from '../mapping/rows.ts';
import type { AccountRow, LinkRow, PasswordSent } from '../store/schema.ts';
import type { Store, Tx } from '../store/store.ts';
import { leaseAccounts, readAccounts } from './accounts.ts';
import { type AccountRules, openRules } from './ask-rules.ts';
import { beginAttempts } from './attempts.ts';
import { addDoubt, type Doubt, readDoubt } from './doubt.ts';
import { selectDueAccounts, selectProbeAccount } from './due-accounts.ts';
import { keepsMembersOnly } from './group-modes.ts';
import { isForbidden, laneAllows, lockLane, noteProbe } from './lanes.ts';
import { claimLinks } from './links.ts';
import { type Owed, readOwedPasswords, sentDuring } from './owed-passwords.ts';
import { listLeaving, notePlaced, withoutUnplaced } from './placed-members.ts';
import type { TargetPolicy } from './policy.ts';
import { type InScope, readScopeFacts } from './scope.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';

/** One account under a lease, with all that its attempt needs to know of us. */
export type Claim = {
  open: OpenTarget;
  /** The row as it was before the lease. */
  account: AccountRow;
  attemptId: number;
  subject: Subject | undefined;
  /** What the target should hold: `present`, `absent`, or `rest` when nobody lets it in any more. */
  wish: 'present' | 'absent' | 'rest';
  /** What the mapping makes of the subject; meaningful for `present`. */
  attributes: Attributes;
  /** The name the subject has (or had) at the target. */
  name: string;
  /** Doubt left by earlier attempts; null when their last word was answered. */
  doubt: Doubt | null;
  /** The doubt that stands in the row during this attempt. */
  doubtDuring: Doubt;
  /** The password it owes the target; null when it owes none. */
  owed: Owed | null;
  /** How that password counts as sent in the row during this attempt. */
  sentDuring: PasswordSent | null;
  /** Memberships to say (groups). */
  links: LinkRow[];
  /** Of a group that should be gone and is not ours to remove: whether anybody is in it whom we put there. */
  anyLeft: boolean;
  /** Database time when it was claimed. */
  startedAt: number;
  /** Reading of the monotonic clock after which nothing may be sent. */
  sendBefore: number;
  /** The delivery stamp of the book that `wish` was decided by. */
  stamp: number;
  /** It is the single probe of a held lane. */
  probe: boolean;
  /** The node that claimed it (`nodes.ts`); null when that said nothing of itself. */
  node: number | null;
  /** Whom to ask before anything is said; undefined when no binding of its service providers has rules on. */
  rules: AccountRules | undefined;
};

/** A claim may wait this long for its turn before its first request. */
const lineMs = 2_000;
const defaultChunk = 100;

/**
 * Claims up to `limit` due accounts of one lane (engine rules 7, 9, 11): attempt rows, leases and doubts are written,
 * and subjects read, in one transaction. `until` says when it is worth asking again if the lane is closed.
 */
export async function claimLane(
  store: Store,
  clock: Clock,
  book: TargetBook,
  lane: { targetId: number; kind: 'user' | 'group'; turn?: number; node?: number },
  limit: number,
): Promise<{ claims: Claim[]; until?: number }> {
  const open = book.targets.get(lane.targetId);
  if (!open) return { claims: [] };
  return store.write(async (tx) => {
    // The lease counts from here, so the time to send does too, however long others hold the lane.
    const begunAt = clock.monotonic();
    const row = await lockLane(tx, lane);
    const allowed = laneAllows(row, tx.now);
    if (allowed.claims === 'none') return { claims: [], until: allowed.until };
    const probe = allowed.claims === 'probe';
    const due = probe
      ? await selectProbeAccount(tx, lane, isForbidden(row) ? 'urgent' : 'oldest')
      : await selectDueAccounts(tx, lane, limit);
    if (due.length === 0) return { claims: [] };
    const claims = await claimAccounts(tx, book, open, due, { probe, node: lane.node ?? null, begunAt });
    if (probe) await noteProbe(tx, row, claims[0]!.startedAt + leaseMs(open.target.policy));
    return { claims };
  });
}

/** Longer than anything an attempt may send can take to land: its turn in line, two reads and the mutation, and the settle time. */
export function leaseMs({ timeoutMs, settleMs }: TargetPolicy): number {
  return lineMs + 3 * timeoutMs + settleMs;
}

async function claimAccounts(
  tx: Tx,
  book: TargetBook,
  open: OpenTarget,
  due: readonly AccountRow[],
  how: { probe: boolean; node: number | null; begunAt: number },
): Promise<Claim[]> {
  const now = tx.now;
  const { probe, node, begunAt } = how;
  const ids = due.map((account) => account.subject_id);
  const subjects = await readWholeSubjects(tx, book.key, ids);
  const spokenFor = await spokenForBy(tx, ids);
  const isInScope = await readScopeFacts(tx, [open], subjects.values());
  const { target } = open;
  const deadline = now + leaseMs(target.policy);
  const attempts = await beginAttempts(
    tx,
    due.map((account) => ({
      targetId: target.id,
      subjectId: account.subject_id,
      kind: account.kind,
      noted: account.wanted,
      startedAt: now,
      deadline,
      version: target.version,
      node,
    })),
  );
  const owedBy = await readOwedPasswords(tx, book.key, open, due);
  const mapped = await mapSubjects(tx, open, [...subjects.values()]);
  const rules = await openRules(tx, book, open, due, { subjects, spokenFor });
  const claims: Claim[] = [];
  for (const account of due) {
    const subject = subjects.get(account.subject_id);
    const attemptId = attempts.get(account.subject_id)!;
    const name = subject ? open.connector.writeName(subject.domain, subject.name) : '';
    const doubt = readDoubt(account.doubt);
    const wish = wishFor(book, open, subject, spokenFor.get(account.subject_id) ?? [], isInScope);
    const owed = owedBy.get(account.subject_id) ?? null;
    const { links, anyLeft } = await claimMemberships(tx, { account, open, wish }, attemptId);
    claims.push({
      open,
      account,
      attemptId,
      subject,
      wish,
      attributes: mapped.get(account.subject_id) ?? {},
      name,
      doubt,
      doubtDuring: addDoubt(
        doubt,
        [nameIn(account.acked, open.nameAttribute[account.kind]), name],
        isAdopted(account) ? Object.keys(mapped.get(account.subject_id) ?? {}) : [],
      ),
      owed,
      sentDuring: sentDuring(account, wish, owed),
      links,
      anyLeft,
      startedAt: now,
      sendBefore: begunAt + lineMs + 2 * target.policy.timeoutMs,
      stamp: book.stamp,
      probe,
      node,
      rules: rules.get(account.subject_id),
    });
  }
  await leaseAccounts(
    tx,
    claims.map((claim) => ({
      targetId: target.id,
      subjectId: claim.account.subject_id,
      attemptId: claim.attemptId,
      until: deadline,
      doubt: JSON.stringify(claim.doubtDuring),
      passwordSent: claim.sentDuring,
    })),
  );
  return claims;
}

async function claimMemberships(
  tx: Tx,
  claim: Pick<Claim, 'account' | 'open' | 'wish'>,
  attemptId: number,
): Promise<Pick<Claim, 'links' | 'anyLeft'>> {
  const { account, open } = claim;
  if (account.kind !== 'group') return { links: [], anyLeft: false };
  const group = { targetId: open.target.id, groupId: account.subject_id };
  const limit = chunkOf(account, open);
  const membersOnly = keepsMembersOnly(claim);
  if (membersOnly && claim.wish === 'absent') return listLeaving(tx, group, attemptId, limit);
  const links = await claimLinks(tx, group, attemptId, limit);
  if (!membersOnly || account.remote_id === null) return { links, anyLeft: false };
  await notePlaced(tx, links);
  return { links: account.origin === 'linked' ? await withoutUnplaced(tx, links, attemptId) : links, anyLeft: false };
}

function chunkOf(account: AccountRow, open: OpenTarget): number {
  // 0 says that the group is to be made bare; once it is there, its members go at the usual pace.
  return account.chunk || (open.target.policy.membersPerRequest ?? defaultChunk);
}

/**
 * Present: live, in scope, and some service provider that spoke for it is bound to the target (with *Enable JIT*, if it
 * spoke at sign-ins only). Absent: gone or out of
 * scope. Rest: no binding lets it in, so nothing is sent and nothing removed (engine rule 20). Of whom nothing is kept it
 * is not known whether a scope holds, so nobody is removed by it (rule 23).
 */
export function wishFor(
  book: TargetBook,
  open: OpenTarget,
  subject: Subject | undefined,
  spokenFor: readonly Speaker[],
  isInScope: InScope,
): Claim['wish'] {
  if (!subject) return 'absent';
  if (!book.isBound(open.target.id, spokenFor) || !open.sends(subject.kind)) return 'rest';
  if (subject.life === 'gone') return 'absent';
  return lacksBody(subject) || isInScope(open, subject) ? 'present' : 'absent';
}

/** Applies the target's mapping; references become the remote ids that the named subjects have at this target by now. */
async function mapSubjects(tx: Tx, open: OpenTarget, subjects: readonly Subject[]): Promise<Map<string, Attributes>> {
  const rows = open.rows;
  const live = subjects.filter((subject) => subject.life !== 'gone');
  const sourceOf = (subject: Subject) => ({
    id: subject.id,
    kind: subject.kind,
    name: open.connector.writeName(subject.domain, subject.name),
    attributes: subject.attributes as Record<string, Json>,
  });
  const first = live.map((subject) => applyMapping(rows, sourceOf(subject), () => undefined));
  const named = [...new Set(first.flatMap((mapped) => mapped.references))];
  const accounts = await readAccounts(
    tx,
    named.map((subjectId) => ({ targetId: open.target.id, subjectId })),
  );
  const remoteIds = new Map(accounts.map((account) => [account.subject_id, account.remote_id ?? undefined]));
  return new Map(
    live.map((subject, n) => {
      const mapped = first[n]!;
      if (mapped.references.length === 0) return [subject.id, mapped.attributes];
      return [subject.id, applyMapping(rows, sourceOf(subject), (id) => remoteIds.get(id)).attributes];
    }),
  );
}

/** Whether the account was at the target before us. */
export function isAdopted({ origin }: AccountRow): boolean {
  return origin === 'adopted' || origin === 'adopted-inactive' || origin === 'linked';
}

/** The name in a JSON text of attributes, if it is there. */
export function nameIn(acked: string | null, nameAttribute: string): string | undefined {
  if (acked === null) return undefined;
  const value = (JSON.parse(acked) as Attributes)[nameAttribute];
  return typeof value === 'string' ? value : undefined;
}
