import type { Secret } from '../../base/secret.ts';
import type { Answer, Courier, OutboundRequest } from '../../outbound/courier.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { openTokens } from '../../outbound/tokens.ts';
import type { Failure } from '../connector.ts';
import { type Asked, judge, readRetryAfter, type Verb, type Verdict } from './outcome.ts';

export type Authentication =
  | { mode: 'basic'; username: string; password: Secret }
  | { mode: 'bearer'; token: Secret }
  | { mode: 'apiKey'; header: string; value: Secret }
  | {
      mode: 'oauth2ClientCredentials';
      tokenEndpoint: string;
      clientId: string;
      clientSecret: Secret;
      clientAuthentication: 'basic' | 'post';
      scope?: string;
    };

export type WireSettings = {
  authentication: Authentication;
  defaultPassword: Secret | undefined;
  /** Of bodies. Default: RFC 7644 section 3.1. */
  mediaType?: string;
  /** Sent with every request, beside those of the sign-in. */
  headers?: Readonly<Record<string, string>>;
};

export type Said = Pick<OutboundRequest, 'method' | 'url' | 'body'> & {
  headers?: Readonly<Record<string, string>>;
  /** Beside those of the settings. */
  secrets?: readonly Secret[];
};

export type Heard<V extends Verb> =
  | { answer: Answer & { ended: 'answered' }; verdict?: undefined; asked: Asked<V> }
  | { answer?: Answer & { ended: 'answered' }; verdict: Verdict<V> | Failure; asked: Asked<V> };

/** One target's line: its credentials and headers, and the judgement of what comes back. */
export interface Wire {
  /** Says one signed-in request. Without `verdict` the answer is a 2xx whose content is still to be judged. */
  ask<V extends Verb>(courier: Courier, verb: V, said: Said): Promise<Heard<V>>;
  /** Asks without credentials, only to see whether anybody is there. */
  knock(courier: Courier, url: string): Promise<Answer>;
}

const scimMediaType = 'application/scim+json';
/**
 * RFC 7240 section 4.3: whoever passes a change on need not wait for where it goes from there. Two servers that are each
 * other's targets would wait for each other.
 */
const noWaiting = { prefer: 'wait=0' };

export function openWire(settings: WireSettings, outbound: Outbound): Wire {
  const { authentication, mediaType = scimMediaType, headers: own = {} } = settings;
  const accept = mediaType === scimMediaType ? `${scimMediaType}, application/json` : mediaType;
  const { clock } = outbound;
  const tokens = authentication.mode === 'oauth2ClientCredentials' ? openTokens(clock, authentication) : undefined;
  const signIn = fixedHeaders(settings);
  const secrets = secretsOf(settings);

  return {
    async ask(courier, verb, said) {
      const asked: Asked<typeof verb> = {
        verb,
        url: said.url,
        secrets: said.secrets ? [...secrets, ...said.secrets] : secrets,
        now: clock.now(),
      };
      const changes = said.method !== 'GET';
      const headers: Record<string, string> = {
        accept,
        ...(said.body === undefined ? {} : { 'content-type': mediaType }),
        ...(changes ? noWaiting : {}),
        ...own,
        ...said.headers,
        ...signIn,
      };
      let token: Secret | undefined;
      if (tokens) {
        const got = await tokens.get(courier);
        if (got.ended === 'no-token') return { verdict: withoutToken(got.reason, got.answer, clock.now()), asked };
        token = got.token;
        headers.authorization = `Bearer ${token.reveal()}`;
        asked.secrets = [...asked.secrets, token];
        asked.oldToken = !got.fresh;
      }
      const request: OutboundRequest = {
        method: said.method,
        url: said.url,
        headers,
        secrets: asked.secrets,
        ...(said.body === undefined ? {} : { body: said.body }),
      };
      const answer = await (changes ? courier.mutate(request) : courier.read(request));
      asked.now = clock.now();
      if (token && answer.ended === 'answered' && answer.status === 401) tokens?.forget(token);
      const verdict = judge(answer, asked);
      if (answer.ended !== 'answered') return { verdict: verdict!, asked };
      return verdict === undefined ? { answer, asked } : { answer, verdict, asked };
    },
    knock(courier, url) {
      return courier.read({ method: 'GET', url, headers: { accept, ...own }, secrets });
    },
  };
}

/** Fetching a token changes nothing at the target, so whatever happened, nothing was applied. */
function withoutToken(reason: string, answer: Answer, now: number): Failure {
  const failure: Failure = { outcome: 'unavailable', scope: 'target', reason };
  if (answer.ended === 'answered') {
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'], now);
    if (retryAfterMs !== undefined) failure.retryAfterMs = retryAfterMs;
    if (answer.status === 429) failure.throttled = true;
  }
  return failure;
}

function fixedHeaders({ authentication }: WireSettings): Record<string, string> {
  switch (authentication.mode) {
    case 'basic': {
      const pair = `${authentication.username}:${authentication.password.reveal()}`;
      return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
    }
    case 'bearer':
      return { authorization: `Bearer ${authentication.token.reveal()}` };
    case 'apiKey':
      return { [authentication.header]: authentication.value.reveal() };
    case 'oauth2ClientCredentials':
      return {};
  }
}

function secretsOf({ authentication, defaultPassword }: WireSettings): Secret[] {
  const secrets = defaultPassword ? [defaultPassword] : [];
  switch (authentication.mode) {
    case 'basic':
      return [authentication.password, ...secrets];
    case 'bearer':
      return [authentication.token, ...secrets];
    case 'apiKey':
      return [authentication.value, ...secrets];
    case 'oauth2ClientCredentials':
      return [authentication.clientSecret, ...secrets];
  }
}
