import { type Static, Type } from 'typebox';
import { listOf, MaybeTime, Time } from './page.ts';

const deprovision = ['delete', 'disable', 'keep'] as const;

/** What a target's owner decides about it. The descriptions are printed in `docs/configuration.md`. */
export const PolicyAnswer = Type.Object({
  adopt: Type.Enum(['marked', 'name', 'ask'], {
    default: 'name',
    description:
      'Which existing remote account is taken over: only one that bears our mark (marked), also one of the same name (name), or none by itself (ask: it parks)',
  }),
  deprovision: Type.Enum(deprovision, {
    default: 'delete',
    description:
      'What becomes of an account that Purvey created when its user or group goes. A target profile may have another default',
  }),
  deprovisionAdopted: Type.Enum(deprovision, {
    default: 'disable',
    description: 'The same for an account that was at the target before',
  }),
  follow: Type.Enum(['any', 'bound'], {
    default: 'any',
    description:
      'An existing account follows changes through every door (any), or those by bound service providers (bound)',
  }),
  scopeUsers: Type.Optional(
    Type.String({
      description:
        'SCIM filter: which users may be there. It may read groups, direct and indirect (docs/scope.md). Absent: all',
    }),
  ),
  scopeGroups: Type.Optional(Type.String({ description: 'SCIM filter: which groups may be there. Absent: all' })),
  provisioningRoles: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 100,
      description:
        'Names of groups or roles: only users who have one of them may be there, and scopeUsers must hold too. Groups are not asked. Absent: all',
    }),
  ),
  groups: Type.Enum(['full', 'membership-only', 'link-existing', 'none'], {
    default: 'full',
    description:
      'What is sent of groups: all (full); only of those that are at the target already, kept as in full (link-existing), or no more than who is in them (membership-only); nothing (none). See docs/groups.md',
  }),
  nestedGroups: Type.Enum(['native', 'flatten', 'ignore'], {
    default: 'native',
    description:
      'A group that is in a group is named as its member (native), everybody in it is instead (flatten), or it is left out (ignore). See docs/groups.md',
  }),
  requestsPerSecond: Type.Optional(
    Type.Number({
      minimum: 0.01,
      maximum: 100_000,
      description: 'Absent: what the target profile says, else unlimited',
    }),
  ),
  burst: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description:
        'Requests that may go at once after a pause. Only with requestsPerSecond; absent: one second’s worth',
    }),
  ),
  concurrency: Type.Integer({
    default: 16,
    minimum: 1,
    maximum: 256,
    description: 'Requests under way at the same time',
  }),
  timeoutMs: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 300_000,
    description: 'For one request, from connecting to the last byte of its answer, in milliseconds',
  }),
  settleMs: Type.Integer({
    default: 2_000,
    minimum: 0,
    maximum: 600_000,
    description: 'How long after its timeout a request may still take effect at the target, in milliseconds',
  }),
  maxTries: Type.Integer({
    default: 8,
    minimum: 1,
    maximum: 1_000,
    description: 'Tries without a believable answer before an account is parked',
  }),
  membersPerRequest: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'Absent: what the connector says' }),
  ),
});
export type PolicyAnswer = Static<typeof PolicyAnswer>;
export const PolicyInput = Type.Partial(PolicyAnswer);
export type PolicyInput = Static<typeof PolicyInput>;

const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const SecretIsSet = Type.Object({ set: Type.Literal(true), since: MaybeTime });
/** What an answer said of a secret may be sent back; `since` is only read. */
const secretAsShown = Type.Object({ set: Type.Literal(true), since: Type.Optional(MaybeTime) });

/** Values by setting key. A secret that is left out, or given as it is shown (`{ set: true }`), stays; `null` removes it. */
export const SettingsInput = Type.Record(Type.String(), Type.Union([value, secretAsShown]));
export type SettingsInput = Static<typeof SettingsInput>;

/** What POST on an identity provider's targets takes; PUT takes it too (the type cannot change), PATCH any part of it. */
export const TargetInput = Type.Object({
  /** The connector's type as `/api/connector-kinds` lists it. */
  type: Type.String(),
  /** Default true. */
  enabled: Type.Optional(Type.Boolean()),
  settings: Type.Optional(SettingsInput),
  policy: Type.Optional(PolicyInput),
});
export type TargetInput = Static<typeof TargetInput>;

const count = Type.Integer({ minimum: 0 });

/** What a change would do, as `dryRun` tells: every account is looked at again, and what differs is sent. */
export const EffectAnswer = Type.Object({
  accounts: count,
  /** Requests that change something at the target, as far as can be told without asking it, and without those for memberships. */
  requests: count,
  /** Of these: accounts that would be removed there, and switched off. */
  removals: count,
  disables: count,
  /** What rules would withhold. */
  withheld: count,
  /** Memberships that would be said to the target. `more`: at least so many, since no more are looked at. */
  memberships: Type.Object({ added: count, removed: count, more: Type.Boolean() }),
  /** Passwords that would be sent, and of these the Default Password, with the creation of an account. */
  passwords: count,
  defaultPasswords: count,
  /** The numbers are reckoned from a part of the accounts; those of memberships only where members are made. */
  about: Type.Boolean(),
  /** The target is switched off or paused: nothing is sent before that ends. */
  waits: Type.Boolean(),
});
export type EffectAnswer = Static<typeof EffectAnswer>;

export const TargetAnswer = Type.Object({
  id: Type.Integer(),
  /** `<identity provider>:<type>`, usable wherever an id is. */
  name: Type.String(),
  identityProvider: Type.Object({ id: Type.Integer(), name: Type.String(), enabled: Type.Boolean() }),
  type: Type.String(),
  enabled: Type.Boolean(),
  /** Since when an operator holds it back, and who; null while nobody does. */
  paused: Type.Union([Type.Object({ since: Time, by: Type.String() }), Type.Null()]),
  /** Accounts for which something is to be delivered. */
  waiting: Type.Integer({ minimum: 0 }),
  /** Secrets only as set, and since when; null for those that were set before that was noted. */
  settings: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), SecretIsSet])),
  policy: PolicyAnswer,
  version: Type.Integer(),
  createdAt: Time,
  modifiedAt: Time,
  /** Only where PUT or PATCH was tried (`dryRun`). */
  effect: Type.Optional(EffectAnswer),
});
export type TargetAnswer = Static<typeof TargetAnswer>;
export const TargetList = listOf(TargetAnswer);

/** `POST /api/targets/test`: settings of no target yet. */
export const TestInput = Type.Object({ type: Type.String(), settings: SettingsInput });
export type TestInput = Static<typeof TestInput>;
/** `POST /api/targets/{id}/test`: those saved, or these over the saved secrets. */
export const TestSavedInput = Type.Object({ settings: Type.Optional(SettingsInput) });
export type TestSavedInput = Static<typeof TestSavedInput>;

export const TestAnswer = Type.Object({
  ok: Type.Boolean(),
  steps: Type.Array(
    Type.Object({
      step: Type.String(),
      ok: Type.Boolean(),
      skipped: Type.Optional(Type.Boolean()),
      /** In plain words. */
      reason: Type.String(),
    }),
  ),
});
export type TestAnswer = Static<typeof TestAnswer>;
