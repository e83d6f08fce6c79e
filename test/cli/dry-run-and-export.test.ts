// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
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
      authenticator: { type: saml, entityId: urn:payroll, signOnUrl: "https://payroll.example/sso?a=b", certificate: \${CERTIFICATE}, signRequests: true, ownCertificate: \${CERTIFICATE}, ownKey: \${KEY} }
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
        KEY: peers[0].key,
        ...more,
      },
      ...(input === undefined ? {} : { input }),
    });
  const dryRun = async (text: string, more: Record<string, string> = {}) => {
    const ended = await run(['apply', '--dry-run', '--json', '-f', '-'], text, more);
    assert.equal(ended.code, 0, ended.err);
    assert.ok(!/hush|another-secret|PRIVATE KEY/.test(ended.out + ended.err), 'a secret is shown');
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
    assert.ok(lines.includes('\tauthenticator.ownKey\tsecret would be set'), ended.out);
    assert.ok(!/hush|PRIVATE KEY/.test(ended.out));
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
    assert.ok(!/hush|PRIVATE KEY/.test(text));
    assert.match(text, /^# {3}PARTNER_SCIM2_ACCESS_TOKEN {2}scim2-access-token of "partner:SCIM2"$/m);
    assert.match(text, /^# {3}PARTNER_CLIENT_SECRET {2}authenticator.clientSecret of "partner"$/m);
    const variables = {
      PARTNER_SCIM2_ACCESS_TOKEN: 'hush-hush',
      P_YROLL_2_SCIM2_PASSWORD: 'hush-hush',
      PARTNER_CLIENT_SECRET: 'hush-hush',
      P_YROLL_2_OWN_KEY: peers[0].key,
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
        P_YROLL_2_OWN_KEY: peers[0].key,
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

describe('purvey apply --dry-run says what a change would do', () => {
  const folder = makeFolder();
  const data = join(folder.path, 'data');
  let served: Served;
  let fake: FakeScim2;
  const run = (args: string[], input: string) =>
    runPurvey(args, { env: { PURVEY_URL: served.url, PURVEY_DATA: data }, input });
  const fileOf = (policy: string, binding = '') => `
identityProviders:
  - name: partner
    connectors:
      - type: SCIM2
        settings: { scim2-authentication-mode: bearer, scim2-access-token: the-token, scim2-user-ep: ${fake.usersEndpoint}, scim2-group-ep: ${fake.groupsEndpoint} }
        policy: ${policy}
serviceProviders:
  - name: resident
    outboundProvisioning:
      - { identityProvider: partner, connector: SCIM2${binding} }
`;
  const lines = async (text: string) => {
    const ended = await run(['apply', '--dry-run', '-f', '-'], text);
    assert.equal(ended.code, 0, ended.err);
    return ended.out.trim().split('\n');
  };
  const items = async (text: string) => {
    const ended = await run(['apply', '--dry-run', '--json', '-f', '-'], text);
    assert.equal(ended.code, 0, ended.err);
    return JSON.parse(ended.out).items as { kind: string; change: string; effects?: Record<string, unknown>[] }[];
  };

  before(async () => {
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'the-token' } });
    served = await serve(data);
    const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
    const post = async (path: string, body: Record<string, unknown>) => {
      const response = await fetch(`${served.url}/scim2${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 201);
      return ((await response.json()) as { id: string }).id;
    };
    const [user, group] = ['User', 'Group'].map((kind) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`]);
    const first = await run(['apply', '-f', '-'], fileOf('{ concurrency: 4 }'));
    assert.equal(first.code, 0, first.err);
    const people: string[] = [];
    for (const userName of ['ada', 'bob', 'cleo', 'dora'])
      people.push(await post('/Users', { schemas: user, userName }));
    const members = people.slice(0, 3).map((value) => ({ value }));
    const team = await post('/Groups', { schemas: group, displayName: 'team', members });
    await post('/Groups', { schemas: group, displayName: 'staff', members: [{ value: team }] });
    const isThere = () => {
      const held = fake.groupNamed('staff');
      return held !== undefined && fake.membersOf(String(held.resource.id)).length === 1;
    };
    for (let n = 0; n < 400; n++) {
      await sleep(50);
      const { targets } = JSON.parse((await run(['status', '--json'], '')).out);
      if (
        targets[0].pending === 0 &&
        isThere() &&
        fake.membersOf(String(fake.groupNamed('team')!.resource.id)).length === 3
      )
        return;
    }
    assert.fail('it does not come to rest');
  });
  after(async () => {
    await served.stop();
    await fake.close();
    folder.remove();
  });

  it('in words, after the difference of each item that changes, and sends nothing', async () => {
    const path = join(folder.path, 'flat.yaml');
    writeFileSync(path, fileOf(`{ concurrency: 4, nestedGroups: flatten, scopeUsers: 'userName ne "dora"' }`));
    const sent = fake.requests.length;
    const ended = await run(['apply', '--dry-run', '-f', path], '');
    assert.equal(ended.code, 0, ended.err);
    const said = ended.out.trim().split('\n');
    const at = said.indexOf('target\tpartner:SCIM2\twould be updated');
    assert.deepEqual(said.slice(at, at + 6), [
      'target\tpartner:SCIM2\twould be updated',
      '\tsettings.scim2-access-token\tsecret would be set',
      '\tpolicy.nestedGroups\tnative\tflatten',
      '\tpolicy.scopeUsers\t-\tuserName ne "dora"',
      '\teffect\tApplying looks at 6 accounts at partner:SCIM2 again and sends 1 request. 1 account is removed there. 3 memberships are written there. 1 membership is taken out there.',
      'service provider\tresident\tunchanged',
    ]);
    assert.equal(said.filter((line) => line.startsWith('\teffect\t')).length, 1, 'what is unchanged has no effect');
    assert.equal(fake.requests.length, sent);
  });

  it('of bindings for each target, and of a change that is not said there, too', async () => {
    const off = await lines(fileOf('{ concurrency: 4 }', ', enabled: false'));
    assert.equal(off.at(-1), '\teffect\tApplying looks at 6 accounts at partner:SCIM2 again and sends nothing.');
    const calm = await lines(fileOf('{ concurrency: 5 }'));
    assert.ok(
      calm.includes('\teffect\tApplying looks at 6 accounts at partner:SCIM2 again and sends nothing.'),
      calm.join('\n'),
    );
  });

  it('with --json, as the API answers it', async () => {
    const changed = await items(fileOf('{ concurrency: 4, nestedGroups: ignore }', ', enabled: false'));
    const effectOf = (kind: string) => changed.find((one) => one.kind === kind)?.effects;
    const none = {
      removals: 0,
      disables: 0,
      withheld: 0,
      passwords: 0,
      defaultPasswords: 0,
      about: false,
      waits: false,
    };
    const effect = { target: 'partner:SCIM2', accounts: 6, requests: 0, ...none };
    assert.deepEqual(effectOf('target'), [{ ...effect, memberships: { added: 0, removed: 1, more: false } }]);
    assert.deepEqual(effectOf('bindings'), [{ ...effect, memberships: { added: 0, removed: 0, more: false } }]);
    assert.equal(effectOf('service provider'), undefined);
    const same = await items(fileOf('{ concurrency: 4 }'));
    assert.ok(same.every((one) => one.change === 'unchanged' && one.effects === undefined));
  });
});
