import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { ConnectorKind, SettingValues } from '../../connectors/connector.ts';
import type { TargetAnswer, TestAnswer } from '../../contract/target.ts';
import { readIdentityProvider } from '../../provisioning/identity-providers.ts';
import { removeTarget } from '../../provisioning/remove-target.ts';
import { openTargetBook } from '../../provisioning/target-book.ts';
import {
  countWaiting,
  createTarget,
  listTargets,
  pauseTarget,
  readDraftSettings,
  readTarget,
  replaceTarget,
  type Target,
} from '../../provisioning/targets.ts';
import { showEffect } from './effects.ts';
import { type AdminParts, bodyOf, isTried, mayTry, mergeFields, param, sayChange, writeOrTry } from './parts.ts';
import { readNumber, readQuery, showTime } from './query.ts';

/** A test that takes longer than this in all has an answer: the target is too slow. Each request has its own timeout. */
const longestTestMs = 60_000;

export function addTargetRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { store, actorOf } = parts;
  const showAll = (targets: readonly Target[]) =>
    store.read(async (reading) => {
      const shown: TargetAnswer[] = [];
      for (const target of targets) shown.push(show(target, await countWaiting(reading, target.id)));
      return shown;
    });
  const showOne = async (target: Target) => (await showAll([target]))[0]!;

  app.get('/targets', async () => {
    const targets = await store.read((reading) => listTargets(reading));
    return { items: await showAll(targets) };
  });

  app.get('/identity-providers/:id/targets', async (request) => {
    const targets = await store.read(async (reading) => {
      const provider = await readIdentityProvider(reading, param(request, 'id'));
      return listTargets(reading, provider.id);
    });
    return { items: await showAll(targets) };
  });

  app.post('/identity-providers/:id/targets', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const target = await writeOrTry(store, request, async (tx) => {
      const provider = await readIdentityProvider(tx, param(request, 'id'));
      return createTarget(tx, parts, provider.id, body);
    });
    store.signal('targets');
    sayChange(reply, 'created');
    return reply
      .code(201)
      .header('location', `/api/targets/${target.id}`)
      .send(await showOne(target));
  });

  app.get('/targets/:id', async (request) => {
    return showOne(await store.read((reading) => readTarget(reading, param(request, 'id'))));
  });

  for (const method of ['put', 'patch'] as const) {
    app[method]('/targets/:id', mayTry, async (request, reply): Promise<TargetAnswer> => {
      const given = bodyOf(request);
      const { target, changed, book } = await writeOrTry(store, request, async (tx) => {
        const { id, type, enabled, settings, policy, version } = await readTarget(tx, param(request, 'id'));
        const input = method === 'put' ? given : mergeFields({ type, enabled, settings, policy }, given);
        const done = await replaceTarget(tx, parts, id, input, parts.actorOf(request), readSystem(request));
        const looksAgain = isTried(request) && done.target.version !== version;
        return { ...done, book: looksAgain ? await openTargetBook(tx, parts) : undefined };
      });
      store.signal('targets');
      sayChange(reply, changed ? 'updated' : 'unchanged');
      const answer = await showOne(target);
      return isTried(request) ? { ...answer, effect: await showEffect(parts, target, book) } : answer;
    });
  }

  for (const [act, pausing] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    app.post(`/targets/:id/${act}`, async (request) => {
      const target = await store.write(async (tx) => {
        const found = await readTarget(tx, param(request, 'id'));
        return pauseTarget(tx, found.id, pausing ? { by: actorOf(request) } : null);
      });
      store.signal('targets');
      return showOne(target);
    });
  }

  app.delete('/targets/:id', async (request, reply) => {
    const { forget } = readQuery(request.query, ['forget']);
    const count = forget === undefined ? undefined : readNumber(forget, 'forget', { absent: 0, least: 0, most: 1e12 });
    await store.write(async (tx) => {
      const found = await readTarget(tx, param(request, 'id'));
      await removeTarget(tx, found.id, count);
    });
    store.signal('targets');
    return reply.code(204).send();
  });

  app.post('/targets/test', async (request) => {
    const { type, settings, ...rest } = bodyOf(request);
    refuseMore(rest, 'type, settings');
    const draft = await store.read((reading) => readDraftSettings(reading, parts, { type, settings }));
    return testSettings(parts, draft.kind, draft.values, 10_000);
  });

  app.post('/targets/:id/test', async (request) => {
    const { settings, ...rest } = request.body === undefined ? {} : bodyOf(request);
    refuseMore(rest, 'settings');
    const draft = await store.read(async (reading) => {
      const target = await readTarget(reading, param(request, 'id'));
      const values = await readDraftSettings(reading, parts, { targetId: target.id, settings });
      return { ...values, timeoutMs: target.policy.timeoutMs };
    });
    return testSettings(parts, draft.kind, draft.values, draft.timeoutMs);
  });
}

/** *Test connection*: asks the target, changes nothing there. */
async function testSettings(
  { outbound, clock }: AdminParts,
  kind: ConnectorKind,
  values: SettingValues,
  timeoutMs: number,
): Promise<TestAnswer> {
  const courier = outbound.courier({ deadline: clock.monotonic() + longestTestMs, timeoutMs });
  const steps = await kind.open(values, outbound).test(courier);
  return { ok: steps.every((step) => step.ok || step.skipped === true), steps };
}

/** The answer to *same system?*, when a changed address raised that question. */
function readSystem(request: FastifyRequest): 'same' | undefined {
  const { sameSystem } = request.query as { sameSystem?: unknown };
  if (sameSystem === undefined) return undefined;
  if (sameSystem === 'true') return 'same';
  throw new Problem('invalidValue', 'sameSystem can only be true', { field: 'sameSystem' });
}

function refuseMore(rest: Record<string, unknown>, known: string): void {
  const [field] = Object.keys(rest);
  if (field !== undefined) throw new Problem('invalidValue', `there is no ${field}; known are ${known}`, { field });
}

function showSettings(settings: Target['settings']): TargetAnswer['settings'] {
  const shown = Object.entries(settings).map(([key, value]) => {
    if (typeof value !== 'object') return [key, value];
    return [key, { set: true, since: value.since === null ? null : showTime(value.since) }];
  });
  return Object.fromEntries(shown);
}

function show(target: Target, waiting: number): TargetAnswer {
  return {
    id: target.id,
    name: target.name,
    identityProvider: { id: target.idpId, name: target.idpName, enabled: target.idpEnabled },
    type: target.type,
    enabled: target.enabled,
    paused: target.paused && { since: showTime(target.paused.since), by: target.paused.by },
    waiting,
    settings: showSettings(target.settings),
    policy: target.policy,
    version: target.version,
    createdAt: showTime(target.createdAt),
    modifiedAt: showTime(target.modifiedAt),
  };
}
