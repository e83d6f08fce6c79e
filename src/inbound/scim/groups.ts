import type { FastifyInstance } from 'fastify';
import { createGroup, deleteGroup, patchGroup, replaceGroup } from '../../directory/groups.ts';
import { readPatch } from '../../protocol/scim/patch.ts';
import { readResource } from '../../protocol/scim/resource.ts';
import { groupType } from '../../protocol/scim/schema.ts';
import { originOf } from '../door.ts';
import { idOf, makeTag, readIfMatch, readProjection, type ScimParts, sendResource } from './parts.ts';
import { addReadRoutes } from './reads.ts';
import { locationOf, showSubjects } from './resources.ts';
import { answerSettled } from './settled.ts';

/** `/Groups` (RFC 7644 section 3). */
export function addGroupRoutes(app: FastifyInstance, parts: ScimParts): void {
  const { door, callerOf, baseUrlOf } = parts;
  addReadRoutes(app, 'group', parts);

  app.post('/Groups', async (request, reply) => {
    const showing = { projection: readProjection(request), baseUrl: baseUrlOf(request) };
    const body = readResource(groupType, request.body);
    const origin = originOf(callerOf(request), 'scim');
    const group = await door.write((tx) => createGroup(tx, body, { origin }));
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    reply.header('location', locationOf(group, showing.baseUrl));
    return answerSettled(parts, request, reply, group, () => sendResource(reply, 201, resource!, group.version));
  });

  app.put('/Groups/:id', async (request, reply) => {
    const showing = { projection: readProjection(request), baseUrl: baseUrlOf(request) };
    const body = readResource(groupType, request.body);
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request) };
    const group = await door.write((tx) => replaceGroup(tx, idOf(request), body, options));
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    return answerSettled(parts, request, reply, group, () => sendResource(reply, 200, resource!, group.version));
  });

  app.patch('/Groups/:id', async (request, reply) => {
    const showing = { projection: readProjection(request), baseUrl: baseUrlOf(request) };
    const operations = readPatch(groupType, request.body);
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request) };
    const group = await door.write((tx) => patchGroup(tx, idOf(request), operations, options));
    const { attributes, excludedAttributes } = showing.projection;
    if (!attributes && !excludedAttributes) {
      // The whole resource may have 100,000 members and the request named one of them (RFC 7644 section 3.5.2).
      return answerSettled(parts, request, reply, group, () =>
        reply.code(204).header('etag', makeTag(group.version)).send(),
      );
    }
    const [resource] = await door.read((reading) => showSubjects(reading, 'group', [group], showing));
    return answerSettled(parts, request, reply, group, () => sendResource(reply, 200, resource!, group.version));
  });

  app.delete('/Groups/:id', async (request, reply) => {
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request) };
    const group = await door.write((tx) => deleteGroup(tx, idOf(request), options));
    return answerSettled(parts, request, reply, group, () => reply.code(204).send());
  });
}
