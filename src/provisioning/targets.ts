import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { SealingKey } from '../base/secret.ts';
import type { ConnectorKind, SettingValues } from '../connectors/connector.ts';
import { coreTypes, type ResourceTypes } from '../protocol/scim/schema.ts';
import type { TargetRow } from '../store/schema.ts';
import { type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { raiseDeliveryStamp } from './delivery-stamp.ts';
import { readFields, readFlag } from './names.ts';
import { readPolicy, type TargetPolicy } from './policy.ts';
import { askWhichSystem } from './same-system.ts';
import { openSettings, readSettings, type ShownSettings, sealSettings, showSettings } from './target-settings.ts';
import { startAccountsWave } from './waves.ts';

/** The only writer of `targets`: one connector configured on one identity provider, one of a type. */
export type Target = {
  id: number;
  /** `<identity provider>:<type>`, such as `partner:SCIM2`. */
  name: string;
  idpId: number;
  idpName: string;
  type: string;
  /** Its own switch; it delivers only while its identity provider is enabled too. */
  enabled: boolean;
  idpEnabled: boolean;
  /** Since when an operator holds it back, and who; null while nobody does. */
  paused: { since: number; by: string } | null;
  settings: ShownSettings;
  policy: TargetPolicy;
  /** Raised by every change of settings or policy. */
  version: number;
  createdAt: number;
  modifiedAt: number;
};

/** A target as the engine uses it. */
export type TargetForDelivery = {
  id: number;
  idpId: number;
  idpName: string;
  type: string;
  /** The target and its identity provider both are. */
  enabled: boolean;
  /** An operator holds it back: what happens is planned and waits. */
  paused: boolean;
  /** Groups in groups may be kept otherwise than named there (`nested-groups.ts`), whatever the policy says now. */
  nestedOtherwise: boolean;
  version: number;
  /** Only what was given; secrets as `Secret`. */
  values: SettingValues;
  policy: TargetPolicy;
};

/** `types`: what a scope may read; default: without extensions. */
export type TargetParts = { key: SealingKey; kinds: readonly ConnectorKind[]; types?: ResourceTypes };

const fields = ['type', 'enabled', 'settings', 'policy'] as const;

/**
 * Configures a connector on an identity provider. Throws Problem `uniqueness` when it has one of that type already,
 * `invalidValue` with its `field` for settings and policy.
 */
export async function createTarget(tx: Tx, parts: TargetParts, idpId: number, input: unknown): Promise<Target> {
  const given = readFields(input, 'body', fields);
  const kind = kindOf(parts, given.type);
  const values = readSettings(kind, given.settings);
  const policy = readPolicy(given.policy, kind.policyDefaults?.(values), parts.types ?? coreTypes);
  const enabled = readFlag(given.enabled, 'enabled', true);
  const row = await typing(kind.type, () =>
    tx.first(
      tx.q
        .insertInto('targets')
        .values({
          idp_id: idpId,
          type: kind.type,
          enabled: enabled ? 1 : 0,
          settings: '{}',
          policy: JSON.stringify(policy),
          nested_otherwise: policy.nestedGroups === 'native' ? 0 : 1,
          version: 1,
          created_at: tx.now,
          modified_at: tx.now,
        })
        .returning('id'),
    ),
  );
  const id = row!.id;
  // The secrets are sealed for this row, so it has to be there first.
  const settings = sealSettings(parts.key, id, values, tx.now);
  await tx.all(tx.q.updateTable('targets').set({ settings }).where('id', '=', id));
  await raiseDeliveryStamp(tx);
  return readTarget(tx, id);
}

/**
 * Replaces switch, settings and policy; what is left out is at its default again, except secrets: they stay until they
 * are set to another value or `null`. The type cannot change. Nothing is written when nothing differs. Every account there
 * is looked at again by a wave; `actor`: who wanted the change. `system`: whether a changed address is the same system's;
 * unanswered it throws `conflict` while accounts are known there (engine rule 25).
 */
export async function replaceTarget(
  tx: Tx,
  parts: TargetParts,
  id: number,
  input: unknown,
  actor = 'purvey',
  system?: 'same',
): Promise<{ target: Target; changed: boolean }> {
  const given = readFields(input, 'body', fields);
  const found = await lockTarget(tx, id);
  if (given.type !== undefined && given.type !== found.type) {
    const why = `the type of a target cannot change (it is ${found.type}): make another target`;
    throw new Problem('invalidValue', why, { field: 'type' });
  }
  const kind = kindOf(parts, found.type);
  const before = openSettings(parts.key, id, found.settings);
  const values = readSettings(kind, given.settings, before);
  const { name } = await readTarget(tx, id);
  await askWhichSystem(tx, { id, name }, kind, { before, after: values }, system);
  const settings = sealSettings(parts.key, id, values, tx.now, found.settings);
  const wanted = readPolicy(given.policy, kind.policyDefaults?.(values), parts.types ?? coreTypes);
  const policy = JSON.stringify(wanted);
  const nested_otherwise = wanted.nestedGroups === 'native' ? found.nested_otherwise : 1;
  const enabled = readFlag(given.enabled, 'enabled', true) ? 1 : 0;
  const differs = settings !== found.settings || policy !== found.policy;
  if (!differs && enabled === found.enabled) return { target: await readTarget(tx, id), changed: false };
  await tx.all(
    tx.q
      .updateTable('targets')
      .set({
        settings,
        policy,
        nested_otherwise,
        enabled,
        version: found.version + (differs ? 1 : 0),
        modified_at: tx.now,
      })
      .where('id', '=', id),
  );
  await raiseDeliveryStamp(tx);
  // What was refused may be accepted with other settings, and who is there may be another or called otherwise.
  if (differs) {
    const cause = settings === found.settings ? 'policy changed' : 'settings changed';
    await startAccountsWave(tx, { targetId: id, cause, actor });
  }
  return { target: await readTarget(tx, id), changed: true };
}

/** Stops sending to a target, or goes on; what was paused or goes on already stays as it is. Recomputes nothing. */
export async function pauseTarget(tx: Tx, id: number, pause: { by: string } | null): Promise<Target> {
  const found = await lockTarget(tx, id);
  if ((found.paused_at !== null) !== (pause !== null)) {
    const change = { paused_at: pause ? tx.now : null, paused_by: pause?.by ?? null };
    await tx.all(tx.q.updateTable('targets').set(change).where('id', '=', id));
    await raiseDeliveryStamp(tx);
  }
  return readTarget(tx, id);
}

/** How many accounts of a target wait to be delivered. Index entries only. */
export async function countWaiting(reading: Reading, targetId: number): Promise<number> {
  const row = await reading.first(
    reading.q
      .selectFrom('accounts')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('target_id', '=', targetId)
      .where('due_at', 'is not', null),
  );
  return Number(row!.count);
}

/** All, or those of one identity provider, in the order of their names. */
export async function listTargets(reading: Reading, idpId?: number): Promise<Target[]> {
  const query = selectTargets(reading).orderBy('i.name_key').orderBy('t.type');
  const rows = await reading.all(idpId === undefined ? query : query.where('t.idp_id', '=', idpId));
  return rows.map(fromRow);
}

/** By id, or by `<identity provider>:<type>` without case. Throws `notFound`. */
export async function readTarget(reading: Reading, idOrName: string | number): Promise<Target> {
  const text = String(idOrName);
  const query = selectTargets(reading);
  if (/^\d{1,15}$/.test(text)) {
    const row = await reading.first(query.where('t.id', '=', Number(text)));
    if (row) return fromRow(row);
  }
  const colon = text.indexOf(':');
  if (colon > 0) {
    const rows = await reading.all(query.where('i.name_key', '=', fold(text.slice(0, colon))));
    const type = text.slice(colon + 1);
    const row =
      rows.find((one) => one.type === type) ?? rows.find((one) => one.type.toLowerCase() === type.toLowerCase());
    if (row) return fromRow(row);
  }
  throw new Problem('notFound', `there is no target ${text}; a target is named by its id or as partner:SCIM2`);
}

/** Settings that are not saved (yet), over those that are when `targetId` is given, so that secrets need not be sent again. */
export async function readDraftSettings(
  reading: Reading,
  parts: TargetParts,
  draft: { type?: unknown; targetId?: number; settings: unknown },
): Promise<{ kind: ConnectorKind; values: SettingValues }> {
  if (draft.targetId === undefined) {
    const kind = kindOf(parts, draft.type);
    return { kind, values: readSettings(kind, draft.settings) };
  }
  const saved = await readTargetForDelivery(reading, parts.key, draft.targetId);
  const kind = kindOf(parts, saved.type);
  if (draft.settings === undefined) return { kind, values: saved.values };
  return { kind, values: readSettings(kind, draft.settings, saved.values) };
}

/** Throws `notFound`. */
export async function readTargetForDelivery(reading: Reading, key: SealingKey, id: number): Promise<TargetForDelivery> {
  const row = await reading.first(selectTargets(reading).where('t.id', '=', id));
  if (!row) throw new Problem('notFound', `there is no target ${id}`);
  return forDelivery(row, key);
}

/** All targets, also those that are switched off, in the order of their ids. */
export async function listTargetsForDelivery(reading: Reading, key: SealingKey): Promise<TargetForDelivery[]> {
  const rows = await reading.all(selectTargets(reading).orderBy('t.id'));
  return rows.map((row) => forDelivery(row, key));
}

type JoinedRow = Omit<TargetRow, 'id'> & { id: number; idp_name: string; idp_enabled: number };

function selectTargets(reading: Reading) {
  return reading.q
    .selectFrom('targets as t')
    .innerJoin('identity_providers as i', 'i.id', 't.idp_id')
    .selectAll('t')
    .select(['i.name as idp_name', 'i.enabled as idp_enabled'])
    .where('t.removed_at', 'is', null);
}

export async function lockTarget(tx: Tx, id: number) {
  const query = tx.q.selectFrom('targets').selectAll().where('id', '=', id).where('removed_at', 'is', null);
  const found = await tx.first(query.modifyEnd(tx.dialect.forUpdate));
  if (!found) throw new Problem('notFound', `there is no target ${id}`);
  return found;
}

async function typing<T>(type: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `this identity provider has a ${type} connector already`, { field: 'type' });
  }
}

