import type { Newcomers, Offer } from '../contract/wave.ts';
import type { Output } from './output.ts';

/** `1,204 people and 40 groups`. */
export function describeNewcomers({ users, groups, more }: Newcomers): string {
  const parts = [
    ...(users > 0 || groups === 0 ? [`${showNumber(users)} ${users === 1 ? 'person' : 'people'}`] : []),
    ...(groups > 0 ? [`${showNumber(groups)} ${groups === 1 ? 'group' : 'groups'}`] : []),
  ];
  return `${more ? 'more than ' : ''}${parts.join(' and ')}`;
}

/** Beside the lines of a pipe, so that whoever reads those is not surprised. */
export function printOffer(out: Output, { target, missing }: Offer): void {
  if (out.json) return;
  const are = !missing.more && missing.users + missing.groups === 1 ? 'is' : 'are';
  const line = `${describeNewcomers(missing)} ${are} here and not at ${target}. Send them: purvey sync ${target}\n`;
  if (out.terminal) out.write(line);
  else process.stderr.write(line);
}

export function showNumber(count: number): string {
  return count.toLocaleString('en-US');
}
