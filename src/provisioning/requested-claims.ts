import { Problem } from '../base/problem.ts';

/** What each scope tells of a person besides `sub` (OpenID Connect Core section 5.4). */
export const claimsOfScopes = {
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'zoneinfo', 'updated_at'],
  email: ['email'],
  groups: ['groups'],
} as const;

export type PersonClaim = (typeof claimsOfScopes)[keyof typeof claimsOfScopes][number];

const known: readonly PersonClaim[] = Object.values(claimsOfScopes).flat();

/** The claims that an application is told of; empty: all that its scopes tell. In one order, however they were given. */
export function readRequestedClaims(value: unknown): PersonClaim[] {
  const field = 'requestedClaims';
  const refuse = (why: string) => {
    throw new Problem('invalidValue', `${field} ${why}; known are ${known.join(', ')}`, { field });
  };
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuse('must be a list of claims');
  for (const one of value) {
    if (one === 'sub') refuse('need not name sub, which is always told');
    if (!known.includes(one)) refuse(`cannot name ${JSON.stringify(one)?.slice(0, 100)}`);
  }
  return known.filter((one) => value.includes(one));
}

/** Whether an application is told this claim, where its scopes tell it. */
export function isRequested(requested: readonly PersonClaim[], claim: string): boolean {
  return requested.length === 0 || (requested as readonly string[]).includes(claim);
}

/** Those that its scopes would tell, and that it is not told. */
export function listUnrequested(requested: readonly PersonClaim[]): PersonClaim[] {
  return known.filter((claim) => !isRequested(requested, claim));
}
