import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { type Filter, formatPath, type Path, parsePath } from './filter.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { checkElementFilter } from './match.ts';
import { readBareComplex } from './quirks.ts';
import { checkJsonDepth, checkSchemaUrns } from './resource.ts';
import { type Location, locateAttribute, type ResourceType } from './schema.ts';
import { describe, readElements, readOne } from './value.ts';

export const patchOpUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const lowerPatchOpUrn = patchOpUrn.toLowerCase();

/** What an operation works on: an attribute, or the values of it that meet the filter, or a sub-attribute of either. */
export interface Target {
  /** The path, for messages: as the client wrote it, or its own key where it wrote no path. */
  text: string;
  /** URN of the extension that holds the attribute; absent for common and core attributes. */
  extension?: string;
  attribute: Attribute;
  sub?: Attribute;
  filter?: Filter;
}

/**
 * One checked operation on one attribute. The value is in the schema's form: an array for a multi-valued attribute
 * as a whole; for a complex one an object in which null means unassign; never null itself (that is a remove). Only a
 * remove may have none; with one, it removes the values that agree with it (see `quirks.removeByValue`).
 */
export interface PatchOperation {
  op: 'add' | 'remove' | 'replace';
  target: Target;
  value?: JsonValue;
}

/**
 * Reads the body of a PATCH (RFC 7644 section 3.5.2) into operations on single attributes: an operation without path
 * becomes one for each attribute in its value. Unknown attributes there are dropped, as in a POST; in a path they are
 * `noTarget`. Everything that can be judged without the resource is judged here.
 *
 * Throws `Problem`: `invalidSyntax` (not a PatchOp message), `invalidPath`, `invalidFilter`, `noTarget`,
 * `mutability` (readOnly attribute), `invalidValue`.
 */
export function readPatch(type: ResourceType, body: unknown): PatchOperation[] {
  if (!isJsonObject(body)) refuseMessage(`The body must be a JSON object, not ${describe(body)}.`);
  checkJsonDepth(body);
  const schemas = getMember(body, 'schemas');
  const isPatch =
    Array.isArray(schemas) &&
    schemas.some((urn) => urn === patchOpUrn || (typeof urn === 'string' && urn.toLowerCase() === lowerPatchOpUrn));
  if (!isPatch) refuseMessage(`"schemas" must be an array with "${patchOpUrn}".`);
  const given = getMember(body, 'Operations');
  if (!Array.isArray(given) || given.length === 0) {
    refuseMessage('"Operations" must be an array of one or more operations.');
  }
  const operations: PatchOperation[] = [];
  for (let n = 0; n < given.length; n++) operations.push(...readOperation(type, given[n], n));
  return operations;
}

function refuseMessage(detail: string): never {
  throw new Problem('invalidSyntax', detail);
}

/** A member of a message by its name in any case (RFC 7643 section 2.1). */
function getMember(object: JsonObject, name: string): unknown {
  if (object[name] !== undefined) return object[name];
  for (const key in object) {
    if (key.length === name.length && key.toLowerCase() === name.toLowerCase()) return object[key];
  }
  return undefined;
}

function readOperation(type: ResourceType, operation: unknown, index: number): PatchOperation[] {
  const name = `Operations[${index}]`;
  if (!isJsonObject(operation)) refuseMessage(`${name} must be an object, not ${describe(operation)}.`);
  const op = readOp(getMember(operation, 'op'), name);
  const path = getMember(operation, 'path') ?? undefined;
  const value = getMember(operation, 'value');
  if (path !== undefined && typeof path !== 'string') {
    throw new Problem('invalidPath', `The path of ${name} must be a string, not ${describe(path)}.`);
  }
  if (op !== 'remove' && value === undefined) {
    throw new Problem(
      'invalidValue',
      `${name} has no "value"; "${op}" needs one.`,
      path === undefined ? {} : { field: path },
    );
  }
  if (path !== undefined) return readTargeted(type, op, path, value);
  if (op === 'remove') throw new Problem('noTarget', `${name} removes and has no "path"; say what to remove.`);
  if (!isJsonObject(value)) {
    throw new Problem(
      'invalidValue',
      `${name} has no "path", so its "value" must be an object of attributes, not ${describe(value)}.`,
    );
  }
  return Object.keys(value).flatMap((key) => readKey(type, op, key, value[key]));
}

/** quirk capitalisedOperations */
function readOp(op: unknown, name: string): PatchOperation['op'] {
  const lower = typeof op === 'string' ? op.toLowerCase() : undefined;
  if (lower === 'add' || lower === 'remove' || lower === 'replace') return lower;
  return refuseMessage(`The "op" of ${name} must be "add", "remove" or "replace".`);
}

function readTargeted(type: ResourceType, op: PatchOperation['op'], text: string, value: unknown): PatchOperation[] {
  const extension = text.includes(':') ? type.extensionIndex.get(text.trim().toLowerCase()) : undefined;
  if (extension) return readWholeExtension(type, op, extension.schema.id, value);
  const path = parsePath(text);
  const location = locateAttribute(type, path);
  if (!location) {
    throw new Problem('noTarget', `A ${type.name} has no attribute "${text}"; see /Schemas for those there are.`, {
      field: text,
    });
  }
  if (!location.attribute) return readWholeExtension(type, op, location.extension, value);
  return readLocated(type, op, text, path, location, value);
}

