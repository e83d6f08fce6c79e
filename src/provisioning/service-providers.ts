import { type Selectable, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { InboundSetting } from '../directory/changes.ts';
import { findDomain } from '../directory/domains.ts';
import type { ServiceProviderRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import {
  type Binding,
  bindingsInEffect,
  compareBindings,
  type Fallback,
  listBindingRows,
  readBinding,
} from './bindings.ts';
import { raiseDeliveryStamp } from './delivery-stamp.ts';
import { readFields, readFlag, readName, readOptionalText } from './names.ts';
import { type PersonClaim, readRequestedClaims } from './requested-claims.ts';
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
  /** By which bindings its calls go while it has none of its own. Nothing to the resident one. */
  fallback: Fallback;
  /** The user store domain that SCIM makes users and groups in for it; null: the one their names say. */
  userStoreDomain: string | null;
  /** What it is told of who signs in to it, besides who it is; empty: all that its scopes tell. */
  requestedClaims: PersonClaim[];
  bindings: Binding[];
  createdAt: number;
  modifiedAt: number;
};

const fields = ['name', 'description', 'forwardOnly', 'fallback', 'userStoreDomain', 'requestedClaims'] as const;
const settable = ['name', 'description', 'forward_only', 'fallback', 'user_store_domain', 'requested_claims'] as const;

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
  const columns = await readColumns(tx, input, false);
  const row = await naming(columns.name, () =>
    tx.first(
      tx.q
        .insertInto('service_providers')
        .values({ ...columns, resident: 0, created_at: tx.now, modified_at: tx.now })
        .returning('id'),
    ),
  );
  // What it falls back to is known to the planner before its first change.
  await raiseDeliveryStamp(tx);
  return readServiceProvider(tx, row!.id);
}

/**
 * Replaces name, description and settings. Whoever was made before stays as it was made. Where it falls back to other
 * bindings than before, accounts are looked at again as by `replaceBindings`. Nothing is written when nothing differs.
 */
export async function replaceServiceProvider(
  tx: Tx,
  id: number,
  input: unknown,
  actor = 'purvey',
): Promise<{ serviceProvider: ServiceProvider; changed: boolean }> {
  const found = await lockServiceProvider(tx, id);
  const columns = await readColumns(tx, input, found.resident === 1);
  const changed = settable.some((each) => columns[each] !== found[each]);
  if (changed) {
    const bindings = await listBindingRows(tx, id);
    const { concerned } = await compareInEffect(tx, { ...found, bindings }, { ...found, ...columns, bindings });
    const update = tx.q.updateTable('service_providers').set({ ...columns, modified_at: tx.now });
    await naming(columns.name, () => tx.all(update.where('id', '=', id)));
    await lookAgain(tx, concerned, actor);
  }
  return { serviceProvider: await readServiceProvider(tx, id), changed };
}

/**
 * Throws `conflict` for the resident one, and while it has bindings or API tokens. Whom it let in by the bindings that it
 * fell back to is looked at again.
 */
export async function removeServiceProvider(tx: Tx, id: number, actor = 'purvey'): Promise<void> {
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
  const { concerned } = await compareInEffect(tx, { ...found, bindings }, { ...found, bindings, fallback: 'none' });
  await tx.all(tx.q.deleteFrom('service_providers').where('id', '=', id));
  await lookAgain(tx, concerned, actor);
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
  const found = await lockServiceProvider(tx, spId);
  const before = await listBindingRows(tx, spId);
  const wanted: Binding[] = [];
  for (const [n, each] of input.entries()) {
    const binding = await readBinding(tx, each, `bindings[${n}]`, { before, isResident: found.resident === 1 });
    if (wanted.some((other) => other.targetId === binding.targetId)) {
      const field = `bindings[${n}].target`;
      throw new Problem('invalidValue', `${binding.target} is in the list twice`, { field });
    }
    wanted.push(binding);
  }
  const { concerned, letsIn } = await compareInEffect(
    tx,
    { ...found, bindings: before },
    { ...found, bindings: wanted },
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
    await lookAgain(tx, concerned, actor);
  }
  return { serviceProvider: await readServiceProvider(tx, spId), changed, concerned, letsIn };
}

