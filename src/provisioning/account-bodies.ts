import { sql } from 'kysely';
import {
  eraseToldBodies,
  giveUpBodies,
  listExpiredBodies,
  listForwardedBodies,
  lockPlannedBodies,
} from '../directory/forwarded-bodies.ts';
import { listReferrers } from '../directory/references.ts';
import { prepare, type Store, type Tx } from '../store/store.ts';

/**
 * The end of what is only forwarded (engine rule 23): its sealed body is erased as soon as every account has been told,
 * when its time is over, or when an operator gives it up. Writes `accounts` beside `accounts.ts`: the reason of those that
 * will never be told.
 */

// Parked, withheld or resting with it is waiting for it still.
const owes = (body: string) => sql`
  accounts.subject_id = ${sql.ref(`${body}.id`)} and (accounts.wanted > accounts.done
    or (accounts.state in ('parked', 'withheld', 'waiting', 'unbound') and accounts.seq_done < ${sql.ref(`${body}.seq`)}))`;

const selectOwed = prepare<{ rows: string }, { id: string }>((_, p, d) => {
  const rows = d.rowsOf<{ id: string; seq: number }, 'r'>(p.rows, 'r', { id: 'text', seq: 'int' });
  return sql<{ id: string }>`select r.id from ${rows} where exists (select 1 from accounts where ${owes('r')})`;
});

// A manager who comes to a target or leaves it will be named there or not, which takes the body.
const selectAwaiting = prepare<{ rows: string }, { id: string }>((_, p, d) => {
  const rows = d.rowsOf<{ id: string }, 'r'>(p.rows, 'r', { id: 'text' });
  return sql<{ id: string }>`
    select r.id from ${rows} where exists (
      select 1 from refs f where f.subject_id = r.id and (
        exists (select 1 from accounts m where m.subject_id = f.ref_id and m.wanted > m.done)
        or exists (select 1 from changes c where c.subject_id = f.ref_id and c.unplanned is not null)
        or exists (select 1 from wakes w where w.subject_id = f.ref_id)))`;
});

/**
 * Erases the bodies of those of these subjects, and of whoever names them as manager, whom every account has been told and
 * who wait for no manager. To be called after accounts and wakes were written, in the same transaction; safe to repeat.
 */
export async function eraseToldToAll(tx: Tx, subjectIds: readonly string[]): Promise<void> {
  if (subjectIds.length === 0) return;
  const waiting = await listReferrers(tx, subjectIds);
  const kept = await lockPlannedBodies(tx, [...subjectIds, ...waiting.map((one) => one.subjectId)]);
  if (kept.length === 0) return;
  const rows = JSON.stringify(kept);
  const wanted = [...(await tx.run(selectOwed, { rows })), ...(await tx.run(selectAwaiting, { rows }))];
  const still = new Set(wanted.map((row) => row.id));
  await eraseToldBodies(
    tx,
    kept.filter((body) => !still.has(body.id)).map((body) => body.id),
  );
}

const noteGivenUp = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ id: string; seq: number; note: string }, 'r'>(p.rows, 'r', {
    id: 'text',
    seq: 'int',
    note: 'text',
  });
  const ended = sql`accounts.wanted <= accounts.done`;
  return sql`
    update accounts set reason = r.note,
      state = case when ${ended} and accounts.state = 'withheld' then 'parked' else accounts.state end,
      withheld_operation = case when ${ended} then null else accounts.withheld_operation end,
      ask_at = case when ${ended} then null else accounts.ask_at end
    from ${rows} where accounts.lease_attempt is null and ${owes('r')}`;
});

/** `seq`: only if it is still the body that this change brought; default whichever is kept. */
export type GivenUp = { id: string; seq?: number; why: string };

/**
 * Erases bodies, and says so on the accounts that still wait for them. Whoever is due finds it gone when its turn comes.
 * Safe to repeat.
 */
export async function giveUpOn(tx: Tx, bodies: readonly GivenUp[]): Promise<void> {
  if (bodies.length === 0) return;
  const held = new Map(
    (
      await lockPlannedBodies(
        tx,
        bodies.map((body) => body.id),
      )
    ).map((body) => [body.id, body.seq]),
  );
  const rows = bodies.flatMap(({ id, seq, why }) => {
    const kept = held.get(id);
    return kept === undefined || (seq !== undefined && seq !== kept) ? [] : [{ id, seq: kept, note: why }];
  });
  if (rows.length === 0) return;
  const owed = new Set((await tx.run(selectOwed, { rows: JSON.stringify(rows) })).map((row) => row.id));
  await tx.run(noteGivenUp, { rows: JSON.stringify(rows) });
  const idsOf = (some: typeof rows) => some.map((body) => body.id);
  await giveUpBodies(tx, idsOf(rows.filter((body) => owed.has(body.id))));
  await eraseToldBodies(tx, idsOf(rows.filter((body) => !owed.has(body.id))));
}

export function noteOfGivingUp(why: string): string {
  return `only forwarded, and ${why}: send the whole again by PUT, or delete it`;
}

const expiredPerStep = 20;
const lookedAtPerStep = 200;

/**
 * Gives up bodies whose time is over. Looks besides at some of the others, from the one after `after`: whoever waited for
 * them may have gone with its target. Answers where to look next time. Bounded in each transaction; safe on several nodes.
 */
export async function tidyBodies(store: Store, after: string): Promise<string> {
  for (let taken = expiredPerStep; taken === expiredPerStep; ) {
    const expired = await store.read((reading) => listExpiredBodies(reading, expiredPerStep));
    if (expired.length > 0) await store.write((tx) => giveUpOn(tx, expired.map(giveUpExpired)));
    const left = expired.length === 0 ? [] : await store.read((reading) => listExpiredBodies(reading, 1));
    // What is not planned yet is looked at next time, not over and over now.
    taken = left[0] && expired.some((one) => one.id === left[0]!.id) ? 0 : expired.length;
  }
  const page = await store.read((reading) => listForwardedBodies(reading, after, lookedAtPerStep));
  if (page.length > 0) await store.write((tx) => eraseToldToAll(tx, page));
  return page.length < lookedAtPerStep ? '' : page.at(-1)!;
}

function giveUpExpired({ id, seq, expiresAt }: { id: string; seq: number; expiresAt: number }): GivenUp {
  const time = new Date(expiresAt).toISOString();
  return { id, seq, why: noteOfGivingUp(`what was sent waited until ${time} and is erased`) };
}
