import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { isComparable } from './comparable.ts';
import { addElements, elementKey, mergeSame } from './elements.ts';
import type { Filter } from './filter.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { comparisonValue, matchesElement } from './match.ts';
import type { PatchOperation, Target } from './operation.ts';
import { checkRequired } from './resource.ts';
import type { ResourceType } from './schema.ts';
import { listSchemas, type Resource } from './shape.ts';
import { readOne, refusePrimaries } from './value.ts';

export { type MemberRef, type MembershipOperation, splitMembership } from './membership.ts';
export { type PatchOperation, readPatch, type Target } from './operation.ts';

/**
 * Most values that the operations of one PATCH may look at together: each operation on a multi-valued attribute looks
 * at all values that are there. So many take about half a second, in which nothing else is answered.
 */
export const maxValuesVisited = 1_000_000;

/**
 * Applies operations in order (RFC 7644 sections 3.5.2.1 to 3.5.2.3) and answers the new resource. The input stays as
 * it is, and values the operations do not touch are shared with it; a Problem thrown half way leaves nothing done.
 * Doing an `add` again changes nothing, unless it changes what its own filter looks at.
 *
 * Throws `Problem`: `noTarget` (a replace, or an add that cannot be made to fit, whose filter chooses nothing),
 * `mutability` (immutable and already set, or required and unassigned), `invalidValue`, `tooLarge` (beyond
 * `maxValuesVisited`). A remove that chooses nothing is done already.
 */
export function applyPatch(type: ResourceType, resource: Resource, operations: readonly PatchOperation[]): Resource {
  const next: Resource = { ...resource };
  let visited = 0;
  for (const operation of operations) {
    visited += countValues(next, operation);
    if (visited > maxValuesVisited) refuseTooMuch(operation);
    applyOperation(next, operation);
  }
  checkRequired(type, next, resource);
  next.schemas = listSchemas(type, next);
  return next;
}

/** How many values the operation has to look at, each as often as its filter compares. */
function countValues(next: Resource, { op, target, value }: PatchOperation): number {
  const { attribute, extension } = target;
  if (!attribute.multiValued) return 0;
  const held = extension === undefined ? next : next[extension];
  const values = isJsonObject(held) ? held[attribute.name] : undefined;
  const there = Array.isArray(values) ? values.length : 0;
  const given = Array.isArray(value) ? value.length : 0;
  // Values without a key of their own are compared each with each.
  if (op === 'remove' && given > 0 && !isKeyed(attribute)) return there * given;
  return there * (target.filter ? countComparisons(target.filter) : 1) + given;
}

function countComparisons(filter: Filter): number {
  if (filter.op === 'and' || filter.op === 'or')
    return filter.parts.reduce((sum, part) => sum + countComparisons(part), 0);
  return filter.op === 'not' ? countComparisons(filter.part) : 1;
}

/** Changes only `next` itself; what it holds is replaced, not changed. */
function applyOperation(next: Resource, operation: PatchOperation): void {
  const { target } = operation;
  const { attribute, extension } = target;
  const held = extension === undefined ? next : next[extension];
  const before = isJsonObject(held) ? held[attribute.name] : undefined;
  const after = attribute.multiValued ? changeValues(operation, before) : changeValue(operation, before);
  if (after === before) return;
  if (after === undefined && attribute.required) refuseRequired(target.text);
  if (attribute.mutability === 'immutable' && before !== undefined && !isComparable(after, before)) {
    refuseImmutable(target.text);
  }
  if (extension === undefined) {
    assign(next, attribute.name, after);
    return;
  }
  const container: JsonObject = isJsonObject(held) ? { ...held } : {};
  assign(container, attribute.name, after);
  assign(next, extension, Object.keys(container).length > 0 ? container : undefined);
}

function assign(holder: JsonObject, name: string, value: JsonValue | undefined): void {
  if (value === undefined) delete holder[name];
  else holder[name] = value;
}

/** The value of a singular attribute after the operation. */
function changeValue({ op, target, value }: PatchOperation, before: JsonValue | undefined): JsonValue | undefined {
  const { attribute, sub } = target;
  if (sub) return mergeObject(attribute, before, { [sub.name]: op === 'remove' ? null : value }, target);
  if (op === 'remove') return undefined;
  // Both add and replace leave the sub-attributes alone that the value does not name (section 3.5.2.3).
  if (isJsonObject(value)) return mergeObject(attribute, before, value, target);
  return value;
}

