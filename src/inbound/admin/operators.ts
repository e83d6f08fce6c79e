import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { Caller, Credentials } from '../credentials.ts';
import { bodyOf } from './parts.ts';

const shortestPassword = 12;
const longestPassword = 1_024;

/** The caller's own password. Registered where callers whose password is due for a change are let in too. */
export function addOperatorRoutes(app: FastifyInstance, { credentials }: { credentials: Credentials }): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  // Before the body is read: who may not come in costs nothing more.
  const onRequest = async (request: FastifyRequest) => {
    callers.set(request, await credentials.authenticateAdmin(request.headers.authorization, { mayBeDue: true }));
  };

  app.post('/password', { onRequest }, async (request, reply) => {
    const { authorization } = request.headers;
    const caller = callers.get(request)!;
    const { newPassword, ...rest } = bodyOf(request);
    refuseMore(rest, 'newPassword');
    if (caller.operatorId === undefined) {
      throw new Problem('notAllowed', 'a token has no password: sign in with name and password (Basic) to change it');
    }
    const password = readPassword(newPassword);
    if (passwordOf(authorization) === password) {
      throw new Problem('invalidValue', 'the new password is the old one: choose another', { field: 'newPassword' });
    }
    await credentials.changePassword(caller.operatorId, new Secret(password));
    return reply.code(204).send();
  });
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

function refuseMore(rest: Record<string, unknown>, known: string): void {
  const [field] = Object.keys(rest);
  if (field !== undefined) throw new Problem('invalidValue', `there is no ${field}; known are ${known}`, { field });
}

function readPassword(value: unknown): string {
  if (typeof value !== 'string') return refuse('newPassword', 'must be a text');
  if ([...value].length < shortestPassword) refuse('newPassword', `must have at least ${shortestPassword} characters`);
  if (value.length > longestPassword) refuse('newPassword', `must have at most ${longestPassword} characters`);
  return value;
}

/** The password of Basic credentials that were found right (RFC 7617 section 2). */
function passwordOf(authorization: string | undefined): string | undefined {
  const pair = Buffer.from(authorization?.split(' ')[1] ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