type Standing = Pick<Selectable<ServiceProviderRow>, 'resident' | 'fallback'> & { bindings: readonly Binding[] };

/** `compareBindings` with what the service provider falls back to. */
async function compareInEffect(tx: Tx, before: Standing, after: Standing) {
  const ofResident = before.resident === 1 ? [] : await listBindingsOfResident(tx);
  const inEffect = (one: Standing) => bindingsInEffect({ ...one, resident: one.resident === 1 }, ofResident);
  return compareBindings(inEffect(before), inEffect(after));
}

async function listBindingsOfResident(tx: Tx): Promise<Binding[]> {
  const row = await tx.first(tx.q.selectFrom('service_providers').select('id').where('resident', '=', 1));
  return row ? listBindingRows(tx, row.id) : [];
}

async function lookAgain(tx: Tx, targetIds: readonly number[], actor: string): Promise<void> {
  await raiseDeliveryStamp(tx);
  for (const targetId of targetIds) await startAccountsWave(tx, { targetId, cause: 'binding changed', actor });
}

type InboundColumns = { forward_only: number; user_store_domain: string | null; bound: number };

const selectInbound = prepare<{ id: number }, InboundColumns>(
  (_, p) => sql<InboundColumns>`
    select s.forward_only, s.user_store_domain,
      case when exists (select 1 from bindings b where b.sp_id = s.id and b.enabled = 1)
        or (s.fallback = 'resident' and not exists (select 1 from bindings b where b.sp_id = s.id)
          and exists (
            select 1 from bindings b join service_providers r on r.id = b.sp_id where r.resident = 1 and b.enabled = 1))
      then 1 else 0 end as bound
    from service_providers s where s.id = ${p.id}`,
);

/**
 * How what is made for a service provider is kept, and where. `bound`: by an enabled binding, its own or the one it falls
 * back to. Neither for none.
 */
export async function readInbound(reading: Reading, spId: number): Promise<InboundSetting> {
  const [row] = await reading.run(selectInbound, { id: spId });
  return {
    forwardOnly: row?.forward_only === 1,
    bound: row?.bound === 1,
    userStoreDomain: row?.user_store_domain ?? undefined,
  };
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

async function readColumns(reading: Reading, input: unknown, isResident: boolean) {
  const given = readFields(input, 'body', fields);
  const { name, key } = readName(given.name, 'a service provider');
  const claims = readRequestedClaims(given.requestedClaims);
  return {
    name,
    name_key: key,
    description: readOptionalText(given.description, 'description', 2_000),
    forward_only: readFlag(given.forwardOnly, 'forwardOnly', false) ? 1 : 0,
    fallback: readFallback(given.fallback, isResident),
    user_store_domain: await readStoreDomain(reading, given.userStoreDomain),
    requested_claims: claims.length === 0 ? null : JSON.stringify(claims),
  };
}

function readFallback(value: unknown, isResident: boolean): Fallback {
  const refuse = (why: string) => {
    throw new Problem('invalidValue', why, { field: 'fallback' });
  };
  if (value === undefined || value === null || value === 'resident') return 'resident';
  if (value !== 'none') return refuse(`fallback must be resident or none, not ${JSON.stringify(value).slice(0, 100)}`);
  if (isResident) return refuse('the resident service provider falls back to nothing anyway: leave fallback out');
  return 'none';
}

async function readStoreDomain(reading: Reading, value: unknown): Promise<string | null> {
  const field = 'userStoreDomain';
  const text = readOptionalText(value, field, 64);
  if (text === null) return null;
  const known = await findDomain(reading, text);
  if (known !== undefined) return known;
  throw new Problem('invalidValue', `there is no user store domain ${text}: make it first`, { field });
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
    fallback: row.fallback,
    userStoreDomain: row.user_store_domain,
    requestedClaims: row.requested_claims === null ? [] : JSON.parse(row.requested_claims),
    bindings: bindings.filter((one) => one.spId === row.id).map(({ spId: _, ...binding }) => binding),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
