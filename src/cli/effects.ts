import type { EffectAnswer } from '../contract/target.ts';
import { showNumber } from './offers.ts';

/** What applying would do at one target. */
export type TargetEffect = EffectAnswer & { target: string };

/** In sentences, as the console says it of a save; the requests are those that can be told without asking the target. */
export function describeEffect(effect: TargetEffect): string {
  const { target, accounts, requests, removals, disables, withheld, memberships, passwords, about, waits } = effect;
  if (accounts === 0) return `Applying has nobody at ${target} looked at again, and sends nothing.`;
  const most = about ? 'about ' : '';
  const are = (count: number, what: string, done: string, hedge = most) =>
    count > 0 ? [`${capital(`${hedge}${countOf(count, what)}`)} ${count === 1 ? 'is' : 'are'} ${done}.`] : [];
  const looks = `Applying looks at ${countOf(accounts, 'account')} at ${target} again`;
  const sends = requests + memberships.added + memberships.removed + passwords > 0 || memberships.more;
  const least = memberships.more ? 'at least ' : '';
  return [
    requests > 0
      ? `${looks} and sends ${most}${countOf(requests, 'request')}.`
      : sends
        ? `${looks}.`
        : `${looks} and sends ${most}nothing.`,
    ...are(removals, 'account', 'removed there'),
    ...are(disables, 'account', 'switched off there'),
    ...are(memberships.added, 'membership', 'written there', least),
    ...are(memberships.removed, 'membership', 'taken out there', least),
    ...(memberships.more && memberships.added + memberships.removed === 0
      ? ['Memberships may be written or taken out there: there are too many groups to look at all of them.']
      : []),
    ...are(passwords, 'password', `sent${ofThem(effect)}`),
    ...(withheld > 0 ? [`Rules withhold ${most}${showNumber(withheld)} more.`] : []),
    ...(waits && sends ? ['That waits until something is sent there again.'] : []),
  ].join(' ');
}

function ofThem({ passwords, defaultPasswords }: EffectAnswer): string {
  if (defaultPasswords === 0) return '';
  if (defaultPasswords < passwords) return `, ${showNumber(defaultPasswords)} of them the Default Password`;
  return passwords === 1 ? ', the Default Password' : ', all of them the Default Password';
}

const countOf = (count: number, what: string) => `${showNumber(count)} ${what}${count === 1 ? '' : 's'}`;
const capital = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;
