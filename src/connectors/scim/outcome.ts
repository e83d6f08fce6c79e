import type { Secret } from '../../base/secret.ts';
import type { Answer } from '../../outbound/courier.ts';
import { hideSecrets } from '../../outbound/redact.ts';
import type { Absent, Exists, Failure } from '../connector.ts';
import { isObject } from './resource.ts';

/**
 * What was asked. `create` and `search` go to an endpoint (`/Users`), the others to one resource of it
 * (`/Users/{id}`), `config` to ServiceProviderConfig.
 */
export type Verb = 'create' | 'update' | 'password' | 'members' | 'remove' | 'read' | 'search' | 'config';

export type Asked<V extends Verb = Verb> = {
  verb: V;
  url: string;
  /** Hidden in whatever the target says. */
  secrets: readonly Secret[];
  /** Milliseconds since 1970; for a Retry-After that is a date. */
  now: number;
  /** The credentials were a token fetched for an earlier attempt: they may simply have been recalled. */
  oldToken?: boolean;
};

export type Verdict<V extends Verb> =
  | Failure
  | (V extends 'create' | 'update' ? Exists : never)
  | (V extends 'update' | 'password' | 'members' | 'remove' | 'read' ? Absent : never);

/**
 * How an answer that is not a success counts; undefined for 2xx, which the caller judges by its content.
 *
 * | answer | counts as | why |
 * | --- | --- | --- |
 * | not sent | `unavailable`, target (a passed deadline: account) | nobody got it |
 * | timeout, closed, half an answer | `unknown` | RFC 9110 section 9.2.2: it may have been applied |
 * | 3xx | `unavailable`, lane; 303 and 304 `unknown` | redirects are not followed: credentials would go along; 303 may follow a done POST |
 * | 400 `uniqueness`, 409 | `exists` on create and update | RFC 7644 section 3.12; some send 400 with the scimType |
 * | 409 on a password | `refused` | it holds no name; targets say so that it was used before |
 * | 409 elsewhere | `unknown` | a conflict that may pass; tries are counted |
 * | 400, 413, 422 | `refused` | this body will never be taken |
 * | 401 | `unavailable`, target | credentials; with a remembered token first: account, since the next attempt fetches another |
 * | 403 on search or config | `unavailable`, lane | it is about the credentials' rights, not about anyone |
 * | 403 elsewhere | `refused`; with `insufficient_scope` (RFC 6750 section 3.1) `unavailable`, target | one person that may not be touched must not stop all others; ten in a row hold the lane (`lanes.ts`) |
 * | 404, 410 on a resource | `absent` | RFC 7644 section 3.12; the engine confirms it |
 * | 404, 405, 406, 410, 415, 501 on an endpoint | `unavailable`, lane | wrong endpoint, or none |
 * | 405, 501 on PATCH | handled by the connector before it comes here | it can then PUT |
 * | 429 | `unavailable`, target, throttled | RFC 6585 section 4 |
 * | 503 | `unavailable`, account, when it changes nothing, carries Retry-After (RFC 9110 section 10.2.3) or a SCIM error; else `unknown` | gateways send bare 503 also for connections that broke after the request was through |
 * | 500, 502, 504, anything else | `unknown` | it may have been applied |
 */
export function judge<V extends Verb>(answer: Answer, asked: Asked<V>): Verdict<V> | undefined {
  return judgeAny(answer, asked) as Verdict<V> | undefined;
}

