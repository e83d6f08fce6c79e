import type { SubjectKind } from '../connectors/connector.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Nesting, TargetPolicy } from './policy.ts';

type OfAccount = { account: { kind: SubjectKind }; open: { target: { policy: Pick<TargetPolicy, 'groups'> } } };

/** Whether it is a group that has to be at the target already: Purvey makes none there (`existing-groups.ts`). */
export function mustExist({ account, open }: OfAccount): boolean {
  const { groups } = open.target.policy;
  return account.kind === 'group' && (groups === 'membership-only' || groups === 'link-existing');
}

/** Whether of this group no more is kept than who is in it: it is never made, changed or removed. */
export function keepsMembersOnly({ account, open }: OfAccount): boolean {
  return account.kind === 'group' && open.target.policy.groups === 'membership-only';
}

/**
 * By which modes the memberships of a group at a target were kept, the present one last: what was said under a mode of
 * before has to be taken back or said again under the next. The planner alone changes it, in the transaction that has
 * the group's members looked at again. So a policy that changes holds for a group from one moment on, and what was
 * said before it is taken back whenever it ends: also by changes that were made before and are planned after.
 *
 * A word for each mode: that of nested groups, and `+` behind it where only whom we put there is ever taken out.
 */
export type Regime = AccountRow['regime'];

/** The word for what a policy wants. */
export function modeOf({ groups, nestedGroups }: Pick<TargetPolicy, 'groups' | 'nestedGroups'>): string {
  return `${nestedGroups}${groups === 'membership-only' ? '+' : ''}`;
}

/** Accounts from before there were modes have no word. */
const first = 'native';

function modesOf(regime: Regime): string[] {
  return (regime ?? first).split(' ');
}

export function presentMode(regime: Regime): string {
  return modesOf(regime).at(-1)!;
}

/** How groups in groups are treated in a mode. */
export function nestingOf(mode: string): Nesting {
  return mode.replace('+', '') as Nesting;
}

/** Whether groups in groups were ever treated so. */
export function everNested(regime: Regime, nesting: Nesting): boolean {
  return modesOf(regime).some((mode) => nestingOf(mode) === nesting);
}

/** Whether only whom we put there is taken out. */
export function countsPlaced(mode: string): boolean {
  return mode.endsWith('+');
}

/** Who is looked at when a group is brought from one mode to another: all its members, or only those in whom the modes differ. */
export function lookAfterSwitch(before: string, after: string): 'whole' | 'mode' | undefined {
  // Whom we put there before it counted is said once more, and counts from then on.
  if (countsPlaced(after) && !countsPlaced(before)) return 'whole';
  return nestingOf(after) === nestingOf(before) ? undefined : 'mode';
}

/** The regime after a change to `mode`. Each mode is named once. */
export function regimeAfter(regime: Regime, mode: string): string {
  return [...modesOf(regime).filter((one) => one !== mode), mode].join(' ');
}
