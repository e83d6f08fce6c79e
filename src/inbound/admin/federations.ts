import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FederationAnswer } from '../../contract/federation.ts';
import { type Authenticator, secretNames } from '../../provisioning/federation-settings.ts';
import { type Federation, readFederation, writeFederation } from '../../provisioning/federations.ts';
import { metadataUrlOf, redirectUriOf } from '../sign-in-handover.ts';
import { type AdminParts, bodyOf, mayTry, mergeFields, param, sayChange, writeOrTry } from './parts.ts';
import { showTime } from './query.ts';

const place = '/identity-providers/:id/federation';

/** How people sign in through an identity provider. `addressOf`: where browsers reach this server. */
export function addFederationRoutes(
  app: FastifyInstance,
  { store, key, types, addressOf }: AdminParts & { addressOf: () => string },
): void {
  const write = async (
    request: FastifyRequest,
    reply: FastifyReply,
    inputOf: (before: Federation) => unknown,
  ): Promise<FederationAnswer> => {
    const { federation, change } = await writeOrTry(store, request, (tx) =>
      writeFederation(tx, param(request, 'id'), inputOf, { key, type: types.user }),
    );
    sayChange(reply, change);
    return show(federation, addressOf());
  };

  app.get(place, async (request): Promise<FederationAnswer> => {
    const found = await store.read((reading) => readFederation(reading, param(request, 'id'), key));
    return show(found, addressOf());
  });

  app.put(place, mayTry, (request, reply) => {
    const body = bodyOf(request);
    return write(request, reply, () => body);
  });

  app.patch(place, mayTry, (request, reply) => {
    const body = bodyOf(request);
    return write(request, reply, (before) => {
      const { authenticator, ...rest } = settableOf(before);
      // One of another type has nothing in common with the one before.
      const same = typeOf(body.authenticator) === undefined || typeOf(body.authenticator) === typeOf(authenticator);
      return mergeFields({ ...rest, ...(same ? { authenticator } : {}) }, body);
    });
  });
}

const typeOf = (authenticator: unknown) => (authenticator as { type?: unknown } | null | undefined)?.type;

/** Without the secret, which stays when it is not given. */
function settableOf({ settings }: Federation): Record<string, unknown> {
  const { authenticator, ...rest } = settings;
  if (authenticator === null) return { ...rest, authenticator };
  const { [secretNames[authenticator.type]]: _, ...shown } = authenticator as Record<string, unknown>;
  return { ...rest, authenticator: shown };
}

function show({ idp, settings, secretSince, modifiedAt }: Federation, address: string): FederationAnswer {
  const { authenticator, ...rest } = settings;
  const secret = secretSince === null ? null : { set: true as const, since: showTime(secretSince) };
  return {
    identityProvider: { id: idp.id, name: idp.name },
    redirectUri: redirectUriOf(address, idp.name),
    metadataUrl: metadataUrlOf(address, idp.name),
    authenticator: authenticator && showAuthenticator(authenticator, secret),
    ...rest,
    modifiedAt: modifiedAt === null ? null : showTime(modifiedAt),
  };
}

function showAuthenticator(
  authenticator: Authenticator,
  secret: { set: true; since: string } | null,
): FederationAnswer['authenticator'] {
  return authenticator.type === 'oidc'
    ? { ...authenticator, clientSecret: secret }
    : { ...authenticator, ownKey: secret };
}
