import { enterpriseUserUrn, groupType, type ResourceType, userType } from '../../protocol/scim/schema.ts';
import type { SubjectKind } from '../connector.ts';

/** What a version of SCIM calls the parts of a resource. This folder holds what its connectors have in common. */
export type Dialect = {
  types: Readonly<Record<SubjectKind, ResourceType>>;
  /** The attribute with the manager's remote id, which is a plain text here. */
  managerPath: string;
  /** What holds that id on the wire: `{ "value": id }`. */
  managerKey: 'value' | 'managerId';
};

/** RFC 7643 sections 4.1 to 4.3. */
export const scim2Dialect: Dialect = {
  types: { user: userType, group: groupType },
  managerPath: `${enterpriseUserUrn}:manager`,
  managerKey: 'value',
};
