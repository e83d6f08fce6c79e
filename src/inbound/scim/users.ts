import type { FastifyInstance, FastifyReply } from 'fastify';
import { lacksBody, type Subject } from '../../directory/subjects.ts';
import { originOf } from '../door.ts';
import { domainOf, idOf, makeTag, readIfMatch, readProjection, type ScimParts, sendResource } from './parts.ts';
import { addReadRoutes } from './reads.ts';
import { locationOf, type Showing, showNew, showSubjects } from './resources.ts';
import { answerSettled } from './settled.ts';
import { writeNow } from './writes.ts';

/**
 * `/Users` (RFC 7644 section 3). Read and check the body (`writes.ts`), write subject and change in one transaction,
 * answer.
 */
export function addUserRoutes(app: FastifyInstance, parts: ScimParts): void {
  const { door, codec, callerOf, baseUrlOf } = parts;
  const { types } = door;
  addReadRoutes(app, 'user', parts);

  app.post('/Users', async (request, reply) => {
    const named = readProjection(codec, request);
    const origin = originOf(callerOf(request), 'scim');
    const asked = { kind: 'user', method: 'POST', origin, body: request.body, domain: domainOf(request) } as const;
    const { subject: user, written } = await writeNow(parts, asked);
    const baseUrl = baseUrlOf(request);
    const showing = { types, baseUrl, projection: { ...named, written } };
    reply.header('location', locationOf(user, baseUrl));
    return answerSettled(parts, request, reply, user, () =>
      sendResource(codec, reply, 201, {
        type: types.user,
        resource: showNew(user, showing),
        version: user.version,
      }),
    );
  });

  for (const method of ['PUT', 'PATCH'] as const) {
    app.route({
      method,
      url: '/Users/:id',
      async handler(request, reply) {
        const named = readProjection(codec, request);
        const origin = originOf(callerOf(request), 'scim');
        const version = readIfMatch(request.headers['if-match']);
        const asked = { kind: 'user', method, origin, id: idOf(request), body: request.body, ...version } as const;
        const { subject: user, written } = await writeNow(parts, asked);
        const showing = { types, baseUrl: baseUrlOf(request), projection: { ...named, written } };
        return answerSettled(parts, request, reply, user, () => sendUser(parts, reply, user, showing));
      },
    });
  }

  app.delete('/Users/:id', async (request, reply) => {
    const origin = originOf(callerOf(request), 'scim');
    const version = readIfMatch(request.headers['if-match']);
    const asked = { kind: 'user', method: 'DELETE', origin, id: idOf(request), ...version } as const;
    const { subject: user } = await writeNow(parts, asked);
    return answerSettled(parts, request, reply, user, () => reply.code(204).send());
  });
}

/** A user as they are after a write, with the groups they are in; nothing of one who was only forwarded and is not known as a whole. */
export async function sendUser(
  { door, codec }: ScimParts,
  reply: FastifyReply,
  user: Subject,
  showing: Showing,
): Promise<FastifyReply> {
  if (lacksBody(user)) return reply.code(204).header('etag', makeTag(user.version)).send();
  const [resource] = await door.read((reading) => showSubjects(reading, 'user', [user], showing));
  return sendResource(codec, reply, 200, { type: door.types.user, resource: resource!, version: user.version });
}
