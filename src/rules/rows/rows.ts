/**
 * A policy as a person puts it together: rows of conditions, of which the first that applies decides. Lists that are
 * left out, or empty, ask nothing.
 */
export interface PolicyRows {
  /** What its author wrote of it, for people. */
  readonly description?: string;
  /** What the policy is about: elsewhere it says nothing, of removals neither. Of each list one must fit. */
  readonly where?: RowPlaces;
  /**
   * `always`: removals are let through before any row is looked at, so that who should be gone is not kept by a
   * condition. `as-other-operations`: rows decide on them too.
   */
  readonly removals: 'always' | 'as-other-operations';
  readonly list: readonly Row[];
  /** When no row applies. `nothing`: it is left to other policies, and to what the server does without any. */
  readonly otherwise: 'nothing' | 'withhold';
}

/** Applies when all of it holds. */
export interface Row {
  readonly effect: 'let-through' | 'withhold';
  readonly operations?: readonly RowOperation[];
  /** None: everybody. */
  readonly who?: readonly RowCondition[];
  /** Of each list one must fit. */
  readonly where?: RowPlaces;
  readonly when?: RowTime;
}

export const rowOperations = ['create', 'change', 'password', 'remove'] as const;
export type RowOperation = (typeof rowOperations)[number];

export const places = ['identityProviders', 'connectorTypes', 'serviceProviders'] as const;
export type RowPlaces = Readonly<Partial<Record<(typeof places)[number], readonly string[]>>>;

/**
 * Something about the person or group. Of an attribute with several values one is enough for `one-of`, `starts-with` and
 * `contains`; `none-of` holds when none is, and so also without the attribute. Letters count as they are written.
 */
export interface RowCondition {
  /** `kind`: a user or a group. `group`: the groups and roles it is in, through others too. `domain`: user store domain. */
  readonly about: 'kind' | 'group' | 'domain' | 'attribute';
  /** With `attribute`: a SCIM path or claim URI. */
  readonly attribute?: string;
  /** `starts-with` and `contains` are for attributes. */
  readonly is: 'one-of' | 'none-of' | 'starts-with' | 'contains';
  readonly values: readonly string[];
}

/** In the server's zone; all bounds are included. */
export interface RowTime {
  /** `HH:MM` or `HH:MM:SS`, both or neither. A `to` before `from` is on the next day. */
  readonly from?: string;
  readonly to?: string;
  /** Of the moment itself: from 22:00 to 06:00 on a Monday ends at midnight, and begins with that morning. */
  readonly days?: readonly Day[];
  /** `YYYY-MM-DD`. */
  readonly since?: string;
  readonly until?: string;
}

/** In the order of `day-of-week.ts`, which counts them from 0. */
export const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Day = (typeof days)[number];

export const mostRows = 100;
export const mostConditions = 20;
export const mostValues = 1_000;
export const longestValue = 1_000;

/** What is wrong with rows that have the right shape, and where: `rows.list[0].who[1].values`. */
export interface RowFault {
  readonly field: string;
  readonly reason: string;
}