function judgeAny(answer: Answer, asked: Asked): Failure | Absent | Exists | undefined {
  if (answer.ended === 'not-sent') {
    const scope = answer.cause === 'deadline' ? 'account' : 'target';
    return { outcome: 'unavailable', scope, reason: answer.reason };
  }
  if (answer.ended === 'unknown') return { outcome: 'unknown', reason: answer.reason };
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;

  const { verb } = asked;
  const onResource = verb !== 'create' && verb !== 'search' && verb !== 'config';
  const changes = verb !== 'read' && verb !== 'search' && verb !== 'config';
  const error = readError(answer.body);
  const said = describeAnswer(answer, asked.secrets);
  const unavailable = (scope: 'account' | 'lane' | 'target', reason: string): Failure => {
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'], asked.now);
    return { outcome: 'unavailable', scope, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), reason };
  };

  switch (status) {
    case 400:
      if (error.scimType === 'uniqueness' && (verb === 'create' || verb === 'update')) {
        return { outcome: 'exists', reason: said };
      }
      return { outcome: 'refused', reason: said };
    case 409:
      if (verb === 'create' || verb === 'update') return { outcome: 'exists', reason: said };
      return { outcome: verb === 'password' ? 'refused' : 'unknown', reason: said };
    case 413:
    case 422:
      return { outcome: 'refused', reason: said };
    case 401:
      if (asked.oldToken) return unavailable('account', `${said}; the access token is dropped and fetched anew`);
      return unavailable('target', `${said}: the credentials were not accepted; check the authentication settings`);
    case 403:
      if (/insufficient_scope/i.test(answer.headers['www-authenticate'] ?? '')) {
        return unavailable('target', `${said}: the credentials lack a scope; grant it and test the connection`);
      }
      if (verb === 'search' || verb === 'config') {
        return unavailable('lane', `${said}: the credentials have no right to ask ${asked.url}`);
      }
      return { outcome: 'refused', rights: true, reason: said };
    case 404:
    case 410:
      if (onResource) return { outcome: 'absent', reason: said };
      return unavailable('lane', `${said}: there is nothing at ${asked.url}; check the endpoint`);
    case 405:
    case 406:
    case 415:
    case 501:
      if (onResource && status !== 405 && status !== 501) return { outcome: 'refused', reason: said };
      return unavailable('lane', `${said}: ${asked.url} does not do this; check the endpoint`);
    case 429:
      return { ...unavailable('target', said), throttled: true } as Failure;
    case 503: {
      const documented = answer.headers['retry-after'] !== undefined || error.scim;
      return !changes || documented ? unavailable('account', said) : { outcome: 'unknown', reason: said };
    }
    case 303:
    case 304:
      return { outcome: 'unknown', reason: said };
  }
  if (status >= 300 && status < 400) {
    const to = hideSecrets((answer.headers.location ?? 'nowhere').slice(0, 200), asked.secrets);
    return unavailable('lane', `${asked.url} answers ${status}, a redirect to ${to}; set the endpoint to where it is`);
  }
  return { outcome: 'unknown', reason: said };
}

/** An answer in words: its status and the target's own explanation, bounded, without secrets. */
export function describeAnswer(answer: Answer & { ended: 'answered' }, secrets: readonly Secret[]): string {
  const { detail, scimType } = readError(answer.body);
  const words = [scimType, detail].filter((part) => part !== undefined).join(': ');
  // The reason goes on in most places that show it.
  const said = bound(hideSecrets(words, secrets)).replace(/\.$/, '');
  if (said !== '') return `the target answered ${answer.status}: ${said}`;
  const page = /^\s*</.test(answer.text) ? ' with a web page' : '';
  return `the target answered ${answer.status}${page} without an explanation`;
}

type TargetError = { scim: boolean; scimType?: string; detail?: string };

/** RFC 7644 section 3.12, draft-scim-api-01 section 3.9, and where other APIs put their explanation. */
function readError(body: unknown): TargetError {
  if (!isObject(body)) return { scim: false };
  const first = Array.isArray(body.Errors) ? body.Errors[0] : undefined;
  if (isObject(first)) {
    const { description } = first;
    return typeof description === 'string' && description !== '' ? { scim: true, detail: description } : { scim: true };
  }
  const { schemas } = body;
  const scim =
    Array.isArray(schemas) &&
    schemas.some(
      (urn) => typeof urn === 'string' && urn.toLowerCase() === 'urn:ietf:params:scim:api:messages:2.0:error',
    );
  const text = (key: string) => {
    const value = body[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const error: TargetError = { scim };
  const scimType = text('scimType');
  const detail = text('detail') ?? text('error_description') ?? text('message') ?? text('title') ?? text('error');
  if (scimType !== undefined) error.scimType = scimType;
  if (detail !== undefined) error.detail = detail;
  return error;
}

function bound(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  const clean = text.replace(/[\u0000-\u001f\u007f\s]+/g, ' ').trim();
  return clean.length > 500 ? `${clean.slice(0, 500).toWellFormed()}…` : clean;
}

const longestPatience = 24 * 3_600_000;

/** Seconds or a date (RFC 9110 section 10.2.3) as milliseconds from `now`, at most a day; undefined when it is neither. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.ceil(ms)), longestPatience) : undefined;
}
