import { type TSchema, Type } from 'typebox';
import {
  AccountAnswer,
  AccountDetail,
  AccountPage,
  AdoptInput,
  ForwardedAnswer,
  LeaveInput,
  PreviewAnswer,
  RetryAnswer,
} from './account.ts';
import { AttemptDetail, AttemptPage } from './attempt.ts';
import { CausesAnswer } from './cause.ts';
import { ChangePage } from './change.ts';
import { ConnectorKindList } from './connector-kind.ts';
import { IdentityProviderAnswer, IdentityProviderInput, IdentityProviderList } from './identity-provider.ts';
import { OAuthClientAnswer, OAuthClientInput, OAuthClientMade, OAuthSecretInput } from './oauth-client.ts';
import { pageOf, SubjectRef } from './page.ts';
import { PasswordInput } from './password.ts';
import {
  FilledRows,
  FilledTemplate,
  FillRowsInput,
  FillTemplateInput,
  RuleAttributes,
  RulePolicyAnswer,
  RulePolicyInput,
  RulePolicyList,
  RulePolicyVersions,
  RuleTemplateList,
  TryRulesAnswer,
  TryRulesInput,
} from './policy.ts';
import {
  BindingsAnswer,
  BindingsChanged,
  BindingsInput,
  ServiceProviderAnswer,
  ServiceProviderInput,
  ServiceProviderList,
} from './service-provider.ts';
import {
  OperatorAnswer,
  OperatorInput,
  OperatorList,
  OperatorMade,
  OperatorRoleInput,
  SessionAnswer,
  SignInInput,
} from './session.ts';
import { StatusAnswer, ThroughputAnswer } from './status.ts';
import {
  DomainAnswer,
  DomainInput,
  DomainList,
  GroupInput,
  GroupPatch,
  SubjectDetail,
  SubjectList,
  UserInput,
  UserPatch,
} from './subject.ts';
import { SyncAnswer } from './sync.ts';
import { TargetAnswer, TargetInput, TargetList, TestAnswer, TestInput, TestSavedInput } from './target.ts';
import { TokenAnswer, TokenInput, TokenList } from './token.ts';

