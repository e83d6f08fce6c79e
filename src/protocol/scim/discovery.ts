import type { Attribute, Schema } from './attribute.ts';
import type { JsonObject } from './json.ts';
import type { ResourceType } from './schema.ts';
import type { Resource } from './shape.ts';

export const serviceProviderConfigUrn = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
export const resourceTypeUrn = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
export const schemaUrn = 'urn:ietf:params:scim:schemas:core:2.0:Schema';

export interface AuthenticationScheme {
  type: 'oauth' | 'oauth2' | 'oauthbearertoken' | 'httpbasic' | 'httpdigest';
  name: string;
  description: string;
  specUri?: string;
  documentationUri?: string;
  primary?: boolean;
}

/** What a door really serves; the discovery resources say this and nothing else. */
export interface Served {
  /** Base URL of the SCIM root, without a slash at the end. */
  baseUrl: string;
  patch: boolean;
  /** Absent: not served. `maxPayloadSize` in bytes. */
  bulk?: { maxOperations: number; maxPayloadSize: number };
  /** Absent: not served. The most resources in one answer. */
  filter?: { maxResults: number };
  /** How lists are paged (RFC 9865); where both are served, `index` is the default. Absent: not said. */
  pagination?: { cursor: boolean; index: boolean; defaultPageSize: number; maxPageSize: number };
  changePassword: boolean;
  sort: boolean;
  etag: boolean;
  authenticationSchemes: readonly AuthenticationScheme[];
  documentationUri?: string;
}

/** The body of `/ServiceProviderConfig` (RFC 7643 section 5). */
export function describeServiceProvider(served: Served): Resource {
  const { baseUrl, bulk, filter } = served;
  const config: Resource = {
    schemas: [serviceProviderConfigUrn],
    patch: { supported: served.patch },
    bulk: {
      supported: bulk !== undefined,
      maxOperations: bulk?.maxOperations ?? 0,
      maxPayloadSize: bulk?.maxPayloadSize ?? 0,
    },
    filter: { supported: filter !== undefined, maxResults: filter?.maxResults ?? 0 },
    ...(served.pagination ? { pagination: describePagination(served.pagination) } : {}),
    changePassword: { supported: served.changePassword },
    sort: { supported: served.sort },
    etag: { supported: served.etag },
    authenticationSchemes: served.authenticationSchemes.map((scheme) => ({ ...scheme })),
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  };
  if (served.documentationUri !== undefined) config.documentationUri = served.documentationUri;
  return config;
}

/** RFC 9865 section 4. Cursors hold all there is to know, so there is no `cursorTimeout`. */
function describePagination(pagination: NonNullable<Served['pagination']>): JsonObject {
  const { cursor, index, defaultPageSize, maxPageSize } = pagination;
  const defaultPaginationMethod = index ? 'index' : 'cursor';
  return { cursor, index, defaultPaginationMethod, defaultPageSize, maxPageSize };
}

/** One body of `/ResourceTypes` (RFC 7643 section 6). */
export function describeResourceType(type: ResourceType, baseUrl: string): Resource {
  return {
    schemas: [resourceTypeUrn],
    id: type.name,
    name: type.name,
    description: type.schema.description,
    endpoint: type.endpoint,
    schema: type.schema.id,
    schemaExtensions: type.extensions.map(({ id }) => ({ schema: id, required: type.requiredExtensions.includes(id) })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type.name}` },
  };
}

/** One body of `/Schemas` (RFC 7643 section 7). */
export function describeSchema(schema: Schema, baseUrl: string): Resource {
  return {
    schemas: [schemaUrn],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(describeAttribute),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` },
  };
}

/** Every schema the types use, once each. */
export function listServedSchemas(types: readonly ResourceType[]): Schema[] {
  const schemas = types.flatMap((type) => [type.schema, ...type.extensions]);
  return [...new Map(schemas.map((schema) => [schema.id.toLowerCase(), schema])).values()];
}

function describeAttribute(attribute: Attribute): JsonObject {
  const { canonicalValues, referenceTypes, subAttributes, ...characteristics } = attribute;
  const described: JsonObject = { ...characteristics };
  if (canonicalValues) described.canonicalValues = [...canonicalValues];
  if (referenceTypes) described.referenceTypes = [...referenceTypes];
  if (subAttributes) described.subAttributes = subAttributes.map(describeAttribute);
  return described;
}
