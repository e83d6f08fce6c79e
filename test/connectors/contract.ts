/**
 * What every connector promises (src/connectors/connector.ts), run over each kind in the list against its fake target.
 * A new kind adds a `ContractTarget` in contract.test.ts; a part of the contract that a kind has no word for (groups,
 * searches) is skipped there by name.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/base/secret.ts';
import type { Connector, ConnectorKind, SettingValues } from '../../src/connectors/connector.ts';
import type { Attributes } from '../../src/mapping/rows.ts';
import type { Courier } from '../../src/outbound/courier.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { makeOutbound, type SteppableClock } from './setting.ts';

/** What the suite needs to know of, and do to, a fake target. */
export type ContractTarget = {
  settings(): SettingValues;
  /** Every secret in the settings, as it is. */
  secrets: readonly string[];
  sendsGroups: boolean;
  /** Attributes of a user of this name, and of a group. */
  userAttributes(name: string, externalId: string): Attributes;
  groupAttributes(name: string, externalId: string): Attributes;
  /** A path that an update may set to a text. */
  path: string;
  /** Misbehaves at the next request of this sort, once. */
  next(sort: 'mutation' | 'reading', act: ContractAct): void;
  /** Requests heard so far that could have changed something. */
  mutations(): number;
  requests(): number;
  userNames(): string[];
  /** Undefined when there is no such group. */
  membersOf(groupId: string): string[] | undefined;
  /** The password of the user with this id; undefined when there is none. */
  passwordOf(remoteId: string): string | undefined;
  /** What the target found wrong with requests, by its standard. */
  faults(): readonly string[];
  close(): Promise<void>;
};

export type ContractAct =
  | { act: 'answer'; status: number; headers?: Record<string, string>; detail?: string; scimType?: string }
  | { act: 'drop'; applied: boolean }
  | { act: 'half'; applied: boolean }
  | { act: 'silence'; applied: boolean }
  | { act: 'html' };

