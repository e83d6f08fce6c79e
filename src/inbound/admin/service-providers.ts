import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { BindingsChanged, ServiceProviderAnswer } from '../../contract/service-provider.ts';
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

  app.put('/service-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { serviceProvider, changed } = await writeOrTry(store, request, async (tx) => {
      const found = await readServiceProvider(tx, param(request, 'id'));
      return replaceServiceProvider(tx, found.id, body, actorOf(request));
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(serviceProvider);
  });

  app.patch('/service-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { serviceProvider, changed } = await writeOrTry(store, request, async (tx) => {
      const found = await readServiceProvider(tx, param(request, 'id'));
      const { id, name, description, forwardOnly, fallback, userStoreDomain, requestedClaims } = found;
      const settings = { name, description, forwardOnly, fallback, userStoreDomain, requestedClaims };
      return replaceServiceProvider(tx, id, mergeFields(settings, body), actorOf(request));
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(serviceProvider);
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

function show(provider: ServiceProvider): ServiceProviderAnswer {
  return { ...provider, createdAt: showTime(provider.createdAt), modifiedAt: showTime(provider.modifiedAt) };
}
