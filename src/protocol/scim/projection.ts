import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { type AttributeIndex, locateAttribute, type ResourceType } from './schema.ts';
import { listSchemas, type Resource } from './shape.ts';

export interface Projection {
  /** Names in the notation of RFC 7644 section 3.10: only these, and what is always returned. */
  attributes?: readonly string[];
  /** The same notation: what is returned by default, without these. */
  excludedAttributes?: readonly string[];
  /** The same notation: what the client wrote, which the answer shows though it is returned only on request (RFC 7643 section 7). */
  written?: readonly string[];
}

/** What was named under one holder: an attribute by name, wholly (`true`) or some of its sub-attributes. */
type Named = Map<string, true | Set<string>>;
/** Keyed by extension URN; '' holds common and core attributes. `true`: the whole extension. */
type Selection = Map<string, true | Named>;

/**
 * A resource as it is given to a client: `returned` of each attribute and the two parameters (RFC 7644 sections
 * 3.4.2.5 and 3.9) are applied, what no schema has is left out, `schemas` names what is there. The input stays as it
 * is; nested values are shared with it.
 *
 * Names no attribute has are ignored. Throws `Problem('invalidValue')` when both parameters are given: they exclude
 * each other.
 */
export function writeResource(type: ResourceType, resource: Resource, projection: Projection = {}): Resource {
  return makeWriter(type, projection)(resource);
}

/** `writeResource` with the parameters read once, for a page of resources. */
export function makeWriter(type: ResourceType, projection: Projection = {}): (resource: Resource) => Resource {
  const { attributes, excludedAttributes, written } = projection;
  if (attributes?.length && excludedAttributes?.length) {
    throw new Problem('invalidValue', 'Give "attributes" or "excludedAttributes", not both.', { field: 'attributes' });
  }
  const wanted = attributes?.length ? selectAttributes(type, attributes) : undefined;
  const said = written?.length ? selectAttributes(type, written) : undefined;
  const unwanted = excludedAttributes?.length ? selectAttributes(type, excludedAttributes) : undefined;
  return (resource) => {
    const shown: Resource = { schemas: [] };
    copyHolder(resource, shown, type.core, {
      wanted: wanted?.get(''),
      unwanted: unwanted?.get(''),
      written: said?.get(''),
      onlyWanted: wanted !== undefined,
    });
    for (const { schema, attributes: index } of type.extensionIndex.values()) {
      const container = resource[schema.id];
      if (!isJsonObject(container)) continue;
      const copy: JsonObject = {};
      copyHolder(container, copy, index, {
        wanted: wanted?.get(schema.id),
        unwanted: unwanted?.get(schema.id),
        written: said?.get(schema.id),
        onlyWanted: wanted !== undefined,
      });
      if (Object.keys(copy).length > 0) shown[schema.id] = copy;
    }
    shown.schemas = listSchemas(type, shown);
    return shown;
  };
}

function selectAttributes(type: ResourceType, names: readonly string[]): Selection {
  const selection: Selection = new Map();
  for (const name of names) {
    const whole = type.extensionIndex.get(name.trim().toLowerCase());
    const location = whole ? { extension: whole.schema.id } : locateAttribute(type, name.trim());
    if (!location) continue;
    const holder = location.extension ?? '';
    if (!('attribute' in location) || !location.attribute) {
      selection.set(holder, true);
      continue;
    }
    const { attribute, sub } = location;
    const named = selection.get(holder) ?? new Map<string, true | Set<string>>();
    if (named === true) continue;
    selection.set(holder, named);
    const subs = named.get(attribute.name);
    if (!sub) named.set(attribute.name, true);
    else if (subs !== true) named.set(attribute.name, (subs ?? new Set()).add(sub.name));
  }
  return selection;
}

type Selected = true | Named | undefined;
/** What was named of one holder, and whether nothing else is asked for. */
type Choice = { wanted: Selected; unwanted: Selected; written: Selected; onlyWanted: boolean };

function copyHolder(from: JsonObject, to: JsonObject, index: AttributeIndex, choice: Choice): void {
  const { wanted, unwanted, written, onlyWanted } = choice;
  for (const key of Object.keys(from)) {
    if (key === 'schemas') continue;
    const attribute = (index.get(key) ?? index.get(key.toLowerCase()))?.attribute;
    if (!attribute) continue;
    const asked = namedIn(wanted, attribute) || (onlyWanted ? false : namedIn(written, attribute));
    const refused = namedIn(unwanted, attribute);
    const value = project(attribute, from[key], asked, refused, onlyWanted);
    if (value !== undefined) to[attribute.name] = value;
  }
}

function namedIn(selected: Selected, attribute: Attribute): boolean | Set<string> {
  return selected === true || (selected?.get(attribute.name) ?? false);
}

/** `asked` and `refused`: all of it, some of its sub-attributes, or not at all. */
function project(
  attribute: Attribute,
  value: JsonValue | undefined,
  asked: boolean | Set<string>,
  refused: boolean | Set<string>,
  onlyWanted: boolean,
): JsonValue | undefined {
  if (value === null || value === undefined || attribute.returned === 'never') return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  const subs = attribute.subAttributes;
  const always = subs?.some((sub) => sub.returned === 'always') ?? false;
  if (attribute.returned !== 'always') {
    if (onlyWanted ? asked === false && !always : attribute.returned === 'request' && asked === false) return undefined;
    if (refused === true && !always) return undefined;
  }
  if (!subs) return value;
  const plain = subs.every((sub) => sub.returned === 'default');
  const whole = onlyWanted ? asked === true || attribute.returned === 'always' : refused === false;
  if (plain && whole) return value;
  const keep = (sub: Attribute): boolean => {
    if (sub.returned !== 'default') {
      return (
        sub.returned === 'always' || (sub.returned === 'request' && typeof asked === 'object' && asked.has(sub.name))
      );
    }
    if (onlyWanted) return asked === true || (typeof asked === 'object' && asked.has(sub.name));
    return refused === false || (typeof refused === 'object' && !refused.has(sub.name));
  };
  const kept = subs.filter(keep);
  if (!Array.isArray(value)) return pickSubs(value, kept);
  const elements = value.map((element) => pickSubs(element, kept)).filter((element) => element !== undefined);
  return elements.length === 0 ? undefined : elements;
}

function pickSubs(value: JsonValue, subs: readonly Attribute[]): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const picked: JsonObject = {};
  let empty = true;
  for (const sub of subs) {
    const item = value[sub.name];
    if (item === undefined || item === null) continue;
    picked[sub.name] = item;
    empty = false;
  }
  return empty ? undefined : picked;
}
