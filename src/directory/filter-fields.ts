import { type RawBuilder, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type AttrPath, formatAttrPath } from '../protocol/scim/filter.ts';
import {
  type Attribute,
  enterpriseUserUrn,
  type Location,
  locateAttribute,
  type ResourceType,
} from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import { nameAttribute, type Subject } from './subjects.ts';

/** A condition that is true or false, never null: it may stand under `not`. */
export type Condition = RawBuilder<unknown>;

/** One value in SQL. `text` is null where there is none. */
export type Value =
  | {
      text: RawBuilder<unknown>;
      /** The same as a number, where values are compared by one: of integer and decimal the value, of dateTime the moment. */
      number?: RawBuilder<unknown>;
      /** The same, folded, as a column. */
      folded?: RawBuilder<unknown>;
      /** A column with an index that holds `indexKey` of the value as it is compared. */
      key?: RawBuilder<unknown>;
      /** Whether there is a value, where columns say so. */
      present?: Condition;
    }
  /** A moment in milliseconds. */
  | { moment: RawBuilder<unknown> }
  /** The same for every subject. */
  | { constant: string };

/** What a path stands for: some values of one definition. */
export type Field = {
  attribute: Attribute;
  /** One of the values is such. */
  any(test: (value: Value) => Condition): Condition;
  /** There is no value at all. */
  none(): Condition;
};

/** The elements of a multi-valued or complex attribute. `pick`: what a sub-attribute holds in one of them; without sub, the element itself. */
export type Elements = {
  attribute: Attribute;
  /** Of an extension's attribute, its URN. */
  extension?: string;
  exists(body: (pick: (sub: Attribute | undefined) => Field) => Condition): Condition;
};

export type Fields = {
  /** `undefined`: the path names a complex attribute as a whole; see `elementsAt`. */
  fieldAt(path: AttrPath): Field | undefined;
  elementsAt(path: AttrPath): Elements;
  /** The one value of a path that can have no more; `undefined` where there may be many. */
  valueAt(path: AttrPath): Value | undefined;
};

export const always: Condition = sql`(1 = 1)`;
export const never: Condition = sql`(1 = 0)`;

/**
 * Where the attributes of a subject are in the database, for a statement in which the table `subjects` is called `s`.
 * `baseUrl` is what locations begin with.
 */
