import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InteractionResults, Provider } from 'oidc-provider';
import type { Logger } from '../../base/log.ts';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import { readPresent } from '../../directory/subjects.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Store } from '../../store/store.ts';
import type { Credentials } from '../credentials.ts';
import { findClient, type OAuthClient, personScopes } from '../oauth-clients.ts';
import { style, stylePath, writeConsentPage, writeErrorPage, writeSignInPage } from './pages.ts';

const formBytes = 16_384;

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;
type Asked = { interaction: Interaction; client: OAuthClient; application: string; place: string };

/**
 * Where the authorization server sends people to: to sign in with user name and password, and to agree that an
 * application may know them. A step is tied to the browser that began it by a cookie that no other site can make it send
 * along (`SameSite=Lax`, forms are sent by POST).
 */
export function signInPages(given: {
  provider: () => Promise<Provider>;
  store: Store;
  credentials: Credentials;
  log: Logger;
}) {
  const { store, credentials, log } = given;

  const readAsked = async (request: FastifyRequest, reply: FastifyReply): Promise<Asked> => {
    const provider = await given.provider();
    const interaction = await provider.interactionDetails(request.raw, reply.raw);
    const { uid } = request.params as { uid: string };
    const client = await store.read((reading) => findClient(reading, String(interaction.params.client_id)));
    if (interaction.uid !== uid || !client) throw new Problem('notFound', 'this sign-in is over');
    const { name } = await store.read((reading) => readServiceProvider(reading, client.spId));
    return {
      interaction,
      client,
      application: name,
      place: request.url.split('?')[0]!.replace(/\/(login|consent|cancel)$/, ''),
    };
  };

  const finish = async (request: FastifyRequest, reply: FastifyReply, result: InteractionResults): Promise<void> => {
    const provider = await given.provider();
    const where = await provider.interactionResult(request.raw, reply.raw, result, { mergeWithLastSubmission: true });
    reply.redirect(where, 303);
  };

  /** What the person agrees to is about them alone; what an application may do by itself, nobody can give it here. */
  const grant = async ({ interaction, client }: Asked): Promise<string> => {
    const provider = await given.provider();
    const accountId = interaction.session?.accountId;
    const known = interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined;
    const granted = known ?? new provider.Grant({ accountId: accountId!, clientId: client.clientId });
    for (const scope of scopesOf(interaction)) {
      if (isOfPerson(scope)) granted.addOIDCScope(scope);
      else granted.rejectOIDCScope(scope);
    }
    return granted.save();
  };

  return async (app: FastifyInstance): Promise<void> => {
    app.removeAllContentTypeParsers();
    const form = { parseAs: 'string', bodyLimit: formBytes } as const;
    app.addContentTypeParser<string>('application/x-www-form-urlencoded', form, (_request, body, done) => {
      done(null, new URLSearchParams(body));
    });
    app.setErrorHandler((error, request, reply) => {
      const isOver = (error as Error).name === 'SessionNotFound' || (error instanceof Problem && error.status === 404);
      if (isOver)
        return sendPage(reply.code(400), writeErrorPage('This sign-in is over, or was begun in another browser.'));
      if (error instanceof Problem) return sendPage(reply.code(error.status), writeErrorPage(error.message));
      log.error({ route: request.routeOptions.url, error: (error as Error).stack }, 'a page for signing in failed');
      return sendPage(reply.code(500), writeErrorPage('The server failed; its log says why.'));
    });

    app.get(stylePath, async (_, reply) =>
      reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=3600').send(style),
    );

    app.get('/sign-in/:uid', async (request, reply) => {
      const asked = await readAsked(request, reply);
      const { interaction, client } = asked;
      if (interaction.prompt.name === 'login') return sendSignIn(reply, asked, '');
      if (client.consent === 'none') {
        return finish(request, reply, { consent: { grantId: await grant(asked) } });
      }
      const user = await store.read((reading) => readPresent(reading, 'user', interaction.session?.accountId ?? ''));
      const page = writeConsentPage({
        ...asked,
        name: user?.fullName ?? '',
        scopes: scopesOf(interaction).filter(isOfPerson),
      });
      return sendPage(reply, page, client);
    });

    app.post('/sign-in/:uid/login', async (request, reply) => {
      const asked = await readAsked(request, reply);
      const name = fieldOf(request, 'name').trim();
      try {
        const { userId } = await credentials.signInUser(name, new Secret(fieldOf(request, 'password')));
        return finish(request, reply, { login: { accountId: userId, remember: false } });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return sendSignIn(reply.code(error.status === 401 ? 200 : error.status), asked, name, error.message);
      }
    });

    app.post('/sign-in/:uid/consent', async (request, reply) => {
      const asked = await readAsked(request, reply);
      if (asked.interaction.prompt.name !== 'consent') throw new Problem('notFound', 'nothing is asked');
      return finish(request, reply, { consent: { grantId: await grant(asked) } });
    });

    app.post('/sign-in/:uid/cancel', async (request, reply) => {
      await readAsked(request, reply);
      const why = 'the person who was asked said no';
      return finish(request, reply, { error: 'access_denied', error_description: why });
    });
  };
}

const isOfPerson = (scope: string) => (personScopes as readonly string[]).includes(scope);
const scopesOf = ({ params }: Interaction) =>
  String(params.scope ?? '')
    .split(' ')
    .filter((scope) => scope !== '');

function fieldOf({ body }: FastifyRequest, name: string): string {
  return body instanceof URLSearchParams ? (body.get(name) ?? '') : '';
}

function sendSignIn(reply: FastifyReply, asked: Asked, name: string, trouble?: string): FastifyReply {
  const page = writeSignInPage({ ...asked, name, ...(trouble === undefined ? {} : { trouble }) });
  return sendPage(reply, page, asked.client);
}

/** Browsers hold a form to where it ends up: at the application, after a redirect. */
function sendPage(reply: FastifyReply, page: string, client?: OAuthClient): FastifyReply {
  const ends = (client?.redirectUris ?? []).map((uri) =>
    /^https?:/.test(uri) ? new URL(uri).origin : new URL(uri).protocol,
  );
  const policy = [
    `default-src 'none'`,
    `style-src 'self'`,
    `form-action ${[...new Set([`'self'`, ...ends])].join(' ')}`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ];
  return reply
    .header('content-security-policy', policy.join('; '))
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .header('x-content-type-options', 'nosniff')
    .type('text/html; charset=utf-8')
    .send(page);
}
