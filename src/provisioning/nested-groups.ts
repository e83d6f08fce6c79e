import { type Ancestry, readAncestry } from '../directory/ancestry.ts';
import { urgency } from '../directory/changes.ts';
import type { AccountRow, DescentRow } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';
import { raiseAccounts, readAccounts } from './accounts.ts';
import { everNested, nestingOf, presentMode } from './group-modes.ts';
import { type MembershipToSay, planLinks } from './links.ts';
import { followsChange, type TargetBook } from './target-book.ts';

/**
 * Who is in a group at a target where groups in groups are not simply named (`nestedGroups: flatten | ignore`), and where
 * they once were not.
 *
 * **The choice.** Nothing counts by how many ways somebody is in a group, and nothing stores who is in it. Whenever a
 * membership may have come or gone, it is worked out again whether there is any way by now, from the person upwards
 * (`readAncestry`: the cost follows how many groups a person is in, not how large those are), and noted as a link to add
 * or to remove. It is level, not edge (engine rule 1): notes may be made twice, late, or in another order than the
 * changes, and there is no count that a crash or a circle of groups could put out of step. The price is that somebody who
 * comes by a second way is said once more, which a target takes as nothing new.
 *
 * **Where it is looked.** One person came to or left a group: at once, in that group and those above it. A group came to
 * or left a group: at everybody in it, page by page, by a descent (`descents.ts`).
 *
 * **No revocation is lost.** Somebody leaves a group, the group leaves another, and each is planned when the other has
 * happened: then neither would find the way that is gone. So a group goes on counting as being in the group it left, for
 * finding where to look, until everything was followed to its end (`former_members`); whether somebody is in a group is
 * answered from what is so now.
 *
 * **When the mode changes.** Which mode holds for a group is written on its account (`group-modes.ts`), not read from the
 * policy: whatever was said under an earlier mode is taken back by whatever ends it, the wave's look at everybody (`mode`)
 * or a change.
 */

/** A group at a target, as it is kept there. */
export type Concerned = Pick<AccountRow, 'target_id' | 'subject_id' | 'sp_id' | 'regime'>;

/** Whether groups in groups are, or ever were, anything but named at one of the targets. */
export function isNestedOtherwise(book: TargetBook): boolean {
  return [...book.targets.values()].some((open) => open.target.nestedOtherwise);
}

/** Whether `member` is in the group at the target, by the mode the group is kept in. */
function isIn(group: Concerned, member: { id: string; kind: 'user' | 'group' }, ancestry: Ancestry): boolean {
  const direct = ancestry.parents(member.id).has(group.subject_id);
  const nesting = nestingOf(presentMode(group.regime));
  if (member.kind === 'group') return nesting === 'native' && direct;
  return nesting === 'flatten' ? ancestry.above(member.id).has(group.subject_id) : direct;
}

/** Whether it may have been said at some time that a member that is not there by itself is in the group. */
function mayBeSaid(group: Concerned, member: { kind: 'user' | 'group' }, direct: boolean): boolean {
  return member.kind === 'group'
    ? direct && everNested(group.regime, 'native')
    : direct || everNested(group.regime, 'flatten');
}

/**
 * What to say of a member of `holder`, when `holder` (or a group it is in) came to or left `top`: to remove it wherever
 * it is in by no way any more; to add it only if the way over `top` is one, since every other way has a change of its own.
 */
export function opAfterMove(
  group: Concerned,
  member: { id: string; kind: 'user' | 'group' },
  way: { holder: string; top: string },
  ancestry: Ancestry,
): MembershipToSay['op'] | undefined {
  const { holder, top } = way;
  const direct = group.subject_id === holder && holder === top;
  if (!isIn(group, member, ancestry)) return mayBeSaid(group, member, direct) ? 'remove' : undefined;
  const leads =
    ancestry.parents(member.id).has(holder) &&
    (holder === top || ancestry.above(holder).has(top)) &&
    (group.subject_id === top || ancestry.above(top).has(group.subject_id));
  return leads ? 'add' : undefined;
}

/** What to say of a member of `holder`, a group in `group` or that itself, when everybody in `group` is looked at. */
function opOfAll(
  group: Concerned,
  member: { id: string; kind: 'user' | 'group' },
  walk: { holder: string; why: 'whole' | 'mode' },
  ancestry: Ancestry,
): MembershipToSay['op'] | undefined {
  const direct = walk.holder === group.subject_id;
  if (member.kind === 'group' && !direct) return undefined;
  if (!isIn(group, member, ancestry)) return mayBeSaid(group, member, direct) ? 'remove' : undefined;
  const parents = ancestry.parents(member.id);
  const isDirect = parents.has(group.subject_id);
  // Users who are in it by themselves are in it in every mode.
  if (walk.why === 'mode' && member.kind === 'user' && isDirect) return undefined;
  // Who is met in several groups is said in one of them.
  const ways = [...parents].filter((id) => id === group.subject_id || ancestry.above(id).has(group.subject_id));
  const first = isDirect ? group.subject_id : ways.sort()[0];
  return first === walk.holder ? 'add' : undefined;
}

