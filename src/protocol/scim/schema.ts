import type { Attribute, Schema } from './attribute.ts';
import {
  commonAttributes,
  coreGroupSchema,
  coreGroupUrn,
  coreUserSchema,
  coreUserUrn,
  enterpriseUserSchema,
  enterpriseUserUrn,
} from './core-schemas.ts';
import type { AttrPath } from './filter.ts';

export type { Attribute, AttributeType, Schema } from './attribute.ts';
export { coreGroupUrn, coreUserUrn, enterpriseUserUrn };

/** An attribute with its sub-attributes by lower-case name. */
export interface IndexedAttribute {
  attribute: Attribute;
  subs: ReadonlyMap<string, Attribute>;
}

export type AttributeIndex = ReadonlyMap<string, IndexedAttribute>;

export interface UniquePath {
  /** `urn:…:badge`, `urn:…:devices.serial`. */
  path: string;
  extension: string;
  attribute: Attribute;
  sub?: Attribute;
}

/**
 * A kind of resource (RFC 7643 section 6). Make one with `defineResourceType`, which builds the lookup tables; never
 * by spreading another, which would keep that one's tables.
 */
export interface ResourceType {
  name: 'User' | 'Group';
  /** Relative to the base URL: `/Users`. */
  endpoint: string;
  schema: Schema;
  extensions: readonly Schema[];
  /** URNs of the extensions that every resource must have, and with them the attributes they require (RFC 7643 section 6). */
  requiredExtensions: readonly string[];
  /** Attributes of extensions, and their sub-attributes, whose values no two resources may share. */
  unique: readonly UniquePath[];
  /** Common and core attributes by lower-case name. */
  core: AttributeIndex;
  /** Each extension by lower-case URN. */
  extensionIndex: ReadonlyMap<string, { schema: Schema; attributes: AttributeIndex }>;
}

export function defineResourceType(
  definition: Pick<ResourceType, 'name' | 'endpoint' | 'schema' | 'extensions'> & {
    requiredExtensions?: readonly string[];
  },
): ResourceType {
  return {
    requiredExtensions: [],
    ...definition,
    unique: definition.extensions.flatMap(listUnique),
    core: indexAttributes([...commonAttributes, ...definition.schema.attributes]),
    extensionIndex: new Map(
      definition.extensions.map((schema) => [
        schema.id.toLowerCase(),
        { schema, attributes: indexAttributes(schema.attributes) },
      ]),
    ),
  };
}

function listUnique({ id, attributes }: Schema): UniquePath[] {
  return attributes.flatMap((attribute) => {
    const path = `${id}:${attribute.name}`;
    const whole = attribute.uniqueness === 'none' ? [] : [{ path, extension: id, attribute }];
    const subs = (attribute.subAttributes ?? []).filter((sub) => sub.uniqueness !== 'none');
    return [...whole, ...subs.map((sub) => ({ path: `${path}.${sub.name}`, extension: id, attribute, sub }))];
  });
}

function indexAttributes(attributes: readonly Attribute[]): AttributeIndex {
  for (const { name } of attributes.flatMap((attribute) => [attribute, ...(attribute.subAttributes ?? [])])) {
    // Resources are plain objects: such a name would look as if it always had a value.
    if (name in {}) throw new Error(`an attribute cannot be named ${name}`);
  }
  return new Map(
    attributes.map((attribute) => [
      attribute.name.toLowerCase(),
      {
        attribute,
        subs: new Map((attribute.subAttributes ?? []).map((sub) => [sub.name.toLowerCase(), sub])),
      },
    ]),
  );
}

export const userType: ResourceType = defineResourceType({
  name: 'User',
  endpoint: '/Users',
  schema: coreUserSchema,
  extensions: [enterpriseUserSchema],
});

export const groupType: ResourceType = defineResourceType({
  name: 'Group',
  endpoint: '/Groups',
  schema: coreGroupSchema,
  extensions: [],
});

/** What users and groups are on this server. Made once, and handed to whoever reads, writes or searches resources. */
export interface ResourceTypes {
  readonly user: ResourceType;
  readonly group: ResourceType;
}

/** The resource types without any extension of the administrator's. */
export const coreTypes: ResourceTypes = { user: userType, group: groupType };

