import type { JsonValue } from './json.ts';

/**
 * Canonical JSON text: equal for two values exactly when nothing changed between them. The order of keys and of
 * values in an array does not count, nor does what is unassigned (null, empty arrays, empty objects). Case counts.
 */
export function comparable(value: JsonValue | undefined): string {
  return canonicalText(value) ?? 'null';
}

/** Whether `comparable` says the same of both; cheaper where one is no list or object. */
export function isComparable(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' && typeof b !== 'object') return false;
  return comparable(a) === comparable(b);
}

function canonicalText(value: JsonValue | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) {
    const texts = value.map(canonicalText).filter((text) => text !== undefined);
    return texts.length === 0 ? undefined : `[${texts.sort().join(',')}]`;
  }
  const pairs: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const text = canonicalText(value[key]);
    if (text !== undefined) pairs.push(`${JSON.stringify(key)}:${text}`);
  }
  return pairs.length === 0 ? undefined : `{${pairs.join(',')}}`;
}
