import { readSubjects, type Subject, spokenForBy } from '../directory/subjects.ts';
import { applyMapping } from '../mapping/apply.ts';
import { differenceOf } from '../mapping/difference.ts';
import type { Attributes, Json } from '../mapping/rows.ts';
import type { ProvisioningOperation } from '../rules/provisioning-request.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reading } from '../store/store.ts';
import { readAccounts } from './accounts.ts';
import { openRules, type RuleAnswer } from './ask-rules.ts';
import { wishFor } from './claim.ts';
import { keepsMembersOnly, mustExist } from './group-modes.ts';
import { readScopeFacts } from './scope.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';

/** What an attempt at one account would do now, as far as it can be told without asking the target. */
export type Preview = {
  /**
   * `find`: a group that must be at the target already is looked for there, and none is made. `none`: nobody lets it in,
   * so nothing is sent and nothing removed.
   */
  operation: 'create' | 'find' | 'update' | 'remove' | 'nothing' | 'none';
  /** Null: no binding of its service providers has rules on, or there is nothing to ask about. */
  rule: RuleAnswer | null;
  /** What the mapping makes of the subject; `from` names the source. Empty for a removal. */
  mapping: { to: string; from: string; value: Json }[];
  /** Paths that differ from what the target last acknowledged: to be set, and to be cleared. */
  set: string[];
  unset: string[];
};

const asked: Partial<Record<Preview['operation'], ProvisioningOperation>> = {
  create: 'POST',
  update: 'PUT',
  remove: 'DELETE',
};

/** Read only: nothing is claimed, nothing sent. Passwords and memberships are not part of it. */
export async function previewAccount(
  reading: Reading,
  book: TargetBook,
  open: OpenTarget,
  account: AccountRow,
): Promise<Preview> {
  const ids = [account.subject_id];
  const subjects = await readSubjects(reading, ids);
  const spokenFor = await spokenForBy(reading, ids);
  const subject = subjects.get(account.subject_id);
  const isInScope = await readScopeFacts(reading, [open], subjects.values());
  const wish = wishFor(book, open, subject, spokenFor.get(account.subject_id) ?? [], isInScope);
  const isOurs = !keepsMembersOnly({ account, open });
  const mapped = wish === 'present' && subject && isOurs ? await mapSubject(reading, open, subject) : undefined;
  const known = account.acked === null ? {} : (JSON.parse(account.acked) as Attributes);
  // An account that was found switched off is not switched on by us (rule 16).
  if (mapped && account.origin === 'adopted-inactive' && mapped.attributes['active'] === true) {
    mapped.attributes['active'] = false;
  }
  const { set, unset } = differenceOf(
    mapped?.attributes ?? {},
    known,
    mapped ? managed(open, account.kind, known) : [],
  );
  const changes = Object.keys(set).length + unset.length > 0;
  const operation = operationFor(wish, account, { changes, isMade: !mustExist({ account, open }), isOurs });
  const rules = (await openRules(reading, book, open, [account], { subjects, spokenFor })).get(account.subject_id);
  const question = asked[operation];
  return {
    operation,
    rule: rules && question ? rules.ask(question, reading.now) : null,
    mapping: Object.entries(mapped?.attributes ?? {}).map(([to, value]) => {
      return { to, from: mapped!.sources[to]!, value };
    }),
    set: operation === 'create' ? Object.keys(mapped?.attributes ?? {}) : Object.keys(set),
    unset,
  };
}

function operationFor(
  wish: 'present' | 'absent' | 'rest',
  { remote_id: remoteId }: AccountRow,
  { changes, isMade, isOurs }: { changes: boolean; isMade: boolean; isOurs: boolean },
): Preview['operation'] {
  if (wish === 'rest') return 'none';
  if (wish === 'absent') return remoteId === null || !isOurs ? 'nothing' : 'remove';
  if (remoteId === null) return isMade ? 'create' : 'find';
  return changes ? 'update' : 'nothing';
}

/** What the mapping decides and the target was heard to hold: the rest is not ours to clear. */
function managed(open: OpenTarget, kind: AccountRow['kind'], known: Attributes): string[] {
  return [...new Set(open.rows.filter((row) => row.kind === kind).map((row) => row.to))].filter((to) => to in known);
}

async function mapSubject(reading: Reading, open: OpenTarget, subject: Subject) {
  const source = {
    id: subject.id,
    kind: subject.kind,
    name: open.connector.writeName(subject.domain, subject.name),
    attributes: subject.attributes as Record<string, Json>,
  };
  const { references } = applyMapping(open.rows, source, () => undefined);
  const accounts = await readAccounts(
    reading,
    references.map((subjectId) => ({ targetId: open.target.id, subjectId })),
  );
  const remoteIds = new Map(accounts.map((one) => [one.subject_id, one.remote_id ?? undefined]));
  return applyMapping(open.rows, source, (id) => remoteIds.get(id));
}
