import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { AccountAnswer, AccountDetail, PreviewAnswer } from '../../src/contract/account.ts';
import type { AttemptDetail, AttemptPage } from '../../src/contract/attempt.ts';
import type { CausesAnswer } from '../../src/contract/cause.ts';
import type { ChangeAnswer } from '../../src/contract/change.ts';
import type { ConnectorKindAnswer } from '../../src/contract/connector-kind.ts';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import type { IdentityProviderAnswer } from '../../src/contract/identity-provider.ts';
import type { OAuthClientAnswer, OAuthKeyList } from '../../src/contract/oauth-client.ts';
import type { AgingPage, List, Page, SubjectRef } from '../../src/contract/page.ts';
import type {
  FilledRows,
  RuleAttributes,
  RulePolicyAnswer,
  RulePolicyVersion,
  RuleRows,
  RuleTemplate,
  TryRulesAnswer,
  TryRulesInput,
} from '../../src/contract/policy.ts';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import type { OperatorAnswer, SessionAnswer } from '../../src/contract/session.ts';
import type { SignInLinkAnswer } from '../../src/contract/sign-in-link.ts';
import type { StatusAnswer, ThroughputAnswer } from '../../src/contract/status.ts';
import type { DomainAnswer, SubjectDetail, SubjectList } from '../../src/contract/subject.ts';
import type { SyncAnswer } from '../../src/contract/sync.ts';
import type { TargetAnswer } from '../../src/contract/target.ts';
import type { TokenListItem } from '../../src/contract/token.ts';
import { ApiError, call, get, step } from './client.ts';

/** What is asked of the server, each under the key that a write makes stale. */

/** The server says when something is new (`frame/live.tsx`); this is for what it may have missed. */
const live = 30_000;

/** Null: nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<SessionAnswer | null> => {
    try {
      return await get<SessionAnswer>('/session');
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: () => get<StatusAnswer>('/status'),
  refetchInterval: live,
});

export const throughputQuery = (span: 'hour' | 'day', target?: string) =>
  queryOptions({
    queryKey: ['throughput', span, target],
    queryFn: () => get<ThroughputAnswer>('/throughput', filled({ span, target })),
    placeholderData: keepPreviousData,
    refetchInterval: live,
  });

export const causesQuery = queryOptions({
  queryKey: ['causes'],
  queryFn: () => get<CausesAnswer>('/causes'),
  refetchInterval: live,
});

export type Kind = 'user' | 'group';
export const placeOf = (kind: Kind) => (kind === 'user' ? 'users' : 'groups');

/** `name`: the beginning of a name; instead of `filter`. */
/** What is left empty in a form is not asked for. */
function filled<T extends object>(query: T): Partial<T> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== '')) as Partial<T>;
}

/** `name`: the beginning of a name; empty: everybody, in the order of names. */
export type SubjectFilter = {
  filter?: string | undefined;
  name?: string | undefined;
  startIndex: number;
  limit: number;
};

export const subjectsQuery = (kind: Kind, query: SubjectFilter) =>
  queryOptions({
    queryKey: ['subjects', kind, query],
    queryFn: () => get<SubjectList>(`/${placeOf(kind)}`, query),
    placeholderData: keepPreviousData,
  });

export const subjectQuery = (kind: Kind, id: string) =>
  queryOptions({
    queryKey: ['subject', kind, id],
    queryFn: () => get<SubjectDetail>(`/${placeOf(kind)}/${step(id)}`),
    refetchInterval: live,
  });

export const membersQuery = (id: string, after: string | undefined) =>
  queryOptions({
    queryKey: ['members', id, after],
    queryFn: () => get<Page<SubjectRef>>(`/groups/${step(id)}/members`, { after, limit: 50 }),
    placeholderData: keepPreviousData,
  });

export const userLinksQuery = (id: string) =>
  queryOptions({
    queryKey: ['sign-in-links', 'user', id],
    queryFn: () => get<List<SignInLinkAnswer>>(`/users/${step(id)}/links`),
    refetchInterval: live,
  });

export const linkedPeopleQuery = (idpId: number, query: { search: string | undefined; after: string | undefined }) =>
  queryOptions({
    queryKey: ['sign-in-links', 'identity provider', idpId, query],
    queryFn: () => get<Page<SignInLinkAnswer>>(`/identity-providers/${idpId}/links`, { ...filled(query), limit: 50 }),
    placeholderData: keepPreviousData,
    refetchInterval: live,
  });

export type AccountFilter = {
  target?: string | undefined;
  state?: string | undefined;
  kind?: string | undefined;
  due?: string | undefined;
  left?: string | undefined;
  remoteId?: string | undefined;
  cause?: string | undefined;
  after?: string | undefined;
};

export const accountsQuery = (filter: AccountFilter) =>
  queryOptions({
    queryKey: ['accounts', filter],
    queryFn: () => get<Page<AccountAnswer>>('/accounts', { ...filled(filter), limit: 50 }),
    placeholderData: keepPreviousData,
    refetchInterval: live,
  });

/** Whoever has this id at a target, exactly. */
export const remoteIdQuery = (remoteId: string) =>
  queryOptions({
    queryKey: ['accounts', { remoteId }],
    queryFn: () => get<Page<AccountAnswer>>('/accounts', { remoteId, limit: 5 }),
  });

