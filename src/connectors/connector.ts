import type { Secret } from '../base/secret.ts';
import type { Attributes, MappingRow } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { Outbound } from '../outbound/outbound.ts';

/**
 * The contract between the engine and a connector. A connector is code for one kind of remote API; it holds no state
 * that matters, keeps no queue, never retries and never decides what should be: it says one thing to the target and
 * tells honestly how it ended. Failures are returned, never thrown; what a connector throws is our own fault and counts
 * as `unknown`.
 */
export interface ConnectorKind {
  /** The name in API, drop-downs and rules, as WSO2 writes it: `SCIM2`, `scim`, `spml`, `googleapps`, `salesforce`. */
  readonly type: string;
  readonly label: string;
  /** Drawn as a form, in this order. */
  readonly settings: readonly Setting[];
  /** How a subject becomes the target's resource when the target has no mapping of its own. */
  readonly mapping: readonly MappingRow[];
  /** What is wrong with these settings, by setting; empty when they can be used. Sends nothing. */
  checkSettings(values: SettingValues): SettingFault[];
  /** What the target's policy is, with valid settings, where its owner says nothing. Absent: nothing of its own. */
  policyDefaults?(values: SettingValues): PolicyDefaults;
  /** Makes a connector for valid settings. Cheap, sends nothing; the engine keeps it until the settings change. */
  open(values: SettingValues, outbound: Outbound): Connector;
}

export type PolicyDefaults = {
  deprovision?: 'delete' | 'disable' | 'keep';
  nestedGroups?: 'native' | 'flatten';
  requestsPerSecond?: number;
};

export type Setting = {
  key: string;
  label: string;
  type: 'text' | 'secret' | 'boolean' | 'choice' | 'number' | 'url';
  required: boolean;
  help?: string;
  /** A text of several lines. */
  multiline?: true;
  default?: string | boolean | number;
  options?: readonly { value: string; label: string }[];
  /** It says which system this is: remote ids of another one mean nothing here. */
  system?: true;
  /** Shown (and, if `required`, demanded) only while another setting has one of these values. */
  when?: { key: string; in: readonly (string | boolean)[] };
};

/** Values by setting key, defaults filled in; an empty text counts as not given. */
export type SettingValues = Readonly<Record<string, string | number | boolean | Secret | undefined>>;

export type SettingFault = { key: string; message: string };

export type SubjectKind = 'user' | 'group';

export interface Connector {
  /** False when these settings say that this kind is not sent at all (a blank Group Endpoint). */
  sends(kind: SubjectKind): boolean;
  /** Whether these settings let users' passwords out at all (*Enable Password Provisioning*). */
  readonly takesPasswords: boolean;
  /** Whether a creation that is given no password carries one all the same (*Default Password*). */
  readonly hasDefaultPassword: boolean;
  /** How this target writes a subject's name: `name` without domain, and the user store domain it is in. */
  writeName(domain: string, name: string): string;
  /**
   * What the target can do. Asked before an operation; the connector remembers the answer for a while, so the
   * exchange appears only in the attempt that really asked.
   */
  describe(courier: Courier): Promise<Described | Failure>;
  /**
   * Remote resources that may be this subject: those whose externalId is `externalId` or whose name is one of `names`
   * (compared as the target compares names). The connector checks each against the question itself, so a target that
   * ignores filters cannot mislead. Group members are not fetched. An empty list means: the target answered, none.
   */
  find(courier: Courier, ask: FindRequest): Promise<Found | Failure>;
  read(courier: Courier, kind: SubjectKind, remoteId: string): Promise<ReadDone | Absent | Failure>;
  /** `members`: remote ids to put in with the creation (groups). */
  create(courier: Courier, ask: CreateRequest): Promise<CreateDone | Exists | Failure>;
  update(courier: Courier, ask: UpdateRequest): Promise<Done | Absent | Exists | Failure>;
  /** Adds and removes members of a group by remote id. Saying it again does no harm. Only where `describe` said `patch`. */
  changeMembers(courier: Courier, ask: MembersRequest): Promise<Done | Absent | Failure>;
  /**
   * Gives a user another password and changes nothing else. Only where `takesPasswords`. Saying it again may be refused,
   * by a target that remembers old passwords.
   */
  changePassword(courier: Courier, ask: PasswordRequest): Promise<Done | Absent | Failure>;
  remove(courier: Courier, kind: SubjectKind, remoteId: string): Promise<Done | Absent | Failure>;
  /** The steps of *Test connection*, in order; stops at the first that fails. Changes nothing at the target. */
  test(courier: Courier): Promise<TestStep[]>;
}

