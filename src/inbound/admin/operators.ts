import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { TokenAnswer } from '../../contract/token.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Credentials } from '../credentials.ts';
import { type AdminParts, bodyOf } from './parts.ts';

const shortestPassword = 12;
const longestPassword = 1_024;
const knownScopes = ['scim', 'admin'];

/** Own password and API tokens. Registered where callers whose password is due for a change are let in too. */
export function addOperatorRoutes(
  app: FastifyInstance,
  { store, clock, credentials }: AdminParts & { credentials: Credentials },
): void {
  app.post('/password', async (request, reply) => {
    const { authorization } = request.headers;
    const caller = await credentials.authenticateAdmin(authorization, { mayBeDue: true });
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

  app.post('/tokens', async (request, reply): Promise<TokenAnswer> => {
    await credentials.authenticateAdmin(request.headers.authorization, { mayBeDue: false });
    const { label, serviceProvider, scopes, expiresAt, ...rest } = bodyOf(request);
    refuseMore(rest, 'label, serviceProvider, scopes, expiresAt');
    const input = {
      label: readLabel(label),
      scopes: readScopes(scopes),
      expiresAt: readExpiry(expiresAt, clock.now()),
    };
    if (serviceProvider !== undefined && typeof serviceProvider !== 'string' && typeof serviceProvider !== 'number') {
      refuse('serviceProvider', 'must be an id or a name');
    }
    const provider = await store.read((reading) => readServiceProvider(reading, serviceProvider ?? 'resident'));
    const { token } = await credentials.createToken({ ...input, spId: provider.id });
    reply.code(201);
    return {
      token,
      label: input.label,
      serviceProvider: provider.name,
      scopes: input.scopes,
      expiresAt: input.expiresAt === undefined ? null : new Date(input.expiresAt).toISOString(),
    };
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

function readLabel(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') return refuse('label', 'must say what the token is for');
  if (value.length > 120) refuse('label', 'is longer than 120 characters');
  return value;
}

function readScopes(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse('scopes', `must list one or more of scim, admin`);
  for (const scope of value) {
    if (!knownScopes.includes(scope))
      refuse('scopes', `may hold ${knownScopes.join(', ')}, not ${JSON.stringify(scope)}`);
  }
  return [...new Set(value as string[])];
}

function readExpiry(value: unknown, now: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) return refuse('expiresAt', 'must be a time such as 2030-01-31T00:00:00Z');
  if (at <= now) refuse('expiresAt', 'must be in the future');
  return at;
}
