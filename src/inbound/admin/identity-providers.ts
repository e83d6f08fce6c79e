import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { IdentityProviderAnswer, IdentityProviderList } from '../../contract/identity-provider.ts';
import {
  createIdentityProvider,
  type IdentityProvider,
  listIdentityProviders,
  readIdentityProvider,
  removeIdentityProvider,
  replaceIdentityProvider,
  settableOf,
} from '../../provisioning/identity-providers.ts';
import { type AdminParts, bodyOf, mayTry, mergeFields, param, sayChange, writeOrTry } from './parts.ts';
import { showTime } from './query.ts';

export function addIdentityProviderRoutes(app: FastifyInstance, { store }: AdminParts): void {
  app.get('/identity-providers', async (): Promise<Static<typeof IdentityProviderList>> => {
    const providers = await store.read(listIdentityProviders);
    return { items: providers.map(show) };
  });

  app.post('/identity-providers', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const provider = await writeOrTry(store, request, (tx) => createIdentityProvider(tx, body));
    store.signal('targets');
    sayChange(reply, 'created');
    return reply.code(201).header('location', `/api/identity-providers/${provider.id}`).send(show(provider));
  });

  app.get('/identity-providers/:id', async (request) => {
    return show(await store.read((reading) => readIdentityProvider(reading, param(request, 'id'))));
  });

  app.put('/identity-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { identityProvider, changed } = await writeOrTry(store, request, async (tx) => {
      const found = await readIdentityProvider(tx, param(request, 'id'));
      return replaceIdentityProvider(tx, found.id, body);
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(identityProvider);
  });

  app.patch('/identity-providers/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { identityProvider, changed } = await writeOrTry(store, request, async (tx) => {
      const found = await readIdentityProvider(tx, param(request, 'id'));
      return replaceIdentityProvider(tx, found.id, mergeFields(settableOf(found), body));
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(identityProvider);
  });

  app.delete('/identity-providers/:id', async (request, reply) => {
    await store.write(async (tx) => {
      const found = await readIdentityProvider(tx, param(request, 'id'));
      await removeIdentityProvider(tx, found.id);
    });
    store.signal('targets');
    return reply.code(204).send();
  });
}

function show(provider: IdentityProvider): IdentityProviderAnswer {
  return { ...provider, createdAt: showTime(provider.createdAt), modifiedAt: showTime(provider.modifiedAt) };
}
