import { groupType, userType } from '../../protocol/scim/schema.ts';
import { enterpriseUrn } from '../../protocol/scim/v1/names.ts';
import { toScim1Type } from '../../protocol/scim/v1/schema.ts';
import type { Dialect } from '../scim/dialect.ts';

/** draft-scim-core-schema-01 sections 5 to 8. */
export const scim1Dialect: Dialect = {
  types: { user: toScim1Type(userType), group: toScim1Type(groupType) },
  managerPath: `${enterpriseUrn}:manager`,
  managerKey: 'managerId',
};
