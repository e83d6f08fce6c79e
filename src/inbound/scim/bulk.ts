import type { FastifyInstance } from 'fastify';
import { newId } from '../../base/ids.ts';
import { Problem } from '../../base/problem.ts';
import type { Origin } from '../../directory/changes.ts';
import { makeCircle } from '../../directory/circle.ts';
import { lockSubjects, type Subject } from '../../directory/subjects.ts';
import {
  type BulkOperation,
  type BulkRequest,
  listBulkIds,
  orderBulk,
  resolveBulkIds,
  resolveInside,
} from '../../protocol/scim/bulk.ts';
import type { Tx } from '../../store/store.ts';
import { originOf } from '../door.ts';
import { answerBulk, type Done, type Failure } from './bulk-answer.ts';
import { checkId, readIfMatch, type ScimParts } from './parts.ts';
import { type PreparedWrite, prepareWrite, type WriteRequest } from './writes.ts';

/** How many operations share a transaction at most: one sync of the disk serves them, and others get their turn between. */
const operationsPerWrite = 50;
/** Passwords are hashed so many at once. */
const preparedAtOnce = 4;

/**
 * `/Bulk` (RFC 7644 section 3.7). Each operation stands by itself; those that name each other in a circle stand and
 * fall together. Ids of new resources are drawn before anything is written, so references resolve at once, and an order
 * is chosen in which whoever is named is there first (`orderBulk`).
 */
export function addBulkRoute(app: FastifyInstance, parts: ScimParts): void {
  const { bulkBytes, bulkOperations } = parts.limits;
  app.route({
    method: 'POST',
    url: '/Bulk',
    bodyLimit: bulkBytes,
    errorHandler(error, request, reply) {
      const isOurs = error instanceof Problem || error.statusCode !== 413;
      const problem = `The body is larger than maxPayloadSize, which is ${bulkBytes} bytes. Send several smaller requests.`;
      return app.errorHandler(isOurs ? error : (new Problem('tooLarge', problem) as never), request, reply);
    },
    async handler(request, reply) {
      const asked = parts.codec.readBulk(request.body, { maxOperations: bulkOperations });
      const done = await runBulk(parts, asked, originOf(parts.callerOf(request), 'scim'));
      return answerBulk(parts, request, reply, asked, done);
    },
  });
}

/** Some operations that are done together or not at all: mostly one. */
type Unit = readonly number[];

