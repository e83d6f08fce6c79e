import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { List } from '../../contract/page.ts';
import type { TokenAnswer, TokenListItem } from '../../contract/token.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import { type ApiToken, listApiTokens } from '../api-tokens.ts';
import type { Credentials } from '../credentials.ts';
import { type Names, readNames } from './names.ts';
import { type AdminParts, bodyOf, param } from './parts.ts';
import { readQuery, showTime } from './query.ts';

const knownScopes = ['scim', 'admin'];

/** API tokens: made, listed without the token itself, and revoked. */
export function addTokenRoutes(
  app: FastifyInstance,
  { store, clock, credentials }: AdminParts & { credentials: Credentials },
): void {
  app.get('/tokens', async (request): Promise<List<TokenListItem>> => {
    readQuery(request.query, []);
    return store.read(async (reading) => {
      const names = await readNames(reading, []);
      return { items: (await listApiTokens(reading)).map((row) => show(row, names)) };
    });
  });

  app.post('/tokens', async (request, reply): Promise<TokenAnswer> => {
    const { label, serviceProvider, scopes, expiresAt, ...rest } = bodyOf(request);
    const [field] = Object.keys(rest);
    if (field !== undefined) refuse(field, 'is not known; known are label, serviceProvider, scopes, expiresAt');
    const input = {
      label: readLabel(label),
      scopes: readScopes(scopes),
      expiresAt: readExpiry(expiresAt, clock.now()),
    };
    if (serviceProvider !== undefined && typeof serviceProvider !== 'string' && typeof serviceProvider !== 'number') {
      refuse('serviceProvider', 'must be an id or a name');
    }
    const provider = await store.read((reading) => readServiceProvider(reading, serviceProvider ?? 'resident'));
    const { id, token } = await credentials.createToken({ ...input, spId: provider.id });
    reply.code(201);
    return {
      id,
      token,
      label: input.label,
      serviceProvider: provider.name,
      scopes: input.scopes,
      expiresAt: input.expiresAt === undefined ? null : showTime(input.expiresAt),
    };
  });

  app.delete('/tokens/:id', async (request, reply) => {
    const id = param(request, 'id');
    const wasThere = /^\d{1,15}$/.test(id) && (await credentials.revokeToken(Number(id)));
    if (!wasThere) throw new Problem('notFound', `there is no token with the id ${id.slice(0, 40)}`);
    return reply.code(204).send();
  });
}

function show(row: ApiToken, names: Names): TokenListItem {
  return {
    id: row.id,
    label: row.label,
    serviceProvider: names.serviceProvider(row.sp_id),
    scopes: row.scopes.split(' '),
    createdAt: showTime(row.created_at),
    expiresAt: row.expires_at === null ? null : showTime(row.expires_at),
    lastUsedAt: row.last_used_at === null ? null : showTime(row.last_used_at),
  };
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

function readLabel(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') return refuse('label', 'must say what the token is for');
  if (value.length > 120) refuse('label', 'is longer than 120 characters');
  return value;
}

function readScopes(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse('scopes', 'must list one or more of scim, admin');
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
