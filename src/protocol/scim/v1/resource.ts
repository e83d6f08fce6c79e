import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { checkJsonDepth, readResource as readModelResource } from '../resource.ts';
import { enterpriseUserUrn, type IndexedAttribute, type ResourceType } from '../schema.ts';
import type { Resource } from '../shape.ts';
import { checkSchemas, coreUrn, readExtensionUrn, writeSchemaUrn } from './names.ts';

/**
 * Reads the body of a POST or PUT in SCIM 1.1 into the model. What is not said there as in SCIM 2.0 is put so, and the
 * rest is the model's to judge; throws what its `readResource` throws.
 */
export function readResource(type: ResourceType, body: unknown): Resource {
  if (!isJsonObject(body)) return readModelResource(type, body);
  checkJsonDepth(body);
  const lifted: JsonObject = { schemas: [type.schema.id] };
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (key.toLowerCase() === 'schemas') {
      checkSchemas(type, value);
      continue;
    }
    const known = type.core.get(key.toLowerCase());
    const extension = known ? undefined : readExtensionUrn(type, key);
    // The key stays as it was written: the same attribute in another case is refused further on.
    if (known) lifted[key] = readValue(known, value);
    else if (extension !== undefined) {
      lifted[key.toLowerCase() === extension.toLowerCase() ? key : extension] = readExtension(type, extension, value);
    }
  }
  return readModelResource(type, lifted);
}

/** The attributes under an extension's URN as the model names them. */
export function readExtension(type: ResourceType, urn: string, value: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(value)) return value;
  const { attributes } = type.extensionIndex.get(urn.toLowerCase())!;
  const lifted: JsonObject = {};
  for (const key of Object.keys(value)) {
    const known = attributes.get(key.toLowerCase());
    if (!known) continue;
    const isManager = urn === enterpriseUserUrn && known.attribute.name === 'manager';
    lifted[key] = isManager ? readManager(value[key]) : readValue(known, value[key]);
  }
  return lifted;
}

function readManager(value: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(value)) return value;
  const key = Object.keys(value).find((name) => name.toLowerCase() === 'managerid');
  const id = key === undefined ? undefined : value[key];
  return id === undefined || id === null || id === '' ? null : { value: id };
}

/** quirk plainTextElements */
export function readValue({ attribute, subs }: IndexedAttribute, value: JsonValue | undefined): JsonValue | undefined {
  if (!attribute.multiValued || !subs.has('value') || !Array.isArray(value)) return value;
  return value.map((element) => (typeof element === 'string' ? { value: element } : element));
}

/** A resource of the model, already as the client may see it, in SCIM 1.1. Nested values may be shared with it. */
export function writeResource(resource: Resource): JsonObject {
  const written: JsonObject = { schemas: [coreUrn] };
  for (const key of Object.keys(resource)) {
    const value = resource[key];
    if (key === 'schemas') continue;
    if (key === 'meta') written.meta = writeMeta(value);
    else if (key === 'members' || key === 'groups') written[key] = withoutRefs(value);
    else if (key.startsWith('urn:')) {
      const urn = writeSchemaUrn(key);
      (written.schemas as string[]).push(urn);
      written[urn] = key === enterpriseUserUrn ? writeEnterprise(value) : value;
    } else written[key] = value;
  }
  return written;
}

/** SCIM 1.1 has no `meta.resourceType`. */
function writeMeta(meta: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(meta)) return meta;
  const { resourceType: _, ...rest } = meta;
  return rest;
}

function withoutRefs(values: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(values)) return values;
  return values.map((element) => {
    if (!isJsonObject(element)) return element;
    const { $ref: _, ...rest } = element;
    return rest;
  });
}

function writeEnterprise(container: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(container) || !isJsonObject(container.manager)) return container;
  const { value, ...rest } = container.manager;
  return { ...container, manager: value === undefined ? rest : { managerId: value, ...rest } };
}
