import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import * as client from 'openid-client';
import { eachDatabase } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSignInBrowser as openBrowser, type SignInBrowser } from './sign-in-browser.ts';

const back = 'http://127.0.0.1:9/back';
const password = 'eine gute Losung';
const everything = 'openid profile email groups offline_access';

eachDatabase('a person of the directory signs in to an application', (database) => {
  let server: WholeServer;
  let adaId: string;
  let config: client.Configuration;
  before(async () => {
    server = await startWholeServer(database);
    await server.api('POST', '/service-providers', { name: 'Travel <desk>' });
    const { id } = await server.api('POST', '/users', {
      userName: 'ada',
      displayName: 'Ada Lovelace',
      password,
      emails: [{ value: 'ada@acme.example', primary: true }],
    });
    adaId = id;
    await server.api('POST', '/groups', { displayName: 'Sales', members: [{ value: id }] });
    const made = await server.api('POST', place('Travel <desk>'), {
      grants: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirectUris: [back],
      scopes: [...everything.split(' '), 'scim.write'],
    });
    config = await discover(made.clientId, made.clientSecret);
  });
  after(() => server[Symbol.asyncDispose]());

  const place = (name: string) => `/service-providers/${encodeURIComponent(name)}/oauth-client`;
  const discover = (id: string, secret?: string) =>
    client.discovery(new URL(`${server.url}/oauth2`), id, secret, secret === undefined ? client.None() : undefined, {
      execute: [client.allowInsecureRequests],
    });
  const begin = async (scope = everything, of = config, more: Record<string, string> = {}) => {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(of, {
      redirect_uri: back,
      scope,
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(scope.includes('offline_access') ? { prompt: 'consent' } : {}),
      ...more,
    });
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
    const end = (location: string) => client.authorizationCodeGrant(of, new URL(location), checks);
    return { url: url.href, end, verifier };
  };
  const signIn = async (browser: SignInBrowser, url: string) => {
    const page = await browser.go(url);
    assert.match(page.text, /<h1>Sign in<\/h1>/);
    return browser.send(page, '/login', { name: 'ada', password });
  };

  it('by name and password, is asked, and the application knows who it is', async () => {
    const browser = openBrowser(server.url);
    const { url, end } = await begin();
    const page = await browser.go(url);
    assert.equal(page.status, 200);
    assert.ok(page.text.includes('Travel &lt;desk&gt;') && !page.text.includes('<desk>'), 'names are text');
    const wrong = await browser.send(page, '/login', { name: 'ada', password: 'not it' });
    assert.match(wrong.text, /role="alert">The name or the password is wrong/);
    assert.ok(!wrong.text.includes('not it'));
    const consent = await browser.send(wrong, '/login', { name: 'ada', password });
    assert.match(consent.text, /your e-mail address/);
    assert.ok(!consent.text.includes('scim'), 'nobody is asked for what is not theirs');
    const done = await browser.send(consent, '/consent');
    assert.ok(done.location?.startsWith(back), done.text);
    const tokens = await end(done.location!);
    const claims = tokens.claims()!;
    assert.equal(claims.sub, adaId);
    assert.equal(claims.iss, `${server.url}/oauth2`);
    const info = await client.fetchUserInfo(config, tokens.access_token, adaId);
    assert.deepEqual(
      [info.name, info.preferred_username, info.email, info.groups],
      ['Ada Lovelace', 'ada', 'ada@acme.example', ['Sales']],
    );
  });

  it('who is signed in already and agreed already is not asked again; a code is good once', async () => {
    const browser = openBrowser(server.url);
    const first = await begin('openid');
    const consent = await signIn(browser, first.url);
    await first.end((await browser.send(consent, '/consent')).location!);
    const second = await begin('openid');
    const { location } = await browser.go(second.url);
    await second.end(location!);
    await assert.rejects(second.end(location!), { error: 'invalid_grant' });
  });

  it('without PKCE, to another address, or for what it may not have, nobody is sent anywhere', async () => {
    const browser = openBrowser(server.url);
    const { url } = await begin('openid');
    const elsewhere = new URL(url);
    elsewhere.searchParams.set('redirect_uri', 'https://evil.example/back');
    const refused = await browser.go(elsewhere.href);
    assert.deepEqual([refused.status, refused.location], [400, null]);
    assert.match(refused.text, /This did not work/);
    const bare = new URL(url);
    bare.searchParams.delete('code_challenge');
    bare.searchParams.delete('code_challenge_method');
    assert.match((await browser.go(bare.href)).location!, /error=invalid_request/);
    const more = await begin('openid admin');
    assert.match((await browser.go(more.url)).location!, /error=invalid_scope/);
  });

  it('what the application may do by itself, nobody gives it by signing in', async () => {
    const browser = openBrowser(server.url);
    const { url, end } = await begin('openid scim.write');
    const consent = await signIn(browser, url);
    const tokens = await end((await browser.send(consent, '/consent')).location!);
    assert.equal(tokens.scope, 'openid');
    const answer = await fetch(`${server.url}/scim2/Users`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    assert.equal(answer.status, 401);
  });

  it('a refresh token is good once; one that is used again ends them all', async () => {
    const browser = openBrowser(server.url);
    const { url, end } = await begin();
    const consent = await signIn(browser, url);
    const tokens = await end((await browser.send(consent, '/consent')).location!);
    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token!);
    assert.notEqual(renewed.refresh_token, tokens.refresh_token);
    await client.fetchUserInfo(config, renewed.access_token, adaId);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token!), { error: 'invalid_grant' });
    await assert.rejects(client.refreshTokenGrant(config, renewed.refresh_token!), { error: 'invalid_grant' });
    await assert.rejects(client.fetchUserInfo(config, renewed.access_token, adaId));
  });

  it('whoever says no, or is switched off, is not let in', async () => {
    const browser = openBrowser(server.url);
    const { url } = await begin('openid');
    const no = await browser.send(await browser.go(url), '/cancel');
    assert.match(no.location!, /error=access_denied/);
    const other = await begin('openid');
    const consent = await signIn(openBrowser(server.url), other.url);
    assert.equal(consent.status, 200);
    const tokens = await (async () => {
      const third = await begin();
      const window = openBrowser(server.url);
      return third.end((await window.send(await signIn(window, third.url), '/consent')).location!);
    })();
    await server.api('PATCH', '/users/ada', { active: false });
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token!), { error: 'invalid_grant' });
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, adaId));
    const fourth = await begin('openid');
    assert.match((await signIn(openBrowser(server.url), fourth.url)).text, /The name or the password is wrong/);
    await server.api('PATCH', '/users/ada', { active: true });
  });

  it('a sign-in belongs to the browser that began it, and is over at its end', async () => {
    const { url } = await begin('openid');
    const browser = openBrowser(server.url);
    const page = await browser.go(url);
    const stranger = openBrowser(server.url);
    const stolen = await stranger.send(page, '/login', { name: 'ada', password });
    assert.equal(stolen.status, 400);
    assert.match(stolen.text, /was begun in another browser/);
    const consent = await browser.send(page, '/login', { name: 'ada', password });
    await browser.send(consent, '/consent');
    assert.equal((await browser.send(consent, '/consent')).status, 400);
  });

  it('an application without a secret signs people in too, by PKCE, and without a question where it is ours', async () => {
    await server.api('POST', '/service-providers', { name: 'phone' });
    const made = await server.api('POST', place('phone'), {
      grants: ['authorization_code'],
      redirectUris: [back],
      scopes: ['openid', 'profile'],
      authMethod: 'none',
      consent: 'none',
    });
    assert.equal(made.clientSecret, null);
    const phone = await discover(made.clientId);
    const { url, end, verifier } = await begin('openid profile', phone);
    const browser = openBrowser(server.url);
    const done = await signIn(browser, url);
    assert.ok(done.location?.startsWith(back), done.text);
    const guess = client.authorizationCodeGrant(phone, new URL(done.location!), {
      pkceCodeVerifier: `${verifier.slice(0, -2)}xx`,
      expectedState: new URL(done.location!).searchParams.get('state')!,
    });
    await assert.rejects(guess, { error: 'invalid_grant' });
    assert.equal((await end(done.location!)).scope, 'openid profile');
  });

  it('what cannot be is refused with the field at fault', async () => {
    await server.api('POST', '/service-providers', { name: 'strange' });
    const base = { grants: ['authorization_code'], redirectUris: [back], scopes: ['openid'] };
    for (const [change, field] of [
      [{ redirectUris: [] }, 'redirectUris'],
      [{ redirectUris: ['http://app.example/back'] }, 'redirectUris'],
      [{ redirectUris: ['javascript:alert(1)'] }, 'redirectUris'],
      [{ redirectUris: ['https://app.example/#x'] }, 'redirectUris'],
      [{ grants: ['password'] }, 'grants'],
      [{ grants: ['refresh_token'] }, 'grants'],
      [{ grants: ['client_credentials'] }, 'redirectUris'],
      [{ scopes: ['profile'] }, 'scopes'],
      [{ consent: 'maybe' }, 'consent'],
      [{ authMethod: 'none', grants: ['authorization_code', 'client_credentials'] }, 'authMethod'],
    ] as const) {
      const failure = new RegExp(`"field":"${field}"`);
      await assert.rejects(
        server.api('POST', place('strange'), { ...base, ...change }),
        failure,
        JSON.stringify(change),
      );
    }
  });
});
