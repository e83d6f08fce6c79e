import { type Static, Type } from 'typebox';
import { listOf, MaybeText, Time } from './page.ts';

const Use = Type.Enum(['evaluated', 'referenced'], {
  default: 'evaluated',
  description: 'referenced: evaluated only where other policies refer to it',
});

export const RulePolicyInput = Type.Object({
  /** Unique without case; no slash, no colon, not a number alone. */
  name: Type.String(),
  /** Its place in the order; absent: last, or where it was. */
  position: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  use: Type.Optional(Use),
  document: Type.String({ description: 'A Policy or PolicySet of XACML 3.0, as XML' }),
});
export type RulePolicyInput = Static<typeof RulePolicyInput>;

export const RulePolicyAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  position: Type.Integer(),
  enabled: Type.Boolean(),
  use: Use,
  document: Type.String(),
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
  actor: Type.String(),
  at: Time,
});
export const RulePolicyVersions = listOf(RulePolicyVersion);

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
  draft: Type.Optional(Type.Object({ name: Type.String(), document: Type.String() })),
});
export type TryRulesInput = Static<typeof TryRulesInput>;

export const TryRulesAnswer = Type.Object({
  operation: Type.String(),
  serviceProvider: Type.String(),
  at: Time,
  decision: Type.Enum(['permit', 'deny', 'not-applicable', 'indeterminate']),
  action: Type.Enum(['let-through', 'withhold', 'park']),
  reason: Type.String(),
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
export const FilledTemplate = Type.Object({ document: Type.String() });
