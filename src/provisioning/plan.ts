import { CompiledQuery } from 'kysely';
import { type Change, markPlanned, type Speaker, speakerOf, takeUnplanned, urgency } from '../directory/changes.ts';
import { findClearPasswords } from '../directory/clear-passwords.ts';
import { readWholeSubjects } from '../directory/forwarded-bodies.ts';
import { forgetFormerMembers } from '../directory/memberships.ts';
import { lacksBody, readSubjects, type Subject, spokenForBy } from '../directory/subjects.ts';
import type { Store, Tx } from '../store/store.ts';
import { eraseToldToAll } from './account-bodies.ts';
import { eraseUnowedPasswords } from './account-passwords.ts';
import { listAccountsOf, type Raise, raiseAccounts } from './accounts.ts';
import { askAgain } from './ask-again.ts';
import { lockDeliveryStamp } from './delivery-stamp.ts';
import { descend, requestDescents } from './descents.ts';
import { beginGroups } from './group-starts.ts';
import { planMemberships } from './plan-memberships.ts';
import { type InScope, readScopeFacts } from './scope.ts';
import { raisesByGroups, readsGroupNames, targetsThatReadGroups } from './scope-changes.ts';
import { followsChange, type TargetBook } from './target-book.ts';
import { foldWakes } from './wakes.ts';

/**
 * From changes to due accounts (design section 3, step 4). A change says *who*; what has to be done about it is worked
 * out when the account is delivered, from the subject as it is then.
 *
 * One planner works at a time over all nodes: it is short work, and it makes the order of links, wakes and accounts
 * something one can reason about.
 */
const plannerLock = CompiledQuery.raw('select pg_advisory_xact_lock(7283520)');

export async function lockPlanner(tx: Tx): Promise<void> {
  if (tx.dialect.capabilities.manyNodes) await tx.all({ compile: () => plannerLock });
}

/** One transaction plans about this many account rows; more would keep doors waiting (engine page, *plan*). */
const rowsPerStep = 200;
/** So many members of groups that are gone are forgotten in one transaction. */
const formerPerStep = 2_000;

/** How many changes one step takes. */
export function changesPerStep(book: TargetBook): number {
  return Math.max(1, Math.min(rowsPerStep, Math.floor(rowsPerStep / Math.max(1, book.bindings.length))));
}

/**
 * Plans some unplanned changes, folds some wakes and goes on with some descents, in one transaction. Answers how many
 * of all it took; 0 means idle. `outdated` when targets or bindings changed since the book was opened: nothing was
 * planned then, because a change planned with an old book would miss a target for ever.
 */
export async function planStep(store: Store, book: TargetBook): Promise<number | 'outdated'> {
  const work = async (tx: Tx) => {
    await lockPlanner(tx);
    if ((await lockDeliveryStamp(tx)) !== book.stamp) return 'outdated';
    const changes = await takeUnplanned(tx, changesPerStep(book));
    if (changes.length > 0) {
      const passwords = await findClearPasswords(
        tx,
        changes.flatMap((change) => (change.otherId === null ? [change.seq] : [])),
      );
      const forwarded = await planChanges(tx, book, changes, passwords);
      await markPlanned(
        tx,
        changes.map((change) => change.seq),
      );
      // Nobody may have wanted one.
      await eraseUnowedPasswords(tx, [...passwords]);
      await eraseToldToAll(tx, forwarded);
    }
    const looked = await descend(tx, book);
    // Now nothing that left is still to be followed: no change is unplanned, nobody is half looked through.
    const forgotten = changes.length + looked === 0 ? await forgetFormerMembers(tx, formerPerStep) : 0;
    const folded = await foldWakes(tx, book, rowsPerStep);
    return changes.length + folded + looked + forgotten + (await askAgain(tx, book, rowsPerStep));
  };
  // Lost, it is all worked out again; whatever is sent for it is written down by a claim, which takes it to the disk.
  const taken = await store.write(work, { durable: 'later' });
  if (taken !== 'outdated' && taken > 0) store.signal('work');
  return taken;
}

