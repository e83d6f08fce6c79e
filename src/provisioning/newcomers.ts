import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { SubjectKind } from '../connectors/connector.ts';
import { readSubjects } from '../directory/subjects.ts';
import { prepare, type Store } from '../store/store.ts';
import { readScopeFacts } from './scope.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';

/** Who is here and has no account at a target, though they may: whom a sync would send. */
export type Newcomers = {
  users: number;
  groups: number;
  /** They are at least so many: the directory is too large to be counted to its end. */
  more: boolean;
};

/** So many are looked at in one statement, and in all, of each kind. */
const perSlice = 1_000;
const atMost = 100_000;

type Looked = { id: string; missing: number };

const lookAt = (kind: SubjectKind) =>
  prepare<{ targetId: number; callers: string; signIns: string; after: string; limit: number }, Looked>((_, p, d) => {
    const callers = d.rowsOf<{ id: number }, 'r'>(p.callers, 'r', { id: 'int' });
    const signIns = d.rowsOf<{ id: number }, 'r'>(p.signIns, 'r', { id: 'int' });
    return sql<Looked>`
      select s.id,
        case when (exists (
              select 1 from subject_sps p where p.subject_id = s.id and p.sp_id in (select r.id from ${callers}))
            or exists (
              select 1 from subject_sign_ins p where p.subject_id = s.id and p.sp_id in (select r.id from ${signIns})))
          and not exists (select 1 from accounts a where a.target_id = ${p.targetId} and a.subject_id = s.id)
        then 1 else 0 end as missing
      from (
        select id from subjects where kind = ${sql.lit(kind)} and life = 'live' and id > ${p.after}
        order by id limit ${p.limit}) s
      order by s.id`;
  });
const slices = { user: lookAt('user'), group: lookAt('group') };

/**
 * Counts whom a sync of a target would make there by its scope and bindings as the book has them; `besides`: service
 * providers that count as bound there too. In short reads one after the other, so nobody waits for it, and never past the
 * first hundred thousand.
 */
export async function countNewcomers(
  store: Store,
  book: TargetBook,
  open: OpenTarget,
  besides: { callers?: readonly number[]; signIns?: readonly number[] } = {},
): Promise<Newcomers> {
  const targetId = open.target.id;
  const bound = book.boundAt(targetId);
  const rowsOf = (ids: readonly number[], more: readonly number[] = []) =>
    JSON.stringify([...new Set([...ids, ...more])].map((id) => ({ id })));
  const callers = rowsOf(bound.callers, besides.callers);
  const signIns = rowsOf(bound.signIns, besides.signIns);
  const counted = { user: 0, group: 0 };
  let more = false;
  for (const kind of ['user', 'group'] as const) {
    if (!open.sends(kind)) continue;
    let after = '';
    for (let seen = 0; ; seen += perSlice) {
      if (seen >= atMost) {
        more = true;
        break;
      }
      const rows = await store.read(async (reading) => {
        const slice = await reading.run(slices[kind], { targetId, callers, signIns, after, limit: perSlice });
        const missing = slice.filter((row) => row.missing === 1).map((row) => row.id);
        if (open.scope.filters[kind]) {
          const subjects = [...(await readSubjects(reading, missing)).values()];
          const isInScope = await readScopeFacts(reading, [open], subjects);
          counted[kind] += subjects.filter((subject) => isInScope(open, subject)).length;
        } else counted[kind] += missing.length;
        return slice;
      });
      if (rows.length < perSlice) break;
      after = rows.at(-1)!.id;
      // Where the database is in this process, others have their turn.
      await turn();
    }
  }
  return { users: counted.user, groups: counted.group, more };
}
