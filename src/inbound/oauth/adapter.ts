import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Store } from '../../store/store.ts';
import {
  consumeArtifact,
  dropArtifact,
  dropArtifactsOfGrant,
  dropExpiredArtifacts,
  findArtifact,
  findArtifactByUid,
  keepArtifact,
} from '../oauth-artifacts.ts';
import { findClient, type OAuthClient } from '../oauth-clients.ts';

/** So many expired artifacts go whenever one is written: none stays for long, and there is no sweep. */
const droppedAtOnce = 4;

/** The place where the authorization server keeps one kind of what it gives out: our database. */
export function openAdapter(store: Store, kind: string): Adapter {
  if (kind === 'Client') return openClients(store);
  return {
    async find(id) {
      const found = await store.read((reading) => findArtifact(reading, kind, id));
      if (!found) return undefined;
      const consumed = found.consumedAt === null ? {} : { consumed: Math.floor(found.consumedAt / 1_000) };
      return { ...found.payload, jti: id, ...consumed } as AdapterPayload;
    },
    async upsert(id, payload, expiresIn) {
      await store.write(async (tx) => {
        const expiresAt = expiresIn ? tx.now + expiresIn * 1_000 : null;
        await keepArtifact(tx, kind, id, { payload: { ...payload }, expiresAt });
        await dropExpiredArtifacts(tx, droppedAtOnce);
      });
    },
    async consume(id) {
      await store.write((tx) => consumeArtifact(tx, kind, id));
    },
    async destroy(id) {
      await store.write((tx) => dropArtifact(tx, kind, id));
    },
    async revokeByGrantId(grantId) {
      await store.write((tx) => dropArtifactsOfGrant(tx, grantId));
    },
    async findByUid(uid) {
      const found = await store.read((reading) => findArtifactByUid(reading, kind, uid));
      return found && ({ ...found.payload } as AdapterPayload);
    },
    // Device codes are found so, and there are none.
    findByUserCode: async () => undefined,
  };
}

function openClients(store: Store): Adapter {
  const refuse = async () => {
    throw new Error('clients are made by the admin API');
  };
  const none = async () => undefined;
  return {
    async find(id) {
      const client = await store.read((reading) => findClient(reading, id));
      return client && metadataOf(client);
    },
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
    findByUid: none,
    findByUserCode: none,
  };
}

/** In the words of RFC 7591. The secret is not among them: whether one is right, `isSecretOf` says. */
function metadataOf(client: OAuthClient): AdapterPayload {
  const { clientId, grants, redirectUris, postLogoutRedirectUris, scopes, authMethod, jwks, tokenSeconds } = client;
  const signsIn = grants.includes('authorization_code');
  return {
    client_id: clientId,
    grant_types: grants,
    response_types: signsIn ? ['code'] : [],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    application_type: [...redirectUris, ...postLogoutRedirectUris].every((uri) => /^https?:/.test(uri))
      ? 'web'
      : 'native',
    scope: scopes.join(' '),
    token_endpoint_auth_method: authMethod,
    token_seconds: tokenSeconds,
    ...(authMethod === 'private_key_jwt' ? { jwks } : {}),
    ...(authMethod.startsWith('client_secret') ? { client_secret: 'kept as a digest' } : {}),
  } as AdapterPayload;
}
