// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { peers } from '../doors/saml-certificates.ts';
import { type Ended, makeFolder, runPurvey, type Served, serve } from './processes.ts';

const file = `
userStoreDomains: [SALES]
identityProviders:
  - name: partner
    displayName: Partner
    description: "costs \\"$\${1}0\\", they say:\\n  two lines #2"
    federation:
      authenticator: { type: oidc, issuer: "https://login.partner.example", clientId: "purvey $\${1}", clientSecret: \${TOKEN}, scopes: [openid, roles] }
      domains: [partner.example]
      claims: [{ remote: upn, local: userName }, { remote: unit, local: title, default: "yes" }]
      roleClaim: realm.roles
      roles: [{ remote: staff, local: "Staff #1" }]
      jit: { enabled: true, domain: SALES, groups: sync, prompt: userName }
    connectors:
      - type: SCIM2
        settings: { scim2-authentication-mode: bearer, scim2-access-token: \${TOKEN}, scim2-user-ep: "https://partner.example/Users" }
        policy: { concurrency: 4, groups: membership-only, nestedGroups: flatten, scopeUsers: 'userName sw "a: #"', provisioningRoles: [Sales, "a $\${1}", "yes"] }
  - name: Päyroll 2
    federation:
      authenticator: { type: saml, entityId: urn:payroll, signOnUrl: "https://payroll.example/sso?a=b", certificate: \${CERTIFICATE} }
    connectors:
      - type: SCIM2
        settings: { scim2-username: "yes", scim2-password: \${TOKEN}, scim2-user-ep: "https://payroll.example/Users", scim2-target-profile: aws, scim2-profile-overrides: "membersPerRequest: 50 # $\${x}\\nuserValues:\\n  externalId: null\\n" }
serviceProviders:
  - name: resident
    outboundProvisioning:
      - { identityProvider: partner, connector: SCIM2 }
      - { identityProvider: Päyroll 2, connector: SCIM2, enabled: false }
  - name: "123 go"
    description: "- null"
    fallback: none
    userStoreDomain: SALES
    requestedClaims: [name, email]
`;

