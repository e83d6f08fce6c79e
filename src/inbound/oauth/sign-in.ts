import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InteractionResults, Provider } from 'oidc-provider';
import type { Logger } from '../../base/log.ts';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import { readPresent } from '../../directory/subjects.ts';
import { listSignInChoices, type SignInChoice } from '../../provisioning/federations.ts';
import { listUnrequested, type PersonClaim } from '../../provisioning/requested-claims.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Store } from '../../store/store.ts';
import type { Credentials } from '../credentials.ts';
import { findClient, type OAuthClient, personScopes } from '../oauth-clients.ts';
import { handOver, loginPath, takeOver } from '../sign-in-handover.ts';
import { sendPage, style, stylePath, writeErrorPage, writeOnwardPage } from '../sign-in-page.ts';
import { writeConsentPage, writeSignInPage } from './pages.ts';
import { addSignOutPost } from './sign-out.ts';

const formBytes = 16_384;

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;
type Asked = {
  interaction: Interaction;
  client: OAuthClient;
  application: string;
  requested: PersonClaim[];
  place: string;
};

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
    const { name, requestedClaims } = await store.read((reading) => readServiceProvider(reading, client.spId));
    return {
      interaction,
      client,
      application: name,
      requested: requestedClaims,
      place: request.url.split('?')[0]!.replace(/\/(login|consent|cancel|known|through\/[^/]+)$/, ''),
    };
  };

  const finish = async (request: FastifyRequest, reply: FastifyReply, result: InteractionResults): Promise<void> => {
    const provider = await given.provider();
    const address = await provider.interactionResult(request.raw, reply.raw, result, { mergeWithLastSubmission: true });
    if (request.method === 'GET') reply.redirect(address, 303);
    else sendPage(reply, writeOnwardPage({ title: 'One moment', says: 'You go on to the application.', address }));
  };

  /** What the person agrees to is about them alone; what an application may do by itself, nobody can give it here. */
  const grant = async ({ interaction, client, requested }: Asked): Promise<string> => {
    const provider = await given.provider();
    const accountId = interaction.session?.accountId;
    const known = interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined;
    const granted = known ?? new provider.Grant({ accountId: accountId!, clientId: client.clientId });
    for (const scope of scopesOf(interaction)) {
      if (isOfPerson(scope)) granted.addOIDCScope(scope);
      else granted.rejectOIDCScope(scope);
    }
    // What nobody was asked about is not told later either, until they agree to it; where nobody is asked, the settings
    // alone count.
    if (granted.rejected?.openid) granted.rejected.openid.claims = [];
    if (client.consent !== 'none') granted.rejectOIDCClaims(listUnrequested(requested));
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
      if (interaction.prompt.name === 'login') {
        const choices = await store.read(listSignInChoices);
        const { choose } = request.query as { choose?: unknown };
        const realm = choose === undefined ? chooseByRealm(choices, interaction) : undefined;
        if (realm) return reply.redirect(addressOf(asked, realm), 303);
        return sendSignIn(reply, asked, { name: '', choices });
      }
      if (client.consent === 'none') {
        return finish(request, reply, { consent: { grantId: await grant(asked) } });
      }
      const user = await store.read((reading) => readPresent(reading, 'user', interaction.session?.accountId ?? ''));
      const page = writeConsentPage({
        ...asked,
        name: user?.fullName ?? '',
        scopes: scopesOf(interaction).filter(isOfPerson),
      });
      return sendPage(reply, page);
    });

    app.post('/sign-in/:uid/login', async (request, reply) => {
      const asked = await readAsked(request, reply);
      const name = fieldOf(request, 'name').trim();
      const choices = await store.read(listSignInChoices);
      const home = choices.find(({ domains }) => domains.includes(name.slice(name.lastIndexOf('@') + 1).toLowerCase()));
      if (home && name.includes('@')) {
        const onward = { title: `On to ${home.label}`, says: 'You sign in there.', address: addressOf(asked, home) };
        return sendPage(reply, writeOnwardPage(onward));
      }
      try {
        const { userId } = await credentials.signInUser(name, new Secret(fieldOf(request, 'password')));
        return finish(request, reply, { login: { accountId: userId, remember: false } });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const code = error.status === 401 ? 200 : error.status;
        return sendSignIn(reply.code(code), asked, { name, choices, trouble: error.message });
      }
    });

    app.get('/sign-in/:uid/through/:idp', async (request, reply) => {
      const asked = await readAsked(request, reply);
      const { interaction, client, place } = asked;
      const { idp } = request.params as { idp: string };
      const choice = (await store.read(listSignInChoices)).find((one) => String(one.id) === idp);
      if (!choice || interaction.prompt.name !== 'login') throw new Problem('notFound', 'this sign-in is over');
      const { clientId, spId } = client;
      const begun = { uid: interaction.uid, place, idpId: choice.id, clientId, spId };
      const word = await handOver(store, 'begun', begun);
      return reply.redirect(`${loginPath}/${encodeURIComponent(choice.name)}?begun=${word}`, 303);
    });

    /** Back from another identity provider. The word alone is not enough: it has to come from the browser that began. */
    app.get('/sign-in/:uid/known', async (request, reply) => {
      const { interaction, client } = await readAsked(request, reply);
      const { word } = request.query as { word?: unknown };
      const known = await takeOver(store, 'known', String(word));
      if (known?.uid !== interaction.uid || known.clientId !== client.clientId) {
        throw new Problem('notFound', 'this sign-in is over');
      }
      return finish(request, reply, { login: { accountId: known.userId, remember: false } });
    });

    app.post('/sign-in/:uid/consent', async (request, reply) => {
      const asked = await readAsked(request, reply);
      if (asked.interaction.prompt.name !== 'consent') throw new Problem('notFound', 'nothing is asked');
      return finish(request, reply, { consent: { grantId: await grant(asked) } });
    });

    addSignOutPost(app);

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

function chooseByRealm(choices: readonly SignInChoice[], { params }: Interaction): SignInChoice | undefined {
  const realm = params.fidp ?? params.home_realm;
  return typeof realm === 'string' ? choices.find(({ homeRealmId }) => homeRealmId === realm) : undefined;
}

function addressOf({ place }: Asked, { id }: SignInChoice): string {
  return `${place}/through/${id}`;
}

function sendSignIn(
  reply: FastifyReply,
  asked: Asked,
  { name, choices, trouble }: { name: string; choices: readonly SignInChoice[]; trouble?: string },
): FastifyReply {
  const offers = choices.map((choice) => ({ label: choice.label, address: addressOf(asked, choice) }));
  const byAddress = choices.some(({ domains }) => domains.length > 0);
  const page = writeSignInPage({ ...asked, name, offers, byAddress, ...(trouble === undefined ? {} : { trouble }) });
  return sendPage(reply, page);
}
