import { type Selectable, sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import type { SubjectKind } from '../connectors/connector.ts';
import { countSubjects } from '../directory/subjects.ts';
import type { WaveRow } from '../store/schema.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';
import { lockDeliveryStamp } from './delivery-stamp.ts';

/**
 * The only writer of `waves`: long work over many accounts of one target (engine rules 5 and 21).
 *
 *     accounts   something changed for all of them: each is looked at again, and who may stand otherwise now is made due
 *     everyone   a sync, only when asked for: everybody in the directory is looked at as well, and let in
 *
 *     (no row) --started--> running --its end reached--> done
 *                            |  ^  |
 *                       pause|  |  +--cancel--> cancelled
 *                            v  |                  ^
 *                           paused ----------------+
 *
 * At most one of each kind is running or paused at a target. What changes while one runs lets it start over, instead of
 * queueing another. `wave-step.ts` carries waves on, chunk by chunk.
 */
export type Wave = Selectable<WaveRow>;

/** Ended waves of a target and kind that are kept, for whoever asks what happened. */
const endedKept = 9;

const countAt = prepare<{ targetId: number }, { n: number }>(
  (_, p) => sql<{ n: number }>`select count(*) as n from accounts where target_id = ${p.targetId}`,
);

const startOver = prepare<{ targetId: number; cause: string; actor: string; total: number; now: number }, never>(
  (_, p) => sql`
    update waves set cursor = '', seen = 0, raised = 0, paused_ms = 0, started_at = cast(${p.now} as bigint),
      version = (select version from targets where id = ${p.targetId}),
      ended_at = case when state = 'paused' then cast(${p.now} as bigint) end,
      cause = case when kind = 'accounts' then ${p.cause} else cause end,
      actor = case when kind = 'accounts' then ${p.actor} else actor end,
      total = case when kind = 'accounts' then cast(${p.total} as bigint) else total end
    where target_id = ${p.targetId} and state in ('running', 'paused')`,
);

const insertWave = prepare<
  { targetId: number; kind: Wave['kind']; cause: string; actor: string; total: number; now: number },
  Wave
>(
  (_, p) => sql<Wave>`
    insert into waves (target_id, kind, cause, actor, state, cursor, version, total, seen, raised, started_at, paused_ms)
    select t.id, ${p.kind}, ${p.cause}, ${p.actor}, 'running', '', t.version, cast(${p.total} as bigint), 0, 0,
      cast(${p.now} as bigint), 0
    from targets t where t.id = ${p.targetId} and not exists (
      select 1 from waves w where w.target_id = t.id and w.kind = ${p.kind} and w.state in ('running', 'paused'))
    returning *`,
);

const forgetEnded = prepare<{ targetId: number; kind: Wave['kind'] }, never>(
  (_, p) => sql`
    delete from waves where target_id = ${p.targetId} and kind = ${p.kind} and state in ('done', 'cancelled')
      and id not in (
        select id from waves where target_id = ${p.targetId} and kind = ${p.kind} and state in ('done', 'cancelled')
        order by id desc limit ${sql.lit(endedKept)})`,
);

/**
 * Settings, policy, scope, mapping, rules or bindings of a target changed, so every account there is looked at again
 * (engine rule 5). A wave that is under way starts over, a sync too: who may be there is another question now. Part of
 * the transaction that makes the change, after it raised the delivery stamp, so that one comes after the other.
 */
export async function startAccountsWave(
  tx: Tx,
  wave: { targetId: number; cause: string; actor: string },
): Promise<void> {
  const total = (await tx.run(countAt, { targetId: wave.targetId }))[0]!.n;
  await tx.run(startOver, { ...wave, total, now: tx.now });
  if (total === 0) return;
  await tx.run(forgetEnded, { targetId: wave.targetId, kind: 'accounts' });
  await tx.run(insertWave, { ...wave, kind: 'accounts', total, now: tx.now });
}

const selectAsking = prepare<Record<string, never>, { target_id: number }>(
  () => sql<{ target_id: number }>`
    select distinct target_id from bindings where enabled = 1 and rules = 1 order by target_id`,
);

/** The policies changed: at every target that asks them, what they withheld or could not decide is asked again (rule 22). */
export async function startRulesWaves(tx: Tx, actor: string): Promise<void> {
  for (const { target_id: targetId } of await tx.run(selectAsking, {})) {
    await startAccountsWave(tx, { targetId, cause: 'rules changed', actor });
  }
}

/**
 * Starts a sync, or lets one that is paused go on; one that is running stays as it is (engine rule 21). `kinds`: what
 * the target's connector sends. The caller says `store.signal('changes')` after its commit.
 */
export async function startSync(
  tx: Tx,
  sync: { targetId: number; kinds: readonly SubjectKind[]; actor: string },
): Promise<Wave> {
  const { targetId, kinds, actor } = sync;
  await lockDeliveryStamp(tx);
  const latest = await lockLatestSync(tx, targetId);
  if (latest?.state === 'running') return latest;
  if (latest?.state === 'paused') {
    const paused = tx.now - (latest.ended_at ?? tx.now);
    const change = { state: 'running', ended_at: null, paused_ms: latest.paused_ms + Math.max(0, paused) } as const;
    return writeWave(tx, latest.id, change);
  }
  const here = await countSubjects(tx);
  const total = (kinds.includes('user') ? here.users : 0) + (kinds.includes('group') ? here.groups : 0);
  await tx.run(forgetEnded, { targetId, kind: 'everyone' });
  const [made] = await tx.run(insertWave, { targetId, kind: 'everyone', cause: 'sync', actor, total, now: tx.now });
  return made!;
}

/** What is due already goes on. Throws `conflict` when none is under way; saying it twice does no harm. */
export async function pauseSync(tx: Tx, target: { id: number; name: string }): Promise<Wave> {
  const latest = await lockLatestSync(tx, target.id);
  if (latest?.state === 'paused') return latest;
  if (latest?.state !== 'running') throw noSync(target.name);
  return writeWave(tx, latest.id, { state: 'paused', ended_at: tx.now });
}

/** As `pauseSync`, for good: the next one begins at the beginning. */
export async function cancelSync(tx: Tx, target: { id: number; name: string }): Promise<Wave> {
  const latest = await lockLatestSync(tx, target.id);
  if (latest?.state === 'cancelled') return latest;
  if (latest?.state !== 'running' && latest?.state !== 'paused') throw noSync(target.name);
  return writeWave(tx, latest.id, { state: 'cancelled', ended_at: tx.now });
}

function noSync(name: string): Problem {
  return new Problem('conflict', `no sync of ${name} is under way; start one with: purvey sync ${name}`);
}

const selectLatestSync = prepare<{ targetId: number }, Wave>(
  (q, p) =>
    q
      .selectFrom('waves')
      .selectAll()
      .where('target_id', '=', p.targetId)
      .where('kind', '=', 'everyone')
      .orderBy('id', 'desc')
      .limit(1) as never,
);

export async function readLatestSync(reading: Reading, targetId: number): Promise<Wave | undefined> {
  return (await reading.run(selectLatestSync, { targetId }))[0];
}

async function lockLatestSync(tx: Tx, targetId: number): Promise<Wave | undefined> {
  const latest = await readLatestSync(tx, targetId);
  return latest && lockWave(tx, latest.id);
}

const lockOne = prepare<{ id: number }, Wave>(
  (q, p, d) => q.selectFrom('waves').selectAll().where('id', '=', p.id).modifyEnd(d.forUpdate) as never,
);

/** The wave as it is, held until commit; undefined when it was forgotten. */
export async function lockWave(tx: Tx, id: number): Promise<Wave | undefined> {
  return (await tx.run(lockOne, { id }))[0];
}

/** For whoever holds the wave. */
export async function writeWave(tx: Tx, id: number, change: Partial<Omit<Wave, 'id'>>): Promise<Wave> {
  const row = await tx.first(tx.q.updateTable('waves').set(change).where('id', '=', id).returningAll());
  return row as unknown as Wave;
}

const selectRunning = prepare<Record<string, never>, Wave>(
  (q) => q.selectFrom('waves').selectAll().where('state', '=', sql.lit('running')).orderBy('id') as never,
);

/** In the order in which they go on: what changed before what was asked for, and of these the one that got least so far. */
export async function listRunningWaves(reading: Reading): Promise<Wave[]> {
  const waves = await reading.run(selectRunning, {});
  return waves.sort((a, b) => (a.kind === b.kind ? a.seen - b.seen || a.id - b.id : a.kind === 'accounts' ? -1 : 1));
}

/** Waves under way, paused ones too, in the order of their targets. */
export async function listOpenWaves(reading: Reading): Promise<Wave[]> {
  const query = reading.q.selectFrom('waves').selectAll().where('state', 'in', ['running', 'paused']);
  return (await reading.all(query.orderBy('target_id').orderBy('id'))) as unknown as Wave[];
}

/** Subjects looked at in a second, from its beginning and without its pauses; null before there is anything to tell. */
export function speedOf(wave: Wave, now: number): number | null {
  const ms = (wave.ended_at ?? now) - wave.started_at - wave.paused_ms;
  return wave.seen === 0 || ms <= 0 ? null : (wave.seen / ms) * 1_000;
}
