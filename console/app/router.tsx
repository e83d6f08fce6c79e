import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Frame } from '../frame/frame.tsx';
import { type RuleSearch, ruleViews } from '../pages/rule-search.ts';
import { Failed, PageHead } from '../parts/page.tsx';

/** Every page has an address, and every list keeps what it shows in it. */

type Search = Record<string, unknown>;
const text = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' ? String(value) : undefined;
};
const number = (value: unknown): number | undefined => {
  const given = Number(value);
  return value !== undefined && Number.isSafeInteger(given) && given >= 0 ? given : undefined;
};
type SubjectSearch = {
  q?: string | undefined;
  filter?: string | undefined;
  domain?: string | undefined;
  from?: number | undefined;
};
const subjects = (search: Search): SubjectSearch => ({
  q: text(search.q),
  filter: text(search.filter),
  domain: text(search.domain),
  from: number(search.from),
});

/** How far back the chart goes: an hour, unless it says `day`. */
const span = (search: Search): { span?: 'day' | undefined } => ({ span: search.span === 'day' ? 'day' : undefined });

type DeliverySearch = Partial<
  Record<'target' | 'outcome' | 'status' | 'text' | 'subject' | 'after', string | undefined>
>;

type TargetSearch = Partial<Record<'state' | 'cause' | 'after', string | undefined>> & { span?: 'day' | undefined };

const rules = (search: Search): RuleSearch => ({
  view: ruleViews.find((view) => view === search.view),
  version: number(search.version),
  subject: text(search.subject),
  target: text(search.target),
  operation: text(search.operation),
  sp: text(search.sp),
  at: text(search.at),
});

const root = createRootRoute({
  component: Frame,
  notFoundComponent: () => (
    <PageHead title="There is no such page" says="The address may be cut off, or what it named is gone." />
  ),
  errorComponent: ({ error, reset }) => <Failed error={error as Error} again={reset} />,
});

const parent = { getParentRoute: () => root };
const usersPages = () => import('../pages/subjects.tsx');
const userPages = () => import('../pages/subject.tsx');
const subjectForms = () => import('../pages/subject-form.tsx');
const idpPages = () => import('../pages/identity-providers.tsx');
const idpForm = () => import('../pages/identity-provider.tsx');
const addIdpForm = () => import('../pages/identity-provider-add.tsx');
const spPages = () => import('../pages/service-providers.tsx');
const rulePages = () => import('../pages/rule.tsx');
const spForm = () => import('../pages/service-provider.tsx');

const routes = [
  createRoute({
    ...parent,
    path: '/',
    validateSearch: span,
    component: lazyRouteComponent(() => import('../pages/home.tsx'), 'HomePage'),
  }),
  createRoute({
    ...parent,
    path: '/users',
    validateSearch: subjects,
    component: lazyRouteComponent(usersPages, 'UsersPage'),
  }),
  createRoute({ ...parent, path: '/users/add', component: lazyRouteComponent(subjectForms, 'AddUserPage') }),
  createRoute({ ...parent, path: '/users/$id', component: lazyRouteComponent(userPages, 'UserPage') }),
  createRoute({ ...parent, path: '/users/$id/edit', component: lazyRouteComponent(subjectForms, 'EditUserPage') }),
  createRoute({
    ...parent,
    path: '/groups',
    validateSearch: subjects,
    component: lazyRouteComponent(usersPages, 'GroupsPage'),
  }),
  createRoute({ ...parent, path: '/groups/add', component: lazyRouteComponent(subjectForms, 'AddGroupPage') }),
  createRoute({ ...parent, path: '/groups/$id', component: lazyRouteComponent(userPages, 'GroupPage') }),
  createRoute({ ...parent, path: '/groups/$id/edit', component: lazyRouteComponent(subjectForms, 'EditGroupPage') }),
  createRoute({
    ...parent,
    path: '/accounts/$target/$subject',
    component: lazyRouteComponent(() => import('../pages/account.tsx'), 'AccountPage'),
  }),
  createRoute({
    ...parent,
    path: '/targets/$target',
    validateSearch: (search: Search): TargetSearch => ({
      ...span(search),
      state: text(search.state),
      cause: text(search.cause),
      after: text(search.after),
    }),
    component: lazyRouteComponent(() => import('../pages/target.tsx'), 'TargetPage'),
  }),
  createRoute({
    ...parent,
    path: '/identity-providers',
    component: lazyRouteComponent(idpPages, 'IdentityProvidersPage'),
  }),
  createRoute({
    ...parent,
    path: '/identity-providers/add',
    component: lazyRouteComponent(addIdpForm, 'AddIdentityProviderPage'),
  }),
  createRoute({
    ...parent,
    path: '/identity-providers/$id',
    validateSearch: (search: Search): { people?: string | undefined; after?: string | undefined } => ({
      people: text(search.people),
      after: text(search.after),
    }),
    component: lazyRouteComponent(idpForm, 'IdentityProviderPage'),
  }),
  createRoute({
    ...parent,
    path: '/service-providers',
    component: lazyRouteComponent(spPages, 'ServiceProvidersPage'),
  }),
  createRoute({
    ...parent,
    path: '/service-providers/add',
    component: lazyRouteComponent(spForm, 'AddServiceProviderPage'),
  }),
  createRoute({
    ...parent,
    path: '/service-providers/$id',
    component: lazyRouteComponent(spForm, 'ServiceProviderPage'),
  }),
  createRoute({
    ...parent,
    path: '/rules',
    component: lazyRouteComponent(() => import('../pages/rules.tsx'), 'RulesPage'),
  }),
  createRoute({
    ...parent,
    path: '/rules/add',
    validateSearch: rules,
    component: lazyRouteComponent(rulePages, 'AddRulePage'),
  }),
  createRoute({
    ...parent,
    path: '/rules/$id',
    validateSearch: rules,
    component: lazyRouteComponent(rulePages, 'RulePage'),
  }),
  createRoute({
    ...parent,
    path: '/deliveries',
    validateSearch: (search: Search): DeliverySearch => ({
      target: text(search.target),
      outcome: text(search.outcome),
      status: text(search.status),
      text: text(search.text),
      subject: text(search.subject),
      after: text(search.after),
    }),
    component: lazyRouteComponent(() => import('../pages/deliveries.tsx'), 'DeliveriesPage'),
  }),
  createRoute({
    ...parent,
    path: '/deliveries/$id',
    component: lazyRouteComponent(() => import('../pages/deliveries.tsx'), 'DeliveryPage'),
  }),
  createRoute({
    ...parent,
    path: '/changes',
    validateSearch: (search: Search): { after?: number | undefined; subject?: string | undefined } => ({
      after: number(search.after),
      subject: text(search.subject),
    }),
    component: lazyRouteComponent(() => import('../pages/changes.tsx'), 'ChangesPage'),
  }),
  createRoute({
    ...parent,
    path: '/password',
    component: lazyRouteComponent(() => import('../pages/own-password.tsx'), 'OwnPasswordPage'),
  }),
  createRoute({
    ...parent,
    path: '/settings',
    component: lazyRouteComponent(() => import('../pages/settings.tsx'), 'SettingsPage'),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: '/console',
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
