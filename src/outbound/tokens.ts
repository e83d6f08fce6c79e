import type { Clock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import type { Answer, Courier, OutboundRequest } from './courier.ts';
import { hideSecrets } from './redact.ts';

export type ClientCredentials = {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: Secret;
  scope?: string;
  /** RFC 6749 section 2.3.1: in the Authorization header (`basic`) or among the form fields (`post`). */
  clientAuthentication: 'basic' | 'post';
};

/** `fresh`: fetched for this very question, not remembered from an earlier one. */
export type Token = { ended: 'token'; token: Secret; fresh: boolean };
/** Why there is none. `answer` is what the token endpoint said, for its status and Retry-After. */
export type NoToken = { ended: 'no-token'; reason: string; answer: Answer };

export interface Tokens {
  /**
   * A token to use now; fetches one when none is remembered. Callers that ask while a fetch is under way share it, and
   * the exchange stands in the attempt that began it.
   */
  get(courier: Courier): Promise<Token | NoToken>;
  /** Drops this token, if it is still the remembered one: the target did not accept it. */
  forget(token: Secret): void;
}

/** RFC 6749 section 5.1 only recommends `expires_in`; a token without it is fetched anew after this. */
const lifetimeUnsaid = 300;

/** OAuth 2.0 client credentials (RFC 6749 section 4.4), remembered until shortly before the token expires. */
export function openTokens(clock: Clock, credentials: ClientCredentials): Tokens {
  let held: { token: Secret; until: number } | undefined;
  let fetching: Promise<Token | NoToken> | undefined;

  async function fetchToken(courier: Courier): Promise<Token | NoToken> {
    const asked = clock.monotonic();
    const answer = await courier.read(tokenRequest(credentials));
    const read = readToken(answer, credentials);
    if ('reason' in read) return { ended: 'no-token', reason: read.reason, answer };
    // Shortly before: a minute, but never so early that a short-lived token is of no use.
    const margin = Math.min(60, read.seconds / 5);
    held = { token: read.token, until: asked + (read.seconds - margin) * 1000 };
    return { ended: 'token', token: read.token, fresh: true };
  }

  return {
    async get(courier) {
      if (held && clock.monotonic() < held.until) return { ended: 'token', token: held.token, fresh: false };
      fetching ??= fetchToken(courier).finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    forget(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

function tokenRequest(credentials: ClientCredentials): OutboundRequest {
  const { clientId, clientSecret, scope } = credentials;
  const form: Record<string, string> = { grant_type: 'client_credentials' };
  if (scope !== undefined && scope !== '') form.scope = scope;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (credentials.clientAuthentication === 'post') {
    form.client_id = clientId;
    form.client_secret = clientSecret.reveal();
  } else {
    const pair = `${encodeFormField(clientId)}:${encodeFormField(clientSecret.reveal())}`;
    headers.authorization = `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  }
  return { method: 'POST', url: credentials.tokenEndpoint, headers, form, secrets: [clientSecret] };
}

/** RFC 6749 section 2.3.1: both are form-encoded before they are joined. */
function encodeFormField(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}

function readToken(
  answer: Answer,
  credentials: ClientCredentials,
): { token: Secret; seconds: number } | { reason: string } {
  if (answer.ended !== 'answered') return { reason: `no token: ${answer.reason}` };
  const body = typeof answer.body === 'object' && answer.body !== null ? (answer.body as Record<string, unknown>) : {};
  if (answer.status !== 200) {
    const said = [body.error, body.error_description].filter((part) => typeof part === 'string').join(': ');
    const detail = said === '' ? '' : ` (${hideSecrets(said.slice(0, 300), [credentials.clientSecret])})`;
    return { reason: `the token endpoint answered ${answer.status}${detail}; check client, secret and scope` };
  }
  const token = body.access_token;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    return { reason: 'the token endpoint answered 200 without a usable access_token; check its address' };
  }
  const type = body.token_type;
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') {
    return { reason: `the token endpoint gave a token of type ${type.slice(0, 40)}; only Bearer can be used` };
  }
  const seconds = Number(body.expires_in ?? lifetimeUnsaid);
  return { token: new Secret(token), seconds: Number.isFinite(seconds) && seconds > 0 ? seconds : lifetimeUnsaid };
}
