import type { Tx } from '../store/store.ts';
import { setRegimes } from './accounts.ts';
import { requestDescents } from './descents.ts';
import { lookAfterSwitch, modeOf, presentMode, type Regime, regimeAfter } from './group-modes.ts';
import type { TargetBook } from './target-book.ts';
import { relinkMembers } from './wakes.ts';

type GroupKey = { targetId: number; groupId: string };

/** Groups whose accounts came into being: all their members are still to be said, by the mode of the target. Only for the planner. */
export async function beginGroups(tx: Tx, book: TargetBook, groups: readonly GroupKey[]): Promise<void> {
  const fresh = groups.map((key) => ({ ...key, regime: modeAt(book, key.targetId) }));
  await setRegimes(tx, fresh);
  await relinkMembers(tx, fresh);
}

/**
 * Brings groups to the mode that their target has by now, if they are not: whoever they differ in is looked at again.
 * A group is safe from an earlier mode only with its regime, so both are one transaction. Only for the planner.
 */
export async function switchModes(
  tx: Tx,
  book: TargetBook,
  groups: readonly (GroupKey & { regime: Regime })[],
): Promise<void> {
  const behind = groups.filter((one) => presentMode(one.regime) !== modeAt(book, one.targetId));
  await setRegimes(
    tx,
    behind.map(({ targetId, groupId, regime }) => {
      return { targetId, groupId, regime: regimeAfter(regime, modeAt(book, targetId)) };
    }),
  );
  const walks = behind.flatMap(({ targetId, groupId, regime }) => {
    const why = lookAfterSwitch(presentMode(regime), modeAt(book, targetId));
    return why ? [{ groupId, spId: 0, why, topId: groupId, targetId } as const] : [];
  });
  await requestDescents(tx, walks);
}

function modeAt(book: TargetBook, targetId: number): string {
  return modeOf(book.targets.get(targetId)!.target.policy);
}
