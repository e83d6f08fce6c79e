import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { listSubjects, type Search } from '../../directory/search.ts';
import { liveOrNotFound, readSubject, type Subject } from '../../directory/subjects.ts';
import { parseFilter } from '../../protocol/scim/filter.ts';
import {
  makeListResponse,
  readSearchParameters,
  readSearchRequest,
  type SearchRequest,
} from '../../protocol/scim/message.ts';
import type { Projection } from '../../protocol/scim/resource.ts';
import { hasVersion, idOf, makeTag, readProjection, type ScimParts, sendList, sendResource } from './parts.ts';
import { showSubjects, types } from './resources.ts';

/** Reading one resource and searching (RFC 7644 sections 3.4.1 to 3.4.3), the same for users and groups. */
export function addReadRoutes(app: FastifyInstance, kind: Subject['kind'], parts: ScimParts): void {
  const { door, limits, baseUrlOf } = parts;
  const { endpoint } = types[kind];

  app.get(`${endpoint}/:id`, async (request, reply) => {
    const id = idOf(request);
    const showing = { projection: readProjection(request), baseUrl: baseUrlOf(request) };
    const { subject, resource } = await door.read(async (reading) => {
      const found = liveOrNotFound(await readSubject(reading, kind, id), kind, id);
      if (hasVersion(request, found.version)) return { subject: found, resource: undefined };
      return { subject: found, resource: (await showSubjects(reading, kind, [found], showing))[0] };
    });
    if (!resource) return reply.code(304).header('etag', makeTag(subject.version)).send();
    return sendResource(reply, 200, resource, subject.version);
  });

  app.get(endpoint, (request, reply) =>
    answerSearch(request, reply, readSearchParameters(request.query as Record<string, unknown>)),
  );

  app.post(`${endpoint}/.search`, (request, reply) => answerSearch(request, reply, readSearchRequest(request.body)));

  async function answerSearch(request: FastifyRequest, reply: FastifyReply, asked: SearchRequest) {
    const showing = { projection: projectionOf(asked), baseUrl: baseUrlOf(request) };
    const search = searchOf(asked, showing.baseUrl);
    const { total, resources } = await door.read(async (reading) => {
      const found = await listSubjects(reading, kind, search);
      return { total: found.total, resources: await showSubjects(reading, kind, found.subjects, showing) };
    });
    return sendList(reply, makeListResponse(resources, { totalResults: total, startIndex: search.startIndex }));
  }

  function searchOf(asked: SearchRequest, baseUrl: string): Search {
    const { filter, sortBy, sortOrder } = asked;
    return {
      startIndex: asked.startIndex ?? 1,
      count: Math.min(asked.count ?? limits.defaultCount, limits.maxCount),
      baseUrl,
      ...(filter === undefined ? {} : { filter: parseFilter(filter) }),
      ...(sortBy === undefined ? {} : { sortBy }),
      ...(sortOrder === undefined ? {} : { sortOrder }),
    };
  }
}

function projectionOf({ attributes, excludedAttributes }: SearchRequest): Projection {
  return { ...(attributes ? { attributes } : {}), ...(excludedAttributes ? { excludedAttributes } : {}) };
}
