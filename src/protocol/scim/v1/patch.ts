import { Problem } from '../../../base/problem.ts';
import { formatFilter, maxFilterLength } from '../filter.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { WireOperation } from '../message.ts';
import { type PatchOperation, patchOpUrn, readPatch as readModelPatch } from '../operation.ts';
import { readTextBoolean } from '../quirks.ts';
import { checkJsonDepth } from '../resource.ts';
import type { IndexedAttribute, ResourceType } from '../schema.ts';
import { describe, refusePrimaries } from '../value.ts';
import { checkSchemas, readExtensionUrn, readName } from './names.ts';
import { readExtension, readValue } from './resource.ts';

/**
 * Reads the body of a PATCH in SCIM 1.1, a resource in parts (draft-scim-api-01 section 3.3.2), into the operations that
 * SCIM 2.0 would say it with, in this order: what `meta.attributes` names is removed; values with `"operation": "delete"`
 * are removed; what else there is replaces a single value or is merged into many. Attributes that are readOnly or that
 * no schema has are passed over, as in a PUT.
 *
 * A value given is the one that is there with the same `value`; it is completed with what is said beside. One without
 * `value` (an address) is added unless just that one is there. To delete, `value` and `type` have to agree where they are
 * given, else everything.
 *
 * Throws `Problem`: `invalidSyntax` (no resource, or nothing said), and what the operations are refused for.
 */
export function readPatch(type: ResourceType, body: unknown): PatchOperation[] {
  if (!isJsonObject(body)) {
    throw new Problem('invalidSyntax', `The body must be a JSON object, not ${describe(body)}.`);
  }
  checkJsonDepth(body);
  const removals: WireOperation[] = [];
  const changes: WireOperation[] = [];
  for (const key of Object.keys(body)) {
    const value = body[key];
    const known = type.core.get(key.toLowerCase());
    if (known?.attribute.name === 'schemas') checkSchemas(type, value);
    else if (known?.attribute.name === 'meta') removals.unshift(...readRemovals(value));
    else if (known) readChange(known.attribute.name, known, value, removals, changes);
    else {
      const urn = readExtensionUrn(type, key);
      if (urn !== undefined) readExtensionChange(type, urn, value, removals, changes);
    }
  }
  const operations = [...removals, ...changes];
  if (operations.length === 0) return [];
  return readModelPatch(type, { schemas: [patchOpUrn], Operations: operations as unknown as JsonValue });
}

function readRemovals(meta: JsonValue | undefined): WireOperation[] {
  const names = isJsonObject(meta) ? meta.attributes : undefined;
  if (names === undefined || names === null) return [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    const detail = '"meta.attributes" must be an array with the names of the attributes to remove.';
    throw new Problem('invalidValue', detail, { field: 'meta.attributes' });
  }
  return names.map((name) => ({ op: 'remove', path: readName(name) }));
}

function readExtensionChange(
  type: ResourceType,
  urn: string,
  value: JsonValue | undefined,
  removals: WireOperation[],
  changes: WireOperation[],
): void {
  const held = readExtension(type, urn, value);
  if (!isJsonObject(held)) {
    changes.push({ op: 'replace', path: urn, value: held ?? null });
    return;
  }
  const { attributes } = type.extensionIndex.get(urn.toLowerCase())!;
  for (const key of Object.keys(held)) {
    const known = attributes.get(key.toLowerCase())!;
    readChange(`${urn}:${known.attribute.name}`, known, held[key], removals, changes);
  }
}

function readChange(
  path: string,
  known: IndexedAttribute,
  given: JsonValue | undefined,
  removals: WireOperation[],
  changes: WireOperation[],
): void {
  const { attribute } = known;
  if (attribute.mutability === 'readOnly') return;
  if (!attribute.multiValued || given === null || given === undefined) {
    changes.push({ op: 'replace', path, value: given ?? null });
    return;
  }
  const values = readValue(known, given);
  const elements = Array.isArray(values) ? values : [values ?? null];
  const deleted = elements.filter(isDeletion).map(sayWhich);
  const added = elements.filter((element) => !isDeletion(element));
  if (deleted.length > 0) removals.push({ op: 'remove', path, value: deleted });
  if (added.length > 0) changes.push(...mergeValues(path, known, added));
}

function isDeletion(element: JsonValue): element is JsonObject {
  if (!isJsonObject(element)) return false;
  const { operation } = element;
  return typeof operation === 'string' && operation.toLowerCase() === 'delete';
}

/** What a value to delete is recognised by. */
function sayWhich(element: JsonObject): JsonObject {
  const { operation: _, ...said } = element;
  if (said.value === undefined || said.value === null) return said;
  return typeof said.type === 'string' ? { value: said.value, type: said.type } : { value: said.value };
}

/**
 * One operation for all values where their `value` says by itself which they are (members: the cost follows the
 * operation, see `splitMembership`), else one for each value that has one.
 */
function mergeValues(path: string, { subs }: IndexedAttribute, added: readonly JsonValue[]): WireOperation[] {
  const primaries = added.filter((element) => isJsonObject(element) && readTextBoolean(element.primary) === true);
  if (primaries.length > 1) refusePrimaries(path, primaries.length);
  const value = subs.get('value');
  if (!value || value.mutability === 'immutable') return [{ op: 'add', path, value: [...added] }];
  return added.map((element) => {
    const own = isJsonObject(element) ? element.value : undefined;
    if (typeof own === 'string' && own !== '') {
      const which = `${path}[${formatFilter({ op: 'eq', path: { attr: 'value' }, value: own })}]`;
      // A certificate may be longer than any path: it is added unless just that one is there.
      if (which.length <= maxFilterLength) return { op: 'add', path: which, value: element };
    }
    return { op: 'add', path, value: [element] };
  });
}
