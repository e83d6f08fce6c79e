import type { FastifyInstance } from 'fastify';
import {
  createPolicy,
  listPolicies,
  listPolicyVersions,
  type Policy,
  type PolicyVersion,
  readPolicy,
  removePolicy,
  replacePolicy,
} from '../../provisioning/policies.ts';
import { sayRows } from '../../rules/rows/say.ts';
import { type AdminParts, bodyOf, mayTry, mergeFields, param, sayChange, writeOrTry } from './parts.ts';
import { showTime } from './query.ts';

/** The policies that bindings with *Enable rules* ask. */
export function addPolicyRoutes(app: FastifyInstance, { store, actorOf }: AdminParts): void {
  app.get('/policies', async () => ({ items: (await store.read(listPolicies)).map(show) }));

  app.post('/policies', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const policy = await writeOrTry(store, request, (tx) => createPolicy(tx, body, actorOf(request)));
    store.signal('targets');
    sayChange(reply, 'created');
    return reply.code(201).header('location', `/api/policies/${policy.id}`).send(show(policy));
  });

  app.get('/policies/:id', async (request) => {
    return show(await store.read((reading) => readPolicy(reading, param(request, 'id'))));
  });

  app.put('/policies/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { policy, changed } = await writeOrTry(store, request, async (tx) => {
      const found = await readPolicy(tx, param(request, 'id'));
      return replacePolicy(tx, found.id, body, actorOf(request));
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(policy);
  });

  app.patch('/policies/:id', mayTry, async (request, reply) => {
    const body = bodyOf(request);
    const { policy, changed } = await writeOrTry(store, request, async (tx) => {
      const { id, name, position, enabled, use, document, rows } = await readPolicy(tx, param(request, 'id'));
      // What is given of the two replaces the other; rows that are given away leave the document that they made.
      const isText = body.document !== undefined || body.rows === null || (body.rows === undefined && rows === null);
      const content = isText ? { document } : { rows };
      const merged = mergeFields({ name, position, enabled, use, ...content }, body);
      return replacePolicy(tx, id, merged, actorOf(request));
    });
    store.signal('targets');
    sayChange(reply, changed ? 'updated' : 'unchanged');
    return show(policy);
  });

  app.delete('/policies/:id', async (request, reply) => {
    await store.write(async (tx) => {
      const found = await readPolicy(tx, param(request, 'id'));
      await removePolicy(tx, found.id, actorOf(request));
    });
    store.signal('targets');
    return reply.code(204).send();
  });

  app.get('/policies/:id/versions', async (request) => {
    const versions = await store.read(async (reading) => {
      const found = await readPolicy(reading, param(request, 'id'));
      return listPolicyVersions(reading, found.id);
    });
    return { items: versions.map(showVersion) };
  });
}

function show(policy: Policy) {
  return {
    ...policy,
    says: policy.rows && sayRows(policy.rows),
    createdAt: showTime(policy.createdAt),
    modifiedAt: showTime(policy.modifiedAt),
  };
}

function showVersion(version: PolicyVersion) {
  return { ...version, says: version.rows && sayRows(version.rows), at: showTime(version.at) };
}
