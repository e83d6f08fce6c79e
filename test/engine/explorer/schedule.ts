import type { Fallback } from '../../../src/provisioning/bindings.ts';
import type { Nesting } from '../../../src/provisioning/policy.ts';
import {
  type Application,
  type Applications,
  applicationNames,
  type OwnBinding,
  ownBindings,
  type Speaker,
  speakers,
} from './let-in.ts';
import type { TargetTraits } from './memory-target.ts';
import { openRandom, type Random } from './random.ts';

/**
 * A schedule: who does what, in which order. Steps name people, groups, nodes and attempts by numbers that are taken
 * modulo what is there when the step runs, so that any part of a schedule is a schedule too.
 */
export type Schedule = { seed: number; setting: Setting; steps: Step[] };

export type Setting = {
  policy: Record<string, unknown>;
  traits: TargetTraits;
  /** Accounts that are at the target before us; where an operator is asked, a group as well. */
  strangers: number;
  nodes: number;
  /** How many changes one step of the planner takes; few of them make some planned long after others. */
  planSize: 'many' | 'one';
  /**
   * What becomes of the account of somebody who goes. Where it stays, its name stays taken, so there nobody gets a name
   * that somebody had.
   */
  leavers: 'deleted' | 'disabled';
  scope: ScopeName;
  /** How groups in groups are treated at first; default `native`. */
  nesting?: Nesting;
  /** Nobody is kept in the directory: everybody is only forwarded, and sent once more in the end. Default false. */
  forwarded?: boolean;
  /** People come by these applications too, by calls and by sign-ins. Default: by the resident service provider alone. */
  applications?: Applications;
  /** Whom we did not make is taken over on an operator's word only (`adopt: ask`). Default false: by its name. */
  asks?: boolean;
};

/** By an attribute alone, or besides by the groups that somebody is in, directly or through others. */
export type ScopeName = 'attribute' | 'staff only' | 'no board';

/** What becomes of a request on its way. */
export type Fate =
  | 'answered'
  /** It never arrives; the caller sees a broken connection. */
  | 'request lost'
  /** It is carried out, the answer gets lost. */
  | 'answer lost'
  /** The caller gives up; it is carried out later. */
  | 'late'
  | '401'
  | '404'
  | '409'
  | '429'
  | '500'
  | '500 but carried out'
  | '503'
  /** The process stands still between reading the clock and sending, however long; then it sends all the same. */
  | 'frozen'
  /** Somebody removes the resource just before. */
  | 'removed there';

/** What happens in the directory. `by`: for whom it is done; default the resident service provider. */
type Write = { by?: Speaker } & (
  | { do: 'create user'; name: number; out: boolean; manager: number; password?: boolean }
  | { do: 'rename user'; who: number; name: number }
  | { do: 'swap names'; who: number; other: number }
  /** Somebody gets another name, and somebody comes with the one that is free by it. */
  | { do: 'hand name over'; who: number; name: number }
  | { do: 'retitle'; who: number; title: number }
  | { do: 'set password'; who: number }
  | { do: 'move in or out of scope'; who: number }
  | { do: 'switch off or on'; who: number }
  | { do: 'change manager'; who: number; manager: number }
  | { do: 'delete user'; who: number }
  | { do: 'create group'; name: number; members: number[] }
  | { do: 'rename group'; who: number; name: number }
  | { do: 'delete group'; who: number }
  /** A negative member is a group. */
  | { do: 'add or remove member'; group: number; member: number }
);

export type Step =
  | Write
  | { do: 'narrow or widen scope' }
  | { do: 'unbind or bind' }
  | { do: 'bind application'; app: Application; own: OwnBinding }
  | { do: 'fall back or not'; app: Application }
  | { do: 'nest otherwise'; nesting: Nesting }
  | { do: 'sync' }
  /**
   * An operator says a word about one of those that are parked. `remote`: which resource is to be adopted, of all that
   * there are; -1: the one that it met.
   */
  | { do: 'decide'; which: number; what: 'adopt' | 'leave' | 'retry'; remote: number }
  /** Somebody else at the target: a stranger comes, goes or is renamed. */
  | { do: 'somebody there'; what: 'comes' | 'goes' | 'is renamed'; which: number }
  | { do: 'plan'; node: number }
  | { do: 'claim'; node: number; kinds: ('user' | 'group')[]; limit: number }
  | { do: 'go on'; attempt: number; fate: Fate }
  | { do: 'record'; node: number; count: number }
  | { do: 'pass'; ms: number; fates: number }
  | { do: 'crash'; node: number; fates: number }
  /** Everybody works, nothing goes wrong, until nothing is due. */
  | { do: 'rest' }
  | { do: 'together'; steps: Step[] };

