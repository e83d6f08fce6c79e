import { type Static, type TSchema, Type } from 'typebox';
import { listOf, MaybeText, Time } from './page.ts';

const Use = Type.Enum(['evaluated', 'referenced'], {
  default: 'evaluated',
  description: 'referenced: evaluated only where other policies refer to it',
});

const Words = Type.Optional(Type.Array(Type.String()));

/** One thing about the person or group. `none-of` also holds for who has no such attribute. */
export const RowCondition = Type.Object({
  about: Type.Enum(['kind', 'group', 'domain', 'attribute'], {
    description: 'kind: user or group; group: the groups and roles it is in; domain: user store domain',
  }),
  attribute: Type.Optional(Type.String({ description: 'With attribute: a SCIM path or claim URI' })),
  is: Type.Enum(['one-of', 'none-of', 'starts-with', 'contains'], {
    description: 'starts-with and contains go with attribute',
  }),
  values: Words,
});
export type RowCondition = Static<typeof RowCondition>;

/** In the server's zone, all bounds included. */
export const RowTime = Type.Object({
  from: Type.Optional(Type.String({ description: 'HH:MM or HH:MM:SS' })),
  to: Type.Optional(Type.String({ description: 'Before `from`: on the next day' })),
  days: Type.Optional(
    Type.Array(Type.Enum(['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'])),
  ),
  since: Type.Optional(Type.String({ description: 'YYYY-MM-DD' })),
  until: Type.Optional(Type.String({ description: 'YYYY-MM-DD' })),
});
export type RowTime = Static<typeof RowTime>;

/** Of each list one must fit; what is left out or empty asks nothing. */
const Places = Type.Object({ identityProviders: Words, connectorTypes: Words, serviceProviders: Words });

/** Applies when all of it holds; what is left out or empty asks nothing. */
export const RuleRow = Type.Object({
  effect: Type.Enum(['let-through', 'withhold']),
  operations: Type.Optional(Type.Array(Type.Enum(['create', 'change', 'password', 'remove']))),
  who: Type.Optional(Type.Array(RowCondition)),
  where: Type.Optional(Places),
  when: Type.Optional(RowTime),
});
export type RuleRow = Static<typeof RuleRow>;

/** The first row that applies decides. */
export const RuleRows = Type.Object({
  description: Type.Optional(Type.String({ description: 'What its author says of it; stands in the document' })),
  where: Type.Optional(
    Type.Object(Places.properties, {
      description: 'What the policy is about: elsewhere it says nothing, of removals neither',
    }),
  ),
  removals: Type.Optional(
    Type.Enum(['always', 'as-other-operations'], {
      default: 'always',
      description: 'always: removals are let through before any row is looked at',
    }),
  ),
  list: Type.Array(RuleRow),
  otherwise: Type.Optional(
    Type.Enum(['nothing', 'withhold'], { default: 'nothing', description: 'When no row applies' }),
  ),
});
export type RuleRows = Static<typeof RuleRows>;

const orNull = <T extends TSchema>(shape: T) => Type.Optional(Type.Union([shape, Type.Null()]));
const ClearablePlaces = Type.Object({
  identityProviders: orNull(Type.Array(Type.String())),
  connectorTypes: orNull(Type.Array(Type.String())),
  serviceProviders: orNull(Type.Array(Type.String())),
});

/** As they are given: null takes away what is there, where rows are changed in part. */
export const RuleRowsInput = Type.Object({
  ...RuleRows.properties,
  description: orNull(Type.String()),
  where: orNull(ClearablePlaces),
});
export type RuleRowsInput = Static<typeof RuleRowsInput>;

const MaybeRows = Type.Union([RuleRows, Type.Null()], {
  description: 'What the document is made from; null: it is written as text',
});
const MaybeSays = Type.Union([Type.Array(Type.String()), Type.Null()], {
  description: 'Each row in a sentence; null without rows',
});

export const RulePolicyInput = Type.Object({
  /** Unique without case; no slash, no colon, not a number alone. */
  name: Type.String(),
  /** Its place in the order; absent: last, or where it was. */
  position: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  use: Type.Optional(Use),
  document: Type.Optional(Type.String({ description: 'A Policy or PolicySet of XACML 3.0, as XML; or rows' })),
  rows: Type.Optional(
    Type.Union([RuleRowsInput, Type.Null()], { description: 'null: it is text from then on, as its rows made it' }),
  ),
});
export type RulePolicyInput = Static<typeof RulePolicyInput>;

export const RulePolicyAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  position: Type.Integer(),
  enabled: Type.Boolean(),
  use: Use,
  document: Type.String(),
  rows: MaybeRows,
  says: MaybeSays,
  /** Raised by every change. */
  version: Type.Integer(),
  modifiedBy: Type.String(),
  createdAt: Time,
  modifiedAt: Time,
});
export type RulePolicyAnswer = Static<typeof RulePolicyAnswer>;
export const RulePolicyList = listOf(RulePolicyAnswer);

