import { type Selectable, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { ServiceProviderRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { raiseDeliveryStamp } from './delivery-stamp.ts';
import { readFields, readFlag, readName, readOptionalText } from './names.ts';
import { readTarget } from './targets.ts';
import { startAccountsWave } from './waves.ts';

/** The only writer of `service_providers` and `bindings`: who changes are made for, and where they go. */
export type ServiceProvider = {
  id: number;
  name: string;
  description: string | null;
  /** The one that console, SOAP and Basic-authenticated SCIM speak for. It cannot be removed. */
  resident: boolean;
  /** What SCIM makes for it goes to its targets and is not kept in the directory. */
  forwardOnly: boolean;
  bindings: Binding[];
  createdAt: number;
  modifiedAt: number;
};

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

const fields = ['name', 'description', 'forwardOnly'] as const;
const bindingFields = ['target', 'blocking', 'onFailure', 'rules', 'jit', 'enabled'] as const;

/** The name of the resident service provider when it is first made; it may be renamed. */
export const residentName = 'resident';

/** Makes the resident service provider where there is none; answers with its id. Safe to repeat. */
export async function ensureResidentServiceProvider(tx: Tx): Promise<number> {
  const insert = tx.q
    .insertInto('service_providers')
    .values({
      name: residentName,
      name_key: fold(residentName),
      description: 'The directory itself: changes made in the console, by SOAP, and by SCIM with Basic authentication',
      resident: 1,
      created_at: tx.now,
      modified_at: tx.now,
    })
    .onConflict((conflict) => conflict.doNothing());
  await tx.all(insert);
  const row = await tx.first(tx.q.selectFrom('service_providers').select('id').where('resident', '=', 1));
  return row!.id;
}

/** Throws Problem `invalidValue` or, for a name taken (compared without case), `uniqueness`, each with its `field`. */
export async function createServiceProvider(tx: Tx, input: unknown): Promise<ServiceProvider> {
  const columns = readColumns(input);
  const row = await naming(columns.name, () =>
    tx.first(
      tx.q
        .insertInto('service_providers')
        .values({ ...columns, resident: 0, created_at: tx.now, modified_at: tx.now })
        .returning('id'),
    ),
  );
  return readServiceProvider(tx, row!.id);
}

/** Replaces name, description and mode. Whoever was made before stays as it was made. Nothing is written when nothing differs. */
export async function replaceServiceProvider(
  tx: Tx,
  id: number,
  input: unknown,
): Promise<{ serviceProvider: ServiceProvider; changed: boolean }> {
  const columns = readColumns(input);
  const found = await lockServiceProvider(tx, id);
  const changed = (['name', 'description', 'forward_only'] as const).some((each) => columns[each] !== found[each]);
  if (changed) {
    const update = tx.q.updateTable('service_providers').set({ ...columns, modified_at: tx.now });
    await naming(columns.name, () => tx.all(update.where('id', '=', id)));
  }
  return { serviceProvider: await readServiceProvider(tx, id), changed };
}

/** Throws `conflict` for the resident one, and while it has bindings or API tokens. */
export async function removeServiceProvider(tx: Tx, id: number): Promise<void> {
  const found = await lockServiceProvider(tx, id);
  const refuse = (why: string) => {
    throw new Problem('conflict', why);
  };
  if (found.resident === 1) refuse('the resident service provider cannot be removed: empty its bindings instead');
  const bindings = await listBindingRows(tx, id);
  if (bindings.length > 0) {
    refuse(`it is bound to ${bindings.map((one) => one.target).join(', ')}: empty its bindings first`);
  }
  const tokens = await tx.all(tx.q.selectFrom('api_tokens').select('label').where('sp_id', '=', id));
  if (tokens.length > 0) {
    refuse(`API tokens speak for it (${tokens.map((token) => token.label).join(', ')}): revoke them first`);
  }
  await tx.all(tx.q.deleteFrom('service_providers').where('id', '=', id));
}

/** The resident one first, then by name. */
export async function listServiceProviders(reading: Reading): Promise<ServiceProvider[]> {
  const query = reading.q.selectFrom('service_providers').selectAll();
  const rows = await reading.all(query.orderBy('resident', 'desc').orderBy('name_key'));
  const bindings = await listBindingRows(reading);
  return rows.map((row) => fromRow(row, bindings));
}

/** By id, or by name without case; `resident` also finds the resident one by any name it has. Throws `notFound`. */
export async function readServiceProvider(reading: Reading, idOrName: string | number): Promise<ServiceProvider> {
  const text = String(idOrName);
  const query = reading.q.selectFrom('service_providers').selectAll();
  let row = await reading.first(
    /^\d{1,15}$/.test(text) ? query.where('id', '=', Number(text)) : query.where('name_key', '=', fold(text)),
  );
  if (!row && fold(text) === residentName) row = await reading.first(query.where('resident', '=', 1));
  if (!row) throw new Problem('notFound', `there is no service provider ${text}`);
  return fromRow(row, await listBindingRows(reading, row.id));
}

/**
 * Replaces the whole list of bindings, in this order. A row is `{ target, blocking?, onFailure?, rules?, jit?, enabled? }`,
 * where `target` is an id or a name; what is left out is off, except `enabled`. Only enabled targets can be bound anew.
 * `jit` is for applications: it throws Problem `invalidValue` for the resident one. Nothing is written when nothing differs.
 *
 * Accounts at targets that a binding came to, or left, or where it asks rules, or lets in at sign-ins, or no longer does, are
 * looked at again by a wave: who was here before, and changed
 * or left while nothing was bound, is brought up to date (engine rule 20). Nobody is let in by that alone (rule 21):
 * `letsIn` are the targets for which a sync would, `concerned` those where accounts are looked at again.
 */
export async function replaceBindings(
  tx: Tx,
  spId: number,
  input: unknown,
  actor = 'purvey',
): Promise<{ serviceProvider: ServiceProvider; changed: boolean; concerned: number[]; letsIn: number[] }> {
  if (!Array.isArray(input)) {
    throw new Problem('invalidValue', 'bindings must be a list', { field: 'bindings' });
  }
  const { resident } = await lockServiceProvider(tx, spId);
  const before = await listBindingRows(tx, spId);
  const wanted: Binding[] = [];
  for (const [n, each] of input.entries()) {
    const binding = await readBinding(tx, each, `bindings[${n}]`, { before, isResident: resident === 1 });
    if (wanted.some((other) => other.targetId === binding.targetId)) {
      const field = `bindings[${n}].target`;
      throw new Problem('invalidValue', `${binding.target} is in the list twice`, { field });
    }
    wanted.push(binding);
  }
  const standingOf = (bindings: readonly Binding[], targetId: number) => {
    const binding = bindings.find((one) => one.targetId === targetId && one.enabled);
    return binding && `${binding.jit ? 'lets in at sign-ins too' : 'lets in'}${binding.rules ? ', asks rules' : ''}`;
  };
  const atSignIns = (bindings: readonly Binding[], targetId: number) =>
    bindings.some((one) => one.targetId === targetId && one.enabled && one.jit);
  const concerned = [...new Set([...before, ...wanted].map((binding) => binding.targetId))]
    .filter((targetId) => standingOf(before, targetId) !== standingOf(wanted, targetId))
    .sort((one, other) => one - other);
  const letsIn = concerned.filter(
    (targetId) =>
      standingOf(before, targetId) === undefined || (atSignIns(wanted, targetId) && !atSignIns(before, targetId)),
  );
  const changed = JSON.stringify(wanted) !== JSON.stringify(before.map(({ spId: _, ...binding }) => binding));
  if (changed) {
    await tx.all(tx.q.deleteFrom('bindings').where('sp_id', '=', spId));
    for (const [position, binding] of wanted.entries()) {
      await tx.all(
        tx.q.insertInto('bindings').values({
          sp_id: spId,
          target_id: binding.targetId,
          blocking: binding.blocking ? 1 : 0,
          on_failure: binding.onFailure,
          rules: binding.rules ? 1 : 0,
          jit: binding.jit ? 1 : 0,
          enabled: binding.enabled ? 1 : 0,
          position,
        }),
      );
    }
    await tx.all(tx.q.updateTable('service_providers').set({ modified_at: tx.now }).where('id', '=', spId));
    await raiseDeliveryStamp(tx);
    for (const targetId of concerned) {
      await startAccountsWave(tx, { targetId, cause: 'binding changed', actor });
    }
  }
  return { serviceProvider: await readServiceProvider(tx, spId), changed, concerned, letsIn };
}

const selectForwarding = prepare<{ id: number }, { forward_only: number; bound: number }>(
  (_, p) => sql<{ forward_only: number; bound: number }>`
    select s.forward_only,
      case when exists (select 1 from bindings b where b.sp_id = s.id and b.enabled = 1) then 1 else 0 end as bound
    from service_providers s where s.id = ${p.id}`,
);

/** Whether what is made for a service provider is only forwarded, and whether it has an enabled binding; neither for none. */
export async function readForwarding(
  reading: Reading,
  spId: number,
): Promise<{ forwardOnly: boolean; bound: boolean }> {
  const [row] = await reading.run(selectForwarding, { id: spId });
  return { forwardOnly: row?.forward_only === 1, bound: row?.bound === 1 };
}

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

async function readBinding(
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

async function listBindingRows(reading: Reading, spId?: number): Promise<(Binding & { spId: number })[]> {
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

async function lockServiceProvider(tx: Tx, id: number) {
  const query = tx.q.selectFrom('service_providers').selectAll().where('id', '=', id);
  const found = await tx.first(query.modifyEnd(tx.dialect.forUpdate));
  if (!found) throw new Problem('notFound', `there is no service provider ${id}`);
  return found;
}

async function naming<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `there is already a service provider called ${name}`, { field: 'name' });
  }
}

function readColumns(input: unknown) {
  const given = readFields(input, 'body', fields);
  const { name, key } = readName(given.name, 'a service provider');
  return {
    name,
    name_key: key,
    description: readOptionalText(given.description, 'description', 2_000),
    forward_only: readFlag(given.forwardOnly, 'forwardOnly', false) ? 1 : 0,
  };
}

function fromRow(
  row: Selectable<ServiceProviderRow>,
  bindings: readonly (Binding & { spId: number })[],
): ServiceProvider {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    resident: row.resident === 1,
    forwardOnly: row.forward_only === 1,
    bindings: bindings.filter((one) => one.spId === row.id).map(({ spId: _, ...binding }) => binding),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