/** One thing that the admin API can do. */
export type Operation = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api`, parameters in braces. */
  path: string;
  summary: string;
  /** What each parameter of the query means. */
  query?: Record<string, string>;
  body?: { shape: TSchema; required: boolean };
  /** By status; null: without a body. Every refusal is a `ProblemAnswer`. */
  answers: Record<number, TSchema | null>;
  /** Of body and answer; default `application/json`. */
  media?: 'application/xacml+xml' | 'text/event-stream';
  /** `configures`: takes `?dryRun=true`, and says in the header `purvey-change` what it did. */
  is?: 'configures' | 'open';
  /** Who may: everybody (`read`), administrators and operators (`operate`), administrators (`administer`). See `needOf`. */
  needs?: 'read' | 'operate' | 'administer';
};

/** Unless it says otherwise, reading is for all, and the rest for administrators. */
export function needOf({ method, needs }: Operation): NonNullable<Operation['needs']> {
  return needs ?? (method === 'get' ? 'read' : 'administer');
}

const given = (shape: TSchema) => ({ shape, required: true });
const anyPartOf = (shape: Parameters<typeof Type.Partial>[0]) => given(Type.Partial(shape));

const list = 'The greatest number of items: 1 to 1000, else 100';
const after = 'The next of the page before';

const chooseAccounts = {
  target: 'Id or name of a target',
  state: 'One state, or several with commas',
  kind: 'user or group',
  subject: 'Id or name of a user or group',
  due: 'true or false: whether something is still to be delivered',
  left: 'true or false: of those that are parked, whether somebody left them so',
  remoteId: 'The id it has at the target, exactly',
  cause: 'Of those in trouble at the target, those of this cause: a key of /causes. Goes with target alone',
  after,
};

/** Every operation of the admin API. */
export const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/openapi.json',
    summary: 'This description',
    answers: { 200: Type.Record(Type.String(), Type.Unknown()) },
    is: 'open',
  },
  {
    method: 'post',
    path: '/password',
    summary: 'Change the own password; also while a change is demanded',
    body: given(PasswordInput),
    answers: { 204: null },
    needs: 'read',
  },
  {
    method: 'post',
    path: '/session',
    summary: 'Sign in: begins a session, whose cookie goes with every request that bears the header purvey-client',
    body: given(SignInInput),
    answers: { 200: SessionAnswer },
    is: 'open',
  },
  { method: 'get', path: '/session', summary: 'Who calls', answers: { 200: SessionAnswer } },
  {
    method: 'delete',
    path: '/session',
    summary: 'Sign out: ends the session, if there is one',
    answers: { 204: null },
    is: 'open',
  },
  { method: 'get', path: '/operators', summary: 'Who may sign in, and as what', answers: { 200: OperatorList } },
  {
    method: 'post',
    path: '/operators',
    summary: 'Add an operator; the answer is the only place where the one-time password is shown',
    body: given(OperatorInput),
    answers: { 201: OperatorMade },
  },
  {
    method: 'patch',
    path: '/operators/{id}',
    summary: 'Give an operator another role; holds everywhere within five seconds',
    body: given(OperatorRoleInput),
    answers: { 200: OperatorAnswer },
  },
  {
    method: 'delete',
    path: '/operators/{id}',
    summary: 'Remove an operator, who is signed out; the last administrator stays',
    answers: { 204: null },
  },
  {
    method: 'post',
    path: '/operators/{id}/password',
    summary: 'Give an operator a new one-time password, and sign them out',
    answers: { 200: OperatorMade },
  },
  { method: 'get', path: '/tokens', summary: 'API tokens, without the tokens themselves', answers: { 200: TokenList } },
  {
    method: 'post',
    path: '/tokens',
    summary: 'Make an API token; the answer is the only place where it is shown',
    body: given(TokenInput),
    answers: { 201: TokenAnswer },
  },
  {
    method: 'delete',
    path: '/tokens/{id}',
    summary: 'Revoke an API token; every server refuses it within five seconds',
    answers: { 204: null },
  },
  { method: 'get', path: '/identity-providers', summary: 'Identity providers', answers: { 200: IdentityProviderList } },
  {
    method: 'post',
    path: '/identity-providers',
    summary: 'Add an identity provider',
    body: given(IdentityProviderInput),
    answers: { 201: IdentityProviderAnswer },
    is: 'configures',
  },
  ...one('/identity-providers/{id}', 'an identity provider', IdentityProviderInput, IdentityProviderAnswer),
  {
    method: 'get',
    path: '/identity-providers/{id}/targets',
    summary: 'The targets of an identity provider',
    answers: { 200: TargetList },
  },
  {
    method: 'post',
    path: '/identity-providers/{id}/targets',
    summary: 'Add a connector to an identity provider',
    body: given(TargetInput),
    answers: { 201: TargetAnswer },
    is: 'configures',
  },
  { method: 'get', path: '/targets', summary: 'Targets', answers: { 200: TargetList } },
  ...one('/targets/{id}', 'a target', TargetInput, TargetAnswer).map((operation) =>
    operation.method === 'put' || operation.method === 'patch'
      ? {
          ...operation,
          query: { sameSystem: 'With true: a changed address is the same system’s, so its accounts stay' },
        }
      : operation.method === 'delete'
        ? {
            ...operation,
            query: { forget: 'How many accounts are known there: Purvey forgets them, and they stay there' },
          }
        : operation,
  ),
  {
    method: 'post',
    path: '/targets/{id}/pause',
    summary: 'Send nothing to a target until it is resumed; what happens meanwhile waits',
    answers: { 200: TargetAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/targets/{id}/resume',
    summary: 'Go on sending to a target',
    answers: { 200: TargetAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/targets/test',
    summary: 'Test settings of no target yet; changes nothing there',
    body: given(TestInput),
    answers: { 200: TestAnswer },
  },
  {
    method: 'post',
    path: '/targets/{id}/test',
    summary: 'Test a target with its settings, or with these; changes nothing there',
    body: { shape: TestSavedInput, required: false },
    answers: { 200: TestAnswer },
  },
  {
    method: 'get',
    path: '/targets/{id}/sync',
    summary: 'The latest sync of a target, and who is here but not there',
    answers: { 200: SyncAnswer },
  },
  {
    method: 'post',
    path: '/targets/{id}/sync',
    summary: 'Send everybody who may be at a target and compare everybody who is; goes on where one is paused or runs',
    answers: { 202: SyncAnswer },
    needs: 'operate',
  },
  ...(['pause', 'cancel'] as const).map(
    (what): Operation => ({
      method: 'post',
      path: `/targets/{id}/sync/${what}`,
      summary: `${what === 'pause' ? 'Pause' : 'Cancel'} the sync of a target; what is due already is delivered`,
      answers: { 200: SyncAnswer },
      needs: 'operate',
    }),
  ),
  { method: 'get', path: '/connector-kinds', summary: 'What can be connected', answers: { 200: ConnectorKindList } },
  { method: 'get', path: '/service-providers', summary: 'Service providers', answers: { 200: ServiceProviderList } },
  {
    method: 'post',
    path: '/service-providers',
    summary: 'Add a service provider',
    body: given(ServiceProviderInput),
    answers: { 201: ServiceProviderAnswer },
    is: 'configures',
  },
  ...one('/service-providers/{id}', 'a service provider', ServiceProviderInput, ServiceProviderAnswer),
  {
    method: 'get',
    path: '/service-providers/{id}/bindings',
    summary: 'The bindings of a service provider',
    answers: { 200: BindingsAnswer },
  },
  {
    method: 'put',
    path: '/service-providers/{id}/bindings',
    summary: 'Replace the bindings of a service provider; answers whom a sync would send by them',
    body: given(BindingsInput),
    answers: { 200: BindingsChanged },
    is: 'configures',
  },
  {
    method: 'get',
    path: '/service-providers/{id}/oauth-client',
    summary: 'The OAuth client of a service provider, without its secret',
    answers: { 200: OAuthClientAnswer },
  },
  {
    method: 'post',
    path: '/service-providers/{id}/oauth-client',
    summary: 'Make the OAuth client of a service provider; the answer is the only place where its secret is shown',
    body: given(OAuthClientInput),
    answers: { 201: OAuthClientMade },
  },
  {
    method: 'patch',
    path: '/service-providers/{id}/oauth-client',
    summary: 'Change parts of an OAuth client; a scope that it loses, its tokens lose within two seconds',
    body: anyPartOf(OAuthClientInput),
    answers: { 200: OAuthClientAnswer },
  },
  {
    method: 'post',
    path: '/service-providers/{id}/oauth-client/secret',
    summary: 'Give an OAuth client a new secret, shown here only; the one before is good for a while still',
    body: { shape: OAuthSecretInput, required: false },
    answers: { 201: OAuthClientMade },
  },
  {
    method: 'delete',
    path: '/service-providers/{id}/oauth-client',
    summary: 'Remove an OAuth client; its tokens are refused within two seconds',
    answers: { 204: null },
  },
  {
    method: 'get',
    path: '/policies',
    summary: 'The policies that rules are decided by',
    answers: { 200: RulePolicyList },
  },
  {
    method: 'post',
    path: '/policies',
    summary: 'Add a policy; refused, with the line, if it and the others cannot be in force together',
    body: given(RulePolicyInput),
    answers: { 201: RulePolicyAnswer },
    is: 'configures',
  },
  ...one('/policies/{id}', 'a policy', RulePolicyInput, RulePolicyAnswer),
  {
    method: 'get',
    path: '/policies/{id}/versions',
    summary: 'What a policy was before, the latest first',
    answers: { 200: RulePolicyVersions },
  },
  {
    method: 'post',
    path: '/policies/try',
    summary: 'Ask the rules about one operation; nothing is sent',
    body: given(TryRulesInput),
    answers: { 200: TryRulesAnswer },
    needs: 'read',
  },
  { method: 'get', path: '/policy-templates', summary: 'Ready-made policies', answers: { 200: RuleTemplateList } },
  {
    method: 'post',
    path: '/policy-templates/fill',
    summary: 'The policy that a filled-in form describes; it is not saved',
    body: given(FillTemplateInput),
    answers: { 200: FilledTemplate },
    needs: 'read',
  },
  {
    method: 'get',
    path: '/policy-attributes',
    summary: 'The attributes and claims that conditions can be about',
    answers: { 200: RuleAttributes },
  },
  {
    method: 'post',
    path: '/policy-rows/fill',
    summary:
      'The policy that rows make, or what keeps them from being one, and each row in a sentence; it is not saved',
    body: given(FillRowsInput),
    answers: { 200: FilledRows },
    needs: 'read',
  },
  {
    method: 'post',
    path: '/pdp',
    summary: 'Decide an XACML 3.0 request by the policies in force',
    body: given(Type.String()),
    answers: { 200: Type.String() },
    media: 'application/xacml+xml',
    needs: 'read',
  },
  ...(['users', 'groups'] as const).flatMap((place): Operation[] => [
    {
      method: 'get',
      path: `/${place}`,
      summary: `The ${place} of the directory`,
      query: { filter: 'A SCIM filter (RFC 7644 section 3.4.2.2)', startIndex: 'Counts from 1', limit: list },
      answers: { 200: SubjectList },
    },
    {
      method: 'get',
      path: `/${place}/{id}`,
      summary: `One of the ${place}, by id or name, and where it stands`,
      answers: { 200: SubjectDetail },
    },
    {
      method: 'post',
      path: `/${place}`,
      summary: `Add ${place === 'users' ? 'a user' : 'a group'}; waits for blocking targets, as SCIM does`,
      body: given(place === 'users' ? UserInput : GroupInput),
      answers: { 201: SubjectDetail },
    },
    {
      method: 'patch',
      path: `/${place}/{id}`,
      summary: place === 'users' ? 'Change parts of a user' : 'Rename a group, and say who comes and goes',
      body: given(place === 'users' ? UserPatch : GroupPatch),
      answers: { 200: SubjectDetail },
    },
    {
      method: 'delete',
      path: `/${place}/{id}`,
      summary: `Remove ${place === 'users' ? 'a user' : 'a group; its members stay'}`,
      answers: { 204: null },
    },
  ]),
  {
    method: 'get',
    path: '/groups/{id}/members',
    summary: 'All members of a group',
    query: { after, limit: list },
    answers: { 200: pageOf(SubjectRef) },
  },
  { method: 'get', path: '/user-store-domains', summary: 'User store domains', answers: { 200: DomainList } },
  {
    method: 'post',
    path: '/user-store-domains',
    summary: 'Add a user store domain; 200 when it is there already',
    body: given(DomainInput),
    answers: { 200: DomainAnswer, 201: DomainAnswer },
    is: 'configures',
  },
  {
    method: 'get',
    path: '/accounts',
    summary: 'Where users and groups stand at the targets',
    query: { ...chooseAccounts, limit: list },
    answers: { 200: AccountPage },
  },
  {
    method: 'get',
    path: '/accounts/{target}/{subject}',
    summary: 'One account, with its last attempts',
    answers: { 200: AccountDetail },
  },
  {
    method: 'get',
    path: '/accounts/{target}/{subject}/preview',
    summary: 'What would be sent now; nothing is',
    answers: { 200: PreviewAnswer },
  },
  {
    method: 'post',
    path: '/accounts/retry',
    summary: 'Make up to 200 accounts of these states, or of this cause, due at once; goes on with `next`',
    query: chooseAccounts,
    answers: { 202: RetryAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/forwarded/{subject}/give-up',
    summary: 'Erases what is kept of a user or group that is only forwarded, though some target does not have it',
    answers: { 200: ForwardedAnswer },
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/retry',
    summary: 'Make an account due at once, whatever its state',
    answers: { 202: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/adopt',
    summary: 'Take over the account that is at the target under its name already; the next attempt does it',
    body: given(AdoptInput),
    answers: { 202: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'post',
    path: '/accounts/{target}/{subject}/leave',
    summary: 'Leave a parked account parked: it is no longer among those to look at, until something about it changes',
    body: { shape: LeaveInput, required: false },
    answers: { 200: AccountAnswer },
    needs: 'operate',
  },
  {
    method: 'get',
    path: '/attempts',
    summary: 'Attempts, the latest first',
    query: {
      target: 'Id or name',
      subject: 'Id of a user or group',
      outcome: 'How they ended',
      text: 'Part of the reason, without regard to case',
      status: 'An HTTP status that the target answered with',
      after,
      limit: list,
    },
    answers: { 200: AttemptPage },
  },
  { method: 'get', path: '/attempts/{id}', summary: 'One attempt and all it said', answers: { 200: AttemptDetail } },
  {
    method: 'get',
    path: '/changes',
    summary: 'The change log, from the one after `after`; without it the last ones',
    query: { after: 'The sequence of a change', limit: list, subject: 'Id of a user or group' },
    answers: { 200: ChangePage },
  },
  {
    method: 'get',
    path: '/throughput',
    summary: 'How many attempts ended well and how many otherwise, by when they began',
    query: { span: 'hour (by minute; the default) or day (by quarter of an hour)', target: 'Id or name of a target' },
    answers: { 200: ThroughputAnswer },
  },
  {
    method: 'get',
    path: '/events',
    summary: 'Server-sent events: hello, then news with a list of what got newer (changes, deliveries, targets)',
    answers: { 200: Type.String() },
    media: 'text/event-stream',
  },
  {
    method: 'get',
    path: '/causes',
    summary: 'Accounts that are parked or fail, by cause',
    answers: { 200: CausesAnswer },
  },
  { method: 'get', path: '/status', summary: 'How server and targets are doing', answers: { 200: StatusAnswer } },
];

function one(path: string, what: string, input: Parameters<typeof Type.Partial>[0], answer: TSchema): Operation[] {
  const answers = { 200: answer };
  return [
    { method: 'get', path, summary: `Read ${what}, by id or name`, answers },
    { method: 'put', path, summary: `Replace ${what}`, body: given(input), answers, is: 'configures' },
    { method: 'patch', path, summary: `Change parts of ${what}`, body: anyPartOf(input), answers, is: 'configures' },
    { method: 'delete', path, summary: `Remove ${what}`, answers: { 204: null } },
  ];
}
