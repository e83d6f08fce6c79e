import { sql } from 'kysely';
import type { Subject } from '../directory/subjects.ts';
import type { AccountState } from '../store/schema.ts';
import { prepare, type Reading } from '../store/store.ts';
import type { OpenTarget } from './target-book.ts';

/**
 * Where accounts stand, for those who wait for them. Reads only what a verdict needs, of any number of accounts in one
 * statement; `judgeStanding` is pure.
 */

export type StandingKey = { targetId: number; subjectId: string; kind: 'user' | 'group' };

/** One account with what may keep it waiting: its lane, and the account that holds its name. */
export type Standing = {
  /** Null: there is no account. */
  wanted: number | null;
  done: number;
  dueAt: number | null;
  leased: boolean;
  state: AccountState;
  reason: string | null;
  /** When the account it waits for is due, 0 while it is under way; null when it waits for none, or that one is not due. */
  holderDueAt: number | null;
  lane: { hold: string; throttled: boolean; until: number } | null;
};

/** Ended, or nothing will happen before the time is up (`pending`). */
export type Verdict = { outcome: 'done' | 'none' | 'pending' | 'parked' | 'withheld'; reason: string | null };

type Row = {
  n: number;
  wanted: number | null;
  done: number;
  due_at: number | null;
  lease_attempt: number | null;
  state: AccountState;
  reason: string | null;
  holder_due_at: number | null;
  hold: string | null;
  throttled: number;
  probe_at: number | null;
};

type KeyColumns = { n: number; target_id: number; subject_id: string; kind: string };

const selectStandings = prepare<{ rows: string }, Row>((_, p, d) => {
  const rows = d.rowsOf<KeyColumns, 'r'>(p.rows, 'r', { n: 'int', target_id: 'int', subject_id: 'text', kind: 'text' });
  return sql<Row>`
    select r.n, a.wanted, a.done, a.due_at, a.lease_attempt, a.state, a.reason, l.hold, l.throttled, l.probe_at,
      case when h.lease_attempt is null then h.due_at else 0 end as holder_due_at
    from ${rows}
    left join accounts a on a.target_id = r.target_id and a.subject_id = r.subject_id
    left join accounts h on h.target_id = a.target_id and h.subject_id = a.wait_on
    left join lanes l on l.target_id = r.target_id and l.kind = r.kind`;
});

/** In the order of `keys`. */
export async function readStandings(reading: Reading, keys: readonly StandingKey[]): Promise<Standing[]> {
  const rows = keys.map((key, n) => ({ n, target_id: key.targetId, subject_id: key.subjectId, kind: key.kind }));
  const standings: Standing[] = [];
  for (const row of await reading.run(selectStandings, { rows: JSON.stringify(rows) })) {
    standings[row.n] = {
      wanted: row.wanted,
      done: row.done,
      dueAt: row.due_at,
      leased: row.lease_attempt !== null,
      state: row.state,
      reason: row.reason,
      holderDueAt: row.holder_due_at,
      lane: row.hold === null ? null : { hold: row.hold, throttled: row.throttled === 1, until: row.probe_at ?? 0 },
    };
  }
  return standings;
}

/** What a waiting door wants to know of one account. */
export type Question = {
  open: OpenTarget;
  subject: Subject;
  /** Whether the target's scope holds for the subject by now. */
  inScope: boolean;
  /** `wanted` as it was planned: done when the account has come this far. */
  goal: number;
  /** Database time at which nobody waits any more. */
  until: number;
};

/** Undefined: it may still come out in time. */
export function judgeStanding(standing: Standing, question: Question): Verdict | undefined {
  if (standing.wanted === null) return judgeAbsent(question);
  return standing.done >= question.goal ? judgeEnded(standing, question) : judgeDue(standing, question);
}

function judgeAbsent({ open, subject, inScope }: Question): Verdict {
  if (subject.life === 'gone') return { outcome: 'done', reason: null };
  if (!open.sends(subject.kind)) return { outcome: 'none', reason: `this target takes no ${subject.kind}s` };
  if (!inScope) return { outcome: 'none', reason: outOfScope };
  return { outcome: 'none', reason: 'nothing has been sent there yet, and this changed nothing' };
}

const outOfScope = 'outside the scope of this target';

