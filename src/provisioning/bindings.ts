import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { readFields, readFlag } from './names.ts';
import { readTarget } from './targets.ts';

/** Rows of `bindings`: what they may be, and what they mean for a target. `service-providers.ts` writes them. */

/** A row of a service provider's outbound provisioning configuration. */
export type Binding = {
  targetId: number;
  /** `partner:SCIM2`. */
  target: string;
  /** Doors wait for its deliveries before they answer (`wait.ts`). */
  blocking: boolean;
  /** What a door that waited answers when the delivery did not end well: that it did not, or an error. */
  onFailure: OnFailure;
  rules: boolean;
  jit: boolean;
  enabled: boolean;
};

export type OnFailure = 'report' | 'fail';

const bindingFields = ['target', 'blocking', 'onFailure', 'rules', 'jit', 'enabled'] as const;

/** A binding as the engine and the doors need it. */
export type BindingForDelivery = {
  spId: number;
  serviceProvider: string;
  targetId: number;
  blocking: boolean;
  onFailure: OnFailure;
  /** *Enable rules*. */
  rules: boolean;
  /** *Enable JIT*. */
  jit: boolean;
};

const selectEnabledBindings = prepare<
  Record<string, never>,
  {
    sp_id: number;
    name: string;
    target_id: number;
    blocking: number;
    on_failure: OnFailure;
    rules: number;
    jit: number;
  }
>((q) =>
  q
    .selectFrom('bindings as b')
    .innerJoin('service_providers as s', 's.id', 'b.sp_id')
    .select(['b.sp_id', 's.name', 'b.target_id', 'b.blocking', 'b.on_failure', 'b.rules', 'b.jit'])
    .where('b.enabled', '=', 1)
    .orderBy('b.sp_id')
    .orderBy('b.position'),
);

/** Every enabled binding, also those whose target is switched off, each service provider's in its order. */
export async function listBindingsForDelivery(reading: Reading): Promise<BindingForDelivery[]> {
  const rows = await reading.run(selectEnabledBindings, {});
  return rows.map((row) => ({
    spId: row.sp_id,
    serviceProvider: row.name,
    targetId: row.target_id,
    blocking: row.blocking === 1,
    onFailure: row.on_failure,
    rules: row.rules === 1,
    jit: row.jit === 1,
  }));
}

type FallingBack = { id: number; name: string; resident_id: number };

const selectFallingBack = prepare<Record<string, never>, FallingBack>(
  () => sql<FallingBack>`
    select s.id, s.name, r.id as resident_id from service_providers s join service_providers r on r.resident = 1
    where s.resident = 0 and s.fallback = 'resident' and not exists (select 1 from bindings b where b.sp_id = s.id)
    order by s.id`,
);

/** The service providers whose calls go by the bindings of the resident one, since they have none of their own. */
export async function listFallingBack(
  reading: Reading,
): Promise<{ spId: number; serviceProvider: string; residentId: number }[]> {
  const rows = await reading.run(selectFallingBack, {});
  return rows.map((row) => ({ spId: row.id, serviceProvider: row.name, residentId: row.resident_id }));
}

/** What a service provider with no bindings of its own goes by: the resident one's, or nothing. */
export type Fallback = 'resident' | 'none';

/**
 * The bindings that calls of a service provider go by. Those it falls back to are not for sign-ins. A binding that is
 * switched off is one of its own.
 */
export function bindingsInEffect(
  provider: { resident: boolean; fallback: Fallback; bindings: readonly Binding[] },
  ofResident: readonly Binding[],
): readonly Binding[] {
  const { resident, fallback, bindings } = provider;
  if (resident || fallback === 'none' || bindings.length > 0) return bindings;
  return ofResident.map((binding) => ({ ...binding, jit: false }));
}

/**
 * Where accounts stand otherwise once the bindings in effect are others (`concerned`), and where they let somebody in who
 * was not let in before (`letsIn`): targets, in order.
 */
