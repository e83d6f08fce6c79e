import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import type { Caller } from '../credentials.ts';
import type { Door } from '../door.ts';
import { addBulkRoute } from './bulk.ts';
import { type Codec, scim2Codec } from './codec.ts';
import { addDiscoveryRoutes } from './discovery.ts';
import { addGroupRoutes } from './groups.ts';
import { addMeRoutes } from './me.ts';
import { defaultScimLimits, describeFault, type ScimLimits, type ScimParts, sendJson } from './parts.ts';
import { addSearchRoutes } from './reads.ts';
import { addUserRoutes } from './users.ts';

/** The methods each path serves; any other is answered 405 with `Allow`. */
const served: Readonly<Record<string, readonly string[]>> = {
  '/': ['GET', 'HEAD'],
  '/.search': ['POST'],
  '/Users': ['GET', 'HEAD', 'POST'],
  '/Users/:id': ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
  '/Users/.search': ['POST'],
  '/Groups': ['GET', 'HEAD', 'POST'],
  '/Groups/:id': ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
  '/Groups/.search': ['POST'],
  '/Bulk': ['POST'],
  '/Me': ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  '/ServiceProviderConfig': ['GET', 'HEAD'],
  '/ResourceTypes': ['GET', 'HEAD'],
  '/ResourceTypes/:id': ['GET', 'HEAD'],
  '/Schemas': ['GET', 'HEAD'],
  '/Schemas/:id': ['GET', 'HEAD'],
};

/** Where a directory user may go who signs in by userName and password. */
const openToUsers: readonly string[] = [
  '/Me',
  '/ServiceProviderConfig',
  '/ResourceTypes',
  '/ResourceTypes/:id',
  '/Schemas',
  '/Schemas/:id',
];

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * The SCIM 2.0 door (RFC 7644): a Fastify plugin, to be registered with the prefix `/scim2`. Every request needs
 * credentials: Basic (an operator, for the resident service provider) or a bearer token with the scope `scim` (for its
 * own). A directory user may sign in by Basic for what is theirs: `/Me`. `baseUrl`: what locations begin with, where a proxy changes what clients see; default: as the client called.
 */
export function scimDoor(options: {
  door: Door;
  passwords: PasswordKeeping;
  limits?: Partial<ScimLimits>;
  baseUrl?: string;
}) {
  const { door, passwords } = options;
  const codec = scim2Codec;
  const callers = new WeakMap<FastifyRequest, Caller>();

  return async (app: FastifyInstance): Promise<void> => {
    const parts: ScimParts = {
      door,
      codec,
      passwords,
      limits: { ...defaultScimLimits, ...options.limits },
      baseUrlOf: (request) => options.baseUrl ?? `${request.protocol}://${request.host}${app.prefix}`,
      callerOf: (request) => callers.get(request)!,
    };
    door.acceptJson(app, codec.mediaTypes);
    app.setErrorHandler((error, request, reply) => answerError(parts, error, request, reply));
    app.setNotFoundHandler((request, reply) => {
      if (!methods.some((method) => method === request.method)) {
        reply.header('allow', methods.join(', '));
        return sendProblem(codec, reply, new Problem('methodNotAllowed', `${request.method} has no meaning in SCIM.`));
      }
      const path = request.url.split('?')[0]!.slice(0, 200);
      return sendProblem(codec, reply, new Problem('notFound', `There is no "${path}" here; see /ResourceTypes.`));
    });
    // Before the body is read: who may not come in costs nothing more.
    app.addHook('onRequest', async (request) => {
      if (isForAnyone(request, app.prefix)) return;
      const caller = await door.credentials.authenticateScimOrUser(request.headers.authorization);
      const place = request.routeOptions.url?.slice(app.prefix.length) ?? '';
      if (caller.userId !== undefined && !openToUsers.includes(place)) {
        throw new Problem('notAllowed', 'A directory user may use /Me here and read what the server offers, no more.');
      }
      callers.set(request, caller);
    });
    addUserRoutes(app, parts);
    addGroupRoutes(app, parts);
    addSearchRoutes(app, '/', ['user', 'group'], parts);
    addBulkRoute(app, parts);
    addMeRoutes(app, parts);
    addDiscoveryRoutes(app, parts);
    refuseOtherMethods(app);
  };
}

/** How to authenticate may be read by whoever has not done so yet (RFC 7643 section 5); wrong credentials stay wrong. */
function isForAnyone({ headers, method, routeOptions }: FastifyRequest, prefix: string): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return headers.authorization === undefined && isRead && routeOptions.url === `${prefix}/ServiceProviderConfig`;
}

function refuseOtherMethods(app: FastifyInstance): void {
  for (const [url, allowed] of Object.entries(served)) {
    const method = methods.filter((one) => !allowed.includes(one));
    const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allowed.join(', '));
      const detail = `${request.method} has no meaning here; ${allowed.join(', ')} have.`;
      throw new Problem('methodNotAllowed', detail);
    };
    app.route({ method, url, onRequest, handler: async () => {} });
  }
}

function answerError(
  { door, codec }: ScimParts,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = door.judge(error, { method: request.method, route: request.routeOptions.url });
  if ('problem' in refusal) return sendProblem(codec, reply, refusal.problem);
  return sendJson(codec, reply, 500, codec.writeError(500, describeFault(refusal.faultId)));
}

function sendProblem(codec: Codec, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, message, scimType } = problem;
  if (status === 401) {
    reply.header('www-authenticate', 'Bearer realm="Purvey", Basic realm="Purvey", charset="UTF-8"');
  }
  if (problem.code === 'tooManyRequests' || problem.code === 'overloaded') reply.header('retry-after', '5');
  return sendJson(codec, reply, status, codec.writeError(status, message, scimType));
}
