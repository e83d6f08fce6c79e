import { Problem } from '../../base/problem.ts';
import { listAccountsOfCause } from '../../provisioning/causes.ts';
import { type AccountFilter, listAccounts } from '../../provisioning/inspect.ts';
import { readTarget } from '../../provisioning/targets.ts';
import type { AccountRow, AccountState } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { readCursor, readOneOf, writeCursor } from './query.ts';
import { findSubjectId } from './subjects.ts';

const states = [
  'due',
  'done',
  'waiting',
  'parked',
  'withheld',
  'disabled',
  'kept',
  'unbound',
] as const satisfies readonly AccountState[];
const kinds = ['user', 'group'] as const;

/** Parameters by which accounts are chosen, for a list and for a retry alike. */
export const accountChoice = [
  'target',
  'state',
  'kind',
  'subject',
  'due',
  'left',
  'remoteId',
  'cause',
  'after',
  'limit',
];

export type ChosenPage = { rows: AccountRow[]; next: string | null };

/** A page of the accounts that a request chooses, and the cursor to go on with. */
export async function listChosen(
  reading: Reading,
  query: Record<string, string | undefined>,
  limit: number,
): Promise<ChosenPage> {
  const after = readAfter(query.after);
  if (query.cause !== undefined) return listOfCause(reading, query, after?.subjectId, limit);
  const filter = await readChoice(reading, query);
  const rows = await listAccounts(reading, filter, { limit: limit + 1, ...(after ? { after } : {}) });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > limit && last ? writeCursor([last.target_id, last.subject_id]) : null };
}

async function listOfCause(
  reading: Reading,
  { target, cause, after: _, limit: __, ...rest }: Record<string, string | undefined>,
  after: string | undefined,
  limit: number,
): Promise<ChosenPage> {
  if (target === undefined || Object.values(rest).some((value) => value !== undefined)) {
    throw new Problem('invalidValue', 'cause goes with target, and with nothing else', { field: 'cause' });
  }
  const { id: targetId } = await readTarget(reading, target);
  const page = { limit, ...(after === undefined ? {} : { after }) };
  const { rows, next } = await listAccountsOfCause(reading, { targetId, key: cause! }, page);
  return { rows, next: next === null ? null : writeCursor([targetId, next]) };
}

async function readChoice(reading: Reading, query: Record<string, string | undefined>): Promise<AccountFilter> {
  const filter: AccountFilter = {};
  if (query.target !== undefined) filter.targetId = (await readTarget(reading, query.target)).id;
  if (query.subject !== undefined) {
    const id = await findSubjectId(reading, query.subject);
    if (id === undefined) throw new Problem('notFound', `there is no user or group ${query.subject}`);
    filter.subjectId = id;
  }
  if (query.state !== undefined) {
    filter.states = query.state.split(',').map((state) => readOneOf(state, 'state', states)!);
  }
  const kind = readOneOf(query.kind, 'kind', kinds);
  if (kind) filter.kind = kind;
  const due = readOneOf(query.due, 'due', ['true', 'false']);
  if (due) filter.due = due === 'true';
  const left = readOneOf(query.left, 'left', ['true', 'false']);
  if (left) filter.left = left === 'true';
  if (query.remoteId !== undefined) filter.remoteId = query.remoteId;
  return filter;
}

function readAfter(text: string | undefined): { targetId: number; subjectId: string } | undefined {
  const cursor = readCursor(text);
  if (!cursor) return undefined;
  const [targetId, subjectId] = cursor;
  if (typeof targetId !== 'number' || typeof subjectId !== 'string') {
    throw new Problem('invalidValue', 'after must be the next of the page before', { field: 'after' });
  }
  return { targetId, subjectId };
}
