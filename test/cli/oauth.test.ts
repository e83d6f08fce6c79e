import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, makeFolder, runPurvey, type Served, serve } from './processes.ts';

describe('purvey oauth', () => {
  const folder = makeFolder();
  let served: Served;
  const run = (...args: string[]): Promise<Ended> =>
    runPurvey(args, { env: { PURVEY_URL: served.url, PURVEY_DATA: join(folder.path, 'data') } });
  const read = async (...args: string[]) => {
    const ended = await run(...args, '--json');
    assert.equal(ended.code, 0, ended.err);
    return JSON.parse(ended.out);
  };
  const tokenStatus = async (clientId: string, secret: string) => {
    const answer = await fetch(`${served.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'scim.read' }),
    });
    return answer.status;
  };

  before(async () => {
    served = await serve(join(folder.path, 'data'));
    const token = (await read('tokens', 'create', '--label', 'x', '--scope', 'admin')).token;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const made = await fetch(`${served.url}/api/service-providers`, { method: 'POST', headers, body: '{"name":"hr"}' });
    assert.equal(made.status, 201);
  });
  after(async () => {
    await served.stop();
    folder.remove();
  });

  it('makes a client, shows it, renews its secret, and removes it', async () => {
    const made = await read('oauth', 'create', 'hr', '--scope', 'scim.read,scim.write', '--token-seconds', '600');
    assert.deepEqual([made.serviceProvider, made.tokenSeconds], ['hr', 600]);
    assert.equal(await tokenStatus(made.clientId, made.clientSecret), 200);
    const shown = await run('oauth', 'show', 'hr');
    assert.match(shown.out, /scim\.read scim\.write/);
    assert.ok(!shown.out.includes(made.clientSecret));
    const renewed = await read('oauth', 'renew', 'hr', '--overlap-hours', '0');
    assert.equal(await tokenStatus(made.clientId, renewed.clientSecret), 200);
    assert.equal(await tokenStatus(made.clientId, made.clientSecret), 401);
    assert.match((await run('oauth', 'remove', 'hr')).out, /is removed/);
    assert.equal(await tokenStatus(made.clientId, renewed.clientSecret), 401);
    assert.ok(!served.printed().includes(made.clientSecret));
  });

  it('apply makes a client and shows its secret this once, export writes its settings, and again changes nothing', async () => {
    const file = `
serviceProviders:
  - name: desk
    oauthClient:
      grants: [authorization_code, client_credentials]
      redirectUris: ["https://desk.example/back"]
      postLogoutRedirectUris: ["https://desk.example/bye"]
      scopes: [openid, scim.read]
`;
    const apply = async (text: string, ...more: string[]) => {
      const ended = await runPurvey(['apply', '--json', '-f', '-', ...more], {
        env: { PURVEY_URL: served.url, PURVEY_DATA: join(folder.path, 'data') },
        input: text,
      });
      return { ...ended, items: ended.out === '' ? [] : JSON.parse(ended.out).items };
    };
    const tried = await apply(file, '--dry-run');
    assert.deepEqual(
      tried.items.map((one: { kind: string; change: string; checked: boolean }) => [one.kind, one.change, one.checked]),
      [
        ['service provider', 'created', true],
        ['OAuth client', 'created', false],
      ],
    );
    // It stops after the client was made: the secret is told all the same.
    const stopped = await apply(`${file}  - name: "12"\n`);
    assert.equal(stopped.code, 1);
    const [, made] = stopped.items;
    assert.match(made.clientSecret, /^pvs_/);
    assert.equal(await tokenStatus(made.clientId, made.clientSecret), 200);
    const again = await apply(file);
    assert.deepEqual(
      again.items.map((one: { change: string; clientSecret?: string }) => [one.change, one.clientSecret]),
      [
        ['unchanged', undefined],
        ['unchanged', undefined],
      ],
    );
    const longer = file.replace('scopes:', 'tokenSeconds: 900\n      scopes:');
    const difference = (await apply(longer, '--dry-run')).items[1];
    assert.deepEqual(
      [difference.change, difference.fields],
      ['updated', [{ field: 'tokenSeconds', from: 3_600, to: 900 }]],
    );
    assert.equal((await apply(longer)).items[1].change, 'updated');
    assert.equal(await tokenStatus(made.clientId, made.clientSecret), 200, 'its secret stays');
    const exported = (await run('export')).out;
    assert.match(exported, /oauthClient:\n\s+grants:/);
    assert.match(exported, /tokenSeconds: 900/);
    assert.match(exported, /postLogoutRedirectUris:\n\s+- https:\/\/desk\.example\/bye/);
    assert.ok(!exported.includes(made.clientSecret) && !exported.includes(made.clientId));
    assert.ok((await apply(exported)).items.every((one: { change: string }) => one.change === 'unchanged'));
    assert.equal((await run('oauth', 'remove', 'desk')).code, 0);
    const toMake = (await apply(exported, '--dry-run')).items.find((one: { name: string; kind: string }) => {
      return one.kind === 'OAuth client' && one.name === 'desk';
    });
    assert.deepEqual(
      toMake.fields.map((one: { field: string }) => one.field.replace(/\[\d+\]$/, '')).toSorted(),
      [
        'consent',
        'authMethod',
        'tokenSeconds',
        'grants',
        'grants',
        'redirectUris',
        'postLogoutRedirectUris',
        'scopes',
        'scopes',
      ].toSorted(),
      'what only the server knows is no setting',
    );
    const anew = (await apply(exported)).items.find((one: { kind: string }) => one.kind === 'OAuth client');
    assert.equal(anew.change, 'created');
    assert.notEqual(anew.clientSecret, made.clientSecret);
    const resident = await apply('serviceProviders: [{ name: resident, oauthClient: { scopes: [scim.read] } }]');
    assert.match(resident.err, /OAuth client resident: the resident service provider speaks/);
  });

  it('makes one that people sign in to, and says where they are sent who signed out', async () => {
    const addresses = [
      '--redirect-uri',
      'https://hr.example/back',
      '--post-logout-redirect-uri',
      'https://hr.example/bye',
    ];
    const made = await read(
      'oauth',
      'create',
      'hr',
      '--scope',
      'openid',
      '--grant',
      'authorization_code',
      ...addresses,
    );
    assert.deepEqual(made.postLogoutRedirectUris, ['https://hr.example/bye']);
    const shown = (await run('oauth', 'show', 'hr')).out;
    assert.match(shown, /signs them out at\s+http\S+\/oauth2\/logout\nsends them then to\s+https:\/\/hr\.example\/bye/);
    assert.equal((await run('oauth', 'remove', 'hr')).code, 0);
  });

  it('rotates the keys, shows where they stand, and does not while one is coming', async () => {
    const [first] = (await read('oauth', 'keys')).items;
    assert.deepEqual([first.state, first.publishedUntil], ['signs', null]);
    const rotated = await run('oauth', 'rotate-keys');
    assert.deepEqual(
      rotated.out.split('\n').map((line) => line.split('\t')[1]),
      ['coming', 'signs', undefined],
    );
    assert.match((await run('oauth', 'rotate-keys')).err, /is new and signs from/);
  });

  it('says what is wrong', async () => {
    for (const [args, code, why] of [
      [['oauth', 'show', 'hr'], 1, /hr has no OAuth client/],
      [['oauth', 'create', 'nobody', '--scope', 'scim.read'], 1, /nobody/],
      [['oauth', 'create', 'resident', '--scope', 'scim.read'], 1, /resident service provider speaks/],
      [['oauth', 'create', 'hr', '--scope', 'root'], 1, /scopes may hold/],
      [['oauth', 'create', 'hr'], 2, /--scope/],
      [['oauth', 'renew', 'hr', '--overlap-hours', 'soon'], 2, /number of hours/],
    ] as const) {
      const ended = await run(...args);
      assert.equal(ended.code, code, ended.err);
      assert.match(ended.err, why);
    }
  });
});
