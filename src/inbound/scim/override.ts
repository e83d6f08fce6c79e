import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { Problem } from '../../base/problem.ts';

const overridden = ['PUT', 'PATCH', 'DELETE'];

/**
 * For clients behind something that lets only GET and POST through (draft-scim-api-01 section 3.1): a POST to one
 * resource is what its X-HTTP-Method-Override names. Call it before the routes are added, and what it answers after.
 */
export function watchMethods(app: FastifyInstance, mePath: string): () => void {
  const handlers = new Map<string, Map<string, RouteHandlerMethod>>();
  app.addHook('onRoute', ({ method, path, prefix, handler }) => {
    const url = path.slice(prefix.length);
    for (const one of [method].flat()) {
      if (!overridden.includes(one) || (!url.endsWith('/:id') && url !== mePath)) continue;
      handlers.set(url, (handlers.get(url) ?? new Map()).set(one, handler));
    }
  });
  return () => {
    for (const [url, byMethod] of [...handlers]) {
      app.post(url, function (request, reply) {
        return findHandler(byMethod, request, reply).call(this, request, reply);
      });
    }
  };
}

function findHandler(
  byMethod: ReadonlyMap<string, RouteHandlerMethod>,
  request: FastifyRequest,
  reply: FastifyReply,
): RouteHandlerMethod {
  const named = request.headers['x-http-method-override'];
  const found = typeof named === 'string' ? byMethod.get(named.trim().toUpperCase()) : undefined;
  if (found) return found;
  reply.header('allow', ['GET', 'HEAD', ...byMethod.keys()].join(', '));
  const detail = `A POST here needs the header X-HTTP-Method-Override with one of ${[...byMethod.keys()].join(', ')}.`;
  throw new Problem('methodNotAllowed', detail);
}
