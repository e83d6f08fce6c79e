import type { Generated } from 'kysely';
import type { ConflictRow, DecisionRow } from './decision-rows.ts';
import type { FederationRow, SignInLinkRow } from './federation-rows.ts';
import type { OAuthArtifactRow, OAuthClientRow, OAuthKeyRow } from './oauth-rows.ts';

/**
 * Every table, as its rows are read and written. Times are milliseconds of database time; flags are 0 or 1; `doc` and
 * other JSON columns hold JSON text. The same on both databases; what cannot be is named in `dialect.ts`.
 */
export interface Schema {
  /**
   * `delivery`: raised whenever targets, identity providers or bindings change. `retention`, `attempts forgotten` and
   * `changes forgotten`: see `provisioning/retention.ts`. `sealing-key`: see
   * `provisioning/key-check.ts`. `schemas`: see `directory/declared-attributes.ts`.
   */
  stamps: { name: string; value: number };
  user_store_domains: { name: string; description: string | null };
  subjects: SubjectRow;
  subject_keys: { subject_id: string; kind: string; attr: string; value_key: string };
  unique_values: { kind: string; attr: string; value_key: string; subject_id: string };
  declared_attributes: DeclaredAttributeRow;
  members: { group_id: string; member_id: string };
  /**
   * Who was in a group when it was deleted, and groups that left a group: for whom and by which change, until the planner
   * has followed it.
   */
  former_members: { group_id: string; member_id: string; sp_id: number; seq: number };
  refs: { subject_id: string; ref_id: string };
  /** Who spoke for a subject by a call. */
  subject_sps: { subject_id: string; sp_id: number };
  /** The applications that a subject was written through at a sign-in (door `login`). */
  subject_sign_ins: { subject_id: string; sp_id: number };
  passwords: { subject_id: string; hash: string };
  /** Wrong passwords in a row; the empty id stands for everybody who cannot sign in. Also `inbound/login/name-guesses.ts`. */
  sign_in_failures: { subject_id: string; failures: number; last_at: number; locked_until: number | null };
  changes: ChangeRow;

  operators: OperatorRow;
  api_tokens: ApiTokenRow;
  sessions: SessionRow;
  oauth_clients: OAuthClientRow;
  oauth_artifacts: OAuthArtifactRow;
  oauth_keys: OAuthKeyRow;

  identity_providers: IdentityProviderRow;
  federations: FederationRow;
  sign_in_links: SignInLinkRow;
  targets: TargetRow;
  service_providers: ServiceProviderRow;
  bindings: BindingRow;

  accounts: AccountRow;
  conflicts: ConflictRow;
  decisions: DecisionRow;
  links: LinkRow;
  /** Whom we put, or perhaps put, in a group of which we keep no more than that (`provisioning/placed-members.ts`). */
  placed_members: { target_id: number; group_id: string; member_id: string };
  wakes: WakeRow;
  attempts: AttemptRow;
  exchanges: ExchangeRow;
  lanes: LaneRow;
  secrets: SecretRow;
  forwarded_bodies: ForwardedBodyRow;
  waves: WaveRow;
  budgets: BudgetRow;
  nodes: NodeRow;
  policies: PolicyRow;
  policy_versions: PolicyVersionRow;
  descents: DescentRow;
}

/** An attribute, or sub-attribute, of a declared extension. */
export interface DeclaredAttributeRow {
  kind: 'user' | 'group';
  /** `spelling` in lower case. */
  path: string;
  spelling: string;
  /** The type of its values, and whether there may be many. */
  shape: string;
  /** How values are compared that may be there once: `exact` or `folded`; null when they may be there more often. */
  uniqueness: string | null;
}

/**
 * A user or group. `gone` rows are tombstones: they keep id, kind and name so that a removal can be carried out. So do
 * `forwarded` ones, which were never in the directory: what they are is told to their targets and kept nowhere.
 */
export interface SubjectRow {
  id: string;
  kind: 'user' | 'group';
  domain: string;
  /** The folded full name (`bob`, `sales/bob`): userName or displayName. Unique per kind among the live, and among the forwarded of one service provider. */
  name_key: string;
  life: 'live' | 'forwarded' | 'gone';
  /** Sequence of the subject's latest change. */
  seq: number;
  external_id: string | null;
  /** Folded displayName of users; null when unassigned. */
  display_key: string | null;
  /** The SCIM resource without id, meta, schemas, password, members and groups. */
  doc: string;
  /** Counts writes; the ETag. */
  version: number;
  created_at: number;
  modified_at: number;
  /** The service provider it was forwarded for, also when it is gone since; null for everybody of the directory. */
  forwarded_for: number | null;
}

