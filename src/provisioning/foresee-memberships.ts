import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { idRows } from '../directory/subjects.ts';
import type { AccountRow, LinkRow } from '../store/schema.ts';
import { prepare, type Reading, type Store } from '../store/store.ts';
import { keepsMembersOnly, lookAfterSwitch, modeOf, nestingOf, presentMode } from './group-modes.ts';
import { type Previewed, previewAccounts } from './preview.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';
import { mustLook } from './wave-step.ts';

/** Memberships that a change has said to a target; `more`: they are at least so many. */
export type Memberships = { added: number; removed: number; more: boolean };

/**
 * So many groups of the directory are passed, and so much is looked at of those of which something may be said: a member,
 * or a membership that is noted, counts one, a group what it costs besides. What is beyond that is not counted.
 */
export type MembershipBounds = { groups: number; room: number };
const bounds: MembershipBounds = { groups: 100_000, room: 100_000 };
/** What it costs to work out what an account is sent, and to walk through the members of a group. */
const [previewCost, walkCost] = [10, 50];
const groupsPerRead = 250;
const membersPerRead = 1_000;

/**
 * What the wave of a change (`foresee.ts`) would have said of who is in the groups that are at a target already: what was
 * refused and is taken up again, what waited for a group that may be sent now, what another mode of keeping groups
 * differs in, and who is taken out of a group that we only kept members in. Groups that are gone here are not looked at.
 */
export async function foreseeMemberships(
  store: Store,
  book: TargetBook,
  open: OpenTarget,
  most: MembershipBounds = bounds,
): Promise<Memberships> {
  const found: Memberships = { added: 0, removed: 0, more: false };
  if (!open.sends('group')) return found;
  const targetId = open.target.id;
  const { policy } = open.target;
  const count: Count = { store, targetId, found, room: most.room };
  const leaves = policy.groups === 'membership-only' && open.scope.filters.group !== undefined ? 1 : 0;
  for (let [after, passed] = ['', 0]; ; passed += groupsPerRead) {
    const from = after;
    const page = await read(store, async (reading) => {
      const ids = (await reading.run(selectGroups, { after: from, limit: groupsPerRead })).map((row) => row.id);
      const mode = modeOf(policy);
      const accounts = await reading.run(selectSaying, { targetId, ids: idRows(ids), mode, leaves });
      const some = accounts.slice(0, Math.ceil(count.room / previewCost));
      count.room -= accounts.length * previewCost;
      const previewed = await previewAccounts(reading, book, open, some);
      return { ids, says: previewed.flatMap((one) => saysOf(open, one, reading.now) ?? []) };
    });
    await countNoted(count, page.says);
    for (const one of page.says) {
      if (one.leaves) await countPlaced(count, one.account);
      else if (one.turns) await countTurn(count, one.account, one.turns);
    }
    const isLast = page.ids.length < groupsPerRead;
    found.more = count.room <= 0 || (!isLast && passed + groupsPerRead >= most.groups);
    if (isLast || found.more) return found;
    after = page.ids.at(-1)!;
  }
}

/** Where the database is in this process, others have their turn after each read. */
async function read<T>(store: Store, work: (reading: Reading) => Promise<T>): Promise<T> {
  const found = await store.read(work);
  await turn();
  return found;
}

const selectGroups = prepare<{ after: string; limit: number }, { id: string }>(
  (_, p) => sql<{ id: string }>`
    select id from subjects where kind = 'group' and life = 'live' and id > ${p.after} order by id limit ${p.limit}`,
);

/** Those of which something may be said: that have something noted, are kept by another mode, or may be left (`leaves`). */
const selectSaying = prepare<{ targetId: number; ids: string; mode: string; leaves: number }, AccountRow>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  const has = (table: string, more = sql``) => sql`exists (
      select 1 from ${sql.table(table)} l where l.target_id = a.target_id and l.group_id = a.subject_id ${more})`;
  // Each state by itself, so that the index over those alone is used.
  return sql<AccountRow>`
      select a.* from ${ids} ${d.lookUp('accounts', 'a', sql`a.target_id = ${p.targetId} and a.subject_id = r.id`)}
      where ${has('links', sql`and l.state = 'due'`)} or ${has('links', sql`and l.state = 'parked'`)}
        or (${p.leaves} = 1 and ${has('placed_members')})
        or (' ' || coalesce(a.regime, 'native')) not like ('% ' || ${p.mode})
      order by a.subject_id`;
});