export type FindRequest = { kind: SubjectKind; externalId: string; names: readonly string[] };
export type CreateRequest = {
  kind: SubjectKind;
  attributes: Attributes;
  members?: readonly RemoteMember[];
  /**
   * The subject's clear password from its change, when there is one; else the connector's Default Password may apply.
   * `none`: not even that.
   */
  password?: Secret | 'none';
};
export type UpdateRequest = {
  kind: SubjectKind;
  remoteId: string;
  /** All that the resource should hold. */
  attributes: Attributes;
  /** What differs from what the target last acknowledged. */
  set: Attributes;
  unset: readonly string[];
  /** Every member, for a target without PATCH (a PUT says the whole). Absent when `describe` said `patch`. */
  members?: readonly RemoteMember[];
};
export type PasswordRequest = {
  remoteId: string;
  password: Secret;
  /** What the resource holds already, for a target without PATCH (a PUT says the whole). */
  attributes: Attributes;
};
export type MembersRequest = { remoteId: string; add: readonly RemoteMember[]; remove: readonly RemoteMember[] };
export type RemoteMember = { kind: SubjectKind; remoteId: string };

export type Remote = { remoteId: string; externalId: string | undefined; name: string; attributes: Attributes };

/** `patch`: of groups. `membersAtCreation`: most members of a creation; absent: as many as in any request. */
export type Described = { outcome: 'done'; patch: boolean; membersPerRequest: number; membersAtCreation?: number };
export type Found = { outcome: 'done'; found: Remote[] };
export type ReadDone = { outcome: 'done'; remote: Remote };
/** `remoteId` is what the target answered. A creation whose answer holds no id is `unknown`, never `done`. */
export type CreateDone = { outcome: 'done'; remoteId: string };
export type Done = { outcome: 'done' };

/** The target documents that it does not know this id (404 or 410 on that resource). */
export type Absent = { outcome: 'absent'; reason: string };
/** The name (or another unique value) is already taken at the target. */
export type Exists = { outcome: 'exists'; reason: string };
export type Failure =
  /**
   * It will not accept this however often asked. `rights`: because the credentials may not do it (a 403), which may be
   * this one account's matter or everybody's; the engine sees which.
   */
  | { outcome: 'refused'; rights?: true; reason: string }
  /**
   * Certainly not applied. `scope`: `account` - only this request (a documented 503); `lane` - everyone of this kind
   * at this target (wrong endpoint); `target` - everyone (credentials, TLS, DNS, refused connections, rate).
   * `throttled`: the target asked for patience, nothing is wrong. `retryAfterMs`: what it asked for.
   */
  | {
      outcome: 'unavailable';
      scope: 'account' | 'lane' | 'target';
      throttled?: boolean;
      retryAfterMs?: number;
      reason: string;
    }
  /** Sent, and no believable answer: it may or may not have been applied. */
  | { outcome: 'unknown'; reason: string };

/** `reason` says in plain words what happened and what to do. */
export type TestStep = {
  step: 'reached' | 'certificate' | 'signed in' | 'users endpoint' | 'groups endpoint';
  ok: boolean;
  /** True when the step does not apply (plain HTTP has no certificate; groups are not sent). */
  skipped?: boolean;
  reason: string;
};
