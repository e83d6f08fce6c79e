import assert from 'node:assert/strict';
import { patchOpUrn } from '../../src/protocol/scim/message.ts';
import { applyPatch, readPatch } from '../../src/protocol/scim/patch.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import {
  coreGroupUrn,
  coreUserUrn,
  enterpriseUserUrn,
  groupType,
  type ResourceType,
  userType,
} from '../../src/protocol/scim/schema.ts';

/** Who the PATCH cases are about, and how they are patched. */
export const work = { value: 'b@example.com', type: 'work', primary: true };
export const home = { value: 'b@home.org', type: 'home' };
export const workAddress = { type: 'work', streetAddress: '100 Plaza', locality: 'Hollywood', country: 'US' };

export const babs: Resource = {
  schemas: [coreUserUrn, enterpriseUserUrn],
  id: '2819',
  userName: 'bjensen',
  name: { givenName: 'Barbara', familyName: 'Jensen' },
  title: 'Tour guide',
  emails: [work, home],
  addresses: [workAddress, { type: 'home', streetAddress: '456 Blvd', primary: true }],
  meta: { resourceType: 'User' },
  [enterpriseUserUrn]: { department: 'Tours', manager: { value: 'm1' } },
};
export const team: Resource = {
  schemas: [coreGroupUrn],
  id: 'g1',
  displayName: 'Team',
  members: [{ value: 'u1', type: 'User', display: 'One' }, { value: 'u2' }],
};

export function patch(type: ResourceType, resource: Resource, ...operations: object[]): Resource {
  const before = structuredClone(resource);
  const read = readPatch(type, { schemas: [patchOpUrn], Operations: operations });
  try {
    const after = applyPatch(type, resource, read);
    assert.deepEqual(applyPatch(type, resource, read), after, 'the same operations give the same result');
    return after;
  } finally {
    assert.deepEqual(resource, before, 'the input stays as it is');
  }
}
export const patchBabs = (...operations: object[]) => patch(userType, babs, ...operations);
export const patchTeam = (...operations: object[]) => patch(groupType, team, ...operations);
export const without = (resource: Resource, ...names: string[]): Resource =>
  Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name))) as Resource;

/** Name, the resource, operations, and what differs afterwards (`undefined` = unassigned). */
