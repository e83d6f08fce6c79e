import type { MappingRow } from '../../mapping/rows.ts';
import { enterpriseUserUrn } from '../../protocol/scim/schema.ts';

const same = [
  'name.formatted',
  'name.familyName',
  'name.givenName',
  'name.middleName',
  'name.honorificPrefix',
  'name.honorificSuffix',
  'displayName',
  'nickName',
  'profileUrl',
  'title',
  'userType',
  'preferredLanguage',
  'locale',
  'timezone',
  'emails',
  'phoneNumbers',
  'ims',
  'photos',
  'addresses',
  'entitlements',
  'roles',
  'x509Certificates',
];

const sameEnterprise = ['employeeNumber', 'costCenter', 'organization', 'division', 'department'];

/** The manager's remote id, as a plain text; on the wire `{ "value": id }` (RFC 7643 section 4.3). */
export const managerPath = `${enterpriseUserUrn}:manager`;

/** Attribute by attribute as RFC 7643 sections 4.1, 4.2 and 4.3 name them: target and directory speak one schema. */
export const scim2Mapping: readonly MappingRow[] = [
  { kind: 'user', to: 'userName', from: '$name' },
  { kind: 'user', to: 'externalId', from: '$id' },
  ...same.map((path): MappingRow => ({ kind: 'user', to: path, from: path })),
  { kind: 'user', to: 'active', from: 'active', otherwise: true },
  ...sameEnterprise.map((attribute): MappingRow => {
    const path = `${enterpriseUserUrn}:${attribute}`;
    return { kind: 'user', to: path, from: path };
  }),
  { kind: 'user', to: managerPath, from: `${managerPath}.value`, reference: true },
  { kind: 'group', to: 'displayName', from: '$name' },
  { kind: 'group', to: 'externalId', from: '$id' },
];