function judgeEnded({ state, reason }: Standing, { subject }: Question): Verdict | undefined {
  switch (state) {
    case 'done':
      return { outcome: 'done', reason: null };
    case 'disabled':
    case 'kept': {
      const how = state === 'disabled' ? 'switched off there' : 'left there as it is';
      if (subject.life === 'gone') return { outcome: 'done', reason: `${how}, as the policy of the target says` };
      return { outcome: 'none', reason: `${outOfScope}: ${how}` };
    }
    case 'unbound':
      return { outcome: 'none', reason };
    case 'parked':
    case 'withheld':
      return { outcome: state, reason };
    case 'due':
    case 'waiting':
      // Due again by something later. What came of ours is told by the reason, which a success has not.
      return reason === null ? { outcome: 'done', reason } : undefined;
  }
}

function judgeDue(standing: Standing, { open, until }: Question): Verdict | undefined {
  const { lane, reason } = standing;
  const later = (why: string): Verdict => ({ outcome: 'pending', reason: why });
  if (!open.target.enabled) return later('the target is switched off');
  if (open.target.paused) return later('the target is paused');
  if (standing.leased) return undefined;
  if (lane && !lane.throttled) return later(`the lane is held: ${lane.hold}`);
  if (lane && lane.until > until) return later(`the lane is slowed until ${timeOf(lane.until)}: ${lane.hold}`);
  const dueAt = standing.dueAt ?? 0;
  if (dueAt <= until) return undefined;
  // Whoever waits for an account is woken by it, long before its own time.
  if (standing.holderDueAt !== null && standing.holderDueAt <= until) return undefined;
  return later(`due again at ${timeOf(dueAt)}${reason === null ? '' : `: ${reason}`}`);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

type GroupKey = { targetId: number; groupId: string; seq: number };
type GroupColumns = { n: number; target_id: number; group_id: string; seq: number };
const groupColumns = { n: 'int', target_id: 'int', group_id: 'text', seq: 'int' } as const;
const rowsOfGroups = (groups: readonly GroupKey[]) =>
  JSON.stringify(groups.map((one, n) => ({ n, target_id: one.targetId, group_id: one.groupId, seq: one.seq })));

/** Of the members of a group that wait at most this many are looked at: those that wait for ever are of no account. */
const mostLooked = 1_000;

const selectComing = prepare<{ rows: string }, { n: number }>((_, p, d) => {
  const rows = d.rowsOf<GroupColumns, 'r'>(p.rows, 'r', groupColumns);
  return sql<{ n: number }>`
    select r.n from ${rows}
    where exists (select 1 from wakes w where w.subject_id = r.group_id and w.target_id = r.target_id
        and (w.cause = 'relink' or w.cause like 'members after %'))
      or exists (select 1 from descents s where s.cursor is not null and s.top_id = r.group_id
        and s.target_id in (0, r.target_id))
      or exists (
        select 1 from (
          select k.member_id from links k
          where k.target_id = r.target_id and k.group_id = r.group_id and k.state = 'waiting'
          limit ${sql.lit(mostLooked)}) k
        join accounts m on m.target_id = r.target_id and m.subject_id = k.member_id
        where m.remote_id is not null or m.wanted > m.done)`;
});

/**
 * Of these groups (by their place in the list) those that will have more to say: members are still being noted, or are
 * on their way to the target. A member that is not there and is not coming is not waited for.
 */
export async function findComing(reading: Reading, groups: readonly GroupKey[]): Promise<Set<number>> {
  if (groups.length === 0) return new Set();
  return new Set((await reading.run(selectComing, { rows: rowsOfGroups(groups) })).map((row) => row.n));
}

const selectRefused = prepare<{ rows: string }, { n: number; refused: number; reason: string }>((_, p, d) => {
  const rows = d.rowsOf<GroupColumns, 'r'>(p.rows, 'r', groupColumns);
  return sql<{ n: number; refused: number; reason: string }>`
    select r.n, count(*) as refused, min(k.reason) as reason
    from ${rows} cross join changes c cross join links k cross join attempts t
    where c.seq = r.seq and k.target_id = r.target_id and k.group_id = r.group_id and k.state = 'parked'
      and t.id = k.attempt_id and t.started_at >= c.at
    group by r.n`;
});

/** Of these groups (by their place in the list) those of which the target refused memberships since the change `seq`. */
export async function findRefused(reading: Reading, groups: readonly GroupKey[]): Promise<Map<number, Verdict>> {
  const refusals = new Map<number, Verdict>();
  if (groups.length === 0) return refusals;
  for (const { n, refused, reason } of await reading.run(selectRefused, { rows: rowsOfGroups(groups) })) {
    const what = Number(refused) === 1 ? '1 membership was refused' : `${refused} memberships were refused`;
    refusals.set(n, { outcome: 'parked', reason: `${what}: ${reason}` });
  }
  return refusals;
}