export const accountQuery = (target: string, subject: string) =>
  queryOptions({
    queryKey: ['account', target, subject],
    queryFn: () => get<AccountDetail>(`/accounts/${step(target)}/${step(subject)}`),
    refetchInterval: live,
  });

export type AttemptFilter = {
  target?: string | undefined;
  subject?: string | undefined;
  outcome?: string | undefined;
  text?: string | undefined;
  status?: string | undefined;
  after?: string | undefined;
};

export const attemptsQuery = (filter: AttemptFilter) =>
  queryOptions({
    queryKey: ['attempts', filter],
    queryFn: () => get<AttemptPage>('/attempts', { ...filled(filter), limit: 50 }),
    placeholderData: keepPreviousData,
  });

export const attemptQuery = (id: number) =>
  queryOptions({ queryKey: ['attempt', id], queryFn: () => get<AttemptDetail>(`/attempts/${id}`) });

export const changesQuery = (query: { after?: number | undefined; subject?: string | undefined; limit: number }) =>
  queryOptions({
    queryKey: ['changes', query],
    queryFn: () => get<AgingPage<ChangeAnswer>>('/changes', filled(query)),
    placeholderData: keepPreviousData,
    refetchInterval: query.after === undefined ? live : false,
  });

export const identityProvidersQuery = queryOptions({
  queryKey: ['identity-providers'],
  queryFn: () => get<List<IdentityProviderAnswer>>('/identity-providers'),
});

export const identityProviderQuery = (id: string) =>
  queryOptions({
    queryKey: ['identity-providers', id],
    queryFn: () => get<IdentityProviderAnswer>(`/identity-providers/${step(id)}`),
  });

export const federationQuery = (idpId: number) =>
  queryOptions({
    queryKey: ['identity-providers', idpId, 'federation'],
    queryFn: () => get<FederationAnswer>(`/identity-providers/${idpId}/federation`),
  });

export const targetsQuery = queryOptions({
  queryKey: ['targets'],
  queryFn: () => get<List<TargetAnswer>>('/targets'),
});

export const connectorKindsQuery = queryOptions({
  queryKey: ['connector-kinds'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => get<List<ConnectorKindAnswer>>('/connector-kinds'),
});

export const syncQuery = (target: string) =>
  queryOptions({
    queryKey: ['sync', target],
    queryFn: () => get<SyncAnswer>(`/targets/${step(target)}/sync`),
    refetchInterval: live,
  });

export const serviceProvidersQuery = queryOptions({
  queryKey: ['service-providers'],
  queryFn: () => get<List<ServiceProviderAnswer>>('/service-providers'),
});

export const serviceProviderQuery = (id: string) =>
  queryOptions({
    queryKey: ['service-providers', id],
    queryFn: () => get<ServiceProviderAnswer>(`/service-providers/${step(id)}`),
  });

export const policiesQuery = queryOptions({
  queryKey: ['policies'],
  queryFn: () => get<List<RulePolicyAnswer>>('/policies'),
});

export const policyVersionsQuery = (id: number) =>
  queryOptions({
    queryKey: ['policies', id, 'versions'],
    queryFn: () => get<List<RulePolicyVersion>>(`/policies/${id}/versions`),
  });

export const policyTemplatesQuery = queryOptions({
  queryKey: ['policy-templates'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => get<List<RuleTemplate>>('/policy-templates'),
});

export const policyAttributesQuery = queryOptions({
  queryKey: ['policy-attributes'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => get<RuleAttributes>('/policy-attributes'),
});

/** What rows say and make, and what is missing in them. */
export const filledRowsQuery = (name: string, rows: RuleRows) =>
  queryOptions({
    queryKey: ['policy-rows', name, rows],
    queryFn: () => call<FilledRows>('POST', '/policy-rows/fill', { body: { name, rows } }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });

/** Never kept: people, policies and the clock move on. */
export const triedRulesQuery = (question: TryRulesInput) =>
  queryOptions({
    queryKey: ['tried-rules', question],
    queryFn: () => call<TryRulesAnswer>('POST', '/policies/try', { body: question }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

export const domainsQuery = queryOptions({
  queryKey: ['user-store-domains'],
  queryFn: () => get<{ items: DomainAnswer[] }>('/user-store-domains'),
});

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: () => get<List<TokenListItem>>('/tokens'),
});

export const oauthKeysQuery = queryOptions({
  queryKey: ['oauth-keys'],
  queryFn: () => get<OAuthKeyList>('/oauth/keys'),
  refetchInterval: live,
});

export const operatorsQuery = queryOptions({
  queryKey: ['operators'],
  queryFn: () => get<List<OperatorAnswer>>('/operators'),
});

export const previewQuery = (target: string, subject: string) =>
  queryOptions({
    queryKey: ['account', target, subject, 'preview'],
    queryFn: () => get<PreviewAnswer>(`/accounts/${step(target)}/${step(subject)}/preview`),
  });

/** Null: it has none. */
export const oauthClientQuery = (id: number) =>
  queryOptions({
    queryKey: ['service-providers', id, 'oauth-client'],
    queryFn: async (): Promise<OAuthClientAnswer | null> => {
      try {
        return await get<OAuthClientAnswer>(`/service-providers/${id}/oauth-client`);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
