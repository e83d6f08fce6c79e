import type { Absent, Connector, ConnectorKind, Exists, Failure, Remote } from '../../../src/connectors/connector.ts';
import type { MappingRow } from '../../../src/mapping/rows.ts';
import type { Answer, Courier } from '../../../src/outbound/courier.ts';
import { enterpriseUserUrn } from '../../../src/protocol/scim/schema.ts';
import { type Heard, nameOf, type Said, type Shown, type TargetTraits } from './memory-target.ts';

/** The manager's remote id there. */
export const managerPath = 'manager';

const mapping: readonly MappingRow[] = [
  { kind: 'user', to: 'userName', from: '$name' },
  { kind: 'user', to: 'externalId', from: '$id' },
  { kind: 'user', to: 'title', from: 'title' },
  { kind: 'user', to: 'active', from: 'active', otherwise: true },
  { kind: 'user', to: managerPath, from: `${enterpriseUserUrn}:manager.value`, reference: true },
  { kind: 'group', to: 'displayName', from: '$name' },
  { kind: 'group', to: 'externalId', from: '$id' },
];

/**
 * A connector for a target in memory. Everything it says goes through the attempt's courier, as from any connector, and
 * the courier decides what becomes of it.
 */
export function makeMemoryKind(traits: () => TargetTraits): ConnectorKind {
  return {
    type: 'memory',
    label: 'In memory',
    settings: [],
    mapping,
    checkSettings: () => [],
    open: () => openConnector(traits),
  };
}

function openConnector(traits: () => TargetTraits): Connector {
  return {
    sends: () => true,
    takesPasswords: true,
    hasDefaultPassword: false,
    writeName: (_, name) => name,
    async describe() {
      return { outcome: 'done', patch: traits().patch, membersPerRequest: traits().membersPerRequest };
    },
    async find(courier, ask) {
      const heard = judge(await say(courier, { say: 'find', ...ask }));
      return 'outcome' in heard
        ? asFailure(heard)
        : { outcome: 'done', found: (heard.found ?? []).map((shown) => toRemote(shown, ask.kind)) };
    },
    async read(courier, kind, id) {
      const heard = judge(await say(courier, { say: 'read', kind, id }));
      if ('outcome' in heard) return heard.outcome === 'exists' ? asFailure(heard) : heard;
      return { outcome: 'done', remote: toRemote({ id, attributes: heard.attributes ?? {} }, kind) };
    },
    async create(courier, { kind, attributes, members = [], password }) {
      const said: Said = { say: 'create', kind, attributes, members: members.map((one) => one.remoteId) };
      if (password !== undefined && password !== 'none') said.password = password.reveal();
      const heard = judge(await say(courier, said));
      if ('outcome' in heard) return heard.outcome === 'absent' ? asFailure(heard) : heard;
      if (heard.id === undefined) return { outcome: 'unknown', reason: 'created, without an id' };
      return { outcome: 'done', remoteId: heard.id };
    },
    async update(courier, { kind, remoteId, attributes, set, unset, members }) {
      // A PUT says the whole; what is not in it is taken away.
      const whole = !traits().patch;
      const there = { say: 'update', kind, id: remoteId } as const;
      const said: Said = whole
        ? { ...there, set: attributes, unset: mapping.map((row) => row.to).filter((path) => !(path in attributes)) }
        : { ...there, set, unset };
      if (members) said.members = members.map((one) => one.remoteId);
      const heard = judge(await say(courier, said));
      return 'outcome' in heard ? heard : { outcome: 'done' };
    },
    async changeMembers(courier, { remoteId, add, remove }) {
      const ids = (list: typeof add) => list.map((one) => one.remoteId);
      const heard = judge(await say(courier, { say: 'members', id: remoteId, add: ids(add), remove: ids(remove) }));
      if ('outcome' in heard) return heard.outcome === 'exists' ? asFailure(heard) : heard;
      return { outcome: 'done' };
    },
    async changePassword(courier, { remoteId, password, attributes }) {
      const said: Said = { say: 'password', kind: 'user', id: remoteId, password: password.reveal() };
      if (!traits().patch) said.whole = attributes;
      const heard = judge(await say(courier, said));
      if (!('outcome' in heard)) return { outcome: 'done' };
      return heard.outcome === 'exists' ? { outcome: 'refused', reason: heard.reason } : heard;
    },
    async remove(courier, kind, id) {
      const heard = judge(await say(courier, { say: 'remove', kind, id }));
      if ('outcome' in heard) return heard.outcome === 'exists' ? asFailure(heard) : heard;
      return { outcome: 'done' };
    },
    async test() {
      return [];
    },
  };
}

function say(courier: Courier, said: Said): Promise<Answer> {
  const changes = said.say !== 'find' && said.say !== 'read';
  const request = { method: changes ? 'POST' : 'GET', url: `memory:${said.say}`, body: said } as const;
  return changes ? courier.mutate(request) : courier.read(request);
}

/** Statuses mean here what they mean to the SCIM connectors. */
function judge(answer: Answer): Heard | Failure | Absent | Exists {
  if (answer.ended === 'unknown') return { outcome: 'unknown', reason: answer.reason };
  if (answer.ended === 'not-sent') {
    const scope = answer.cause === 'deadline' ? 'account' : 'target';
    return { outcome: 'unavailable', scope, reason: answer.reason };
  }
  const reason = `the target answered ${answer.status}`;
  switch (answer.status) {
    case 400:
      return { outcome: 'refused', reason };
    case 401:
      return { outcome: 'unavailable', scope: 'target', reason };
    case 404:
      return { outcome: 'absent', reason };
    case 409:
      return { outcome: 'exists', reason };
    case 429:
      return { outcome: 'unavailable', scope: 'target', throttled: true, retryAfterMs: 3_000, reason };
    case 503:
      return { outcome: 'unavailable', scope: 'account', reason };
  }
  return answer.status < 300 ? (answer.body as Heard) : { outcome: 'unknown', reason };
}

/** An answer that makes no sense to what was asked. */
function asFailure(verdict: Failure | Absent | Exists): Failure {
  return verdict.outcome === 'absent' || verdict.outcome === 'exists'
    ? { outcome: 'unknown', reason: verdict.reason }
    : verdict;
}

function toRemote({ id, attributes }: Shown, kind: 'user' | 'group'): Remote {
  const mark = attributes['externalId'];
  return {
    remoteId: id,
    externalId: typeof mark === 'string' ? mark : undefined,
    name: String(attributes[nameOf[kind]] ?? ''),
    attributes,
  };
}
