import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';
import { openSamlPeer } from './saml-peer.ts';
import { openSignInBrowser, type Shown, type SignInBrowser } from './sign-in-browser.ts';

const asks = '/new/[\\w-]+';
const password = 'eine gute Losung';
const typed = { password, again: password, agree: 'yes' };

eachDatabase('somebody new is asked before they are made', (database) => {
  let bed: FederationBed;
  const api: FederationBed['server']['api'] = (...call) => bed.server.api(...call);
  before(async () => {
    bed = await openFederationBed(database);
    await api('POST', '/user-store-domains', { name: 'PARTNERS' });
    await api('POST', '/groups', { displayName: 'Staff' });
    await api('POST', '/users', { userName: 'taken' });
  });
  after(() => bed[Symbol.asyncDispose]());

  const federate = (prompt: string, more: object = {}) =>
    bed.federate({ roleClaim: 'roles', jit: { enabled: true, groups: 'sync', prompt, ...more } });
  /** Comes back from the identity provider, in a browser of its own. */
  const arrive = async (claims: Record<string, unknown>) => {
    bed.upstream.claims = claims;
    const { url, end } = await bed.begin();
    const browser = bed.openBrowser();
    const page = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    return { browser, page, end };
  };
  const isAsked = ({ text }: Shown) => assert.match(text, /<h1>You are new here<\/h1>/);
  const isThere = async (name: string) => {
    const answer = await fetch(`${bed.server.url}/api/users/${encodeURIComponent(name)}`, {
      headers: { authorization: `Bearer ${bed.server.token}` },
    });
    return answer.status === 200;
  };
  const signInHere = async (name: string) => {
    const { url, end } = await bed.begin();
    const browser: SignInBrowser = bed.openBrowser();
    return end(await browser.send(await browser.go(url), '/login', { name, password }));
  };

  it('not at all where that is silent, nor where somebody is known already', async () => {
    await federate('silent');
    const ada = { sub: 'ada', preferred_username: 'ada' };
    const first = await arrive(ada);
    const { sub } = await first.end(first.page);
    await federate('userName');
    const second = await arrive({ ...ada, name: 'Ada' });
    assert.equal((await second.end(second.page)).sub, sub);
    assert.equal((await api('GET', '/users/ada')).attributes.displayName, 'Ada');
  });

  it('to agree, and sees what will be known', async () => {
    await federate('consent');
    const { browser, page, end } = await arrive({
      sub: 'grace',
      preferred_username: 'grace',
      name: 'Grace <Hopper>',
      email: 'grace@partner.example',
      roles: ['Staff', 'of nobody'],
    });
    isAsked(page);
    assert.equal(await isThere('grace'), false);
    for (const text of ['grace', 'Grace &lt;Hopper&gt;', 'grace@partner.example', 'Staff']) {
      assert.ok(page.text.includes(`<strong>${text}</strong>`), text);
    }
    assert.ok(page.text.includes('travel') && page.text.includes('Partner &amp; Co'));
    assert.ok(!/type="password"|name="userName"|of nobody|<script/.test(page.text), page.text);
    const refused = await browser.send(page, asks);
    assert.deepEqual([refused.status, await isThere('grace')], [400, false]);
    assert.match(refused.text, /<input aria-describedby="agree-fault" aria-invalid="true" autofocus name="agree"/);
    const { sub } = await end(await browser.send(refused, asks, { agree: 'yes' }));
    const user = await api('GET', '/users/grace');
    assert.deepEqual([user.id, user.groups.map((one: { name: string }) => one.name)], [sub, ['Staff']]);
    const { items } = await api('GET', `/changes?subject=${sub}`);
    const [{ door, actor, serviceProvider }] = items;
    assert.deepEqual([door, actor, serviceProvider], ['login', 'sign-in through partner', 'travel']);
    const again = await arrive({ sub: 'grace', preferred_username: 'grace' });
    assert.equal((await again.end(again.page)).sub, sub, 'once');
  });

  it('for a password, which is theirs here from then on', async () => {
    await federate('password', { domain: 'PARTNERS' });
    const { browser, page, end } = await arrive({ sub: 'heidi', preferred_username: 'heidi' });
    isAsked(page);
    assert.match(page.text, /<strong>PARTNERS\/heidi<\/strong>/);
    assert.ok(!page.text.includes('name="userName"'));
    let last = page;
    for (const [change, fault] of [
      [{ password: 'short', again: 'short' }, 'password'],
      [{ password: '', again: '' }, 'password'],
      [{ password: 'x'.repeat(1_025), again: 'x'.repeat(1_025) }, 'password'],
      [{ again: 'eine andere Losung' }, 'again'],
      [{ agree: '' }, 'agree'],
    ] as const) {
      last = await browser.send(last, asks, { ...typed, userName: 'somebody', ...change });
      assert.equal(last.status, 400);
      assert.ok(last.text.includes(`id="${fault}-fault"`), `${fault}: ${last.text}`);
      assert.equal(last.text.match(/aria-invalid/g)?.length, 1);
      assert.ok(!last.text.includes('Losung'), 'passwords do not come back');
      assert.equal(await isThere('PARTNERS/heidi'), false);
    }
    const { sub } = await end(await browser.send(last, asks, { ...typed, userName: 'somebody' }));
    assert.equal((await api('GET', '/users/PARTNERS%2Fheidi')).id, sub);
    assert.equal(await isThere('somebody'), false, 'the name is not asked for');
    assert.equal((await signInHere('PARTNERS/heidi')).sub, sub);
  });

  it('for a user name too, again while it is taken, and with nothing lost', async () => {
    await federate('userName');
    const { browser, page, end } = await arrive({ sub: 'new', preferred_username: 'taken', name: 'New' });
    isAsked(page);
    assert.match(page.text, /name="userName"[^>]* value="taken"/);
    const taken = await browser.send(page, asks, { ...typed, userName: ' TAKEN ' });
    assert.equal(taken.status, 400);
    assert.match(taken.text, /id="userName-fault">Somebody here has this user name already/);
    assert.match(taken.text, /value="TAKEN"/);
    assert.match(taken.text, /value="yes" required checked/);
    for (const userName of ['', 'PARTNERS/x', 'a\0b']) {
      const page = await browser.send(taken, asks, { ...typed, userName });
      assert.ok(page.status === 400 && page.text.includes('id="userName-fault"'), page.text);
    }
    const { sub } = await end(await browser.send(taken, asks, { ...typed, userName: 'chosen' }));
    const user = await api('GET', '/users/chosen');
    assert.deepEqual([user.id, user.attributes.displayName], [sub, 'New']);
    assert.equal((await signInHere('chosen')).sub, sub);
    const again = await arrive({ sub: 'new', preferred_username: 'taken' });
    assert.equal((await again.end(again.page)).sub, sub);
  });

  it('and cannot find out who is here by trying names', async () => {
    await federate('userName');
    const { browser, page } = await arrive({ sub: 'guesser', preferred_username: 'guesser' });
    const statuses: number[] = [];
    let last = page;
    do {
      last = await browser.send(last, asks, { ...typed, userName: 'taken' });
      statuses.push(last.status);
    } while (last.status === 400 && statuses.length < 20);
    assert.deepEqual(statuses.slice(0, 5), [400, 400, 400, 400, 400]);
    assert.ok(last.status === 429 && statuses.length <= 11, statuses.join());
    assert.match(last.text, /id="userName-fault">Too many user names that somebody here has already\. Try again in/);
    assert.match(last.text, /value="taken"/);
    const other = await arrive({ sub: 'honest', preferred_username: 'honest' });
    isAsked(other.page);
    await other.end(await other.browser.send(other.page, asks, { ...typed, userName: 'honest' }));
  });

  it('where only a name that is taken could be given, is refused before anything is asked', async () => {
    await federate('password');
    const { page } = await arrive({ sub: 'other', preferred_username: 'taken' });
    assert.equal(page.status, 403);
    assert.match(page.text, /has the user name taken already, and nothing proves that it is you/);
  });

  it('and is not made when they cancel', async () => {
    await federate('consent');
    const { items } = await api('GET', '/changes?limit=1');
    const { browser, page } = await arrive({ sub: 'no', preferred_username: 'no', roles: ['Staff'] });
    const left = await browser.send(page, '/cancel');
    assert.match(left.text, /<h1>Sign in<\/h1>/);
    assert.equal(await isThere('no'), false);
    assert.deepEqual((await api('GET', '/changes?limit=1')).items, items);
    const late = await browser.send(page, asks, { agree: 'yes' });
    assert.deepEqual([late.status, await isThere('no')], [404, false]);
  });

  it('in the browser that began, and once', async () => {
    await federate('consent');
    const { browser, page, end } = await arrive({ sub: 'emmy', preferred_username: 'emmy' });
    const other = await arrive({ sub: 'else', preferred_username: 'else' });
    for (const stranger of [bed.openBrowser(), other.browser]) {
      for (const action of [asks, '/cancel']) {
        const stolen = await stranger.send(page, action, { agree: 'yes' });
        assert.equal(stolen.status, 404);
        assert.match(stolen.text, /was begun in another browser/);
      }
      assert.equal((await stranger.go(page.url)).status, 404);
    }
    assert.equal(await isThere('emmy'), false);
    const answers = await Promise.all([1, 2].map(() => browser.send(page, asks, { agree: 'yes' })));
    const [done, refused] = answers.toSorted((a, b) => Number(b.location !== null) - Number(a.location !== null));
    assert.equal((await end(done!)).sub, (await api('GET', '/users/emmy')).id);
    assert.equal(refused!.location, null, refused!.text);
    assert.equal((await browser.send(page, asks, { agree: 'yes' })).status, 404);
  });

  it('with nothing of what was said in the page but what it shows, and not while nobody signs in that way', async () => {
    await federate('consent');
    const { browser, page } = await arrive({ sub: 'secret-sub', preferred_username: 'sofia', inner: 'not-shown' });
    assert.ok(!/secret-sub|not-shown/.test(page.text));
    await api('PATCH', '/identity-providers/partner/federation', { authenticator: { enabled: false } });
    assert.equal((await browser.send(page, asks, { agree: 'yes' })).status, 404);
    await api('PATCH', '/identity-providers/partner/federation', {
      authenticator: { enabled: true },
      jit: { enabled: false },
    });
    assert.equal((await browser.send(page, asks, { agree: 'yes' })).status, 403);
    assert.equal(await isThere('sofia'), false);
  });

  it('after SAML too', async () => {
    const peer = openSamlPeer();
    const { entityId, signOnUrl, certificate } = peer;
    await api('PUT', '/identity-providers/partner/federation', {
      authenticator: { type: 'saml', entityId, signOnUrl, certificate },
      claims: [{ remote: 'uid', local: 'userName' }],
      jit: { enabled: true, prompt: 'userName' },
    });
    const { url, end } = await bed.begin();
    const browser = openSignInBrowser(bed.server.url);
    const there = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    const { xml, RelayState } = await peer.answer(there.location!, { nameId: 'n-1', claims: { uid: 'alan' } });
    const page = await browser.go(`${bed.server.url}/login/partner/callback`, {
      SAMLResponse: Buffer.from(xml).toString('base64'),
      RelayState,
    });
    isAsked(page);
    const { sub } = await end(await browser.send(page, asks, { ...typed, userName: 'alan' }));
    assert.equal((await api('GET', '/users/alan')).id, sub);
  });
});
