import { sql } from 'kysely';
import { isJsonObject, type JsonValue } from '../protocol/scim/json.ts';
import { enterpriseUserUrn } from '../protocol/scim/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { idRows } from './subjects.ts';

const referrers = prepare<{ ids: string }, { subjectId: string; refId: string }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<{ subjectId: string; refId: string }>`
    select refs.subject_id as "subjectId", refs.ref_id as "refId" from ${ids} inner join refs on refs.ref_id = r.id`;
});

/** Who names one of these subjects as manager. */
export async function listReferrers(
  reading: Reading,
  ids: readonly string[],
): Promise<{ subjectId: string; refId: string }[]> {
  if (ids.length === 0) return [];
  return (await reading.run(referrers, { ids: idRows(new Set(ids)) })).map(({ subjectId, refId }) => ({
    subjectId,
    refId,
  }));
}

/** The id that a user's `manager.value` names; `undefined` when it names none. */
export function managerOf(attributes: Readonly<Record<string, JsonValue | undefined>>): string | undefined {
  const enterprise = attributes[enterpriseUserUrn];
  const manager = isJsonObject(enterprise) ? enterprise.manager : undefined;
  const id = isJsonObject(manager) ? manager.value : undefined;
  return typeof id === 'string' ? id : undefined;
}

const insertRef = prepare<{ subject: string; ref: string }, never>(
  (_, p) => sql`
    insert into refs (subject_id, ref_id)
    select cast(${p.subject} as text), id from subjects where id = ${p.ref} and kind = 'user' on conflict do nothing`,
);
const deleteRefs = prepare<{ subject: string }, never>((_, p) => sql`delete from refs where subject_id = ${p.subject}`);

/** Forgets whom these name as manager. */
export async function forgetReferences(tx: Tx, ids: readonly string[]): Promise<void> {
  for (const subject of ids) await tx.run(deleteRefs, { subject });
}

/**
 * Keeps `refs` in step with a user's manager. A value that is no user's id is kept in the user and refers to nobody:
 * ids are given by us and never again, so it cannot become one later.
 */
export async function writeReferences(
  tx: Tx,
  id: string,
  before: Readonly<Record<string, JsonValue | undefined>>,
  after: Readonly<Record<string, JsonValue | undefined>>,
): Promise<void> {
  const from = managerOf(before);
  const to = managerOf(after);
  if (from === to) return;
  if (from !== undefined) await tx.run(deleteRefs, { subject: id });
  if (to !== undefined) await tx.run(insertRef, { subject: id, ref: to });
}
