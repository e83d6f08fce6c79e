import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import type { MutableResponse } from 'oauth2-mock-server';
import { eachDatabase } from '../database.ts';
import { startWholeServer } from '../whole-server.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';
import { openSignInBrowser } from './sign-in-browser.ts';

const jit = { enabled: true };

eachDatabase('somebody signs in through another identity provider', (database) => {
  let bed: FederationBed;
  before(async () => {
    bed = await openFederationBed(database);
    await bed.server.api('POST', '/user-store-domains', { name: 'PARTNERS' });
  });
  after(() => bed[Symbol.asyncDispose]());
  beforeEach(() => {
    bed.upstream.spoil = undefined;
    bed.upstream.spoilMore = undefined;
  });
  const api: FederationBed['server']['api'] = (...call) => bed.server.api(...call);
  const countUsers = async () => (await api('GET', '/users?limit=1')).total as number;

  it('which is offered on the page only while it and the way in are switched on', async () => {
    const offered = async () => {
      const { url } = await bed.begin();
      return (await bed.openBrowser().go(url)).text.includes('Sign in with Partner &amp; Co');
    };
    assert.equal(await offered(), false);
    await bed.federate({ jit, authenticator: { enabled: false } });
    assert.equal(await offered(), false);
    await bed.federate({ jit });
    assert.equal(await offered(), true);
    await api('PATCH', '/identity-providers/partner', { enabled: false });
    assert.equal(await offered(), false);
    await api('PATCH', '/identity-providers/partner', { enabled: true });
  });

  it('is made at the first time and found again at the next, whatever the name is then', async () => {
    bed.upstream.claims = { sub: 'u-grace', preferred_username: 'grace', name: 'Grace Hopper' };
    const first = await bed.signIn();
    assert.ok(first.claims, first.text);
    const user = await api('GET', '/users/grace');
    assert.equal(first.claims.sub, user.id);
    bed.upstream.claims = { sub: 'u-grace', preferred_username: 'ghopper', name: 'Grace B. Hopper' };
    const second = await bed.signIn();
    assert.equal(second.claims!.sub, user.id);
    const later = await api('GET', '/users/grace');
    assert.equal(later.attributes.displayName, 'Grace B. Hopper');
    bed.upstream.claims = { sub: 'u-other', preferred_username: 'other' };
    assert.notEqual((await bed.signIn()).claims!.sub, user.id);
  });

  it('by the home realm identifier of the request, or by the domain of the address', async () => {
    bed.upstream.claims = { sub: 'u-grace' };
    for (const name of ['fidp', 'home_realm']) {
      const { url, end } = await bed.begin({ [name]: 'partner-realm' });
      await end(await bed.openBrowser().go(url));
    }
    const other = await bed.begin({ fidp: 'nobody' });
    assert.match((await bed.openBrowser().go(other.url)).text, /<h1>Sign in<\/h1>/);
    await bed.federate({ jit, domains: ['Partner.Example'] });
    const { url, end } = await bed.begin();
    const browser = bed.openBrowser();
    const page = await browser.send(await browser.go(url), '/login', { name: 'grace@PARTNER.example' });
    await end(page);
  });

  it('and nobody who is here already is taken over by a name or an address', async () => {
    await api('POST', '/users', { userName: 'boss', emails: [{ value: 'boss@acme.example' }] });
    await bed.federate({ jit });
    const count = await countUsers();
    bed.upstream.claims = {
      sub: 'u-evil',
      preferred_username: 'BOSS',
      email: 'boss@acme.example',
      email_verified: true,
    };
    const page = await bed.signIn();
    assert.equal(page.status, 403);
    assert.match(page.text, /somebody here has the user name BOSS already/);
    assert.equal(await countUsers(), count);
    await bed.federate({ linkBy: 'verifiedEmail' });
    for (const email_verified of [false, 'true', undefined]) {
      bed.upstream.claims = { sub: 'u-evil', email: 'boss@acme.example', email_verified };
      assert.match((await bed.signIn()).text, /nobody here is known by that/);
    }
    bed.upstream.claims = { sub: 'u-boss', email: 'boss@acme.example', email_verified: true };
    const linked = await bed.signIn();
    assert.equal(linked.claims!.sub, (await api('GET', '/users/boss')).id);
    bed.upstream.claims = { sub: 'u-evil', email: 'boss@acme.example', email_verified: true };
    assert.match((await bed.signIn()).text, /somebody else who signs in that way has your e-mail address/);
    assert.equal(await countUsers(), count);
  });

  it('who is unknown, switched off or was deleted is told so, and nothing is written', async () => {
    await bed.federate({});
    const count = await countUsers();
    bed.upstream.claims = { sub: 'u-nobody', preferred_username: 'nobody' };
    const unknown = await bed.signIn();
    assert.equal(unknown.status, 403);
    assert.match(unknown.text, /nobody here is known by that/);
    assert.match(unknown.text, /Sign in another way/);
    bed.upstream.claims = { sub: 'u-grace' };
    await api('PATCH', '/users/grace', { active: false });
    assert.match((await bed.signIn()).text, /your account here is switched off/);
    await api('DELETE', '/users/grace');
    assert.match((await bed.signIn()).text, /nobody here is known by that/);
    assert.equal(await countUsers(), count - 1);
  });

  it('a name leads into no other user store domain', async () => {
    await bed.federate({ jit });
    bed.upstream.claims = { sub: 'u-slash', preferred_username: 'PARTNERS/eve' };
    assert.match((await bed.signIn()).text, /has a &quot;\/&quot; in it/);
  });

  const retoken =
    (change: (header: object, payload: Record<string, unknown>) => string) => (answer: MutableResponse) => {
      const body = answer.body as { id_token: string };
      const [header, payload] = body.id_token.split('.').slice(0, 2);
      const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
      body.id_token = change(read(header!), read(payload!));
    };
  const write = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

  for (const [what, claims] of [
    ['another nonce', { nonce: 'of another question' }],
    ['no nonce', { nonce: undefined }],
    ['an end that is over', { exp: Math.floor(Date.now() / 1_000) - 600 }],
    ['another audience', { aud: 'somebody else' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['no subject', { sub: undefined }],
    ['a subject that is no text', { sub: { $ne: null } }],
    ['a subject that no database can store', { sub: 'a\0b' }],
    ['a subject without end', { sub: 'x'.repeat(300) }],
    ['a name that no database can store', { sub: 'u-x', preferred_username: 'a\0b' }],
    ['a name that is no text', { sub: 'u-x', preferred_username: ['a', 'b'] }],
    ['a name without end', { sub: 'u-x', preferred_username: 'x'.repeat(3_000) }],
    ['more than anybody reads', { sub: 'u-x', preferred_username: 'x', note: 'x'.repeat(70_000) }],
  ] as const) {
    it(`${what} lets nobody in, and nothing is written`, async () => {
      await bed.federate({ jit });
      const count = await countUsers();
      bed.upstream.claims = { sub: 'u-x', preferred_username: 'x', ...claims };
      const page = await bed.signIn();
      assert.ok(page.status === 403 || page.status === 400, `${page.status} ${page.text}`);
      assert.match(page.text, /role="alert">Signing in with Partner &amp; Co did not work/);
      assert.equal(await countUsers(), count);
    });
  }

  for (const [what, spoil] of [
    ['without a signature', retoken((header, payload) => `${write({ ...header, alg: 'none' })}.${write(payload)}.`)],
    [
      'with the signature of other words',
      (answer: MutableResponse) => {
        const body = answer.body as { id_token: string };
        const [header, payload, signature] = body.id_token.split('.');
        const said = JSON.parse(Buffer.from(payload!, 'base64url').toString());
        body.id_token = `${header}.${write({ ...said, sub: 'u-boss' })}.${signature}`;
      },
    ],
    [
      'that is not there',
      (answer: MutableResponse) => {
        delete (answer.body as { id_token?: string }).id_token;
      },
    ],
  ] as const) {
    it(`a token ${what} lets nobody in`, async () => {
      await bed.federate({ jit });
      bed.upstream.claims = { sub: 'u-x', preferred_username: 'x' };
      bed.upstream.spoil = spoil;
      const page = await bed.signIn();
      assert.equal(page.status, 403, page.text);
      assert.match(page.text, /does not prove who you are/);
    });
  }

  for (const [what, spoil] of [
    [
      'that is about somebody else',
      (answer: MutableResponse) => Object.assign(answer.body as object, { sub: 'u-boss', preferred_username: 'boss' }),
    ],
    ['that is an error', (answer: MutableResponse) => Object.assign(answer, { statusCode: 500, body: {} })],
    ['without end', (answer: MutableResponse) => Object.assign(answer.body as object, { x: 'x'.repeat(5_000_000) })],
  ] as const) {
    it(`what it says when it is asked for more, ${what}, lets nobody in`, async () => {
      await bed.federate({ jit });
      const count = await countUsers();
      bed.upstream.claims = { sub: 'u-more', preferred_username: 'more' };
      bed.upstream.spoilMore = spoil;
      const page = await bed.signIn();
      assert.equal(page.status, 403, page.text);
      assert.equal(await countUsers(), count);
    });
  }

  it('what comes from there is text on our page', async () => {
    const { url } = await bed.begin();
    const own = openSignInBrowser(bed.server.url);
    const there = await own.follow(await own.go(url), 'Sign in with Partner &amp; Co');
    const answer = new URL(`${bed.server.url}/login/partner/callback`);
    answer.searchParams.set('state', new URL(there.location!).searchParams.get('state')!);
    answer.searchParams.set('error', 'server_error');
    answer.searchParams.set('error_description', '<script>alert(1)</script>');
    const page = await own.go(answer.href);
    assert.match(page.text, /&lt;script&gt;/);
    assert.ok(!page.text.includes('<script'));
  });

  it('an answer counts once, and only in the browser that asked', async () => {
    await bed.federate({ jit });
    bed.upstream.claims = { sub: 'u-once', preferred_username: 'once' };
    const { url, end } = await bed.begin();
    const own = openSignInBrowser(bed.server.url);
    const there = await own.follow(await own.go(url), 'Sign in with Partner &amp; Co');
    assert.ok(there.location?.startsWith(bed.upstream.issuer), there.text);
    const sent = new URL(there.location!).searchParams;
    assert.deepEqual(
      [sent.get('code_challenge_method'), sent.get('scope'), sent.get('redirect_uri')],
      ['S256', 'openid profile email', `${bed.server.url}/login/partner/callback`],
    );
    const answer = (await openSignInBrowser('http://none.invalid').go(there.location!)).location!;
    const stolen = await bed.openBrowser().go(answer);
    assert.equal(stolen.status, 404);
    assert.match(stolen.text, /begun in another browser/);
    // Whoever tried it has spent it.
    assert.equal((await own.go(answer)).status, 404);
    const again = await own.follow(await own.go(url), 'Sign in with Partner &amp; Co');
    const second = (await openSignInBrowser('http://none.invalid').go(again.location!)).location!;
    const done = await own.go(second);
    assert.ok(done.location?.startsWith('http://127.0.0.1:9/'), done.text);
    assert.equal((await own.go(second)).status, 404);
    await assert.rejects(end({ ...done, location: again.location }));
  });

  it('an identity provider that is away or says no is said so', async () => {
    await bed.federate({ authenticator: { issuer: 'http://127.0.0.1:9/' } });
    const away = await bed.signIn();
    assert.equal(away.status, 503);
    assert.match(away.text, /cannot be asked who you are/);
    await bed.federate({ jit });
    const { url } = await bed.begin();
    const own = openSignInBrowser(bed.server.url);
    const there = await own.follow(await own.go(url), 'Sign in with Partner &amp; Co');
    const state = new URL(there.location!).searchParams.get('state');
    const no = await own.go(`${bed.server.url}/login/partner/callback?error=access_denied&state=${state}`);
    assert.match(no.text, /it was not told who you are/);
    const choose = await own.follow(no, 'Sign in another way');
    assert.match(choose.text, /<h1>Sign in<\/h1>/);
  });

  it('through another Purvey', async () => {
    await using other = await startWholeServer();
    await other.api('POST', '/service-providers', { name: 'downstream' });
    const made = await other.api('POST', '/service-providers/downstream/oauth-client', {
      grants: ['authorization_code'],
      redirectUris: [`${bed.server.url}/login/partner/callback`],
      scopes: ['openid', 'profile', 'email', 'groups'],
    });
    await other.api('POST', '/users', {
      userName: 'linus',
      name: { givenName: 'Linus', familyName: 'Pauling' },
      emails: [{ value: 'linus@other.example', primary: true }],
      password: 'eine gute Losung',
    });
    const { clientId, clientSecret } = made;
    await bed.federate({ jit, authenticator: { issuer: `${other.url}/oauth2`, clientId, clientSecret } });
    const { url, end } = await bed.begin();
    const browser = bed.openBrowser(other.url);
    const there = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    assert.ok(there.url.startsWith(other.url), there.text);
    const asked = await browser.send(there, '/login', { name: 'linus', password: 'eine gute Losung' });
    const claims = await end(await browser.send(asked, '/consent'));
    const user = await api('GET', '/users/linus');
    assert.equal(claims.sub, user.id);
    assert.deepEqual(user.attributes.name, { givenName: 'Linus', familyName: 'Pauling' });
    assert.deepEqual(user.attributes.emails, [{ value: 'linus@other.example', primary: true }]);
  });
});
