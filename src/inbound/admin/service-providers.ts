import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type {
  BindingsChanged,
  ServiceProviderAnswer,
  ServiceProviderChanged,
} from '../../contract/service-provider.ts';
import {
  createServiceProvider,
  listServiceProviders,
  readServiceProvider,
  removeServiceProvider,
  replaceBindings,
  replaceServiceProvider,
  type ServiceProvider,
} from '../../provisioning/service-providers.ts';
import { openTargetBook } from '../../provisioning/target-book.ts';
import { listTargets } from '../../provisioning/targets.ts';
import type { Tx } from '../../store/store.ts';
import { showEffect } from './effects.ts';
import { type AdminParts, bodyOf, isTried, mayTry, mergeFields, param, sayChange, writeOrTry } from './parts.ts';
import { showTime } from './query.ts';
import { makeOffers } from './sync.ts';

export function addServiceProviderRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { store, actorOf } = parts;
  app.get('/service-providers', async () => {
    const providers = await store.read(listServiceProviders);
    return { items: providers.map(show) };
  });

  app.post('/service-providers', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const provider = await writeOrTry(store, request, (tx) => createServiceProvider(tx, body));
    store.signal('targets');
    sayChange(reply, 'created');
    return reply.code(201).header('location', `/api/service-providers/${provider.id}`).send(show(provider));
  });

  app.get('/service-providers/:id', async (request) => {
    return show(await store.read((reading) => readServiceProvider(reading, param(request, 'id'))));
  });

  const change = async (
    request: FastifyRequest,
    reply: FastifyReply,
    replace: (tx: Tx, found: ServiceProvider) => ReturnType<typeof replaceServiceProvider>,
  ): Promise<ServiceProviderChanged> => {
    const { serviceProvider, changed, letsIn } = await writeOrTry(store, request, async (tx) => {
      const found = await readServiceProvider(tx, param(request, 'id'));
      const done = await replace(tx, found);
      const letsIn = fallsBack(done.serviceProvider) && !fallsBack(found) ? await targetsOfResident(tx) : [];
      return { ...done, letsIn };
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return { ...show(serviceProvider), offers: await makeOffers(parts, letsIn, serviceProvider) };
  };

  app.put('/service-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    return change(request, reply, (tx, found) => replaceServiceProvider(tx, found.id, body, actorOf(request)));
  });

  app.patch('/service-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    return change(request, reply, (tx, found) => {
      const { id, name, description, forwardOnly, fallback, userStoreDomain, requestedClaims } = found;
      const settings = { name, description, forwardOnly, fallback, userStoreDomain, requestedClaims };
      return replaceServiceProvider(tx, id, mergeFields(settings, body), actorOf(request));
    });
  });

  app.delete('/service-providers/:id', async (request, reply) => {
    await store.write(async (tx) => {
      const found = await readServiceProvider(tx, param(request, 'id'));
      await removeServiceProvider(tx, found.id, actorOf(request));
    });
    store.signal('targets');
    return reply.code(204).send();
  });

  app.get('/service-providers/:id/bindings', async (request) => {
    const provider = await store.read((reading) => readServiceProvider(reading, param(request, 'id')));
    return { bindings: provider.bindings };
  });

  app.put('/service-providers/:id/bindings', mayTry, async (request, reply): Promise<BindingsChanged> => {
    const { bindings, ...rest } = bodyOf(request);
    const [field] = Object.keys(rest);
    if (field !== undefined) throw new Problem('invalidValue', `there is no ${field}; known is bindings`, { field });
    const { serviceProvider, changed, letsIn, tried } = await writeOrTry(store, request, async (tx) => {
      const found = await readServiceProvider(tx, param(request, 'id'));
      const done = await replaceBindings(tx, found.id, bindings, actorOf(request));
      const book = isTried(request) ? await openTargetBook(tx, parts) : undefined;
      const concerned = (await listTargets(tx)).filter((target) => done.concerned.includes(target.id));
      return { ...done, tried: book && { book, concerned } };
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    const answer = { ...show(serviceProvider), offers: await makeOffers(parts, letsIn, serviceProvider) };
    if (!tried) return answer;
    const effects: NonNullable<BindingsChanged['effects']> = [];
    for (const target of tried.concerned) {
      effects.push({ targetId: target.id, target: target.name, ...(await showEffect(parts, target, tried.book)) });
    }
    return { ...answer, effects };
  });
}

/** Whether its calls go by the bindings of the resident service provider. */
const fallsBack = ({ resident, fallback, bindings }: ServiceProvider) =>
  !resident && fallback === 'resident' && bindings.length === 0;

async function targetsOfResident(tx: Tx): Promise<number[]> {
  const { bindings } = await readServiceProvider(tx, 'resident');
  return bindings.filter((binding) => binding.enabled).map((binding) => binding.targetId);
}

function show(provider: ServiceProvider): ServiceProviderAnswer {
  return { ...provider, createdAt: showTime(provider.createdAt), modifiedAt: showTime(provider.modifiedAt) };
}