export function compareBindings(
  before: readonly Binding[],
  after: readonly Binding[],
): { concerned: number[]; letsIn: number[] } {
  const at = (bindings: readonly Binding[], targetId: number) =>
    bindings.find((one) => one.targetId === targetId && one.enabled);
  const changes = [...new Set([...before, ...after].map((binding) => binding.targetId))]
    .sort((one, other) => one - other)
    .map((targetId) => ({ targetId, old: at(before, targetId), now: at(after, targetId) }));
  const concerned = changes.filter(
    ({ old, now }) => (old === undefined) !== (now === undefined) || old?.rules !== now?.rules || old?.jit !== now?.jit,
  );
  return {
    concerned: concerned.map(({ targetId }) => targetId),
    letsIn: concerned.filter(({ old, now }) => !old || (now?.jit && !old.jit)).map(({ targetId }) => targetId),
  };
}

/** Checks a row as it was given. Throws Problem `invalidValue` with its field. */
export async function readBinding(
  tx: Tx,
  input: unknown,
  field: string,
  { before, isResident }: { before: readonly Binding[]; isResident: boolean },
): Promise<Binding> {
  const given = readFields(input, field, bindingFields);
  if (typeof given.target !== 'string' && typeof given.target !== 'number') {
    const why = 'a binding names its target, by id or as partner:SCIM2';
    throw new Problem('invalidValue', why, { field: `${field}.target` });
  }
  const target = await readTarget(tx, given.target).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    throw new Problem('invalidValue', error.message, { field: `${field}.target` });
  });
  const jit = readFlag(given.jit, `${field}.jit`, false);
  if (jit && isResident) {
    const why =
      'nobody signs in to the resident service provider, so Enable JIT would do nothing there: switch it on at the binding of the application that people sign in to';
    throw new Problem('invalidValue', why, { field: `${field}.jit` });
  }
  const rules = readFlag(given.rules, `${field}.rules`, false);
  const blocking = readFlag(given.blocking, `${field}.blocking`, false);
  const onFailure = readOnFailure(given.onFailure, blocking, `${field}.onFailure`);
  const enabled = readFlag(given.enabled, `${field}.enabled`, true);
  const isKnown = before.some((binding) => binding.targetId === target.id);
  if (!isKnown && !(target.enabled && target.idpEnabled)) {
    const which = target.enabled ? `the identity provider ${target.idpName}` : `the connector ${target.name}`;
    const why = `only enabled connectors can be bound, and ${which} is switched off: enable it first`;
    throw new Problem('invalidValue', why, { field: `${field}.target` });
  }
  return { targetId: target.id, target: target.name, blocking, onFailure, rules, jit, enabled };
}

function readOnFailure(value: unknown, blocking: boolean, field: string): OnFailure {
  if (value === undefined || value === null || value === 'report') return 'report';
  if (value !== 'fail') {
    const why = `onFailure must be report or fail, not ${JSON.stringify(value).slice(0, 100)}`;
    throw new Problem('invalidValue', why, { field });
  }
  if (blocking) return 'fail';
  const why =
    'only a blocking binding can fail a request, since nobody waits for the others: switch blocking on, or leave onFailure at report';
  throw new Problem('invalidValue', why, { field });
}

/** Bindings in their order, of one service provider or of all. */
export async function listBindingRows(reading: Reading, spId?: number): Promise<(Binding & { spId: number })[]> {
  const query = reading.q
    .selectFrom('bindings as b')
    .innerJoin('targets as t', 't.id', 'b.target_id')
    .innerJoin('identity_providers as i', 'i.id', 't.idp_id')
    .select([
      'b.sp_id',
      'b.target_id',
      'b.blocking',
      'b.on_failure',
      'b.rules',
      'b.jit',
      'b.enabled',
      'i.name',
      't.type',
    ])
    .orderBy('b.sp_id')
    .orderBy('b.position');
  const rows = await reading.all(spId === undefined ? query : query.where('b.sp_id', '=', spId));
  return rows.map((row) => ({
    spId: row.sp_id,
    targetId: row.target_id,
    target: `${row.name}:${row.type}`,
    blocking: row.blocking === 1,
    onFailure: row.on_failure,
    rules: row.rules === 1,
    jit: row.jit === 1,
    enabled: row.enabled === 1,
  }));
}
