import type { Origin } from '../../src/directory/changes.ts';
import { createGroup } from '../../src/directory/groups.ts';
import type { Subject } from '../../src/directory/subjects.ts';
import { createUser } from '../../src/directory/users.ts';
import { type PatchOperation, readPatch } from '../../src/protocol/scim/patch.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import type { ChangeRow } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';

export const origin: Origin = { spId: 1, door: 'scim', actor: 'tests' };

export const patchSchemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];

export function userBody(attributes: object) {
  return readResource(userType, { schemas: [coreUserUrn], ...attributes });
}

export function groupBody(attributes: object) {
  return readResource(groupType, { schemas: [coreGroupUrn], ...attributes });
}

export function userPatch(...operations: object[]): PatchOperation[] {
  return readPatch(userType, { schemas: patchSchemas, Operations: operations });
}

export function groupPatch(...operations: object[]): PatchOperation[] {
  return readPatch(groupType, { schemas: patchSchemas, Operations: operations });
}

export function makeUser(store: Store, attributes: object): Promise<Subject> {
  return store.write((tx) => createUser(tx, userBody(attributes), { origin }));
}

export function makeGroup(store: Store, displayName: string, memberIds: readonly string[] = []): Promise<Subject> {
  const members = memberIds.map((value) => ({ value }));
  return store.write((tx) => createGroup(tx, groupBody({ displayName, members }), { origin }));
}

/** The changes after `after`, shortly: `[subject, other, urgency]`. */
export async function changesAfter(store: Store, after: number): Promise<[string, string | null, number][]> {
  const rows = await store.read((reading) =>
    reading.all(reading.q.selectFrom('changes').selectAll().where('seq', '>', after).orderBy('seq')),
  );
  return (rows as unknown as ChangeRow[]).map((row) => [row.subject_id, row.other_id, row.urgency]);
}

/** The greatest sequence there is. */
export async function latestSeq(store: Store): Promise<number> {
  const row = await store.read((reading) =>
    reading.first<{ seq: number | null }>(
      reading.q.selectFrom('changes').select(({ fn }) => fn.max('seq').as('seq')) as never,
    ),
  );
  return row?.seq ?? 0;
}
