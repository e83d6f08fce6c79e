import type { SealingKey } from '../base/secret.ts';
import type { Connector, ConnectorKind, SubjectKind } from '../connectors/connector.ts';
import type { Speaker } from '../directory/changes.ts';
import type { MappingRow } from '../mapping/rows.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { ResourceTypes } from '../protocol/scim/schema.ts';
import type { RuleSettings } from '../rules/decide.ts';
import { openZone } from '../rules/zone.ts';
import type { Reading } from '../store/store.ts';
import { type BindingForDelivery, listBindingsForDelivery, listFallingBack, type OnFailure } from './bindings.ts';
import { readDeliveryStamp } from './delivery-stamp.ts';
import { type KnownPolicies, readPoliciesInForce } from './policies.ts';
import { compileScope, type Scope } from './scope.ts';

import { listTargetsForDelivery, type TargetForDelivery } from './targets.ts';

/** A target ready to be delivered to: its settings opened, its scope parsed, its connector made. */
export type OpenTarget = {
  target: TargetForDelivery;
  connector: Connector;
  rows: readonly MappingRow[];
  /** The attribute that carries the subject's name at the target, by kind. */
  nameAttribute: Record<SubjectKind, string>;
  /** Whether connector and policy send this kind at all. */
  sends(kind: SubjectKind): boolean;
  scope: Scope;
};

/**
 * All targets and who is bound to them, as they were when the book was opened. Immutable; opened anew when they change.
 * A target that is switched off is in it too: what happens meanwhile is planned for it and waits (rule 20 lets in by
 * binding, not by switch).
 */
export type TargetBook = {
  /** The delivery stamp it was read at. */
  stamp: number;
  /** Opens the passwords that accounts owe. */
  key: SealingKey;
  targets: ReadonlyMap<number, OpenTarget>;
  bindings: readonly BindingForDelivery[];
  /**
   * Whether one of these lets in at the target (engine rule 20): who called, by any binding of the service provider, or
   * those of the resident one that it falls back to; who spoke by a sign-in, by one of its own with *Enable JIT* alone.
   */
  isBound(targetId: number, speakers: readonly Speaker[]): boolean;
  /** Those of whom `isBound` holds: their service providers. */
  boundAt(targetId: number): { callers: readonly number[]; signIns: readonly number[] };
  /** The service providers whose calls go by the bindings of the resident one. */
  fallingBack: readonly number[];
  /** The targets that whoever speaks so waits for, in the order of the bindings. */
  blockingOf(speaker: Speaker): readonly BlockingTarget[];
  /** Whether a binding to the target (of this service provider) has *Enable rules* on. */
  asksRules(targetId: number, spId?: number): boolean;
  /** Names of the service providers that are bound, or fall back to one that is, by id. */
  spNames: ReadonlyMap<number, string>;
  policies: KnownPolicies;
  rules: RuleSettings;
};

export type BlockingTarget = { open: OpenTarget; onFailure: OnFailure };

/**
 * Reads targets and bindings. A target whose version is already open in `previous` keeps its connector, with all that
 * the connector has learned about the other side.
 */
