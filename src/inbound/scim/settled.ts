import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Subject } from '../../directory/subjects.ts';
import { deliveryHeader, describeDeliveries, failureOfDeliveries } from '../delivery.ts';
import { type ScimParts, sendJson } from './parts.ts';
import { locationOf } from './resources.ts';

/**
 * Answers a committed write: at once when no blocking binding concerns it, else when its targets have it or the time is
 * up, with the header `Purvey-Delivery`. A binding may turn the answer into an error; the change stays what it is.
 */
export async function answerSettled(
  parts: ScimParts,
  request: FastifyRequest,
  reply: FastifyReply,
  subject: Subject,
  answer: () => FastifyReply | Promise<FastifyReply>,
): Promise<FastifyReply> {
  const deliveries = await parts.door.settle({ caller: parts.callerOf(request), subject }, request, reply);
  if (deliveries.length === 0) return answer();
  reply.header(deliveryHeader, describeDeliveries(deliveries));
  const failure = failureOfDeliveries(deliveries);
  if (!failure) return answer();
  // Of what was deleted there is no place any more.
  if (subject.life !== 'gone') reply.header('location', locationOf(subject, parts.baseUrlOf(request)));
  const { codec } = parts;
  return sendJson(codec, reply, failure.status, codec.writeError(failure.status, failure.detail));
}