export interface ChangeRow {
  seq: Generated<number>;
  subject_id: string;
  /** The member, when the change is that this member came to or left the group `subject_id`. */
  other_id: string | null;
  sp_id: number;
  door: string;
  actor: string;
  at: number;
  urgency: number;
  /** 1 until planned, then null: the partial index on it is the planner's queue. */
  unplanned: number | null;
}

/** Administrators and service accounts: who may sign in to the doors. They are not directory users. */
export interface OperatorRow {
  id: Generated<number>;
  name_key: string;
  name: string;
  hash: string;
  /** `service` calls SCIM only; the other three sign in to the console and the admin API. */
  role: 'administrator' | 'operator' | 'auditor' | 'service';
  must_change: number;
  created_at: number;
}

export interface SessionRow {
  digest: string;
  operator_id: number;
  created_at: number;
  renewed_at: number;
  expires_at: number;
}

export interface ApiTokenRow {
  id: Generated<number>;
  /** SHA-256 of the token, hex. The token itself is shown once and kept nowhere. */
  digest: string;
  label: string;
  /** The service provider that calls with this token are made for. */
  sp_id: number;
  /** Space-separated: `scim`, `admin`. */
  scopes: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
}

export interface IdentityProviderRow {
  id: Generated<number>;
  name: string;
  name_key: string;
  display_name: string | null;
  description: string | null;
  home_realm_id: string | null;
  alias: string | null;
  certificate: string | null;
  jwks_url: string | null;
  enabled: number;
  created_at: number;
  modified_at: number;
}

export interface TargetRow {
  id: Generated<number>;
  idp_id: number;
  /** Connector type, `SCIM2`. One target per type and identity provider. */
  type: string;
  enabled: number;
  /** JSON: setting values, secrets sealed (context `target:<idp name>:<type>:<key>`). */
  settings: string;
  /** JSON `TargetPolicy`: adopt, deprovision, follow, scope filters, limits. */
  policy: string;
  /** Raised by every change of settings, policy or mapping (engine rule 5). */
  version: number;
  created_at: number;
  modified_at: number;
  /** Since when an operator holds it back, and who; null while it delivers. */
  paused_at: number | null;
  paused_by: string | null;
  /** 1 once its policy had `nestedGroups` other than `native`: groups may be kept otherwise there, whatever it says now. */
  nested_otherwise: number;
  /** Since when it is being taken away, with all that is known of it; nobody sees such a target any more. */
  removed_at: number | null;
}

export interface ServiceProviderRow {
  id: Generated<number>;
  name: string;
  name_key: string;
  description: string | null;
  /** 1 for the resident service provider, of which there is exactly one. */
  resident: number;
  /** 1: what is made for it goes to its targets and is not kept in the directory. */
  forward_only: Generated<number>;
  /** By whose bindings its calls go while it has none. */
  fallback: Generated<'resident' | 'none'>;
  /** Where SCIM makes users and groups for it; null: where their names say. */
  user_store_domain: string | null;
  /** JSON: the claims that it is told of who signs in to it; null: all that its scopes tell. */
  requested_claims: string | null;
  created_at: number;
  modified_at: number;
}

export interface BindingRow {
  sp_id: number;
  target_id: number;
  blocking: number;
  rules: number;
  jit: number;
  enabled: number;
  position: number;
  /** What a blocking binding's door answers when delivery fails: that it did (`report`), or an error (`fail`). */
  on_failure: Generated<'report' | 'fail'>;
}

/**
 * How a password was sent without a believable answer: with the creation of its account (`perhaps`: another creation, without
 * it, may have arrived instead), or by itself, once or twice.
 */
export type PasswordSent = 'created' | 'perhaps' | 'once' | 'twice';

export type AccountState = 'due' | 'done' | 'waiting' | 'parked' | 'withheld' | 'disabled' | 'kept' | 'unbound';

