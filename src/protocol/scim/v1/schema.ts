import type { Attribute } from '../attribute.ts';
import { defineResourceType, enterpriseUserUrn, type ResourceType } from '../schema.ts';
import { coreUrn, writeSchemaUrn } from './names.ts';

/** A type of the model with the URNs and names that SCIM 1.1 has for it, and without what only SCIM 2.0 has. */
export function toScim1Type(type: ResourceType): ResourceType {
  return defineResourceType({
    name: type.name,
    endpoint: type.endpoint,
    schema: { ...type.schema, id: coreUrn, attributes: type.schema.attributes.map(withoutRefs) },
    extensions: type.extensions.map((schema) => ({
      ...schema,
      id: writeSchemaUrn(schema.id),
      attributes: schema.id === enterpriseUserUrn ? schema.attributes.map(renameManager) : schema.attributes,
    })),
  });
}

function withoutRefs(attribute: Attribute): Attribute {
  if (attribute.name !== 'members' && attribute.name !== 'groups') return attribute;
  return { ...attribute, subAttributes: attribute.subAttributes!.filter((sub) => sub.name !== '$ref') };
}

function renameManager(attribute: Attribute): Attribute {
  if (attribute.name !== 'manager') return attribute;
  const subAttributes = attribute.subAttributes!.map((sub) =>
    sub.name === 'value' ? { ...sub, name: 'managerId' } : sub,
  );
  return { ...attribute, subAttributes };
}
