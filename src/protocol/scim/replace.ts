import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { comparable } from './comparable.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { AttributeIndex, ResourceType } from './schema.ts';
import { listSchemas, type Resource } from './shape.ts';

/**
 * What a PUT makes of a resource (RFC 7644 section 3.5.1): `given`, which `readResource` checked, in the place of
 * `before`. What the client may not write or cannot see is not its to clear, and stays: readOnly and immutable
 * attributes, those that are never returned, and whatever no schema of the type has (an extension that is no longer
 * declared).
 *
 * Throws `Problem('mutability')` when an immutable attribute is given another value than it has.
 */
export function replaceResource(type: ResourceType, before: JsonObject, given: Resource): Resource {
  const next: Resource = { ...given };
  keepIn(type.core, before, next, '');
  for (const { schema, attributes } of type.extensionIndex.values()) {
    const old = before[schema.id];
    if (!isJsonObject(old)) continue;
    const now = given[schema.id];
    const container: JsonObject = isJsonObject(now) ? { ...now } : {};
    keepIn(attributes, old, container, `${schema.id}:`);
    if (Object.keys(container).length > 0) next[schema.id] = container;
  }
  for (const key of Object.keys(before)) {
    const isKnown = type.core.has(key.toLowerCase()) || type.extensionIndex.has(key.toLowerCase());
    if (!isKnown && next[key] === undefined) next[key] = before[key];
  }
  next.schemas = listSchemas(type, next);
  return next;
}

function keepIn(index: AttributeIndex, before: JsonObject, next: JsonObject, prefix: string): void {
  for (const { attribute } of index.values()) {
    const { name } = attribute;
    const old = before[name];
    if (old === undefined || old === null) continue;
    const now = next[name];
    checkImmutable(attribute, old, now, `${prefix}${name}`);
    if (now === undefined) {
      if (isKept(attribute)) next[name] = old;
    } else if (!attribute.multiValued && isJsonObject(old) && isJsonObject(now)) {
      next[name] = keepSubs(attribute, old, now, `${prefix}${name}`);
    }
  }
}

/** The values of many have no identity that a PUT would keep; of one, the same holds for each sub-attribute. */
function keepSubs(attribute: Attribute, old: JsonObject, now: JsonObject, path: string): JsonObject {
  const merged: JsonObject = { ...now };
  for (const sub of attribute.subAttributes ?? []) {
    const value = old[sub.name];
    if (value === undefined || value === null) continue;
    checkImmutable(sub, value, merged[sub.name], `${path}.${sub.name}`);
    if (merged[sub.name] === undefined && isKept(sub)) merged[sub.name] = value;
  }
  return merged;
}

function isKept({ mutability, returned }: Attribute): boolean {
  return mutability !== 'readWrite' || returned === 'never';
}

function checkImmutable(attribute: Attribute, old: JsonValue, now: JsonValue | undefined, path: string): void {
  if (attribute.mutability !== 'immutable' || now === undefined || comparable(now) === comparable(old)) return;
  throw new Problem('mutability', `"${path}" is immutable and has another value already.`, { field: path });
}
