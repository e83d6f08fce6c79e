import { sql } from 'kysely';
import type { Exchange } from '../outbound/courier.ts';
import { prepare, type Tx } from '../store/store.ts';
import { storableText } from './storable-text.ts';

/**
 * The only writer of `attempts` and `exchanges`: what was tried, append-only until it is old enough to be forgotten
 * (`retention.ts`). The attempt's id is the fence (engine rule 10).
 */

export type NewAttempt = {
  targetId: number;
  subjectId: string;
  kind: 'user' | 'group';
  noted: number;
  startedAt: number;
  deadline: number;
  version: number;
  node: number | null;
};

type NewColumns = {
  target_id: number;
  subject_id: string;
  kind: string;
  noted: number;
  started_at: number;
  deadline: number;
  version: number;
  node: number;
};

const insertAttempts = prepare<{ rows: string }, { id: number; subject_id: string }>((_, p, d) => {
  const rows = d.rowsOf<NewColumns, 'r'>(p.rows, 'r', {
    target_id: 'int',
    subject_id: 'text',
    kind: 'text',
    noted: 'int',
    started_at: 'int',
    deadline: 'int',
    version: 'int',
    node: 'int',
  });
  return sql<{ id: number; subject_id: string }>`
    insert into attempts (target_id, subject_id, kind, noted, started_at, deadline, version, node)
    select target_id, subject_id, kind, noted, started_at, deadline, version, node from ${rows} where true
    returning id, subject_id`;
});

/** Writes attempts of one target down before they send anything; answers with their ids by subject. */
export async function beginAttempts(tx: Tx, attempts: readonly NewAttempt[]): Promise<Map<string, number>> {
  const rows = attempts.map((one) => ({
    target_id: one.targetId,
    subject_id: one.subjectId,
    kind: one.kind,
    noted: one.noted,
    started_at: one.startedAt,
    deadline: one.deadline,
    version: one.version,
    node: one.node,
  }));
  const ids = await tx.run(insertAttempts, { rows: JSON.stringify(rows) });
  return new Map(ids.map((row) => [row.subject_id, row.id]));
}

export type EndedAttempt = {
  id: number;
  operation: string;
  outcome: string;
  reason: string | null;
  /** What the rules said; null when none was asked. */
  rule: string | null;
  exchanges: readonly Exchange[];
};

const endAttempt = prepare<{ rows: string; now: number }, never>((_, p, d) => {
  const rows = d.rowsOf<{ id: number; operation: string; outcome: string; reason: string; rule: string }, 'r'>(
    p.rows,
    'r',
    { id: 'int', operation: 'text', outcome: 'text', reason: 'text', rule: 'text' },
  );
  return sql`
    update attempts set ended_at = cast(${p.now} as bigint), operation = r.operation, outcome = r.outcome, reason = r.reason,
      rule = r.rule
    from ${rows} where attempts.id = r.id`;
});

type ExchangeColumns = {
  attempt_id: number;
  n: number;
  method: string;
  url: string;
  request_body: string;
  status: number;
  response_body: string;
  error: string;
  at: number;
  took_ms: number;
};

const insertExchanges = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<ExchangeColumns, 'r'>(p.rows, 'r', {
    attempt_id: 'int',
    n: 'int',
    method: 'text',
    url: 'text',
    request_body: 'text',
    status: 'int',
    response_body: 'text',
    error: 'text',
    at: 'int',
    took_ms: 'int',
  });
  return sql`
    insert into exchanges (attempt_id, n, method, url, request_body, status, response_body, error, at, took_ms)
    select attempt_id, n, method, url, request_body, status, response_body, error, at, took_ms from ${rows} where true`;
});

/** Writes how attempts ended, with their exchanges. */
export async function endAttempts(tx: Tx, ended: readonly EndedAttempt[]): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map(({ id, operation, outcome, reason, rule }) => ({
    id,
    operation,
    outcome,
    reason: storable(reason),
    rule: storable(rule),
  }));
  await tx.run(endAttempt, { rows: JSON.stringify(rows), now: tx.now });
  const exchanges = ended.flatMap((attempt) =>
    attempt.exchanges.map((exchange, n) => ({
      attempt_id: attempt.id,
      n,
      method: exchange.method,
      url: exchange.url,
      request_body: storable(exchange.requestBody),
      status: exchange.status,
      response_body: storable(exchange.responseBody),
      error: storable(exchange.error),
      at: exchange.at,
      took_ms: Math.round(exchange.tookMs),
    })),
  );
  if (exchanges.length > 0) await tx.run(insertExchanges, { rows: JSON.stringify(exchanges) });
}

const nextAttempts = prepare<{ after: number; limit: number }, { id: number; started_at: number }>(
  (_, p) => sql<{ id: number; started_at: number }>`
    select id, started_at from attempts where id > ${p.after} order by id limit ${p.limit}`,
);

const forget = prepare<{ after: number; to: number; before: number }, { id: number }>(
  (_, p) => sql<{ id: number }>`
    delete from attempts where id > ${p.after} and id <= ${p.to} and ended_at < ${p.before}
      and not exists (
        select 1 from accounts a where a.target_id = attempts.target_id and a.subject_id = attempts.subject_id
          and (a.lease_attempt = attempts.id or not exists (
            select 1 from attempts l
            where l.target_id = attempts.target_id and l.subject_id = attempts.subject_id and l.id > attempts.id)))
    returning id`,
);

const forgetExchanges = prepare<{ rows: string }, never>((_, p, d) => {
  const rows = d.rowsOf<{ id: number }, 'r'>(p.rows, 'r', { id: 'int' });
  return sql`delete from exchanges where attempt_id in (select r.id from ${rows})`;
});

/**
 * Forgets, of the next `limit` attempts after the id `after`, those that ended before `before`, with their exchanges.
 * The last attempt of an account that is there stays, so that it can be said how the account came to where it is; so
 * does one that holds a lease or never ended: its result may still come. Answers the ids that went, and the id to go on
 * after: undefined when all that follow are younger.
 */
export async function forgetAttempts(
  tx: Tx,
  options: { after: number; before: number; limit: number },
): Promise<{ next: number | undefined; gone: number[] }> {
  const { after, before, limit } = options;
  const seen = await tx.run(nextAttempts, { after, limit });
  const old = seen.findLast((row) => row.started_at < before);
  if (!old) return { next: undefined, gone: [] };
  const rows = await tx.run(forget, { after, to: old.id, before });
  if (rows.length > 0) await tx.run(forgetExchanges, { rows: JSON.stringify(rows) });
  return { next: seen.length < limit ? undefined : seen.at(-1)!.id, gone: rows.map((row) => row.id) };
}

function storable(text: string | null): string | null {
  return text === null ? null : storableText(text);
}
