import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Provider } from 'oidc-provider';
import { signOutRoute } from './sign-out.ts';

export const oauthPath = '/oauth2';
const discovery = '/.well-known/openid-configuration';

/**
 * OAuth 2.0 and OpenID Connect under `/oauth2`: authorize, token (RFC 6749), userinfo, introspection (RFC 7662),
 * revocation (RFC 7009), signing out, keys, and what describes it all, also where RFC 8414 section 3.1 looks for it. The
 * provider answers; it is opened with the first request, as only a server that listens knows its own address.
 */
export function oauthDoor(given: { provider: () => Promise<Provider> }) {
  const answer = async ({ raw }: FastifyRequest, reply: FastifyReply, url: string): Promise<void> => {
    const provider = await given.provider();
    // The provider takes from it under which path it lies.
    Object.assign(raw, { originalUrl: `${oauthPath}${url}`, url });
    reply.hijack();
    await provider.callback()(raw, reply.raw);
  };
  return async (app: FastifyInstance): Promise<void> => {
    // The provider reads the body itself, and bounds it.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const paths = [
      '/authorize',
      '/authorize/:uid',
      '/token',
      '/userinfo',
      '/introspect',
      '/revoke',
      '/jwks',
      `${signOutRoute}/confirm`,
      discovery,
    ];
    for (const path of paths) {
      const url = `${oauthPath}${path}`;
      app.all(url, (request, reply) => answer(request, reply, (request.raw.url ?? url).slice(oauthPath.length)));
    }
    // By POST it is ours: `addSignOutPost`.
    app.get(`${oauthPath}${signOutRoute}`, (request, reply) =>
      answer(request, reply, (request.raw.url ?? '').slice(oauthPath.length)),
    );
    app.get(`/.well-known/oauth-authorization-server${oauthPath}`, (request, reply) =>
      answer(request, reply, discovery),
    );
  };
}
