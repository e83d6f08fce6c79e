import { Problem } from '../../../base/problem.ts';
import { coreGroupUrn, coreUserUrn, enterpriseUserUrn, type ResourceType } from '../schema.ts';
import { describe } from '../value.ts';

/** Users and groups have one core schema in SCIM 1.1; it names no resource type. */
export const coreUrn = 'urn:scim:schemas:core:1.0';
export const enterpriseUrn = 'urn:scim:schemas:extension:enterprise:1.0';

/** The URN under which SCIM 1.1 knows a schema of the model. Schemas of one's own have one URN in both versions. */
export function writeSchemaUrn(urn: string): string {
  if (urn === coreUserUrn || urn === coreGroupUrn) return coreUrn;
  return urn === enterpriseUserUrn ? enterpriseUrn : urn;
}

/** The model's URN of an extension that SCIM 1.1 names, without regard to case; `undefined` when the type has none such. */
export function readExtensionUrn(type: ResourceType, urn: string): string | undefined {
  const lower = urn.toLowerCase();
  const wanted = lower === enterpriseUrn ? enterpriseUserUrn.toLowerCase() : lower;
  return type.extensionIndex.get(wanted)?.schema.id;
}

/**
 * An attribute name of SCIM 1.1 as the model's: `urn:scim:schemas:core:1.0:name.familyName` is `name.familyName`, and
 * what 1.1 calls `manager.managerId` is `manager.value`. Says nothing about whether there is such an attribute.
 */
export function readName(text: string): string {
  // URN and attribute are joined by a colon or by a dot.
  const trimmed = text.trim().replace(/^(urn:.*:\d+(?:\.\d+)*)\.(?=[a-z$])/i, '$1:');
  const lower = trimmed.toLowerCase();
  const named = lower.startsWith(`${coreUrn}:`)
    ? trimmed.slice(coreUrn.length + 1)
    : lower === enterpriseUrn || lower.startsWith(`${enterpriseUrn}:`)
      ? enterpriseUserUrn + trimmed.slice(enterpriseUrn.length)
      : trimmed;
  return named.replace(/(^|:)(manager)\.managerId$/i, '$1$2.value');
}

/** A message of the model in the words of SCIM 1.1, where it names schemas and what is called otherwise there. */
export function writeMessage(text: string): string {
  return text
    .replaceAll(`${enterpriseUserUrn}:manager.value`, `${enterpriseUrn}:manager.managerId`)
    .replaceAll(enterpriseUserUrn, enterpriseUrn)
    .replaceAll(coreUserUrn, coreUrn)
    .replaceAll(coreGroupUrn, coreUrn);
}

/**
 * Refuses, with `Problem('invalidSyntax')`, a `schemas` that is no list or names what the type does not have. quirk
 * schemasLeftOut: it may be empty or missing.
 */
export function checkSchemas(type: ResourceType, schemas: unknown): void {
  if (schemas === undefined || schemas === null) return;
  if (!Array.isArray(schemas)) refuse(`"schemas" must be an array of URNs, not ${describe(schemas)}.`);
  for (const urn of schemas) {
    if (typeof urn === 'string' && (urn.toLowerCase() === coreUrn || readExtensionUrn(type, urn) !== undefined))
      continue;
    const name = typeof urn === 'string' ? JSON.stringify(urn.slice(0, 200).toWellFormed()) : describe(urn);
    const served = [coreUrn, ...type.extensions.map(({ id }) => writeSchemaUrn(id))].join(', ');
    refuse(`"schemas" names ${name}, which a ${type.name} does not have here. It may name ${served}.`);
  }
}

function refuse(detail: string): never {
  throw new Problem('invalidSyntax', detail, { field: 'schemas' });
}
