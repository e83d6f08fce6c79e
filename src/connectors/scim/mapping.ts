import type { MappingRow } from '../../mapping/rows.ts';
import { enterpriseUserUrn } from '../../protocol/scim/schema.ts';
import type { Dialect } from './dialect.ts';

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

/** Attribute by attribute: target and directory speak one schema (RFC 7643 sections 4.1 to 4.3), only its names differ. */
export function mapDialect({ types, managerPath }: Dialect): MappingRow[] {
  const [enterprise] = types.user.extensions;
  return [
    { kind: 'user', to: 'userName', from: '$name' },
    { kind: 'user', to: 'externalId', from: '$id' },
    ...same.map((path): MappingRow => ({ kind: 'user', to: path, from: path })),
    { kind: 'user', to: 'active', from: 'active', otherwise: true },
    ...sameEnterprise.map((attribute): MappingRow => {
      return { kind: 'user', to: `${enterprise!.id}:${attribute}`, from: `${enterpriseUserUrn}:${attribute}` };
    }),
    { kind: 'user', to: managerPath, from: `${enterpriseUserUrn}:manager.value`, reference: true },
    { kind: 'group', to: 'displayName', from: '$name' },
    { kind: 'group', to: 'externalId', from: '$id' },
  ];
}
