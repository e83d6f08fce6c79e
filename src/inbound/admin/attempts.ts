import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { AttemptAnswer, AttemptDetail, AttemptPage, ExchangeAnswer } from '../../contract/attempt.ts';
import { listAttempts, listExchanges, readAttempt } from '../../provisioning/inspect.ts';
import { readForgotten } from '../../provisioning/retention.ts';
import { readTarget } from '../../provisioning/targets.ts';
import type { AttemptRow, ExchangeRow } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { keptFor } from './kept.ts';
import { type Names, readNames } from './names.ts';
import { type AdminParts, param } from './parts.ts';
import { readCursor, readLimit, readNumber, readQuery, showTime, writeCursor } from './query.ts';
import type { StatusFacts } from './status.ts';

type Row = AttemptRow & { id: number };

export function addAttemptRoutes(app: FastifyInstance, { store }: AdminParts, { keep }: StatusFacts): void {
  const kept = keptFor('attempts', keep.attemptsDays);

  /** The latest first. */
  app.get('/attempts', async (request): Promise<AttemptPage> => {
    const query = readQuery(request.query, ['target', 'subject', 'outcome', 'text', 'status', 'after', 'limit']);
    const limit = readLimit(query.limit);
    const before = readCursor(query.after)?.[0];
    const status = readNumber(query.status, 'status', { absent: 0, least: 100, most: 999 });
    return store.read(async (reading) => {
      const { attempts, next, searchedBack } = await listAttempts(
        reading,
        {
          ...(query.target === undefined ? {} : { targetId: (await readTarget(reading, query.target)).id }),
          ...(query.subject === undefined ? {} : { subjectId: query.subject }),
          ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
          ...(query.text === undefined ? {} : { text: query.text }),
          ...(status === 0 ? {} : { status }),
        },
        { limit, ...(typeof before === 'number' ? { before } : {}) },
      );
      const names = await readNames(
        reading,
        attempts.map((row) => row.subject_id),
      );
      return {
        items: attempts.map((row) => showAttempt(row, names)),
        next: next === null ? null : writeCursor([next]),
        searchedBack: searchedBack === null ? null : showTime(searchedBack),
        gone: next === null && (await readForgotten(reading)).attempts > 0 ? kept.older : null,
      };
    });
  });

  app.get('/attempts/:id', async (request): Promise<AttemptDetail> => {
    const id = param(request, 'id');
    return store.read(async (reading) => {
      const number = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : Number.POSITIVE_INFINITY;
      const row = Number.isFinite(number) ? await readAttempt(reading, number) : undefined;
      if (!row) {
        const isOld = number <= (await readForgotten(reading)).attempts;
        throw new Problem(
          'notFound',
          isOld ? `attempt ${id} is no longer there: ${kept.rule}` : `there is no attempt ${id}`,
        );
      }
      return (await showAttemptsWhole(reading, [row], await readNames(reading, [row.subject_id])))[0]!;
    });
  });
}

export function showAttempt(row: Row, names: Names): AttemptAnswer {
  return {
    id: row.id,
    targetId: row.target_id,
    target: names.target(row.target_id),
    subject: names.subject(row.subject_id),
    operation: row.operation,
    startedAt: showTime(row.started_at),
    endedAt: row.ended_at === null ? null : showTime(row.ended_at),
    outcome: row.outcome,
    reason: row.reason,
    rule: row.rule,
  };
}

/** With everything that was said; it was redacted before it was kept. */
export async function showAttemptsWhole(
  reading: Reading,
  rows: readonly Row[],
  names: Names,
): Promise<AttemptDetail[]> {
  const exchanges = await listExchanges(
    reading,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ ...showAttempt(row, names), exchanges: exchanges.get(row.id)!.map(showExchange) }));
}

function showExchange(row: ExchangeRow): ExchangeAnswer {
  return {
    method: row.method,
    url: row.url,
    requestBody: row.request_body,
    status: row.status,
    responseBody: row.response_body,
    error: row.error,
    at: showTime(row.at),
    tookMs: row.took_ms,
  };
}
