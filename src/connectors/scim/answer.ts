import type { Answer } from '../../outbound/courier.ts';
import type { Done, Failure } from '../connector.ts';
import { isObject, readRemoteId } from './resource.ts';

export type Answered = Answer & { ended: 'answered' };

/**
 * A change is believed with 204, or with 200 and either nothing or a JSON object (RFC 7644 sections 3.5 and 3.6) that,
 * where it names an id, names ours. Anything else (202, a web page) leaves open whether it was done.
 */
export function judgeChanged(answer: Answered, remoteId?: string): Done | Failure {
  if (answer.status === 204) return { outcome: 'done' };
  if (answer.status === 200) {
    if (answer.text.trim() === '') return { outcome: 'done' };
    const answered = readRemoteId(answer.body);
    const ours = remoteId === undefined || answered === undefined || answered === remoteId;
    if (isObject(answer.body) && ours) return { outcome: 'done' };
  }
  return { outcome: 'unknown', reason: notThatResource(answer) };
}

export function notThatResource(answer: Answered): string {
  const page = /^\s*</.test(answer.text) ? 'a web page' : 'something else than this resource';
  return `the target answered ${answer.status} with ${page}; check the endpoint`;
}