/** The groups at targets whose members a descent looks at. */
export async function findConcerned(
  tx: Tx,
  book: TargetBook,
  walks: readonly DescentRow[],
): Promise<Map<DescentRow, Concerned[]>> {
  const edges = walks.filter((walk) => walk.why === 'edge');
  const ancestry = await readAncestry(
    tx,
    edges.map((walk) => walk.top_id),
  );
  const opens = [...book.targets.values()].filter((open) => open.target.nestedOtherwise);
  const keysOf = (walk: DescentRow) => {
    if (walk.why !== 'edge') return [{ targetId: walk.target_id, subjectId: walk.top_id }];
    const groups = new Set([walk.top_id, ...ancestry.mayHaveAbove(walk.top_id)]);
    return opens
      .filter((open) => followsChange(book, open.target.id, walk.sp_id))
      .flatMap((open) => [...groups].map((subjectId) => ({ targetId: open.target.id, subjectId })));
  };
  const rows = await readAccounts(tx, uniqueKeys(walks.flatMap(keysOf)));
  const rowOf = new Map(rows.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  return new Map(
    walks.map((walk) => [
      walk,
      keysOf(walk)
        .flatMap(({ targetId, subjectId }) => rowOf.get(`${targetId} ${subjectId}`) ?? [])
        .filter((row) => walk.why !== 'edge' || everNested(row.regime, 'flatten')),
    ]),
  );
}

/** A piece of a descent: members of `walk.group_id`. */
export type Page = { walk: DescentRow; concerned: readonly Concerned[]; members: readonly Member[] };
export type Member = { id: string; kind: 'user' | 'group' };

/** Notes what is to be said of these members, and makes the groups due. */
export async function lookAtMembers(tx: Tx, pages: readonly Page[]): Promise<void> {
  const busy = pages.filter((page) => page.concerned.length > 0 && page.members.length > 0);
  if (busy.length === 0) return;
  const ancestry = await readAncestry(
    tx,
    busy.flatMap(({ walk, members }) => [walk.group_id, walk.top_id, ...members.map((member) => member.id)]),
  );
  const said = busy.flatMap(({ walk, concerned, members }) =>
    concerned.flatMap((group) =>
      members.flatMap((member) => {
        const op =
          walk.why === 'edge'
            ? member.kind === 'user'
              ? opAfterMove(group, member, { holder: walk.group_id, top: walk.top_id }, ancestry)
              : undefined
            : opOfAll(group, member, { holder: walk.group_id, why: walk.why === 'whole' ? 'whole' : 'mode' }, ancestry);
        return op ? [{ group, memberId: member.id, op }] : [];
      }),
    ),
  );
  await sayOf(tx, said);
}

/** Notes memberships and makes their groups due. */
export async function sayOf(
  tx: Tx,
  said: readonly { group: Concerned; memberId: string; op: MembershipToSay['op'] }[],
): Promise<void> {
  await planLinks(
    tx,
    said.map(({ group, memberId, op }) => ({ targetId: group.target_id, groupId: group.subject_id, memberId, op })),
  );
  await raiseAccounts(
    tx,
    [...new Set(said.map((one) => one.group))].map((group) => ({
      targetId: group.target_id,
      subjectId: group.subject_id,
      kind: 'group',
      spId: group.sp_id,
      urgency: urgency.security,
      makes: false,
      unlessMissing: true,
    })),
  );
}

/** Of these subjects, at a target where they arrived or left, the groups that name them there. Each is still to be said. */
export async function listHolders(
  tx: Tx,
  book: TargetBook,
  moved: readonly (Member & { targetId: number })[],
): Promise<MembershipToSay[]> {
  const here = moved.filter(({ targetId }) => book.targets.get(targetId)?.target.nestedOtherwise);
  if (here.length === 0) return [];
  const ancestry = await readAncestry(
    tx,
    here.map((one) => one.id),
  );
  const rows = await readAccounts(
    tx,
    uniqueKeys(
      here.flatMap(({ id, targetId }) => [...ancestry.above(id)].map((subjectId) => ({ targetId, subjectId }))),
    ),
  );
  const rowOf = new Map(rows.map((row) => [`${row.target_id} ${row.subject_id}`, row]));
  return here.flatMap((member) =>
    [...ancestry.above(member.id)].flatMap((groupId) => {
      const group = rowOf.get(`${member.targetId} ${groupId}`);
      if (!group || !isIn(group, member, ancestry)) return [];
      return [{ targetId: member.targetId, groupId, memberId: member.id, op: 'add' as const }];
    }),
  );
}

function uniqueKeys(keys: readonly { targetId: number; subjectId: string }[]) {
  return [...new Map(keys.map((key) => [`${key.targetId} ${key.subjectId}`, key])).values()];
}
