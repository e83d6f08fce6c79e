import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { needOf, type Operation } from '../../contract/operation.ts';
import { operations } from '../../contract/operations.ts';
import type { Caller, Credentials } from '../credentials.ts';
import { sessionLastsMs } from '../sessions.ts';

/**
 * Who calls the admin API, and what they may do there. A cookie is sent by a browser whoever made it send, so a request
 * that comes with one must also bear the header `purvey-client`: no page of another site can add it, as this API
 * answers no preflight (CORS). The cookie is `SameSite=Strict` besides.
 */
export const clientHeader = 'purvey-client';

const cookieName = 'purvey-session';

/** Cookies do not tell ports apart, and two servers may run on one machine. */
function cookieNameOf(request: FastifyRequest): string {
  const port = /:(\d{1,5})$/.exec(request.host)?.[1];
  return port === undefined ? cookieName : `${cookieName}-${port}`;
}

/** The token of the session that the request bears; undefined without one. */
export function sessionOf(request: FastifyRequest): string | undefined {
  const name = cookieNameOf(request);
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** `token` undefined: the cookie goes. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string | undefined): void {
  const lasts = token === undefined ? 0 : sessionLastsMs / 1_000;
  const parts = [`${cookieNameOf(request)}=${token ?? ''}`, 'Path=/api', `Max-Age=${lasts}`];
  parts.push('HttpOnly', 'SameSite=Strict', ...(request.protocol === 'https' ? ['Secure'] : []));
  reply.header('set-cookie', parts.join('; '));
}

/** By `Authorization` where there is one, else by session. Throws Problem as `Credentials` does. */
export async function authenticate(
  credentials: Credentials,
  request: FastifyRequest,
  options: { mayBeDue: boolean },
): Promise<Caller> {
  const { authorization } = request.headers;
  const token = authorization === undefined ? sessionOf(request) : undefined;
  if (token === undefined) return credentials.authenticateAdmin(authorization, options);
  if (!isOfConsole(request)) {
    throw new Problem('notAllowed', `With a session every request bears the header ${clientHeader}, with any value.`);
  }
  return credentials.authenticateSession(token, options);
}

/** Whether it says that the console sent it, and not a page of another site. */
export function isOfConsole(request: FastifyRequest): boolean {
  return request.headers[clientHeader] !== undefined;
}

const may: Readonly<Record<Caller['role'], readonly NonNullable<Operation['needs']>[]>> = {
  administrator: ['read', 'operate', 'administer'],
  operator: ['read', 'operate'],
  auditor: ['read'],
  service: [],
  user: [],
};

/** Answers the check of a role for requests below `prefix`; what each needs is said in the contract. */
export function openRoleCheck(prefix: string): (caller: Caller, request: FastifyRequest) => void {
  const needs = new Map(
    operations.map((operation) => {
      const url = `${prefix}${operation.path.replace(/\{(\w+)\}/g, ':$1')}`;
      return [`${operation.method.toUpperCase()} ${url}`, needOf(operation)];
    }),
  );
  return ({ actor, role }, request) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const need = needs.get(`${method} ${request.routeOptions.url}`) ?? 'administer';
    if (may[role].includes(need)) return;
    const who = need === 'operate' ? 'administrators and operators' : 'administrators';
    throw new Problem('notAllowed', `${actor} is ${withArticle(role)}, and only ${who} may do this.`);
  };
}

const withArticle = (role: string) => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`;
