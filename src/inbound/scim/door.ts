import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { Forwarding } from '../../directory/changes.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import type { Caller, ScimNeed } from '../credentials.ts';
import type { Door } from '../door.ts';
import { addBulkRoute } from './bulk.ts';
import { type Codec, scim2Codec } from './codec.ts';
import { addDiscoveryRoutes } from './discovery.ts';
import { addGroupRoutes } from './groups.ts';
import { addMeRoutes } from './me.ts';
import { watchMethods } from './override.ts';
import { defaultScimLimits, describeFault, type ScimLimits, type ScimParts, sendJson } from './parts.ts';
import { addSearchRoutes } from './reads.ts';
import { addUserRoutes } from './users.ts';

/** The methods each path serves; any other is answered 405 with `Allow`. */
function listServed({
  searches,
  overridesMethods,
  mePath,
  config,
  collections,
}: Codec): Record<string, readonly string[]> {
  const read = ['GET', 'HEAD'];
  const list = [...read, 'POST'];
  const one = [...read, 'PUT', 'PATCH', 'DELETE', ...(overridesMethods ? ['POST'] : [])];
  return {
    '/Users': list,
    '/Users/:id': one,
    '/Groups': list,
    '/Groups/:id': one,
    '/Bulk': ['POST'],
    [mePath]: [...read, 'POST', 'PUT', 'PATCH', 'DELETE'],
    ...(searches === 'by GET'
      ? {}
      : { '/': read, '/.search': ['POST'], '/Users/.search': ['POST'], '/Groups/.search': ['POST'] }),
    [config.path]: read,
    ...Object.fromEntries(collections.flatMap(({ path }) => [path, `${path}/:id`]).map((path) => [path, read])),
  };
}

/** Where a directory user may go who signs in by userName and password. */
function listOpenToUsers({ mePath, config, collections }: Codec): readonly string[] {
  return [mePath, config.path, ...collections.flatMap(({ path }) => [path, `${path}/:id`])];
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * The SCIM door in the version of its codec: a Fastify plugin, to be registered with a prefix such as `/scim2`. Every
 * request needs credentials: Basic (an operator, for the resident service provider) or a bearer token (for its own):
 * an API token with the scope `scim`, or an access token with `scim.read` or `scim.write`. A directory user may sign in by Basic for what is theirs: `/Me`. `baseUrl`: what locations begin
 * with, where a proxy changes what clients see; default: as the client called. `forwarding`: how that is kept which a
 * service provider only forwards.
 */
export function scimDoor(options: {
  door: Door;
  /** Default: SCIM 2.0. */
  codec?: Codec;
  passwords: PasswordKeeping;
  forwarding: Forwarding;
  limits?: Partial<ScimLimits>;
  baseUrl?: string;
}) {
  const { door, passwords, forwarding, codec = scim2Codec } = options;
  const callers = new WeakMap<FastifyRequest, Caller>();
  const openToUsers = listOpenToUsers(codec);

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
      return sendProblem(
        codec,
        reply,
        new Problem('notFound', `There is no "${path}" here; see ${codec.collections[0]!.path}.`),
      );
    });
    // Before the body is read: who may not come in costs nothing more.
    app.addHook('onRequest', async (request) => {
      if (isForAnyone(request, `${app.prefix}${codec.config.path}`)) return;
      const caller = await door.credentials.authenticateScimOrUser(request.headers.authorization, needOf(request));
      const place = request.routeOptions.url?.slice(app.prefix.length) ?? '';
      if (caller.userId !== undefined && !openToUsers.includes(place)) {
        const where = `A directory user may use ${codec.mePath} here and read what the server offers, no more.`;
        throw new Problem('notAllowed', where);
      }
      callers.set(request, { ...caller, forwarding });
    });
    const addOverrides = codec.overridesMethods ? watchMethods(app, codec.mePath) : () => {};
    addUserRoutes(app, parts);
    addGroupRoutes(app, parts);
    if (codec.searches === 'by GET and POST') addSearchRoutes(app, '/', ['user', 'group'], parts);
    addBulkRoute(app, parts);
    addMeRoutes(app, parts);
    addDiscoveryRoutes(app, parts);
    addOverrides();
    refuseOtherMethods(app, listServed(codec));
  };
}

/** How to authenticate may be read by whoever has not done so yet (RFC 7643 section 5); wrong credentials stay wrong. */
function isForAnyone({ headers, method, routeOptions }: FastifyRequest, configUrl: string): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return headers.authorization === undefined && isRead && routeOptions.url === configUrl;
}

function needOf({ method, routeOptions }: FastifyRequest): ScimNeed {
  const isRead = method === 'GET' || method === 'HEAD' || routeOptions.url?.endsWith('/.search');
  return isRead ? 'read' : 'write';
}

function refuseOtherMethods(app: FastifyInstance, served: Record<string, readonly string[]>): void {
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
    const isToken = /^bearer /i.test(reply.request.headers.authorization ?? '');
    const bearer = `Bearer realm="Purvey"${isToken ? ', error="invalid_token"' : ''}`;
    reply.header('www-authenticate', `${bearer}, Basic realm="Purvey", charset="UTF-8"`);
  }
  if (problem.code === 'tooManyRequests' || problem.code === 'overloaded') reply.header('retry-after', '5');
  return sendJson(codec, reply, status, codec.writeError(status, message, scimType));
}
