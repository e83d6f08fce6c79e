import { type RawBuilder, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type Attribute, locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import { openFields, type Value } from './filter-fields.ts';
import type { Subject } from './subjects.ts';

/**
 * The `order by` of a search (RFC 7644 section 3.4.2.3), for a statement in which the table `subjects` is called `s`:
 * text by its attribute's own case rule, subjects without a value last when ascending and first when descending, of
 * many values the primary one, else the first. Equal ones, and all without `sortBy`, are in the order of their ids.
 *
 * Throws `Problem('invalidPath')` for a `sortBy` that is no attribute with simple values.
 */
export function compileOrder(
  order: { sortBy?: string; sortOrder?: 'ascending' | 'descending' },
  kind: Subject['kind'],
  type: ResourceType,
  dialect: Dialect,
  baseUrl: string,
): RawBuilder<unknown> {
  if (order.sortBy === undefined) return sql`s.id`;
  const { attribute, sub, extension } = locate(type, order.sortBy);
  const leaf = sub ?? attribute;
  const path = {
    ...(extension === undefined ? {} : { urn: extension }),
    attr: attribute.name,
    ...(sub ? { sub: sub.name } : {}),
  };
  const value =
    openFields(kind, type, dialect, baseUrl).valueAt(path) ?? preferredValue(attribute, extension, sub, dialect);
  const direction = order.sortOrder === 'descending' ? sql` desc` : sql``;
  if ('constant' in value) return sql`s.id`;
  if ('moment' in value) return sql`${value.moment}${direction}, s.id`;
  return sql`(${value.text} is null)${direction}, ${sortKey(leaf, value, dialect)}${direction}, s.id`;
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
  const text = dialect.jsonText(element, sub ? [sub.name] : []);
  const isPrimary = sql`${dialect.jsonText(element, ['primary'])} = 'true'`;
  return {
    text: sql`coalesce((select ${text} from ${each} where ${isPrimary} limit 1), (select ${text} from ${each} limit 1))`,
  };
}

function sortKey(
  leaf: Attribute,
  value: Extract<Value, { text: RawBuilder<unknown> }>,
  dialect: Dialect,
): RawBuilder<unknown> {
  if (leaf.type === 'integer' || leaf.type === 'decimal') return sql`cast(${value.text} as double precision)`;
  if (leaf.caseExact || leaf.type === 'boolean') return value.text;
  return value.folded ?? dialect.fold(value.text);
}
