import { Problem } from '../../base/problem.ts';
import { isJsonObject, type JsonValue } from './json.ts';
import { checkJsonDepth } from './resource.ts';
import { describe } from './value.ts';

/** Many operations in one request (RFC 7644 section 3.7). */

export const bulkRequestUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
export const bulkResponseUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

export const bulkMethods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type BulkMethod = (typeof bulkMethods)[number];

export interface BulkOperation {
  method: BulkMethod;
  /** Given exactly with POST. */
  bulkId?: string;
  version?: string;
  /** With one slash at the start and none at the end. */
  path: string;
  data?: JsonValue;
}

export interface BulkRequest {
  /** So many errors end the job; absent: it goes on to the end. */
  failOnErrors?: number;
  /** In the order of the request; a Problem is what is wrong with an operation itself. */
  operations: (BulkOperation | { problem: Problem; method: string; bulkId?: string; path?: string })[];
}

/**
 * Reads a bulk request. Throws `Problem('invalidSyntax')` when it is none, or when two operations have the same bulkId,
 * for then nobody knows whom a reference means; `Problem('tooLarge')` for too many operations.
 */
export function readBulkRequest(body: unknown, limits: { maxOperations: number }): BulkRequest {
  if (!isJsonObject(body)) refuse(`The body must be a JSON object, not ${describe(body)}.`);
  const { schemas, failOnErrors } = body;
  if (!Array.isArray(schemas) || !schemas.includes(bulkRequestUrn)) {
    refuse(`"schemas" must be an array with "${bulkRequestUrn}".`);
  }
  const given = body.Operations;
  if (!Array.isArray(given)) refuse(`"Operations" must be an array, not ${describe(given)}.`);
  if (given.length > limits.maxOperations) {
    throw new Problem(
      'tooLarge',
      `There are ${given.length} operations in this request; maxOperations is ${limits.maxOperations}. Send them in several requests.`,
    );
  }
  const request: BulkRequest = { operations: given.map(readOperation) };
  const seen = new Set<string>();
  for (const { bulkId } of request.operations) {
    if (bulkId === undefined) continue;
    if (seen.has(bulkId)) refuse(`Two operations have the bulkId ${quote(bulkId)}; each needs its own.`);
    seen.add(bulkId);
  }
  if (failOnErrors !== undefined && failOnErrors !== null) {
    if (!Number.isSafeInteger(failOnErrors) || (failOnErrors as number) < 1) {
      throw new Problem('invalidValue', '"failOnErrors" must be a whole number from 1.', { field: 'failOnErrors' });
    }
    request.failOnErrors = failOnErrors as number;
  }
  return request;
}

function readOperation(given: JsonValue, index: number): BulkRequest['operations'][number] {
  const name = `Operations[${index}]`;
  const fields = isJsonObject(given) ? given : {};
  const method = typeof fields.method === 'string' ? fields.method.slice(0, 20).toUpperCase() : '';
  const bulkId = method === 'POST' && typeof fields.bulkId === 'string' ? { bulkId: fields.bulkId } : {};
  try {
    if (!isJsonObject(given)) refuse(`${name} must be an object, not ${describe(given)}.`);
    const known = bulkMethods.find((one) => one === method);
    if (!known) refuse(`The "method" of ${name} must be one of ${bulkMethods.join(', ')}.`);
    const { path, version, data } = given;
    if (typeof path !== 'string') refuse(`The "path" of ${name} must be a string, not ${describe(path)}.`);
    if (known === 'POST' && !bulkId.bulkId) refuse(`${name} is a POST and needs a "bulkId".`);
    const operation: BulkOperation = { method: known, ...bulkId, path: cleanPath(path) };
    if (version !== undefined && version !== null && known !== 'POST') {
      if (typeof version !== 'string') refuse(`The "version" of ${name} must be a string, not ${describe(version)}.`);
      operation.version = version;
    }
    if (known !== 'DELETE') {
      if (!isJsonObject(data)) refuse(`The "data" of ${name} must be an object, not ${describe(data)}.`);
      checkJsonDepth(data);
      operation.data = data;
    }
    return operation;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { problem, method, ...bulkId, ...(typeof fields.path === 'string' ? { path: cleanPath(fields.path) } : {}) };
  }
}

