import { isCollection, isMap, LineCounter, parseDocument } from 'yaml';
import { type Attribute, type AttributeType, defineAttribute, type Schema } from './attribute.ts';
import { pluralSubAttributes } from './core-schemas.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { coreTypes, type Extension } from './schema.ts';

/** What a schema file declares. Where `faults` is not empty, `extensions` is not to be used. */
export type SchemaFile = { extensions: Extension[]; faults: string[] };

const attributeTypes = [
  'string',
  'boolean',
  'decimal',
  'integer',
  'dateTime',
  'binary',
  'reference',
  'complex',
] as const satisfies readonly AttributeType[];
const mutabilities = ['readWrite', 'readOnly', 'immutable', 'writeOnly'] as const;
const returneds = ['default', 'always', 'never', 'request'] as const;
const uniquenesses = ['none', 'server', 'global'] as const;

const schemaKeys = ['id', 'name', 'description', 'resource', 'required', 'attributes'];
const attributeKeys = [
  'name',
  'type',
  'multiValued',
  'description',
  'required',
  'caseExact',
  'mutability',
  'returned',
  'uniqueness',
  'canonicalValues',
  'referenceTypes',
  'subAttributes',
];

/** A URN as every place can carry it: a key of JSON, the head of a path in a filter, a part of an address. */
const urnForm = /^urn:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[A-Za-z0-9._:-]*[A-Za-z0-9]$/;
/** RFC 7643 section 2.1, and `$ref`. */
const nameForm = /^(?:[A-Za-z][A-Za-z0-9_-]*|\$ref)$/;
const longestName = 100;
const mostAttributes = 1_000;

type Place = readonly (string | number)[];
type Reader = { say(place: Place, fault: string): void };

/**
 * Reads the schema extensions that an administrator declares, in YAML or JSON: `schemas`, a list of schemas in the form
 * of RFC 7643 section 7 with the resource each belongs to. Every fault is told, with the file, the line and column, what
 * is wrong and what to do.
 */
export function readSchemaFile(file: string, text: string): SchemaFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults: string[] = [];
  const sayAt = (offset: number, fault: string) => {
    const { line, col } = lines.linePos(offset);
    faults.push(`${file}:${line}:${col}: ${fault}`);
  };
  for (const error of document.errors) sayAt(error.pos[0], `this is no YAML or JSON: ${error.message}`);
  if (faults.length > 0) return { extensions: [], faults };
  const say = (place: Place, fault: string) =>
    sayAt(offsetOf(document.contents, place), `${place.length > 0 ? `${describePlace(place)} ` : ''}${fault}`);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    say([], `the file cannot be read: ${(error as Error).message}`);
    return { extensions: [], faults };
  }
  const extensions = readSchemas({ say }, content);
  return { extensions, faults };
}

/** Where the innermost node of a place that is there begins. */
function offsetOf(contents: unknown, place: Place): number {
  let node = contents;
  let offset = startOf(node) ?? 0;
  for (const step of place) {
    if (!isCollection(node)) break;
    const pair = isMap(node)
      ? node.items.find((one) => String((one.key as { value?: unknown })?.value ?? one.key) === String(step))
      : undefined;
    const next = pair ? pair.key : node.get(step, true);
    if (next === undefined || next === null) break;
    offset = startOf(next) ?? offset;
    node = pair ? pair.value : next;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] | null } | null)?.range?.[0];
}