/** What is said of the members of one group. */
type Says = {
  account: AccountRow;
  /** We only kept who is in it: whom we put there is taken out. */
  leaves: boolean;
  /** What was noted and not said is due by the change: all of it, or only what was refused, since the rest goes anyway. */
  noted: 'all' | 'refused' | 'none';
  /** It is kept by another mode from then on. */
  turns: Turn | undefined;
};
type Turn = { before: string; after: string; look: 'whole' | 'mode' };

function saysOf(open: OpenTarget, one: Previewed, now: number): Says | undefined {
  const { account, wish, preview } = one;
  const { policy, version } = open.target;
  const looks = mustLook(account, wish, 'accounts', version, now);
  if (wish === 'absent') {
    const leaves = keepsMembersOnly({ account, open }) && policy.deprovisionAdopted !== 'keep';
    if (!leaves || !looks || account.remote_id === null || !isLet(one, 'DELETE')) return undefined;
    return { account, leaves, noted: 'none', turns: undefined };
  }
  // Whether a group that must be there already is there, nobody knows before it is looked for.
  if (wish === 'rest' || preview.operation === 'find') return undefined;
  if (!isLet(one, account.remote_id === null ? 'POST' : 'PUT')) return undefined;
  const [before, after] = [presentMode(account.regime), modeOf(policy)];
  const look = lookAfterSwitch(before, after);
  const isDue = account.wanted > account.done;
  return {
    account,
    leaves: false,
    noted: looks && !isDue ? 'all' : 'refused',
    turns: look && { before, after, look },
  };
}

function isLet(one: Previewed, operation: 'POST' | 'PUT' | 'DELETE'): boolean {
  return (one.ask(operation)?.action ?? 'let-through') === 'let-through';
}

/** What is counted so far, and how much may still be looked at. */
type Count = { store: Store; targetId: number; found: Memberships; room: number };

type Noted = { group_id: string; op: LinkRow['op']; state: LinkRow['state']; n: number };

const selectNoted = prepare<{ targetId: number; ids: string; limit: number }, Noted>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  // The state is a literal, so that the index over those alone is used.
  const links = (state: 'due' | 'parked') => sql`
    select l.group_id, l.op, l.state from ${ids}
    ${d.lookUp('links', 'l', sql`l.target_id = ${p.targetId} and l.group_id = r.id and l.state = ${sql.lit(state)}`)}`;
  return sql<Noted>`
    select k.group_id, k.op, k.state, count(*) as n
    from (select * from (${links('due')} union all ${links('parked')}) as b limit ${p.limit}) as k
    group by k.group_id, k.op, k.state`;
});

async function countNoted(count: Count, says: readonly Says[]): Promise<void> {
  const byId = new Map(says.filter((one) => one.noted !== 'none').map((one) => [one.account.subject_id, one]));
  if (byId.size === 0 || count.room <= 0) return;
  const { targetId, room } = count;
  const rows = await read(count.store, (reading) =>
    reading.run(selectNoted, { targetId, ids: idRows(byId.keys()), limit: room }),
  );
  for (const { group_id: id, op, state, n } of rows) {
    count.room -= Number(n);
    const { noted, turns } = byId.get(id)!;
    if (state === 'due' && noted !== 'all') continue;
    // All that are in it are counted for themselves.
    if (op === 'add' && turns?.look === 'whole') continue;
    count.found[op === 'add' ? 'added' : 'removed'] += Number(n);
  }
}

const selectPlaced = prepare<{ targetId: number; groupId: string; limit: number }, { n: number }>(
  (_, p, d) => sql<{ n: number }>`
    select count(*) as n from (
      select 1 from placed_members b
      ${d.lookUp('accounts', 'a', sql`a.target_id = b.target_id and a.subject_id = b.member_id`)}
      where b.target_id = ${p.targetId} and b.group_id = ${p.groupId} and a.remote_id is not null
      limit ${p.limit}) as placed`,
);