/** The values of a multi-valued attribute after the operation; `undefined` when none is left. */
function changeValues(operation: PatchOperation, before: JsonValue | undefined): JsonValue | undefined {
  const { op, target, value } = operation;
  const { attribute, sub, filter } = target;
  const elements = Array.isArray(before) ? before : [];
  let after: JsonValue[];
  if (sub || filter) {
    after = changeChosen(operation, elements);
  } else if (op === 'add') {
    after = addElements(attribute, elements, value as JsonValue[]);
  } else if (op === 'replace') {
    after = value as JsonValue[];
  } else {
    after = value === undefined ? [] : removeElements(attribute, elements, value as JsonValue[]);
  }
  if (after === elements || (before !== undefined && isSameList(after, elements))) return before;
  const settled = settlePrimary(elements, after, target);
  // What was changed may have become the same as another (RFC 7643 section 2.4).
  const isChanged =
    settled !== after || (op === 'remove' ? sub !== undefined : sub !== undefined || filter !== undefined);
  after = isChanged && settled.length > 1 ? mergeSame(attribute, settled) : settled;
  return after.length === 0 ? undefined : after;
}

function isSameList(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Works on the values the filter chooses, or on all when only a sub-attribute is named. */
function changeChosen(operation: PatchOperation, elements: JsonValue[]): JsonValue[] {
  const { op, target, value } = operation;
  const { attribute, sub, filter } = target;
  let chosen = 0;
  const after = elements.flatMap((element) => {
    if (filter && !matchesElement(filter, element, attribute)) return [element];
    chosen++;
    const changed = changeElement(op, target, element, value);
    return changed === undefined ? [] : [changed];
  });
  const makesPrimary = sub ? sub.name === 'primary' && value === true : isPrimary(value ?? null);
  if (chosen > 1 && op !== 'remove' && makesPrimary) refusePrimaries(target.text, chosen);
  if (chosen > 0 || op === 'remove') return after;
  if (op === 'replace' && filter) refuseNoTarget(target.text);
  const added = sub ? { [sub.name]: value } : (value as JsonObject);
  return [...elements, createElement(target, filter, added)];
}

function changeElement(
  op: PatchOperation['op'],
  target: Target,
  element: JsonValue,
  value: JsonValue | undefined,
): JsonValue | undefined {
  const { attribute, sub } = target;
  if (sub) return mergeObject(attribute, element, { [sub.name]: op === 'remove' ? null : value }, target);
  if (op === 'remove') return undefined;
  if (!isJsonObject(value) || !isJsonObject(element)) return value;
  if (op === 'add') return mergeObject(attribute, element, value, target);
  const replaced: JsonObject = { ...value };
  for (const { name, mutability } of attribute.subAttributes ?? []) {
    const old = element[name];
    if (old === undefined || (mutability !== 'immutable' && mutability !== 'readOnly')) continue;
    if (replaced[name] !== undefined && !isComparable(replaced[name], old)) refuseImmutable(target.text);
    replaced[name] = old;
  }
  return isComparable(replaced, element) ? element : replaced;
}

/** quirk addCreatesFilteredValue: a value with what the filter asks for, as far as it only says what equals what. */
function createElement(target: Target, filter: Filter | undefined, added: JsonObject): JsonValue {
  const { attribute, text } = target;
  const element: JsonObject = {};
  for (const part of filter === undefined ? [] : filter.op === 'and' ? filter.parts : [filter]) {
    if (part.op !== 'eq' || part.value === null) return refuseNoTarget(text);
    const wanted = part.path.attr.toLowerCase();
    const sub = attribute.subAttributes?.find((candidate) => candidate.name.toLowerCase() === wanted);
    if (!sub || sub.mutability === 'readOnly') return refuseNoTarget(text);
    element[sub.name] = readOne(sub, part.value, text, 'drop');
  }
  const created = readOne(attribute, { ...element, ...added }, text, 'drop');
  // The added value may contradict the filter (or itself): then what was asked for cannot be there afterwards.
  if (created === undefined || (filter && !matchesElement(filter, created, attribute))) return refuseNoTarget(text);
  return created;
}

/**
 * An object with the sub-attributes of `changes` set, or unassigned where null; `before` itself when nothing differs,
 * `undefined` when nothing is left.
 */
function mergeObject(
  attribute: Attribute,
  before: JsonValue | undefined,
  changes: JsonObject,
  target: Target,
): JsonValue | undefined {
  const old: JsonObject = isJsonObject(before) ? before : {};
  const merged: JsonObject = { ...old };
  let differs = false;
  for (const sub of attribute.subAttributes ?? []) {
    const change = changes[sub.name];
    if (change === undefined || isComparable(change, old[sub.name])) continue;
    if (sub.mutability === 'immutable' && old[sub.name] !== undefined) refuseImmutable(`${target.text}.${sub.name}`);
    if (change === null && sub.required) refuseRequired(`${target.text}.${sub.name}`);
    assign(merged, sub.name, change ?? undefined);
    differs = true;
  }
  if (!differs) return before;
  if (Object.keys(merged).length === 0) return undefined;
  // The rules that join sub-attributes (a required one) hold for the result as for a value given whole.
  for (const sub of attribute.subAttributes ?? []) {
    if (sub.required && merged[sub.name] === undefined) {
      const name = `${attribute.name}.${sub.name}`;
      throw new Problem('invalidValue', `"${name}" is required.`, { field: name });
    }
  }
  return merged;
}

/** quirk removeByValue: without the values that agree in all that one of `removed` says; members agree by id. */
function removeElements(attribute: Attribute, elements: JsonValue[], removed: readonly JsonValue[]): JsonValue[] {
  if (isKeyed(attribute)) {
    const keys = new Set(removed.map((element) => elementKey(attribute, element)));
    return elements.filter((element) => !keys.has(elementKey(attribute, element)));
  }
  return elements.filter((element) => !removed.some((said) => agrees(attribute, element, said)));
}

/** Whether one text says which value it is: all of a simple one, the id of a member. */
function isKeyed(attribute: Attribute): boolean {
  if (attribute.type !== 'complex') return true;
  return attribute.subAttributes?.some((sub) => sub.name === 'value' && sub.mutability === 'immutable') ?? false;
}

function agrees(attribute: Attribute, element: JsonValue, said: JsonValue): boolean {
  if (!isJsonObject(element) || !isJsonObject(said)) return false;
  return (attribute.subAttributes ?? []).every((sub) => {
    const wanted = said[sub.name];
    if (wanted === undefined) return true;
    const actual = element[sub.name];
    return actual !== undefined && comparisonValue(sub, actual ?? null) === comparisonValue(sub, wanted);
  });
}

/** Where an operation made a value the primary one, it turns the others off (section 3.5.2). */
function settlePrimary(before: readonly JsonValue[], after: JsonValue[], target: Target): JsonValue[] {
  if (!target.attribute.subAttributes?.some((sub) => sub.name === 'primary')) return after;
  const primaries = after.filter(isPrimary);
  if (primaries.length < 2) return after;
  const untouched = new Set(before);
  const made = primaries.filter((element) => !untouched.has(element));
  if (made.length === 0) return after;
  if (made.length > 1) refusePrimaries(target.text, made.length);
  return after.map((element) =>
    isPrimary(element) && element !== made[0] ? { ...(element as JsonObject), primary: false } : element,
  );
}

function isPrimary(element: JsonValue): boolean {
  return isJsonObject(element) && element.primary === true;
}

function refuseTooMuch({ target }: PatchOperation): never {
  const name = target.attribute.name;
  throw new Problem(
    'tooLarge',
    `These are too many operations on the many values of "${name}": send fewer at once, or one with all values.`,
    { field: target.text },
  );
}

function refuseNoTarget(text: string): never {
  throw new Problem('noTarget', `"${text}" chooses no value of the resource.`, { field: text });
}

function refuseImmutable(text: string): never {
  throw new Problem('mutability', `"${text}" is immutable and has a value already.`, { field: text });
}

function refuseRequired(text: string): never {
  throw new Problem('mutability', `"${text}" is required and cannot be removed.`, { field: text });
}
