import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import * as client from 'openid-client';
import { eachDatabase } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSignInBrowser } from './sign-in-browser.ts';

const back = 'http://127.0.0.1:9/back';
const password = 'eine gute Losung';

eachDatabase('an application is told the claims that are requested for it', (database) => {
  let server: WholeServer;
  let adaId: string;
  const configs = new Map<string, client.Configuration>();
  before(async () => {
    server = await startWholeServer(database);
    const { id } = await server.api('POST', '/users', {
      userName: 'ada',
      displayName: 'Ada Lovelace',
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      locale: 'en-GB',
      timezone: 'Europe/London',
      password,
      emails: [{ value: 'ada@acme.example', primary: true }],
    });
    adaId = id;
    await server.api('POST', '/groups', { displayName: 'Sales', members: [{ value: id }] });
    for (const [name, consent] of [
      ['travel', 'ask'],
      ['own', 'none'],
    ] as const) {
      await server.api('POST', '/service-providers', { name });
      const made = await server.api('POST', `/service-providers/${name}/oauth-client`, {
        grants: ['authorization_code', 'refresh_token'],
        redirectUris: [back],
        scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
        ...(consent === 'none' ? { consent } : {}),
      });
      const issuer = new URL(`${server.url}/oauth2`);
      const options = { execute: [client.allowInsecureRequests] };
      configs.set(name, await client.discovery(issuer, made.clientId, made.clientSecret, undefined, options));
    }
  });
  after(() => server[Symbol.asyncDispose]());

  const request = (requestedClaims: unknown, name = 'travel') =>
    server.api('PATCH', `/service-providers/${name}`, { requestedClaims });
  /** In a browser of its own; `consent`: the page that asked, if one did. */
  const signIn = async (scope = 'openid profile email groups', name = 'travel') => {
    const config = configs.get(name)!;
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: back,
      scope,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(scope.includes('offline_access') ? { prompt: 'consent' } : {}),
    });
    const browser = openSignInBrowser(server.url);
    let page = await browser.send(await browser.go(url.href), '/login', { name: 'ada', password });
    const consent = page.text.includes('asks to know') ? page.text : undefined;
    if (consent !== undefined) page = await browser.send(page, '/consent');
    assert.ok(page.location?.startsWith(back), page.text);
    const tokens = await client.authorizationCodeGrant(config, new URL(page.location!), { pkceCodeVerifier: verifier });
    const tell = async (token = tokens.access_token) =>
      Object.keys(await client.fetchUserInfo(config, token, adaId)).toSorted();
    return { tokens, consent, tell };
  };
  const everything = [
    'email',
    'family_name',
    'given_name',
    'groups',
    'locale',
    'name',
    'preferred_username',
    'sub',
    'updated_at',
    'zoneinfo',
  ];

  it('which are all that its scopes tell until some are named', async () => {
    assert.deepEqual((await server.api('GET', '/service-providers/travel')).requestedClaims, []);
    const { tell, consent } = await signIn();
    assert.deepEqual(await tell(), everything);
    assert.match(consent!, /<li>your name, user name, language and time zone<\/li>/);
  });

  it('and no others, in the ID token neither; the page that asks says so', async () => {
    assert.deepEqual((await request(['groups', 'name', 'name', 'locale'])).requestedClaims, [
      'name',
      'locale',
      'groups',
    ]);
    const { tell, tokens, consent } = await signIn();
    assert.deepEqual(await tell(), ['groups', 'locale', 'name', 'sub']);
    const told = Object.keys(tokens.claims()!);
    assert.deepEqual(
      told.filter((claim) => everything.includes(claim) && claim !== 'sub'),
      [],
    );
    for (const text of ['who you are', 'your name and language', 'the groups you are in']) {
      assert.ok(consent!.includes(`<li>${text}</li>`), String(consent));
    }
    assert.ok(!/e-mail|user name|time zone/.test(consent!), String(consent));
  });

  it('as far as its scopes go', async () => {
    await request(['email', 'groups']);
    const { tell, consent } = await signIn('openid profile email');
    assert.deepEqual(await tell(), ['email', 'sub']);
    assert.ok(!consent!.includes('your name') && !consent!.includes('groups'), String(consent));
  });

  it('at once where one is taken away; one that is added only of those who agreed to it', async () => {
    await request(['name', 'email']);
    const first = await signIn('openid profile email offline_access');
    await request(['name']);
    assert.deepEqual(await first.tell(), ['name', 'sub']);
    await request(['name', 'email', 'locale']);
    assert.deepEqual(await first.tell(), ['email', 'name', 'sub']);
    const renewed = await client.refreshTokenGrant(configs.get('travel')!, first.tokens.refresh_token!);
    assert.deepEqual(await first.tell(renewed.access_token), ['email', 'name', 'sub']);
    assert.deepEqual(await (await signIn()).tell(), ['email', 'locale', 'name', 'sub']);
  });

  it('and where nobody is asked, as it is set', async () => {
    await request(['name'], 'own');
    const { tell, consent } = await signIn('openid profile email', 'own');
    assert.equal(consent, undefined);
    assert.deepEqual(await tell(), ['name', 'sub']);
    await request(null, 'own');
    assert.deepEqual(
      await tell(),
      everything.filter((claim) => claim !== 'groups'),
    );
  });

  it('what is no claim is refused', async () => {
    for (const wrong of [['sub'], ['password'], 'name', [1]]) {
      await assert.rejects(request(wrong), /"field":"requestedClaims"/, JSON.stringify(wrong));
    }
    await request([]);
    assert.deepEqual((await server.api('GET', '/service-providers/travel')).requestedClaims, []);
  });
});
