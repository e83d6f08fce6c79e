import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { forgetChanges, listOldChanges, readOldestChange } from '../directory/changes.ts';
import { prepare, type Reading, type Store, type Tx } from '../store/store.ts';
import { forgetAttempts } from './attempts.ts';

/**
 * What happened and what was tried are kept for a while and then forgotten, so that the database does not grow for
 * ever. Nothing that delivery still needs goes: neither the attempt of a lease, nor the last one of an account, nor a
 * change that is to be planned or that an account is behind of.
 *
 * A pass walks both tables by key, a small transaction at a time with a rest between, so that doors and deliveries do
 * not notice it. It keeps no place of its own: a pass that was cut short is made good by the next. Of several nodes the
 * one that finds an hour gone by walks, and says so in `stamps` with every step; who is silent for an hour has lost its turn.
 */

/** Days; 0 keeps for ever. */
export type Keep = { attemptsDays: number; changesDays: number };

export interface Retention {
  /** Ends a pass after the step it is in, and resolves. Safe to call twice. */
  stop(): Promise<void>;
  readonly busy: boolean;
}

const everyMs = 3_600_000;
const firstLookMs = 60_000;
const lookMs = 300_000;
/** How many rows one transaction looks at. Measured with 1.2 kB said in each of two exchanges, and all of them to go: 2 ms on SQLite, 4 to 9 ms on PostgreSQL. */
const rowsPerStep = 100;
/** A step is followed by a rest this many times as long, so that a pass takes at most a tenth of the writer. */
const restPerStep = 9;
const leastRestMs = 20;
const dayMs = 86_400_000;

export function startRetention(options: { store: Store; clock: Clock; log: Logger; keep: Keep }): Retention {
  const { store, clock, log, keep } = options;
  let stopped = false;
  let passing: Promise<void> | undefined;
  let wake: (() => void) | undefined;
  let cancel = () => {};

  const rest = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = clock.after(ms, resolve);
      wake = () => {
        end();
        resolve();
      };
    });

  async function pass(): Promise<void> {
    try {
      const steps = openPass(store, keep);
      for (let started = clock.monotonic(); !stopped && (await steps.step()); started = clock.monotonic()) {
        await rest(Math.max(leastRestMs, (clock.monotonic() - started) * restPerStep));
      }
      const { attempts, changes } = steps.forgotten;
      if (attempts + changes > 0) log.info({ attempts, changes }, 'forgot what is older than it is kept for');
    } catch (error) {
      log.error({ error }, 'forgetting old attempts and changes failed; trying again within the hour');
    }
  }
  const look = () => {
    passing ??= pass().then(() => {
      passing = undefined;
    });
    cancel = clock.after(lookMs, look);
  };
  if (keep.attemptsDays > 0 || keep.changesDays > 0) cancel = clock.after(firstLookMs, look);

  return {
    get busy() {
      return passing !== undefined;
    },
    async stop() {
      stopped = true;
      cancel();
      wake?.();
      await passing;
    },
  };
}

/** One pass over both tables, a transaction with each `step`. `step` answers false when there is nothing more to do. */
export type Pass = { step(): Promise<boolean>; readonly forgotten: { attempts: number; changes: number } };

/** `turn`: whether it waits for an hour since the last pass, of whichever node. Default: it does. */
export function openPass(store: Store, keep: Keep, turn: 'hourly' | 'at once' = 'hourly'): Pass {
  const forgotten = { attempts: 0, changes: 0 };
  let mine: number | undefined;
  let place: { table: 'attempts' | 'changes'; after: number } | undefined = { table: 'attempts', after: 0 };

  async function step(): Promise<boolean> {
    if (!place) return false;
    const from = place;
    const forget = async (tx: Tx) => {
      const held = await takeTurn(tx, mine, turn === 'hourly' ? tx.now - everyMs : Number.MAX_SAFE_INTEGER);
      if (held === undefined) return undefined;
      const days = from.table === 'attempts' ? keep.attemptsDays : keep.changesDays;
      if (days === 0) return { held, next: undefined, count: 0 };
      const options = { after: from.after, before: Math.floor(tx.now - days * dayMs), limit: rowsPerStep };
      const { next, gone } = await (from.table === 'attempts' ? forgetAttempts : forgetUnneededChanges)(tx, options);
      if (gone.length > 0) await tx.run(raiseStamp, { name: stampOf[from.table], value: Math.max(...gone) });
      return { held, next, count: gone.length };
    };
    // What a power cut brings back is forgotten again.
    const done = await store.write(forget, { durable: 'later' });
    if (!done) {
      place = undefined;
      return false;
    }
    mine = done.held;
    forgotten[from.table] += done.count;
    if (done.next !== undefined) place = { ...from, after: done.next };
    else place = from.table === 'attempts' ? { table: 'changes', after: 0 } : undefined;
    return place !== undefined;
  }
  return { step, forgotten };
}