/** A schema that an administrator adds to what users or groups have. */
export interface Extension {
  kind: 'user' | 'group';
  /** Whether each of them must have it. */
  required: boolean;
  schema: Schema;
}

/** The core types with these extensions, which `readSchemaFile` checked. */
export function openResourceTypes(extensions: readonly Extension[]): ResourceTypes {
  const extend = (kind: Extension['kind'], core: ResourceType) => {
    const own = extensions.filter((extension) => extension.kind === kind);
    return defineResourceType({
      name: core.name,
      endpoint: core.endpoint,
      schema: core.schema,
      extensions: [...core.extensions, ...own.map(({ schema }) => schema)],
      requiredExtensions: own.filter(({ required }) => required).map(({ schema }) => schema.id),
    });
  };
  return { user: extend('user', userType), group: extend('group', groupType) };
}

/** Where a path leads in a resource of a type. */
export type Location =
  | {
      /** The URN of the extension that holds the attribute; absent for common and core attributes. */
      extension?: string;
      attribute: Attribute;
      subs: ReadonlyMap<string, Attribute>;
      /** Only when the path names a sub-attribute. */
      sub?: Attribute;
    }
  /** The path is the URN of an extension: all of it is meant. */
  | { extension: string; attribute?: undefined };

/**
 * Finds what a path names, without regard to case in the URN or the names (RFC 7643 section 2.1, RFC 7644 section
 * 3.10). A path without URN means a core or common attribute, else the first extension that has it.
 * `undefined` when the type has no such attribute or the attribute no such sub-attribute.
 */
export function locateAttribute(type: ResourceType, path: AttrPath | string): Location | undefined {
  const { urn, attr, sub } = typeof path === 'string' ? splitAttrPath(path) : path;
  if (urn === undefined) {
    const core = type.core.get(attr.toLowerCase());
    if (core) return withSub(core, undefined, sub);
    for (const extension of type.extensionIndex.values()) {
      const found = extension.attributes.get(attr.toLowerCase());
      if (found) return withSub(found, extension.schema.id, sub);
    }
    return undefined;
  }
  const lower = urn.toLowerCase();
  if (lower === type.schema.id.toLowerCase()) {
    const core = type.core.get(attr.toLowerCase());
    return core && withSub(core, undefined, sub);
  }
  const extension = type.extensionIndex.get(lower);
  if (extension) {
    const found = extension.attributes.get(attr.toLowerCase());
    return found && withSub(found, extension.schema.id, sub);
  }
  // The path is an extension's URN itself: its last piece was read as an attribute, what follows a dot as its sub.
  const last = `${lower}:${attr.toLowerCase()}`;
  const whole = type.extensionIndex.get(sub === undefined ? last : `${last}.${sub.toLowerCase()}`);
  if (whole) return { extension: whole.schema.id };
  const dotted = sub === undefined ? undefined : type.extensionIndex.get(last);
  const found = dotted?.attributes.get(sub!.toLowerCase());
  return found && withSub(found, dotted!.schema.id, undefined);
}

/** The definition of the attribute, or sub-attribute, that a path names; `undefined` when there is none. */
export function attributeOf(type: ResourceType, path: AttrPath | string): Attribute | undefined {
  const location = locateAttribute(type, path);
  if (!location?.attribute) return undefined;
  return location.sub ?? location.attribute;
}

function withSub(
  found: IndexedAttribute,
  extension: string | undefined,
  sub: string | undefined,
): Location | undefined {
  const place = extension === undefined ? found : { extension, ...found };
  if (sub === undefined) return place;
  const subAttribute = found.subs.get(sub.toLowerCase());
  return subAttribute && { ...place, sub: subAttribute };
}

/** Splits a path at its last colon and the first dot after it, without judging it. */
function splitAttrPath(text: string): AttrPath {
  const colon = text.lastIndexOf(':');
  const dot = text.indexOf('.', colon + 1);
  const path: AttrPath = { attr: text.slice(colon + 1, dot < 0 ? undefined : dot) };
  if (colon >= 0) path.urn = text.slice(0, colon);
  if (dot >= 0) path.sub = text.slice(dot + 1);
  return path;
}
