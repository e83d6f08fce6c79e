import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { Served } from '../../protocol/scim/discovery.ts';
import { idOf, type ScimLimits, type ScimParts, sendJson } from './parts.ts';

/** What this door serves. What is said here is tested against what it does. */
function describeServed(baseUrl: string, limits: ScimLimits): Served {
  return {
    baseUrl,
    patch: true,
    bulk: { maxOperations: limits.bulkOperations, maxPayloadSize: limits.bulkBytes },
    filter: { maxResults: limits.maxCount },
    pagination: { cursor: true, index: true, defaultPageSize: limits.defaultCount, maxPageSize: limits.maxCount },
    changePassword: true,
    sort: true,
    etag: true,
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'API token',
        description: 'A bearer token made by an administrator; changes are made for its service provider.',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
      {
        type: 'httpbasic',
        name: 'HTTP Basic',
        description:
          'Name and password of an operator, or of a directory user for /Me; changes are made for the resident service provider.',
        specUri: 'https://www.rfc-editor.org/info/rfc7617',
      },
    ],
  };
}

/** What the door says about itself (RFC 7644 section 4). */
export function addDiscoveryRoutes(app: FastifyInstance, { door, codec, limits, baseUrlOf }: ScimParts): void {
  const all = [door.types.user, door.types.group];
  app.get(codec.config.path, async (request, reply) => {
    refuseFilter(request);
    return sendJson(codec, reply, 200, codec.config.describe(describeServed(baseUrlOf(request), limits)));
  });
  for (const { path, what, list } of codec.collections) {
    app.get(path, async (request, reply) => {
      refuseFilter(request);
      const resources = list(all, baseUrlOf(request));
      const page = { totalResults: resources.length, startIndex: 1 };
      return sendJson(codec, reply, 200, codec.writeList(resources, page));
    });
    app.get(`${path}/:id`, async (request, reply) => {
      const id = idOf(request).toLowerCase();
      const found = list(all, baseUrlOf(request)).find((one) => String(one.id).toLowerCase() === id);
      if (!found) throw new Problem('notFound', `There is no ${what} "${id.slice(0, 200)}"; see ${path}.`);
      return sendJson(codec, reply, 200, found);
    });
  }
}

/** RFC 7644 section 4: other query parameters are ignored, a filter is refused with 403. */
function refuseFilter(request: FastifyRequest): void {
  if ((request.query as Record<string, unknown>).filter === undefined) return;
  throw new Problem('notAllowed', 'Discovery resources cannot be filtered; leave "filter" out.', { field: 'filter' });
}