export async function openTargetBook(
  reading: Reading,
  options: {
    key: SealingKey;
    kinds: readonly ConnectorKind[];
    outbound: Outbound;
    rules?: RuleSettings;
    types?: ResourceTypes;
  },
  previous?: TargetBook,
): Promise<TargetBook> {
  const stamp = await readDeliveryStamp(reading);
  const targets = new Map<number, OpenTarget>();
  for (const target of await listTargetsForDelivery(reading, options.key)) {
    const kind = options.kinds.find((one) => one.type === target.type);
    if (!kind) continue;
    const known = previous?.targets.get(target.id);
    targets.set(
      target.id,
      known?.target.version === target.version
        ? { ...known, target: { ...target, policy: known.target.policy } }
        : openTarget(withRate(target, kind), kind, options),
    );
  }
  const bindings = (await listBindingsForDelivery(reading)).filter((binding) => targets.has(binding.targetId));
  const bound = { call: indexBySp(bindings), 'sign-in': indexBySp(bindings.filter((binding) => binding.jit)) };
  const asks = indexBySp(bindings.filter((binding) => binding.rules));
  const fallingBack = await listFallingBack(reading);
  const lenders = new Map(fallingBack.map((one) => [one.spId, one.residentId]));
  /** Whose bindings a call of the service provider goes by. */
  const lenderOf = (spId: number) => lenders.get(spId) ?? spId;
  const blocking = bindings.filter((binding) => binding.blocking);
  return {
    stamp,
    key: options.key,
    targets,
    bindings,
    isBound: (targetId, speakers) =>
      speakers.some(({ spId, by }) => bound[by].get(targetId)?.has(by === 'call' ? lenderOf(spId) : spId) === true),
    boundAt: (targetId) => {
      const own = bound.call.get(targetId) ?? new Set();
      return {
        callers: [...own, ...fallingBack.filter((one) => own.has(one.residentId)).map((one) => one.spId)],
        signIns: [...(bound['sign-in'].get(targetId) ?? [])],
      };
    },
    fallingBack: fallingBack.map((one) => one.spId),
    blockingOf: ({ spId, by }) =>
      blocking
        .filter((binding) => (by === 'call' ? binding.spId === lenderOf(spId) : binding.spId === spId && binding.jit))
        .map(({ targetId, onFailure }) => ({ open: targets.get(targetId)!, onFailure })),
    asksRules: (targetId, spId) =>
      spId === undefined ? asks.has(targetId) : asks.get(targetId)?.has(lenderOf(spId)) === true,
    spNames: new Map([...bindings, ...fallingBack].map((one) => [one.spId, one.serviceProvider])),
    policies: await readPoliciesInForce(reading, previous?.policies),
    rules: options.rules ?? { zone: openZone('UTC') },
  };
}

/** The service providers of some bindings, by target. */
function indexBySp(bindings: readonly BindingForDelivery[]): Map<number, Set<number>> {
  const index = new Map<number, Set<number>>();
  for (const { spId, targetId } of bindings) index.set(targetId, (index.get(targetId) ?? new Set()).add(spId));
  return index;
}

/** A rate that the connector knows of holds where the policy has none. */
function withRate(target: TargetForDelivery, kind: ConnectorKind): TargetForDelivery {
  if (target.policy.requestsPerSecond !== undefined) return target;
  const requestsPerSecond = kind.policyDefaults?.(target.values).requestsPerSecond;
  return requestsPerSecond === undefined ? target : { ...target, policy: { ...target.policy, requestsPerSecond } };
}

function openTarget(
  target: TargetForDelivery,
  kind: ConnectorKind,
  { outbound, types }: { outbound: Outbound; types?: ResourceTypes },
): OpenTarget {
  const connector = kind.open(target.values, outbound);
  return {
    target,
    connector,
    rows: kind.mapping,
    nameAttribute: { user: nameAttribute(kind, 'user'), group: nameAttribute(kind, 'group') },
    sends: (subjectKind) =>
      connector.sends(subjectKind) && !(subjectKind === 'group' && target.policy.groups === 'none'),
    scope: compileScope(target.policy, types),
  };
}

function nameAttribute(kind: ConnectorKind, subjectKind: SubjectKind): string {
  return kind.mapping.find((row) => row.kind === subjectKind && row.from === '$name')?.to ?? '';
}

/**
 * Whether a change for this service provider makes accounts at the target due: `follow: any | bound` (engine rule 20). By
 * a sign-in too, *Enable JIT* or not: that is about letting in.
 */
export function followsChange(book: TargetBook, targetId: number, spId: number): boolean {
  return book.targets.get(targetId)?.target.policy.follow !== 'bound' || book.isBound(targetId, [{ spId, by: 'call' }]);
}