async function forgetUnneededChanges(
  tx: Tx,
  options: { after: number; before: number; limit: number },
): Promise<{ next: number | undefined; gone: number[] }> {
  const { next, old } = await listOldChanges(tx, options);
  if (old.length === 0) return { next, gone: [] };
  const rows = JSON.stringify(old.map(({ seq, subjectId }) => ({ seq, subject_id: subjectId })));
  const needed = new Set((await tx.run(selectNeeded, { rows })).map((row) => row.seq));
  const spare = old.map((change) => change.seq).filter((seq) => !needed.has(seq));
  return { next, gone: await forgetChanges(tx, spare) };
}

/** Changes whose clear password an account still waits for, and those that a due account has not been told yet. */
const selectNeeded = prepare<{ rows: string }, { seq: number }>((_, p, d) => {
  const rows = d.rowsOf<{ seq: number; subject_id: string }, 'r'>(p.rows, 'r', { seq: 'int', subject_id: 'text' });
  return sql<{ seq: number }>`
    select r.seq from ${rows}
    where exists (select 1 from accounts a where a.pw_seq = r.seq)
       or exists (select 1 from accounts a where a.subject_id = r.subject_id and a.wanted > a.done and a.seq_done < r.seq)`;
});

const turnStamp = 'retention';
const stampOf = { attempts: 'attempts forgotten', changes: 'changes forgotten' } as const;

/** A time far ahead was written by a clock that has been set right since: it counts for nothing. */
const beginTurn = prepare<{ now: number; before: number; ahead: number }, { value: number }>(
  (_, p) => sql<{ value: number }>`
    insert into stamps (name, value) values (${turnStamp}, ${p.now})
    on conflict (name) do update set value = excluded.value
      where stamps.value <= ${p.before} or stamps.value > ${p.ahead}
    returning value`,
);
const goOn = prepare<{ now: number; mine: number }, { value: number }>(
  (_, p) => sql<{ value: number }>`
    update stamps set value = ${p.now} where name = ${turnStamp} and value = ${p.mine} returning value`,
);

/** The time to name at the next step; undefined when it is another node's turn. Holds the turn's row until commit. */
async function takeTurn(tx: Tx, mine: number | undefined, before: number): Promise<number | undefined> {
  const { now } = tx;
  const rows =
    mine === undefined
      ? await tx.run(beginTurn, { now, before, ahead: now + everyMs })
      : await tx.run(goOn, { now, mine });
  return rows[0]?.value;
}

const raiseStamp = prepare<{ name: string; value: number }, never>(
  (_, p, d) => sql`
    insert into stamps (name, value) values (${p.name}, ${p.value})
    on conflict (name) do update set value = ${d.greatest(sql`stamps.value`, sql`excluded.value`)}`,
);

/** The greatest attempt id and change sequence that were ever forgotten; 0 when none was. */
export async function readForgotten(reading: Reading): Promise<{ attempts: number; changes: number }> {
  const names = Object.values(stampOf);
  const rows = await reading.all(reading.q.selectFrom('stamps').selectAll().where('name', 'in', names));
  const of = (name: string) => rows.find((row) => row.name === name)?.value ?? 0;
  return { attempts: of(stampOf.attempts), changes: of(stampOf.changes) };
}

/** When the oldest attempt and the oldest change that are still there were begun and made; null when there is none. */
export async function readOldest(reading: Reading): Promise<{ attempt: number | null; change: number | null }> {
  const first = reading.q.selectFrom('attempts').select('started_at').orderBy('id').limit(1);
  return {
    attempt: (await reading.first(first))?.started_at ?? null,
    change: (await readOldestChange(reading)) ?? null,
  };
}
