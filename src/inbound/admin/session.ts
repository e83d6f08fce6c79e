import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { SessionAnswer } from '../../contract/session.ts';
import type { Caller, Credentials } from '../credentials.ts';
import { authenticate, isOfConsole, sessionOf, setSessionCookie } from './callers.ts';
import { bodyOf } from './parts.ts';

const shortestPassword = 12;
const longestPassword = 1_024;

/**
 * Signing in and out, and the caller's own password. Registered where callers whose password is due for a change are
 * let in too.
 */
export function addSessionRoutes(app: FastifyInstance, { credentials }: { credentials: Credentials }): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  // Before the body is read: who may not come in costs nothing more.
  const onRequest = async (request: FastifyRequest) => {
    callers.set(request, await authenticate(credentials, request, { mayBeDue: true }));
  };

  app.post('/session', async (request, reply): Promise<SessionAnswer> => {
    const { name, password, ...rest } = bodyOf(request);
    refuseMore(rest, 'name, password');
    if (typeof name !== 'string') return refuse('name', 'must be a text');
    if (typeof password !== 'string') return refuse('password', 'must be a text');
    if (password.length > longestPassword) refuse('password', `must have at most ${longestPassword} characters`);
    const { caller, token } = await credentials.signIn(name, new Secret(password));
    const before = sessionOf(request);
    if (before !== undefined) await credentials.signOut(before);
    setSessionCookie(request, reply, token);
    return show(caller);
  });

  app.get('/session', { onRequest }, async (request): Promise<SessionAnswer> => show(callers.get(request)!));

  /** Signing out twice does no harm. */
  app.delete('/session', async (request, reply) => {
    const token = sessionOf(request);
    if (token !== undefined && isOfConsole(request)) {
      await credentials.signOut(token);
      setSessionCookie(request, reply, undefined);
    }
    return reply.code(204).send();
  });

  app.post('/password', { onRequest }, async (request, reply) => {
    const caller = callers.get(request)!;
    const { newPassword, oldPassword, ...rest } = bodyOf(request);
    refuseMore(rest, 'newPassword, oldPassword');
    const { operatorId } = caller;
    if (operatorId === undefined) {
      throw new Problem('notAllowed', 'a token has no password: sign in with name and password (Basic) to change it');
    }
    const password = readPassword(newPassword);
    const old = caller.by === 'basic' ? passwordOf(request.headers.authorization) : oldPassword;
    if (typeof old !== 'string') return refuse('oldPassword', 'must be the password as it is now');
    if (caller.by === 'session' && !(await credentials.isPasswordOf(operatorId, new Secret(old)))) {
      refuse('oldPassword', 'is not the password as it is now');
    }
    if (old === password) {
      throw new Problem('invalidValue', 'the new password is the old one: choose another', { field: 'newPassword' });
    }
    await credentials.changePassword(operatorId, new Secret(password), sessionOf(request));
    return reply.code(204).send();
  });
}

function show({ actor, role, by, mustChange }: Caller): SessionAnswer {
  // A service account does not come this far: it has no access to this API.
  return { name: actor, role: role as SessionAnswer['role'], by, mustChangePassword: mustChange };
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
