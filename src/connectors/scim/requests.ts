import type { Secret } from '../../base/secret.ts';
import type { Answer, Courier } from '../../outbound/courier.ts';
import type { Absent, CreateDone, Done, Exists, Failure, ReadDone, SubjectKind } from '../connector.ts';
import { type Dialect, scim2Dialect } from './dialect.ts';
import { describeAnswer } from './outcome.ts';
import { isObject, type JsonObject, readRemote, readRemoteId } from './resource.ts';
import type { Wire } from './wire.ts';

/** How a subject is called at the target: `there` is the user store domain of the settings, which replaces its own. */
export function writeName(there: string | undefined, domain: string, name: string): string {
  const place = there ?? domain;
  return place.toUpperCase() === 'PRIMARY' ? name : `${place}/${name}`;
}

/** Reads the one resource with this id. */
export async function readOne(
  { wire, dialect = scim2Dialect }: { wire: Wire; dialect?: Dialect },
  courier: Courier,
  url: string,
  { kind, remoteId }: { kind: SubjectKind; remoteId: string },
): Promise<ReadDone | Absent | Failure> {
  const heard = await wire.ask(courier, 'read', { method: 'GET', url });
  if (heard.verdict) return heard.verdict;
  const remote = heard.answer.status === 200 ? readRemote(kind, heard.answer.body, dialect) : undefined;
  if (remote?.remoteId === remoteId) return { outcome: 'done', remote };
  return { outcome: 'unknown', reason: notThatResource(heard.answer) };
}

/** Makes a resource, with a password if there is one. */
export async function createOne(
  wire: Wire,
  courier: Courier,
  url: string,
  resource: JsonObject,
  password: Secret | undefined,
): Promise<CreateDone | Exists | Failure> {
  const body = password ? { ...resource, password: password.reveal() } : resource;
  const secrets = password ? { secrets: [password] } : {};
  const heard = await wire.ask(courier, 'create', { method: 'POST', url, body, ...secrets });
  if (heard.verdict) return heard.verdict;
  const { answer, asked } = heard;
  const remoteId = answer.status === 200 || answer.status === 201 ? readRemoteId(answer.body) : undefined;
  if (remoteId !== undefined) return { outcome: 'done', remoteId };
  return { outcome: 'unknown', reason: `${describeAnswer(answer, asked.secrets)}, without the id of what it made` };
}

export async function removeOne(wire: Wire, courier: Courier, url: string): Promise<Done | Absent | Failure> {
  const heard = await wire.ask(courier, 'remove', { method: 'DELETE', url });
  return heard.verdict ?? judgeChanged(heard.answer);
}

/** Whether the target said that the method is not there (RFC 9110 sections 15.5.6 and 15.6.2). */
export function deniesMethod(answer: Answer | undefined): answer is Answered {
  return answer?.ended === 'answered' && (answer.status === 405 || answer.status === 501);
}

export function triesPutNext({ status }: Answered): Failure {
  const reason = `the target answered ${status} to PATCH; the next try sends the whole resource by PUT`;
  return { outcome: 'unavailable', scope: 'account', retryAfterMs: 0, reason };
}

/** A PUT without members would empty the group (RFC 7644 section 3.5.1, draft-scim-api-01 section 3.3.1). */
export const membersNotAtHand: Failure = {
  outcome: 'unavailable',
  scope: 'account',
  retryAfterMs: 0,
  reason: 'the target does no PATCH, and the members for a PUT of the whole group were not at hand',
};

type Answered = Answer & { ended: 'answered' };

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

function notThatResource(answer: Answered): string {
  const page = /^\s*</.test(answer.text) ? 'a web page' : 'something else than this resource';
  return `the target answered ${answer.status} with ${page}; check the endpoint`;
}
