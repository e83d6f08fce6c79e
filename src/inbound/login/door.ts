import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import { makeFetch } from '../../outbound/fetch.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ResourceTypes } from '../../protocol/scim/schema.ts';
import { type Federation, readFederation } from '../../provisioning/federations.ts';
import type { Waits } from '../../provisioning/wait.ts';
import type { Store } from '../../store/store.ts';
import { failureOfDeliveries } from '../delivery.ts';
import {
  handOver,
  loginPath,
  metadataUrlOf,
  type Asked as Remembered,
  redirectUriOf,
  takeOver,
} from '../sign-in-handover.ts';
import { sendPage, writeErrorPage } from '../sign-in-page.ts';
import { type Claims, mapClaims, subjectOf } from './claims.ts';
import { findLink } from './links.ts';
import { openOidcPeers } from './oidc.ts';
import { type Settled, settlePerson } from './person.ts';
import { describeSamlPlace, readSamlAnswer, type SamlPlace, samlAddressOf } from './saml.ts';

const cookieName = 'purvey-login';
/** Milliseconds that one request to an identity provider may take. */
const askMs = 10_000;
/** Of what an identity provider has a browser post here. */
const formBytes = 1_048_576;
/** Seconds that the browser keeps that it began: as long as people may take there. */
const cookieSeconds = 900;

type Parts = {
  store: Store;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  waits: Waits;
  key: SealingKey;
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
  const { store, clock, log, outbound, waits, key, types } = parts;
  const fetch = makeFetch(outbound, { timeoutMs: askMs });
  const oidc = openOidcPeers({ fetch, now: () => clock.monotonic() });
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
  const takeAsked = async (state: unknown, isOurs: (asked: Remembered) => boolean): Promise<Remembered> => {
    const asked = typeof state === 'string' ? await takeOver(store, 'asked', state) : undefined;
    if (!asked || !isOurs(asked)) {
      throw new Problem('notFound', 'This sign-in is over, or was begun in another browser.');
    }
    return asked;
  };

  /** In one transaction; once more when somebody with the same name came first, who may be the same person. */
  const settle = async (given: Parameters<typeof settlePerson>[1]): Promise<Settled> => {
    try {
      return await store.write((tx) => settlePerson(tx, given));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'uniqueness') throw error;
      const link = await store.read((reading) => findLink(reading, given.remote));
      if (link) return store.write((tx) => settlePerson(tx, given));
      const name = given.mapped.userName;
      throw error.field === 'userName'
        ? new Problem(
            'notAllowed',
            `somebody here has the user name ${name} already, and nothing proves that it is you`,
          )
        : error;
    }
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
      const back = way && `${way.place}?choose=here`;
      if (error instanceof Problem) {
        const said = way ? `Signing in with ${way.label} did not work: ${error.message}` : error.message;
        log.info({ idp: way?.label, why: error.message }, 'signing in through an identity provider was refused');
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
      const secure = redirectUri.startsWith('https:') ? '; Secure' : '';
      const path = new URL(redirectUri).pathname.replace(/\/callback$/, '');
      reply.header(
        'set-cookie',
        `${cookieName}=${browser}; Path=${path}; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${secure}`,
      );
      return sendAway(reply, address);
    });

    /** Finds or makes who came back, and hands them to the sign-in that they began. */
    const goOn = async (reply: FastifyReply, asked: Remembered, federation: Federation, claims: Claims) => {
      const { idp, settings } = federation;
      const { authenticator } = settings;
      const { spId, uid, clientId } = asked;
      const issuer = authenticator?.type === 'saml' ? authenticator.entityId : authenticator!.issuer;
      const settled = await settle({
        federation,
        remote: { idpId: idp.id, issuer, subject: subjectOf(claims) },
        mapped: mapClaims(claims, settings, types.user),
        origin: { door: 'login', spId, actor: `sign-in through ${idp.name}` },
        types,
      });
      store.signal('changes');
      if (settings.jit.enabled) await waitFor(spId, settled);
      const word = await handOver(store, 'known', { uid, clientId, userId: settled.user.id });
      return sendAway(reply, `${asked.place}/known?word=${word}`);
    };

    app.get(`${loginPath}/:idp/callback`, async (request, reply) => {
      const { state } = request.query as { state?: unknown };
      const cookie = readCookie(request.headers.cookie);
      const asked = await takeAsked(state, ({ browser }) => cookie !== undefined && isSame(digestOf(cookie), browser));
      const { federation, authenticator } = await findOpen(asked.idpId);
      note(request, federation, asked);
      if (authenticator.type !== 'oidc') throw new Problem('notFound', 'This sign-in is over.');
      const redirectUri = redirectUriOf(parts.addressOf(), federation.idp.name);
      const query = request.url.slice(request.url.indexOf('?'));
      const claims = await oidc.readAnswer(authenticator, { ...asked, state: String(state), redirectUri }, query);
      return goOn(reply, asked, federation, claims);
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
      return goOn(reply, asked, federation, claims);
    });

    app.get(`${loginPath}/saml/:idp/metadata`, async (request, reply) => {
      const { idp } = request.params as { idp: string };
      const { federation, authenticator } = await findOpen(idp);
      if (authenticator.type !== 'saml') throw new Problem('notFound', 'it does not speak SAML');
      const text = await describeSamlPlace(samlPlaceOf(federation));
      return reply.type('application/samlmetadata+xml; charset=utf-8').send(text);
    });
  };
}

function sendAway(reply: FastifyReply, address: string): FastifyReply {
  return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(address, 303);
}

const random = () => randomBytes(32).toString('base64url');
const digestOf = (value: string) => createHash('sha256').update(value).digest('hex');
const isSame = (one: string, other: string) =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

function readCookie(header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name, value]) => name === cookieName && /^[\w-]{43}$/.test(value ?? ''))?.[1];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
