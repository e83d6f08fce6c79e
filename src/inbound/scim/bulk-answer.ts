import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../base/problem.ts';
import type { Subject } from '../../directory/subjects.ts';
import type { BulkRequest, BulkResult } from '../../protocol/scim/bulk.ts';
import type { Delivery } from '../../provisioning/wait.ts';
import { deliveryHeader, describeDeliveries, failureOfDeliveries, summarizeDeliveries } from '../delivery.ts';
import { describeFault, makeTag, type ScimParts, sendJson } from './parts.ts';
import { locationOf } from './resources.ts';

/** `at`: the operation at fault, where several fail together. */
export type Failure = ({ problem: Problem } | { faultId: string }) & { at?: number };

/** What became of one operation of a bulk request. */
export type Done = { subject: Subject } | { failure: Failure };

/**
 * Answers a bulk request whose operations are written: when a blocking binding concerns it, after its targets had the
 * usual time for all of them together. An operation whose delivery makes it fail says so in its status; what it wrote
 * stays.
 */
export async function answerBulk(
  parts: ScimParts,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: BulkRequest,
  done: ReadonlyMap<number, Done>,
): Promise<FastifyReply> {
  const { codec, door } = parts;
  const last = new Map<string, Subject>();
  for (const one of done.values()) {
    if ('subject' in one && (last.get(one.subject.id)?.seq ?? 0) <= one.subject.seq)
      last.set(one.subject.id, one.subject);
  }
  const subjects = [...last.values()];
  const settled = await door.settleAll({ caller: parts.callerOf(request), subjects }, request, reply);
  const deliveries = new Map(subjects.map((subject, n) => [subject.id, settled[n]!]));
  if (settled.some((one) => one.length > 0)) {
    reply.header(deliveryHeader, describeDeliveries(summarizeDeliveries(settled)));
  }
  const baseUrl = parts.baseUrlOf(request);
  const results = asked.operations.flatMap((operation, index): BulkResult[] => {
    const one = done.get(index);
    if (!one) return [];
    const { method, bulkId } = operation;
    const named = { method, ...(bulkId === undefined ? {} : { bulkId }) };
    if ('subject' in one) return [{ ...named, ...describeSuccess(one.subject, deliveries.get(one.subject.id) ?? []) }];
    const { path } = operation;
    const place = path === undefined || method === 'POST' ? {} : { location: `${baseUrl}${path}` };
    return [{ ...named, ...place, ...describeFailure(one.failure) }];

    function describeSuccess(subject: Subject, settled: readonly Delivery[]): Omit<BulkResult, 'method'> {
      const place = { location: locationOf(subject, baseUrl) };
      const version = method === 'DELETE' ? {} : { version: makeTag(subject.version) };
      const failure = failureOfDeliveries(settled);
      if (!failure) return { ...place, ...version, status: statusOf(method, subject.kind) };
      const response = codec.writeError(failure.status, failure.detail);
      return { ...place, ...version, status: failure.status, response };
    }
  });
  return sendJson(codec, reply, 200, codec.writeBulk(results));

  function describeFailure(failure: Failure): { status: number; response: object } {
    if ('faultId' in failure) {
      return { status: 500, response: codec.writeError(500, describeFault(failure.faultId)) };
    }
    const { status, message, scimType } = failure.problem;
    return { status, response: codec.writeError(status, message, scimType) };
  }
}

/** What a request of its own would have been answered. */
function statusOf(method: string, kind: Subject['kind']): number {
  if (method === 'POST') return 201;
  return method === 'DELETE' || (method === 'PATCH' && kind === 'group') ? 204 : 200;
}