/** One key of the value of an operation without path. */
function readKey(type: ResourceType, op: 'add' | 'replace', key: string, value: unknown): PatchOperation[] {
  const known = type.core.get(key.toLowerCase());
  if (known) {
    const { name } = known.attribute;
    // quirk commonKeysWithoutPath
    if (name === 'id' || name === 'meta') return [];
    if (name === 'schemas') return checkSchemasValue(type, value);
    return readLocated(type, op, known.attribute.name, { attr: key }, known, value);
  }
  const extension = type.extensionIndex.get(key.toLowerCase());
  if (extension) return readWholeExtension(type, op, extension.schema.id, value);
  // quirk dottedKeys
  const isPath = key.includes('[') || key.includes('.') || key.includes(':');
  if (!isPath) return [];
  let path: Path;
  try {
    path = parsePath(key);
  } catch (error) {
    if (key.includes('[')) throw error;
    return [];
  }
  const location = locateAttribute(type, path);
  if (!location) return [];
  if (!location.attribute) return readWholeExtension(type, op, location.extension, value);
  return readLocated(type, op, key, path, location, value);
}

/** All of an extension: each attribute in the value, or each attribute there can be when it is removed. */
function readWholeExtension(
  type: ResourceType,
  op: PatchOperation['op'],
  urn: string,
  value: unknown,
): PatchOperation[] {
  const { attributes } = type.extensionIndex.get(urn.toLowerCase())!;
  if (op === 'remove' || value === null) {
    return [...attributes.values()]
      .filter(({ attribute }) => attribute.mutability !== 'readOnly')
      .map(({ attribute }) => ({
        op: 'remove',
        target: { text: `${urn}:${attribute.name}`, extension: urn, attribute },
      }));
  }
  if (!isJsonObject(value)) {
    throw new Problem('invalidValue', `"${urn}" must be an object of its attributes, not ${describe(value)}.`, {
      field: urn,
    });
  }
  return Object.keys(value).flatMap((key) => {
    const found = attributes.get(key.toLowerCase());
    if (!found) return [];
    const location = { extension: urn, ...found };
    return readLocated(type, op, `${urn}:${found.attribute.name}`, { attr: key }, location, value[key]);
  });
}

function readLocated(
  type: ResourceType,
  op: PatchOperation['op'],
  text: string,
  path: Path,
  location: Extract<Location, { attribute: Attribute }>,
  value: unknown,
): PatchOperation[] {
  const { attribute, sub, extension } = location;
  if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly') {
    throw new Problem('mutability', `"${text}" is readOnly.`, { field: text });
  }
  if (attribute.name === 'schemas' && extension === undefined) {
    if (op === 'remove')
      throw new Problem('mutability', '"schemas" is required and cannot be removed.', { field: text });
    return checkSchemasValue(type, value);
  }
  const target: Target = { text, attribute };
  if (extension !== undefined) target.extension = extension;
  if (sub) target.sub = sub;
  if (path.filter) {
    if (!attribute.multiValued) {
      throw new Problem(
        'invalidPath',
        `"${attribute.name}" has one value; ${formatPath(path)} cannot choose among several.`,
        {
          field: text,
        },
      );
    }
    checkElementFilter(path.filter, attribute);
    target.filter = path.filter;
  }
  return op === 'remove' ? readRemove(target, value) : readAssignment(op, target, value);
}

/** What `schemas` holds follows from the attributes there are; a client may say it, not change it. */
function checkSchemasValue(type: ResourceType, value: unknown): PatchOperation[] {
  checkSchemaUrns(type, Array.isArray(value) ? value : [value]);
  return [];
}

function readRemove(target: Target, value: unknown): PatchOperation[] {
  const { attribute, sub, filter, text } = target;
  const byValue = attribute.multiValued && !sub && !filter && value !== undefined && value !== null;
  if (!byValue) return [{ op: 'remove', target }];
  // quirk removeByValue. An empty array names nothing, so nothing is removed.
  const elements = readElements(attribute, Array.isArray(value) ? value : [value], text);
  return elements ? [{ op: 'remove', target, value: elements }] : [];
}

function readAssignment(op: 'add' | 'replace', target: Target, given: unknown): PatchOperation[] {
  const value = readTargetValue(op, target, given);
  if (value === null) {
    // Assigning null is unassigning (RFC 7643 section 2.5); adding nothing to many values changes nothing.
    const addsNothing = op === 'add' && target.attribute.multiValued && !target.sub;
    return addsNothing ? [] : [{ op: 'remove', target }];
  }
  return value === undefined ? [] : [{ op, target, value }];
}

/** `null`: the target is unassigned. `undefined`: the value says nothing that the schema knows. */
function readTargetValue(op: 'add' | 'replace', target: Target, given: unknown): JsonValue | undefined {
  const { attribute, sub, filter, text } = target;
  if (given === null || given === undefined) return null;
  const leaf = sub ?? attribute;
  const isWhole = !sub && !filter;
  if (isWhole && attribute.multiValued) {
    return readElements(attribute, Array.isArray(given) ? given : [given], text) ?? null;
  }
  if (sub?.multiValued) return readElements(sub, Array.isArray(given) ? given : [given], text) ?? null;
  if (leaf.type !== 'complex') return readOne(leaf, given, text, 'drop');
  const hasValue = leaf.subAttributes?.some((candidate) => candidate.name === 'value') ?? false;
  // quirk bareComplexValue
  const meant = hasValue || Array.isArray(given) ? readBareComplex(given as JsonValue) : given;
  if (meant === null) return null;
  return readOne(leaf, meant, text, op === 'replace' && filter ? 'drop' : 'keep');
}