function describePlace(place: Place): string {
  return place.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

function readSchemas(reader: Reader, content: unknown): Extension[] {
  if (!isJsonObject(content)) {
    reader.say([], 'the file must have the key "schemas" with a list of schemas');
    return [];
  }
  refuseOthers(reader, [], content, ['schemas']);
  const { schemas } = content;
  if (!Array.isArray(schemas)) {
    reader.say(['schemas'], 'must be a list of schemas; an empty list, [], declares none');
    return [];
  }
  const extensions = schemas.flatMap((one, i) => readExtension(reader, ['schemas', i], one) ?? []);
  checkTogether(reader, extensions);
  return extensions.map(({ extension }) => extension);
}

type Placed = { place: Place; extension: Extension };

/** What no schema can be judged by alone: URNs that are taken, or that read like the path of an attribute. */
function checkTogether(reader: Reader, placed: readonly Placed[]): void {
  const core = [coreTypes.user, coreTypes.group].flatMap((type) => [type.schema, ...type.extensions]);
  const taken = new Set(core.map(({ id }) => id.toLowerCase()));
  const paths = new Map<string, string>();
  for (const { id, attributes } of [...core, ...placed.map(({ extension }) => extension.schema)]) {
    for (const { name } of attributes) paths.set(`${id}:${name}`.toLowerCase(), `${id}:${name}`);
  }
  for (const { place, extension } of placed) {
    const { id } = extension.schema;
    const lower = id.toLowerCase();
    if (taken.has(lower)) {
      reader.say([...place, 'id'], `is ${id}, which is served already: give each schema a URN of its own`);
    }
    taken.add(lower);
    const path = paths.get(lower);
    if (path !== undefined) {
      reader.say([...place, 'id'], `is ${id}, which is also the path of an attribute (${path}): choose another URN`);
    }
  }
}

function readExtension(reader: Reader, place: Place, given: unknown): Placed | undefined {
  if (!isJsonObject(given)) {
    reader.say(place, 'must be a schema: an object with id, name, resource and attributes');
    return undefined;
  }
  refuseOthers(reader, place, given, schemaKeys);
  const { id, attributes } = given;
  const isReserved = typeof id === 'string' && /^urn:ietf:params:scim:(?:api|schemas:core):/i.test(id);
  const isUrn = typeof id === 'string' && urnForm.test(id) && id.length <= 255;
  if (!isUrn || isReserved) {
    const why = isReserved ? 'which belongs to the standard' : 'which cannot be a URN here';
    reader.say(
      [...place, 'id'],
      `is ${show(id)}, ${id === undefined ? 'and missing' : why}: it must be a URN of your own such as urn:scim:schemas:extension:custom:User, of letters, digits and . _ : -`,
    );
  }
  const kind = readChoice(reader, place, given, 'resource', ['User', 'Group'] as const, undefined);
  const schema: Schema = {
    id: String(id),
    name: readString(reader, place, given, 'name') ?? '',
    description: readString(reader, place, given, 'description', '') ?? '',
    attributes: readAttributes(reader, [...place, 'attributes'], attributes, 'schema'),
  };
  if (schema.attributes.length > mostAttributes) {
    reader.say(
      [...place, 'attributes'],
      `has ${schema.attributes.length} attributes: at most ${mostAttributes} are served`,
    );
  }
  const required = readFlag(reader, place, given, 'required', false);
  return { place, extension: { kind: kind === 'Group' ? 'group' : 'user', required, schema } };
}

/** `of`: whose attributes these are. */
function readAttributes(reader: Reader, place: Place, given: unknown, of: 'schema' | 'attribute'): Attribute[] {
  if (!Array.isArray(given) || given.length === 0) {
    reader.say(place, `must be a list of at least one ${of === 'schema' ? 'attribute' : 'sub-attribute'}`);
    return [];
  }
  const attributes = given.flatMap((one, i) => readAttribute(reader, [...place, i], one, of) ?? []);
  const seen = new Set<string>();
  for (const [i, one] of given.entries()) {
    const name = isJsonObject(one) && typeof one.name === 'string' ? one.name.toLowerCase() : undefined;
    if (name === undefined) continue;
    if (seen.has(name)) {
      reader.say([...place, i, 'name'], `is there twice (names have no case): rename or remove one of them`);
    }
    seen.add(name);
  }
  return attributes;
}

function readAttribute(
  reader: Reader,
  place: Place,
  given: unknown,
  of: 'schema' | 'attribute',
): Attribute | undefined {
  if (!isJsonObject(given)) {
    reader.say(place, 'must be an attribute: an object with at least a name');
    return undefined;
  }
  refuseOthers(reader, place, given, attributeKeys);
  const name = readName(reader, place, given.name);
  const type = readChoice(reader, place, given, 'type', attributeTypes, 'string');
  const attribute: Attribute = {
    ...defineAttribute(name, readString(reader, place, given, 'description', '') ?? '', { type }),
    multiValued: readFlag(reader, place, given, 'multiValued', false),
    required: readFlag(reader, place, given, 'required', false),
    caseExact: readFlag(reader, place, given, 'caseExact', type === 'reference' || type === 'binary'),
    mutability: readChoice(reader, place, given, 'mutability', mutabilities, 'readWrite'),
    uniqueness: readChoice(reader, place, given, 'uniqueness', uniquenesses, 'none'),
  };
  const isWriteOnly = attribute.mutability === 'writeOnly';
  attribute.returned = readChoice(reader, place, given, 'returned', returneds, isWriteOnly ? 'never' : 'default');
  if (isWriteOnly && attribute.returned !== 'never') {
    reader.say([...place, 'returned'], 'must be never, because the attribute is writeOnly: change one of the two');
  }
  if (attribute.uniqueness !== 'none' && (type === 'complex' || type === 'boolean')) {
    const instead = type === 'complex' ? 'give the uniqueness to one of its subAttributes' : 'leave it out';
    reader.say([...place, 'uniqueness'], `has no meaning for the type ${type}: ${instead}`);
  }
  readDetails(reader, place, given, attribute);
  readSubs(reader, place, given, attribute, of);
  return attribute;
}

function readName(reader: Reader, place: Place, given: unknown): string {
  const name = typeof given === 'string' ? given : '';
  if (!nameForm.test(name) || name.length > longestName) {
    reader.say(
      [...place, 'name'],
      `is ${show(given)}: it must be a letter and then letters, digits, - or _, at most ${longestName} together`,
    );
  } else if (name in {}) {
    reader.say([...place, 'name'], `is ${name}, which no attribute can be called here: choose another name`);
  }
  return name;
}

function readDetails(reader: Reader, place: Place, given: JsonObject, attribute: Attribute): void {
  const { type } = attribute;
  if (given.canonicalValues !== undefined) {
    if (type !== 'string' && type !== 'reference') {
      reader.say([...place, 'canonicalValues'], `are for the types string and reference, not ${type}: leave them out`);
    }
    attribute.canonicalValues = readTexts(reader, [...place, 'canonicalValues'], given.canonicalValues);
  }
  if (type === 'reference' && given.referenceTypes === undefined) {
    reader.say(
      [...place, 'referenceTypes'],
      'is missing: say what it refers to, such as ["User", "Group"], ["external"] or ["uri"]',
    );
  }
  if (given.referenceTypes !== undefined) {
    if (type !== 'reference') {
      reader.say([...place, 'referenceTypes'], `are for the type reference, not ${type}: leave them out`);
    }
    attribute.referenceTypes = readTexts(reader, [...place, 'referenceTypes'], given.referenceTypes);
  }
}

function readSubs(
  reader: Reader,
  place: Place,
  given: JsonObject,
  attribute: Attribute,
  of: 'schema' | 'attribute',
): void {
  const here = [...place, 'subAttributes'];
  if (attribute.type !== 'complex') {
    if (given.subAttributes === undefined) return;
    reader.say(here, `are for the type complex, not ${attribute.type}: leave them out, or say type: complex`);
    return;
  }
  if (of === 'attribute') {
    reader.say(
      [...place, 'type'],
      'is complex, and sub-attributes cannot be (RFC 7643 section 2.3.8): choose another type',
    );
    return;
  }
  // RFC 7643 section 2.4: what the values of a multi-valued attribute have where nothing else is said.
  attribute.subAttributes =
    attribute.multiValued && given.subAttributes === undefined
      ? [
          ...pluralSubAttributes(defineAttribute('value', 'The value.')),
          defineAttribute('$ref', 'Address of what is meant.', { type: 'reference', referenceTypes: ['uri'] }),
        ]
      : readAttributes(reader, here, given.subAttributes, 'attribute');
}

function refuseOthers(reader: Reader, place: Place, given: JsonObject, known: readonly string[]): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) reader.say([...place, key], `has no meaning here: known are ${known.join(', ')}`);
  }
}

