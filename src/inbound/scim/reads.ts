import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { countMatching, listSubjects, type Query, walkSubjects } from '../../directory/search.ts';
import { liveOrNotFound, readPresent, type Subject } from '../../directory/subjects.ts';
import type { Filter } from '../../protocol/scim/filter.ts';
import type { SearchRequest } from '../../protocol/scim/message.ts';
import type { Projection, Resource } from '../../protocol/scim/resource.ts';
import type { Reading } from '../../store/store.ts';
import { searchWithPatience } from '../patience.ts';
import type { ListPage } from './codec.ts';
import { readCursor, writeCursor } from './cursor.ts';
import {
  domainOf,
  hasVersion,
  idOf,
  makeTag,
  readProjection,
  type ScimParts,
  sendJson,
  sendResource,
} from './parts.ts';
import { endpoints, readDomain, type Showing, showAll, showSubjects } from './resources.ts';
import { refuseSensitive } from './sensitive.ts';

type Kind = Subject['kind'];

/** Reading one resource and searching (RFC 7644 sections 3.4.1 to 3.4.3), the same for users and groups. */
export function addReadRoutes(app: FastifyInstance, kind: Kind, parts: ScimParts): void {
  const endpoint = endpoints[kind];
  app.get(`${endpoint}/:id`, (request, reply) => answerOne(parts, request, reply, kind, idOf(request)));
  addSearchRoutes(app, endpoint, [kind], parts);
}

/** Searching at an address, by GET and by POST to `.search` below it; at the root users and groups together. */
export function addSearchRoutes(
  app: FastifyInstance,
  endpoint: string,
  kinds: readonly Kind[],
  parts: ScimParts,
): void {
  app.get(endpoint, (request, reply) => {
    const asked = parts.codec.readQuery(request.query as Record<string, unknown>);
    return answerSearch(parts, request, reply, kinds, asked);
  });
  if (parts.codec.searches === 'by GET') return;
  app.post(`${endpoint === '/' ? '' : endpoint}/.search`, (request, reply) => {
    const domain = domainOf(request);
    const asked = { ...(domain === undefined ? {} : { domain }), ...parts.codec.readSearch(request.body) };
    return answerSearch(parts, request, reply, kinds, asked);
  });
}

/** One resource, or that the client has it already. */
export async function answerOne(
  { door, codec, baseUrlOf }: ScimParts,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  id: string,
): Promise<FastifyReply> {
  const showing = { types: door.types, projection: readProjection(codec, request), baseUrl: baseUrlOf(request) };
  const { subject, resource } = await door.read(async (reading) => {
    const found = liveOrNotFound(await readPresent(reading, kind, id), kind, id);
    if (hasVersion(request, found.version)) return { subject: found, resource: undefined };
    return { subject: found, resource: (await showSubjects(reading, kind, [found], showing))[0] };
  });
  if (!resource) return reply.code(304).header('etag', makeTag(subject.version)).send();
  return sendResource(codec, reply, 200, { type: door.types[kind], resource, version: subject.version });
}

async function answerSearch(
  parts: ScimParts,
  request: FastifyRequest,
  reply: FastifyReply,
  kinds: readonly Kind[],
  asked: SearchRequest,
): Promise<FastifyReply> {
  const { door, codec, baseUrlOf } = parts;
  const { types } = door;
  const showing = { types, projection: projectionOf(asked), baseUrl: baseUrlOf(request) };
  const among = kinds.map((kind) => types[kind]);
  const filter = asked.filter === undefined ? undefined : codec.readFilter(among, asked.filter);
  if (filter && request.method !== 'POST') for (const kind of kinds) refuseSensitive(types[kind], filter);
  const { resources, page } = await searchWithPatience(reply, door, (signal) =>
    door.read(async (reading) => {
      const query = { ...(await readQuery(reading, asked, filter, showing)), signal };
      const found =
        asked.cursor === undefined
          ? await pageByIndex(reading, parts, kinds, asked, query)
          : await pageByCursor(reading, parts, kinds, asked, asked.cursor, query);
      const shown = await showAll(reading, found.subjects, showing);
      const write = (resource: Resource, n: number) => codec.writeResource(types[found.subjects[n]!.kind], resource);
      return { resources: shown.map(write), page: found.page };
    }),
  );
  return sendJson(codec, reply, 200, codec.writeList(resources, page));
}

type Found = { subjects: Subject[]; page: ListPage };

async function pageByIndex(
  reading: Reading,
  { limits }: ScimParts,
  kinds: readonly Kind[],
  asked: SearchRequest,
  query: Query,
): Promise<Found> {
  const startIndex = asked.startIndex ?? 1;
  const count = Math.min(asked.count ?? limits.defaultCount, limits.maxCount);
  const { total, subjects } = await listSubjects(reading, kinds, { ...query, startIndex, count });
  return { subjects, page: { totalResults: total, startIndex } };
}

/** RFC 9865. How many there are is counted on the first page and told on each. */
async function pageByCursor(
  reading: Reading,
  { limits, passwords: { key } }: ScimParts,
  kinds: readonly Kind[],
  asked: SearchRequest,
  cursor: string,
  query: Query,
): Promise<Found> {
  const { filter, sortBy, sortOrder } = asked;
  const about = [kinds, filter, sortBy, sortOrder, query.domain];
  const from = cursor === '' ? undefined : readCursor(key, cursor, about);
  const count = Math.min(asked.count ?? limits.defaultCount, limits.maxCount);
  const walk = from ? { ...query, count, after: from.place } : { ...query, count };
  const { subjects, next } = await walkSubjects(reading, kinds, walk);
  const isAll = !from && !next && count > 0;
  const total = from?.total ?? (isAll ? subjects.length : await countMatching(reading, kinds, query));
  const page: ListPage = { totalResults: total };
  if (next) page.nextCursor = writeCursor(key, { place: next, total }, about);
  return { subjects, page };
}

async function readQuery(
  reading: Reading,
  asked: SearchRequest,
  filter: Filter | undefined,
  { types, baseUrl }: Pick<Showing, 'types' | 'baseUrl'>,
): Promise<Query> {
  const { sortBy, sortOrder } = asked;
  return {
    baseUrl,
    types,
    ...(filter === undefined ? {} : { filter }),
    ...(sortBy === undefined ? {} : { sortBy }),
    ...(sortOrder === undefined ? {} : { sortOrder }),
    ...(asked.domain === undefined ? {} : { domain: await readDomain(reading, asked.domain) }),
  };
}

function projectionOf({ attributes, excludedAttributes }: SearchRequest): Projection {
  return { ...(attributes ? { attributes } : {}), ...(excludedAttributes ? { excludedAttributes } : {}) };
}
