import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';

const jit = { enabled: true };
const byToken = 'token commands on the server itself';

eachDatabase('who somebody at an identity provider is here', (database) => {
  let bed: FederationBed;
  before(async () => {
    bed = await openFederationBed(database);
  });
  after(() => bed[Symbol.asyncDispose]());
  const api: FederationBed['server']['api'] = (...call) => bed.server.api(...call);
  // biome-ignore lint/suspicious/noExplicitAny: answers are read by hand
  const linksOf = async (name: string): Promise<any[]> => (await api('GET', `/users/${name}/links`)).items;

  it('is known with the rule that it came by, and since when they came last', async () => {
    await bed.federate({ jit });
    bed.upstream.claims = { sub: 'u-grace', preferred_username: 'grace' };
    const { sub } = (await bed.signIn()).claims!;
    const [first] = await linksOf('grace');
    assert.deepEqual(first, {
      id: first.id,
      user: { id: sub, kind: 'user', name: 'grace', life: 'live' },
      identityProvider: { id: first.identityProvider.id, name: 'partner', displayName: 'Partner & Co' },
      issuer: bed.upstream.issuer,
      subject: 'u-grace',
      rule: 'jit',
      by: null,
      linkedAt: first.linkedAt,
      lastSignInAt: first.linkedAt,
      works: true,
      whyNot: null,
      ended: null,
    });
    await bed.signIn();
    const [second, other] = await linksOf('grace');
    assert.equal(other, undefined);
    assert.equal(second.linkedAt, first.linkedAt);
    assert.ok(second.lastSignInAt > first.lastSignInAt);
  });

  it('by an address that is verified, and after they were asked', async () => {
    await api('POST', '/users', { userName: 'boss', emails: [{ value: 'boss@acme.example' }] });
    await bed.federate({ linkBy: 'verifiedEmail' });
    bed.upstream.claims = { sub: 'u-boss', email: 'boss@acme.example', email_verified: true };
    await bed.signIn();
    assert.equal((await linksOf('boss'))[0].rule, 'verifiedEmail');
    await bed.federate({ jit: { enabled: true, prompt: 'consent' } });
    bed.upstream.claims = { sub: 'u-asked', preferred_username: 'asked' };
    const { url, end } = await bed.begin();
    const browser = bed.openBrowser();
    const page = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    await end(await browser.send(page, '/new/[\\w-]+', { agree: 'yes' }));
    assert.equal((await linksOf('asked'))[0].rule, 'prompt');
  });

  it('is unknown again when the user is deleted, and new when they come again', async () => {
    await bed.federate({ jit });
    const { id } = await api('GET', '/users/grace');
    await api('DELETE', '/users/grace');
    assert.deepEqual(await linksOf(id), []);
    const { items } = await api('GET', '/identity-providers/partner/links?search=u-grace');
    assert.deepEqual(items, []);
    bed.upstream.claims = { sub: 'u-grace', preferred_username: 'grace' };
    const again = await bed.signIn();
    assert.notEqual(again.claims!.sub, id);
    const [link] = await linksOf('grace');
    assert.deepEqual([link.user.id, link.rule], [again.claims!.sub, 'jit']);
  });

  it('is unlinked by an administrator, and found by the rules then', async () => {
    const { id } = await api('GET', '/users/grace');
    const [{ id: link }] = await linksOf('grace');
    await api('DELETE', `/users/grace/links/${link}`);
    const [ended] = await linksOf('grace');
    assert.deepEqual([ended.ended.by, ended.works, ended.whyNot], [byToken, false, 'it was unlinked']);
    bed.upstream.claims = { sub: 'u-grace', preferred_username: 'grace' };
    assert.match((await bed.signIn()).text, /has the user name grace already, and nothing proves that it is you/);
    await api('PATCH', '/users/grace', { emails: [{ value: 'grace@acme.example' }] });
    await bed.federate({ jit, linkBy: 'verifiedEmail' });
    bed.upstream.claims = { sub: 'u-grace', email: 'grace@acme.example', email_verified: true };
    assert.equal((await bed.signIn()).claims!.sub, id);
    assert.deepEqual(
      (await linksOf('grace')).map(({ rule, ended }) => [rule, ended?.by]),
      [
        ['verifiedEmail', undefined],
        ['jit', byToken],
      ],
    );
  });

  it('is what an administrator says, before they ever came', async () => {
    await bed.federate({});
    const { id } = await api('POST', '/users', { userName: 'linus' });
    bed.upstream.claims = { sub: 'u-linus', preferred_username: 'whatever' };
    assert.match((await bed.signIn()).text, /nobody here is known by that/);
    const made = await api('POST', '/users/linus/links', { identityProvider: 'partner', subject: 'u-linus' });
    assert.deepEqual([made.rule, made.by, made.lastSignInAt], ['hand', byToken, null]);
    assert.equal((await bed.signIn()).claims!.sub, id);
    assert.notEqual((await linksOf('linus'))[0].lastSignInAt, null);
  });

  it('counts for nothing while the identity provider has another issuer', async () => {
    await bed.federate({ authenticator: { issuer: 'https://other.example', clientSecret: 'x' } });
    assert.equal((await linksOf('linus'))[0].whyNot, 'partner has another issuer by now');
    await bed.federate({ authenticator: { enabled: false } });
    assert.equal((await linksOf('linus'))[0].whyNot, 'nobody signs in through partner');
    await bed.federate({});
    assert.equal((await linksOf('linus'))[0].works, true);
  });

  it('is one user also when they come twice at once, and choose two names', async () => {
    await bed.federate({ jit: { enabled: true, prompt: 'userName' } });
    bed.upstream.claims = { sub: 'u-twice' };
    const pages = await Promise.all(
      ['first', 'second'].map(async (userName) => {
        const { url, end } = await bed.begin();
        const browser = bed.openBrowser();
        const page = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
        return { browser, page, end, userName };
      }),
    );
    const password = 'eine gute Losung';
    const known = await Promise.all(
      pages.map(async ({ browser, page, end, userName }) => {
        const typed = { userName, password, again: password, agree: 'yes' };
        return (await end(await browser.send(page, '/new/[\\w-]+', typed))).sub;
      }),
    );
    assert.equal(known[0], known[1]);
    const { total } = await api(
      'GET',
      `/users?filter=${encodeURIComponent('userName eq "first" or userName eq "second"')}`,
    );
    assert.equal(total, 1);
  });
});