/** Where one subject stands at one target. See `provisioning/accounts.ts` for the life of a row. */
export interface AccountRow {
  target_id: number;
  subject_id: string;
  kind: 'user' | 'group';
  urgency: number;
  /** When it may be claimed next; null when nothing is due. While leased: when the lease ends. */
  due_at: number | null;
  wanted: number;
  done: number;
  lease_attempt: number | null;
  /** Failures in a row: what the backoff grows by. */
  tries: number;
  /** Failures in a row that count towards parking: the rest of the lane succeeded meanwhile. */
  strikes: number;
  state: AccountState;
  reason: string | null;
  /** The subject whose account holds the name this one wants. */
  wait_on: string | null;
  /** The service provider that let it in. */
  sp_id: number;
  seq_done: number;
  /** The change whose clear password the target is still to be told; null when there is none. */
  pw_seq: number | null;
  /** How the password of `pw_seq` was sent without an answer; null when it was not. */
  pw_sent: PasswordSent | null;
  /** What became of the last password that did not reach the target, in words; null when it did or there was none. */
  pw_note: string | null;
  /** Target version its last result was computed with. */
  version: number;
  /** `linked`: a group that was there before us and of which we only keep who is in it. */
  origin: 'created' | 'adopted' | 'adopted-inactive' | 'linked' | null;
  remote_id: string | null;
  /** JSON `Doubt`, or null when the last thing said was answered. */
  doubt: string | null;
  /** Nothing may be sent before this time: a request in doubt may still land (engine rule 9). */
  not_before: number | null;
  /** JSON `Attributes` that the target last acknowledged. */
  acked: string | null;
  /** How many members the next request may name; null for the target's own limit. 0: it is to be created bare, a group without members, a user without a password. */
  chunk: number | null;
  /** What a rule withholds (`POST`, `PUT`, `PATCH`, `DELETE`); null when none does. */
  withheld_operation: string | null;
  /**
   * When a rule that looked at the clock is to be asked again, or a group that has to be at the target is looked for
   * again; null when neither is waited for.
   */
  ask_at: number | null;
  /** Of a group: the modes its memberships were kept by, the present one last (`provisioning/regime.ts`). Null: `native`. */
  regime: string | null;
  /** What an operator decided about it that has not ended yet: the id of a `DecisionRow`. */
  decision: number | null;
}

/** One membership that is not yet said to a target, or waits, or was refused. A settled membership has no row. */
export interface LinkRow {
  target_id: number;
  group_id: string;
  member_id: string;
  op: 'add' | 'remove';
  state: 'due' | 'waiting' | 'parked';
  /** The member's remote id at the time the row was written; what a removal names. */
  remote_id: string | null;
  reason: string | null;
  /** The attempt that is saying it; null when nobody is. */
  attempt_id: number | null;
}

/**
 * `arrived`: the subject has a remote id at the target that it did not have before, so whoever names it may be told.
 * `relink`: the group is made anew at the target, so all its members have to be said again. `left`: the subject's account
 * at the target is gone, so whoever names it as manager names nobody there.
 */
export interface WakeRow {
  id: Generated<number>;
  target_id: number;
  subject_id: string;
  cause: 'arrived' | 'relink' | 'left' | `members after ${string}`;
}

export interface AttemptRow {
  id: Generated<number>;
  target_id: number;
  subject_id: string;
  kind: 'user' | 'group';
  /** `wanted` as it was when the subject was read. */
  noted: number;
  operation: string | null;
  started_at: number;
  /** End of the lease. */
  deadline: number;
  ended_at: number | null;
  outcome: string | null;
  reason: string | null;
  /** Target version it was computed with. */
  version: number;
  /** What the rules said, and which; null when none was asked. */
  rule: string | null;
  /** The node that made it; null when that said nothing of itself. */
  node: number | null;
}

export interface ExchangeRow {
  attempt_id: number;
  n: number;
  method: string;
  url: string;
  request_body: string | null;
  status: number | null;
  response_body: string | null;
  error: string | null;
  at: number;
  took_ms: number;
}

export interface LaneRow {
  target_id: number;
  kind: 'user' | 'group';
  /** Why the lane is held; null when it is open. */
  hold: string | null;
  held_since: number | null;
  /** When the next single probe (held) or the next claim (throttled) may go. */
  probe_at: number | null;
  /** Consecutive failed probes. */
  probes: number;
  /** 1 while held because the target asked for patience; shown as slow, not as broken. */
  throttled: number;
  last_success_at: number | null;
  /** Failures in a row over different accounts since the last success. */
  failures: number;
  /** Remote ids answered *not found* since `absences_since`. */
  absences: number;
  absences_since: number;
  /** Deliveries in a row that the target forbade, and whose was the first. */
  refusals: number;
  first_refused: string | null;
}

