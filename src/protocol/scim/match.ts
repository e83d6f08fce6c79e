import { readDateTime } from '../../base/datetime.ts';
import { fold } from '../../base/fold.ts';
import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { type AttrPath, type Compare, type CompareOp, type Filter, formatAttrPath } from './filter.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { readTextBoolean } from './quirks.ts';
import { locateAttribute, type ResourceType } from './schema.ts';
import { compareText } from './text.ts';

export { compareText };

/**
 * Whether a resource meets a filter (RFC 7644 section 3.4.2.2), by looking at it. The meaning any other evaluation of
 * filters must have:
 *
 * - an attribute stands for the list of its values; for a multi-valued or nested one, of all values reached. A complex
 *   attribute compared as a whole stands for its `value` sub-attribute;
 * - `eq`, `co`, `sw`, `ew`, `gt` … hold when any of the values meets them, so never without a value;
 * - `ne` holds when any of the values is another, and when there is no value;
 * - `eq null` is the contrary of `pr`, and `ne null` is `pr`; the empty string is a value but not present;
 * - strings compare as their attribute's caseExact says (`fold`), in order of code points; dateTimes by the moment;
 * - an attribute that the type does not have has no value;
 * - `has` holds when one element meets the whole part.
 *
 * Comparisons that `checkFilter` refuses do not hold.
 */
export function matchesFilter(filter: Filter, resource: JsonObject, type: ResourceType): boolean {
  return evaluate(filter, (path) => reachValues(path, resource, type));
}

/** Whether one value of a multi-valued attribute meets a filter with relative paths. A simple value answers to the name `value`. */
export function matchesElement(filter: Filter, element: JsonValue, attribute: Attribute): boolean {
  return evaluate(filter, (path) => reachElement(path, element, attribute));
}

/** What a path stands for: the definition to compare by and the values; `elements` are those a value path looks into. */
type Reached = { attribute: Attribute; values: JsonValue[] } | undefined;

const nothing: JsonValue[] = [];

function evaluate(filter: Filter, reach: (path: AttrPath) => Reached): boolean {
  switch (filter.op) {
    case 'and':
      return filter.parts.every((part) => evaluate(part, reach));
    case 'or':
      return filter.parts.some((part) => evaluate(part, reach));
    case 'not':
      return !evaluate(filter.part, reach);
    case 'pr':
      return (reach(filter.path)?.values ?? nothing).some(isPresent);
    case 'has': {
      const reached = reach(filter.path);
      return (
        reached?.values.some((element) =>
          evaluate(filter.part, (path) => reachElement(path, element, reached.attribute)),
        ) ?? false
      );
    }
    default:
      return evaluateComparison(filter, reach(filter.path));
  }
}

function reachValues(path: AttrPath, resource: JsonObject, type: ResourceType): Reached {
  const location = locateAttribute(type, path);
  if (!location?.attribute) return undefined;
  const { attribute, sub, extension } = location;
  const holder = extension === undefined ? resource : resource[extension];
  const values = isJsonObject(holder) ? listValues(holder[attribute.name]) : nothing;
  return sub === undefined ? { attribute, values } : { attribute: sub, values: subValues(values, sub) };
}

function reachElement(path: AttrPath, element: JsonValue, attribute: Attribute): Reached {
  if (path.sub !== undefined) return undefined;
  if (attribute.type !== 'complex') {
    return path.attr.toLowerCase() === 'value' ? { attribute, values: [element] } : undefined;
  }
  const sub = findSub(attribute, path.attr);
  return sub && { attribute: sub, values: subValues([element], sub) };
}

function subValues(elements: JsonValue[], sub: Attribute): JsonValue[] {
  const [first] = elements;
  if (elements.length === 1) return isJsonObject(first) ? listValues(first[sub.name]) : nothing;
  return elements.flatMap((element) => (isJsonObject(element) ? listValues(element[sub.name]) : nothing));
}

function listValues(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined || value === null) return nothing;
  return Array.isArray(value) ? value.filter((item) => item !== null) : [value];
}

function isPresent(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.some(isPresent);
  return typeof value !== 'object' || Object.values(value).some(isPresent);
}

function evaluateComparison(filter: Compare, reached: Reached): boolean {
  let values = reached?.values ?? nothing;
  if (filter.value === null) {
    const present = values.some(isPresent);
    return filter.op === 'eq' ? !present : filter.op === 'ne' && present;
  }
  if (!reached) return filter.op === 'ne';
  let { attribute } = reached;
  if (attribute.type === 'complex') {
    const sub = attribute.subAttributes?.find((candidate) => candidate.name === 'value');
    if (!sub) return false;
    values = subValues(values, sub);
    attribute = sub;
  }
  const wanted = comparisonValue(attribute, filter.value);
  if (wanted === undefined || !allowedOps(attribute).includes(filter.op)) return false;
  if (filter.op === 'ne' && values.length === 0) return true;
  return values.some((value) => {
    const actual = comparisonValue(attribute, value);
    return actual === undefined ? filter.op === 'ne' : holds(filter.op, actual, wanted);
  });
}

/**
 * A value in the form in which values of this attribute are compared: strings folded unless case exact, dateTimes as
 * milliseconds, booleans also from text. `undefined` when the attribute cannot have such a value.
 */
export function comparisonValue(attribute: Attribute, value: JsonValue): string | number | boolean | undefined {
  switch (attribute.type) {
    case 'boolean': {
      const boolean = readTextBoolean(value);
      return typeof boolean === 'boolean' ? boolean : undefined;
    }
    case 'integer':
    case 'decimal':
      return typeof value === 'number' ? value : undefined;
    case 'dateTime':
      return typeof value === 'string' ? readDateTime(value) : undefined;
    case 'complex':
      return undefined;
    default:
      if (typeof value !== 'string') return undefined;
      return attribute.caseExact ? value : fold(value);
  }
}