export function openFields(kind: Subject['kind'], type: ResourceType, dialect: Dialect, baseUrl: string): Fields {
  const doc = sql.ref('s.doc');
  let aliases = 0;

  function locate(path: AttrPath): Extract<Location, { attribute: Attribute }> {
    const location = locateAttribute(type, path);
    if (location?.attribute) return location;
    const name = formatAttrPath(path);
    throw new Problem('invalidFilter', `There is no attribute "${name}"; see /Schemas for those there are.`, {
      field: name,
    });
  }

  function fieldAt(path: AttrPath): Field | undefined {
    const { attribute, sub, extension } = locate(path);
    const leaf = sub ?? attribute;
    if (leaf.type === 'complex') return undefined;
    const value = valueAt(path);
    if (value) return single(leaf, value);
    if (attribute.multiValued) return spread(leaf, elementsOf(attribute, extension), sub);
    return many(leaf, doc, docPath(attribute, extension, sub));
  }

  function valueAt(path: AttrPath): Value | undefined {
    const { attribute, sub, extension } = locate(path);
    if (attribute.multiValued || sub?.multiValued) return undefined;
    if (extension === undefined && attribute.name === 'meta') return metaValue(sub?.name ?? '');
    const place = docPath(attribute, extension, sub);
    const value = isManagerRef(place) ? managerRef() : valueIn(doc, place, sub ?? attribute, dialect);
    return sub || extension !== undefined ? value : withColumns(attribute.name, value.text);
  }

  function elementsAt(path: AttrPath): Elements {
    const { attribute, extension } = locate(path);
    return elementsOf(attribute, extension);
  }

  function elementsOf(attribute: Attribute, extension: string | undefined): Elements {
    if (extension === undefined) {
      if (attribute.name === 'meta') {
        return constructed(attribute, (body) => body((sub) => metaValue(sub?.name ?? '')));
      }
      if (attribute.name === 'schemas') return schemasOf(attribute);
      if (attribute.name === 'groups' && kind === 'user') return groupsOf(attribute);
      if (attribute.name === 'members' && kind === 'group') return membersOf(attribute);
    }
    const path = docPath(attribute, extension, undefined);
    const which = extension === undefined ? { attribute } : { attribute, extension };
    if (!attribute.multiValued) {
      return {
        ...which,
        exists: (body) =>
          sql`(${dialect.jsonText(doc, path)} is not null and ${body((sub) => fieldIn(doc, path, attribute, sub))})`,
      };
    }
    return {
      ...which,
      exists(body) {
        const alias = `e${aliases++}`;
        const element = sql.ref(`${alias}.value`);
        const condition = body((sub) => fieldIn(element, [], attribute, sub));
        return sql`exists (select 1 from ${dialect.jsonEach(doc, path, alias)} where ${condition})`;
      },
    };
  }

  /** What a sub-attribute holds, below a place in a JSON column; without sub, the value at that place. */
  function fieldIn(
    json: RawBuilder<unknown>,
    path: readonly string[],
    attribute: Attribute,
    sub: Attribute | undefined,
  ): Field {
    if (!sub) return single(attribute, valueIn(json, path, attribute, dialect));
    const place = [...path, sub.name];
    if (isManagerRef(place)) return single(sub, managerRef());
    return sub.multiValued ? many(sub, json, place) : single(sub, valueIn(json, place, sub, dialect));
  }

  /** Simple values in a JSON array. */
  function many(leaf: Attribute, json: RawBuilder<unknown>, path: readonly string[]): Field {
    const any = (test: (value: Value) => Condition) => {
      const alias = `e${aliases++}`;
      const value = valueIn(sql.ref(`${alias}.value`), [], leaf, dialect);
      return sql`exists (select 1 from ${dialect.jsonEach(json, path, alias)} where ${single(leaf, value).any(test)})`;
    };
    return { attribute: leaf, any, none: () => sql`(not ${any(() => always)})` };
  }

  /** The manager's address: made of the id where there is one, as it is shown. */
  function managerRef(): Extract<Value, { text: RawBuilder<unknown> }> {
    const manager = (name: string) => dialect.jsonText(doc, [enterpriseUserUrn, 'manager', name]);
    return { text: sql`coalesce(${sql.lit(`${baseUrl}/Users/`)} || ${manager('value')}, ${manager('$ref')})` };
  }

  /** Attributes with a column of their own. */
  function withColumns(name: string, text: RawBuilder<unknown>): Value {
    // Without a look into the document an index has all that is asked for.
    const ofKey = (key: RawBuilder<unknown>) => ({ text, key, present: sql`(${key} is not null)` });
    if (name === nameAttribute[kind]) return { text, folded: sql.ref('s.name_key'), present: always };
    if (name === 'displayName') return ofKey(sql.ref('s.display_key'));
    if (name === 'externalId') return ofKey(sql.ref('s.external_id'));
    if (name === 'id') return { text: sql.ref('s.id'), present: always };
    return { text };
  }

  function metaValue(name: string): Value {
    switch (name) {
      case 'created':
        return { moment: sql.ref('s.created_at') };
      case 'lastModified':
        return { moment: sql.ref('s.modified_at') };
      case 'location':
        return { text: sql`(${sql.lit(`${baseUrl}${type.endpoint}/`)} || s.id)` };
      case 'version':
        // The empty end of the id brings the id's collation with it: by code point.
        return { text: sql`('W/"' || cast(s.version as text) || '"' || substr(s.id, 1, 0))` };
      default:
        return { constant: type.name };
    }
  }

  function schemasOf(attribute: Attribute): Elements {
    return constructed(attribute, (body) => {
      const has = type.extensions.map(
        ({ id }) => sql`(${dialect.jsonText(doc, [id])} is not null and ${body(() => ({ constant: id }))})`,
      );
      return sql`(${sql.join([body(() => ({ constant: type.schema.id })), ...has], sql` or `)})`;
    });
  }

  /** The groups a user is in, through other groups too (RFC 7643 section 4.1.2), each once: direct where it is both. */
  function groupsOf(attribute: Attribute): Elements {
    const up = (of: string) => dialect.lookUp('members', 'm', sql`m.member_id = ${sql.ref(of)}`);
    return constructed(
      attribute,
      (body) =>
        sql`exists (with recursive held (id, direct) as (
            select m.group_id, 1 from members m where m.member_id = s.id
            union select m.group_id, 0 from held ${up('held.id')})
          select 1 from (select id, max(direct) as direct from held group by id) as h
            inner join subjects g on g.id = h.id and g.life = 'live'
          where ${body((sub) => {
            if (sub?.name === '$ref') return { text: sql`(${sql.lit(`${baseUrl}/Groups/`)} || h.id)` };
            if (sub?.name === 'display') return { text: dialect.jsonText(sql.ref('g.doc'), ['displayName']) };
            if (sub?.name !== 'type') return { text: sql.ref('h.id') };
            // The empty end of the id brings the id's collation with it: by code point.
            return { text: sql`((case h.direct when 1 then 'direct' else 'indirect' end) || substr(h.id, 1, 0))` };
          })})`,
    );
  }

  function membersOf(attribute: Attribute): Elements {
    const text = (name: string) => dialect.jsonText(sql.ref('u.doc'), [name]);
    return constructed(
      attribute,
      (body) =>
        sql`exists (select 1 from members m inner join subjects u on u.id = m.member_id
          where m.group_id = s.id and ${body((sub) => {
            const folder = sql`case u.kind when 'user' then ${sql.lit(`${baseUrl}/Users/`)} else ${sql.lit(`${baseUrl}/Groups/`)} end`;
            if (sub?.name === '$ref') return { text: sql`(${folder} || m.member_id)` };
            if (sub?.name === 'display') return { text: sql`coalesce(${text('displayName')}, ${text('userName')})` };
            if (sub?.name === 'type') return { text: sql`(case u.kind when 'user' then 'User' else 'Group' end)` };
            return { text: sql.ref('m.member_id') };
          })})`,
    );
  }

  return { fieldAt, elementsAt, valueAt };
}