/** With `fallback` it may be left out. */
function readString(
  reader: Reader,
  place: Place,
  given: JsonObject,
  key: string,
  fallback?: string,
): string | undefined {
  const value = given[key];
  if ((value === undefined || value === null) && fallback !== undefined) return fallback;
  if (typeof value === 'string' && (value.trim() !== '' || fallback !== undefined)) return value;
  reader.say([...place, key], `is ${show(value)}: it must be a text`);
  return undefined;
}

function readFlag(reader: Reader, place: Place, given: JsonObject, key: string, fallback: boolean): boolean {
  const value = given[key];
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  reader.say([...place, key], `is ${show(value)}: it must be true or false`);
  return fallback;
}

function readChoice<C extends string>(
  reader: Reader,
  place: Place,
  given: JsonObject,
  key: string,
  choices: readonly C[],
  fallback: C | undefined,
): C {
  const value = given[key];
  if (value === undefined && fallback !== undefined) return fallback;
  if (choices.includes(value as C)) return value as C;
  reader.say([...place, key], `is ${show(value)}: it must be one of ${choices.join(', ')}`);
  return fallback ?? choices[0]!;
}

function readTexts(reader: Reader, place: Place, given: unknown): string[] {
  const isList =
    Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === 'string' && one !== '');
  if (isList) return given as string[];
  reader.say(place, 'must be a list of texts; quote those that read like numbers or true');
  return [];
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100);
}
