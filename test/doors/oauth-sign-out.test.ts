import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import * as client from 'openid-client';
import { startApp } from '../../examples/app/server.ts';
import { eachDatabase } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSignInBrowser, type SignInBrowser } from './sign-in-browser.ts';

const back = 'http://127.0.0.1:9/back';
const bye = 'http://127.0.0.1:9/bye';
const password = 'eine gute Losung';

eachDatabase('somebody signs out from the application', (database) => {
  let server: WholeServer;
  let travel: client.Configuration;
  let shop: client.Configuration;
  before(async () => {
    server = await startWholeServer(database);
    await server.api('POST', '/users', { userName: 'ada', displayName: 'Ada Lovelace', password });
    const settings = { grants: ['authorization_code', 'refresh_token'], redirectUris: [back], consent: 'none' };
    travel = await register('Travel <desk>', { ...settings, postLogoutRedirectUris: [bye] });
    shop = await register('shop', settings);
  });
  after(() => server[Symbol.asyncDispose]());

  const place = (name: string) => `/service-providers/${encodeURIComponent(name)}/oauth-client`;
  const register = async (name: string, settings: object) => {
    await server.api('POST', '/service-providers', { name });
    const scopes = ['openid', 'profile', 'offline_access'];
    const made = await server.api('POST', place(name), { ...settings, scopes });
    return client.discovery(new URL(`${server.url}/oauth2`), made.clientId, made.clientSecret, undefined, {
      execute: [client.allowInsecureRequests],
    });
  };
  /** Where the browser comes with an authorization request of an application, and how that ends. */
  const ask = async (of: client.Configuration, more: Record<string, string> = {}) => {
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(of, {
      redirect_uri: back,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    });
    return {
      url: url.href,
      end: (at: string) => client.authorizationCodeGrant(of, new URL(at), { pkceCodeVerifier: verifier }),
    };
  };
  const signIn = async (browser: SignInBrowser, of = travel, more: Record<string, string> = {}) => {
    const { url, end } = await ask(of, more);
    const page = await browser.go(url);
    const done = page.location?.startsWith(back) ? page : await browser.send(page, '/login', { name: 'ada', password });
    assert.ok(done.location?.startsWith(back), done.text);
    return end(done.location!);
  };
  const isSignedIn = async (browser: SignInBrowser) => {
    const { location } = await browser.go((await ask(travel, { prompt: 'none' })).url);
    const answer = new URL(location!).searchParams;
    // What this application has may have ended, and the sign-in is there still.
    assert.ok(answer.has('code') || /^(login|consent)_required$/.test(answer.get('error')!), location!);
    return answer.get('error') !== 'login_required';
  };
  const isGood = (of: client.Configuration, tokens: client.TokenEndpointResponse) =>
    client.fetchUserInfo(of, tokens.access_token, client.skipSubjectCheck).then(
      () => true,
      () => false,
    );
  const leave = (parameters: Record<string, string> = {}, of = travel) =>
    client.buildEndSessionUrl(of, { post_logout_redirect_uri: bye, ...parameters }).href;
  const bare = () => `${server.url}/oauth2/logout`;

  it('is asked, and the session and the tokens of all applications end; the browser goes back', async () => {
    assert.equal(travel.serverMetadata().end_session_endpoint, bare());
    const browser = openSignInBrowser(server.url);
    const tokens = await signIn(browser);
    const others = await signIn(browser, shop);
    assert.ok(await isSignedIn(browser));
    const page = await browser.go(leave({ id_token_hint: tokens.id_token!, state: 'a b' }));
    assert.equal(page.status, 200);
    assert.match(page.text, /<h1>Sign out of Purvey\?<\/h1>/);
    assert.ok(page.text.includes('Travel &lt;desk&gt;') && !page.text.includes('<desk>'), 'names are text');
    assert.match(page.text, /You are signed in as <strong>ada<\/strong>/);
    assert.ok(await isSignedIn(browser), 'nothing ends before it is said');
    assert.ok(await isGood(travel, tokens));

    const asked = await browser.go(leave({ id_token_hint: tokens.id_token!, state: 'a b' }));
    const done = await browser.send(asked, '/logout/confirm', { ...xsrfOf(asked.text), logout: 'yes' });
    assert.equal(done.location, `${bye}?state=a+b`);
    assert.match(done.text, /You are signed out/);
    assert.ok(!(await isSignedIn(browser)));
    assert.deepEqual([await isGood(travel, tokens), await isGood(shop, others)], [false, false]);
  });

  it('or stays, so that only what this application has ends', async () => {
    const browser = openSignInBrowser(server.url);
    const tokens = await signIn(browser);
    const others = await signIn(browser, shop);
    const page = await browser.go(leave({ id_token_hint: tokens.id_token! }));
    const done = await browser.send(page, '/logout/confirm', xsrfOf(page.text));
    assert.equal(done.location, bye);
    assert.match(done.text, /You are still signed in/);
    assert.deepEqual([await isGood(travel, tokens), await isGood(shop, others)], [false, true]);
    assert.ok(await isSignedIn(browser));
  });

  it('what was to last while they are away lasts', async () => {
    const browser = openSignInBrowser(server.url);
    await server.api('PATCH', place('shop'), { consent: 'ask' });
    const { url, end } = await ask(shop, { scope: 'openid offline_access', prompt: 'consent' });
    const consent = await browser.send(await browser.go(url), '/login', { name: 'ada', password });
    const tokens = await end((await browser.send(consent, '/consent')).location!);
    await server.api('PATCH', place('shop'), { consent: 'none' });
    const page = await browser.go(bare());
    const done = await browser.send(page, '/logout/confirm', { ...xsrfOf(page.text), logout: 'yes' });
    assert.match(done.text, /<h1>You are signed out<\/h1>[\s\S]*You can close this page/);
    assert.ok((await client.refreshTokenGrant(shop, tokens.refresh_token!)).access_token);
  });

  it('whoever is not signed in is not asked, and goes where the application has them sent', async () => {
    const browser = openSignInBrowser(server.url);
    assert.equal((await browser.go(leave({ state: 'a b' }))).location, `${bye}?state=a+b`);
    assert.match((await browser.go(bare())).text, /<h1>You are signed out<\/h1>/);
  });

  it('an application may post what it asks, too', async () => {
    const browser = openSignInBrowser(server.url);
    const tokens = await signIn(browser);
    const form = { id_token_hint: tokens.id_token!, post_logout_redirect_uri: bye, state: 'x' };
    const page = await browser.go(bare(), form);
    assert.match(page.text, /Sign out of Purvey\?/);
    const done = await browser.send(page, '/logout/confirm', { ...xsrfOf(page.text), logout: 'yes' });
    assert.equal(done.location, `${bye}?state=x`);
  });

  it('to an address that is not registered, or with what is no token of it, nobody is sent; they can sign out all the same', async () => {
    const browser = openSignInBrowser(server.url);
    const tokens = await signIn(browser);
    const [head, , signature] = tokens.id_token!.split('.');
    const forged = [
      head,
      Buffer.from(JSON.stringify({ ...tokens.claims(), sub: 'x' })).toString('base64url'),
      signature,
    ];
    for (const [address, why] of [
      [
        leave({ post_logout_redirect_uri: 'https://evil.example/' }),
        /not among those that it has registered.*postLogoutRedirectUris/,
      ],
      [leave({ post_logout_redirect_uri: `${bye}?more` }), /not among those/],
      [leave({}, shop), /not among those/],
      [leave({ id_token_hint: 'nonsense' }), /no token of this server/],
      [leave({ id_token_hint: forged.join('.') }), /did not sign/],
      [`${bare()}?client_id=nobody&post_logout_redirect_uri=${encodeURIComponent(bye)}`, /client is invalid/],
    ] as const) {
      const page = await browser.go(address);
      assert.deepEqual([page.status, page.location], [400, null], page.text);
      assert.match(page.text, why);
      assert.match((await browser.follow(page, 'Sign out all the same')).text, /Sign out of Purvey\?/);
    }
    // Without an application that asks, no address counts.
    const nobody = await browser.go(
      `${bare()}?post_logout_redirect_uri=${encodeURIComponent('https://evil.example/')}`,
    );
    const done = await browser.send(nobody, '/logout/confirm', { ...xsrfOf(nobody.text), logout: 'yes' });
    assert.deepEqual([done.location, await isSignedIn(browser)], [null, false]);
  });

  it('no other site can have somebody signed out', async () => {
    const browser = openSignInBrowser(server.url);
    await signIn(browser);
    await browser.go(bare());
    const guess = await browser.go(`${bare()}/confirm`, { xsrf: 'f'.repeat(48), logout: 'yes' });
    assert.match(guess.text, /This page is over/);
    assert.ok(await isSignedIn(browser));
    const framed = await fetch(bare(), { headers: { accept: 'text/html' } });
    assert.match(framed.headers.get('content-security-policy')!, /frame-ancestors 'none'/);
  });

  it('the sample application has a link for it', async () => {
    await server.api('POST', '/service-providers', { name: 'sample' });
    const settings = { grants: ['authorization_code'], scopes: ['openid', 'profile'], consent: 'none' };
    const made = await server.api('POST', place('sample'), { ...settings, redirectUris: [back] });
    await using app = await startApp({ issuer: `${server.url}/oauth2`, ...made });
    const addresses = { redirectUris: [`${app.url}/back`], postLogoutRedirectUris: [`${app.url}/signed-out`] };
    await server.api('PATCH', place('sample'), addresses);
    const browser = openSignInBrowser(server.url, app.url);
    const page = await browser.go(`${app.url}/sign-in?scope=openid%20profile`);
    const welcome = await browser.send(page, '/login', { name: 'ada', password });
    assert.match(welcome.text, /Welcome, Ada Lovelace/);
    const asked = await browser.follow(welcome, 'Sign out');
    const done = await browser.send(asked, '/logout/confirm', { ...xsrfOf(asked.text), logout: 'yes' });
    assert.deepEqual([done.url, /You are signed out/.test(done.text)], [`${app.url}/signed-out`, true]);
    assert.ok(!(await isSignedIn(browser)));
  });

  it('and is told that they stay signed in where they came from', async () => {
    await server.api('POST', '/identity-providers', { name: 'partner', displayName: 'Partner <1>' });
    const authenticator = { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey' };
    await server.api('PUT', '/identity-providers/partner/federation', { authenticator });
    const browser = openSignInBrowser(server.url);
    await signIn(browser);
    assert.match((await browser.go(bare())).text, /through another identity provider \(Partner &lt;1&gt;\)/);
  });

  it('addresses for it follow the rules of the others', async () => {
    await server.api('POST', '/service-providers', { name: 'strange' });
    const base = { grants: ['authorization_code'], redirectUris: [back], scopes: ['openid'] };
    for (const change of [
      { postLogoutRedirectUris: ['http://app.example/bye'] },
      { postLogoutRedirectUris: ['javascript:alert(1)'] },
      { postLogoutRedirectUris: 'https://app.example/bye' },
      { grants: ['client_credentials'], redirectUris: [], scopes: ['scim.read'], postLogoutRedirectUris: [bye] },
    ]) {
      const failure = /"field":"postLogoutRedirectUris"/;
      await assert.rejects(
        server.api('POST', place('strange'), { ...base, ...change }),
        failure,
        JSON.stringify(change),
      );
    }
    const mixed = { redirectUris: ['https://localhost:9/back'], postLogoutRedirectUris: ['com.example.app:/bye'] };
    await assert.rejects(server.api('POST', place('strange'), { ...base, ...mixed }), /beside the scheme of an app/);
    const made = await server.api('POST', place('strange'), {
      ...base,
      postLogoutRedirectUris: ['com.example.app:/bye'],
    });
    assert.deepEqual([made.postLogoutRedirectUris, made.endSessionEndpoint], [['com.example.app:/bye'], bare()]);
    const answer = await openSignInBrowser(server.url).go(
      `${bare()}?client_id=${made.clientId}&post_logout_redirect_uri=com.example.app%3A%2Fbye`,
    );
    assert.equal(answer.location, 'com.example.app:/bye');
  });
});

function xsrfOf(text: string): { xsrf: string } {
  return { xsrf: /name="xsrf" value="(\w+)"/.exec(text)![1]! };
}
