import { isJsonObject, type JsonObject } from './json.ts';
import type { PatchOperation } from './operation.ts';
import type { AttributeIndex, ResourceType } from './schema.ts';
import type { Resource } from './shape.ts';

/**
 * The paths, among those that are returned only on request, to which a client gave values: the answer to its POST, PUT
 * or PATCH shows them (RFC 7643 section 7, *returned*). For `Projection.written`.
 */
export function listWritten(type: ResourceType, resource: Resource): string[] {
  const extensions = [...type.extensionIndex.values()].flatMap(({ schema, attributes }) => {
    const container = resource[schema.id];
    return isJsonObject(container) ? listIn(attributes, container, `${schema.id}:`) : [];
  });
  return [...listIn(type.core, resource, ''), ...extensions];
}

function listIn(index: AttributeIndex, holder: JsonObject, prefix: string): string[] {
  return [...index.values()].flatMap(({ attribute, subs }) => {
    const value = holder[attribute.name];
    if (value === undefined) return [];
    const path = `${prefix}${attribute.name}`;
    const elements = Array.isArray(value) ? value : [value];
    const asked = [...subs.values()].filter(
      ({ name, returned }) =>
        returned === 'request' && elements.some((one) => isJsonObject(one) && one[name] !== undefined),
    );
    const whole = attribute.returned === 'request' ? [path] : [];
    return [...whole, ...asked.map(({ name }) => `${path}.${name}`)];
  });
}

/** The same for the operations of a PATCH. */
export function listPatched(operations: readonly PatchOperation[]): string[] {
  return operations.flatMap(({ target: { attribute, sub, extension }, value }) => {
    const path = extension === undefined ? attribute.name : `${extension}:${attribute.name}`;
    const elements = Array.isArray(value) ? value : [value];
    const subs = (attribute.subAttributes ?? []).filter(
      ({ name, returned }) =>
        returned === 'request' &&
        (sub ? sub.name === name : elements.some((one) => isJsonObject(one) && one[name] !== undefined)),
    );
    const whole = attribute.returned === 'request' ? [path] : [];
    return [...whole, ...subs.map(({ name }) => `${path}.${name}`)];
  });
}
