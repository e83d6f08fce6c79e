import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { type Server, until } from './place.ts';

/** `path`: below the console, or the whole address of a page for somebody who signs in to an application. */
export type Picture = { name: string; path: string; prepare?: (page: Page) => Promise<void> };

/**
 * Acme's people and groups of the example, sent to Partner; a second target that is down, a few accounts that are
 * parked, and a rule: what an administrator looks at on a day with some trouble.
 */
export async function furnishDemo(acme: Server, partner: Server, say: (line: string) => void): Promise<Picture[]> {
  const { call } = acme;
  const account = await partner.call('POST', '/operators', { name: 'acme', role: 'service' });
  await call('POST', '/identity-providers', {
    name: 'partner',
    displayName: 'Partner',
    description: 'The company that runs the training portal',
    homeRealmId: 'partner',
    alias: 'acme-at-partner',
  });
  await call('POST', '/identity-providers', {
    name: 'travel',
    displayName: 'Travel desk',
    description: 'Books trips for everybody in Sales',
  });
  const settings = {
    'scim2-username': account.name,
    'scim2-password': account.password,
    'scim2-user-ep': `${partner.url}/scim2/Users`,
    'scim2-group-ep': `${partner.url}/scim2/Groups`,
  };
  await call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings });
  await call('POST', '/identity-providers/travel/targets', {
    type: 'SCIM2',
    settings: {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'not known there',
      'scim2-user-ep': `${partner.url}/scim2/Users`,
    },
    policy: { scopeUsers: 'title co "Sales"', requestsPerSecond: 20 },
  });
  await call('POST', '/user-store-domains', { name: 'SALES', description: 'Who sells' });
  await partner.call('POST', '/user-store-domains', { name: 'SALES' });
  const bindings = [{ target: 'partner:SCIM2', rules: true }, { target: 'travel:SCIM2' }];
  await call('PUT', '/service-providers/resident/bindings', { bindings });
  await call('POST', '/service-providers', { name: 'hr-suite', description: 'Where people are hired' });
  await call('PUT', '/service-providers/hr-suite/bindings', {
    bindings: [{ target: 'partner:SCIM2', blocking: true }],
  });
  await call('POST', '/tokens', { label: 'the hiring server', serviceProvider: 'hr-suite', scopes: ['scim'] });
  for (const [name, role] of [
    ['olga', 'operator'],
    ['otto', 'auditor'],
  ]) {
    await call('POST', '/operators', { name, role });
  }
  const toApplication = await furnishApplication(acme, partner);
  say('adding people …');
  const people = readCsv('people.csv').slice(0, 240);
  const ids = new Map<string, string>();
  // Somebody at Partner has a name that one of Acme's wants.
  const taken = people.slice(20, 23).map((one) => one.userName!);
  for (const one of people) {
    const made = await call('POST', '/users', personOf(one));
    ids.set(one.userName!, made.id);
  }
  const groups = ['Engineering', 'Sales', 'Marketing', 'Human Resources', 'Site New York', 'Building A Access'];
  let firstGroup = '';
  for (const [n, displayName] of groups.entries()) {
    const members = [...ids.values()].filter((_, i) => i % (n + 2) === 0).map((value) => ({ value }));
    const made = await call('POST', '/groups', { displayName, members });
    firstGroup ||= made.id;
  }
  const status = async () => (await call('GET', '/status')).targets;
  await until('everybody arrived at the partner', async () => (await status())[0].pending === 0).catch(() => {});
  await until('everybody arrived at the partner', async () => (await status())[0].pending === 0);
  const { document } = await call('POST', '/policy-templates/fill', {
    template: 'role',
    policyId: 'everybody-with-a-desk',
    description: 'Whoever works at a site may have an account at the partner',
    roles: ['Engineering', 'Sales', 'Marketing', 'Human Resources', 'Site New York'],
  });
  await call('POST', '/policies', { name: 'everybody-with-a-desk', document, enabled: false });
  const list = [
    {
      effect: 'withhold',
      operations: ['create', 'change'],
      who: [
        { about: 'group', is: 'one-of', values: ['Sales', 'Marketing'] },
        { about: 'attribute', attribute: 'title', is: 'contains', values: ['Intern', 'Trainee'] },
      ],
      where: { identityProviders: ['partner'] },
    },
    {
      effect: 'withhold',
      operations: ['password'],
      when: { from: '22:00', to: '06:00', days: ['saturday', 'sunday'] },
    },
    { effect: 'let-through', who: [{ about: 'domain', is: 'one-of', values: ['PRIMARY', 'SALES'] }] },
  ];
  await call('POST', '/policies', { name: 'who may train', rows: { list, otherwise: 'withhold' }, enabled: false });
  say('making trouble …');
  for (const name of taken) {
    const local = `${name}.new`;
    const stranger = { userName: local, displayName: 'Already there', externalId: 'X-1' };
    await partner.call('POST', '/users', stranger);
    await call('PATCH', `/targets/partner:SCIM2`, { policy: { adopt: 'marked' } });
    await call('PATCH', `/users/${ids.get(name)}`, { userName: local, title: 'Senior Trainer' });
  }
  await until('some are parked', async () => (await status())[0].parked > 0);
  const parked = (await call('GET', '/accounts?target=partner:SCIM2&state=parked&limit=1')).items[0].subject;
  const sample = ids.get(people[3]!.userName!)!;
  const attempt = (await call('GET', '/attempts?outcome=done&limit=1')).items[0];
  const unfold = async (page: Page) => {
    const step = page.getByRole('region', { name: 'The walk' }).getByText('Mapping').first();
    await step.click();
  };
  const openRow = async (page: Page) => page.getByRole('button', { name: /^1 ?Withhold creations/ }).click();
  return [
    ...toApplication,
    { name: 'identity-provider-sign-in', path: '/identity-providers/partner', prepare: showFederation },
    { name: 'home', path: '/' },
    // The browser of these pictures has letters for these names; it lacks those of some that come first.
    { name: 'users', path: '/users?q=i' },
    { name: 'user', path: `/users/${sample}` },
    { name: 'user-edit', path: `/users/${sample}/edit` },
    { name: 'groups', path: '/groups' },
    { name: 'group', path: `/groups/${firstGroup}` },
    { name: 'walk', path: `/accounts/partner:SCIM2/${parked.id}` },
    { name: 'walk-mapping', path: `/accounts/partner:SCIM2/${sample}`, prepare: unfold },
    { name: 'target', path: '/targets/partner:SCIM2' },
    { name: 'target-behind', path: '/targets/travel:SCIM2' },
    { name: 'identity-providers', path: '/identity-providers' },
    { name: 'identity-provider', path: '/identity-providers/partner' },
    { name: 'identity-provider-add', path: '/identity-providers/add' },
    { name: 'service-providers', path: '/service-providers' },
    { name: 'resident', path: '/service-providers/resident' },
    { name: 'service-provider', path: '/service-providers/Travel%20desk' },
    { name: 'rules', path: '/rules' },
    { name: 'rule-text', path: '/rules/everybody-with-a-desk' },
    { name: 'rule-rows', path: '/rules/who%20may%20train', prepare: openRow },
    {
      name: 'rule-try',
      path: `/rules/who%20may%20train?view=try&subject=${encodeURIComponent(people[3]!.userName!)}&target=partner%3ASCIM2`,
    },
    { name: 'rule-versions', path: '/rules/everybody-with-a-desk?view=versions&version=1' },
    { name: 'rule-add', path: '/rules/add?view=rows' },
    { name: 'deliveries', path: '/deliveries' },
    { name: 'delivery', path: `/deliveries/${attempt.id}` },
    { name: 'changes', path: '/changes' },
    { name: 'settings', path: '/settings' },
  ];
}

