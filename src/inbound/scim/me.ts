import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { lockSubject, type Subject } from '../../directory/subjects.ts';
import { isPasswordOperation } from '../../directory/users.ts';
import { comparable } from '../../protocol/scim/comparable.ts';
import { isJsonObject, type JsonValue } from '../../protocol/scim/json.ts';
import type { Resource } from '../../protocol/scim/resource.ts';
import { originOf } from '../door.ts';
import { readIfMatch, readProjection, type ScimParts } from './parts.ts';
import { answerOne } from './reads.ts';
import { locationOf } from './resources.ts';
import { answerSettled } from './settled.ts';
import { sendUser } from './users.ts';
import { prepareWrite, type WriteRequest } from './writes.ts';

/**
 * What a person may change of themself besides the password: how they are called and reached. Everything else (names
 * that sign in, roles, groups, certificates, what the organization says, every extension) may decide what they have
 * access to, here or at a target.
 */
const own: ReadonlySet<string> = new Set([
  'name',
  'displayName',
  'nickName',
  'profileUrl',
  'preferredLanguage',
  'locale',
  'timezone',
  'emails',
  'phoneNumbers',
  'ims',
  'photos',
  'addresses',
]);

/** `/Me` (RFC 7644 section 3.11) for directory users, who sign in with userName and password. */
export function addMeRoutes(app: FastifyInstance, parts: ScimParts): void {
  const { door, codec, callerOf, baseUrlOf } = parts;

  app.get(codec.mePath, (request, reply) => {
    const id = whoAmI(request);
    reply.header('location', locationOf({ kind: 'user', id }, baseUrlOf(request)));
    return answerOne(parts, request, reply, 'user', id);
  });

  for (const method of ['PUT', 'PATCH'] as const) {
    app.route({
      method,
      url: codec.mePath,
      async handler(request, reply) {
        const id = whoAmI(request);
        const baseUrl = baseUrlOf(request);
        reply.header('location', locationOf({ kind: 'user', id }, baseUrl));
        if (method === 'PATCH') checkOperations(request.body);
        const { write, written } = await prepareWrite(parts, asked(request, method, id));
        const showing = { types: door.types, projection: { ...readProjection(codec, request), written }, baseUrl };
        const user = await door.write(async (tx) => {
          const before = await lockSubject(tx, 'user', id);
          const after = await write(tx);
          checkOwn(before, after);
          return after;
        });
        return answerSettled(parts, request, reply, user, () => sendUser(parts, reply, user, showing));
      },
    });
  }

  app.delete(codec.mePath, async (request) => {
    whoAmI(request);
    throw new Problem('notAllowed', 'Nobody deletes themself here; ask an administrator.');
  });

  // Where a POST stands for another method, that one answers it.
  if (!codec.overridesMethods) {
    app.post(codec.mePath, async (request) => {
      whoAmI(request);
      throw new Problem('notBuilt', 'Nobody registers themself here; an administrator creates users at /Users.');
    });
  }

  function whoAmI(request: FastifyRequest): string {
    const { userId } = callerOf(request);
    if (userId !== undefined) return userId;
    const who = 'These credentials are those of an operator or an application, which is no user of the directory.';
    throw new Problem('notFound', `${who} "${codec.mePath}" is for users who sign in with userName and password.`);
  }

  function asked(request: FastifyRequest, method: 'PUT' | 'PATCH', id: string): WriteRequest {
    const origin = originOf(callerOf(request), 'scim');
    const rest = { kind: 'user', origin, id, body: request.body, ...readIfMatch(request.headers['if-match']) } as const;
    return method === 'PUT' ? { ...rest, method, complete: keepOthers } : { ...rest, method };
  }

  /** What is known before anything is read: `groups` is nobody's to write, least of all one's own. */
  function checkOperations(body: unknown): void {
    let operations: ReturnType<typeof codec.readPatch>;
    try {
      operations = codec.readPatch(door.types.user, body);
    } catch (error) {
      if (error instanceof Problem && error.code === 'mutability' && error.field) refuse(error.field);
      throw error;
    }
    if (operations.some((operation) => operation.op === 'remove' && isPasswordOperation(operation))) {
      throw new Problem('notAllowed', 'You can change your password, not remove it.', { field: 'password' });
    }
  }
}

/** A PUT that leaves out what is not the person's own does not take it away. */
function keepOthers(resource: Resource, before: Subject): Resource {
  const whole: Resource = { ...resource };
  for (const [name, value] of Object.entries(before.attributes)) {
    if (own.has(name)) continue;
    const given = whole[name];
    if (given === undefined) whole[name] = value;
    else if (isJsonObject(given) && isJsonObject(value)) whole[name] = { ...value, ...given };
  }
  return whole;
}

/** Throws `Problem('notAllowed')` naming an attribute that changed and is not the person's own. */
function checkOwn(before: Subject, after: Subject): void {
  for (const name of new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])) {
    const [was, is] = [before.attributes[name], after.attributes[name]];
    if (own.has(name) || comparable(was) === comparable(is)) continue;
    refuse(name.includes(':') ? `${name}:${findChanged(was, is)}` : name);
  }
}

function findChanged(was: JsonValue | undefined, is: JsonValue | undefined): string | undefined {
  const [a, b] = [isJsonObject(was) ? was : {}, isJsonObject(is) ? is : {}];
  return [...Object.keys(a), ...Object.keys(b)].find((name) => comparable(a[name]) !== comparable(b[name]));
}

function refuse(name: string): never {
  const detail = `You cannot change "${name}" of yourself; ask an administrator. Yours are the password and ${[...own].join(', ')}.`;
  throw new Problem('notAllowed', detail, { field: name });
}
