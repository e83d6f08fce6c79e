import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { ConnectorKind } from '../../connectors/connector.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ResourceTypes } from '../../protocol/scim/schema.ts';
import type { OpenTally } from '../../provisioning/tally.ts';
import type { RuleSettings } from '../../rules/decide.ts';
import type { Store, Tx } from '../../store/store.ts';
import { type DoorLimits, isStorable } from '../door.ts';

/** What every resource of the admin API works with. */
export type AdminParts = {
  store: Store;
  key: SealingKey;
  kinds: readonly ConnectorKind[];
  outbound: Outbound;
  types: ResourceTypes;
  clock: Clock;
  limits: DoorLimits;
  rules: RuleSettings;
  /** How many there are in all. */
  tally: OpenTally;
  /** Who calls, as it is written down with what they did. */
  actorOf(request: FastifyRequest): string;
};

/** Deepest JSON that is read. */
const maxDepth = 20;

/**
 * The JSON object of a request. Throws Problem `invalidSyntax` for anything else, and `invalidValue` naming the field
 * that holds text no database can store.
 */
export function bodyOf(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  if (!isPlain(body)) {
    throw new Problem('invalidSyntax', 'the body must be a JSON object, sent as application/json');
  }
  for (const [field, value] of Object.entries(body)) {
    refuseUnstorable(field, 'the name of a field');
    checkValue(value, field, 1);
  }
  return body;
}

function checkValue(value: unknown, field: string, depth: number): void {
  if (typeof value === 'string') refuseUnstorable(value, field, field);
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth) throw new Problem('invalidSyntax', `the body is nested deeper than ${maxDepth} levels`);
  for (const [key, inner] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${field}[${key}]` : `${field}.${key}`;
    refuseUnstorable(key, `the name of a field in ${field}`);
    checkValue(inner, path, depth + 1);
  }
}

function refuseUnstorable(text: string, what: string, field?: string): void {
  if (isStorable(text)) return;
  const why = text.includes('\0') ? 'the character U+0000' : 'half a surrogate pair, which is not a character';
  throw new Problem('invalidValue', `${what} must not hold ${why}`, field === undefined ? {} : { field });
}

/** A path parameter, decoded. Throws Problem `notFound` for what no name or id can be. */
export function param(request: FastifyRequest, name: string): string {
  const value = (request.params as Record<string, string>)[name]!;
  if (!isStorable(value)) throw new Problem('notFound', 'nothing has a name or id with the character U+0000');
  return value;
}

/** Tells the caller whether its write changed anything, in the header `purvey-change`. */
export function sayChange(reply: FastifyReply, change: 'created' | 'updated' | 'unchanged'): void {
  reply.header('purvey-change', change);
}

/** For routes that can be tried with `?dryRun=true`: their handler writes through `writeOrTry`. */
export const mayTry = { config: { mayTry: true } } as const;

/** Refuses `dryRun` where it would do the thing itself. For every request, before its handler. */
export function checkDryRun(request: FastifyRequest): void {
  const { dryRun } = request.query as { dryRun?: unknown };
  if (dryRun === undefined) return;
  const { mayTry: known } = request.routeOptions.config as { mayTry?: true };
  if (!known) throw new Problem('invalidValue', 'this cannot be tried with dryRun', { field: 'dryRun' });
  if (dryRun !== 'true') throw new Problem('invalidValue', 'dryRun can only be true', { field: 'dryRun' });
}

/** Whether a request only asks what it would do. */
export function isTried(request: FastifyRequest): boolean {
  return (request.query as { dryRun?: unknown }).dryRun !== undefined;
}

class Tried<T> extends Error {
  readonly value: T;
  constructor(value: T) {
    super('this was a try');
    this.value = value;
  }
}

/** Like `store.write`; with `?dryRun=true` everything is checked and answered the same, and then taken back. */
export async function writeOrTry<T>(store: Store, request: FastifyRequest, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (!isTried(request)) return store.write(work);
  try {
    return await store.write(async (tx) => {
      throw new Tried(await work(tx));
    });
  } catch (error) {
    if (error instanceof Tried) return error.value as T;
    throw error;
  }
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
