import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { SyncAnswer } from '../../contract/sync.ts';
import type { Offer } from '../../contract/wave.ts';
import { countSubjects } from '../../directory/subjects.ts';
import { countPending, listHeldLanes } from '../../provisioning/inspect.ts';
import { countNewcomers } from '../../provisioning/newcomers.ts';
import type { ServiceProvider } from '../../provisioning/service-providers.ts';
import { type OpenTarget, openTargetBook, type TargetBook } from '../../provisioning/target-book.ts';
import { readTarget, type Target } from '../../provisioning/targets.ts';
import { cancelSync, pauseSync, readLatestSync, startSync } from '../../provisioning/waves.ts';
import type { Reading, Tx } from '../../store/store.ts';
import { type AdminParts, param } from './parts.ts';
import { showLane } from './status.ts';
import { showWave } from './waves.ts';

const kinds = ['user', 'group'] as const;

/** A sync sends whoever may be at a target. It is asked for, never automatic (engine rule 21). */
export function addSyncRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { store, actorOf } = parts;
  const find = (reading: Reading, request: FastifyRequest) => readTarget(reading, param(request, 'id'));

  app.get('/targets/:id/sync', async (request) => {
    return show(parts, await store.read((reading) => find(reading, request)));
  });

  app.post('/targets/:id/sync', async (request, reply) => {
    const target = await store.write(async (tx) => {
      const found = await find(tx, request);
      const { book, open } = await openBook(parts, tx, found.id);
      refuseInVain(found, book);
      const sent = kinds.filter((kind) => open.sends(kind));
      await startSync(tx, { targetId: found.id, kinds: sent, actor: actorOf(request) });
      return found;
    });
    store.signal('changes');
    return reply.code(202).send(await show(parts, target));
  });

  for (const [what, act] of [
    ['pause', pauseSync],
    ['cancel', cancelSync],
  ] as const) {
    app.post(`/targets/:id/sync/${what}`, async (request) => {
      const target = await store.write(async (tx: Tx) => {
        const found = await find(tx, request);
        await act(tx, found);
        return found;
      });
      return show(parts, target);
    });
  }
}

/** Whom syncs would send to these targets, now that the service provider lets somebody in there; those for nobody are left out. */
export async function makeOffers(
  parts: AdminParts,
  targetIds: readonly number[],
  { id, resident, bindings }: ServiceProvider,
): Promise<Offer[]> {
  const offers: Offer[] = [];
  for (const targetId of targetIds) {
    const { book, open } = await parts.store.read((reading) => openBook(parts, reading, targetId));
    const withJit = bindings.some((binding) => binding.targetId === targetId && binding.enabled && binding.jit);
    const callers = [id, ...(resident ? book.fallingBack : [])];
    const besides = { callers, signIns: withJit ? [id] : [] };
    const missing = await countNewcomers(parts.store, book, open, besides);
    const { idpName, type } = open.target;
    if (missing.users + missing.groups > 0) offers.push({ targetId, target: `${idpName}:${type}`, missing });
  }
  return offers;
}

async function openBook(
  parts: AdminParts,
  reading: Reading,
  targetId: number,
): Promise<{ book: TargetBook; open: OpenTarget }> {
  const book = await openTargetBook(reading, parts);
  const open = book.targets.get(targetId);
  if (!open) throw new Problem('conflict', 'this server has no connector of the type of this target');
  return { book, open };
}

function refuseInVain(target: Target, book: TargetBook): void {
  if (!target.enabled || !target.idpEnabled) {
    const which = target.enabled ? `the identity provider ${target.idpName}` : target.name;
    throw new Problem('conflict', `nothing is sent to ${target.name} while ${which} is switched off: enable it first`);
  }
  if (!book.bindings.some((binding) => binding.targetId === target.id)) {
    const why = `no service provider is bound to ${target.name}, so nobody may be there: bind one first`;
    throw new Problem('conflict', why);
  }
}

async function show(parts: AdminParts, target: Target): Promise<SyncAnswer> {
  const { store } = parts;
  const { latest, pending, lanes } = await store.read(async (reading) => ({
    latest: await readLatestSync(reading, target.id),
    pending: await countPending(reading, target.id),
    lanes: await listHeldLanes(reading),
  }));
  const counts = latest?.state === 'running' ? undefined : await count(parts, target.id);
  return {
    targetId: target.id,
    target: target.name,
    sync: latest ? showWave(latest, target.name, store.now()) : null,
    pending,
    held: lanes.filter((lane) => lane.target_id === target.id).map(showLane),
    here: counts?.here ?? null,
    missing: counts?.missing ?? null,
  };
}

async function count(parts: AdminParts, targetId: number) {
  const { here, book, open } = await parts.store.read(async (reading) => ({
    here: await countSubjects(reading),
    ...(await openBook(parts, reading, targetId)),
  }));
  return { here, missing: await countNewcomers(parts.store, book, open) };
}
