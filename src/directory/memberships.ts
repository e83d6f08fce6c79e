import { sql } from 'kysely';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { idRows, type Subject } from './subjects.ts';

/** The members of a group in the order of their ids, from the one after `after`. */
export async function listMembers(
  reading: Reading,
  groupId: string,
  options: { after?: string; limit: number },
): Promise<{ id: string; kind: Subject['kind'] }[]> {
  const rows = await reading.run(memberPage, { group: groupId, after: options.after ?? '', limit: options.limit });
  return rows.map(({ id, kind }) => ({ id, kind }));
}

const memberPage = prepare<{ group: string; after: string; limit: number }, { id: string; kind: Subject['kind'] }>(
  (_, p) => sql<{ id: string; kind: Subject['kind'] }>`
    select m.member_id as id, s.kind from members m inner join subjects s on s.id = m.member_id
    where m.group_id = ${p.group} and m.member_id > ${p.after} order by m.member_id limit ${p.limit}`,
);

/** Sorts after every id. */
const last = '\u{10ffff}';

const everyMember = prepare<
  { group: string; after: string; until: string; limit: number },
  { id: string; kind: Subject['kind'] }
>((_, p) => {
  // Each half has its own limit, so that an index in its order is walked and nothing is sorted.
  const page = (table: string) => sql`
    select member_id as id from ${sql.table(table)}
    where group_id = ${p.group} and member_id > ${p.after} and member_id <= ${p.until}
    order by member_id limit ${p.limit}`;
  return sql<{ id: string; kind: Subject['kind'] }>`
    select x.id, s.kind from (
      select id from (${page('members')}) as present union select id from (${page('former_members')}) as former
    ) x inner join subjects s on s.id = x.id order by x.id limit ${p.limit}`;
});

/**
 * `listMembers` that also answers with those who were in a group that is gone, and with groups that left it, until
 * `forgetFormerMembers`.
 * `until`: none after this one; default all.
 */
export async function listEveryMember(
  reading: Reading,
  groupId: string,
  options: { after: string; until: string | null; limit: number },
): Promise<{ id: string; kind: Subject['kind'] }[]> {
  const { after, until, limit } = options;
  const rows = await reading.run(everyMember, { group: groupId, after, until: until ?? last, limit });
  return rows.map(({ id, kind }) => ({ id, kind }));
}

const forgetFormer = prepare<{ limit: number }, { n: number }>(
  (_, p) => sql<{ n: number }>`
    delete from former_members where (group_id, member_id) in (
      select f.group_id, f.member_id from former_members f
      where not exists (select 1 from changes c where c.seq = f.seq and c.unplanned is not null)
      limit ${p.limit})
    returning 1 as n`,
);

/**
 * Forgets up to `limit` members that left by changes that are planned; answers how many. Only for the planner, when it
 * has nothing else to do: whoever followed a membership of before has then come to the end.
 */
export async function forgetFormerMembers(tx: Tx, limit: number): Promise<number> {
  return (await tx.run(forgetFormer, { limit })).length;
}

/** A group that somebody is in, by himself (`direct`) or only because another group of his is in it (`indirect`). */
export type Held = { id: string; display: string; type: 'direct' | 'indirect' };

const heldBy = prepare<{ ids: string }, Held & { of: string }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  const groups = (of: string) => d.lookUp('members', 'm', sql`m.member_id = ${sql.ref(of)}`);
  // `union` drops what it has met already: so it ends, also where groups are in each other.
  return sql<Held & { of: string }>`
    with recursive held (member, id, direct) as (
      select m.member_id, m.group_id, 1 from ${ids} ${groups('r.id')}
      union
      select held.member, m.group_id, 0 from held ${groups('held.id')})
    select h.member as "of", h.id, ${d.jsonText(sql.ref('s.doc'), ['displayName'])} as display,
      case when h.direct = 1 then 'direct' else 'indirect' end as type
    from (select member, id, max(direct) as direct from held group by member, id) as h
      ${d.lookUp('subjects', 's', sql`s.id = h.id`)}
    where s.life = 'live' order by h.member, h.id`;
});

/** Every group that each of these users is in, through other groups too (RFC 7643 section 4.1.2), in one statement. */
export async function readAllGroupsOf(reading: Reading, userIds: readonly string[]): Promise<Map<string, Held[]>> {
  const found = new Map<string, Held[]>();
  if (userIds.length === 0) return found;
  for (const { of, id, display, type } of await reading.run(heldBy, { ids: idRows(new Set(userIds)) })) {
    const held = found.get(of) ?? [];
    held.push({ id, display, type });
    found.set(of, held);
  }
  return found;
}

const groupsOf = prepare<{ ids: string }, { groupId: string; memberId: string }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<{ groupId: string; memberId: string }>`
    select m.group_id as "groupId", m.member_id as "memberId" from ${ids} inner join members m on m.member_id = r.id`;
});

/** The groups that directly hold each of these subjects. */
export async function listGroupsOf(
  reading: Reading,
  memberIds: readonly string[],
): Promise<{ groupId: string; memberId: string }[]> {
  if (memberIds.length === 0) return [];
  const rows = await reading.run(groupsOf, { ids: idRows(new Set(memberIds)) });
  return rows.map(({ groupId, memberId }) => ({ groupId, memberId }));
}

const pairsOf = prepare<{ rows: string }, { group_id: string; member_id: string }>((_, p, d) => {
  const rows = d.rowsOf<{ group_id: string; member_id: string }, 'r'>(p.rows, 'r', {
    group_id: 'text',
    member_id: 'text',
  });
  return sql<{ group_id: string; member_id: string }>`
    select m.group_id, m.member_id from ${rows}
    inner join members m on m.group_id = r.group_id and m.member_id = r.member_id`;
});

/** Which of these memberships there are, as keys `${groupId} ${memberId}`. */
export async function areMembers(
  reading: Reading,
  pairs: readonly { groupId: string; memberId: string }[],
): Promise<Set<string>> {
  if (pairs.length === 0) return new Set();
  const rows = JSON.stringify(pairs.map(({ groupId, memberId }) => ({ group_id: groupId, member_id: memberId })));
  return new Set((await reading.run(pairsOf, { rows })).map((row) => `${row.group_id} ${row.member_id}`));
}

/** The other side of a membership as it is shown. `display`: displayName, else userName. */
export type Shown = { id: string; kind: Subject['kind']; display: string };

type ShownRow = Shown & { of: string };

const shownMembers = prepare<{ ids: string }, ShownRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  const text = (name: string) => d.jsonText(sql.ref('s.doc'), [name]);
  return sql<ShownRow>`
    select m.group_id as "of", s.id, s.kind, coalesce(${text('displayName')}, ${text('userName')}) as display
    from ${ids} inner join members m on m.group_id = r.id inner join subjects s on s.id = m.member_id
    order by m.group_id, m.member_id`;
});

/** Every member of each group, with its name. The cost follows the size of the groups. */
export async function readMembers(reading: Reading, groupIds: readonly string[]): Promise<Map<string, Shown[]>> {
  return groupIds.length === 0
    ? new Map()
    : gather(await reading.run(shownMembers, { ids: idRows(new Set(groupIds)) }));
}

function gather(rows: readonly ShownRow[]): Map<string, Shown[]> {
  const found = new Map<string, Shown[]>();
  for (const { of, id, kind, display } of rows) {
    const list = found.get(of);
    if (list) list.push({ id, kind, display });
    else found.set(of, [{ id, kind, display }]);
  }
  return found;
}
