import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { ConnectorKind } from '../../connectors/connector.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Store } from '../../store/store.ts';

/** What every resource of the admin API works with. */
export type AdminParts = {
  store: Store;
  key: SealingKey;
  kinds: readonly ConnectorKind[];
  outbound: Outbound;
  clock: Clock;
};

/** The JSON object of a request. Throws Problem `invalidSyntax` for anything else. */
export function bodyOf(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('invalidSyntax', 'the body must be a JSON object, sent as application/json');
  }
  return body as Record<string, unknown>;
}

/** A path parameter, decoded. */
export function param(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name]!;
}

/** Tells the caller whether its write changed anything, in the header `purvey-change`. */
export function sayChange(reply: FastifyReply, change: 'created' | 'updated' | 'unchanged'): void {
  reply.header('purvey-change', change);
}

/** RFC 7396: `patch` over `before`, objects merged, `null` kept for whoever reads it next. */
export function mergeFields(before: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(patch)) {
    const old = merged.get(key);
    merged.set(key, isPlain(value) && isPlain(old) ? mergeFields(old, value) : value);
  }
  return Object.fromEntries(merged);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
