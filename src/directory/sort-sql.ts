import { type RawBuilder, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type Attribute, locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import { openFields, type Value, valueIn } from './filter-fields.ts';
import { nameAttribute, type Subject } from './subjects.ts';

type Kind = Subject['kind'];

/** What subjects of one kind are sorted by, in a statement in which the table `subjects` is called `s`. */
export type SortKey = {
  /** Null where a subject has no value. */
  key: RawBuilder<unknown>;
  holds: 'text' | 'moment' | 'number';
  /** Some subjects may have no value. */
  mayBeAbsent: boolean;
};

/**
 * What `sortBy` means for each kind (RFC 7644 section 3.4.2.3): text by its attribute's own case rule; of many values
 * the primary one, else the first; a kind without the attribute has no value. `undefined` where all are equal.
 *
 * Throws `Problem('invalidPath')` for a `sortBy` that is no attribute with simple values of any of the kinds.
 */
export function compileSort(
  sortBy: string,
  kinds: readonly Kind[],
  types: Readonly<Record<Kind, ResourceType>>,
  dialect: Dialect,
  baseUrl: string,
): ReadonlyMap<Kind, SortKey> | undefined {
  const known = kinds.filter((kind) => locateAttribute(types[kind], sortBy)?.attribute);
  if (known.length === 0) return refuse(sortBy, 'is no attribute');
  const keys = new Map(known.map((kind) => [kind, compileKey(sortBy, kind, types[kind], dialect, baseUrl)] as const));
  const held = new Set([...keys.values()].map((one) => one?.holds));
  if (held.size > 1) refuse(sortBy, 'is of another type in each resource type');
  const [holds] = held;
  if (holds === undefined) {
    // The name of the resource type: the same for all of a kind.
    return kinds.length === 1 ? undefined : new Map(kinds.map((kind) => [kind, typeName(types[kind])]));
  }
  const absent: SortKey = { key: sql`cast(null as ${columnTypes[holds]})`, holds, mayBeAbsent: true };
  return new Map(kinds.map((kind) => [kind, keys.get(kind) ?? absent]));
}

const columnTypes = { text: sql`text`, moment: sql`bigint`, number: sql`double precision` } as const;

function typeName({ name }: ResourceType): SortKey {
  return { key: sql`cast(${sql.lit(name)} as text)`, holds: 'text', mayBeAbsent: false };
}

function compileKey(
  sortBy: string,
  kind: Kind,
  type: ResourceType,
  dialect: Dialect,
  baseUrl: string,
): SortKey | undefined {
  const { attribute, sub, extension } = locate(type, sortBy);
  const leaf = sub ?? attribute;
  const path = {
    ...(extension === undefined ? {} : { urn: extension }),
    attr: attribute.name,
    ...(sub ? { sub: sub.name } : {}),
  };
  const value =
    openFields(kind, type, dialect, baseUrl).valueAt(path) ?? preferredValue(attribute, extension, sub, dialect);
  if ('constant' in value) return undefined;
  if ('moment' in value) return { key: value.moment, holds: 'moment', mayBeAbsent: false };
  if (value.number) return { key: value.number, holds: 'number', mayBeAbsent: true };
  const key = leaf.caseExact || leaf.type === 'boolean' ? value.text : (value.folded ?? dialect.fold(value.text));
  const isName = extension === undefined && !sub && attribute.name === nameAttribute[kind];
  return { key, holds: 'text', mayBeAbsent: !isName };
}

function locate(type: ResourceType, text: string): { attribute: Attribute; sub?: Attribute; extension?: string } {
  const location = locateAttribute(type, text);
  if (!location?.attribute) return refuse(text, 'is no attribute');
  const { attribute, extension } = location;
  if (attribute.name === 'schemas' || (attribute.multiValued && attribute.mutability === 'readOnly')) {
    return refuse(text, 'has many values of equal rank');
  }
  if (attribute.name === 'members') return refuse(text, 'has many values of equal rank');
  const isWhole = attribute.type === 'complex' && !location.sub;
  const sub = isWhole ? attribute.subAttributes?.find((one) => one.name === 'value') : location.sub;
  if (isWhole && !sub) return refuse(text, 'is complex');
  if (sub?.multiValued) return refuse(text, 'has many values of equal rank');
  if ((sub ?? attribute).returned === 'never') return refuse(text, 'is never returned');
  return { attribute, ...(sub ? { sub } : {}), ...(extension === undefined ? {} : { extension }) };
}

function refuse(text: string, why: string): never {
  throw new Problem('invalidPath', `"${text.slice(0, 100)}" ${why}, so nothing can be sorted by it.`, {
    field: 'sortBy',
  });
}

function preferredValue(
  attribute: Attribute,
  extension: string | undefined,
  sub: Attribute | undefined,
  dialect: Dialect,
): Value {
  const path = extension === undefined ? [attribute.name] : [extension, attribute.name];
  const each = dialect.jsonEach(sql.ref('s.doc'), path, 'e');
  const element = sql.ref('e.value');
  const { text, number } = valueIn(element, sub ? [sub.name] : [], sub ?? attribute, dialect);
  const isPrimary = sql`${dialect.jsonText(element, ['primary'])} = 'true'`;
  const preferred = (value: RawBuilder<unknown>) =>
    sql`coalesce((select ${value} from ${each} where ${isPrimary} limit 1), (select ${value} from ${each} limit 1))`;
  return { text: preferred(text), ...(number ? { number: preferred(number) } : {}) };
}
