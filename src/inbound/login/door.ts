import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import { makeFetch } from '../../outbound/fetch.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ResourceTypes } from '../../protocol/scim/schema.ts';
import { issuerOf } from '../../provisioning/federation-settings.ts';
import { type Federation, readFederation } from '../../provisioning/federations.ts';
import type { Waits } from '../../provisioning/wait.ts';
import type { Store } from '../../store/store.ts';
import { failureOfDeliveries } from '../delivery.ts';
import {
  type Asked,
  type Begun,
  handOver,
  loginPath,
  metadataUrlOf,
  redirectUriOf,
  takeOver,
} from '../sign-in-handover.ts';
import { sendPage, writeErrorPage } from '../sign-in-page.ts';
import { digestOf, isOfBrowser, random, readCookie, writeCookie } from './browser.ts';
import type { Claims } from './claims.ts';
import { openNameGuesses } from './name-guesses.ts';
import { addNewcomerRoutes, newcomerPath } from './newcomer.ts';
import { openOidcPeers } from './oidc.ts';
import type { Settled } from './person.ts';
import { describeSamlPlace, readSamlAnswer, type SamlPlace, samlAddressOf } from './saml.ts';
import { readGiven, settle } from './settle.ts';

/** Milliseconds that one request to an identity provider may take. */
const askMs = 10_000;
/** Of what an identity provider has a browser post here. */
const formBytes = 1_048_576;

type Parts = {
  store: Store;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  waits: Waits;
  key: SealingKey;
  /** How long the password of somebody new is kept for targets. */
  passwords: PasswordKeeping;
  types: ResourceTypes;
  /** Where browsers reach this server, without a slash at the end; known when it listens. */
  addressOf: () => string;
};

/**
 * Signing in through another identity provider: `/login/{idp}` sends somebody there, `/login/{idp}/callback` takes them
 * back, finds or makes who they are here, and hands them to the authorization server, whose sign-in they began. What
 * comes from there is untrusted: whatever is wrong with it, a page says so, and nothing is written.
 */
