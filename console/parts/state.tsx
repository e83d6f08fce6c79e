import type { AccountAnswer } from '../../src/contract/account.ts';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'teal' | 'blue' | 'orange' | 'grey' | 'red';
export type Look = { word: string; icon: IconName; tone: Tone; says: string };

/** One word, icon and colour for each state, wherever it is shown. */
const looks = {
  done: { word: 'done', icon: 'check', tone: 'teal', says: 'The target has it, and has confirmed it.' },
  due: { word: 'due', icon: 'clock', tone: 'blue', says: 'It is to be delivered, and will be.' },
  sending: { word: 'sending', icon: 'arrow', tone: 'blue', says: 'It is being delivered.' },
  waiting: { word: 'waiting', icon: 'hourglass', tone: 'blue', says: 'It waits for another account.' },
  through: { word: 'let through', icon: 'check', tone: 'teal', says: 'The rules let it through.' },
  withheld: { word: 'withheld', icon: 'hand', tone: 'grey', says: 'A rule does not let it through.' },
  parked: { word: 'parked', icon: 'pause', tone: 'orange', says: 'It is set aside until somebody looks.' },
  left: { word: 'left parked', icon: 'pause', tone: 'grey', says: 'Somebody looked, and left it set aside.' },
  behind: { word: 'behind', icon: 'hourglass', tone: 'orange', says: 'Deliveries wait longer than they should.' },
  paused: { word: 'paused', icon: 'pause', tone: 'orange', says: 'An operator holds it back.' },
  disabled: { word: 'disabled', icon: 'minus', tone: 'grey', says: 'The account there is switched off.' },
  kept: { word: 'kept', icon: 'minus', tone: 'grey', says: 'The account there is left as it was.' },
  removed: { word: 'removed', icon: 'minus', tone: 'grey', says: 'It is not there any more.' },
  unbound: { word: 'unbound', icon: 'minus', tone: 'grey', says: 'Nothing lets it in; nothing is sent.' },
  off: { word: 'switched off', icon: 'minus', tone: 'grey', says: 'Nothing is sent while it is.' },
  unsure: { word: 'in doubt', icon: 'warning', tone: 'orange', says: 'No believable answer came; it is found out.' },
} as const satisfies Record<string, Look>;

export function lookOf(state: string): Look {
  return (looks as Record<string, Look>)[state] ?? { word: state, icon: 'minus', tone: 'grey', says: state };
}

export function StateTag({ state }: { state: string }) {
  const { word, icon, tone, says } = lookOf(state);
  return (
    <span className={`state tone-${tone}`} title={says}>
      <Icon name={icon} size={14} />
      {word}
    </span>
  );
}

/** An account that is done in itself may have something new to be delivered. */
export const stateOf = (account: Pick<AccountAnswer, 'state' | 'due'> & Partial<Pick<AccountAnswer, 'left'>>) => {
  if (account.left) return 'left';
  return account.due && (account.state === 'done' || account.state === 'disabled') ? 'due' : account.state;
};

const outcomes: Record<string, Look> = {
  done: { word: 'done', icon: 'check', tone: 'teal', says: 'The target agrees.' },
  absent: { word: 'absent', icon: 'minus', tone: 'grey', says: 'The target does not know it.' },
  exists: { word: 'exists', icon: 'users', tone: 'orange', says: 'The name is taken there.' },
  refused: {
    word: 'refused',
    icon: 'pause',
    tone: 'orange',
    says: 'The target will not take it, however often asked.',
  },
  unavailable: { word: 'unavailable', icon: 'clock', tone: 'blue', says: 'Surely not applied; tried again later.' },
  unknown: { word: 'unknown', icon: 'warning', tone: 'orange', says: 'No believable answer; it is found out.' },
  withheld: { word: 'withheld', icon: 'hand', tone: 'grey', says: 'A rule said no.' },
};

export const outcomeNames = Object.keys(outcomes);

/** How an attempt ended; null while it is under way. */
export function OutcomeTag({ outcome }: { outcome: string | null }) {
  const look = outcome === null ? lookOf('sending') : (outcomes[outcome] ?? lookOf(outcome));
  return (
    <span className={`state tone-${look.tone}`} title={look.says}>
      <Icon name={look.icon} size={14} />
      {look.word}
    </span>
  );
}

export const lookOfOutcome = (outcome: string | null): Look =>
  outcome === null ? lookOf('sending') : (outcomes[outcome] ?? lookOf(outcome));