/** `called`: which of the kind, where there are several. */
export function testContract(kind: ConnectorKind, called: string, start: () => Promise<ContractTarget>): void {
  describe(`the contract, kept by ${called}`, () => {
    let target: ContractTarget;
    let connector: Connector;
    let outbound: Outbound;
    let clock: SteppableClock;
    let open: (limits?: { deadlineMs?: number; timeoutMs?: number }) => Courier;
    const spoken: Courier[] = [];
    let count = 0;
    const name = () => `person-${++count}`;
    const courier = (limits?: { deadlineMs?: number; timeoutMs?: number }) => {
      const made = open(limits);
      spoken.push(made);
      return made;
    };

    before(async () => {
      target = await start();
      ({ outbound, clock, courier: open } = makeOutbound());
      connector = kind.open(target.settings(), outbound);
      // What the target can do is asked once, so that later attempts hold only what they are about.
      await connector.describe(courier());
    });
    after(async () => {
      await outbound.close();
      await target.close();
    });

    async function createUser(called = name()): Promise<string> {
      const attributes = target.userAttributes(called, `id-of-${called}`);
      const made = await connector.create(courier(), { kind: 'user', attributes });
      assert.equal(made.outcome, 'done');
      return made.outcome === 'done' ? made.remoteId : '';
    }

    test('its own settings are accepted, and opening sends nothing', () => {
      assert.deepEqual(kind.checkSettings(target.settings()), []);
      const heard = target.requests();
      kind.open(target.settings(), outbound);
      assert.equal(target.requests(), heard);
    });

    test('every setting without a default that is required is missed', () => {
      const faults = kind.checkSettings({});
      assert.ok(faults.length > 0);
      for (const { key, message } of faults) {
        const setting = kind.settings.find((each) => each.key === key);
        assert.ok(setting?.required, key);
        assert.ok(message.startsWith(setting.label), message);
      }
    });

    test('create, read, find, update, remove: the target agrees', async () => {
      const called = name();
      const remoteId = await createUser(called);
      const ask = { kind: 'user' as const, externalId: `id-of-${called}`, names: [called] };
      const found = await connector.find(courier(), ask);
      assert.deepEqual(found.outcome === 'done' && found.found.map((remote) => remote.remoteId), [remoteId]);
      const set = { [target.path]: 'after' };
      const attributes = { ...target.userAttributes(called, ask.externalId), ...set };
      const update = { kind: 'user' as const, remoteId, attributes, set, unset: [] };
      assert.deepEqual(await connector.update(courier(), update), { outcome: 'done' });
      const read = await connector.read(courier(), 'user', remoteId);
      assert.equal(read.outcome === 'done' && read.remote.attributes[target.path], 'after');
      assert.deepEqual(await connector.remove(courier(), 'user', remoteId), { outcome: 'done' });
      assert.equal((await connector.read(courier(), 'user', remoteId)).outcome, 'absent');
      assert.deepEqual(await connector.find(courier(), ask), { outcome: 'done', found: [] });
    });

    test('absent: update and removal of what is not there', async () => {
      const remoteId = await createUser();
      await connector.remove(courier(), 'user', remoteId);
      assert.equal((await connector.remove(courier(), 'user', remoteId)).outcome, 'absent');
      const set = { [target.path]: 'x' };
      const attributes = { ...target.userAttributes('x', 'x'), ...set };
      const update = { kind: 'user' as const, remoteId, attributes, set, unset: [] };
      assert.equal((await connector.update(courier(), update)).outcome, 'absent');
    });

    test('exists: a name that is taken, in another case', async () => {
      const called = name();
      await createUser(called);
      const attributes = target.userAttributes(called.toUpperCase(), 'another');
      const made = await connector.create(courier(), { kind: 'user', attributes });
      assert.equal(made.outcome, 'exists');
    });

    const create = async (limits?: { deadlineMs?: number; timeoutMs?: number }) => {
      const called = name();
      const mine = courier(limits);
      const before = target.mutations();
      const attributes = target.userAttributes(called, `id-of-${called}`);
      const made = await connector.create(mine, { kind: 'user', attributes });
      return { called, mine, made, heard: target.mutations() - before };
    };

    const table: [ContractAct, string][] = [
      [{ act: 'answer', status: 400, detail: 'no such department' }, 'refused'],
      [{ act: 'answer', status: 422, detail: 'no' }, 'refused'],
      [{ act: 'answer', status: 409, scimType: 'uniqueness' }, 'exists'],
      [{ act: 'answer', status: 401 }, 'unavailable target'],
      [{ act: 'answer', status: 404 }, 'unavailable lane'],
      [{ act: 'answer', status: 307, headers: { location: 'https://elsewhere.example/' } }, 'unavailable lane'],
      [{ act: 'answer', status: 429, headers: { 'retry-after': '7' } }, 'unavailable target throttled 7000'],
      [{ act: 'answer', status: 503, headers: { 'retry-after': '3' } }, 'unavailable account 3000'],
      [{ act: 'answer', status: 500 }, 'unknown'],
      [{ act: 'answer', status: 502 }, 'unknown'],
      [{ act: 'answer', status: 504 }, 'unknown'],
      [{ act: 'answer', status: 418 }, 'unknown'],
      [{ act: 'answer', status: 202 }, 'unknown'],
      [{ act: 'html' }, 'unknown'],
      [{ act: 'drop', applied: false }, 'unknown'],
      [{ act: 'drop', applied: true }, 'unknown'],
      [{ act: 'half', applied: true }, 'unknown'],
      [{ act: 'silence', applied: true }, 'unknown'],
    ];
    for (const [act, outcome] of table) {
      test(`a creation that meets ${JSON.stringify(act)} is ${outcome}, and is said once`, async () => {
        target.next('mutation', act);
        const { made, heard, mine, called } = await create({ timeoutMs: act.act === 'silence' ? 150 : 5_000 });
        assert.equal(summary(made), outcome);
        assert.equal(heard, 1, 'a connector never says a thing twice');
        assert.equal(mine.mutated, true);
        if (made.outcome === 'refused' && act.act === 'answer') assert.ok(made.reason.includes(act.detail!));
        if ('applied' in act) assert.equal(target.userNames().includes(called), act.applied);
      });
    }

    test('a read that fails concludes nothing: it is never absence, never an empty answer', async () => {
      const remoteId = await createUser();
      const acts: ContractAct[] = [
        { act: 'answer', status: 500 },
        { act: 'answer', status: 503 },
        { act: 'answer', status: 401 },
        { act: 'answer', status: 403 },
        { act: 'answer', status: 429 },
        { act: 'answer', status: 307 },
        { act: 'answer', status: 204 },
        { act: 'html' },
        { act: 'drop', applied: false },
        { act: 'half', applied: false },
        { act: 'silence', applied: false },
      ];
      for (const act of acts) {
        target.next('reading', act);
        const read = await connector.read(
          courier({ timeoutMs: act.act === 'silence' ? 150 : 5_000 }),
          'user',
          remoteId,
        );
        assert.ok(['unknown', 'unavailable', 'refused'].includes(read.outcome), `read ${JSON.stringify(act)}`);
        target.next('reading', act);
        const ask = { kind: 'user' as const, externalId: 'nobody', names: ['nobody'] };
        const found = await connector.find(courier({ timeoutMs: act.act === 'silence' ? 150 : 5_000 }), ask);
        assert.ok(['unknown', 'unavailable'].includes(found.outcome), `find ${JSON.stringify(act)}: ${found.outcome}`);
      }
    });

    test('passwords: a creation carries the one it is given or the default one, and none when it is told so', async (t) => {
      if (!connector.takesPasswords) return t.skip('this kind sends no passwords');
      const made: (string | undefined)[] = [];
      for (const password of [new Secret('Clear-Passw0rd-1'), undefined, 'none'] as const) {
        const called = name();
        const attributes = target.userAttributes(called, `id-of-${called}`);
        const ask = { kind: 'user' as const, attributes, ...(password === undefined ? {} : { password }) };
        const answer = await connector.create(courier(), ask);
        assert.equal(answer.outcome, 'done');
        made.push(answer.outcome === 'done' ? target.passwordOf(answer.remoteId) : 'not made');
      }
      assert.equal(made[0], 'Clear-Passw0rd-1');
      assert.equal(made[1] !== undefined, connector.hasDefaultPassword);
      assert.equal(made[2], undefined);
    });

    test('a new password changes nothing else, and is refused, absent or unknown as anything is', async (t) => {
      if (!connector.takesPasswords) return t.skip('this kind sends no passwords');
      const called = name();
      const remoteId = await createUser(called);
      const attributes = target.userAttributes(called, `id-of-${called}`);
      const before = await connector.read(courier(), 'user', remoteId);
      const change = (password: string) =>
        connector.changePassword(courier(), { remoteId, attributes, password: new Secret(password) });
      assert.deepEqual(await change('Clear-Passw0rd-2'), { outcome: 'done' });
      assert.equal(target.passwordOf(remoteId), 'Clear-Passw0rd-2');
      assert.deepEqual(await connector.read(courier(), 'user', remoteId), before);
      target.next('mutation', { act: 'answer', status: 400, detail: 'Clear-Passw0rd-3 is too weak' });
      const refused = await change('Clear-Passw0rd-3');
      assert.equal(refused.outcome, 'refused');
      assert.ok('reason' in refused && refused.reason.includes('is too weak'));
      assert.ok(!JSON.stringify(refused).includes('Clear-Passw0rd'), 'what it echoes is hidden');
      target.next('mutation', { act: 'answer', status: 409, scimType: 'uniqueness' });
      assert.equal((await change('Clear-Passw0rd-4')).outcome, 'refused');
      target.next('mutation', { act: 'drop', applied: true });
      assert.equal((await change('Clear-Passw0rd-5')).outcome, 'unknown');
      await connector.remove(courier(), 'user', remoteId);
      assert.equal((await change('Clear-Passw0rd-6')).outcome, 'absent');
    });

    test('past the deadline nothing is sent', async () => {
      const mine = courier({ deadlineMs: 10 });
      clock.step(11);
      const before = target.mutations();
      const attributes = target.userAttributes(name(), 'late');
      const made = await connector.create(mine, { kind: 'user', attributes });
      assert.equal(summary(made), 'unavailable account');
      assert.equal(target.mutations(), before);
      assert.equal(mine.mutated, false);
    });

    test('group members: said again they do no harm', async (t) => {
      if (!target.sendsGroups) return t.skip('this kind sends no groups');
      const [one, two] = [await createUser(), await createUser()];
      const described = await connector.describe(courier());
      const atOnce = described.outcome === 'done' && described.membersAtCreation !== 0;
      const made = await connector.create(courier(), {
        kind: 'group',
        attributes: target.groupAttributes(name(), 'id-of-group'),
        ...(atOnce ? { members: [{ kind: 'user', remoteId: one }] } : {}),
      });
      assert.equal(made.outcome, 'done');
      const remoteId = made.outcome === 'done' ? made.remoteId : '';
      if (!atOnce) {
        const add = [{ kind: 'user' as const, remoteId: one }];
        assert.deepEqual(await connector.changeMembers(courier(), { remoteId, add, remove: [] }), { outcome: 'done' });
      }
      assert.deepEqual(target.membersOf(remoteId), [one]);
      const change = {
        remoteId,
        add: [{ kind: 'user' as const, remoteId: two }],
        remove: [{ kind: 'user' as const, remoteId: one }],
      };
      for (let again = 0; again < 2; again++) {
        assert.deepEqual(await connector.changeMembers(courier(), change), { outcome: 'done' });
        assert.deepEqual(target.membersOf(remoteId), [two]);
      }
      assert.deepEqual(await connector.remove(courier(), 'group', remoteId), { outcome: 'done' });
      assert.equal((await connector.changeMembers(courier(), change)).outcome, 'absent');
    });

    test('Test connection: each step says how it went, and nothing is changed', async () => {
      const before = target.mutations();
      const steps = await connector.test(courier());
      assert.ok(steps.length > 0 && steps.every((step) => step.ok && step.reason !== ''), inspect(steps));
      assert.equal(target.mutations(), before);
    });

    test('attempts hold at most one mutation each, and no secret at all', async () => {
      const called = name();
      const mine = courier();
      const password = new Secret('Clear-Passw0rd-of-a-person');
      await connector.create(mine, { kind: 'user', attributes: target.userAttributes(called, called), password });
      const kept = inspect(
        spoken.map((each) => each.exchanges),
        { depth: null, maxArrayLength: null, maxStringLength: null },
      );
      for (const secret of [...target.secrets, password.reveal()]) {
        assert.ok(!kept.includes(secret), 'a secret is in an exchange');
        assert.ok(!kept.includes(Buffer.from(secret).toString('base64')), 'a secret is in an exchange, as base64');
      }
    });

    test('the target found nothing wrong with any request', () => {
      assert.deepEqual(target.faults(), []);
    });
  });
}

function summary(outcome: { outcome: string; scope?: string; throttled?: boolean; retryAfterMs?: number }): string {
  const { scope, throttled, retryAfterMs } = outcome;
  return [outcome.outcome, scope, throttled ? 'throttled' : undefined, retryAfterMs]
    .filter((part) => part !== undefined)
    .join(' ');
}
