import { ConnectorKindList } from './connector-kind.ts';
import { FederationAnswer, FederationInput } from './federation.ts';
import { IdentityProviderAnswer, IdentityProviderInput, IdentityProviderList } from './identity-provider.ts';
import {
  OAuthClientAnswer,
  OAuthClientInput,
  OAuthClientMade,
  OAuthKeyList,
  OAuthSecretInput,
} from './oauth-client.ts';
import { anyPartOf, given, type Operation, one } from './operation.ts';
import {
  BindingsAnswer,
  BindingsChanged,
  BindingsInput,
  ServiceProviderAnswer,
  ServiceProviderChanged,
  ServiceProviderInput,
  ServiceProviderList,
} from './service-provider.ts';
import { SyncAnswer } from './sync.ts';
import { TargetAnswer, TargetInput, TargetList, TestAnswer, TestInput, TestSavedInput } from './target.ts';

/** What is configured: identity providers, targets, service providers. */
export const configurationOperations: readonly Operation[] = [
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
    path: '/identity-providers/{id}/federation',
    summary: 'How people sign in through an identity provider, without its secret',
    answers: { 200: FederationAnswer },
  },
  {
    method: 'put',
    path: '/identity-providers/{id}/federation',
    summary: 'Replace how people sign in through an identity provider; what is left out is off, but a secret stays',
    body: given(FederationInput),
    answers: { 200: FederationAnswer },
    is: 'configures',
  },
  {
    method: 'patch',
    path: '/identity-providers/{id}/federation',
    summary: 'Change parts of how people sign in through an identity provider',
    body: anyPartOf(FederationInput),
    answers: { 200: FederationAnswer },
    is: 'configures',
  },
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
  ...one(
    '/service-providers/{id}',
    'a service provider',
    ServiceProviderInput,
    ServiceProviderAnswer,
    ServiceProviderChanged,
  ),
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
    is: 'configures',
  },
  {
    method: 'patch',
    path: '/service-providers/{id}/oauth-client',
    summary: 'Change parts of an OAuth client; a scope that it loses, its tokens lose within two seconds',
    body: anyPartOf(OAuthClientInput),
    answers: { 200: OAuthClientAnswer },
    is: 'configures',
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
    path: '/oauth/keys',
    summary: 'The keys that tokens are signed with',
    answers: { 200: OAuthKeyList },
  },
  {
    method: 'post',
    path: '/oauth/keys/rotate',
    summary:
      'Make a new key: it is published at once, signs a minute later, and the one before stays until its tokens ended',
    answers: { 201: OAuthKeyList },
  },
];