/** What became of each operation, by its index; those that were not come to any more are not in it. */
async function runBulk(parts: ScimParts, asked: BulkRequest, origin: Origin): Promise<Map<number, Done>> {
  const { door } = parts;
  const operations = asked.operations;
  const ids = new Map<string, string>();
  const makers = new Map<string, number>();
  for (const [index, { bulkId }] of operations.entries()) {
    if (bulkId === undefined) continue;
    ids.set(bulkId, newId(door.store.now()));
    makers.set(bulkId, index);
  }
  const done = new Map<number, Done>();
  let errors = 0;

  const idOf = (bulkId: string): string => {
    const id = ids.get(bulkId);
    if (id !== undefined) return id;
    const named = JSON.stringify(bulkId.slice(0, 100).toWellFormed());
    throw new Problem('invalidValue', `No operation of this request is a POST with the bulkId ${named}.`);
  };

  const written = operations.map((one) => ({ path: '', ...one }));
  const named = written.map(listBulkIds);
  let rest: Unit[] = orderBulk(written, named);
  while (rest.length > 0 && !isOver()) {
    let chunk = takeChunk(rest);
    rest = rest.slice(chunk.length);
    const prepared = await prepareChunk(chunk);
    // A transaction in which something fails is undone, so that nothing of it is half there: what came before the one
    // at fault is done again without it, and then it is tried alone at the head of a transaction. There its failure is
    // certain.
    let most = chunk.length;
    while (chunk.length > 0 && !isOver()) {
      const lost = chunk.findIndex((unit) => whyLost(unit, prepared) !== undefined);
      if (lost === 0) {
        fail(chunk[0]!, whyLost(chunk[0]!, prepared)!);
        chunk = chunk.slice(1);
        continue;
      }
      const run = chunk.slice(0, Math.min(most, lost < 0 ? chunk.length : lost));
      const end = await tryRun(run, prepared);
      most = typeof end === 'number' ? end : chunk.length;
      if (end === 'done') chunk = chunk.slice(run.length);
      else if (typeof end === 'object') {
        fail(chunk[0]!, end);
        chunk = chunk.slice(1);
      }
    }
  }
  return done;

  function isOver(): boolean {
    return errors >= (asked.failOnErrors ?? Number.POSITIVE_INFINITY);
  }

  function takeChunk(units: readonly Unit[]): Unit[] {
    const chunk: Unit[] = [];
    const touched = new Set<string>();
    let size = 0;
    for (const unit of units) {
      if (size > 0 && size + unit.length > operationsPerWrite) break;
      // A password is compared with the one there is before the transaction, so what was done to the same user before
      // must be on disk.
      if (unit.some((index) => touched.has(placeOf(index)) && setsPassword(operations[index]!))) break;
      for (const index of unit) touched.add(placeOf(index));
      chunk.push(unit);
      size += unit.length;
    }
    return chunk;
  }

  /** The path of the resource an operation is about. */
  function placeOf(index: number): string {
    const operation = operations[index]!;
    if ('problem' in operation) return '';
    if (operation.bulkId !== undefined) return `${operation.path}/${ids.get(operation.bulkId)}`;
    return operation.path.replace(/bulkId:(.*)$/, (whole, bulkId: string) => ids.get(bulkId) ?? whole);
  }

  async function prepareChunk(chunk: readonly Unit[]): Promise<Map<number, PreparedWrite | Failure>> {
    const indexes = chunk.flat();
    const prepared = new Map<number, PreparedWrite | Failure>();
    for (let from = 0; from < indexes.length; from += preparedAtOnce) {
      const some = indexes.slice(from, from + preparedAtOnce);
      const all = await Promise.all(some.map((index) => prepareOne(operations[index]!).catch(judge)));
      for (const [n, one] of all.entries()) prepared.set(some[n]!, one);
    }
    return prepared;
  }

  async function prepareOne(operation: BulkRequest['operations'][number]): Promise<PreparedWrite> {
    if ('problem' in operation) throw operation.problem;
    return prepareWrite(parts, readOperation(operation, origin, ids, idOf));
  }

  function judge(error: unknown): Failure {
    const refusal = door.judge(error, { method: 'POST', route: '/Bulk' });
    return 'problem' in refusal ? refusal : { faultId: refusal.faultId };
  }

  /** Why a unit cannot be done before it is tried. */
  function whyLost(unit: Unit, prepared: ReadonlyMap<number, PreparedWrite | Failure>): Failure | undefined {
    for (const index of unit) {
      const one = prepared.get(index)!;
      if (!('write' in one)) return { ...one, at: index };
      for (const bulkId of named[index]!) {
        const needed = done.get(makers.get(bulkId)!);
        if (needed && 'failure' in needed) {
          const why = `It names the operation with the bulkId ${JSON.stringify(bulkId)}, which failed; nothing was done.`;
          return { problem: new Problem('conflict', why), at: index };
        }
      }
    }
    return undefined;
  }

  function fail(unit: Unit, failure: Failure): void {
    for (const index of unit) {
      const why = 'It and others name each other in a circle, and one of those failed; nothing was done.';
      const own = unit.length === 1 || failure.at === undefined || failure.at === index;
      done.set(index, { failure: own ? failure : { problem: new Problem('conflict', why) } });
      errors++;
    }
  }

  /** One transaction: the failure of its first unit, or how many units come before the one that failed. */
  async function tryRun(
    run: readonly Unit[],
    prepared: ReadonlyMap<number, PreparedWrite | Failure>,
  ): Promise<'done' | Failure | number> {
    const writeOf = (index: number) => prepared.get(index) as PreparedWrite;
    const places = run.flat().flatMap((index) => placeOf(index).split('/')[2] ?? []);
    let unitNow = 0;
    let indexNow: number | undefined;
    try {
      const made = await door.write(async (tx) => {
        // The rows are held in the order of their ids, as everyone does.
        if (places.length > 1) await lockSubjects(tx, places);
        const all: [number, Subject][] = [];
        for (const [n, unit] of run.entries()) {
          unitNow = n;
          all.push(...(await writeUnit(tx, unit)));
        }
        unitNow = 0;
        indexNow = undefined;
        return all;
      });
      for (const [index, subject] of made) done.set(index, { subject });
      return 'done';
    } catch (error) {
      if (unitNow > 0) return unitNow;
      return { ...judge(error), ...(indexNow === undefined ? {} : { at: indexNow }) };
    }

    async function writeUnit(tx: Tx, unit: Unit): Promise<[number, Subject][]> {
      if (unit.length === 1) {
        indexNow = unit[0]!;
        return [[indexNow, await writeOf(indexNow).write(tx)]];
      }
      const makers = unit.map((index) => ({
        id: ids.get(operations[index]!.bulkId!)!,
        make: async (tx: Tx, circle: Parameters<PreparedWrite['write']>[1]): Promise<[number, Subject]> => {
          indexNow = index;
          return [index, await writeOf(index).write(tx, circle)];
        },
      }));
      return makeCircle(tx, makers);
    }
  }
}

function setsPassword(operation: BulkRequest['operations'][number]): boolean {
  return !('problem' in operation) && /password/i.test(JSON.stringify(operation.data ?? null));
}

const kinds = { '/Users': 'user', '/Groups': 'group' } as const;

/** Throws `Problem`: `notFound` for a path where nothing is, `invalidValue` for a bulkId nobody has. */
function readOperation(
  operation: BulkOperation,
  origin: Origin,
  ids: ReadonlyMap<string, string>,
  idOf: (bulkId: string) => string,
): WriteRequest {
  const { method, version } = operation;
  const [, first, second, ...more] = resolveInside(operation.path, idOf).split('/');
  const kind = kinds[`/${first}` as keyof typeof kinds];
  if (!kind || more.length > 0 || (second === undefined) !== (method === 'POST')) {
    const wanted = method === 'POST' ? '/Users or /Groups' : '/Users/ID or /Groups/ID';
    throw new Problem('notFound', `A ${method} in a bulk request has a path such as ${wanted}.`, { field: 'path' });
  }
  const body = resolveBulkIds(operation.data, idOf);
  if (method === 'POST') return { kind, origin, method, body, id: ids.get(operation.bulkId!)! };
  const id = checkId(second!);
  return method === 'DELETE'
    ? { kind, origin, method, id, ...readIfMatch(version) }
    : { kind, origin, method, id, body, ...readIfMatch(version) };
}
