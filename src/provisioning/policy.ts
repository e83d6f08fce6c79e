import { Problem } from '../base/problem.ts';
import type { PolicyDefaults, SubjectKind } from '../connectors/connector.ts';
import { parseFilter } from '../protocol/scim/filter.ts';
import type { ResourceTypes } from '../protocol/scim/schema.ts';
import { readFields } from './names.ts';
import { checkScope } from './scope.ts';

/** What a target's owner decides about it, beyond the connector's own settings. */
export type TargetPolicy = {
  /**
   * Which existing remote account is taken over when one of ours should be created there: only one that bears our
   * mark (`marked`), also one of the same name (`name`), or none by itself (`ask`: it parks). Default `name`.
   */
  adopt: 'marked' | 'name' | 'ask';
  /** What becomes of an account that we created when its subject goes. Default: what the connector says, else `delete`. */
  deprovision: Deprovision;
  /** The same for an account that was there before us. Default `disable`. */
  deprovisionAdopted: Deprovision;
  /** `any`: an existing account follows changes through every door; `bound`: only those by a bound service provider. Default `any`. */
  follow: 'any' | 'bound';
  /**
   * SCIM filter (RFC 7644 section 3.4.2.2) over users, groups: who may be there. Absent: everyone. That of users may
   * read `groups`, direct and indirect.
   */
  scopeUsers?: string;
  scopeGroups?: string;
  /** Names of groups or roles: only users who have one of them may be there. Groups all may. Absent: everyone. */
  provisioningRoles?: string[];
  /** What is sent of groups (`existing-groups.ts`). Default `full`. */
  groups: GroupMode;
  /** What becomes of groups that are in a group (`nested-groups.ts`). Default: what the connector says, else `native`. */
  nestedGroups: Nesting;
  /** Absent: what the connector says, else unlimited. */
  requestsPerSecond?: number;
  /** Requests that may go at once after a pause; only with `requestsPerSecond`. Absent: one second's worth. */
  burst?: number;
  /** Requests under way at the same time, 1 to 256. Default 16. */
  concurrency: number;
  /** For one request, from connecting to its last byte, in milliseconds. Default 10,000. */
  timeoutMs: number;
  /** How long after its timeout a request may still take effect at the target, in milliseconds. Default 2,000. */
  settleMs: number;
  /** Tries that end without a believable answer before an account is parked. Default 8. */
  maxTries: number;
  /** Members named in one request. Absent: what the connector says. */
  membersPerRequest?: number;
};

export type Deprovision = 'delete' | 'disable' | 'keep';

/**
 * `full`: groups and who is in them. `link-existing`: the same for groups that are at the target already; none is made.
 * `membership-only`: of those only who is in them, and of that only what we put there. `none`: nothing.
 */
export type GroupMode = 'full' | 'membership-only' | 'link-existing' | 'none';

/**
 * `native`: a group that is in a group is named as its member. `flatten`: instead, everybody in it is, through any number
 * of groups. `ignore`: neither, users who are in a group by themselves only.
 */
export type Nesting = 'native' | 'flatten' | 'ignore';

const deprovisions = ['delete', 'disable', 'keep'] as const;
const known = [
  'adopt',
  'deprovision',
  'deprovisionAdopted',
  'follow',
  'scopeUsers',
  'scopeGroups',
  'provisioningRoles',
  'groups',
  'nestedGroups',
  'requestsPerSecond',
  'burst',
  'concurrency',
  'timeoutMs',
  'settleMs',
  'maxTries',
  'membersPerRequest',
] as const satisfies readonly (keyof TargetPolicy)[];

/**
 * A whole policy from what was given, defaults filled in, those of the connector first; `undefined` and `{}` give the
 * defaults, a key with `null` counts as absent. `types`: what a scope may read; without it, as for what was stored, a
 * scope is only read. Throws Problem `invalidValue` with `field` = `policy.<key>`.
 */