/** An application that people sign in to, also through Partner. Answers the pages that they see. */
async function furnishApplication({ url, call }: Server, partner: Server): Promise<Picture[]> {
  const password = 'eine gute Losung';
  await call('POST', '/users', { userName: 'ada', displayName: 'Ada Lovelace', password });
  await call('POST', '/service-providers', { name: 'Travel desk', description: 'Books trips; people sign in' });
  const { clientId, issuer } = await call('POST', '/service-providers/Travel%20desk/oauth-client', {
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: ['https://travel.acme.example/back'],
    scopes: ['openid', 'profile', 'email', 'groups'],
  });
  await call('PUT', '/service-providers/Travel%20desk/bindings', {
    bindings: [{ target: 'partner:SCIM2', jit: true }],
  });
  await call('PUT', '/identity-providers/partner/federation', {
    authenticator: {
      type: 'oidc',
      issuer: `${partner.url}/oauth2`,
      clientId: 'acme',
      clientSecret: 'not the real one',
    },
    domains: ['partner.example'],
    roleClaim: 'groups',
    roles: [{ remote: 'staff', local: 'Training' }],
    jit: { enabled: true, groups: 'sync' },
  });
  const asked = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: 'https://travel.acme.example/back',
    scope: 'openid profile email groups',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const path = `${issuer}/authorize?${asked}`;
  const enter = async (page: Page) => {
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Allow' }).waitFor();
  };
  if (!issuer.startsWith(url)) throw new Error(`${issuer} is not at ${url}`);
  return [
    { name: 'person-sign-in', path },
    { name: 'person-consent', path, prepare: enter },
  ];
}

async function showFederation(page: Page): Promise<void> {
  await page.getByText('Federated Authenticators').first().scrollIntoViewIfNeeded();
  await page.evaluate('scrollBy(0, 600)');
}

function readCsv(name: string): Record<string, string>[] {
  const text = readFileSync(new URL(`../../examples/acme/${name}`, import.meta.url), 'utf8');
  const [head, ...lines] = text.trim().split(/\r?\n/);
  const names = head!.split(',');
  return lines
    .filter((line) => !line.includes('"'))
    .map((line) => Object.fromEntries(line.split(',').map((value, n) => [names[n]!, value])));
}

function personOf(row: Record<string, string>): Record<string, unknown> {
  const { userName, givenName, familyName, displayName, email, title, department } = row;
  return {
    userName,
    displayName: displayName ?? `${givenName} ${familyName}`,
    name: { givenName, familyName },
    ...(email ? { emails: [{ value: email, type: 'work', primary: true }] } : {}),
    ...(title ? { title } : {}),
    ...(department
      ? { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department, organization: 'Acme' } }
      : {}),
  };
}
