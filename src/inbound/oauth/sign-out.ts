import type { FastifyInstance } from 'fastify';
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { readPresent } from '../../directory/subjects.ts';
import { listSignInChoices } from '../../provisioning/federations.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Store } from '../../store/store.ts';
import { findClient } from '../oauth-clients.ts';
import { pageHeaders, sendPage, writeErrorPage, writeOnwardPage } from '../sign-in-page.ts';
import { wordOf, writeSignedOutPage, writeSignOutPage } from './sign-out-pages.ts';

/**
 * Signing out from the application's side (OpenID Connect RP-Initiated Logout 1.0). The library checks what is asked and
 * ends the session; what people see is ours:
 *
 *     /logout --somebody is signed in--> asks --Sign out--> the session and what came of it end --> the application, if
 *        |                                 '---Stay-------> what this application has ends -------^  it named an address
 *        '-------nobody is-----------------------------------------------------------------------'
 */
export const signOutRoute = '/logout';

/** Asks who is signed in. `place`: the address of the route, as the browser sees it. */
export async function askToSignOut(store: Store, ctx: KoaContextWithOIDC, place: string): Promise<void> {
  const { client } = ctx.oidc;
  const session = ctx.oidc.session!;
  const { name, application, others } = await store.read(async (reading) => {
    const user = await readPresent(reading, 'user', session.accountId!);
    const known = client && (await findClient(reading, client.clientId));
    return {
      name: user?.fullName,
      application: known && (await readServiceProvider(reading, known.spId)).name,
      others: (await listSignInChoices(reading)).map(({ label }) => label),
    };
  });
  const { secret } = session.state as { secret: string };
  show(ctx, writeSignOutPage({ place, secret, name, application, others }));
}

/** Puts our pages in the place of what the library answers; a middleware of it. */
export async function answerSignOut(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (ctx.status >= 400) return;
  if (ctx.oidc?.route === 'end_session' && !ctx.oidc.session?.accountId) await letGo(ctx);
  if (ctx.oidc?.route === 'end_session_confirm') goOn(ctx);
}

/** Nobody is signed in, so that there is nothing to ask: the library would have a script send the form. */
async function letGo(ctx: KoaContextWithOIDC): Promise<void> {
  const session = ctx.oidc.session!;
  const { postLogoutRedirectUri, state } = session.state as { postLogoutRedirectUri?: string; state?: string };
  // That nobody asked is nothing to remember.
  await session.destroy();
  if (postLogoutRedirectUri === undefined) {
    show(ctx, writeSignedOutPage(true));
    return;
  }
  const address = new URL(postLogoutRedirectUri);
  if (state !== undefined) address.searchParams.set('state', state);
  ctx.status = 303;
  ctx.redirect(address.href);
}

function goOn(ctx: KoaContextWithOIDC): void {
  const address = ctx.response.get('location');
  const isOut = ctx.oidc.params?.logout !== undefined;
  ctx.remove('location');
  // Where no address is known, the library goes on to a page of its own.
  const isEnd = address.startsWith(ctx.oidc.urlFor('end_session_success'));
  const onward = { title: wordOf(isOut), says: 'You go back to the application.', address };
  show(ctx, isEnd ? writeSignedOutPage(isOut) : writeOnwardPage(onward));
}

function show(ctx: KoaContextWithOIDC, page: string, status = 200): void {
  ctx.status = status;
  ctx.set(pageHeaders);
  ctx.body = page;
}

const meanings: Readonly<Record<string, string>> = {
  'post_logout_redirect_uri not registered':
    'The application wants to have you sent to an address that is not among those that it has registered for signing out (postLogoutRedirectUris). An administrator has to add it.',
  'could not decode id_token_hint': 'The application showed something that is no token of this server.',
  'could not validate id_token_hint':
    'The application showed a token that this server did not sign, or signed with a key that is gone.',
  'could not find logout details': 'This page is over.',
  'xsrf token invalid': 'This page is over: it was opened once more since.',
};

/** The page of a request that the authorization server refuses. `place`: where somebody signs out. */
export function showRefusal(ctx: KoaContextWithOIDC, out: ErrorOut, place: string): void {
  const said = out.error_description ?? out.error;
  const isSignOut = ctx.oidc?.route?.startsWith('end_session') === true;
  const why = (isSignOut && meanings[said]) || said;
  // Whoever wanted to sign out still can: what is asked without an application is always in order.
  const onward = isSignOut ? { word: 'Sign out all the same', address: place } : undefined;
  show(ctx, writeErrorPage(why, onward), ctx.status);
}

/**
 * An application may also post. What another site posts comes without the cookie of the session, so the browser asks once
 * more by GET, from here.
 */
export function addSignOutPost(app: FastifyInstance): void {
  app.post(signOutRoute, async (request, reply) => {
    const asked = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const onward = {
      title: 'One moment',
      says: 'You go on to sign out.',
      address: `${request.url.split('?')[0]}?${asked}`,
    };
    return sendPage(reply, writeOnwardPage(onward));
  });
}
