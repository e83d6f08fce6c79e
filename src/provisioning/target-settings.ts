import { Problem } from '../base/problem.ts';
import { type SealingKey, Secret, seal, unseal } from '../base/secret.ts';
import type { ConnectorKind, SettingValues } from '../connectors/connector.ts';

/**
 * A target's settings at rest: JSON of values by setting key, where a secret is `{ "sealed": "…" }`, sealed for this
 * one place, with the time it was set (`at`; those from before that was kept have none). Only what was given is kept;
 * defaults are the connector's.
 */
type Kept = Record<string, string | number | boolean | { sealed: string; at?: number }>;

/** As they are shown: a secret only as set, and since when; null when that is not known. */
export type ShownSettings = Record<string, string | number | boolean | { set: true; since: number | null }>;

const contextOf = (targetId: number, key: string) => `target:${targetId}:${key}`;

/** What is kept, opened: secrets as `Secret`. Throws when the key is not the one they were sealed with. */
export function openSettings(key: SealingKey, targetId: number, text: string): SettingValues {
  const values: Record<string, string | number | boolean | Secret> = {};
  for (const [name, value] of Object.entries(JSON.parse(text) as Kept)) {
    values[name] = typeof value === 'object' ? unseal(key, value.sealed, contextOf(targetId, name)) : value;
  }
  return values;
}

/** Values as text to keep; secrets are sealed, and those that did not change keep their sealed text. */
export function sealSettings(
  key: SealingKey,
  targetId: number,
  values: SettingValues,
  now: number,
  before?: string,
): string {
  const known = before === undefined ? {} : (JSON.parse(before) as Kept);
  const kept: Kept = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!(value instanceof Secret)) {
      kept[name] = value;
      continue;
    }
    const old = known[name];
    const context = contextOf(targetId, name);
    kept[name] =
      typeof old === 'object' && unseal(key, old.sealed, context).reveal() === value.reveal()
        ? old
        : { sealed: seal(key, value.reveal(), context), at: Math.floor(now) };
  }
  return JSON.stringify(kept);
}

export function showSettings(text: string): ShownSettings {
  const kept = Object.entries(JSON.parse(text) as Kept);
  return Object.fromEntries(
    kept.map(([name, value]) => [name, typeof value === 'object' ? { set: true, since: value.at ?? null } : value]),
  );
}

/**
 * Values from what was given, in the order of the connector's settings. A secret that is left out (or comes back as
 * `{ set: true }`) stays as in `before`, `null` removes it; of the others only what is given counts. Throws Problem
 * `invalidValue` with `field` = `settings.<key>`, saying everything that is wrong.
 */
export function readSettings(kind: ConnectorKind, given: unknown, before: SettingValues = {}): SettingValues {
  const values: Record<string, string | number | boolean | Secret> = {};
  const input = given ?? {};
  if (typeof input !== 'object' || Array.isArray(input)) {
    throw new Problem('invalidValue', 'settings must be an object', { field: 'settings' });
  }
  const faults: { key: string; message: string }[] = [];
  for (const [key, value] of Object.entries(input)) {
    const setting = kind.settings.find((one) => one.key === key);
    if (!setting) {
      const names = kind.settings.map((one) => one.key).join(', ');
      faults.push({ key, message: `${kind.type} has no setting ${key}; it has ${names}` });
    } else if (value === null || value === '' || (setting.type === 'secret' && isShownSecret(value))) {
      // Nothing given.
    } else if (typeof value === 'object' || (setting.type === 'secret' && typeof value !== 'string')) {
      faults.push({
        key,
        message: `${setting.label} must be ${setting.type === 'secret' ? 'a text' : 'a single value'}`,
      });
    } else {
      values[key] = setting.type === 'secret' ? new Secret(value) : value;
    }
  }
  for (const { key, type } of kind.settings) {
    const old = before[key];
    if (type !== 'secret' || values[key] !== undefined || !(old instanceof Secret)) continue;
    if ((input as Record<string, unknown>)[key] !== null) values[key] = old;
  }
  for (const fault of kind.checkSettings(values)) {
    if (!faults.some((known) => known.key === fault.key)) faults.push(fault);
  }
  if (faults.length > 0) {
    const detail = faults.map((fault) => fault.message).join('; ');
    throw new Problem('invalidValue', detail, { field: `settings.${faults[0]!.key}` });
  }
  return Object.fromEntries(
    kind.settings.flatMap(({ key }) => (values[key] === undefined ? [] : [[key, values[key]]])),
  );
}

function isShownSecret(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { set?: unknown }).set === true;
}
