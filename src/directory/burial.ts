import { sql } from 'kysely';
import { prepare, type Tx } from '../store/store.ts';
import { insertChange, insertMembershipChanges, type Origin, urgency } from './changes.ts';
import { forgetClearPassword } from './clear-passwords.ts';
import { eraseForwardedBodies } from './forwarded-bodies.ts';
import { buryRow, touchRows } from './rows.ts';
import { forgetLinksOf } from './sign-in-links.ts';
import { checkVersion, lockSubjects, presentOrNotFound, type Subject } from './subjects.ts';

const groupsHolding = prepare<{ id: string }, { group_id: string }>(
  (_, p) => sql<{ group_id: string }>`select group_id from members where member_id = ${p.id} order by group_id`,
);
// The planner has to look at them once more, and by then nobody could tell who they were. Where the group was in others,
// their members lose it too.
const keepFormer = prepare<{ id: string; sp: number; seq: number }, never>(
  (_, p) => sql`
    insert into former_members (group_id, member_id, sp_id, seq)
    select group_id, member_id, cast(${p.sp} as bigint), cast(${p.seq} as bigint) from members
    where group_id = ${p.id} or member_id = ${p.id}
    on conflict (group_id, member_id) do update set sp_id = excluded.sp_id, seq = excluded.seq`,
);
const clean = {
  held: prepare<{ id: string }, never>((_, p) => sql`delete from members where member_id = ${p.id}`),
  holds: prepare<{ id: string }, never>((_, p) => sql`delete from members where group_id = ${p.id}`),
  refs: prepare<{ id: string }, never>((_, p) => sql`delete from refs where subject_id = ${p.id}`),
  password: prepare<{ id: string }, never>((_, p) => sql`delete from passwords where subject_id = ${p.id}`),
};

/**
 * Deletes a user or group: it becomes a tombstone, leaves every group that held it (each of those gets its membership
 * change) and, a group, holds nobody any more: who was in it is kept until the planner has looked at them
 * (`listEveryMember`). So does one that was only forwarded. Who a user was at identity providers is forgotten, so that
 * whoever comes from there again is new. Answers the tombstone. Throws `Problem('notFound')`, also when it was deleted before.
 */
export async function deleteSubject(
  tx: Tx,
  kind: Subject['kind'],
  id: string,
  options: { origin: Origin; ifVersion?: readonly number[] },
): Promise<Subject> {
  const { origin, ifVersion } = options;
  // Rows are locked in the order of their ids by everyone; who put it into another group meanwhile held its row, so
  // the second reading sees that group.
  const expected = await tx.run(groupsHolding, { id });
  const held = await lockSubjects(tx, [id, ...expected.map((row) => row.group_id)]);
  const subject = checkVersion(presentOrNotFound(held.get(id), kind, id), ifVersion);
  const groups = (await tx.run(groupsHolding, { id })).map((row) => row.group_id);
  const late = groups.filter((group) => !held.has(group));
  if (late.length > 0) await lockSubjects(tx, late);

  const seq = await insertChange(tx, { subjectId: id, origin, urgency: urgency.removal });
  await buryRow(tx, subject, seq);
  if (kind === 'group') await tx.run(keepFormer, { id, sp: origin.spId, seq });
  for (const statement of Object.values(clean)) await tx.run(statement, { id });
  if (kind === 'user') {
    await forgetClearPassword(tx, id);
    await forgetLinksOf(tx, id);
  }
  if (subject.life === 'forwarded') await eraseForwardedBodies(tx, [id]);
  if (groups.length > 0) {
    const pairs = groups.map((groupId) => ({ groupId, memberId: id }));
    await touchRows(tx, await insertMembershipChanges(tx, pairs, origin));
  }
  return { ...subject, life: 'gone', seq };
}
