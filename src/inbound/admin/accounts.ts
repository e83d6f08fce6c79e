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
import { listDecisions, readConflict } from '../../provisioning/decisions.ts';
import { listAttempts, listHeldLanes, readAccount } from '../../provisioning/inspect.ts';
import { previewAccount } from '../../provisioning/preview.ts';
import { retryAccount } from '../../provisioning/retry.ts';
import { openTargetBook } from '../../provisioning/target-book.ts';
import { readTarget, type Target } from '../../provisioning/targets.ts';
import { readWhyHere } from '../../provisioning/why-here.ts';
import type { AccountRow } from '../../store/schema.ts';
import type { Reading } from '../../store/store.ts';
import { showAttemptsWhole } from './attempts.ts';
import { accountChoice, listChosen } from './choose-accounts.ts';
import { type Names, readNames } from './names.ts';
import { type AdminParts, param } from './parts.ts';
import { readLimit, readQuery, showTime } from './query.ts';
import { readOneAccount, showAccount, showAccounts, showDecision } from './show-account.ts';
import { findSubjectId } from './subjects.ts';

/** So many accounts are made due by one request; the rest is the next one's. */
const retriedAtOnce = 200;

export function addAccountRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { store, key, types, actorOf } = parts;
  /** `state` may name several, separated by commas; `subject` is an id or a name. */
  app.get('/accounts', async (request): Promise<Page<AccountAnswer>> => {
    const query = readQuery(request.query, accountChoice);
    const limit = readLimit(query.limit);
    return store.read(async (reading) => {
      const { rows, next } = await listChosen(reading, query, limit);
      return { items: await showAccounts(reading, rows), next };
    });
  });

  app.get('/accounts/:target/:subject', async (request): Promise<AccountDetail> => {
    return store.read(async (reading) => {
      const row = await readOneAccount(reading, param(request, 'target'), param(request, 'subject'));
      const account = { targetId: row.target_id, subjectId: row.subject_id };
      const names = await readNames(reading, [row.subject_id]);
      const { attempts } = await listAttempts(reading, account, { limit: 5 });
      const target = await readTarget(reading, row.target_id);
      const subject = (await readWholeSubjects(reading, key, [row.subject_id])).get(row.subject_id);
      const why = await readWhyHere(reading, target, row, subject, types);
      return {
        ...(await showAccount(reading, row)),
        why: { ...why, since: why.since && { ...why.since, at: showTime(why.since.at) } },
        forwarded: subject ? await showForwarded(reading, subject, names) : null,
        waitsBehind: row.wanted > row.done ? await whatHolds(reading, target, row.kind) : null,
        conflict: await readConflict(reading, row),
        decisions: (await listDecisions(reading, row, 5)).map(showDecision),
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
      const row = await readOneAccount(reading, param(request, 'target'), param(request, 'subject'));
      const book = await openTargetBook(reading, parts);
      const open = book.targets.get(row.target_id);
      if (!open) throw new Problem('conflict', 'this server has no connector of the type of this target');
      return previewAccount(reading, book, open, row);
    });
  });

  /** A part of many accounts, chosen as the list chooses them. Whoever calls goes on with `next`. */
  app.post('/accounts/retry', async (request, reply): Promise<RetryAnswer> => {
    const query = readQuery(request.query, accountChoice);
    if (query.state === undefined && query.cause === undefined) {
      throw new Problem('invalidValue', 'state or cause must be given', { field: 'state' });
    }
    const answer = await store.write(async (tx) => {
      const { rows, next } = await listChosen(tx, query, retriedAtOnce);
      for (const row of rows) await retryAccount(tx, row);
      return { raised: rows.length, next };
    });
    store.signal('work');
    reply.code(202);
    return answer;
  });

  /** Makes the account due at once, whatever its state. Saying it twice does no harm. */
  app.post('/accounts/:target/:subject/retry', async (request, reply) => {
    const account = await store.write(async (tx) => {
      const row = await readOneAccount(tx, param(request, 'target'), param(request, 'subject'));
      await retryAccount(tx, row);
      const raised = await readAccount(tx, { targetId: row.target_id, subjectId: row.subject_id });
      return showAccount(tx, raised!);
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
