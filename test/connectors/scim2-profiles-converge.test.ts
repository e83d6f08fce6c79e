/**
 * Whatever a directory was and whatever it becomes, a target of each profile becomes the same: through the connector,
 * with the engine's own difference, also when answers are lost on the way. The driver is the engine's walk in small: it
 * says one thing at a time, and looks again where it is in doubt.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connector, Failure, RemoteMember, SubjectKind } from '../../src/connectors/connector.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import { managedPaths } from '../../src/mapping/apply.ts';
import { differenceOf } from '../../src/mapping/difference.ts';
import type { Attributes, Json } from '../../src/mapping/rows.ts';
import type { Courier } from '../../src/outbound/courier.ts';
import { acceptableUser, profileTargets } from './fakes/profiles.ts';
import { type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';
import { makeOutbound } from './setting.ts';

type World = { users: Map<string, Attributes>; groups: Map<string, { attributes: Attributes; members: Set<string> }> };
type Known = { kind: SubjectKind; remoteId: string; attributes: Attributes; members: Set<string> };

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const text = fc.oneof(fc.constantFrom('Å', 'x y', '"quoted"', 'ß\\'), fc.string({ minLength: 1, maxLength: 4 })).filter(
  // What the vendors' own patterns leave: no control characters, and not nothing but spaces.
  (each) => /^[\p{L}\p{M}\p{S}\p{N}\p{P}][\p{L}\p{M}\p{S}\p{N}\p{P} ]*$/u.test(each),
);
const listed = fc.uniqueArray(fc.record({ value: text, type: fc.constantFrom('home', 'other', 'work') }), {
  selector: (each) => each.type,
  minLength: 1,
  maxLength: 2,
});

/** Attributes that need not be there; what a target does not take is among them. */
const optional: Record<string, fc.Arbitrary<Json>> = {
  title: text,
  nickName: text,
  'name.middleName': text,
  'name.formatted': text,
  [`${enterprise}:department`]: text,
  phoneNumbers: listed,
  roles: listed,
  entitlements: listed,
  photos: listed,
  active: fc.boolean(),
};

/** One value of what has to be one, at the vendor that wants it so. */
function fitTo(profile: string, attributes: Attributes): Attributes {
  if (profile !== 'aws') return attributes;
  const { phoneNumbers, ...rest } = attributes;
  return Array.isArray(phoneNumbers) ? { ...rest, phoneNumbers: phoneNumbers.slice(0, 1) } : rest;
}

function worldOf(profile: string): fc.Arbitrary<World> {
  const people = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal'];
  const user = fc.record({ display: text, more: fc.record(optional, { requiredKeys: [] }) });
  const group = fc.record({ name: text, members: fc.subarray(people) });
  return fc
    .record({
      users: fc.dictionary(fc.constantFrom(...people), user, { noNullPrototype: true }),
      groups: fc.dictionary(fc.constantFrom('staff', 'board', 'crew'), group, { noNullPrototype: true }),
    })
    .map(({ users, groups }) => ({
      users: new Map(
        Object.entries(users).map(([id, { display, more }]) => {
          const attributes = { ...acceptableUser(id, `id-${id}`), displayName: display, ...more };
          return [id, fitTo(profile, attributes)];
        }),
      ),
      groups: new Map(
        Object.entries(groups).map(([id, { name, members }]) => {
          const attributes = { displayName: `${id} ${name}`, externalId: `id-${id}` };
          return [id, { attributes, members: new Set(members.filter((member) => member in users)) }];
        }),
      ),
    }));
}

