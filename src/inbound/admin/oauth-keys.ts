import type { FastifyInstance } from 'fastify';
import type { OAuthKeyAnswer, OAuthKeyList } from '../../contract/oauth-client.ts';
import { type KeyStanding, listKeys, makeKey, rotateKeys } from '../oauth-keys.ts';
import type { AdminParts } from './parts.ts';
import { showTime } from './query.ts';

/** The keys that tokens are signed with: where they stand, and a new one. */
export function addOAuthKeyRoutes(app: FastifyInstance, { store, key }: AdminParts): void {
  app.get('/oauth/keys', async (): Promise<OAuthKeyList> => ({ items: (await store.read(listKeys)).map(show) }));

  app.post('/oauth/keys/rotate', async (_request, reply): Promise<OAuthKeyList> => {
    const fresh = await makeKey();
    const keys = await store.write((tx) => rotateKeys(tx, key, fresh));
    reply.code(201);
    return { items: keys.map(show) };
  });
}

function show({ kid, state, createdAt, signsFrom, publishedUntil }: KeyStanding): OAuthKeyAnswer {
  return {
    kid,
    state,
    createdAt: showTime(createdAt),
    signsFrom: showTime(Math.max(signsFrom, createdAt)),
    publishedUntil: publishedUntil === null ? null : showTime(publishedUntil),
  };
}