function cleanPath(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, '')}`;
}

const prefix = 'bulkId:';
/** A reference inside a longer text: a PATCH path or an address. */
const inside = /bulkId:([^"\]\s/]+)/g;

/**
 * The data with every `bulkId:…` replaced by what `idOf` answers: whole strings, and inside the paths of PATCH
 * operations and addresses. A password is left as it is. `idOf` may throw.
 */
export function resolveBulkIds(value: JsonValue | undefined, idOf: (bulkId: string) => string): JsonValue | undefined {
  if (typeof value === 'string') return value.startsWith(prefix) ? idOf(value.slice(prefix.length)) : value;
  if (Array.isArray(value)) return value.map((item) => resolveBulkIds(item, idOf) as JsonValue);
  if (!isJsonObject(value)) return value;
  const resolved = Object.entries(value).map(([key, item]) => {
    if (key.toLowerCase() === 'password') return [key, item];
    const isText = typeof item === 'string' && (key === 'path' || key === '$ref');
    return [key, isText ? resolveInside(item, idOf) : resolveBulkIds(item, idOf)];
  });
  return Object.fromEntries(resolved);
}

/** The same for a path. */
export function resolveInside(text: string, idOf: (bulkId: string) => string): string {
  return text.replace(inside, (_, bulkId: string) => idOf(bulkId));
}

/** The bulkIds an operation names. */
export function listBulkIds({ path, data }: Pick<BulkOperation, 'path' | 'data'>): string[] {
  const found = new Set<string>();
  const note = (bulkId: string) => {
    found.add(bulkId);
    return bulkId;
  };
  resolveInside(path, note);
  resolveBulkIds(data, note);
  return [...found];
}

/**
 * In what order to work, as lists of indexes: each operation as early as whom it names is there, so in the order of the
 * request where nobody names a later one. Those that name each other in a circle are in one list. What is asked of the
 * same resource stays in its order (RFC 7644 section 3.7). `named`: the bulkIds that each names (`listBulkIds`).
 */
export function orderBulk(
  operations: readonly Pick<BulkOperation, 'path' | 'bulkId'>[],
  named: readonly (readonly string[])[],
): number[][] {
  const makers = new Map<string, number>();
  for (const [index, { bulkId }] of operations.entries()) if (bulkId !== undefined) makers.set(bulkId, index);
  const lastOn = new Map<string, number>();
  const needs = operations.map((operation, index) => {
    const makersNamed = named[index]!.flatMap((bulkId) => makers.get(bulkId) ?? []);
    const before = operation.bulkId === undefined ? lastOn.get(operation.path) : undefined;
    if (operation.bulkId === undefined) lastOn.set(operation.path, index);
    return new Set([...makersNamed, ...(before === undefined ? [] : [before])].filter((need) => need !== index));
  });
  return orderUnits(needs, findUnits(needs));
}

/** Circles as one unit each, everything else alone (Tarjan's algorithm, without recursion). */
function findUnits(needs: readonly ReadonlySet<number>[]): number[] {
  const unitOf = new Array<number>(needs.length).fill(-1);
  const order = new Array<number>(needs.length).fill(-1);
  const lowest = new Array<number>(needs.length).fill(0);
  const open: number[] = [];
  let counter = 0;
  let units = 0;
  for (let root = 0; root < needs.length; root++) {
    if (order[root] !== -1) continue;
    const path = [enter(root)];
    while (path.length > 0) {
      const { node, rest } = path.at(-1)!;
      const next = rest.pop();
      if (next !== undefined) {
        if (order[next] === -1) path.push(enter(next));
        else if (unitOf[next] === -1) lowest[node] = Math.min(lowest[node]!, order[next]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.node;
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!);
      if (lowest[node] !== order[node]) continue;
      for (let member = -1; member !== node; ) {
        member = open.pop()!;
        unitOf[member] = units;
      }
      units++;
    }
  }
  return unitOf;

  function enter(node: number): { node: number; rest: number[] } {
    order[node] = counter;
    lowest[node] = counter++;
    open.push(node);
    return { node, rest: [...needs[node]!] };
  }
}

function orderUnits(needs: readonly ReadonlySet<number>[], unitOf: readonly number[]): number[][] {
  const members = new Map<number, number[]>();
  for (const [index, unit] of unitOf.entries()) {
    const known = members.get(unit);
    if (known) known.push(index);
    else members.set(unit, [index]);
  }
  const missing = new Map<number, Set<number>>();
  const waiters = new Map<number, Set<number>>();
  for (const [unit, indexes] of members) {
    const others = new Set(indexes.flatMap((index) => [...needs[index]!].map((need) => unitOf[need]!)));
    others.delete(unit);
    missing.set(unit, others);
    for (const other of others) waiters.set(other, (waiters.get(other) ?? new Set()).add(unit));
  }
  const ordered: number[][] = [];
  const reached = new Set<number>();
  for (const [index, unit] of unitOf.entries()) {
    if (members.get(unit)!.at(-1) !== index) continue;
    reached.add(unit);
    // Whoever waited for this one comes right after it, and whoever waited for those.
    const ready = missing.get(unit)!.size === 0 ? [unit] : [];
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      ordered.push(members.get(next)!);
      const freed = [...(waiters.get(next) ?? [])].filter((waiter) => {
        missing.get(waiter)!.delete(next!);
        return missing.get(waiter)!.size === 0 && reached.has(waiter);
      });
      ready.push(...freed.sort((a, b) => members.get(a)!.at(-1)! - members.get(b)!.at(-1)!));
    }
  }
  return ordered;
}

/** What became of one operation. */
export interface BulkResult {
  method: string;
  bulkId?: string;
  version?: string;
  /** Absent for a POST that failed. */
  location?: string;
  status: number;
  /** The body of the error, exactly when it failed. */
  response?: object;
}

export function makeBulkResponse(results: readonly BulkResult[]): object {
  return {
    schemas: [bulkResponseUrn],
    Operations: results.map(({ status, ...rest }) => ({ ...rest, status: String(status) })),
  };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100).toWellFormed());
}

function refuse(detail: string): never {
  throw new Problem('invalidSyntax', detail);
}
