import type { FastifyInstance } from 'fastify';
import { Secret } from '../../base/secret.ts';
import { preparePassword } from '../../directory/passwords.ts';
import { readSubject, type Subject } from '../../directory/subjects.ts';
import {
  createUser,
  deleteUser,
  isPasswordOperation,
  patchUser,
  replaceUser,
  type WriteOptions,
} from '../../directory/users.ts';
import { type PatchOperation, readPatch } from '../../protocol/scim/patch.ts';
import { type Projection, readResource } from '../../protocol/scim/resource.ts';
import { userType } from '../../protocol/scim/schema.ts';
import { originOf } from '../door.ts';
import { idOf, readIfMatch, readProjection, type ScimParts, sendResource } from './parts.ts';
import { addReadRoutes } from './reads.ts';
import { locationOf, showNew, showSubjects } from './resources.ts';
import { answerSettled } from './settled.ts';

/**
 * `/Users` (RFC 7644 section 3). Read the body, hash a password if there is one, write subject and change in one
 * transaction, answer. Only requests with a password pay for argon2id.
 */
export function addUserRoutes(app: FastifyInstance, parts: ScimParts): void {
  const { door, callerOf, baseUrlOf, passwords } = parts;
  addReadRoutes(app, 'user', parts);

  app.post('/Users', async (request, reply) => {
    const projection = readProjection(request);
    const { password, ...resource } = readResource(userType, request.body);
    const given = await readPassword(password);
    const origin = originOf(callerOf(request), 'scim');
    const user = await door.write((tx) => createUser(tx, resource, { origin, ...given }));
    const baseUrl = baseUrlOf(request);
    reply.header('location', locationOf(user, baseUrl));
    return answerSettled(parts, request, reply, user, () =>
      sendResource(reply, 201, showNew(user, { baseUrl, projection }), user.version),
    );
  });

  app.put('/Users/:id', async (request, reply) => {
    const id = idOf(request);
    const projection = readProjection(request);
    const { password, ...resource } = readResource(userType, request.body);
    const given = await readPassword(password, id);
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request), ...given };
    const user = await door.write((tx) => replaceUser(tx, id, resource, options));
    return answerSettled(parts, request, reply, user, () => sendUser(user, projection, baseUrlOf(request), reply));
  });

  app.patch('/Users/:id', async (request, reply) => {
    const id = idOf(request);
    const projection = readProjection(request);
    const operations = readPatch(userType, request.body);
    const given = await readPatchedPassword(operations, id);
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request), ...given };
    const user = await door.write((tx) => patchUser(tx, id, operations, options));
    return answerSettled(parts, request, reply, user, () => sendUser(user, projection, baseUrlOf(request), reply));
  });

  app.delete('/Users/:id', async (request, reply) => {
    const options = { origin: originOf(callerOf(request), 'scim'), ...readIfMatch(request) };
    const user = await door.write((tx) => deleteUser(tx, idOf(request), options));
    return answerSettled(parts, request, reply, user, () => reply.code(204).send());
  });

  async function sendUser(
    user: Subject,
    projection: Projection,
    baseUrl: string,
    reply: Parameters<typeof sendResource>[0],
  ) {
    const [resource] = await door.read((reading) => showSubjects(reading, 'user', [user], { baseUrl, projection }));
    return sendResource(reply, 200, resource!, user.version);
  }

  type NewPassword = Required<Pick<WriteOptions, 'clearPassword'>> & { passwordHash: string };

  /** Nothing when there is no password, or it is the one they have. */
  async function readPassword(password: unknown, id?: string): Promise<NewPassword | Record<string, never>> {
    if (typeof password !== 'string') return {};
    // A user who is not there costs no hash.
    if (id !== undefined && !(await door.read((reading) => readSubject(reading, 'user', id)))) return {};
    const passwordHash = await preparePassword(door.read, password, id);
    if (passwordHash === undefined) return {};
    return { passwordHash, clearPassword: { password: new Secret(password), keeping: passwords } };
  }

  /** The last word on the password counts; removing it leaves the user without one. */
  async function readPatchedPassword(operations: readonly PatchOperation[], id: string) {
    const last = operations.findLast(isPasswordOperation);
    if (last?.op === 'remove') return { passwordHash: null };
    return readPassword(last?.value, id);
  }
}
