import { Problem } from '../../base/problem.ts';
import type { AccountAnswer, DecisionAnswer } from '../../contract/account.ts';
import { type Decision, readLeaves } from '../../provisioning/decisions.ts';
import { readAccount } from '../../provisioning/inspect.ts';
import { readTarget } from '../../provisioning/targets.ts';
import type { AccountRow } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { type Names, readNames } from './names.ts';
import { showTime } from './query.ts';
import { findSubjectId } from './subjects.ts';

export async function showAccounts(reading: Reading, rows: readonly AccountRow[]): Promise<AccountAnswer[]> {
  const leaves = await readLeaves(reading, rows);
  const names = await readNames(
    reading,
    rows.flatMap((row) => [row.subject_id, row.wait_on]),
  );
  return rows.map((row) => show(row, names, row.decision === null ? undefined : leaves.get(row.decision)));
}

export async function showAccount(reading: Reading, row: AccountRow): Promise<AccountAnswer> {
  return (await showAccounts(reading, [row]))[0]!;
}

/** Target and subject by id or name. Throws Problem `notFound`. */
export async function readOneAccount(reading: Reading, target: string, subject: string): Promise<AccountRow> {
  const { id: targetId, name } = await readTarget(reading, target);
  const subjectId = await findSubjectId(reading, subject);
  const row = subjectId === undefined ? undefined : await readAccount(reading, { targetId, subjectId });
  if (!row) throw new Problem('notFound', `${subject} has no account at ${name}`);
  return row;
}

export function showDecision(decision: Decision): DecisionAnswer {
  return {
    what: decision.what,
    remoteId: decision.remote_id,
    remoteName: decision.remote_name,
    note: decision.note,
    by: decision.actor,
    at: showTime(decision.at),
    ended: decision.ended,
    endedAt: decision.ended_at === null ? null : showTime(decision.ended_at),
    endedWhy: decision.why,
  };
}

function show(row: AccountRow, names: Names, left: Decision | undefined): AccountAnswer {
  return {
    targetId: row.target_id,
    target: names.target(row.target_id),
    subject: { ...names.subject(row.subject_id), kind: row.kind },
    state: row.state,
    reason: row.reason,
    due: row.wanted > row.done,
    dueAt: row.due_at === null ? null : showTime(row.due_at),
    remoteId: row.remote_id,
    origin: row.origin,
    inDoubt: row.doubt !== null,
    tries: row.tries,
    waitsFor: row.wait_on === null ? null : names.subject(row.wait_on),
    withheldOperation: row.withheld_operation,
    passwordDue: row.pw_seq !== null,
    passwordNote: row.pw_note,
    serviceProvider: names.serviceProvider(row.sp_id),
    left: left ? { by: left.actor, at: showTime(left.at), note: left.note } : null,
  };
}