export function readPolicy(
  json: unknown,
  defaults: Pick<PolicyDefaults, 'deprovision' | 'nestedGroups'> = {},
  types?: ResourceTypes,
): TargetPolicy {
  const given = readFields(json ?? {}, 'policy', known);
  const policy: TargetPolicy = {
    adopt: readChoice(given, 'adopt', ['marked', 'name', 'ask'], 'name'),
    deprovision: readChoice(given, 'deprovision', deprovisions, defaults.deprovision ?? 'delete'),
    deprovisionAdopted: readChoice(given, 'deprovisionAdopted', deprovisions, 'disable'),
    follow: readChoice(given, 'follow', ['any', 'bound'], 'any'),
    groups: readChoice(given, 'groups', ['full', 'membership-only', 'link-existing', 'none'], 'full'),
    nestedGroups: readChoice(given, 'nestedGroups', ['native', 'flatten', 'ignore'], defaults.nestedGroups ?? 'native'),
    concurrency: readCount(given, 'concurrency', 1, 256) ?? 16,
    timeoutMs: readCount(given, 'timeoutMs', 100, 300_000) ?? 10_000,
    settleMs: readCount(given, 'settleMs', 0, 600_000) ?? 2_000,
    maxTries: readCount(given, 'maxTries', 1, 1_000) ?? 8,
  };
  const optional = {
    scopeUsers: readScope(given, 'scopeUsers', 'user', types),
    scopeGroups: readScope(given, 'scopeGroups', 'group', types),
    provisioningRoles: readRoles(given, 'provisioningRoles'),
    requestsPerSecond: readRate(given, 'requestsPerSecond'),
    burst: readCount(given, 'burst', 1, 10_000),
    membersPerRequest: readCount(given, 'membersPerRequest', 1, 10_000),
  };
  if (optional.burst !== undefined && optional.requestsPerSecond === undefined) {
    refuse('burst', 'means nothing without requestsPerSecond');
  }
  for (const [key, value] of Object.entries(optional)) {
    if (value !== undefined) Object.assign(policy, { [key]: value });
  }
  return policy;
}

function refuse(key: string, why: string): never {
  throw new Problem('invalidValue', `policy.${key} ${why}`, { field: `policy.${key}` });
}

function readChoice<C extends string>(
  given: Record<string, unknown>,
  key: string,
  choices: readonly C[],
  absent: C,
): C {
  const value = given[key];
  if (value === undefined || value === null) return absent;
  if (!choices.includes(value as C)) refuse(key, `must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`);
  return value as C;
}

function readCount(given: Record<string, unknown>, key: string, least: number, most: number): number | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    refuse(key, `must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`);
  }
  return value as number;
}

function readRate(given: Record<string, unknown>, key: string): number | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0.01 || value > 100_000) {
    refuse(key, `must be a number from 0.01 to 100000, not ${JSON.stringify(value)}`);
  }
  return value;
}

function readScope(
  given: Record<string, unknown>,
  key: string,
  kind: SubjectKind,
  types: ResourceTypes | undefined,
): string | undefined {
  const value = given[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') refuse(key, 'must be a SCIM filter, such as department eq "Sales"');
  try {
    if (types) checkScope(value, kind, types);
    else parseFilter(value);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    refuse(key, `is not a filter that can be used: ${error.message}`);
  }
  return value;
}

const mostRoles = 100;
const longestRole = 256;

function readRoles(given: Record<string, unknown>, key: string): string[] | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) {
    refuse(key, `must be a list of names of groups or roles, such as ["Sales"], not ${JSON.stringify(value)}`);
  }
  if (value.length > mostRoles) refuse(key, `has ${value.length} names; at most ${mostRoles} are read`);
  for (const name of value as unknown[]) {
    if (typeof name !== 'string' || name.trim() === '' || name.length > longestRole) {
      refuse(key, `must hold names of 1 to ${longestRole} characters, not ${JSON.stringify(name)}`);
    }
  }
  return value.length === 0 ? undefined : [...new Set(value as string[])];
}
