import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { databaseKinds } from '../database.ts';
import { type Ground, openGround } from './explorer/ground.ts';
import type { TargetTraits } from './explorer/memory-target.ts';
import { type Setting, type Step, scopeOfUsers, scopes, settleMs, timeoutMs } from './explorer/schedule.ts';
import { runSchedule } from './explorer/world.ts';

// The shortest schedule of each thing that the explorer found (docs/explorer.md), kept as it was printed.

function policyOf(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { timeoutMs, settleMs, deprovisionAdopted: 'delete', scopeUsers: scopeOfUsers, ...more };
}

function settingOf(traits: Partial<TargetTraits>, more: Partial<Setting> = {}): Setting {
  return {
    policy: policyOf(),
    traits: {
      patch: true,
      searchesExternalId: true,
      lagMs: 0,
      membersPerRequest: 100,
      unknownMember: 'refused',
      ...traits,
    },
    strangers: 0,
    nodes: 2,
    planSize: 'many',
    leavers: 'deleted',
    scope: 'attribute',
    ...more,
  };
}

const user = (name: number, manager = -1): Step => ({ do: 'create user', name, out: false, manager });
const move = (who: number): Step => ({ do: 'move in or out of scope', who });
const plan = (node: number): Step => ({ do: 'plan', node });
const claim = (node: number, kinds: ('user' | 'group')[], limit: number): Step => ({ do: 'claim', node, kinds, limit });
const goOn = (attempt: number): Step => ({ do: 'go on', attempt, fate: 'answered' });

