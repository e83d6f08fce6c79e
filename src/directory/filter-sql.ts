import { type RawBuilder, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import { type AttrPath, type Compare, type CompareOp, type Filter, formatAttrPath } from '../protocol/scim/filter.ts';
import { checkFilter, comparisonValue, matchesElement } from '../protocol/scim/match.ts';
import { type Attribute, locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import {
  always,
  type Condition,
  type Elements,
  type Field,
  type Fields,
  never,
  openFields,
  type Value,
} from './filter-fields.ts';
import { indexKey, isCutKey, isIndexed } from './keys.ts';
import { dropPrimaryPrefix } from './names.ts';
import { nameAttribute, type Subject } from './subjects.ts';
import { uniqueKey } from './unique-values.ts';

type Scope = { kind: Subject['kind']; type: ResourceType; fields: Fields; dialect: Dialect };

/**
 * A filter as SQL, for a statement in which the table `subjects` is called `s`: true exactly where `matchesFilter` says
 * so of the resource as the door shows it, with one addition: a name compared with `PRIMARY/ada` is compared with
 * `ada`. Comparisons by `eq` with the name, externalId, id, `emails.value`, the displayName of users, `groups.value`
 * and unique attributes of extensions go through an index, and so does `sw` with the name and, if it is short, the displayName.
 *
 * `among`: the types that are asked together (RFC 7644 section 3.4.2.1); an attribute that only another of them has has
 * no value here. Throws `Problem('invalidFilter')` for an attribute none has or an operator it does not know.
 */
export function compileFilter(
  filter: Filter,
  kind: Subject['kind'],
  type: ResourceType,
  dialect: Dialect,
  baseUrl: string,
  among: readonly ResourceType[] = [type],
): Condition {
  checkFilter(filter, among);
  return compilePart(filter, { kind, type, fields: openFields(kind, type, dialect, baseUrl), dialect });
}

function compilePart(filter: Filter, scope: Scope): Condition {
  if ('path' in filter && !locateAttribute(scope.type, filter.path)?.attribute) return compileUnknown(filter);
  switch (filter.op) {
    case 'and':
    case 'or':
      return joinParts(
        filter.op,
        filter.parts.map((part) => compilePart(part, scope)),
      );
    case 'not':
      return sql`(not ${compilePart(filter.part, scope)})`;
    case 'pr':
      return isPresent(filter.path, scope);
    case 'has': {
      const elements = scope.fields.elementsAt(filter.path);
      const exists = elements.exists((pick) => compileRelative(filter.part, elements, pick, scope));
      const hint = findHint(filter.part, elements.attribute, elements.extension, scope);
      return hint ? sql`(${hint(scope.dialect)} and ${exists})` : exists;
    }
    default:
      return compileComparison(filter, scope);
  }
}

/** An attribute that only another type has. */
function compileUnknown(filter: Exclude<Filter, { op: 'and' | 'or' | 'not' }>): Condition {
  if (filter.op === 'ne') return filter.value === null ? never : always;
  return filter.op === 'eq' && filter.value === null ? always : never;
}

/**
 * Whether all that a filter can match is found through an index, so that its cost follows what matches. Any other is to
 * be looked for one by one. `except`: parts of it that are not to be looked up.
 */
export function isNarrow(
  filter: Filter,
  kind: Subject['kind'],
  type: ResourceType,
  except: ReadonlySet<Filter> = new Set(),
): boolean {
  if (except.has(filter)) return false;
  switch (filter.op) {
    case 'and':
      return filter.parts.some((part) => isNarrow(part, kind, type, except));
    case 'or':
      return filter.parts.every((part) => isNarrow(part, kind, type, except));
    case 'has': {
      const location = locateAttribute(type, filter.path);
      if (!location?.attribute) return true;
      return findHint(filter.part, location.attribute, location.extension, { kind, type }) !== undefined;
    }
    case 'eq':
    case 'sw': {
      const location = locateAttribute(type, filter.path);
      // What only another type has is no subject's of this one.
      if (!location?.attribute) return filter.value !== null;
      const { attribute, sub, extension } = location;
      if (extension === undefined && typeof filter.value !== 'string') return false;
      const name = extension === undefined && !sub ? attribute.name : undefined;
      if (name === nameAttribute[kind]) return filter.op === 'eq' || filter.value !== '';
      if (filter.op === 'sw') return name === 'displayName' && isShortBeginning(filter.value);
      if (name === 'id' || name === 'externalId' || name === 'displayName') return true;
      const path = sub || attribute.type !== 'complex' ? filter.path : { ...filter.path, sub: 'value' };
      const leaf = locateAttribute(type, path);
      if (!leaf?.attribute) return false;
      return findIndexed(path, leaf.sub ?? leaf.attribute, filter.value, { kind, type }) !== undefined;
    }
    default:
      return false;
  }
}

/** The parts of a filter that ask for a beginning which an index knows. */
export function listBeginnings(filter: Filter, kind: Subject['kind'], type: ResourceType): Filter[] {
  if (filter.op === 'and' || filter.op === 'or')
    return filter.parts.flatMap((part) => listBeginnings(part, kind, type));
  const isKnown = filter.op === 'sw' && locateAttribute(type, filter.path)?.attribute !== undefined;
  return isKnown && isNarrow(filter, kind, type) ? [filter] : [];
}

/** In code points; keys hold more (`keys.ts`). */
const longestByKey = 200;

function isShortBeginning(value: Compare['value']): boolean {
  return typeof value === 'string' && value !== '' && [...fold(value)].length <= longestByKey;
}

function joinParts(op: 'and' | 'or', parts: readonly Condition[]): Condition {
  return sql`(${sql.join(parts, op === 'and' ? sql` and ` : sql` or `)})`;
}

/** The filter in the brackets of a value path, about one element. */
function compileRelative(
  filter: Filter,
  elements: Elements,
  pick: (sub: Attribute | undefined) => Field,
  scope: Scope,
): Condition {
  switch (filter.op) {
    case 'and':
    case 'or':
      return joinParts(
        filter.op,
        filter.parts.map((part) => compileRelative(part, elements, pick, scope)),
      );
    case 'not':
      return sql`(not ${compileRelative(filter.part, elements, pick, scope)})`;
    default: {
      const { attribute } = elements;
      const name = filter.path.attr.toLowerCase();
      const sub = attribute.subAttributes?.find((one) => one.name.toLowerCase() === name);
      // A value path does not stand inside another.
      if (filter.op === 'has') return refuse(filter.path, 'cannot be looked into any deeper');
      const field = pick(sub);
      if (filter.op === 'pr') return field.any((value) => presentValue(field.attribute, value));
      return compare(filter, field, scope.dialect);
    }
  }
}

function compileComparison(filter: Compare, scope: Scope): Condition {
  if (filter.value === null) {
    const present = isPresent(filter.path, scope);
    return filter.op === 'eq' ? sql`(not ${present})` : present;
  }
  const path = leafPath(filter.path, scope);
  const field = scope.fields.fieldAt(path);
  if (!field) return refuse(path, 'is complex');
  const indexed = filter.op === 'eq' ? findIndexed(path, field.attribute, filter.value, scope) : undefined;
  if (indexed) return indexed(scope.dialect);
  // Of a name the beginning may say PRIMARY, where it is compared as a whole or by its beginning.
  const isName = !path.sub && field.attribute.name === nameAttribute[scope.kind] && typeof filter.value === 'string';
  const hasBeginning = filter.op !== 'co' && filter.op !== 'ew';
  return compare(
    isName && hasBeginning ? { ...filter, value: dropPrimaryPrefix(filter.value as string) } : filter,
    field,
    scope.dialect,
  );
}

/** A complex attribute compared as a whole stands for its `value`. */
function leafPath(path: AttrPath, scope: Scope): AttrPath {
  const location = locateAttribute(scope.type, path);
  if (!location?.attribute || location.sub || location.attribute.type !== 'complex') return path;
  return { ...path, sub: 'value' };
}

function isPresent(path: AttrPath, scope: Scope): Condition {
  const field = scope.fields.fieldAt(path);
  if (field) return field.any((value) => presentValue(field.attribute, value));
  const elements = scope.fields.elementsAt(path);
  const subs = elements.attribute.subAttributes ?? [];
  return elements.exists((pick) =>
    joinParts('or', [never, ...subs.map((sub) => pick(sub).any((value) => presentValue(sub, value)))]),
  );
}

/** The empty string is a value but is not present. */
function presentValue(attribute: Attribute, value: Value): Condition {
  const isText = attribute.type !== 'boolean' && attribute.type !== 'integer' && attribute.type !== 'decimal';
  return isText && 'text' in value ? sql`(${value.text} <> '')` : always;
}

function compare(filter: Compare, field: Field, dialect: Dialect): Condition {
  const { op, value } = filter;
  if (value === null) {
    const present = field.any((one) => presentValue(field.attribute, one));
    return op === 'eq' ? sql`(not ${present})` : present;
  }
  const wanted = comparisonValue(field.attribute, value);
  if (wanted === undefined) return refuse(filter.path, 'cannot be compared with this value');
  if (typeof wanted === 'string' && (wanted.includes('\0') || !wanted.isWellFormed())) {
    return refuse(filter.path, 'is compared with a text that holds half a character or U+0000');
  }
  const some = field.any((one) => test(filter, field.attribute, one, wanted, dialect));
  return op === 'ne' ? sql`(${field.none()} or ${some})` : some;
}

function test(
  filter: Compare,
  attribute: Attribute,
  value: Value,
  wanted: string | number | boolean,
  dialect: Dialect,
): Condition {
  const { op } = filter;
  if ('constant' in value) {
    const holds = matchesElement({ op, path: { attr: 'value' }, value: filter.value }, value.constant, attribute);
    return holds ? always : never;
  }
  if ('moment' in value) return compareMoments(op, value.moment, wanted as number);
  if (typeof wanted === 'number') {
    if (!value.number) throw new Error(`"${attribute.name}" is compared by a number that was not read`);
    return sql`(${value.number} ${signOf(op)} cast(${wanted} as double precision))`;
  }
  const text = String(wanted);
  if (op === 'eq' && value.key) {
    const byKey = sql`(${value.key} = ${indexKey(text)})`;
    if (!isCutKey(indexKey(text))) return byKey;
    return sql`(${byKey} and ${compareTexts(op, value, text, attribute, dialect)})`;
  }
  return compareTexts(op, value, text, attribute, dialect);
}

const signs: Partial<Record<CompareOp, RawBuilder<unknown>>> = {
  eq: sql`=`,
  ne: sql`<>`,
  gt: sql`>`,
  ge: sql`>=`,
  lt: sql`<`,
  le: sql`<=`,
};

function signOf(op: CompareOp): RawBuilder<unknown> {
  const sign = signs[op];
  if (!sign) throw new Error(`${op} compares no numbers`);
  return sign;
}

/** Columns hold whole milliseconds; the moment asked for may lie between two of them. */
function compareMoments(op: CompareOp, column: RawBuilder<unknown>, wanted: number): Condition {
  if (Number.isInteger(wanted)) return sql`(${column} ${signOf(op)} ${wanted})`;
  if (op === 'eq') return never;
  if (op === 'ne') return always;
  return op === 'gt' || op === 'ge'
    ? sql`(${column} > ${Math.floor(wanted)})`
    : sql`(${column} < ${Math.ceil(wanted)})`;
}

/** The same on both databases: no `like`, which has wildcards and its own idea of case. Lengths are in code points. */
function compareTexts(
  op: CompareOp,
  value: Extract<Value, { text: RawBuilder<unknown> }>,
  wanted: string,
  attribute: Attribute,
  dialect: Dialect,
): Condition {
  const isFolded = !attribute.caseExact && attribute.type !== 'boolean';
  const text = isFolded ? (value.folded ?? dialect.fold(value.text)) : value.text;
  if (signs[op]) return sql`(${text} ${signOf(op)} ${wanted})`;
  if (wanted === '') return always;
  if (op === 'co') return sql`(replace(${text}, ${wanted}, '') <> ${text})`;
  const length = [...wanted].length;
  if (op === 'ew') {
    return sql`(length(${text}) >= ${length} and substr(${text}, length(${text}) - ${length} + 1) = ${wanted})`;
  }
  // The key of a text is cut far behind so short a beginning.
  if (value.key && isFolded && length <= longestByKey) return rangeOf(value.key, wanted);
  if (!value.folded) return sql`(substr(${text}, 1, ${length}) = ${wanted})`;
  return rangeOf(text, wanted);
}

/** All that begin with `prefix`, as a range that an index knows. */
export function rangeOf(text: RawBuilder<unknown>, prefix: string): RawBuilder<unknown> {
  const end = endOfPrefix(prefix);
  return end === undefined ? sql`(${text} >= ${prefix})` : sql`(${text} >= ${prefix} and ${text} < ${end})`;
}

/** The first text in code point order after all that begin with `prefix`; `undefined` when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((char) => char.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    if (last === 0x10ffff) continue;
    // Surrogates are no characters: U+D7FF is followed by U+E000.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

type Asked = Pick<Scope, 'kind' | 'type'>;
/** A condition that an index answers. */
type Lookup = (dialect: Dialect) => Condition;

/** `eq` on a path that `subject_keys`, `unique_values` or an index of `members` has. */
function findIndexed(
  path: AttrPath,
  attribute: Attribute,
  value: Compare['value'],
  { kind, type }: Asked,
): Lookup | undefined {
  const wanted = value === null ? undefined : comparisonValue(attribute, value);
  const location = locateAttribute(type, path);
  if (wanted === undefined || !isStorable(wanted) || !location?.attribute) return undefined;
  const name = location.attribute.name + (location.sub ? `.${location.sub.name}` : '');
  if (location.extension !== undefined) {
    const unique = type.unique.find((one) => one.path === `${location.extension}:${name}`);
    return unique && (() => uniqueLookup(kind, unique.path, wanted));
  }
  if (typeof wanted !== 'string' || kind !== 'user') return undefined;
  if (name === 'groups.value') return (dialect) => insideOf(wanted, dialect);
  return isIndexed(name) && !isCutKey(indexKey(wanted)) ? () => keyLookup(name, wanted) : undefined;
}

/** What narrows a value path down by an index: an `eq` with an indexed sub-attribute that must hold. */
function findHint(
  part: Filter,
  attribute: Attribute,
  extension: string | undefined,
  { kind, type }: Asked,
): Lookup | undefined {
  for (const one of part.op === 'and' ? part.parts : [part]) {
    if (one.op !== 'eq' || one.value === null) continue;
    const name = one.path.attr.toLowerCase();
    const sub = attribute.subAttributes?.find((candidate) => candidate.name.toLowerCase() === name);
    const wanted = sub && comparisonValue(sub, one.value);
    if (wanted === undefined || !isStorable(wanted)) continue;
    const key = `${attribute.name}.${sub?.name}`;
    if (extension !== undefined) {
      const unique = type.unique.find(({ path }) => path === `${extension}:${key}`);
      if (unique) return () => uniqueLookup(kind, unique.path, wanted);
    } else if (typeof wanted === 'string' && kind === 'user') {
      if (isIndexed(key)) return () => keyLookup(key, wanted);
      if (key === 'groups.value') return (dialect) => insideOf(wanted, dialect);
    }
  }
  return undefined;
}

function isStorable(wanted: string | number | boolean): boolean {
  return typeof wanted !== 'string' || (!wanted.includes('\0') && wanted.isWellFormed());
}

function keyLookup(attr: string, wanted: string): Condition {
  return sql`s.id in (select subject_id from subject_keys
    where kind = 'user' and attr = ${sql.lit(attr)} and value_key = ${indexKey(wanted)})`;
}

function uniqueLookup(kind: Subject['kind'], path: string, wanted: string | number | boolean): Condition {
  return sql`s.id in (select subject_id from unique_values
    where kind = ${sql.lit(kind)} and attr = ${sql.lit(path.toLowerCase())} and value_key = ${uniqueKey(wanted)})`;
}

/** Whoever is in a group, directly or through groups in it. `union` drops what it has met already, also in circles. */
function insideOf(groupId: string, dialect: Dialect): Condition {
  const next = dialect.lookUp('members', 'm', sql`m.group_id = inside.id`);
  return sql`s.id in (with recursive inside (id) as (
    select member_id from members inner join subjects g on g.id = group_id and g.life = 'live'
    where group_id = ${groupId}
    union select m.member_id from inside ${next}) select id from inside)`;
}

function refuse(path: AttrPath, why: string): never {
  const name = formatAttrPath(path);
  throw new Problem('invalidFilter', `"${name}" ${why}.`, { field: name });
}
