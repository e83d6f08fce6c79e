import type { FastifyInstance } from 'fastify';
import { lacksBody } from '../../directory/subjects.ts';
import { originOf } from '../door.ts';
import { domainOf, idOf, makeTag, readIfMatch, readProjection, type ScimParts, sendResource } from './parts.ts';
import { addReadRoutes } from './reads.ts';
import { locationOf, showSubjects } from './resources.ts';
import { answerSettled } from './settled.ts';
import { writeNow } from './writes.ts';

/** `/Groups` (RFC 7644 section 3). */
export function addGroupRoutes(app: FastifyInstance, parts: ScimParts): void {
  const { door, codec, callerOf, baseUrlOf } = parts;
  const { types } = door;
  addReadRoutes(app, 'group', parts);

  app.post('/Groups', async (request, reply) => {
    const named = readProjection(codec, request);
    const origin = originOf(callerOf(request), 'scim');
    const asked = { kind: 'group', method: 'POST', origin, body: request.body, domain: domainOf(request) } as const;
    const { subject: group, written } = await writeNow(parts, asked);
    const showing = { types, projection: { ...named, written }, baseUrl: baseUrlOf(request) };
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    reply.header('location', locationOf(group, showing.baseUrl));
    return answerSettled(parts, request, reply, group, () =>
      sendResource(codec, reply, 201, { type: types.group, resource: resource!, version: group.version }),
    );
  });

  app.put('/Groups/:id', async (request, reply) => {
    const named = readProjection(codec, request);
    const origin = originOf(callerOf(request), 'scim');
    const version = readIfMatch(request.headers['if-match']);
    const asked = { kind: 'group', method: 'PUT', origin, id: idOf(request), body: request.body, ...version } as const;
    const { subject: group, written } = await writeNow(parts, asked);
    const showing = { types, projection: { ...named, written }, baseUrl: baseUrlOf(request) };
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    return answerSettled(parts, request, reply, group, () =>
      sendResource(codec, reply, 200, { type: types.group, resource: resource!, version: group.version }),
    );
  });

  app.patch('/Groups/:id', async (request, reply) => {
    const named = readProjection(codec, request);
    const origin = originOf(callerOf(request), 'scim');
    const version = readIfMatch(request.headers['if-match']);
    const asked = {
      kind: 'group',
      method: 'PATCH',
      origin,
      id: idOf(request),
      body: request.body,
      ...version,
    } as const;
    const { subject: group, written } = await writeNow(parts, asked);
    const showing = { types, projection: { ...named, written }, baseUrl: baseUrlOf(request) };
    const { attributes, excludedAttributes } = named;
    // Of one that was only forwarded there may be no whole to show.
    if (lacksBody(group) || (!attributes && !excludedAttributes)) {
      // The whole resource may have 100,000 members and the request named one of them (RFC 7644 section 3.5.2).
      return answerSettled(parts, request, reply, group, () =>
        reply.code(204).header('etag', makeTag(group.version)).send(),
      );
    }
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    return answerSettled(parts, request, reply, group, () =>
      sendResource(codec, reply, 200, { type: types.group, resource: resource!, version: group.version }),
    );
  });

  app.delete('/Groups/:id', async (request, reply) => {
    const origin = originOf(callerOf(request), 'scim');
    const version = readIfMatch(request.headers['if-match']);
    const asked = { kind: 'group', method: 'DELETE', origin, id: idOf(request), ...version } as const;
    const { subject: group } = await writeNow(parts, asked);
    return answerSettled(parts, request, reply, group, () => reply.code(204).send());
  });
}