/** `seed`: by which everything goes on after the steps, where that matters. */
const findings: { hazard: string; seed?: number; setting: Setting; steps: Step[] }[] = [
  {
    hazard: 'a manager leaves: nobody there names the account that is gone',
    setting: settingOf({}),
    steps: [user(3), user(4, 7), plan(0), claim(1, ['user'], 16), move(6)],
  },
  {
    hazard: 'a member leaves the scope while it is being added: its membership waits and is not parked',
    setting: settingOf({}),
    steps: [user(3), { do: 'create group', name: 0, members: [7, 4] }, plan(0), claim(1, ['user'], 16), move(4)],
  },
  {
    hazard: 'a member leaves the scope while the whole group is being sent: the group is not parked for it',
    setting: settingOf({ patch: false, membersPerRequest: 1 }),
    steps: [
      user(2),
      { do: 'create group', name: 2, members: [5, 1] },
      plan(1),
      { do: 'rename group', who: 2, name: 0 },
      claim(1, ['user', 'group'], 2),
      ...[2, 3, 2, 5, 5, 3].map(goOn),
      move(4),
      { do: 'record', node: 1, count: 2 },
    ],
  },
  {
    hazard: 'a removal finds what a lost creation made, and the subject comes back: its groups hear of it',
    setting: settingOf({ lagMs: 250 }, { nodes: 1 }),
    steps: [
      user(5),
      { do: 'create group', name: 0, members: [2, 5, 4] },
      plan(0),
      claim(0, ['user'], 2),
      goOn(4),
      claim(0, ['group'], 16),
      goOn(2),
      move(0),
      { do: 'pass', ms: 40_000, fates: 480 },
      claim(0, ['user'], 2),
      move(0),
    ],
  },
  {
    hazard: 'a search that lags shows a holder of the name who is gone: nobody waits for it',
    setting: settingOf({ patch: false, lagMs: 250, unknownMember: 'left out' }, { strangers: 1 }),
    steps: [
      user(5, 2),
      { do: 'rest' },
      { do: 'delete user', who: 0 },
      user(1, 5),
      { do: 'pass', ms: 1_600, fates: 476 },
      user(4),
      plan(0),
      claim(1, ['user'], 2),
      { do: 'swap names', who: 0, other: 7 },
    ],
  },
  {
    hazard: 'a member leaves its group while its remote id is set aside: it is taken out when the id turns up',
    setting: settingOf({ membersPerRequest: 2, unknownMember: 'left out' }),
    steps: [
      user(0),
      { do: 'create group', name: 1, members: [3, 3, 5] },
      { do: 'rest' },
      { do: 'rename user', who: 2, name: 2 },
      plan(1),
      claim(1, ['user', 'group'], 2),
      { do: 'go on', attempt: 0, fate: '404' },
      { do: 'record', node: 1, count: 1 },
      { do: 'add or remove member', group: 2, member: 0 },
    ],
  },
  {
    hazard: 'the holder of a name lets it go while somebody who wants it looks: nobody parks for ever because of it',
    setting: settingOf({}, { planSize: 'one' }),
    steps: [
      user(0),
      { do: 'rest' },
      { do: 'hand name over', who: 0, name: 1 },
      plan(0),
      claim(0, ['user'], 4),
      ...[0, 0, 0, 0, 0, 0, 0].map(goOn),
      plan(0),
      claim(1, ['user'], 4),
      ...[0, 0, 0].map(goOn),
      { do: 'record', node: 1, count: 4 },
      { do: 'record', node: 0, count: 4 },
    ],
  },
  {
    hazard: 'two find one stranger at the same time: one adopts it, the other goes on without',
    setting: settingOf({ searchesExternalId: false, lagMs: 250, membersPerRequest: 1 }, { strangers: 1 }),
    steps: [
      user(6),
      plan(0),
      claim(0, ['user', 'group'], 2),
      { do: 'pass', ms: 600, fates: 57 },
      { do: 'rename user', who: 3, name: 2 },
      user(6),
      plan(0),
      claim(0, ['user', 'group'], 16),
    ],
  },
  {
    hazard: 'switching a leaver off meets one conflict: it is tried again',
    setting: settingOf({}, { leavers: 'disabled', policy: policyOf({ deprovision: 'disable' }) }),
    steps: [
      user(0),
      { do: 'rest' },
      { do: 'delete user', who: 6 },
      plan(1),
      claim(0, ['user', 'group'], 2),
      { do: 'go on', attempt: 4, fate: '409' },
    ],
  },
  {
    hazard: 'a group goes before it was ever sent, where groups are kept: no row is left of it',
    setting: settingOf({ patch: false }, { leavers: 'disabled', policy: policyOf({ deprovision: 'disable' }) }),
    steps: [user(3), { do: 'create group', name: 0, members: [0, 3] }, plan(0), { do: 'delete group', who: 5 }],
  },
  {
    hazard:
      'a process stands still with a creation in its hand while the leaver is settled: the account is found and removed',
    setting: settingOf({}),
    steps: [
      user(0),
      plan(0),
      claim(0, ['user'], 4),
      { do: 'go on', attempt: 0, fate: 'frozen' },
      { do: 'delete user', who: 0 },
      { do: 'pass', ms: 40_000, fates: 0 },
      plan(0),
      claim(1, ['user'], 4),
      ...[1, 1, 1, 1].map(goOn),
      { do: 'record', node: 1, count: 4 },
    ],
  },
  {
    hazard:
      'the answer to the first update of an adopted account is lost, and what it set is wanted no more: it is taken back',
    setting: settingOf({}, { strangers: 1 }),
    steps: [
      user(4),
      { do: 'rest' },
      user(6, 0),
      plan(0),
      claim(0, ['user'], 4),
      ...[0, 0, 0, 0, 0, 0, 0].map(goOn),
      { do: 'record', node: 0, count: 1 },
      claim(0, ['user'], 4),
      { do: 'go on', attempt: 0, fate: 'answer lost' },
      { do: 'record', node: 0, count: 1 },
      move(0),
    ],
  },
  {
    hazard: 'a search shows the account of a leaver and reading it answers 404: its absence is not believed at once',
    setting: settingOf({}, { nodes: 1 }),
    steps: [
      user(1),
      plan(0),
      claim(0, ['user'], 1),
      { do: 'go on', attempt: 0, fate: 'answer lost' },
      { do: 'record', node: 0, count: 1 },
      move(0),
      plan(0),
      { do: 'pass', ms: 6_000, fates: 0 },
      claim(0, ['user'], 1),
      ...[0, 0, 0, 0].map(goOn),
      { do: 'go on', attempt: 0, fate: '404' },
    ],
  },
  {
    hazard: 'a group that is to be made bare is found instead of made: its members are said all the same',
    setting: {
      ...settingOf({ searchesExternalId: false, membersPerRequest: 1 }, { planSize: 'one' }),
      policy: policyOf({ membersPerRequest: 1 }),
    },
    steps: [
      user(2),
      { do: 'rest' },
      move(1),
      user(0, 7),
      plan(0),
      plan(0),
      claim(1, ['user', 'group'], 2),
      { do: 'create group', name: 0, members: [2, 6, 7] },
      plan(0),
      { do: 'go on', attempt: 4, fate: '503' },
      claim(1, ['group'], 16),
      goOn(4),
      { do: 'add or remove member', group: 3, member: 9 },
      { do: 'add or remove member', group: 3, member: 0 },
      ...[4, 4, 2, 0].map(goOn),
      { do: 'pass', ms: 40_000, fates: 140 },
      claim(0, ['user', 'group'], 2),
    ],
  },
  {
    hazard: 'a creation without the password is found by an attempt whose result is lost: the password follows',
    setting: settingOf({ lagMs: 250, membersPerRequest: 1 }),
    steps: [
      user(1),
      plan(0),
      claim(1, ['user'], 2),
      goOn(5),
      goOn(1),
      { do: 'set password', who: 0 },
      { do: 'pass', ms: 6_000, fates: 333 },
    ],
  },
  {
    hazard: 'a creation without the password goes out late, after one with it was lost: the password follows',
    setting: settingOf({}),
    steps: [
      user(0),
      plan(0),
      claim(0, ['user'], 1),
      { do: 'go on', attempt: 0, fate: 'frozen' },
      { do: 'set password', who: 0 },
      plan(0),
      { do: 'pass', ms: 40_000, fates: 0 },
      claim(1, ['user'], 1),
      ...[1, 1, 1, 1].map(goOn),
      { do: 'go on', attempt: 1, fate: 'request lost' },
      { do: 'record', node: 1, count: 1 },
      goOn(0),
    ],
  },
  {
    hazard: 'a creation without the password is found, and nobody lives to say so, twice: the password follows',
    setting: settingOf({}),
    steps: [
      user(0),
      plan(0),
      claim(0, ['user'], 1),
      { do: 'go on', attempt: 0, fate: 'answer lost' },
      { do: 'crash', node: 0, fates: 0 },
      { do: 'set password', who: 0 },
      plan(1),
      { do: 'pass', ms: 40_000, fates: 0 },
      claim(1, ['user'], 1),
      ...[0, 0, 0].map(goOn),
      { do: 'crash', node: 1, fates: 0 },
      { do: 'pass', ms: 40_000, fates: 0 },
    ],
  },
  {
    hazard:
      'a creation of a leaver goes out long after its clock was read: it is looked for until a lagging search shows it',
    setting: settingOf({ lagMs: 250 }),
    steps: [
      user(2),
      plan(0),
      claim(1, ['user'], 1),
      { do: 'delete user', who: 0 },
      { do: 'go on', attempt: 0, fate: 'frozen' },
      plan(0),
      { do: 'pass', ms: 6_000, fates: 801 },
      claim(0, ['user'], 2),
    ],
  },
  {
    hazard:
      'a group that is said as a whole is claimed, and how groups in groups are treated changes before it is said',
    seed: 1855,
    setting: settingOf(
      { patch: false, unknownMember: 'left out' },
      {
        policy: policyOf({ deprovision: 'disable', membersPerRequest: 1, scopeUsers: scopes['no board'].filter }),
        leavers: 'disabled',
        scope: 'no board',
        nesting: 'ignore',
      },
    ),
    steps: [
      { do: 'create group', name: 1, members: [] },
      { do: 'rest' },
      { do: 'create group', name: 2, members: [3] },
      plan(1),
      { do: 'add or remove member', group: 0, member: 9 },
      claim(0, ['user', 'group'], 1),
      { do: 'rename group', who: 0, name: 0 },
      plan(1),
      { do: 'nest otherwise', nesting: 'native' },
      claim(1, ['user', 'group'], 2),
    ],
  },
  {
    hazard: 'somebody forwarded is said again while a wrong 404 comes: a lagging search is not believed for it',
    seed: 840679,
    setting: settingOf(
      { patch: false, searchesExternalId: false, lagMs: 250, unknownMember: 'left out' },
      { planSize: 'one', nesting: 'ignore', forwarded: true },
    ),
    steps: [
      { do: 'create user', name: 1, out: false, manager: -1, password: false },
      { do: 'rest' },
      { do: 'hand name over', who: 6, name: 2 },
      plan(1),
      claim(1, ['user', 'group'], 16),
      { do: 'go on', attempt: 5, fate: '404' },
    ],
  },
  {
    hazard:
      'what was adopted as decided has to go before it bears our mark, and a wrong 404 comes: it goes all the same',
    seed: 2612077,
    setting: settingOf(
      { searchesExternalId: false, membersPerRequest: 1, unknownMember: 'left out' },
      {
        policy: policyOf({ scopeUsers: scopes['no board'].filter, adopt: 'ask' }),
        strangers: 1,
        scope: 'no board',
        nesting: 'native',
        asks: true,
      },
    ),
    steps: [
      { do: 'create user', name: 6, out: false, manager: -1 },
      { do: 'create user', name: 1, out: false, manager: -1, password: true },
      { do: 'create user', name: 0, out: false, manager: 7, password: false },
      { do: 'create group', name: 1, members: [4, 2, 7] },
      { do: 'rest' },
      { do: 'decide', which: 4, what: 'adopt', remote: -1 },
      claim(1, ['user'], 16),
      ...[1, 3].map(goOn),
      { do: 'add or remove member', group: 0, member: 4 },
      goOn(3),
      { do: 'record', node: 1, count: 16 },
      { do: 'together', steps: [plan(0), claim(1, ['user', 'group'], 16)] },
      { do: 'go on', attempt: 0, fate: '404' },
    ],
  },
  {
    hazard:
      'whoever opened a circle by a temporary name waits for the other, who may not go yet, and does not try all the time',
    seed: 2665778,
    setting: settingOf({ membersPerRequest: 2 }, { nesting: 'ignore' }),
    steps: [
      { do: 'create user', name: 3, out: false, manager: -1, password: true },
      { do: 'create user', name: 2, out: false, manager: 6, password: false },
      { do: 'create user', name: 0, out: false, manager: -1, password: false },
      { do: 'rest' },
      { do: 'swap names', who: 4, other: 2 },
      plan(1),
      claim(1, ['user', 'group'], 16),
      goOn(3),
      { do: 'delete user', who: 6 },
      goOn(1),
      { do: 'pass', ms: 40_000, fates: 682 },
      claim(1, ['user'], 2),
    ],
  },
];

for (const database of databaseKinds) {
  describe(`found by the explorer (${database})`, () => {
    let ground: Ground;
    before(async () => {
      ground = await openGround(database);
    });
    after(() => ground.close());

    for (const { hazard, seed = 1, setting, steps } of findings) {
      it(hazard, async () => {
        const { faults, trace } = await runSchedule(ground, { seed, setting, steps });
        assert.deepEqual(faults, [], trace.join('\n'));
      });
    }
  });
}
