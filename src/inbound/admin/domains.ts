import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { ensureDomain, listDomains } from '../../directory/domains.ts';
import { type AdminParts, bodyOf, mayTry, sayChange, writeOrTry } from './parts.ts';

export function addDomainRoutes(app: FastifyInstance, { store }: AdminParts): void {
  app.get('/user-store-domains', async () => ({ items: await store.read(listDomains) }));

  /** Making a domain that is there already changes nothing. */
  app.post('/user-store-domains', mayTry, async (request, reply) => {
    const { name, description, ...rest } = bodyOf(request);
    const [field] = Object.keys(rest);
    if (field !== undefined) {
      throw new Problem('invalidValue', `there is no ${field}; known are name, description`, { field });
    }
    if (typeof name !== 'string') throw new Problem('invalidValue', 'the name must be a text', { field: 'name' });
    if (description !== undefined && description !== null && typeof description !== 'string') {
      throw new Problem('invalidValue', 'the description must be a text', { field: 'description' });
    }
    const { change, domain } = await writeOrTry(store, request, async (tx) => {
      const made = await ensureDomain(tx, name, description ?? undefined);
      const found = (await listDomains(tx)).find((one) => one.name === name.toUpperCase());
      return { change: made, domain: found! };
    });
    sayChange(reply, change);
    return reply.code(change === 'created' ? 201 : 200).send(domain);
  });
}
