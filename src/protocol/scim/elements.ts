import type { Attribute } from './attribute.ts';
import { comparable, isComparable } from './comparable.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { comparisonValue } from './match.ts';

/** The values of a multi-valued attribute: which of them are the same one, and how they come together. */

/** Adds without doubling: a value already there is only completed with what the added one says beyond it. */
export function addElements(attribute: Attribute, elements: JsonValue[], added: readonly JsonValue[]): JsonValue[] {
  return joinElements(attribute, elements, added, (old, one) => completeElement(attribute, old, one));
}

/**
 * Each value once, where its first is (RFC 7643 section 2.4): of what is said of it several times, the last word, in its
 * spelling.
 */
export function mergeSame(attribute: Attribute, elements: readonly JsonValue[]): JsonValue[] {
  return joinElements(attribute, [], elements, (old, one) =>
    isJsonObject(old) && isJsonObject(one) ? { ...old, ...one } : one,
  );
}

function joinElements(
  attribute: Attribute,
  elements: readonly JsonValue[],
  added: readonly JsonValue[],
  join: (old: JsonValue, added: JsonValue) => JsonValue,
): JsonValue[] {
  const places = new Map<string, number>();
  for (let i = elements.length - 1; i >= 0; i--) places.set(elementKey(attribute, elements[i]!), i);
  const after = [...elements];
  for (const element of added) {
    const key = elementKey(attribute, element);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, after.length);
      after.push(element);
    } else {
      after[place] = join(after[place]!, element);
    }
  }
  return after;
}

function completeElement(attribute: Attribute, old: JsonValue, added: JsonValue): JsonValue {
  if (!isJsonObject(old) || !isJsonObject(added)) return old;
  const merged: JsonObject = { ...old, ...added };
  for (const sub of attribute.subAttributes ?? []) {
    const kept = old[sub.name];
    if (kept === undefined || kept === null) continue;
    const isSame = comparisonValue(sub, kept) === comparisonValue(sub, merged[sub.name] ?? null);
    if (isSame || sub.mutability === 'immutable') merged[sub.name] = kept;
  }
  return isComparable(merged, old) ? old : merged;
}

/**
 * Equal for two values exactly when they are the same one: by `value` alone where that cannot change (members), by
 * `value` and `type` (RFC 7643 section 2.4) where there is a value, else by everything.
 */
export function elementKey(attribute: Attribute, element: JsonValue): string {
  if (!isJsonObject(element)) return JSON.stringify(comparisonValue(attribute, element) ?? element);
  const subs = attribute.subAttributes ?? [];
  const value = subs.find((sub) => sub.name === 'value');
  if (!value || element.value === undefined) return comparable(element);
  const valueKey = comparisonValue(value, element.value ?? null) ?? null;
  if (value.mutability === 'immutable') return JSON.stringify(valueKey);
  const type = subs.find((sub) => sub.name === 'type');
  const typeKey = type && element.type !== undefined ? (comparisonValue(type, element.type) ?? null) : null;
  return JSON.stringify([valueKey, typeKey]);
}