export const userNames = ['ada', 'bob', 'cyd', 'dee', 'Ada', 'BOB'];
/**
 * The name of the account that may be there before us. People come with it, but nobody is renamed to it: such a rename
 * would rightly park (engine rule 15).
 */
export const strangerName = 'eve';
/** The same for groups. */
export const strangerGroup = 'guild';
export const groupNames = ['staff', 'board', 'Staff'];
export const scopeOfUsers = 'not (userType eq "outside")';
/** Each scope as a filter, and what it says of the names of somebody's groups, in small letters. */
export const scopes: Record<ScopeName, { filter: string; holds(groups: readonly string[]): boolean }> = {
  attribute: { filter: scopeOfUsers, holds: () => true },
  'staff only': {
    filter: `${scopeOfUsers} and groups.display sw "staff"`,
    holds: (groups) => groups.some((name) => name.startsWith('staff')),
  },
  'no board': {
    filter: `${scopeOfUsers} and not (groups[display sw "board" and value pr])`,
    holds: (groups) => !groups.some((name) => name.startsWith('board')),
  },
};
/** For a while only: at the end the scope is wide again, and a sync brings back whoever is missing. */
export const narrowed = (scope: string) => `${scope} and not (title eq "t1")`;
export const timeoutMs = 1_000;
/** Covers both how late a request may land after its timeout and how far the search lags behind. */
export const settleMs = 500;

const fates: readonly Fate[] = [
  'request lost',
  'answer lost',
  'answer lost',
  'late',
  'late',
  'late',
  '401',
  '404',
  '409',
  '429',
  '500',
  '500 but carried out',
  '503',
  'frozen',
  'frozen',
  'removed there',
];

/** The schedule of a seed. `concurrent`: some steps run at the same time, for databases with several writers. */
export function makeSchedule(seed: number, options: { concurrent: boolean }): Schedule {
  const random = openRandom(seed);
  const made = { ...makeSetting(random), ...makeNesting(seed) };
  // No scope can read the groups of somebody who is only forwarded. Not drawn, so that seeds mean what they meant.
  const setting = makeLater(seed, seed % forwardedEvery === forwardedEvery - 1 ? forward(made) : made);
  const steps: Step[] = [];
  let faults = random.pick([0, 1, 1, 2, 2, 3, 3, 4, 6]);
  // Somebody has to be there before anything can happen to them.
  // Somebody has to be parked before anything can be decided.
  if (setting.asks)
    steps.push(bySomebody(random, setting, { do: 'create user', name: userNames.length, out: false, manager: -1 }));
  for (let n = random.below(4); n >= 0; n--) steps.push(bySomebody(random, setting, makeUser(random, setting)));
  if (random.chance(0.5)) steps.push(bySomebody(random, setting, makeGroup(random, setting)));
  if (setting.asks || random.chance(0.5)) steps.push({ do: 'rest' });
  const length = 20 + random.below(50);
  while (steps.length < length) {
    if (options.concurrent && random.chance(0.1)) {
      const pair = [makeTransaction(random), random.chance(0.5) ? makeWrite(random, setting) : makeTransaction(random)];
      steps.push({ do: 'together', steps: pair });
      continue;
    }
    if (faults > 0 && random.chance(0.04)) {
      faults -= 1;
      steps.push({ do: 'crash', node: random.below(setting.nodes), fates: random.below(1_000) });
      continue;
    }
    const fate = (): Fate => {
      if (faults <= 0 || !random.chance(0.15)) return 'answered';
      faults -= 1;
      return random.pick(fates);
    };
    steps.push(random.chance(0.22) ? makeWrite(random, setting) : makeWork(random, fate));
  }
  // What a binding alone brings about shows where nobody is due by anything else.
  if (setting.applications && random.chance(0.4)) steps.push({ do: 'rest' }, makeBinding(random));
  return { seed, setting, steps };
}

