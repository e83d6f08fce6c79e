import { Secret } from '../../../src/base/secret.ts';
import type { FakeRequest } from './scim2-request.ts';
import { Refusal, refuse } from './scim2-rules.ts';

export type FakeAuth =
  | { mode: 'none' }
  | { mode: 'basic'; username: string; password: string }
  | { mode: 'bearer'; token: string }
  | { mode: 'apiKey'; header: string; value: string }
  | {
      mode: 'oauth';
      clientId: string;
      clientSecret: string;
      client: 'basic' | 'post';
      expiresIn?: number;
      scope?: string;
    };

/** Who may ask, and the tokens that were given. */
export type FakeDoor = {
  /** Throws a 401 unless the request carries the credentials. */
  check(request: FakeRequest): void;
  /** The token endpoint. */
  giveToken(request: FakeRequest): { status: number; body: unknown };
  recallTokens(): void;
};

export function makeFakeDoor(options: { auth: FakeAuth }): FakeDoor {
  const tokens = new Set<string>();
  let tokenCount = 0;
  return {
    check(request) {
      const { auth } = options;
      const sent = request.headers.authorization ?? '';
      const right = {
        none: () => true,
        basic: () => auth.mode === 'basic' && sent === basicOf(auth.username, auth.password),
        bearer: () => auth.mode === 'bearer' && sent === `Bearer ${auth.token}`,
        apiKey: () => auth.mode === 'apiKey' && request.headers[auth.header.toLowerCase()] === auth.value,
        oauth: () => tokens.has(sent.replace(/^Bearer /, '')),
      };
      if (!right[auth.mode]()) {
        const scheme = auth.mode === 'basic' ? 'Basic realm="fake"' : 'Bearer';
        throw new Refusal(401, undefined, 'sign in first', false, { 'www-authenticate': scheme });
      }
    },

    giveToken(request) {
      const { auth } = options;
      if (auth.mode !== 'oauth') return refuse(404, undefined, 'no tokens are given here');
      const form = Object.fromEntries(new URLSearchParams(String(request.body)));
      const wrong = (error: string) => ({ status: error === 'invalid_client' ? 401 : 400, body: { error } });
      const right =
        auth.client === 'basic'
          ? request.headers.authorization === basicOf(formEncode(auth.clientId), formEncode(auth.clientSecret))
          : form.client_id === auth.clientId && form.client_secret === auth.clientSecret;
      if (!right) return wrong('invalid_client');
      if (form.grant_type !== 'client_credentials') return wrong('unsupported_grant_type');
      if (auth.scope !== undefined && form.scope !== auth.scope) return wrong('invalid_scope');
      const token = `fake-token-${++tokenCount}`;
      tokens.add(token);
      return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: auth.expiresIn ?? 3600 } };
    },
    recallTokens: () => tokens.clear(),
  };
}

/** The connector settings that sign in so. */
export function authSettings(auth: FakeAuth, tokenEndpoint: string): Record<string, string | Secret> {
  switch (auth.mode) {
    case 'none':
      return { 'scim2-username': 'nobody', 'scim2-password': new Secret('nothing') };
    case 'basic':
      return { 'scim2-username': auth.username, 'scim2-password': new Secret(auth.password) };
    case 'bearer':
      return { 'scim2-authentication-mode': 'bearer', 'scim2-access-token': new Secret(auth.token) };
    case 'apiKey':
      return {
        'scim2-authentication-mode': 'apiKey',
        'scim2-api-key-header': auth.header,
        'scim2-api-key-value': new Secret(auth.value),
      };
    case 'oauth':
      return {
        'scim2-authentication-mode': 'oauth2ClientCredentials',
        'scim2-token-endpoint': tokenEndpoint,
        'scim2-client-id': auth.clientId,
        'scim2-client-secret': new Secret(auth.clientSecret),
        'scim2-client-authentication': auth.client,
        ...(auth.scope === undefined ? {} : { 'scim2-scope': auth.scope }),
      };
  }
}

function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function formEncode(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}
