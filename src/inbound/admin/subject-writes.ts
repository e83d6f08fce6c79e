import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { ProblemAnswer } from '../../contract/problem.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import { findDomain } from '../../directory/domains.ts';
import { createGroup, deleteGroup, patchGroup } from '../../directory/groups.ts';
import { preparePassword } from '../../directory/passwords.ts';
import { forgetWrongPasswords } from '../../directory/sign-in-locks.ts';
import { lockSubject, type Subject } from '../../directory/subjects.ts';
import { createUser, deleteUser, replaceUser } from '../../directory/users.ts';
import { readPatch } from '../../protocol/scim/patch.ts';
import { readResource } from '../../protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn } from '../../protocol/scim/schema.ts';
import type { Tx } from '../../store/store.ts';
import type { Caller } from '../credentials.ts';
import { deliveryHeader, describeDeliveries, failureOfDeliveries } from '../delivery.ts';
import { type Door, originOf } from '../door.ts';
import { type AdminParts, bodyOf, mergeFields, param } from './parts.ts';
import { findSubjectId, showWhole } from './subjects.ts';

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type WriteParts = AdminParts & {
  door: Door;
  passwords: PasswordKeeping;
  callerOf(request: FastifyRequest): Caller;
};

/**
 * Changes of the directory by an administrator: for the resident service provider, as SCIM by Basic. A user's or
 * group's body is its SCIM resource without `schemas`; what a blocking target made of it is said as SCIM says it.
 */
export function addSubjectWriteRoutes(app: FastifyInstance, parts: WriteParts): void {
  const { door, store, callerOf, types } = parts;
  const originFor = (request: FastifyRequest) => {
    const caller = callerOf(request);
    return originOf(caller, caller.by === 'session' ? 'console' : 'api');
  };
  const find = async (request: FastifyRequest, kind: Subject['kind']): Promise<string> => {
    const text = param(request, 'id');
    const id = await store.read((reading) => findSubjectId(reading, text, kind));
    if (id === undefined) throw new Problem('notFound', `there is no ${kind} ${text.slice(0, 300)}`);
    return id;
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply, subject: Subject, status: number) => {
    const deliveries = await door.settle({ caller: callerOf(request), subject }, request, reply);
    if (deliveries.length > 0) reply.header(deliveryHeader, describeDeliveries(deliveries));
    const failure = failureOfDeliveries(deliveries);
    if (failure) return answerFailure(reply, failure);
    if (subject.life !== 'live') return reply.code(204).send();
    const shown = await store.read((reading) => showWhole(reading, subject, types[subject.kind]));
    return reply.code(status).send(shown);
  };

  app.post('/users', async (request, reply) => {
    const { domain, password, ...given } = bodyOf(request);
    const resource = readResource(types.user, withSchemas(coreUserUrn, given));
    const secret = await readPassword(parts, password);
    const user = await door.write(async (tx) => {
      return createUser(tx, resource, {
        type: types.user,
        origin: originFor(request),
        ...(await readDomain(tx, domain)),
        ...secret,
      });
    });
    return answer(request, reply, user, 201);
  });

  /** Any part of a user: objects are merged, lists replaced, null takes away (RFC 7396). */
  app.patch('/users/:id', async (request, reply) => {
    const id = await find(request, 'user');
    const { password, ...patch } = bodyOf(request);
    const secret = await readPassword(parts, password, id);
    const user = await door.write(async (tx) => {
      const before = await lockSubject(tx, 'user', id);
      const merged = mergeFields(before.attributes as Record<string, unknown>, patch);
      const resource = readResource(types.user, withSchemas(coreUserUrn, merged));
      return replaceUser(tx, id, resource, { type: types.user, origin: originFor(request), ...secret });
    });
    return answer(request, reply, user, 200);
  });

  /** Whoever was locked by wrong passwords may sign in again, on every server at once. */
  app.post('/users/:id/unlock', async (request, reply) => {
    const id = await find(request, 'user');
    await store.write((tx) => forgetWrongPasswords(tx, id));
    return reply.code(204).send();
  });

  app.post('/groups', async (request, reply) => {
    const { domain, ...given } = bodyOf(request);
    const resource = readResource(types.group, withSchemas(coreGroupUrn, given));
    const group = await door.write(async (tx) => {
      return createGroup(tx, resource, {
        type: types.group,
        origin: originFor(request),
        ...(await readDomain(tx, domain)),
      });
    });
    return answer(request, reply, group, 201);
  });

  /** The name, and who comes and goes: the rest of a large group is not read. */
  app.patch('/groups/:id', async (request, reply) => {
    const id = await find(request, 'group');
    const { displayName, add, remove, ...rest } = bodyOf(request);
    const [field] = Object.keys(rest);
    if (field !== undefined) {
      throw new Problem('invalidValue', `there is no ${field}; known are displayName, add, remove`, { field });
    }
    const coming = readIds(add, 'add');
    const leaving = readIds(remove, 'remove');
    const operations = [
      ...(displayName === undefined ? [] : [{ op: 'replace', path: 'displayName', value: displayName }]),
      ...(coming.length === 0 ? [] : [{ op: 'add', path: 'members', value: coming.map((value) => ({ value })) }]),
      ...leaving.map((value) => ({ op: 'remove', path: `members[value eq ${JSON.stringify(value)}]` })),
    ];
    if (operations.length === 0)
      throw new Problem('invalidValue', 'there is nothing to change', { field: 'displayName' });
    const read = readPatch(types.group, { schemas: [patchUrn], Operations: operations });
    const group = await door.write((tx) => patchGroup(tx, id, read, { type: types.group, origin: originFor(request) }));
    return answer(request, reply, group, 200);
  });

  for (const [place, kind, remove] of [
    ['/users', 'user', deleteUser],
    ['/groups', 'group', deleteGroup],
  ] as const) {
    app.delete(`${place}/:id`, async (request, reply) => {
      const id = await find(request, kind);
      const gone = await door.write((tx) => remove(tx, id, { origin: originFor(request) }));
      return answer(request, reply, gone, 204);
    });
  }
}