const forwardedEvery = 4;

function forward(setting: Setting): Setting {
  const policy = { ...setting.policy, scopeUsers: scopeOfUsers };
  return { ...setting, policy, scope: 'attribute', forwarded: true };
}

/** Drawn apart, as the nesting is: applications that people come by, and an operator who is asked. */
function makeLater(seed: number, setting: Setting): Setting {
  const random = openRandom(seed ^ 0x51ed270b);
  const made = { ...setting };
  if (random.chance(0.35) && !setting.forwarded) {
    made.applications = {
      shop: { own: random.pick(['just in time', 'just in time', ...ownBindings]), fallback: makeFallback(random) },
      hr: { own: random.pick(['none', 'none', 'none', 'none', ...ownBindings]), fallback: makeFallback(random) },
    };
  }
  if (setting.leavers === 'deleted' && random.chance(0.35)) {
    made.asks = true;
    made.strangers = 1;
    made.policy = { ...setting.policy, adopt: 'ask' };
  }
  return made;
}

const makeFallback = (random: Random) => random.pick<Fallback>(['resident', 'resident', 'none']);

function makeSetting(random: Random): Setting {
  const scope = random.pick<ScopeName>(['attribute', 'attribute', 'attribute', 'staff only', 'no board']);
  const policy: Record<string, unknown> = {
    timeoutMs,
    settleMs,
    deprovisionAdopted: 'delete',
    scopeUsers: scopes[scope].filter,
  };
  if (random.chance(0.2)) policy['membersPerRequest'] = 1;
  const leavers = random.chance(0.15) ? 'disabled' : 'deleted';
  if (leavers === 'disabled') policy['deprovision'] = 'disable';
  return {
    policy,
    traits: {
      patch: random.chance(0.75),
      searchesExternalId: random.chance(0.75),
      lagMs: random.chance(0.3) ? settleMs / 2 : 0,
      membersPerRequest: random.pick([1, 2, 100, 100]),
      unknownMember: random.chance(0.5) ? 'refused' : 'left out',
    },
    strangers: leavers === 'deleted' && random.chance(0.3) ? 1 : 0,
    nodes: random.pick([1, 2, 2, 2]),
    planSize: random.chance(0.4) ? 'one' : 'many',
    leavers,
    scope,
  };
}

function makeUser(random: Random, { asks = false, applications }: Pick<Setting, 'asks' | 'applications'>): Write {
  return {
    do: 'create user',
    name: random.chance(asks ? 0.5 : 0.2) ? userNames.length : random.below(userNames.length),
    out: random.chance(applications ? 0.25 : 0.1),
    manager: random.chance(0.3) ? random.below(8) : -1,
    password: random.chance(0.3),
  };
}

function makeGroup(random: Random, { asks = false }: Pick<Setting, 'asks'>): Write {
  const members = Array.from({ length: random.below(4) }, () => random.below(8));
  return { do: 'create group', name: random.below(groupNames.length + (asks ? 2 : 0)), members };
}

/** Half of what happens where there are applications is done for one of them. */
function bySomebody(random: Random, { applications }: Setting, write: Write): Write {
  return applications && random.chance(0.5) ? { ...write, by: random.pick(speakers) } : write;
}

function makeBinding(random: Random): Step {
  if (random.chance(0.5)) return { do: 'fall back or not', app: random.chance(0.75) ? 'hr' : 'shop' };
  const app = random.pick(applicationNames);
  return { do: 'bind application', app, own: random.pick(['none', 'just in time', ...ownBindings]) };
}

function makeWord(random: Random): Step {
  const which = random.below(8);
  const roll = random.below(100);
  if (roll < 15) return { do: 'rest' };
  if (roll < 35) return { do: 'somebody there', what: random.pick(['comes', 'comes', 'goes', 'is renamed']), which };
  const what = random.pick(['adopt', 'adopt', 'adopt', 'leave', 'retry'] as const);
  return { do: 'decide', which, what, remote: random.chance(0.2) ? random.below(8) : -1 };
}

const administration: readonly Step[] = [
  { do: 'narrow or widen scope' },
  { do: 'narrow or widen scope' },
  { do: 'unbind or bind' },
  { do: 'sync' },
];

