import { type RawBuilder, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type AttrPath, formatAttrPath } from '../protocol/scim/filter.ts';
import { type Attribute, type Location, locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import type { Dialect } from '../store/dialect.ts';
import { nameAttribute, type Subject } from './subjects.ts';

/** A condition that is true or false, never null: it may stand under `not`. */
export type Condition = RawBuilder<unknown>;

/** One value in SQL. `text` is null where there is none. */
export type Value =
  | {
      text: RawBuilder<unknown>;
      /** The same, folded, as a column. */
      folded?: RawBuilder<unknown>;
      /** A column with an index that holds `indexKey` of the value as it is compared. */
      key?: RawBuilder<unknown>;
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

/** The elements of a multi-valued or complex attribute. `pick` without sub: the element itself. */
export type Elements = {
  attribute: Attribute;
  exists(body: (pick: (sub: Attribute | undefined) => Value) => Condition): Condition;
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
    return value ? single(leaf, value) : spread(leaf, elementsOf(attribute, extension), sub);
  }

  function valueAt(path: AttrPath): Value | undefined {
    const { attribute, sub, extension } = locate(path);
    if (attribute.multiValued || sub?.multiValued) return undefined;
    if (extension === undefined && attribute.name === 'meta') return metaValue(sub?.name ?? '');
    const text = dialect.jsonText(doc, docPath(attribute, extension, sub));
    return sub || extension !== undefined ? { text } : withColumns(attribute.name, text);
  }

  function elementsAt(path: AttrPath): Elements {
    const { attribute, extension } = locate(path);
    return elementsOf(attribute, extension);
  }

  function elementsOf(attribute: Attribute, extension: string | undefined): Elements {
    if (extension === undefined) {
      if (attribute.name === 'meta') return { attribute, exists: (body) => body((sub) => metaValue(sub?.name ?? '')) };
      if (attribute.name === 'schemas') return schemasOf(attribute);
      if (attribute.name === 'groups' && kind === 'user') return groupsOf(attribute);
      if (attribute.name === 'members' && kind === 'group') return membersOf(attribute);
    }
    const path = docPath(attribute, extension, undefined);
    if (!attribute.multiValued) {
      return {
        attribute,
        exists: (body) =>
          sql`(${dialect.jsonText(doc, path)} is not null and ${body((sub) => ({
            text: dialect.jsonText(doc, sub ? [...path, sub.name] : path),
          }))})`,
      };
    }
    return {
      attribute,
      exists(body) {
        const alias = `e${aliases++}`;
        const element = sql.ref(`${alias}.value`);
        const condition = body((sub) => ({ text: dialect.jsonText(element, sub ? [sub.name] : []) }));
        return sql`exists (select 1 from ${dialect.jsonEach(doc, path, alias)} where ${condition})`;
      },
    };
  }

  /** Attributes with a column of their own. */
  function withColumns(name: string, text: RawBuilder<unknown>): Value {
    if (name === nameAttribute[kind]) return { text, folded: sql.ref('s.name_key') };
    if (name === 'displayName') return { text, key: sql.ref('s.display_key') };
    if (name === 'externalId') return { text, key: sql.ref('s.external_id') };
    if (name === 'id') return { text: sql.ref('s.id') };
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
    return {
      attribute,
      exists(body) {
        const has = type.extensions.map(
          ({ id }) => sql`(${dialect.jsonText(doc, [id])} is not null and ${body(() => ({ constant: id }))})`,
        );
        return sql`(${sql.join([body(() => ({ constant: type.schema.id })), ...has], sql` or `)})`;
      },
    };
  }

  function groupsOf(attribute: Attribute): Elements {
    return {
      attribute,
      exists: (body) =>
        sql`exists (select 1 from members m inner join subjects g on g.id = m.group_id
          where m.member_id = s.id and ${body((sub) => {
            if (sub?.name === '$ref') return { text: sql`(${sql.lit(`${baseUrl}/Groups/`)} || m.group_id)` };
            if (sub?.name === 'display') return { text: dialect.jsonText(sql.ref('g.doc'), ['displayName']) };
            return sub?.name === 'type' ? { constant: 'direct' } : { text: sql.ref('m.group_id') };
          })})`,
    };
  }

  function membersOf(attribute: Attribute): Elements {
    const text = (name: string) => dialect.jsonText(sql.ref('u.doc'), [name]);
    return {
      attribute,
      exists: (body) =>
        sql`exists (select 1 from members m inner join subjects u on u.id = m.member_id
          where m.group_id = s.id and ${body((sub) => {
            const folder = sql`case u.kind when 'user' then ${sql.lit(`${baseUrl}/Users/`)} else ${sql.lit(`${baseUrl}/Groups/`)} end`;
            if (sub?.name === '$ref') return { text: sql`(${folder} || m.member_id)` };
            if (sub?.name === 'display') return { text: sql`coalesce(${text('displayName')}, ${text('userName')})` };
            if (sub?.name === 'type') return { text: sql`(case u.kind when 'user' then 'User' else 'Group' end)` };
            return { text: sql.ref('m.member_id') };
          })})`,
    };
  }

  return { fieldAt, elementsAt, valueAt };
}

function docPath(attribute: Attribute, extension: string | undefined, sub: Attribute | undefined): string[] {
  const path = extension === undefined ? [attribute.name] : [extension, attribute.name];
  return sub ? [...path, sub.name] : path;
}

/** A field with at most one value. */
export function single(attribute: Attribute, value: Value): Field {
  if (!('text' in value)) return { attribute, any: (test) => test(value), none: () => never };
  return {
    attribute,
    any: (test) => sql`(${value.text} is not null and ${test(value)})`,
    none: () => sql`(${value.text} is null)`,
  };
}

/** The values that a sub-attribute has in all elements. */
function spread(attribute: Attribute, elements: Elements, sub: Attribute | undefined): Field {
  const exists = (test: (value: Value) => Condition) =>
    elements.exists((pick) => single(attribute, pick(sub)).any(test));
  return { attribute, any: exists, none: () => sql`(not ${exists(() => always)})` };
}
