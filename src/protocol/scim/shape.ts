import type { JsonObject, JsonValue } from './json.ts';
import type { ResourceType } from './schema.ts';

export type Meta = {
  resourceType?: string;
  /** xsd:dateTime, as are all times of a resource. */
  created?: string;
  lastModified?: string;
  location?: string;
  version?: string;
};

/** A resource in JSON, names in the schema's case, extensions under their URN, nothing that is unassigned. */
export type Resource = {
  schemas: string[];
  id?: string;
  externalId?: string;
  meta?: Meta;
  [key: string]: JsonValue | undefined;
};

/** The URNs of the schemas whose attributes the resource has, base schema first (RFC 7643 section 3). */
export function listSchemas(type: ResourceType, resource: JsonObject): string[] {
  const urns = [type.schema.id];
  for (const { id } of type.extensions) if (resource[id] !== undefined) urns.push(id);
  return urns;
}
