import { sql } from 'kysely';
import { prepare, type Reading } from '../store/store.ts';
import { idRows } from './subjects.ts';

/**
 * Which groups some subjects are in, directly and through others, as it is now. `mayHave…` also goes by memberships
 * that were and that the planner may not have followed to their end yet (`former_members`): whoever takes something back
 * has to go by those too, or a person who left a group just before that left another stays in the outer one.
 */
export type Ancestry = {
  /** The groups that directly hold it. */
  parents(id: string): ReadonlySet<string>;
  /** Every group that holds it, itself only where groups are in each other. */
  above(id: string): ReadonlySet<string>;
  mayHaveAbove(id: string): ReadonlySet<string>;
};

type Edge = { group_id: string; member_id: string; former: number };

const edgesUp = prepare<{ ids: string }, Edge>((_, p, d) => {
  const ids = d.rowsOf<{ id: string }, 'r'>(p.ids, 'r', { id: 'text' });
  return sql<Edge>`
    select m.group_id, m.member_id, 0 as former from ${ids} ${d.lookUp('members', 'm', sql`m.member_id = r.id`)}
    union all
    select f.group_id, f.member_id, 1 as former from ${ids} ${d.lookUp('former_members', 'f', sql`f.member_id = r.id`)}`;
});

/** One statement for each level of nesting; the cost follows how many groups these are in, not how large those are. */
export async function readAncestry(reading: Reading, subjectIds: Iterable<string>): Promise<Ancestry> {
  const now = new Map<string, Set<string>>();
  const ever = new Map<string, Set<string>>();
  const met = new Set<string>();
  for (let level = [...new Set(subjectIds)]; level.length > 0; ) {
    for (const id of level) met.add(id);
    const next = new Set<string>();
    for (const { group_id: group, member_id: member, former } of await reading.run(edgesUp, { ids: idRows(level) })) {
      for (const graph of former === 1 ? [ever] : [now, ever]) {
        graph.set(member, (graph.get(member) ?? new Set()).add(group));
      }
      if (!met.has(group)) next.add(group);
    }
    level = [...next];
  }
  const [above, mayHaveAbove] = [closureOf(now), closureOf(ever)];
  return { parents: (id) => now.get(id) ?? none, above, mayHaveAbove };
}

const none: ReadonlySet<string> = new Set();

function closureOf(graph: ReadonlyMap<string, ReadonlySet<string>>): (id: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (id) => {
    const before = known.get(id);
    if (before) return before;
    const found = new Set<string>();
    const open = [...(graph.get(id) ?? none)];
    for (let group = open.pop(); group !== undefined; group = open.pop()) {
      if (found.has(group)) continue;
      found.add(group);
      open.push(...(graph.get(group) ?? none));
    }
    known.set(id, found);
    return found;
  };
}