/** `document` is null in the version that says that the policy was removed. */
export const RulePolicyVersion = Type.Object({
  version: Type.Integer(),
  name: Type.String(),
  position: Type.Integer(),
  enabled: Type.Boolean(),
  use: Use,
  document: MaybeText,
  rows: MaybeRows,
  says: MaybeSays,
  actor: Type.String(),
  at: Time,
});
export type RulePolicyVersion = Static<typeof RulePolicyVersion>;
export const RulePolicyVersions = listOf(RulePolicyVersion);

/** `path`: a SCIM path or claim URI. */
export const RuleAttributes = listOf(Type.Object({ path: Type.String(), says: Type.String() }));
export type RuleAttributes = Static<typeof RuleAttributes>;

export const FillRowsInput = Type.Object({ name: Type.String(), rows: RuleRows });
/** `document` is null while there are faults, each with the field it is about, such as `rows.list[0].who[1].values`. */
export const FilledRows = Type.Object({
  says: Type.Array(Type.String()),
  faults: Type.Array(Type.Object({ field: Type.String(), reason: Type.String() })),
  document: MaybeText,
  /** Groups would be withheld without the rows saying so: why, and the same rows withholding users alone. */
  hint: Type.Union([Type.Object({ says: Type.String(), rows: RuleRows }), Type.Null()]),
});
export type FilledRows = Static<typeof FilledRows>;

/** One question to the rules, without sending anything. */
export const TryRulesInput = Type.Object({
  /** Id or name of a user or group. */
  subject: Type.String(),
  /** Id or name of a target. */
  target: Type.Union([Type.String(), Type.Integer()]),
  /** Absent: what would be sent now. */
  operation: Type.Optional(Type.Enum(['POST', 'PUT', 'PATCH', 'DELETE'])),
  /** Id or name; absent: the resident one. */
  serviceProvider: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  /** The moment it is asked about; absent: now. */
  at: Type.Optional(Time),
  /** A policy that is not saved (yet): it stands for the one of its name, or beside all others. */
  draft: Type.Optional(
    Type.Object({
      name: Type.String(),
      document: Type.Optional(Type.String()),
      rows: Type.Optional(MaybeRows),
    }),
  ),
});
export type TryRulesInput = Static<typeof TryRulesInput>;

export const TryRulesAnswer = Type.Object({
  operation: Type.String(),
  serviceProvider: Type.String(),
  at: Time,
  decision: Type.Enum(['permit', 'deny', 'not-applicable', 'indeterminate']),
  action: Type.Enum(['let-through', 'withhold', 'park']),
  reason: Type.String(),
  /** What decided, or could not; null when no rule applies. */
  decidedBy: Type.Union([
    Type.Object({
      policy: Type.String({ description: 'Name of the policy' }),
      part: Type.Union([Type.String(), Type.Null()], {
        description: 'Id of the policy within it, when it is a policy set',
      }),
      rule: Type.Union([Type.String(), Type.Null()], { description: 'Id of the rule; null: its combining algorithm' }),
      says: Type.Union([Type.String(), Type.Null()], { description: 'The description of the rule' }),
    }),
    Type.Null(),
  ]),
  /** The clock was looked at: at another moment the answer may differ. */
  readsClock: Type.Boolean(),
  /** How each policy and rule came to its decision. */
  trace: Type.Array(Type.Record(Type.String(), Type.Unknown())),
});
export type TryRulesAnswer = Static<typeof TryRulesAnswer>;

/** A template of the form that writes a policy. */
export const RuleTemplate = Type.Object({
  kind: Type.String(),
  title: Type.String(),
  explains: Type.String(),
  fields: Type.Array(Type.String()),
});
export type RuleTemplate = Static<typeof RuleTemplate>;
export const RuleTemplateList = listOf(RuleTemplate);

export const FillTemplateInput = Type.Object({
  template: Type.String(),
  policyId: Type.String(),
  version: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  serviceProvider: Type.Optional(Type.String()),
  identityProvider: Type.Optional(Type.String()),
  roles: Type.Optional(Type.Array(Type.String())),
  claim: Type.Optional(Type.String()),
  values: Type.Optional(Type.Array(Type.String())),
  from: Type.Optional(Type.String()),
  to: Type.Optional(Type.String()),
  removals: Type.Optional(Type.Enum(['always', 'as-other-operations'])),
});
/** `rows` decide exactly as `document` does; null where rows cannot say what the form says. */
export const FilledTemplate = Type.Object({
  document: Type.String(),
  rows: Type.Union([RuleRows, Type.Null()]),
});
export type FilledTemplate = Static<typeof FilledTemplate>;
