import { Problem } from '../../base/problem.ts';
import type { AccountFilter } from '../../provisioning/inspect.ts';
import { readTarget } from '../../provisioning/targets.ts';
import type { AccountState } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { readCursor, readOneOf } from './query.ts';
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
export const accountChoice = ['target', 'state', 'kind', 'subject', 'due', 'left', 'remoteId', 'after', 'limit'];

export async function readChoice(reading: Reading, query: Record<string, string | undefined>): Promise<AccountFilter> {
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

export function readAfter(text: string | undefined): { targetId: number; subjectId: string } | undefined {
  const cursor = readCursor(text);
  if (!cursor) return undefined;
  const [targetId, subjectId] = cursor;
  if (typeof targetId !== 'number' || typeof subjectId !== 'string') {
    throw new Problem('invalidValue', 'after must be the next of the page before', { field: 'after' });
  }
  return { targetId, subjectId };
}