function withSchemas(core: string, given: Record<string, unknown>): Record<string, unknown> {
  const { schemas: _schemas, ...rest } = given;
  return { schemas: [core, ...Object.keys(rest).filter((name) => name.toLowerCase().startsWith('urn:'))], ...rest };
}

async function readDomain(tx: Tx, domain: unknown): Promise<{ domain?: string }> {
  if (domain === undefined || domain === null || domain === '') return {};
  const found = typeof domain === 'string' ? await findDomain(tx, domain) : undefined;
  if (found === undefined) {
    throw new Problem('invalidValue', `there is no user store domain ${String(domain).slice(0, 100)}`, {
      field: 'domain',
    });
  }
  return { domain: found };
}

/** Hashed before the transaction; nothing when there is none, or it is the one they have. */
async function readPassword({ door, passwords }: WriteParts, password: unknown, id?: string) {
  if (password === undefined || password === null || password === '') return {};
  if (typeof password !== 'string') {
    throw new Problem('invalidValue', 'password must be a text', { field: 'password' });
  }
  const passwordHash = await preparePassword(door.read, password, id);
  if (passwordHash === undefined) return {};
  return { passwordHash, clearPassword: { password: new Secret(password), keeping: passwords } };
}

const mostAtOnce = 1_000;

function readIds(value: unknown, field: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string') || value.length > mostAtOnce) {
    throw new Problem('invalidValue', `${field} must be a list of at most ${mostAtOnce} ids`, { field });
  }
  return value as string[];
}

/** The change is stored, and a blocking target that it must not fail at does not have it. */
function answerFailure(reply: FastifyReply, { status, detail }: { status: number; detail: string }): FastifyReply {
  const title = status === 502 ? 'Bad Gateway' : 'Gateway Timeout';
  const body: ProblemAnswer = { type: 'about:blank', title, status, detail, code: 'notDelivered' };
  return reply.code(status).type('application/problem+json').send(body);
}
