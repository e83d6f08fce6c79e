import type {
  RowCondition,
  RowTime,
  RulePolicyAnswer,
  RuleRow,
  RuleRows,
  RuleRowsInput,
} from '../../src/contract/policy.ts';

/** A policy while it is edited: what is blank is blank, and left out when it is sent. */
export type PolicyDraft = {
  name: string;
  use: RulePolicyAnswer['use'];
  enabled: boolean;
  kind: 'rows' | 'text';
  description: string;
  /** What a policy of rows is about at all. */
  where: Record<(typeof places)[number], string[]>;
  removals: NonNullable<RuleRows['removals']>;
  rows: RowDraft[];
  otherwise: NonNullable<RuleRows['otherwise']>;
  document: string;
};

export type ConditionDraft = {
  id: number;
  about: RowCondition['about'];
  attribute: string;
  is: RowCondition['is'];
  values: string[];
};

export type RowDraft = {
  id: number;
  effect: RuleRow['effect'];
  operations: string[];
  who: ConditionDraft[];
  identityProviders: string[];
  connectorTypes: string[];
  serviceProviders: string[];
  from: string;
  to: string;
  days: string[];
  since: string;
  until: string;
};

export const places = ['identityProviders', 'connectorTypes', 'serviceProviders'] as const;
export const dayNames = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** Tells rows apart while they are moved; nothing else comes of it. */
export const freshId = (all: readonly { id: number }[]) => all.reduce((most, { id }) => Math.max(most, id), 0) + 1;

export const anywhere = (): PolicyDraft['where'] => ({
  identityProviders: [],
  connectorTypes: [],
  serviceProviders: [],
});

export function blankRow(id: number): RowDraft {
  const time = { from: '', to: '', days: [], since: '', until: '' };
  return { id, effect: 'withhold', operations: [], who: [], ...anywhere(), ...time };
}

export function blankCondition(id: number): ConditionDraft {
  return { id, about: 'group', attribute: '', is: 'one-of', values: [] };
}

export function draftOf(policy: RulePolicyAnswer): PolicyDraft {
  const { name, use, enabled, rows, document } = policy;
  return {
    name,
    use,
    enabled,
    kind: rows ? 'rows' : 'text',
    ...draftRows(rows ?? { list: [] }),
    document,
  };
}

/** Rows, and what goes with them. */
export function draftRows(rows: RuleRows) {
  const { description = '', where = {}, removals = 'always', list, otherwise = 'nothing' } = rows;
  return { description, where: { ...anywhere(), ...where }, removals, rows: list.map(toRowDraft), otherwise };
}

function toRowDraft({ effect, operations = [], who = [], where = {}, when = {} }: RuleRow, n: number): RowDraft {
  const { from = '', to = '', days = [], since = '', until = '' } = when;
  const { identityProviders = [], connectorTypes = [], serviceProviders = [] } = where;
  return {
    id: n + 1,
    effect,
    operations: [...operations],
    who: who.map(({ about, attribute = '', is, values = [] }, at) => ({
      id: at + 1,
      about,
      attribute,
      is,
      values: [...values],
    })),
    identityProviders,
    connectorTypes,
    serviceProviders,
    from,
    to,
    days: [...days],
    since,
    until,
  };
}

export function toRows({ description, where, removals, rows, otherwise }: PolicyDraft): RuleRows {
  return {
    ...(description.trim() === '' ? {} : { description }),
    ...wherever(where),
    removals,
    list: rows.map(toRow),
    otherwise,
  };
}

/** What is blank asks nothing, and is left out. */
function wherever(all: Record<(typeof places)[number], string[]>): Pick<RuleRow, 'where'> {
  const chosen = places.filter((place) => all[place].length > 0).map((place) => [place, all[place]]);
  return chosen.length > 0 ? { where: Object.fromEntries(chosen) } : {};
}

function toRow(row: RowDraft): RuleRow {
  const { effect, operations, who, from, to, days, since, until } = row;
  const when: Record<string, unknown> = {};
  for (const [key, value] of Object.entries({ from, to, days, since, until })) if (value.length > 0) when[key] = value;
  return {
    effect,
    ...(operations.length > 0 ? { operations: operations as NonNullable<RuleRow['operations']> } : {}),
    ...(who.length > 0 ? { who: who.map(toCondition) } : {}),
    ...wherever(row),
    ...(Object.keys(when).length > 0 ? { when: when as RowTime } : {}),
  };
}

function toCondition({ about, attribute, is, values }: ConditionDraft): RowCondition {
  return { about, is, values, ...(about === 'attribute' ? { attribute } : {}) };
}

/** The first row that would withhold all there is, which is seldom meant; -1: there is none. */
export function findWithholdsAll({ kind, where, rows }: PolicyDraft): number {
  if (kind !== 'rows' || places.some((place) => where[place].length > 0)) return -1;
  return rows.findIndex((row) => row.effect === 'withhold' && Object.keys(toRow(row)).length === 1);
}

/** All of some rows, in place of all of those that are there: what they do not say is taken away. */
export function wholeRows(rows: RuleRows): RuleRowsInput {
  const { description = null, where } = rows;
  return {
    ...rows,
    description,
    where: where ? Object.fromEntries(places.map((place) => [place, where[place] ?? null])) : null,
  };
}

/** What is asked about or tried: rows, or a document. */
export function contentOf(draft: PolicyDraft): { rows: RuleRows } | { document: string } {
  return draft.kind === 'rows' ? { rows: toRows(draft) } : { document: draft.document };
}

/** Where a policy says anything at all: `Only at partner, for resident.` */
export function sayPlaces({
  identityProviders,
  connectorTypes,
  serviceProviders,
}: NonNullable<RuleRows['where']>): string {
  const said = [
    ['at', identityProviders],
    ['through', connectorTypes],
    ['for', serviceProviders],
  ] as const;
  const parts = said.flatMap(([word, names = []]) => (names.length > 0 ? [`${word} ${names.join(' or ')}`] : []));
  return `Only ${parts.join(', ')}.`;
}
