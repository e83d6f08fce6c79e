import type { Page } from 'playwright-core';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { type Server, until } from './place.ts';

/** A server in which every page has something to show: people, groups, accounts in several states, a rule, operators. */
export async function furnish(
  server: Server,
): Promise<{ fake: FakeScim2; pages: readonly (readonly [string, string])[] }> {
  const { call } = server;
  const fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'a-token-of-the-target' } });
  const settings = {
    'scim2-authentication-mode': 'bearer',
    'scim2-access-token': 'a-token-of-the-target',
    'scim2-user-ep': fake.usersEndpoint,
    'scim2-group-ep': fake.groupsEndpoint,
  };
  await call('POST', '/identity-providers', {
    name: 'partner',
    displayName: 'Partner',
    description: 'The training portal',
  });
  await call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
  await call('PUT', '/identity-providers/partner/federation', {
    authenticator: {
      type: 'oidc',
      issuer: 'https://login.partner.example',
      clientId: 'purvey',
      clientSecret: 'a-secret',
    },
    claims: [{ remote: 'job', local: 'title', default: 'Guest' }],
    roleClaim: 'roles',
    roles: [{ remote: 'staff', local: 'Engineering' }],
    jit: { enabled: true },
  });
  await call('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'partner:SCIM2', rules: true }] });
  await call('POST', '/service-providers', { name: 'travel', description: 'Books trips' });
  await call('POST', '/user-store-domains', { name: 'SALES' });
  const { document } = await call('POST', '/policy-templates/fill', {
    template: 'role',
    policyId: 'engineers',
    roles: ['Engineering'],
  });
  await call('POST', '/operators', { name: 'otto', role: 'auditor' });
  const withhold = { effect: 'withhold', who: [{ about: 'group', is: 'one-of', values: ['Night shift'] }] };
  const open = {
    effect: 'let-through',
    operations: ['create'],
    when: { from: '09:00', to: '17:00', days: ['monday'] },
  };
  await call('POST', '/policies', { name: 'night shift', rows: { list: [withhold, open] } });
  const ada = await call('POST', '/users', {
    userName: 'ada',
    displayName: 'Ada Lovelace',
    emails: [{ value: 'ada@acme.example', type: 'work', primary: true }],
  });
  await call('POST', `/users/${ada.id}/links`, { identityProvider: 'partner', subject: '248289761001' });
  const group = await call('POST', '/groups', { displayName: 'Engineering', members: [{ value: ada.id }] });
  await until('both arrived', async () => (await call('GET', '/status')).targets[0].byState.done === 2);
  await call('POST', '/policies', { name: 'engineers', document });
  fake.misbehave({
    when: { method: 'POST', on: 'users', that: (request) => JSON.stringify(request.body).includes('"eve"') },
    times: Number.POSITIVE_INFINITY,
    act: { kind: 'answer', status: 400 },
  });
  await call('PATCH', '/policies/engineers', { enabled: false });
  const eve = await call('POST', '/users', { userName: 'eve' });
  await until('one is parked', async () => (await call('GET', '/status')).targets[0].parked === 1);
  // Two that are there already under the same name: about one somebody has decided, about the other not yet.
  for (const userName of ['joan', 'mary']) {
    fake.seedUser({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, active: true });
  }
  await call('PATCH', '/targets/partner:SCIM2', { policy: { adopt: 'ask' } });
  for (const userName of ['joan', 'mary']) await call('POST', '/users', { userName });
  await until('three are parked', async () => {
    const { parked, pending } = (await call('GET', '/status')).targets[0];
    return parked === 3 && pending === 0;
  });
  await call('POST', '/accounts/partner:SCIM2/mary/leave', { note: 'She has two there' });
  const { key } = (await call('GET', '/causes')).items[0];
  const attempt = (await call('GET', '/attempts?limit=1')).items[0];
  const pages = [
    ['home', '/'],
    ['users', '/users'],
    ['user', `/users/${ada.id}`],
    ['edit-user', `/users/${ada.id}/edit`],
    ['add-user', '/users/add'],
    ['groups', '/groups'],
    ['group', `/groups/${group.id}`],
    ['add-group', '/groups/add'],
    ['edit-group', `/groups/${group.id}/edit`],
    ['account-done', `/accounts/partner:SCIM2/${ada.id}`],
    ['account-parked', `/accounts/partner:SCIM2/${eve.id}`],
    ['account-to-decide', '/accounts/partner:SCIM2/joan'],
    ['account-left', '/accounts/partner:SCIM2/mary'],
    ['target', '/targets/partner:SCIM2'],
    ['target-left', '/targets/partner:SCIM2?state=left'],
    ['target-cause', `/targets/partner:SCIM2?cause=${key}`],
    ['identity-providers', '/identity-providers'],
    ['identity-provider', '/identity-providers/partner'],
    ['add-identity-provider', '/identity-providers/add'],
    ['service-providers', '/service-providers'],
    ['resident', '/service-providers/resident'],
    ['service-provider', '/service-providers/travel'],
    ['add-service-provider', '/service-providers/add'],
    ['rules', '/rules'],
    ['rule-text', '/rules/engineers'],
    ['rule-rows', '/rules/night%20shift'],
    ['rule-made-text', '/rules/night%20shift?view=text'],
    ['rule-try', '/rules/night%20shift?view=try&subject=ada&target=partner%3ASCIM2&operation=POST'],
    ['rule-versions', '/rules/engineers?view=versions&version=1'],
    ['add-rule', '/rules/add'],
    ['add-rule-rows', '/rules/add?view=rows'],
    ['add-rule-template', '/rules/add?view=template'],
    ['add-rule-text', '/rules/add?view=text'],
    ['deliveries', '/deliveries'],
    ['delivery', `/deliveries/${attempt.id}`],
    ['changes', '/changes'],
    ['settings', '/settings'],
    ['own-password', '/password'],
    ['nowhere', '/no/such/page'],
  ] as const;
  return { fake, pages };
}

/** Goes to a page, and waits until it has something to show. */
export async function show(page: Page, url: string, path: string): Promise<void> {
  await page.goto(`${url}/console${path}`);
  await page.locator('#content').getByRole('heading').first().waitFor();
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' });
}