function isManagerRef(path: readonly string[]): boolean {
  return path.length === 3 && path[0] === enterpriseUserUrn && path[1] === 'manager' && path[2] === '$ref';
}

function docPath(attribute: Attribute, extension: string | undefined, sub: Attribute | undefined): string[] {
  const path = extension === undefined ? [attribute.name] : [extension, attribute.name];
  return sub ? [...path, sub.name] : path;
}

/** Elements that are no JSON in a column: each sub-attribute has one value that is made here. */
function constructed(
  attribute: Attribute,
  exists: (body: (valueFor: (sub: Attribute | undefined) => Value) => Condition) => Condition,
): Elements {
  return { attribute, exists: (body) => exists((valueFor) => body((sub) => single(sub ?? attribute, valueFor(sub)))) };
}

/** The value of a simple attribute at a place of a JSON column. */
export function valueIn(
  json: RawBuilder<unknown>,
  path: readonly string[],
  { type }: Attribute,
  dialect: Dialect,
): Extract<Value, { text: RawBuilder<unknown> }> {
  const text = dialect.jsonText(json, path);
  if (type === 'integer' || type === 'decimal') return { text, number: dialect.jsonNumber(json, path) };
  return type === 'dateTime' ? { text, number: dialect.moment(text) } : { text };
}

/** A field with at most one value. */
export function single(attribute: Attribute, value: Value): Field {
  if (!('text' in value)) return { attribute, any: (test) => test(value), none: () => never };
  const present = value.present ?? sql`(${value.text} is not null)`;
  return { attribute, any: (test) => sql`(${present} and ${test(value)})`, none: () => sql`(not ${present})` };
}

/** The values that a sub-attribute has in all elements. */
function spread(attribute: Attribute, elements: Elements, sub: Attribute | undefined): Field {
  const exists = (test: (value: Value) => Condition) => elements.exists((pick) => pick(sub).any(test));
  return { attribute, any: exists, none: () => sql`(not ${exists(() => always)})` };
}
