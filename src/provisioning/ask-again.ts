import { sql } from 'kysely';
import { urgency } from '../directory/changes.ts';
import { readWholeSubjects } from '../directory/forwarded-bodies.ts';
import { spokenForBy } from '../directory/subjects.ts';
import type { ProvisioningOperation } from '../rules/provisioning-request.ts';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Tx } from '../store/store.ts';
import { postponeAsking, type Raise, raiseAccounts } from './accounts.ts';
import { openRules } from './ask-rules.ts';
import { carryLeaves } from './decisions.ts';
import { askEveryMs } from './schedule.ts';
import type { TargetBook } from './target-book.ts';

const selectAsking = prepare<{ now: number; limit: number }, AccountRow>(
  (_, p) => sql<AccountRow>`
    select * from accounts
    where ask_at is not null and ask_at <= ${p.now} and state in ('withheld', 'parked') and wanted <= done
    order by ask_at limit ${p.limit}`,
);

/**
 * Asks rules that looked at the clock again (engine rule 22), for up to `limit` of the accounts they withhold. Whoever is
 * let through by now, or cannot be decided any more, is due; nothing is written down of an answer that stays a no.
 * Groups that were not at the target are due once more, to be looked for (`existing-groups.ts`).
 * Answers how many it asked for. Only for the planner.
 */
export async function askAgain(tx: Tx, book: TargetBook, limit: number): Promise<number> {
  const accounts = await tx.run(selectAsking, { now: tx.now, limit });
  if (accounts.length === 0) return 0;
  const ids = accounts.map((account) => account.subject_id);
  const known = { subjects: await readWholeSubjects(tx, book.key, ids), spokenFor: await spokenForBy(tx, ids) };
  const raises: Raise[] = [];
  const still: { targetId: number; subjectId: string }[] = [];
  for (const targetId of new Set(accounts.map((account) => account.target_id))) {
    const here = accounts.filter((account) => account.target_id === targetId);
    const open = book.targets.get(targetId);
    const rules = open && (await openRules(tx, book, open, here, known));
    for (const account of here) {
      if (account.state === 'parked') {
        still.push({ targetId, subjectId: account.subject_id });
        raises.push(raiseOf(account, urgency.creation));
        continue;
      }
      const { subject_id: subjectId } = account;
      const operation = account.withheld_operation as ProvisioningOperation;
      const answer = rules?.get(subjectId)?.ask(operation, tx.now);
      if (open === undefined || answer?.action === 'withhold') still.push({ targetId, subjectId });
      else raises.push(raiseOf(account, operation === 'DELETE' ? urgency.removal : urgency.creation));
    }
  }
  await carryLeaves(
    tx,
    accounts.filter((account) => account.state === 'parked'),
  );
  await raiseAccounts(tx, raises);
  await postponeAsking(tx, still, tx.now + askEveryMs);
  return accounts.length;
}

function raiseOf(account: AccountRow, urgency: number): Raise {
  const { target_id: targetId, subject_id: subjectId, kind, sp_id: spId } = account;
  return { targetId, subjectId, kind, spId, urgency, makes: false };
}
