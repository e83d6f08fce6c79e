import { urgency } from '../directory/changes.ts';
import { readSubjects, spokenForBy } from '../directory/subjects.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';
import { type Raise, readAccounts } from './accounts.ts';
import { readScopeFacts } from './scope.ts';
import { followsChange, type OpenTarget, type TargetBook } from './target-book.ts';

/** A subject whose groups are not what they were. `spId`: who the change was made for that moved it. */
export type Regrouped = { subjectId: string; spId: number };

/** The targets whose scope reads which groups a user is in, or whose rules may. */
export function targetsThatReadGroups(book: TargetBook): OpenTarget[] {
  return [...book.targets.values()].filter(
    (open) => (scopeReadsGroups(open) || book.asksRules(open.target.id)) && open.sends('user'),
  );
}

/** Whether the name of a group decides anything there. */
export function readsGroupNames(book: TargetBook, open: OpenTarget): boolean {
  return open.scope.dependsOn.includes('group names') || book.asksRules(open.target.id);
}

function scopeReadsGroups(open: OpenTarget): boolean {
  return open.scope.dependsOn.includes('groups');
}

/**
 * The accounts that are due because the groups of these people changed (engine rule 4): who leaves the scope goes first,
 * who comes into it is made. Whoever stays out, or is there and stays, costs nothing further.
 *
 * Who comes in is let in by those who spoke for *him* (rule 20): a group may be kept by somebody whom no binding names.
 * Where the target follows bound service providers only, the one who changed the group has to be bound as well.
 * Subjects that are groups, or gone, are passed over. Whom rules withhold is asked for again: they may ask for groups too.
 */
export async function raisesByGroups(tx: Tx, book: TargetBook, moved: readonly Regrouped[]): Promise<Raise[]> {
  const opens = targetsThatReadGroups(book);
  if (opens.length === 0 || moved.length === 0) return [];
  const ids = [...new Set(moved.map((one) => one.subjectId))];
  const subjects = await readSubjects(tx, ids);
  const people = [...subjects.values()].filter((one) => one.kind === 'user' && one.life === 'live');
  if (people.length === 0) return [];
  const isInScope = await readScopeFacts(tx, opens, people);
  const spokenFor = await spokenForBy(
    tx,
    people.map((one) => one.id),
  );
  const accounts = await readAccounts(
    tx,
    people.flatMap(({ id }) => opens.map((open) => ({ targetId: open.target.id, subjectId: id }))),
  );
  const accountAt = new Map(accounts.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  const raises: Raise[] = [];
  for (const { subjectId, spId } of moved) {
    const subject = subjects.get(subjectId);
    if (subject?.kind !== 'user' || subject.life !== 'live') continue;
    const sps = spokenFor.get(subjectId) ?? [];
    for (const open of opens) {
      const targetId = open.target.id;
      if (!followsChange(book, targetId, spId)) continue;
      const account = accountAt.get(`${targetId} ${subjectId}`);
      if (!scopeReadsGroups(open) && (!account || (isSettled(account) && account.state !== 'withheld'))) continue;
      const inScope = isInScope(open, subject);
      const letInBy = inScope ? sps.find((one) => book.isBound(targetId, [one]))?.spId : undefined;
      if (account ? agrees(account, inScope) : letInBy === undefined) continue;
      raises.push({
        targetId,
        subjectId,
        kind: 'user',
        urgency: inScope ? urgency.creation : urgency.removal,
        spId: account?.sp_id ?? letInBy!,
        makes: letInBy !== undefined,
      });
    }
  }
  return raises;
}

/**
 * Whether an account already is what the scope says, so that nobody has to go. One that is leased, due or at rest for
 * another reason is not: its attempt may have looked before.
 */
function agrees(account: AccountRow, inScope: boolean): boolean {
  if (!isSettled(account)) return false;
  // Only a binding wakes those.
  if (account.state === 'unbound') return true;
  return inScope
    ? account.state === 'done' && account.remote_id !== null
    : account.state === 'disabled' || account.state === 'kept';
}

function isSettled(account: AccountRow): boolean {
  return account.wanted <= account.done && account.lease_attempt === null;
}
