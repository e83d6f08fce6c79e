import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type {
  AccountAnswer,
  AccountDetail,
  ForwardedAnswer,
  PreviewAnswer,
  RetryAnswer,
} from '../../contract/account.ts';
import type { Page } from '../../contract/page.ts';
import { readBodyExpiry, readWholeSubjects } from '../../directory/forwarded-bodies.ts';
import type { Subject } from '../../directory/subjects.ts';
import { giveUpOn, noteOfGivingUp } from '../../provisioning/account-bodies.ts';
import {
  type AccountFilter,
  listAccounts,
  listAttempts,
  listHeldLanes,
  readAccount,
} from '../../provisioning/inspect.ts';
import { previewAccount } from '../../provisioning/preview.ts';
import { retryAccount } from '../../provisioning/retry.ts';
import { openTargetBook } from '../../provisioning/target-book.ts';
import { readTarget, type Target } from '../../provisioning/targets.ts';
import { readWhyHere } from '../../provisioning/why-here.ts';
import type { AccountRow, AccountState } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { showAttemptsWhole } from './attempts.ts';
import { type Names, readNames } from './names.ts';
import { type AdminParts, param } from './parts.ts';
import { readCursor, readLimit, readOneOf, readQuery, showTime, writeCursor } from './query.ts';
import { findSubjectId } from './subjects.ts';

const states = [
  'due',
  'done',
  'waiting',
  'parked',
  'withheld',
  'disabled',
  'kept',
  'unbound',
] as const satisfies readonly AccountState[];
const kinds = ['user', 'group'] as const;
const parameters = ['target', 'state', 'kind', 'subject', 'due', 'after', 'limit'];

/** So many accounts are made due by one request; the rest is the next one's. */
const retriedAtOnce = 200;

export function addAccountRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { store, key, types, actorOf } = parts;
  /** `state` may name several, separated by commas; `subject` is an id or a name. */
  app.get('/accounts', async (request): Promise<Page<AccountAnswer>> => {
    const query = readQuery(request.query, parameters);
    const limit = readLimit(query.limit);
    const after = readAfter(query.after);
    return store.read(async (reading) => {
      const filter = await readFilter(reading, query);
      const rows = await listAccounts(reading, filter, { limit: limit + 1, ...(after ? { after } : {}) });
      const shown = rows.slice(0, limit);
      const names = await readNames(
        reading,
        shown.flatMap((row) => [row.subject_id, row.wait_on]),
      );
      const last = shown.at(-1);
      return {
        items: shown.map((row) => show(row, names)),
        next: rows.length > limit && last ? writeCursor([last.target_id, last.subject_id]) : null,
      };
    });
  });

  app.get('/accounts/:target/:subject', async (request): Promise<AccountDetail> => {
    return store.read(async (reading) => {
      const row = await readOne(reading, param(request, 'target'), param(request, 'subject'));
      const account = { targetId: row.target_id, subjectId: row.subject_id };
      const names = await readNames(reading, [row.subject_id, row.wait_on]);
      const attempts = await listAttempts(reading, account, { limit: 5 });
      const target = await readTarget(reading, row.target_id);
      const subject = (await readWholeSubjects(reading, key, [row.subject_id])).get(row.subject_id);
      const why = await readWhyHere(reading, target, row, subject, types);
      return {
        ...show(row, names),
        why: { ...why, since: why.since && { ...why.since, at: showTime(why.since.at) } },
        forwarded: subject ? await showForwarded(reading, subject, names) : null,
        waitsBehind: row.wanted > row.done ? await whatHolds(reading, target, row.kind) : null,
        acknowledged: row.acked === null ? null : JSON.parse(row.acked),
        attempts: await showAttemptsWhole(reading, attempts, names),
      };
    });
  });

  /** Erases what is kept of a subject that is only forwarded, though some target does not have it. Twice does no harm. */
  app.post('/forwarded/:subject/give-up', async (request): Promise<ForwardedAnswer> => {
    const text = param(request, 'subject');
    return store.write(async (tx) => {
      const id = await findSubjectId(tx, text);
      const opened = id === undefined ? undefined : (await readWholeSubjects(tx, key, [id])).get(id);
      if (opened?.life !== 'forwarded') {
        throw new Problem('notFound', `there is nobody called ${text.slice(0, 300)} who was only forwarded`);
      }
      const why = noteOfGivingUp(`what was sent was given up by ${actorOf(request)} and is erased`);
      await giveUpOn(tx, [{ id: opened.id, why }]);
      const after = (await readWholeSubjects(tx, key, [opened.id])).get(opened.id)!;
      if (after.forwarded?.body !== 'none') {
        throw new Problem('conflict', 'what was sent is not planned yet: try again in a moment');
      }
      return (await showForwarded(tx, after, await readNames(tx, [])))!;
    });
  });

  /** What would be sent now; nothing is. */
  app.get('/accounts/:target/:subject/preview', async (request): Promise<PreviewAnswer> => {
    return store.read(async (reading) => {
      const row = await readOne(reading, param(request, 'target'), param(request, 'subject'));
      const book = await openTargetBook(reading, parts);
      const open = book.targets.get(row.target_id);
      if (!open) throw new Problem('conflict', 'this server has no connector of the type of this target');
      return previewAccount(reading, book, open, row);
    });
  });

  /** A part of many accounts, chosen as the list chooses them. Whoever calls goes on with `next`. */
  app.post('/accounts/retry', async (request, reply): Promise<RetryAnswer> => {
    const query = readQuery(request.query, parameters);
    if (query.state === undefined) throw new Problem('invalidValue', 'state must be given', { field: 'state' });
    const after = readAfter(query.after);
    const answer = await store.write(async (tx) => {
      const filter = await readFilter(tx, query);
      const rows = await listAccounts(tx, filter, { limit: retriedAtOnce, ...(after ? { after } : {}) });
      for (const row of rows) await retryAccount(tx, row);
      const last = rows.at(-1);
      const isWhole = rows.length < retriedAtOnce || !last;
      return { raised: rows.length, next: isWhole ? null : writeCursor([last.target_id, last.subject_id]) };
    });
    store.signal('work');
    reply.code(202);
    return answer;
  });

  /** Makes the account due at once, whatever its state. Saying it twice does no harm. */
  app.post('/accounts/:target/:subject/retry', async (request, reply) => {
    const account = await store.write(async (tx) => {
      const row = await readOne(tx, param(request, 'target'), param(request, 'subject'));
      await retryAccount(tx, row);
      const raised = await readAccount(tx, { targetId: row.target_id, subjectId: row.subject_id });
      return show(raised!, await readNames(tx, [row.subject_id, raised!.wait_on]));
    });
    store.signal('work');
    return reply.code(202).send(account);
  });
}