describe('purvey apply --dry-run and purvey export', () => {
  const folder = makeFolder();
  let served: Served;
  const run = (args: string[], input?: string, more: Record<string, string> = {}): Promise<Ended> =>
    runPurvey(args, {
      env: {
        PURVEY_URL: served.url,
        PURVEY_DATA: join(folder.path, 'data'),
        TOKEN: 'hush-hush',
        CERTIFICATE: peers[0].cert,
        ...more,
      },
      ...(input === undefined ? {} : { input }),
    });
  const dryRun = async (text: string, more: Record<string, string> = {}) => {
    const ended = await run(['apply', '--dry-run', '--json', '-f', '-'], text, more);
    assert.equal(ended.code, 0, ended.err);
    assert.ok(!/hush|another-secret/.test(ended.out + ended.err), 'a secret is shown');
    return JSON.parse(ended.out).items as {
      kind: string;
      name: string;
      change: string;
      fields: { field: string; secret?: string }[];
      checked: boolean;
    }[];
  };
  const exported = async () => {
    const ended = await run(['export']);
    assert.equal(ended.code, 0, ended.err);
    return ended.out;
  };

  before(async () => {
    served = await serve(join(folder.path, 'data'));
  });
  after(async () => {
    await served.stop();
    folder.remove();
  });

  it('say what a first apply would create, and create nothing', async () => {
    const empty = await exported();
    const ended = await run(['apply', '--dry-run', '-f', '-'], file);
    assert.equal(ended.code, 0, ended.err);
    const lines = ended.out.split('\n');
    assert.ok(lines.includes('identity provider\tpartner\twould be created'), ended.out);
    assert.ok(lines.includes('target\tpartner:SCIM2\twould be created\tunchecked'), ended.out);
    assert.ok(lines.includes('\tsettings.scim2-access-token\tsecret would be set'), ended.out);
    assert.ok(lines.includes('\tpolicy.concurrency\t-\t4'), ended.out);
    assert.ok(lines.includes('\tauthenticator.clientSecret\tsecret would be set'), ended.out);
    assert.ok(!ended.out.includes('hush'));
    assert.equal(await exported(), empty);
    const items = await dryRun(file);
    assert.deepEqual(
      items.map((one) => [one.kind, one.name, one.change]),
      [
        ['user store domain', 'SALES', 'created'],
        ['identity provider', 'partner', 'created'],
        ['federation', 'partner', 'created'],
        ['target', 'partner:SCIM2', 'created'],
        ['identity provider', 'Päyroll 2', 'created'],
        ['federation', 'Päyroll 2', 'created'],
        ['target', 'Päyroll 2:SCIM2', 'created'],
        ['service provider', 'resident', 'unchanged'],
        ['bindings', 'resident', 'updated'],
        ['service provider', '123 go', 'created'],
      ],
    );
  });

  it('say field by field what would change, and change nothing', async () => {
    const first = await run(['apply', '-f', '-'], file);
    assert.equal(first.code, 0, first.err);
    assert.ok((await dryRun(file)).every((one) => one.change === 'unchanged' && one.fields.length === 0));
    const before = await exported();
    const changed = file
      .replace('displayName: Partner', 'displayName: The Partner')
      .replace('concurrency: 4,', 'concurrency: 5, maxTries: 3,')
      .replace('https://payroll.example/Users"', 'https://payroll.example/v2/Users"')
      .replace('      - { identityProvider: partner, connector: SCIM2 }\n', '');
    const items = await dryRun(changed);
    assert.deepEqual(
      Object.fromEntries(items.filter((one) => one.change !== 'unchanged').map((one) => [one.name, one.fields])),
      {
        partner: [{ field: 'displayName', from: 'Partner', to: 'The Partner' }],
        'partner:SCIM2': [
          { field: 'settings.scim2-access-token', secret: 'would be set' },
          { field: 'policy.concurrency', from: 4, to: 5 },
          { field: 'policy.maxTries', from: 8, to: 3 },
        ],
        'Päyroll 2:SCIM2': [
          { field: 'settings.scim2-password', secret: 'would be set' },
          {
            field: 'settings.scim2-user-ep',
            from: 'https://payroll.example/Users',
            to: 'https://payroll.example/v2/Users',
          },
        ],
        resident: [
          { field: 'partner:SCIM2.target', from: 'partner:SCIM2', to: null },
          { field: 'partner:SCIM2.blocking', from: false, to: null },
          { field: 'partner:SCIM2.onFailure', from: 'report', to: null },
          { field: 'partner:SCIM2.rules', from: false, to: null },
          { field: 'partner:SCIM2.jit', from: false, to: null },
          { field: 'partner:SCIM2.enabled', from: true, to: null },
        ],
      },
    );
    assert.ok(items.every((one) => one.checked));
    const rotated = (await dryRun(file, { TOKEN: 'another-secret' })).filter((one) => one.change !== 'unchanged');
    assert.deepEqual(
      rotated.map((one) => one.fields),
      [
        [{ field: 'authenticator.clientSecret', secret: 'would be set' }],
        [{ field: 'settings.scim2-access-token', secret: 'would be set' }],
        [{ field: 'settings.scim2-password', secret: 'would be set' }],
      ],
    );
    assert.equal(await exported(), before);
    const applied = JSON.parse((await run(['apply', '--json', '-f', '-'], file)).out).items;
    assert.ok(
      applied.every((one: { change: string }) => one.change === 'unchanged'),
      'a dry run left something',
    );
  });

  it('refuse what apply would refuse, naming the object', async () => {
    const refused = await run(['apply', '--dry-run', '-f', '-'], file.replace('concurrency: 4', 'concurrency: 0'));
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^purvey: target partner:SCIM2: policy\.concurrency must be .*\n$/);
  });

  it('write a file without secrets that changes nothing when it is applied', async () => {
    const path = join(folder.path, 'exported.yaml');
    const off = file.replace('- name: Päyroll 2\n', '- name: Päyroll 2\n    enabled: false\n');
    assert.equal((await run(['apply', '-f', '-'], off)).code, 0);
    const ended = await run(['export', '-f', path]);
    assert.equal(ended.code, 0, ended.err);
    assert.equal(ended.out, '');
    assert.match(ended.err, /^not exported: scim2-access-token of partner:SCIM2; .* PARTNER_SCIM2_ACCESS_TOKEN$/m);
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes('hush'));
    assert.match(text, /^# {3}PARTNER_SCIM2_ACCESS_TOKEN {2}scim2-access-token of "partner:SCIM2"$/m);
    assert.match(text, /^# {3}PARTNER_CLIENT_SECRET {2}authenticator.clientSecret of "partner"$/m);
    const variables = {
      PARTNER_SCIM2_ACCESS_TOKEN: 'hush-hush',
      P_YROLL_2_SCIM2_PASSWORD: 'hush-hush',
      PARTNER_CLIENT_SECRET: 'hush-hush',
    };
    for (const args of [
      ['apply', '-f', path, '--json'],
      ['apply', '--dry-run', '-f', path, '--json'],
    ]) {
      const applied = await run(args, undefined, variables);
      assert.equal(applied.code, 0, applied.err);
      const { items } = JSON.parse(applied.out);
      assert.equal(items.length, 11);
      assert.deepEqual([...new Set(items.map((one: { change: string }) => one.change))], ['unchanged'], applied.out);
    }
    const missing = await run(['apply', '-f', path]);
    assert.match(missing.err, /the environment variable PARTNER_CLIENT_SECRET is not set/);
    const json = await run(['export', '--json']);
    const again = await run(['apply', '--json', '-f', '-'], json.out, variables);
    assert.equal(again.code, 0, again.err);
    assert.ok(JSON.parse(again.out).items.every((one: { change: string }) => one.change === 'unchanged'));
    assert.match((await run(['export', '-f', '/nowhere/x'])).err, /^purvey: \/nowhere\/x cannot be written/);
    assert.equal((await run(['apply', '-f', '-'], file)).code, 0);
  });

  it('make an empty server the same', async () => {
    const other = await serve(join(folder.path, 'other'));
    try {
      const env = { PURVEY_URL: other.url, PURVEY_DATA: join(folder.path, 'other') };
      const variables = {
        PARTNER_SCIM2_ACCESS_TOKEN: 'x',
        P_YROLL_2_SCIM2_PASSWORD: 'y',
        PARTNER_CLIENT_SECRET: 'z',
      };
      const text = await exported();
      const applied = await run(['apply', '-f', '-'], text, { ...env, ...variables });
      assert.equal(applied.code, 0, applied.err);
      assert.equal((await run(['export'], undefined, env)).out, text);
    } finally {
      await other.stop();
    }
  });
});
