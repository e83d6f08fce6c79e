import type { Account } from 'oidc-provider';
import { readAllGroupsOf } from '../../directory/memberships.ts';
import { readPresent, type Subject } from '../../directory/subjects.ts';
import { isRequested, type PersonClaim } from '../../provisioning/requested-claims.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Store } from '../../store/store.ts';
import { findClient } from '../oauth-clients.ts';

/**
 * A person of the directory as applications are told of them; undefined once they are gone or switched off. `clientOf`:
 * the client of the application that is told, which may have less requested than its scopes tell.
 */
export async function findAccount(
  store: Store,
  id: string,
  clientOf: () => string | undefined,
): Promise<Account | undefined> {
  const user = await store.read((reading) => readPresent(reading, 'user', id));
  if (user?.life !== 'live' || user.attributes.active === false) return undefined;
  return {
    accountId: id,
    async claims(_use, scope) {
      const requested = await readRequested(store, clientOf());
      const asksGroups = scope.split(' ').includes('groups') && isRequested(requested, 'groups');
      const claims = { ...claimsOf(user), ...(asksGroups ? { groups: await listGroupNames(store, id) } : {}) };
      return {
        sub: id,
        ...Object.fromEntries(Object.entries(claims).filter(([name]) => isRequested(requested, name))),
      };
    },
  };
}

/** As it is set now: what is taken away is told no more, by tokens that were given before either. */
async function readRequested(store: Store, clientId: string | undefined): Promise<PersonClaim[]> {
  return store.read(async (reading) => {
    const client = clientId === undefined ? undefined : await findClient(reading, clientId);
    if (!client) throw new Error('nobody is told of a person but a client');
    return (await readServiceProvider(reading, client.spId)).requestedClaims;
  });
}

async function listGroupNames(store: Store, id: string): Promise<string[]> {
  const groups = await store.read((reading) => readAllGroupsOf(reading, [id]));
  return (groups.get(id) ?? []).map((group) => group.display);
}

function claimsOf({ attributes, modifiedAt, fullName }: Subject): Record<string, unknown> {
  const name = (attributes.name ?? {}) as Record<string, string | undefined>;
  const emails = (attributes.emails ?? []) as { value?: string; primary?: boolean }[];
  const claims = {
    name: attributes.displayName ?? name.formatted,
    given_name: name.givenName,
    family_name: name.familyName,
    preferred_username: fullName,
    locale: attributes.locale,
    zoneinfo: attributes.timezone,
    email: (emails.find((one) => one.primary) ?? emails[0])?.value,
    updated_at: Math.floor(modifiedAt / 1_000),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
