import type { Account } from 'oidc-provider';
import { readAllGroupsOf } from '../../directory/memberships.ts';
import { readPresent, type Subject } from '../../directory/subjects.ts';
import type { Store } from '../../store/store.ts';

/** What each scope tells of a person (OpenID Connect Core section 5.4). */
export const claimsByScope = {
  openid: ['sub'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'zoneinfo', 'updated_at'],
  email: ['email'],
  groups: ['groups'],
};

/** A person of the directory as applications are told of them; undefined once they are gone or switched off. */
export async function findAccount(store: Store, id: string): Promise<Account | undefined> {
  const user = await store.read((reading) => readPresent(reading, 'user', id));
  if (user?.life !== 'live' || user.attributes.active === false) return undefined;
  return {
    accountId: id,
    async claims(_use, scope) {
      const groups = scope.split(' ').includes('groups') ? await listGroupNames(store, id) : undefined;
      return { sub: id, ...claimsOf(user), ...(groups ? { groups } : {}) };
    },
  };
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