export function loginDoor(parts: Parts) {
  const { store, clock, log, outbound, waits, key, passwords, types } = parts;
  const fetch = makeFetch(outbound, { timeoutMs: askMs });
  const oidc = openOidcPeers({ fetch, now: () => clock.monotonic() });
  const guesses = openNameGuesses({ store, clock });
  /** Where to choose again, once it is known. */
  const ways = new WeakMap<FastifyRequest, { place: string; label: string }>();

  const findOpen = async (idOrName: string | number) => {
    const federation = await store.read((reading) => readFederation(reading, idOrName, key));
    const { authenticator } = federation.settings;
    if (authenticator?.enabled && federation.idp.enabled) return { federation, authenticator };
    throw new Problem('notFound', 'nobody signs in that way at present');
  };

  const note = (request: FastifyRequest, { idp }: Federation, { place }: { place: string }) =>
    ways.set(request, { place, label: idp.displayName ?? idp.name });

  const samlPlaceOf = ({ idp }: Federation): SamlPlace => ({
    entityId: metadataUrlOf(parts.addressOf(), idp.name),
    callback: redirectUriOf(parts.addressOf(), idp.name),
  });

  /** What was asked of the identity provider; once. */
  const takeAsked = async (state: unknown, isOurs: (asked: Asked) => boolean): Promise<Asked> => {
    const asked = typeof state === 'string' ? await takeOver(store, 'asked', state) : undefined;
    if (!asked || !isOurs(asked)) {
      throw new Problem('notFound', 'This sign-in is over, or was begun in another browser.');
    }
    return asked;
  };

  const waitFor = async (spId: number, { user, groups }: Settled): Promise<void> => {
    const all = await Promise.all([user, ...groups].map((subject) => waits.settle({ spId, subject, by: 'sign-in' })));
    const failure = failureOfDeliveries(all.flat());
    if (failure) throw new Problem('overloaded', `you are known here now, and may not go on yet. ${failure.detail}`);
  };

  return async (app: FastifyInstance): Promise<void> => {
    app.removeAllContentTypeParsers();
    const form = { parseAs: 'string', bodyLimit: formBytes } as const;
    app.addContentTypeParser<string>('application/x-www-form-urlencoded', form, (_request, body, done) => {
      done(null, new URLSearchParams(body));
    });
    app.setErrorHandler((error, request, reply) => {
      const way = ways.get(request);
      const back = way && { word: 'Sign in another way', address: `${way.place}?choose=here` };
      if (error instanceof Problem) {
        const said = way ? `Signing in with ${way.label} did not work: ${error.message}` : error.message;
        const because = error.cause instanceof Error ? { because: error.cause.message.slice(0, 300) } : {};
        log.info(
          { idp: way?.label, why: error.message, ...because },
          'signing in through an identity provider was refused',
        );
        return sendPage(reply.code(error.status), writeErrorPage(sentence(said), back));
      }
      log.error({ route: request.routeOptions.url, error: (error as Error).stack }, 'signing in failed');
      return sendPage(reply.code(500), writeErrorPage('The server failed; its log says why.', back));
    });

    app.get(`${loginPath}/:idp`, async (request, reply) => {
      const { begun: word } = request.query as { begun?: unknown };
      const begun = typeof word === 'string' ? await takeOver(store, 'begun', word) : undefined;
      if (!begun) throw new Problem('notFound', 'This sign-in is over.');
      const { federation, authenticator } = await findOpen(begun.idpId);
      note(request, federation, begun);
      const [state, verifier] = [random(), random()];
      // The same for all that this browser has under way there.
      const browser = readCookie(request.headers.cookie) ?? random();
      const redirectUri = redirectUriOf(parts.addressOf(), federation.idp.name);
      // A name in XML begins with no digit.
      const nonce = authenticator.type === 'saml' ? `_${randomBytes(20).toString('hex')}` : random();
      const address =
        authenticator.type === 'saml'
          ? await samlAddressOf(authenticator, samlPlaceOf(federation), { id: nonce, state })
          : await oidc.addressOf(authenticator, { state, nonce, verifier, redirectUri });
      await handOver(store, 'asked', { ...begun, nonce, verifier, browser: digestOf(browser) }, state);
      return sendAway(reply.header('set-cookie', writeCookie(browser, redirectUri)), address);
    });

    /** Where the browser goes on: the sign-in that somebody began, who is known now. */
    const goOn = async ({ spId, uid, clientId, place }: Begun, { settings }: Federation, settled: Settled) => {
      store.signal('changes');
      if (settings.jit.enabled) await waitFor(spId, settled);
      return `${place}/known?word=${await handOver(store, 'known', { uid, clientId, userId: settled.user.id })}`;
    };

    /** Finds or makes who came back, and hands them to the sign-in that they began; or asks them first. */
    const receive = async (reply: FastifyReply, asked: Asked, federation: Federation, claims: Claims) => {
      const { authenticator } = federation.settings;
      const { nonce: _, verifier: __, ...begun } = asked;
      const issuer = issuerOf(authenticator!);
      const settled = await settle(store, readGiven(federation, { ...begun, issuer, claims }, { types, guesses }));
      if (settled) return sendAway(reply, await goOn(begun, federation, settled));
      const word = await handOver(store, 'asks', { ...begun, issuer, claims });
      return sendAway(reply, newcomerPath(federation.idp.name, word));
    };

    addNewcomerRoutes(app, {
      store,
      types,
      guesses,
      passwords,
      goOn,
      async open(request, asks) {
        const { federation } = await findOpen(asks.idpId);
        note(request, federation, asks);
        return federation;
      },
    });

    app.get(`${loginPath}/:idp/callback`, async (request, reply) => {
      const { state } = request.query as { state?: unknown };
      const asked = await takeAsked(state, ({ browser }) => isOfBrowser(request.headers.cookie, browser));
      const { federation, authenticator } = await findOpen(asked.idpId);
      note(request, federation, asked);
      if (authenticator.type !== 'oidc') throw new Problem('notFound', 'This sign-in is over.');
      const redirectUri = redirectUriOf(parts.addressOf(), federation.idp.name);
      const query = request.url.slice(request.url.indexOf('?'));
      const claims = await oidc.readAnswer(authenticator, { ...asked, state: String(state), redirectUri }, query);
      return receive(reply, asked, federation, claims);
    });

    /**
     * The assertion consumer service of SAML. A browser sends no cookie along with what another site posts, so who began is
     * seen to where they go on: at the authorization server, which has a cookie of its own.
     */
    app.post(`${loginPath}/:idp/callback`, async (request, reply) => {
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
      const asked = await takeAsked(form.get('RelayState'), () => true);
      const { federation, authenticator } = await findOpen(asked.idpId);
      note(request, federation, asked);
      if (authenticator.type !== 'saml') throw new Problem('notFound', 'This sign-in is over.');
      const answer = { id: asked.nonce, response: form.get('SAMLResponse') ?? '' };
      const claims = await readSamlAnswer(authenticator, samlPlaceOf(federation), answer);
      return receive(reply, asked, federation, claims);
    });

    app.get(`${loginPath}/saml/:idp/metadata`, async (request, reply) => {
      const { idp } = request.params as { idp: string };
      const { federation, authenticator } = await findOpen(idp);
      if (authenticator.type !== 'saml') throw new Problem('notFound', 'it does not speak SAML');
      const text = await describeSamlPlace(authenticator, samlPlaceOf(federation));
      return reply.type('application/samlmetadata+xml; charset=utf-8').send(text);
    });
  };
}

function sendAway(reply: FastifyReply, address: string): FastifyReply {
  return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(address, 303);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
