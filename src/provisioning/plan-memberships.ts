import { readAncestry } from '../directory/ancestry.ts';
import type { Change } from '../directory/changes.ts';
import { areMembers } from '../directory/memberships.ts';
import { readSubjects } from '../directory/subjects.ts';
import type { Tx } from '../store/store.ts';
import { type Raise, readAccounts } from './accounts.ts';
import { requestDescents } from './descents.ts';
import { everNested } from './group-modes.ts';
import { planLinks } from './links.ts';
import { isNestedOtherwise, opAfterMove, sayOf } from './nested-groups.ts';
import { followsChange, type TargetBook } from './target-book.ts';

type Moved = { groupId: string; memberId: string; spId: number };

/**
 * Notes memberships that changed, at every target where the group has (or just got) an account. `raises`: what the same
 * changes made due; `made`: which of these accounts came into being, as `<target> <subject>`.
 */
export async function planMemberships(
  tx: Tx,
  book: TargetBook,
  changes: readonly Change[],
  raises: readonly Raise[],
  made: ReadonlySet<string>,
): Promise<void> {
  const moved = changes.flatMap((change) =>
    change.otherId === null ? [] : [{ groupId: change.subjectId, memberId: change.otherId, spId: change.spId }],
  );
  if (moved.length === 0) return;
  const members = await areMembers(tx, moved);
  const targetsOf = new Map<string, Set<number>>();
  for (const one of raises) {
    // A group that was made in this step has all its members noted already.
    if (made.has(`${one.targetId} ${one.subjectId}`)) continue;
    if (book.targets.get(one.targetId)?.target.nestedOtherwise) continue;
    targetsOf.set(one.subjectId, (targetsOf.get(one.subjectId) ?? new Set()).add(one.targetId));
  }
  await planLinks(
    tx,
    moved.flatMap(({ groupId, memberId }) =>
      [...(targetsOf.get(groupId) ?? [])].map((targetId) => ({
        targetId,
        groupId,
        memberId,
        op: members.has(`${groupId} ${memberId}`) ? ('add' as const) : ('remove' as const),
      })),
    ),
  );
  if (isNestedOtherwise(book)) await planNested(tx, book, moved, made);
}

/** The same where groups in groups are not simply named: in the group and in those above it. */
async function planNested(tx: Tx, book: TargetBook, moved: readonly Moved[], made: ReadonlySet<string>): Promise<void> {
  const subjects = await readSubjects(tx, [...new Set(moved.map((one) => one.memberId))]);
  const kindOf = (id: string) => subjects.get(id)?.kind ?? 'user';
  const ancestry = await readAncestry(
    tx,
    moved.flatMap((one) => [one.groupId, one.memberId]),
  );
  const opens = [...book.targets.values()].filter((open) => open.target.nestedOtherwise);
  const keysOf = ({ groupId, spId }: Moved) =>
    opens
      .filter((open) => followsChange(book, open.target.id, spId))
      .flatMap((open) =>
        [...new Set([groupId, ...ancestry.mayHaveAbove(groupId)])].map((id) => ({
          targetId: open.target.id,
          subjectId: id,
        })),
      )
      .filter(({ targetId, subjectId }) => !made.has(`${targetId} ${subjectId}`));
  const keys = new Map(moved.flatMap(keysOf).map((key) => [`${key.targetId} ${key.subjectId}`, key]));
  const rows = await readAccounts(tx, [...keys.values()]);
  const rowOf = new Map(rows.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  await sayOf(
    tx,
    moved.flatMap((one) =>
      keysOf(one).flatMap(({ targetId, subjectId }) => {
        const group = rowOf.get(`${targetId} ${subjectId}`);
        if (!group || (subjectId !== one.groupId && !everNested(group.regime, 'flatten'))) return [];
        const member = { id: one.memberId, kind: kindOf(one.memberId) };
        const op = opAfterMove(group, member, { holder: one.groupId, top: one.groupId }, ancestry);
        return op ? [{ group, memberId: one.memberId, op }] : [];
      }),
    ),
  );
  await requestDescents(
    tx,
    moved
      .filter((one) => kindOf(one.memberId) === 'group')
      .map(({ groupId, memberId, spId }) => ({ groupId: memberId, spId, why: 'edge' as const, topId: groupId })),
  );
}