/** What the vendor's own pages let in of what is wanted: with that the fake target has to end. */
function takenOf(profile: string, what: 'users' | 'groups', wanted: Attributes): Attributes {
  const { attributes, refused = [] } = profileTargets[profile]!.vendor ?? {};
  const inside = (path: string, place: string) =>
    path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}:`);
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([path]) =>
        (!attributes || attributes[what].some((place) => inside(path, place))) &&
        !refused.some((place) => inside(path, place)) &&
        // The documents of GitHub name roles of its own, and no other middle name than the one in `formatted`.
        !(profile === 'github' && (path === 'roles' || path === 'name.middleName')),
    ),
  );
}

class Driver {
  readonly known = new Map<string, Known>();
  readonly connector: Connector;
  readonly courier: () => Courier;
  readonly fake: FakeScim2;
  constructor(connector: Connector, courier: () => Courier, fake: FakeScim2) {
    this.connector = connector;
    this.courier = courier;
    this.fake = fake;
  }

  /** Says one thing again until it is answered; `settle` looks what became of it, and says whether that was enough. */
  async say<A extends { outcome: string }>(
    speak: () => Promise<A>,
    settle?: () => Promise<boolean>,
  ): Promise<A | undefined> {
    for (let tries = 0; tries < 5; tries++) {
      const answer = await speak();
      if (answer.outcome !== 'unknown') {
        assert.ok(answer.outcome === 'done', JSON.stringify(answer as unknown as Failure));
        return answer;
      }
      if (settle && (await settle())) return undefined;
    }
    throw new Error('never answered');
  }

  async bring(world: World): Promise<void> {
    const described = await this.connector.describe(this.courier());
    assert.ok(described.outcome === 'done');
    for (const [id, known] of [...this.known]) {
      const there = known.kind === 'user' ? world.users.has(id) : world.groups.has(id);
      if (there) continue;
      const gone = async () =>
        (await this.connector.read(this.courier(), known.kind, known.remoteId)).outcome === 'absent';
      await this.say(() => this.connector.remove(this.courier(), known.kind, known.remoteId), gone);
      this.known.delete(id);
      for (const other of this.known.values()) other.members.delete(id);
    }
    for (const [id, attributes] of world.users) await this.bringOne('user', id, attributes);
    for (const [id, { attributes, members }] of world.groups) {
      await this.bringOne('group', id, attributes, described.patch ? undefined : members);
      if (described.patch) await this.bringMembers(id, members, described.membersPerRequest);
    }
  }

  async bringOne(kind: SubjectKind, id: string, wanted: Attributes, members?: Set<string>): Promise<void> {
    const known = this.known.get(id) ?? (await this.create(kind, id, wanted));
    const { set, unset } = differenceOf(wanted, known.attributes, managedPaths(scim2.mapping, kind));
    const whole = members && this.remotes(members);
    const same = members && [...members].sort().join() === [...known.members].sort().join();
    if (Object.keys(set).length + unset.length === 0 && same !== false) return;
    const { remoteId } = known;
    const ask = { kind, remoteId, attributes: wanted, set, unset, ...(whole ? { members: whole } : {}) };
    // Said again it does no harm: the same values, the same path.
    await this.say(() => this.connector.update(this.courier(), ask));
    known.attributes = wanted;
    if (members) known.members = new Set(members);
  }

  async create(kind: SubjectKind, id: string, wanted: Attributes): Promise<Known> {
    const name = String(wanted[kind === 'user' ? 'userName' : 'displayName']);
    const ask = { kind, externalId: String(wanted.externalId), names: [name] };
    let found: { remoteId: string; attributes: Attributes } | undefined;
    const made = await this.say(
      () => this.connector.create(this.courier(), { kind, attributes: wanted }),
      async () => {
        const looked = await this.connector.find(this.courier(), ask);
        assert.ok(looked.outcome === 'done', JSON.stringify(looked));
        found = looked.found.find((remote) => remote.externalId === wanted.externalId);
        return found !== undefined;
      },
    );
    const known: Known = made
      ? { kind, remoteId: made.outcome === 'done' ? made.remoteId : '', attributes: wanted, members: new Set() }
      : { kind, ...found!, members: new Set() };
    this.known.set(id, known);
    return known;
  }

  async bringMembers(id: string, wanted: Set<string>, atOnce: number): Promise<void> {
    const known = this.known.get(id)!;
    const changes = [
      ...[...wanted].filter((each) => !known.members.has(each)).map((each) => ['add', each] as const),
      ...[...known.members].filter((each) => !wanted.has(each)).map((each) => ['remove', each] as const),
    ];
    for (let from = 0; from < changes.length; from += atOnce) {
      const chunk = changes.slice(from, from + atOnce);
      const of = (op: 'add' | 'remove') => this.remotes(chunk.filter((each) => each[0] === op).map((each) => each[1]));
      const ask = { remoteId: known.remoteId, add: of('add'), remove: of('remove') };
      await this.say(() => this.connector.changeMembers(this.courier(), ask));
    }
    known.members = new Set(wanted);
  }

  remotes(ids: Iterable<string>): RemoteMember[] {
    return [...ids].map((each) => ({ kind: 'user' as const, remoteId: this.known.get(each)!.remoteId }));
  }

  /** The target holds what the vendor takes of this world, and no more. */
  async agree(profile: string, world: World): Promise<void> {
    assert.equal(this.fake.users.size, world.users.size);
    assert.equal(this.fake.groups.size, world.groups.size);
    const check = async (kind: SubjectKind, id: string, wanted: Attributes) => {
      const read = await this.connector.read(this.courier(), kind, this.known.get(id)!.remoteId);
      assert.ok(read.outcome === 'done', JSON.stringify(read));
      const taken = takenOf(profile, kind === 'user' ? 'users' : 'groups', wanted);
      const managed = managedPaths(scim2.mapping, kind);
      assert.deepEqual(differenceOf(taken, read.remote.attributes, managed), { set: {}, unset: [] }, id);
    };
    for (const [id, attributes] of world.users) await check('user', id, attributes);
    for (const [id, { attributes, members }] of world.groups) {
      await check('group', id, attributes);
      const ids = this.remotes(members).map((member) => member.remoteId);
      assert.deepEqual(this.fake.membersOf(this.known.get(id)!.remoteId), ids.sort());
    }
    assert.deepEqual(this.fake.faults, []);
  }
}

async function openDriver(profile: string, overrides = '') {
  const fake = await startFakeScim2(profileTargets[profile]);
  const { outbound, courier } = makeOutbound();
  const values = fake.settings({ 'scim2-target-profile': profile, 'scim2-profile-overrides': overrides });
  const driver = new Driver(scim2.open(values, outbound), () => courier(), fake);
  return {
    driver,
    async close() {
      await outbound.close();
      await fake.close();
    },
  };
}

const acts = fc.record({ skip: fc.nat(12), act: fc.constantFrom('drop', 'half'), applied: fc.boolean() });

for (const [profile, overrides] of [
  ['strict', 'membersPerRequest: 3'],
  ['strict', 'updateUsers: put\nupdateGroups: put'],
  ['aws', 'membersPerRequest: 2'],
  ['github', 'membersPerRequest: 3'],
  ['entra', 'membersPerRequest: 3\nmemberValues: each'],
  ['entra', ''],
] as const) {
  test(`any state becomes any other at ${profile}${overrides === '' ? '' : ` (${overrides.replace('\n', ', ')})`}, also when answers are lost`, async () => {
    const worlds = fc.array(fc.tuple(worldOf(profile), fc.array(acts, { maxLength: 3 })), {
      minLength: 2,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(worlds, async (steps) => {
        const { driver, close } = await openDriver(profile, overrides);
        try {
          for (const [world, faults] of steps) {
            for (const { skip, act, applied } of faults) {
              const when = { method: ['POST', 'PATCH', 'PUT', 'DELETE'] };
              driver.fake.misbehave({ when, skip, act: { kind: act as 'drop', applied } });
            }
            await driver.bring(world);
            driver.fake.heal();
            await driver.agree(profile, world);
          }
        } finally {
          await close();
        }
      }),
      { numRuns: 15 },
    );
  });
}

for (const profile of Object.keys(profileTargets)) {
  test(`250 members come and 130 of them go at ${profile}, never more than 100 in one request`, async () => {
    const { driver, close } = await openDriver(profile);
    try {
      const users = new Map(Array.from({ length: 250 }, (_, n) => [`p${n}`, acceptableUser(`p${n}`, `id-p${n}`)]));
      const group = (members: string[]) =>
        new Map([
          ['staff', { attributes: { displayName: 'staff', externalId: 'id-staff' }, members: new Set(members) }],
        ]);
      for (const members of [[...users.keys()], [...users.keys()].slice(130), []]) {
        const world = { users, groups: group(members) };
        await driver.bring(world);
        await driver.agree(profile, world);
      }
      const patches = driver.fake.requests.filter(({ on, method }) => on === 'groups' && method === 'PATCH');
      assert.equal(patches.length, 3 + 2 + 2);
    } finally {
      await close();
    }
  });
}