/** A clear password on its way to the targets (engine rule 28), under the sequence of the change that brought it. */
export interface SecretRow {
  seq: number;
  subject_id: string;
  /** Sealed with the context `password:<subject_id>`. */
  sealed: string;
  expires_at: number;
}

/** What a forwarded subject is to be at its targets, until all of them have it; at most one for each. */
export interface ForwardedBodyRow {
  subject_id: string;
  /** The change that brought it. */
  seq: number;
  /** 1: it holds only what the last PATCH said, since the whole was erased before. */
  part: number;
  /** JSON attributes, sealed with the context `forwarded:<subject_id>`; null when it was given up before everybody had it. */
  sealed: string | null;
  expires_at: number;
  /** The last change whose body was given up; whoever was not told it by then never will be. */
  lost_seq: number | null;
}

/** Long work over many accounts of a target, done by the planner chunk by chunk (engine rules 5 and 21). */
export interface WaveRow {
  id: Generated<number>;
  target_id: number;
  /** `accounts`: every account of the target is looked at again. `everyone`: everybody in the directory is, a sync. */
  kind: 'accounts' | 'everyone';
  /** Why it runs, as shown: `settings changed`, `binding changed`, `sync` … */
  cause: string;
  /** Who asked for it. */
  actor: string;
  state: 'running' | 'paused' | 'cancelled' | 'done';
  /**
   * The id of the last subject it has seen; the empty text at first. While the refused memberships of a large group are
   * taken up again, the group's id, a space and the id of the last member.
   */
  cursor: string;
  /** The target version that the accounts are brought to. */
  version: number;
  /** How many it was about to look at when it began, has looked at, and has made due. */
  total: number;
  seen: number;
  raised: number;
  started_at: number;
  /** When it ended; while it is paused, since when. */
  ended_at: number | null;
  /** For how long it was paused, without the pause that lasts. */
  paused_ms: number;
}

/**
 * Everybody in a group has to be looked at again, because somebody who spoke for `sp_id` changed the group or put it
 * elsewhere (`provisioning/descents.ts`).
 */
export interface DescentRow {
  group_id: string;
  sp_id: number;
  /**
   * What is looked for. `scope`: who may be at a target. `edge`: who is in `top_id` and the groups above it, since
   * `group_id` (or a group above that) came to it or left it. `whole`, `mode`: who is in the group `top_id` at `target_id`,
   * to say all of it or what another mode makes different (`provisioning/nested-groups.ts`).
   */
  why: 'scope' | 'edge' | 'whole' | 'mode';
  /** The empty text for `scope`. */
  top_id: string;
  /** 0: every target. */
  target_id: number;
  /** A later one has a greater number; a group is looked through once in each. */
  round: number;
  /** The last member that was looked at, the empty text at first; null when all were. */
  cursor: string | null;
  /** Having come to the end it begins again, up to this member. Null: it began at the first. */
  stop: string | null;
}

/** What is left of a target's requests per second, shared by all nodes. */
export interface BudgetRow {
  target_id: number;
  /** Thousandths of a request. */
  tokens: number;
  tokens_at: number;
}

/** A server that delivers from this database, from its start to its end; see `provisioning/nodes.ts`. */
export interface NodeRow {
  id: Generated<number>;
  /** When it last said that it is there. */
  seen_at: number;
}

/** An XACML policy that bindings with *Enable rules* ask. */
export interface PolicyRow {
  id: Generated<number>;
  name: string;
  name_key: string;
  position: number;
  enabled: number;
  /** `referenced`: evaluated only where others refer to it. */
  usage: 'evaluated' | 'referenced';
  /** XACML 3.0 XML. */
  document: string;
  /** JSON `PolicyRows`: what the document is made from; null when it was written as text. */
  made_of: string | null;
  version: number;
  modified_by: string;
  created_at: number;
  modified_at: number;
}

/** A policy as it once was; the last has no `document` when the policy was removed. Append-only. */
export interface PolicyVersionRow {
  policy_id: number;
  version: number;
  name: string;
  position: number;
  enabled: number;
  usage: 'evaluated' | 'referenced';
  document: string | null;
  made_of: string | null;
  actor: string;
  at: number;
}