function kindOf(parts: TargetParts, type: unknown): ConnectorKind {
  const kind = parts.kinds.find((one) => one.type === type);
  if (kind) return kind;
  const known = parts.kinds.map((one) => one.type).join(', ');
  const why =
    type === undefined ? 'the type of connector is required' : `there is no connector ${JSON.stringify(type)}`;
  throw new Problem('invalidValue', `${why}; there are ${known}`, { field: 'type' });
}

function fromRow(row: JoinedRow): Target {
  return {
    id: row.id,
    name: `${row.idp_name}:${row.type}`,
    idpId: row.idp_id,
    idpName: row.idp_name,
    type: row.type,
    enabled: row.enabled === 1,
    idpEnabled: row.idp_enabled === 1,
    paused: row.paused_at === null ? null : { since: row.paused_at, by: row.paused_by ?? '' },
    settings: showSettings(row.settings),
    policy: readPolicy(JSON.parse(row.policy)),
    version: row.version,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function forDelivery(row: JoinedRow, key: SealingKey): TargetForDelivery {
  return {
    id: row.id,
    idpId: row.idp_id,
    idpName: row.idp_name,
    type: row.type,
    enabled: row.enabled === 1 && row.idp_enabled === 1,
    paused: row.paused_at !== null,
    nestedOtherwise: row.nested_otherwise === 1,
    version: row.version,
    values: openSettings(key, row.id, row.settings),
    policy: readPolicy(JSON.parse(row.policy)),
  };
}
