import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { connectorKinds } from '../../src/connectors/index.ts';
import { TargetAnswer } from '../../src/contract/target.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { countDescents } from '../../src/provisioning/descents.ts';
import { foreseeMemberships } from '../../src/provisioning/foresee-memberships.ts';
import { openTargetBook } from '../../src/provisioning/target-book.ts';
import { countWakes } from '../../src/provisioning/wakes.ts';
import { openTestClock } from '../clock.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

type Operation = { op: string; path?: string; value?: unknown };

eachDatabase('what a save would do with memberships and passwords', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  const target = '/targets/partner:SCIM2';
  const ids: Record<string, string> = {};
  const rest = async () => {
    // Several times, since what a wave makes due may be counted before the wave is seen to have ended.
    for (let n = 0, quiet = 0; n < 1_000; n++) {
      const { targets, unplannedChanges } = (await api.call('GET', '/status')).body;
      const walks = await api.store.read(
        async (reading) => (await countDescents(reading)) + (await countWakes(reading)),
      );
      const left = unplannedChanges + targets[0].pending + targets[0].waves.length + walks;
      quiet = left === 0 ? quiet + 1 : 0;
      if (quiet === 3) return;
      await sleep(25);
    }
    assert.fail('it does not come to rest');
  };
  /** How many memberships and passwords were written since request `from`. */
  const heard = (from: number) => {
    const said = { added: 0, passwords: 0 };
    for (const { method, on, body, applied } of fake.requests.slice(from)) {
      if (!applied || body === undefined) continue;
      const {
        Operations = [],
        members = [],
        password,
      } = body as {
        Operations?: Operation[];
        members?: unknown[];
        password?: string;
      };
      if (on === 'groups' && method === 'POST') said.added += members.length;
      for (const { op, path, value } of on === 'groups' ? Operations : []) {
        if (op === 'add' && path === 'members') said.added += (value as unknown[]).length;
      }
      if (on === 'users' && password !== undefined) said.passwords++;
    }
    return said;
  };
  const held = () => [...fake.groups.keys()].flatMap((id) => fake.membersOf(id).map((member) => `${id} ${member}`));
  /** Tries a change, makes it, and compares what it said of memberships and passwords with what was sent. */
  const tryAndDo = async (body: unknown) => {
    const tried = await api.call('PATCH', `${target}?dryRun=true`, body);
    assert.equal(tried.status, 200, tried.text);
    assert.ok(fits(TargetAnswer, tried.body), tried.text);
    const { memberships, passwords, defaultPasswords } = tried.body.effect;
    const from = fake.requests.length;
    const before = held();
    assert.equal((await api.call('PATCH', target, body)).status, 200);
    await rest();
    const { added, removed } = memberships;
    assert.deepEqual({ added, passwords }, heard(from), JSON.stringify(tried.body.effect));
    // What was taken out under an earlier mode may be said again; here it counts whether anybody was in.
    const now = new Set(held());
    assert.equal(removed, before.filter((one) => !now.has(one)).length, JSON.stringify(tried.body.effect));
    assert.equal(memberships.more, false);
    return { added, removed, passwords, defaultPasswords };
  };
  const nothing = { added: 0, removed: 0, passwords: 0, defaultPasswords: 0 };
  const add = async (kind: 'users' | 'groups', name: string, more: Record<string, unknown> = {}) => {
    const made = await api.call('POST', `/${kind}`, {
      ...(kind === 'users' ? { userName: name } : { displayName: name }),
      ...more,
    });
    assert.equal(made.status, 201, made.text);
    ids[name] = made.body.id;
  };
  const of = (...names: string[]) => ({ members: names.map((name) => ({ value: ids[name] })) });

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'a-token' } });
    await api.call('POST', '/identity-providers', { name: 'partner' });
    const settings = {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'a-token',
      'scim2-user-ep': fake.usersEndpoint,
      'scim2-group-ep': fake.groupsEndpoint,
      'scim2-enable-pwd-provisioning': true,
      'scim2-default-pwd': 'a default word',
    };
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
    await api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2' }] });
    await api.startEngine();
    for (const name of ['ada', 'bob', 'cleo', 'dora']) await add('users', name);
    // Staff has two by itself, and in its two teams two more, one of them in both and one who is in it by himself as well.
    await add('groups', 'east', of('bob', 'cleo'));
    await add('groups', 'west', of('cleo', 'dora'));
    await add('groups', 'staff', of('ada', 'bob', 'east', 'west'));
    await rest();
    assert.equal(fake.membersOf(String(fake.groupNamed('staff')!.resource.id)).length, 4);
  });
  after(() => fake.close());

  it('is nothing where nothing about them differs', async () => {
    assert.deepEqual(await tryAndDo({ policy: { concurrency: 4 } }), nothing);
  });

  it('is what two ways of keeping groups in groups differ in', async () => {
    assert.deepEqual(await tryAndDo({ policy: { nestedGroups: 'flatten' } }), { ...nothing, added: 2, removed: 2 });
    assert.deepEqual(await tryAndDo({ policy: { nestedGroups: 'ignore' } }), { ...nothing, removed: 2 });
    assert.deepEqual(await tryAndDo({ policy: { nestedGroups: 'native' } }), { ...nothing, added: 2 });
  });

  it('counts no further than it may look, and says so', async () => {
    const book = await api.store.read((reading) =>
      openTargetBook(reading, {
        key: api.key,
        kinds: connectorKinds,
        outbound: openOutbound({ clock: openTestClock(), log: pino({ level: 'silent' }) }),
      }),
    );
    const [[, open]] = [...book.targets] as [[number, NonNullable<ReturnType<typeof book.targets.get>>]];
    const policy = { ...open.target.policy, nestedGroups: 'flatten' } as const;
    const flat = { ...open, target: { ...open.target, policy } };
    const ask = (most?: Parameters<typeof foreseeMemberships>[3]) => foreseeMemberships(api.store, book, flat, most);
    assert.deepEqual(await ask(), { added: 2, removed: 2, more: false });
    // Three groups, what is asked of each, and a walk through one: there is room for no other.
    assert.deepEqual(await ask({ groups: 100, room: 60 }), { added: 0, removed: 0, more: true });
    assert.equal((await ask({ groups: 100, room: 30 })).more, true);
    assert.deepEqual(await ask({ groups: 3, room: 1_000 }), { added: 2, removed: 2, more: false });
  });

  it('is what was refused and is taken up again', async () => {
    await add('users', 'eve');
    await rest();
    const eve = fake.userNamed('eve')!;
    const rule = fake.misbehave({
      when: { method: 'PATCH', on: 'groups', that: ({ body }) => JSON.stringify(body).includes(`"${eve.id}"`) },
      times: Number.POSITIVE_INFINITY,
      act: { kind: 'answer', status: 400 },
    });
    await api.call('PATCH', '/groups/west', { add: [ids.eve] });
    await rest();
    const parked = await api.store.read((r) => r.all(r.q.selectFrom('links').select('state')));
    assert.deepEqual(
      parked.map((link) => link.state),
      ['parked'],
    );
    rule.stop();
    assert.deepEqual(await tryAndDo({ policy: { concurrency: 5 } }), { ...nothing, added: 1 });
  });

  it('is the passwords of those who are made by it, and the memberships that wait for them', async () => {
    const refused = { method: 'POST', on: 'users' } as const;
    const rule = fake.misbehave({
      when: refused,
      times: Number.POSITIVE_INFINITY,
      act: { kind: 'answer', status: 400 },
    });
    await add('users', 'fay');
    await add('users', 'gus', { password: 'a word of his own' });
    await api.call('PATCH', '/groups/east', { add: [ids.fay, ids.gus] });
    await api.call('PATCH', '/groups/west', { add: [ids.fay] });
    await rest();
    rule.stop();
    const done = await tryAndDo({ policy: { concurrency: 6 } });
    assert.deepEqual(done, { added: 3, removed: 0, passwords: 2, defaultPasswords: 1 });
    assert.deepEqual(
      ['fay', 'gus'].map((name) => fake.passwordOf(name)),
      ['a default word', 'a word of his own'],
    );
  });

  it('is nothing that a rule withholds, and all of it when that is gone', async () => {
    const rows = { list: [{ effect: 'withhold', operations: ['change'] }] };
    const policy = await api.call('POST', '/policies', { name: 'no changes', rows });
    assert.equal(policy.status, 201, policy.text);
    const bind = (rules: boolean) =>
      api.call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2', rules }] });
    await bind(true);
    await rest();
    const flat = { policy: { nestedGroups: 'flatten' } };
    const withheld = await api.call('PATCH', `${target}?dryRun=true`, flat);
    assert.deepEqual(withheld.body.effect.memberships, { added: 0, removed: 0, more: false });
    await bind(false);
    await rest();
    // Whoever is in both teams is counted once, and who is in it by himself not at all.
    assert.deepEqual(await tryAndDo(flat), { ...nothing, added: 5, removed: 2 });
  });

  it('is every member once more where from then on only whom we put there is taken out, and those when it ends', async () => {
    const all = await tryAndDo({ policy: { groups: 'membership-only', nestedGroups: 'ignore' } });
    // Two of east, one of west and of staff each by themselves are more by now; whoever was flattened into staff goes.
    assert.equal(
      all.added,
      [...['ada', 'bob'], ...['bob', 'cleo', 'fay', 'gus'], ...['cleo', 'dora', 'eve', 'fay']].length,
    );
    const out = await tryAndDo({ policy: { scopeGroups: 'displayName eq "east"' } });
    assert.deepEqual(out, { ...nothing, removed: 6 });
    await api.call('PATCH', target, { policy: { scopeGroups: null } });
    await rest();
    const kept = await api.call('PATCH', `${target}?dryRun=true`, {
      policy: { scopeGroups: 'displayName eq "x"', deprovisionAdopted: 'keep' },
    });
    assert.equal(kept.body.effect.memberships.removed, 0);
  });

  it('is nothing where groups are sent no more', async () => {
    assert.deepEqual(await tryAndDo({ policy: { groups: 'none' } }), nothing);
  });
});
