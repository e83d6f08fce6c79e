import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { List, Page } from '../../contract/page.ts';
import type { SignInLinkAnswer } from '../../contract/sign-in-link.ts';
import {
  endLink,
  findLink,
  type LinkPlace,
  listLinksAt,
  listLinksOf,
  longestRemoteSubject,
  makeLink,
  type SignInLink,
} from '../../directory/sign-in-links.ts';
import { lockSubject } from '../../directory/subjects.ts';
import { issuerOf } from '../../provisioning/federation-settings.ts';
import { type Federation, readFederation } from '../../provisioning/federations.ts';
import type { Reading } from '../../store/store.ts';
import { readNames } from './names.ts';
import { type AdminParts, bodyOf, param } from './parts.ts';
import { readCursor, readLimit, readQuery, showTime, writeCursor } from './query.ts';
import { findSubjectId } from './subjects.ts';

/** Of one user at most so many are shown, the latest. */
const mostOfOne = 100;

/** Who people of identity providers are here: looked at, made and ended by hand. */
export function addSignInLinkRoutes(app: FastifyInstance, { store, key, actorOf }: AdminParts): void {
  const findUser = async (reading: Reading, request: FastifyRequest): Promise<string> => {
    const text = param(request, 'id');
    const id = await findSubjectId(reading, text, 'user');
    if (id === undefined) throw new Problem('notFound', `there is no user ${text.slice(0, 300)}`);
    return id;
  };

  /** With those that somebody ended; the latest first. */
  app.get('/users/:id/links', async (request): Promise<List<SignInLinkAnswer>> => {
    readQuery(request.query, []);
    return store.read(async (reading) => {
      const links = await listLinksOf(reading, await findUser(reading, request), mostOfOne);
      return { items: await show(reading, links, key) };
    });
  });

  /** An administrator's word. Safe to repeat. */
  app.post('/users/:id/links', async (request, reply) => {
    const { identityProvider, subject } = readInput(bodyOf(request));
    const { answer, isNew } = await store.write(async (tx) => {
      const user = await lockSubject(tx, 'user', await findUser(tx, request));
      const federation = await readOf(tx, identityProvider, key);
      const remote = { idpId: federation.idp.id, issuer: readIssuer(federation), subject };
      const present = await findLink(tx, remote);
      if (present && present.userId !== user.id) {
        const { name } = (await readNames(tx, [present.userId])).subject(present.userId);
        const why = `"${subject}" of ${federation.idp.name} is ${name} here already: unlink ${name} first`;
        throw new Problem('uniqueness', why, { field: 'subject' });
      }
      const link = present ?? (await makeLink(tx, remote, { user, rule: 'hand', actor: actorOf(request) }));
      return { answer: (await show(tx, [link], key))[0]!, isNew: present === undefined };
    });
    return reply.code(isNew ? 201 : 200).send(answer);
  });

  app.delete('/users/:id/links/:link', async (request, reply) => {
    const text = param(request, 'link');
    if (!/^\d{1,15}$/.test(text)) throw new Problem('notFound', `there is no link ${text.slice(0, 100)}`);
    await store.write(async (tx) => {
      const { id } = await lockSubject(tx, 'user', await findUser(tx, request));
      await endLink(tx, { id: Number(text), userId: id, actor: actorOf(request) });
    });
    return reply.code(204).send();
  });

  app.get('/identity-providers/:id/links', async (request): Promise<Page<SignInLinkAnswer>> => {
    const query = readQuery(request.query, ['search', 'after', 'limit']);
    const limit = readLimit(query.limit);
    const after = readPlace(query.after);
    return store.read(async (reading) => {
      const federation = await readFederation(reading, param(request, 'id'), key);
      const { links, next } = await listLinksAt(reading, federation.idp.id, {
        search: query.search ?? '',
        limit,
        ...(after ? { after } : {}),
      });
      return {
        items: await show(reading, links, key),
        next: next ? writeCursor([next.by, next.key, next.id]) : null,
      };
    });
  });
}

function readInput(body: Record<string, unknown>): { identityProvider: string | number; subject: string } {
  const { identityProvider, subject, ...rest } = body;
  const [field] = Object.keys(rest);
  if (field !== undefined) refuse(field, `there is no ${field}; known are identityProvider, subject`);
  if (typeof identityProvider !== 'number' && (typeof identityProvider !== 'string' || identityProvider === '')) {
    return refuse('identityProvider', 'identityProvider is required: the id or name of an identity provider');
  }
  if (typeof subject !== 'string' || subject === '' || subject.length > longestRemoteSubject) {
    const what = 'what the identity provider calls the person (sub, or with SAML the name identifier)';
    return refuse('subject', `subject must be ${what}: 1 to ${longestRemoteSubject} characters`);
  }
  return { identityProvider, subject };
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', why, { field });
}

async function readOf(reading: Reading, idOrName: string | number, key: SealingKey): Promise<Federation> {
  try {
    return await readFederation(reading, idOrName, key);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'notFound') throw error;
    return refuse('identityProvider', error.message);
  }
}

/** It may be switched off: people are linked before they are let in, too. */
function readIssuer({ idp, settings }: Federation): string {
  if (settings.authenticator) return issuerOf(settings.authenticator);
  const why = `nobody signs in through ${idp.name}: set how people sign in through it first`;
  throw new Problem('conflict', why, { field: 'identityProvider' });
}

function readPlace(text: string | undefined): LinkPlace | undefined {
  const parts = readCursor(text);
  if (parts === undefined) return undefined;
  const [by, key, id] = parts;
  const isOne = (by === 'name' || by === 'subject') && typeof key === 'string' && Number.isSafeInteger(id);
  return isOne ? { by, key, id: Number(id) } : refuse('after', 'after must be the next of the page before');
}

async function show(reading: Reading, links: readonly SignInLink[], key: SealingKey): Promise<SignInLinkAnswer[]> {
  const names = await readNames(
    reading,
    links.map(({ userId }) => userId),
  );
  const federations = new Map<number, Federation>();
  for (const idpId of new Set(links.map((link) => link.idpId))) {
    federations.set(idpId, await readFederation(reading, idpId, key));
  }
  return links.map((link) => {
    const federation = federations.get(link.idpId)!;
    const { id, name, displayName } = federation.idp;
    const whyNot = whyItDoesNotWork(link, federation);
    return {
      id: link.id,
      user: names.subject(link.userId),
      identityProvider: { id, name, displayName },
      issuer: link.issuer,
      subject: link.subject,
      rule: link.rule,
      by: link.actor,
      linkedAt: showTime(link.linkedAt),
      lastSignInAt: link.lastAt === null ? null : showTime(link.lastAt),
      works: whyNot === null,
      whyNot,
      ended: link.ended && { at: showTime(link.ended.at), by: link.ended.by },
    };
  });
}

function whyItDoesNotWork(link: SignInLink, { idp, settings: { authenticator } }: Federation): string | null {
  if (link.ended) return 'it was unlinked';
  if (!idp.enabled) return `${idp.name} is switched off`;
  if (!authenticator?.enabled) return `nobody signs in through ${idp.name}`;
  if (issuerOf(authenticator) !== link.issuer) return `${idp.name} has another issuer by now`;
  return null;
}
