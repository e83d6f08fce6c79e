import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { openLog } from '../../src/base/log.ts';
import { Secret } from '../../src/base/secret.ts';
import { connectorKinds } from '../../src/connectors/index.ts';
import type { Origin } from '../../src/directory/changes.ts';
import { createGroup, deleteGroup, patchGroup, replaceGroup } from '../../src/directory/groups.ts';
import { createUser, deleteUser, patchUser, replaceUser } from '../../src/directory/users.ts';
import type { Outbound } from '../../src/outbound/outbound.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { readPatch } from '../../src/protocol/scim/patch.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { type Engine, startEngine } from '../../src/provisioning/engine.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import {
  createServiceProvider,
  ensureResidentServiceProvider,
  readInbound,
  replaceBindings,
} from '../../src/provisioning/service-providers.ts';
import { createTarget } from '../../src/provisioning/targets.ts';
import type { AccountRow, AttemptRow, LaneRow } from '../../src/store/schema.ts';
import type { StatementHook, Store } from '../../src/store/store.ts';
import { openTestClock, type TestClock } from '../clock.ts';
import { type FakeOptions, type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import type { Bed } from '../database.ts';

/**
 * A directory, a fake target and the real engine between them, on a clock the test owns. `resident` is bound to the
 * target; `stranger` is a service provider that is not.
 */
export type EngineBed = {
  readonly store: Store;
  readonly clock: TestClock;
  readonly fake: FakeScim2;
  readonly key: Buffer;
  readonly outbound: Outbound;
  readonly targetId: number;
  readonly resident: Origin;
  readonly stranger: Origin;
  /** A forward-only service provider bound to the target, made at the first call. */
  forwarder(): Promise<Origin>;
  /** Starts the engine (again, after `stop`). */
  start(): Promise<Engine>;
  stop(): Promise<void>;
  /** `more` may hold a `password`, as a door would take it. */
  addUser(userName: string, more?: Record<string, unknown>, origin?: Origin): Promise<string>;
  changeUser(id: string, userName: string, more?: Record<string, unknown>, origin?: Origin): Promise<void>;
  /** Takes the password of a user away, as a PATCH does. */
  removePassword(id: string): Promise<void>;
  removeUser(id: string, origin?: Origin): Promise<void>;
  addGroup(displayName: string, memberIds?: readonly string[], origin?: Origin): Promise<string>;
  renameGroup(id: string, displayName: string, memberIds: readonly string[]): Promise<void>;
  /** One PATCH operation on a user. */
  patchUser(id: string, operation: Record<string, unknown>): Promise<void>;
  addMember(groupId: string, memberId: string): Promise<void>;
  removeMember(groupId: string, memberId: string): Promise<void>;
  removeGroup(id: string): Promise<void>;
  /** Lets the engine work until nothing is due, planned or under way, and no wave runs. */
  rest(limitMs?: number): Promise<void>;
  /** Lets test time go on by `ms`, slowly enough for answers and commits to keep up with it. */
  pass(ms: number): Promise<void>;
  /** Somebody else removes a resource at the target. */
  removeThere(endpoint: 'users' | 'groups', remoteId: string): Promise<void>;
  /** Changes whose clear password is still kept. */
  secrets(): Promise<number[]>;
  /** Subjects whose body is kept until their targets have it, and those of whom one was given up. */
  bodies(): Promise<{ kept: string[]; lost: string[] }>;
  accounts(): Promise<AccountRow[]>;
  account(subjectId: string): Promise<AccountRow | undefined>;
  attempts(subjectId?: string): Promise<Selectable<AttemptRow>[]>;
  lanes(): Promise<LaneRow[]>;
  /** The target holds what the directory holds, no more and no less, and refused nothing that was sent. */
  assertAgrees(options?: { strangers?: readonly string[] }): Promise<void>;
};

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Transactions under way, and requests that a fake reads or answers; those it lets wait are not counted. */
function countWork() {
  let began = 0;
  let ended = 0;
  let fake: FakeScim2 | undefined;
  const during = <T>(work: Promise<T>): Promise<T> => {
    began += 1;
    return work.finally(() => {
      ended += 1;
    });
  };
  return {
    underWay: () => began - ended + (fake?.serving ?? 0),
    moved: () => began + ended + (fake?.requests.length ?? 0),
    /** The store itself, as a bed finds what belongs to it by that. */
    countIn(store: Store): Store {
      const { write, read } = store;
      const counted: Pick<Store, 'write' | 'read'> = {
        write: (work, options) => during(write(work, options)),
        read: (work) => during(read(work)),
      };
      return Object.assign(store, counted);
    },
    alsoAt(one: FakeScim2) {
      fake = one;
    },
  };
}

/** A test's clock leaps while a database on the network still works: no node is taken for silent. */
export const everSilentMs = 1_000 * 86_400_000;

export async function openEngineBed(
  bed: Bed,
  options: {
    policy?: Record<string, unknown>;
    fake?: Partial<FakeOptions>;
    settings?: Record<string, string | boolean>;
    passwordsLastMs?: number;
    forwardedLastMs?: number;
    onStatement?: StatementHook;
    silentMs?: number;
  } = {},
): Promise<EngineBed & AsyncDisposable> {
  const work = countWork();
  const clock = openTestClock({ work });
  const store = await bed.open({
    clock,
    time: 'clock',
    ...(options.onStatement ? { onStatement: options.onStatement } : {}),
  });
  work.countIn(store);
  const fake = await startFakeScim2(options.fake);
  work.alsoAt(fake);
  const log = openLog(process.env.PURVEY_TEST_LOG === '1' ? 'debug' : 'silent');
  const key = randomBytes(32);
  const outbound = openOutbound({ clock, log });
  const lastsMs = options.forwardedLastMs ?? 30 * 86_400_000;
  const forwarding = { key, lastsMs, settingOf: readInbound };
  const { targetId, resident, stranger } = await store.write(async (tx) => {
    const idp = await createIdentityProvider(tx, { name: 'partner' });
    const target = await createTarget(tx, { key, kinds: connectorKinds }, idp.id, {
      type: 'SCIM2',
      enabled: true,
      settings: {
        'scim2-authentication-mode': 'basic',
        'scim2-username': 'purvey',
        'scim2-password': 'fake-password',
        'scim2-user-ep': fake.usersEndpoint,
        'scim2-group-ep': fake.groupsEndpoint,
        ...options.settings,
      },
      policy: options.policy ?? {},
    });
    const residentId = await ensureResidentServiceProvider(tx);
    await replaceBindings(tx, residentId, [{ target: target.id }]);
    const other = await createServiceProvider(tx, { name: 'stranger', fallback: 'none' });
    return {
      targetId: target.id,
      resident: { spId: residentId, door: 'scim', actor: 'test', forwarding } satisfies Origin,
      stranger: { spId: other.id, door: 'scim', actor: 'test', forwarding } satisfies Origin,
    };
  });
  let engine: Engine | undefined;
  let forwarderId: number | undefined;
  const keeping = { key, lastsMs: options.passwordsLastMs ?? 7 * 86_400_000 };
  let hashes = 0;
  const signal = <T>(value: T): T => {
    store.signal('changes');
    return value;
  };
  const passwordIn = ({ password }: Record<string, unknown>) =>
    typeof password === 'string'
      ? { passwordHash: `hash ${++hashes}`, clearPassword: { password: new Secret(password), keeping } }
      : {};
  const user = (userName: string, more: Record<string, unknown>) =>
    readResource(userType, { schemas: [userType.schema.id, enterpriseUserUrn], userName, ...more });
  const group = (displayName: string, memberIds: readonly string[]) =>
    readResource(groupType, {
      schemas: [groupType.schema.id],
      displayName,
      members: memberIds.map((value) => ({ value })),
    });
  const patchMembers = async (groupId: string, operation: Record<string, unknown>) => {
    const operations = readPatch(groupType, {
      schemas: [patchUrn],
      Operations: [operation],
    });
    await store.write((tx) => patchGroup(tx, groupId, operations, { origin: resident })).then(signal);
  };
  const made: EngineBed = {
    store,
    clock,
    fake,
    key,
    outbound,
    targetId,
    resident,
    stranger,
    async forwarder() {
      forwarderId ??= await store.write(async (tx) => {
        const { id } = await createServiceProvider(tx, { name: 'forwarder', forwardOnly: true, fallback: 'none' });
        await replaceBindings(tx, id, [{ target: targetId }]);
        return id;
      });
      store.signal('targets');
      return { spId: forwarderId, door: 'scim', actor: 'forwarder', forwarding };
    },
    async start() {
      engine = await startEngine({
        store,
        clock,
        log,
        outbound,
        kinds: connectorKinds,
        key,
        silentMs: options.silentMs ?? everSilentMs,
        random: () => 0.5,
      });
      return engine;
    },
    async stop() {
      const stopped = engine?.stop();
      engine = undefined;
      let done = false;
      void stopped?.then(() => {
        done = true;
      });
      if (stopped) await clock.runUntil(() => done, { what: 'the engine stopping' });
    },
    addUser: (userName, more = {}, origin = resident) =>
      store
        .write((tx) => createUser(tx, user(userName, more), { origin, ...passwordIn(more) }))
        .then((subject) => signal(subject.id)),
    changeUser: (id, userName, more = {}, origin = resident) =>
      store
        .write((tx) => replaceUser(tx, id, user(userName, more), { origin, ...passwordIn(more) }))
        .then(() => signal(undefined)),
    async patchUser(id, operation) {
      const operations = readPatch(userType, { schemas: [patchUrn], Operations: [operation] });
      const value = operation.path === 'password' ? { password: operation.value } : {};
      await store.write((tx) => patchUser(tx, id, operations, { origin: resident, ...passwordIn(value) })).then(signal);
    },
    removePassword: (id) =>
      store
        .write((tx) => patchUser(tx, id, [], { origin: resident, passwordHash: null }))
        .then(() => signal(undefined)),
    removeUser: (id, origin = resident) =>
      store.write((tx) => deleteUser(tx, id, { origin })).then(() => signal(undefined)),
    addGroup: (displayName, memberIds = [], origin = resident) =>
      store
        .write((tx) => createGroup(tx, group(displayName, memberIds), { origin }))
        .then((subject) => signal(subject.id)),
    renameGroup: (id, displayName, memberIds) =>
      store
        .write((tx) => replaceGroup(tx, id, group(displayName, memberIds), { origin: resident }))
        .then(() => signal(undefined)),
    addMember: (groupId, memberId) =>
      patchMembers(groupId, { op: 'add', path: 'members', value: [{ value: memberId }] }),
    removeMember: (groupId, memberId) =>
      patchMembers(groupId, { op: 'remove', path: `members[value eq "${memberId}"]` }),
    removeGroup: (id) => store.write((tx) => deleteGroup(tx, id, { origin: resident })).then(() => signal(undefined)),
    async rest(limitMs = 3_600_000) {
      const quiet = async () => {
        if (engine?.busy) return false;
        const left = await store.read(async (reading) => {
          const { q } = reading;
          const count = (name: 'changes' | 'wakes' | 'descents') =>
            q.selectFrom(name).select((e) => e.fn.countAll().as('n'));
          const unplanned = await reading.first(count('changes').where('unplanned', 'is not', null));
          const wakes = await reading.first(count('wakes'));
          const descents = await reading.first(count('descents'));
          const due = await reading.first(
            q
              .selectFrom('accounts')
              .select((e) => e.fn.countAll().as('n'))
              .where((e) => e('wanted', '>', e.ref('done'))),
          );
          const waves = await reading.first(
            q
              .selectFrom('waves')
              .select((e) => e.fn.countAll().as('n'))
              .where('state', '=', 'running'),
          );
          return Number(unplanned?.n) + Number(wakes?.n) + Number(descents?.n) + Number(due?.n) + Number(waves?.n);
        });
        return left === 0 && !engine?.busy;
      };
      await clock.runUntil(quiet, { limitMs, what: 'rest' });
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= 1_000) {
        await clock.advance(Math.min(left, 1_000));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    async removeThere(endpoint, remoteId) {
      const url = `${endpoint === 'users' ? fake.usersEndpoint : fake.groupsEndpoint}/${encodeURIComponent(remoteId)}`;
      const authorization = `Basic ${Buffer.from('purvey:fake-password').toString('base64')}`;
      const answer = await fetch(url, {
        method: 'DELETE',
        headers: { authorization, accept: 'application/scim+json' },
      });
      assert.equal(answer.status, 204);
    },
    secrets: () =>
      store.read(async (r) =>
        (await r.all(r.q.selectFrom('secrets').select('seq').orderBy('seq'))).map((row) => row.seq),
      ),
    bodies: () =>
      store.read(async (r) => {
        const rows = await r.all(r.q.selectFrom('forwarded_bodies').selectAll().orderBy('subject_id'));
        const ids = (which: typeof rows) => which.map((row) => row.subject_id);
        return {
          kept: ids(rows.filter((row) => row.sealed !== null)),
          lost: ids(rows.filter((row) => row.lost_seq !== null)),
        };
      }),
    accounts: () => store.read((r) => r.all(r.q.selectFrom('accounts').selectAll().orderBy('subject_id'))),
    account: async (subjectId) => (await made.accounts()).find((row) => row.subject_id === subjectId),
    attempts: (subjectId) =>
      store.read((r) => {
        const query = r.q.selectFrom('attempts').selectAll().orderBy('id');
        return r.all(subjectId === undefined ? query : query.where('subject_id', '=', subjectId));
      }),
    lanes: () => store.read((r) => r.all(r.q.selectFrom('lanes').selectAll())),
    assertAgrees: (agree) => assertAgrees(made, agree?.strangers ?? []),
  };
  return {
    ...made,
    async [Symbol.asyncDispose]() {
      fake.heal();
      await made.stop();
      await outbound.close();
      await fake.close();
    },
  };
}

async function assertAgrees(bed: EngineBed, strangers: readonly string[]): Promise<void> {
  const { store, fake } = bed;
  const subjects = await store.read((r) =>
    r.all(r.q.selectFrom('subjects').select(['id', 'kind', 'doc']).where('life', '=', 'live')),
  );
  const members = await store.read((r) => r.all(r.q.selectFrom('members').selectAll()));
  const accounts = (await bed.accounts()).filter((row) => row.target_id === bed.targetId);
  const remoteIdOf = new Map(accounts.map((row) => [row.subject_id, row.remote_id]));
  const docOf = (row: { doc: string }) => JSON.parse(row.doc) as Record<string, unknown>;
  const wantedUsers = subjects
    .filter((row) => row.kind === 'user')
    .map((row) => [row.id, docOf(row).userName, docOf(row).title, docOf(row).active ?? true].join(' '));
  const heldUsers = [...fake.users.values()]
    .filter((held) => !strangers.includes(String(held.userName)))
    .map((held) => [held.externalId, held.userName, held.title, held.active].join(' '));
  assert.deepEqual(heldUsers.sort(), wantedUsers.sort(), 'users at the target');
  const wantedGroups = subjects
    .filter((row) => row.kind === 'group')
    .map((row) =>
      [
        row.id,
        docOf(row).displayName,
        ...members
          .filter((m) => m.group_id === row.id)
          .map((m) => remoteIdOf.get(m.member_id))
          .sort(),
      ].join(' '),
    );
  const heldGroups = [...fake.groups.entries()].map(([id, held]) =>
    [held.resource.externalId, held.resource.displayName, ...fake.membersOf(id)].join(' '),
  );
  assert.deepEqual(heldGroups.sort(), wantedGroups.sort(), 'groups and memberships at the target');
  assert.deepEqual(fake.faults, [], 'what was sent keeps to the RFCs');
}