/** Drawn apart, so that what a seed meant before there was a nesting it still means. */
function makeNesting(seed: number): Pick<Setting, 'nesting'> {
  const random = openRandom(seed ^ 0x2c1b3c6d);
  return { nesting: random.pick<Nesting>(['native', 'native', 'native', 'flatten', 'flatten', 'ignore']) };
}

/** Where the scope asks for groups, or groups in groups are not simply named, more happens to them. */
function makeWrite(random: Random, setting: Setting): Step {
  const { scope, nesting = 'native' } = setting;
  if (setting.asks && random.chance(0.3)) return makeWord(random);
  if (setting.applications && random.chance(0.15)) {
    const by = random.pick(['shop sign-in', 'hr sign-in'] as const);
    return random.chance(0.5) ? makeBinding(random) : { do: 'move in or out of scope', who: random.below(8), by };
  }
  if (nesting !== 'native' && random.chance(0.05)) {
    return { do: 'nest otherwise', nesting: random.pick<Nesting>(['native', 'flatten', 'ignore']) };
  }
  if ((scope !== 'attribute' || nesting !== 'native') && random.chance(0.4)) {
    return bySomebody(random, setting, makeRegrouping(random, setting));
  }
  if (random.chance(0.06)) return random.pick<Step>([...administration]);
  return bySomebody(random, setting, makeChange(random, setting));
}

function makeChange(random: Random, setting: Setting): Write {
  const who = random.below(8);
  const roll = random.below(100);
  if (roll < 22) return makeUser(random, setting);
  if (roll < 34) return { do: 'rename user', who, name: random.below(userNames.length) };
  if (roll < 37) return { do: 'hand name over', who, name: random.below(userNames.length) };
  if (roll < 43) return { do: 'swap names', who, other: random.below(8) };
  if (roll < 46) return { do: 'retitle', who, title: random.below(3) };
  if (roll < 50) return { do: 'set password', who };
  if (roll < 55) return { do: 'move in or out of scope', who };
  if (roll < 58) return { do: 'switch off or on', who };
  if (roll < 62) return { do: 'change manager', who, manager: random.chance(0.3) ? -1 : random.below(8) };
  if (roll < 74) return { do: 'delete user', who };
  if (roll < 82) return makeGroup(random, setting);
  if (roll < 86) return { do: 'rename group', who, name: random.below(groupNames.length) };
  if (roll < 89) return { do: 'delete group', who };
  return { do: 'add or remove member', group: random.below(4), member: random.below(10) };
}

function makeRegrouping(random: Random, setting: Setting): Write {
  const who = random.below(8);
  const roll = random.below(100);
  if (roll < 15) return makeGroup(random, setting);
  if (roll < 30) return { do: 'rename group', who, name: random.below(groupNames.length) };
  if (roll < 42) return { do: 'delete group', who };
  return { do: 'add or remove member', group: random.below(4), member: random.below(14) - 4 };
}

function makeTransaction(random: Random): Step {
  const node = random.below(2);
  const roll = random.below(3);
  if (roll === 0) return { do: 'plan', node };
  if (roll === 1) return { do: 'record', node, count: random.pick([1, 2, 16]) };
  const kinds = random.pick<('user' | 'group')[]>([['user', 'group'], ['user', 'group'], ['user'], ['group']]);
  return { do: 'claim', node, kinds, limit: random.pick([1, 2, 16]) };
}

function makeWork(random: Random, fate: () => Fate): Step {
  const roll = random.below(100);
  if (roll < 50) return makeTransaction(random);
  if (roll < 90) return { do: 'go on', attempt: random.below(6), fate: fate() };
  const ms = random.pick([5, 50, 300, 600, 1_100, 1_600, 3_000, 6_000, 40_000]);
  return { do: 'pass', ms, fates: random.below(1_000) };
}

export function describeStep(step: Step): string {
  if (step.do === 'together') return `together: ${step.steps.map(describeStep).join(' + ')}`;
  const { do: what, ...rest } = step;
  const words = Object.entries(rest).map(([name, value]) => `${name} ${Array.isArray(value) ? `[${value}]` : value}`);
  return words.length === 0 ? what : `${what} (${words.join(', ')})`;
}