/** Null for everybody of the directory, and when it is gone. */
async function showForwarded(reading: Reading, subject: Subject, names: Names): Promise<ForwardedAnswer | null> {
  if (subject.life !== 'forwarded' || !subject.forwarded) return null;
  const { spId, body, lostSeq } = subject.forwarded;
  const until = body === 'none' ? undefined : await readBodyExpiry(reading, subject.id);
  return {
    serviceProvider: names.serviceProvider(spId),
    body,
    keptUntil: until === undefined ? null : showTime(until),
    givenUp: lostSeq !== null,
  };
}

/** Why nobody of a kind is sent to a target at the moment; null when they are. */
async function whatHolds(reading: Reading, target: Target, kind: AccountRow['kind']): Promise<string | null> {
  if (!target.idpEnabled) return `the identity provider ${target.idpName} is switched off`;
  if (!target.enabled) return `${target.name} is switched off`;
  if (target.paused) return `${target.name} is paused since ${showTime(target.paused.since)} by ${target.paused.by}`;
  const lanes = await listHeldLanes(reading);
  const lane = lanes.find((one) => one.target_id === target.id && one.kind === kind);
  if (!lane) return null;
  const how = lane.throttled ? 'are slowed' : 'are held';
  return `all ${kind}s of ${target.name} ${how} since ${showTime(lane.held_since ?? 0)}: ${lane.hold}`;
}

async function readOne(reading: Reading, target: string, subject: string): Promise<AccountRow> {
  const { id: targetId, name } = await readTarget(reading, target);
  const subjectId = await findSubjectId(reading, subject);
  const row = subjectId === undefined ? undefined : await readAccount(reading, { targetId, subjectId });
  if (!row) throw new Problem('notFound', `${subject} has no account at ${name}`);
  return row;
}

async function readFilter(reading: Reading, query: Record<string, string | undefined>): Promise<AccountFilter> {
  const filter: AccountFilter = {};
  if (query.target !== undefined) filter.targetId = (await readTarget(reading, query.target)).id;
  if (query.subject !== undefined) {
    const id = await findSubjectId(reading, query.subject);
    if (id === undefined) throw new Problem('notFound', `there is no user or group ${query.subject}`);
    filter.subjectId = id;
  }
  if (query.state !== undefined) {
    filter.states = query.state.split(',').map((state) => readOneOf(state, 'state', states)!);
  }
  const kind = readOneOf(query.kind, 'kind', kinds);
  if (kind) filter.kind = kind;
  const due = readOneOf(query.due, 'due', ['true', 'false']);
  if (due) filter.due = due === 'true';
  return filter;
}

function readAfter(text: string | undefined): { targetId: number; subjectId: string } | undefined {
  const cursor = readCursor(text);
  if (!cursor) return undefined;
  const [targetId, subjectId] = cursor;
  if (typeof targetId !== 'number' || typeof subjectId !== 'string') {
    throw new Problem('invalidValue', 'after must be the next of the page before', { field: 'after' });
  }
  return { targetId, subjectId };
}

function show(row: AccountRow, names: Names): AccountAnswer {
  return {
    targetId: row.target_id,
    target: names.target(row.target_id),
    subject: { ...names.subject(row.subject_id), kind: row.kind },
    state: row.state,
    reason: row.reason,
    due: row.wanted > row.done,
    dueAt: row.due_at === null ? null : showTime(row.due_at),
    remoteId: row.remote_id,
    origin: row.origin,
    inDoubt: row.doubt !== null,
    tries: row.tries,
    waitsFor: row.wait_on === null ? null : names.subject(row.wait_on),
    withheldOperation: row.withheld_operation,
    passwordDue: row.pw_seq !== null,
    passwordNote: row.pw_note,
    serviceProvider: names.serviceProvider(row.sp_id),
  };
}
