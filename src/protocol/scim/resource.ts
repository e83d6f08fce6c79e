import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { IndexedAttribute, ResourceType } from './schema.ts';
import { listSchemas, type Resource } from './shape.ts';
import { describe, readAttribute } from './value.ts';

export type { JsonObject, JsonValue } from './json.ts';
export { makeWriter, type Projection, writeResource } from './projection.ts';
export type { Meta, Resource } from './shape.ts';

/** Deepest JSON accepted. */
export const maxJsonDepth = 20;

/**
 * Reads the body of a POST or PUT (RFC 7644 sections 3.3 and 3.5.1). What the client may not say is dropped: readOnly
 * attributes and those no schema has. `schemas` of the answer names the base schema and the extensions that have
 * values.
 *
 * Throws `Problem('invalidSyntax')` when the body is no resource of this type, `Problem('invalidValue')` naming the
 * attribute when a value is wrong or a required one is missing.
 */
export function readResource(type: ResourceType, body: unknown): Resource {
  if (!isJsonObject(body)) {
    throw new Problem(
      'invalidSyntax',
      `The body must be a JSON object describing a ${type.name}, not ${describe(body)}.`,
    );
  }
  checkJsonDepth(body);
  const resource: Resource = { schemas: [type.schema.id] };
  let given: unknown;
  for (const key of Object.keys(body)) {
    const value = body[key];
    const found = type.core.get(key) ?? type.core.get(key.toLowerCase());
    if (!found) {
      readExtension(type, key, value, resource);
      continue;
    }
    const { attribute } = found;
    if (attribute.name === 'schemas') {
      if (given !== undefined) refuseTwice('schemas');
      given = value;
      continue;
    }
    setRead(resource, found, value, attribute.name);
  }
  checkSchemas(type, given);
  checkRequired(type, resource);
  resource.schemas = listSchemas(type, resource);
  return resource;
}

/** The attributes that an extension's container holds, put under the extension's URN. Keys that are no extension are dropped. */
function readExtension(type: ResourceType, key: string, value: unknown, resource: Resource): void {
  const extension = type.extensionIndex.get(key.toLowerCase());
  if (!extension || value === null || value === undefined) return;
  const urn = extension.schema.id;
  if (resource[urn] !== undefined) refuseTwice(urn);
  if (!isJsonObject(value)) {
    throw new Problem('invalidValue', `"${urn}" must be an object, not ${describe(value)}.`, { field: urn });
  }
  const container: JsonObject = {};
  for (const name of Object.keys(value)) {
    const found = extension.attributes.get(name.toLowerCase());
    if (found) setRead(container, found, value[name], `${urn}:${found.attribute.name}`);
  }
  if (Object.keys(container).length > 0) resource[urn] = container;
}

function setRead(holder: JsonObject, found: IndexedAttribute, value: unknown, path: string): void {
  const { attribute } = found;
  if (attribute.mutability === 'readOnly') return;
  const read = readAttribute(attribute, value, path);
  if (read === undefined) return;
  if (holder[attribute.name] !== undefined) refuseTwice(path);
  holder[attribute.name] = read;
}

function refuseTwice(name: string): never {
  throw new Problem('invalidSyntax', `"${name}" is given twice, in different case. Attribute names have no case.`, {
    field: name,
  });
}

function checkSchemas(type: ResourceType, given: unknown): void {
  const wanted = `"schemas" must be an array with ${JSON.stringify(type.schema.id)}`;
  if (!Array.isArray(given)) {
    throw new Problem('invalidSyntax', `${wanted}; it is ${given === undefined ? 'missing' : describe(given)}.`, {
      field: 'schemas',
    });
  }
  checkSchemaUrns(type, given);
  const base = type.schema.id.toLowerCase();
  if (!given.some((urn: string) => urn.toLowerCase() === base)) {
    throw new Problem('invalidSyntax', `${wanted}; it is not among them.`, { field: 'schemas' });
  }
}

/** Refuses, with `Problem('invalidSyntax')`, a URN that is neither the type's schema nor one of its extensions (RFC 7643 section 3). */
export function checkSchemaUrns(type: ResourceType, urns: readonly unknown[]): void {
  const base = type.schema.id.toLowerCase();
  for (const urn of urns) {
    const known = typeof urn === 'string' && (urn.toLowerCase() === base || type.extensionIndex.has(urn.toLowerCase()));
    if (known) continue;
    const name = typeof urn === 'string' ? JSON.stringify(urn.slice(0, 200).toWellFormed()) : describe(urn);
    const served = [type.schema, ...type.extensions].map((schema) => schema.id).join(', ');
    throw new Problem(
      'invalidSyntax',
      `"schemas" names ${name}, which a ${type.name} does not have here. It may name ${served}.`,
      {
        field: 'schemas',
      },
    );
  }
}

/**
 * Refuses, with `Problem('invalidValue')`, a resource in which a required attribute has no value. `before`: what the
 * resource was; what it did not have then, it need not have now, or nobody could be changed any more once an
 * administrator declares something required.
 */
export function checkRequired(type: ResourceType, resource: Resource, before?: Resource): void {
  const missing = listMissing(type, resource);
  if (missing.length === 0) return;
  const known = before ? listMissing(type, before) : [];
  const name = missing.find((one) => !known.includes(one));
  if (name !== undefined) throw new Problem('invalidValue', `"${name}" is required and missing.`, { field: name });
}

/** An extension asks for its attributes where the resource has it, or must have it (RFC 7643 section 6). */
function listMissing(type: ResourceType, resource: Resource): string[] {
  const isMissing = (attribute: Attribute, holder: JsonObject) =>
    attribute.required && attribute.mutability !== 'readOnly' && holder[attribute.name] === undefined;
  const missing = type.schema.attributes.filter((one) => isMissing(one, resource)).map(({ name }) => name);
  for (const { id, attributes } of type.extensions) {
    const container = resource[id];
    if (isJsonObject(container)) {
      missing.push(...attributes.filter((one) => isMissing(one, container)).map(({ name }) => `${id}:${name}`));
    } else if (type.requiredExtensions.includes(id)) missing.push(id);
  }
  return missing;
}

/** Refuses, with `Problem('invalidSyntax')`, JSON nested deeper than `maxJsonDepth`. */
export function checkJsonDepth(value: unknown, depth = 1): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxJsonDepth) {
    throw new Problem('invalidSyntax', `The body is nested deeper than ${maxJsonDepth} levels.`);
  }
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') checkJsonDepth(item, depth + 1);
  } else {
    for (const key in value) {
      const item = (value as Record<string, unknown>)[key];
      if (typeof item === 'object') checkJsonDepth(item, depth + 1);
    }
  }
}
