import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { databaseKinds } from '../database.ts';
import { type Ground, openGround } from './explorer/ground.ts';
import type { TargetTraits } from './explorer/memory-target.ts';
import { type Setting, type Step, scopeOfUsers, settleMs, timeoutMs } from './explorer/schedule.ts';
import { runSchedule } from './explorer/world.ts';

// The shortest schedule of each thing that the explorer found (docs/explorer.md), kept as it was printed.

function settingOf(traits: Partial<TargetTraits>, more: Partial<Setting> = {}): Setting {
  return {
    policy: { timeoutMs, settleMs, deprovisionAdopted: 'delete', scopeUsers: scopeOfUsers },
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
    ...more,
  };
}

const user = (name: number, manager = -1): Step => ({ do: 'create user', name, out: false, manager });
const move = (who: number): Step => ({ do: 'move in or out of scope', who });
const plan = (node: number): Step => ({ do: 'plan', node });
const claim = (node: number, kinds: ('user' | 'group')[], limit: number): Step => ({ do: 'claim', node, kinds, limit });
const goOn = (attempt: number): Step => ({ do: 'go on', attempt, fate: 'answered' });

const findings: { hazard: string; setting: Setting; steps: Step[] }[] = [
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
];

for (const database of databaseKinds) {
  describe(`found by the explorer (${database})`, () => {
    let ground: Ground;
    before(async () => {
      ground = await openGround(database);
    });
    after(() => ground.close());

    for (const { hazard, setting, steps } of findings) {
      it(hazard, async () => {
        const { faults, trace } = await runSchedule(ground, { seed: 1, setting, steps });
        assert.deepEqual(faults, [], trace.join('\n'));
      });
    }
  });
}