async function countPlaced(count: Count, { subject_id: groupId }: AccountRow): Promise<void> {
  if (count.room <= 0) return;
  const { targetId, room } = count;
  const [row] = await read(count.store, (reading) => reading.run(selectPlaced, { targetId, groupId, limit: room }));
  count.room -= walkCost + Number(row!.n);
  count.found.removed += Number(row!.n);
}

type Member = { id: string; kind: 'user' | 'group'; there: number };

/** As `listMembers`, with whether each has a remote id at the target. */
const selectMembers = prepare<{ targetId: number; groupId: string; after: string; limit: number }, Member>(
  (_, p, d) => sql<Member>`
    select s.id, s.kind, coalesce((
      select 1 from accounts a
      where a.target_id = ${p.targetId} and a.subject_id = s.id and a.remote_id is not null), 0) as there
    from (
      select member_id from members where group_id = ${p.groupId} and member_id > ${p.after}
      order by member_id limit ${p.limit}) m
    ${d.lookUp('subjects', 's', sql`s.id = m.member_id`)}
    order by m.member_id`,
);

/** As `nested-groups.ts` looks at them: users are in it in every mode, groups by name, and who is in those instead of them. */
async function countTurn(count: Count, { subject_id: groupId }: AccountRow, { before, after, look }: Turn) {
  const [was, is] = [nestingOf(before), nestingOf(after)];
  const direct = await listThere(count, groupId);
  const below = was === 'flatten' || is === 'flatten' ? await listBelow(count, direct) : 0;
  const inMode = { native: direct.groupsThere, flatten: below, ignore: 0 };
  if (look === 'whole') count.found.added += direct.usersThere + inMode[is];
  else if (was !== is) count.found.added += inMode[is];
  if (was !== is) count.found.removed += inMode[was];
}

type There = { users: Set<string>; usersThere: number; groups: string[]; groupsThere: number };

/** Who is in a group by itself, as far as there is room. */
async function listThere(count: Count, groupId: string, tell: (member: Member) => void = () => {}): Promise<There> {
  const there: There = { users: new Set(), usersThere: 0, groups: [], groupsThere: 0 };
  count.room -= walkCost;
  let after = '';
  while (count.room > 0) {
    const limit = Math.min(membersPerRead, count.room);
    const { targetId } = count;
    const page = await read(count.store, (reading) => reading.run(selectMembers, { targetId, groupId, after, limit }));
    count.room -= page.length;
    for (const member of page) {
      tell(member);
      const { id, kind, there: isThere } = member;
      if (kind === 'user') there.users.add(id);
      else there.groups.push(id);
      there[kind === 'user' ? 'usersThere' : 'groupsThere'] += isThere;
    }
    const last = page.at(-1)?.id;
    if (last === undefined || page.length < limit) break;
    after = last;
  }
  return there;
}

/** How many are in the groups in a group and not in it by themselves, each counted once, as far as they are at the target. */
async function listBelow(count: Count, direct: There): Promise<number> {
  const met = new Set<string>();
  const people = new Set<string>();
  for (let open = [...direct.groups]; open.length > 0 && count.room > 0; ) {
    const groupId = open.pop()!;
    if (met.has(groupId)) continue;
    met.add(groupId);
    const inside = await listThere(count, groupId, ({ id, kind, there }) => {
      if (kind === 'user' && there === 1 && !direct.users.has(id)) people.add(id);
    });
    open = [...open, ...inside.groups];
  }
  return people.size;
}

const selectArrivals = prepare<{ targetId: number; ids: string }, { n: number }>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  // As in `links.ts`: only an inner query over the index alone takes the index. A group that is to be there already and
  // was not found waits for somebody to make it, and is looked for again at a time.
  return sql<{ n: number }>`
    select count(*) as n from links where op = 'add' and state = 'waiting' and (target_id, group_id, member_id) in (
      select l.target_id, l.group_id, l.member_id from ${ids} cross join links l
      where l.state = 'waiting' and l.target_id = ${p.targetId} and l.member_id = r.id)
      and exists (select 1 from accounts g
        where g.target_id = links.target_id and g.subject_id = links.group_id
          and (g.remote_id is not null or g.ask_at is null))`;
});

/** How many memberships wait for these to be made at a target. */
export async function countArrivals(reading: Reading, targetId: number, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return Number((await reading.run(selectArrivals, { targetId, ids: idRows(ids) }))[0]!.n);
}
