import type { Attribute } from '../attribute.ts';
import { commonAttributes } from '../core-schemas.ts';
import type { Served } from '../discovery.ts';
import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../schema.ts';
import { coreUrn } from './names.ts';
import { toScim1Type } from './schema.ts';

/** The body of `/ServiceProviderConfigs` (draft-scim-core-schema-01 section 9). */
export function describeServiceProvider(served: Served): JsonObject {
  const { bulk, filter, documentationUri } = served;
  return {
    schemas: [coreUrn],
    ...(documentationUri === undefined ? {} : { documentationUrl: documentationUri }),
    patch: { supported: served.patch },
    bulk: {
      supported: bulk !== undefined,
      maxOperations: bulk?.maxOperations ?? 0,
      maxPayloadSize: bulk?.maxPayloadSize ?? 0,
    },
    filter: { supported: filter !== undefined, maxResults: filter?.maxResults ?? 0 },
    changePassword: { supported: served.changePassword },
    sort: { supported: served.sort },
    etag: { supported: served.etag },
    xmlDataFormat: { supported: false },
    authenticationSchemes: served.authenticationSchemes.map(({ specUri, documentationUri: page, ...scheme }) => ({
      ...scheme,
      ...(specUri === undefined ? {} : { specUrl: specUri }),
      ...(page === undefined ? {} : { documentationUrl: page }),
    })),
  };
}

/** One body of `/Schemas` for each resource type (draft-scim-core-schema-01 section 10): attributes name their schema. */
export function describeSchema(type: ResourceType): JsonObject {
  const { schema, extensions } = toScim1Type(type);
  const core = [...commonAttributes, ...schema.attributes].filter(({ name }) => name !== 'schemas');
  return {
    schemas: [coreUrn],
    id: `${coreUrn}:${type.name}`,
    name: type.name,
    description: schema.description,
    schema: coreUrn,
    endpoint: type.endpoint,
    attributes: [
      ...core.map((attribute) => describeAttribute(attribute, coreUrn)),
      ...extensions.flatMap(({ id, attributes }) => attributes.map((attribute) => describeAttribute(attribute, id))),
    ],
  };
}

function describeAttribute(attribute: Attribute, schema: string | undefined): JsonObject {
  const { name, type, multiValued, description, mutability, required, caseExact } = attribute;
  const described: JsonObject = { name, type: type === 'reference' ? 'string' : type, multiValued };
  if (multiValued) described.multiValuedAttributeChildName = singularOf(name);
  described.description = description;
  if (schema !== undefined) described.schema = schema;
  described.readOnly = mutability === 'readOnly';
  described.required = required;
  described.caseExact = caseExact;
  if (attribute.canonicalValues) described.canonicalValues = [...attribute.canonicalValues];
  const subs = attribute.subAttributes?.filter((sub) => name !== 'meta' || sub.name !== 'resourceType');
  if (subs) described.subAttributes = subs.map((sub) => describeAttribute(sub, undefined));
  return described;
}

/** The name of one value's element in XML: `emails` has `email`, `addresses` has `address`. */
function singularOf(name: string): string {
  if (name.endsWith('sses')) return name.slice(0, -2);
  return name.endsWith('s') ? name.slice(0, -1) : name;
}
