import { type RawBuilder, sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { SubjectRow } from '../store/schema.ts';
import type { Reading } from '../store/store.ts';
import { rangeOf } from './filter-sql.ts';
import { dropPrimaryPrefix } from './names.ts';
import { deepestScan } from './scan.ts';
import { nameAttribute, type Subject, toSubject } from './subjects.ts';

/** Far below where the keys of long names are cut (`keys.ts`). */
const longestBeginning = 300;
/** How many are counted. */
const countedAtMost = 5_000;

export type Beginning = {
  text: string;
  /** From 1. */
  startIndex: number;
  count: number;
  /** How many there are, where that is known: then they are not counted. */
  known?: number;
};

/**
 * Live users or groups whose name begins with a text, without regard to case, in the order of names; after them the users
 * whose name does not, and whose displayName does, in the order of that. Read from two indexes in their order, so a page
 * costs the same however many there are. An empty text is the beginning of every name. `more`: there are more than `total`.
 *
 * Throws `Problem('invalidValue')` for a text that is too long, and `Problem('tooMany')` for a page too deep to be skipped to.
 */
export async function listByBeginning(
  reading: Reading,
  kind: Subject['kind'],
  { text, startIndex, count, known }: Beginning,
): Promise<{ subjects: Subject[]; total: number; more: boolean }> {
  if (text.length > longestBeginning) {
    const why = `name is the beginning of a name, of at most ${longestBeginning} characters`;
    throw new Problem('invalidValue', why, { field: 'name' });
  }
  const skip = startIndex - 1;
  if (skip + count > deepestScan) {
    const why = `No page of this list can begin after the first ${deepestScan.toLocaleString('en-US')}: write more of the name.`;
    throw new Problem('tooMany', why, { field: 'startIndex' });
  }
  const live = sql`s.kind = ${sql.lit(kind)} and s.life = 'live'`;
  const isNamed = rangeOf(sql.ref('s.name_key'), fold(dropPrimaryPrefix(text)));
  const named: Part = { where: sql`${live} and ${isNamed}`, order: sql.ref('s.name_key') };
  const shown: Part = {
    where: sql`${live} and ${rangeOf(sql.ref('s.display_key'), fold(text))} and not (${isNamed})`,
    order: sql.ref('s.display_key'),
  };
  const parts = text === '' || nameAttribute[kind] === 'displayName' ? [named] : [named, shown];
  if (known !== undefined && parts.length === 1) {
    return { subjects: await readPart(reading, named, skip, count), total: known, more: false };
  }
  const subjects: Subject[] = [];
  let total = 0;
  for (const part of parts) {
    // Where this part begins is known only while those before it are counted to the end.
    const before = total;
    const room = count - subjects.length;
    if (room > 0) subjects.push(...(await readPart(reading, part, Math.max(0, skip - before), room)));
    total += await countPart(reading, part, Math.max(countedAtMost - before, skip + count - before) + 1);
    if (total > Math.max(countedAtMost, skip + count)) break;
  }
  const most = Math.max(countedAtMost, skip + count);
  return { subjects, total: Math.min(total, most), more: total > most };
}

type Part = { where: RawBuilder<unknown>; order: RawBuilder<unknown> };

/** Skips in the index alone. */
async function readPart(reading: Reading, { where, order }: Part, skip: number, limit: number): Promise<Subject[]> {
  const whole = reading.dialect.lookUp('subjects', 'r', sql`r.id = p.id`);
  const query = sql<SubjectRow>`
    select r.* from (
      select s.id, ${order} as place from subjects s where ${where} order by ${order}, s.id limit ${limit} offset ${skip}
    ) as p ${whole} order by p.place, p.id`;
  return (await reading.all<SubjectRow>({ compile: () => query.compile(reading.q) })).map(toSubject);
}

async function countPart(reading: Reading, { where }: Part, atMost: number): Promise<number> {
  const query = sql<{
    n: number;
  }>`select count(*) as n from (select 1 from subjects s where ${where} limit ${atMost}) as few`;
  return (await reading.first<{ n: number }>({ compile: () => query.compile(reading.q) }))!.n;
}
