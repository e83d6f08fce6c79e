import { readSubjects, type Subject, spokenForBy } from '../directory/subjects.ts';
import { applyMapping } from '../mapping/apply.ts';
import { differenceOf } from '../mapping/difference.ts';
import type { Attributes, Json } from '../mapping/rows.ts';
import type { ProvisioningOperation } from '../rules/provisioning-request.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reading } from '../store/store.ts';
import { readAccounts } from './accounts.ts';
import { openRules, type RuleAnswer } from './ask-rules.ts';
import { isAdopted, wishFor } from './claim.ts';
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
  return (await previewAccounts(reading, book, open, [account]))[0]!.preview;
}

/** What an attempt at each would do, in their order; `subject` is undefined when it is not known any more. */
export type Previewed = {
  account: AccountRow;
  subject: Subject | undefined;
  wish: 'present' | 'absent' | 'rest';
  preview: Preview;
  /** What the rules say of some operation now; undefined when none is asked. */
  ask(operation: ProvisioningOperation): RuleAnswer | undefined;
};

/** Of accounts of one target, in as many statements as for one. */
export async function previewAccounts(
  reading: Reading,
  book: TargetBook,
  open: OpenTarget,
  accounts: readonly AccountRow[],
): Promise<Previewed[]> {
  const ids = accounts.map((account) => account.subject_id);
  const subjects = await readSubjects(reading, ids);
  const spokenFor = await spokenForBy(reading, ids);
  const isInScope = await readScopeFacts(reading, [open], subjects.values());
  const rules = await openRules(reading, book, open, accounts, { subjects, spokenFor });
  const wishes = accounts.map((account) => {
    const subject = subjects.get(account.subject_id);
    const wish = wishFor(book, open, subject, spokenFor.get(account.subject_id) ?? [], isInScope);
    return { account, subject, wish, isOurs: !keepsMembersOnly({ account, open }) };
  });
  const mapped = await mapSubjects(
    reading,
    open,
    wishes.flatMap(({ subject, wish, isOurs }) => (subject && wish === 'present' && isOurs ? [subject] : [])),
  );
  return wishes.map(({ account, subject, wish, isOurs }) => {
    const own = mapped.get(account.subject_id);
    const preview = compare(open, { account, wish, isOurs }, own);
    const question = asked[preview.operation];
    const ask = (operation: ProvisioningOperation) => rules.get(account.subject_id)?.ask(operation, reading.now);
    return { account, subject, wish, preview: { ...preview, rule: (question && ask(question)) ?? null }, ask };
  });
}

type Mapped = ReturnType<typeof applyMapping>;

function compare(
  open: OpenTarget,
  one: { account: AccountRow; wish: Previewed['wish']; isOurs: boolean },
  mapped: Mapped | undefined,
): Omit<Preview, 'rule'> {
  const { account, wish, isOurs } = one;
  const known = account.acked === null ? {} : (JSON.parse(account.acked) as Attributes);
  const attributes: Attributes = { ...mapped?.attributes };
  // An account that was found switched off is not switched on by us (rule 16).
  if (account.origin === 'adopted-inactive' && attributes['active'] === true) attributes['active'] = false;
  const { set, unset } = differenceOf(
    attributes,
    known,
    mapped ? managed(open, account, { ...attributes, ...known }) : [],
  );
  const changes = Object.keys(set).length + unset.length > 0;
  const operation = operationFor(wish, account, { changes, isMade: !mustExist({ account, open }), isOurs });
  return {
    operation,
    mapping: Object.entries(attributes).map(([to, value]) => {
      return { to, from: mapped!.sources[to]!, value };
    }),
    set: operation === 'create' ? Object.keys(attributes) : Object.keys(set),
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

/** Everything the mapping knows; of an account that we adopted what it says something about, or said (`deliver.ts`). */
function managed(open: OpenTarget, account: AccountRow, said: Attributes): string[] {
  const paths = [...new Set(open.rows.filter((row) => row.kind === account.kind).map((row) => row.to))];
  return isAdopted(account) ? paths.filter((to) => to in said) : paths;
}

async function mapSubjects(
  reading: Reading,
  open: OpenTarget,
  subjects: readonly Subject[],
): Promise<Map<string, Mapped>> {
  const sources = subjects.map((subject) => ({
    id: subject.id,
    kind: subject.kind,
    name: open.connector.writeName(subject.domain, subject.name),
    attributes: subject.attributes as Record<string, Json>,
  }));
  const named = sources.flatMap((source) => applyMapping(open.rows, source, () => undefined).references);
  const accounts = await readAccounts(
    reading,
    [...new Set(named)].map((subjectId) => ({ targetId: open.target.id, subjectId })),
  );
  const remoteIds = new Map(accounts.map((one) => [one.subject_id, one.remote_id ?? undefined]));
  return new Map(sources.map((source) => [source.id, applyMapping(open.rows, source, (id) => remoteIds.get(id))]));
}