/** `passwords`: the changes that brought one, which the accounts they raise then owe. Answers who of them is only forwarded. */
async function planChanges(
  tx: Tx,
  book: TargetBook,
  changes: readonly Change[],
  passwords: ReadonlySet<number>,
): Promise<string[]> {
  const ids = [...new Set(changes.map((change) => change.subjectId))];
  const subjects = await readWholeSubjects(tx, book.key, ids);
  const spokenFor = await spokenForBy(tx, ids);
  const accountsAt = new Map<string, Map<number, number>>();
  for (const row of await listAccountsOf(tx, ids)) {
    const at = accountsAt.get(row.subject_id) ?? new Map();
    accountsAt.set(row.subject_id, at.set(row.target_id, row.sp_id));
  }
  const isInScope = await readScopeFacts(tx, book.targets.values(), subjects.values());
  const raises: Raise[] = [];
  for (const change of changes) {
    const subject = subjects.get(change.subjectId);
    if (!subject) continue;
    const sps = spokenFor.get(change.subjectId) ?? [];
    const present = accountsAt.get(change.subjectId) ?? new Map<number, number>();
    const letIn = new Set(letInBy(book, subject, sps, speakerOf(change), isInScope));
    for (const targetId of new Set([...letIn, ...present.keys()])) {
      if (present.has(targetId) && !followsChange(book, targetId, change.spId)) continue;
      raises.push({
        targetId,
        subjectId: subject.id,
        kind: subject.kind,
        urgency: leavesScope(targetId, subject) ? urgency.removal : change.urgency,
        spId: present.get(targetId) ?? change.spId,
        // Also when it is there: it may be dropped between our looking and our writing.
        makes: letIn.has(targetId),
        unlessMissing: change.otherId !== null,
        ...(passwords.has(change.seq) && book.targets.get(targetId)?.connector.takesPasswords
          ? { passwordSeq: change.seq }
          : {}),
      });
    }
  }
  raises.push(...(await planRegroupings(tx, book, changes, subjects)));
  const made = await raiseAccounts(tx, raises);
  const madeKeys = new Set(made.map((key) => `${key.targetId} ${key.subjectId}`));
  await beginGroups(
    tx,
    book,
    made
      .filter((key) => subjects.get(key.subjectId)?.kind === 'group')
      .map(({ targetId, subjectId }) => ({ targetId, groupId: subjectId })),
  );
  await planMemberships(tx, book, changes, raises, madeKeys);
  return [...subjects.values()].filter((subject) => subject.life === 'forwarded').map((subject) => subject.id);

  function leavesScope(targetId: number, subject: Subject): boolean {
    const open = book.targets.get(targetId);
    return subject.life !== 'gone' && !lacksBody(subject) && open !== undefined && !isInScope(open, subject);
  }
}

/**
 * Whose groups are not what they were by these changes (engine rule 4): a user who came or left is looked at here,
 * everybody in a group by a descent. A group's name matters only where a scope or rules read it; but a group that came
 * or went is a change of which groups there are.
 */
async function planRegroupings(
  tx: Tx,
  book: TargetBook,
  changes: readonly Change[],
  subjects: ReadonlyMap<string, Subject>,
): Promise<Raise[]> {
  const opens = targetsThatReadGroups(book);
  if (opens.length === 0) return [];
  const namesMatter = opens.some((open) => readsGroupNames(book, open));
  // A group that is only forwarded is none of the directory's: nobody is anywhere because of it.
  const moved = changes.filter((change) => change.otherId !== null && !isForwarded(change));
  const members = await readSubjects(
    tx,
    moved.map((change) => change.otherId!),
  );
  const changed = changes.filter((change) => {
    const subject = subjects.get(change.subjectId);
    if (change.otherId !== null || subject?.kind !== 'group' || subject.forwarded) return false;
    return subject.life !== 'live' || namesMatter || change.urgency !== urgency.cosmetic;
  });
  await requestDescents(tx, [
    ...changed.map((change) => ({ groupId: change.subjectId, spId: change.spId })),
    ...moved
      .filter((change) => members.get(change.otherId!)?.kind === 'group')
      .map((change) => ({ groupId: change.otherId!, spId: change.spId })),
  ]);
  return raisesByGroups(
    tx,
    book,
    moved.map((change) => ({ subjectId: change.otherId!, spId: change.spId })),
  );

  function isForwarded(change: Change): boolean {
    return subjects.get(change.subjectId)?.forwarded !== undefined;
  }
}

/**
 * Targets that an account may come into being at by this change (engine rule 20). Who is gone, or of whom nothing is kept,
 * enters nowhere. A sign-in lets in by its own application alone, whoever spoke before.
 */
function letInBy(
  book: TargetBook,
  subject: Subject,
  spokenFor: readonly Speaker[],
  speaker: Speaker,
  isInScope: InScope,
): number[] {
  if (subject.life === 'gone' || lacksBody(subject)) return [];
  const everybody = speaker.by === 'sign-in' ? [speaker] : [...spokenFor, speaker];
  return [...book.targets.values()]
    .filter((open) => open.sends(subject.kind))
    .filter((open) => book.isBound(open.target.id, open.target.policy.follow === 'bound' ? [speaker] : everybody))
    .filter((open) => isInScope(open, subject))
    .map((open) => open.target.id);
}