function holds(op: CompareOp, actual: string | number | boolean, wanted: string | number | boolean): boolean {
  if (op === 'eq') return actual === wanted;
  if (op === 'ne') return actual !== wanted;
  if (typeof actual === 'string' && typeof wanted === 'string') {
    if (op === 'co') return actual.includes(wanted);
    if (op === 'sw') return actual.startsWith(wanted);
    if (op === 'ew') return actual.endsWith(wanted);
    return isOrdered(op, compareText(actual, wanted));
  }
  if (typeof actual === 'number' && typeof wanted === 'number') return isOrdered(op, actual - wanted);
  return false;
}

function isOrdered(op: CompareOp, order: number): boolean {
  if (op === 'gt') return order > 0;
  if (op === 'ge') return order >= 0;
  if (op === 'lt') return order < 0;
  return op === 'le' && order <= 0;
}

const equality: readonly CompareOp[] = ['eq', 'ne'];
const ordered: readonly CompareOp[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const substring: readonly CompareOp[] = ['eq', 'ne', 'co', 'sw', 'ew'];
const textual: readonly CompareOp[] = [...ordered, 'co', 'sw', 'ew'];

/** The operators that mean something for a type; ordering booleans and binaries is refused by RFC 7644 table 3. */
function allowedOps(attribute: Attribute): readonly CompareOp[] {
  switch (attribute.type) {
    case 'boolean':
    case 'complex':
      return equality;
    case 'binary':
      return substring;
    case 'integer':
    case 'decimal':
    case 'dateTime':
      return ordered;
    default:
      return textual;
  }
}

/**
 * Refuses, with `Problem('invalidFilter')`, a filter that can have no meaning for any of the types: an attribute none
 * of them has, an operator its type does not have, a value of another type. For one endpoint give its one type; for a
 * query across types (RFC 7644 section 3.4.2.1) all of them.
 */
export function checkFilter(filter: Filter, types: readonly ResourceType[]): void {
  checkPart(filter, (path) => {
    for (const type of types) {
      const location = locateAttribute(type, path);
      if (location?.attribute) return location.sub ?? location.attribute;
    }
    return undefined;
  });
}

/** `checkFilter` for the relative filter inside the brackets of a value path of `attribute`. */
export function checkElementFilter(filter: Filter, attribute: Attribute): void {
  checkPart(filter, (path) => findRelative(path, attribute));
}

function findRelative(path: AttrPath, attribute: Attribute): Attribute | undefined {
  if (path.urn !== undefined || path.sub !== undefined) return undefined;
  if (attribute.type !== 'complex') return path.attr.toLowerCase() === 'value' ? attribute : undefined;
  return findSub(attribute, path.attr);
}

function findSub({ subAttributes = [] }: Attribute, name: string): Attribute | undefined {
  // Nearly every name comes in the schema's case; the slow comparison is for the rest.
  for (const sub of subAttributes) if (sub.name === name) return sub;
  const lower = name.toLowerCase();
  return subAttributes.find((sub) => sub.name.toLowerCase() === lower);
}

function checkPart(filter: Filter, find: (path: AttrPath) => Attribute | undefined): void {
  if ('parts' in filter) {
    for (const part of filter.parts) checkPart(part, find);
    return;
  }
  if (filter.op === 'not') {
    checkPart(filter.part, find);
    return;
  }
  const name = formatAttrPath(filter.path);
  const attribute = find(filter.path);
  if (!attribute) refuse(name, `There is no attribute "${name}" to filter by; see /Schemas for those there are.`);
  // What is never given out must not be found out by asking, either.
  if (attribute.returned === 'never') refuse(name, `"${name}" is never returned and cannot be filtered by.`);
  if (filter.op === 'pr') return;
  if (filter.op === 'has') {
    if (attribute.type !== 'complex' && !attribute.multiValued) {
      refuse(
        name,
        `"${name}" has one simple value; a filter in square brackets needs a complex or multi-valued attribute.`,
      );
    }
    checkPart(filter.part, (path) => findRelative(path, attribute));
    return;
  }
  checkComparison(filter, attribute, name);
}

function checkComparison(filter: Compare, attribute: Attribute, name: string): void {
  if (filter.value === null) {
    if (!equality.includes(filter.op))
      refuse(name, `"${name} ${filter.op} null" has no meaning; null can be compared with eq and ne.`);
    return;
  }
  let compared = attribute;
  if (attribute.type === 'complex') {
    const sub = attribute.subAttributes?.find((candidate) => candidate.name === 'value');
    if (!sub)
      refuse(
        name,
        `"${name}" is complex; name one of its sub-attributes, such as "${name}.${attribute.subAttributes?.[0]?.name}".`,
      );
    compared = sub;
  }
  const allowed = allowedOps(compared);
  if (!allowed.includes(filter.op)) {
    refuse(
      name,
      `The operator ${filter.op} has no meaning for "${name}", which is a ${compared.type}; use ${allowed.join(', ')} or pr.`,
    );
  }
  if (comparisonValue(compared, filter.value) === undefined) {
    refuse(name, `"${name}" is a ${compared.type} and cannot be compared with ${JSON.stringify(filter.value)}.`);
  }
}

function refuse(field: string, detail: string): never {
  throw new Problem('invalidFilter', detail, { field });
}
