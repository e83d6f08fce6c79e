import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';
import { openSamlPeer, type SamlAnswer, type SamlPeer } from './saml-peer.ts';
import { openSignInBrowser, type Shown } from './sign-in-browser.ts';

eachDatabase('somebody signs in through an identity provider that speaks SAML', (database) => {
  let bed: FederationBed;
  let peer: SamlPeer;
  const api: FederationBed['server']['api'] = (...call) => bed.server.api(...call);
  const place = '/identity-providers/partner/federation';
  before(async () => {
    [bed, peer] = await Promise.all([openFederationBed(database), openSamlPeer()]);
    await api('POST', '/groups', { displayName: 'Staff' });
    const { entityId, signOnUrl, certificate } = peer;
    await api('PUT', place, {
      authenticator: { type: 'saml', entityId, signOnUrl, certificate },
      claims: [
        { remote: 'uid', local: 'userName' },
        { remote: 'urn:oid:2.5.4.42', local: 'name.givenName' },
        { remote: 'mail', local: 'emails' },
      ],
      roleClaim: 'roles',
      roles: [{ remote: 'staff', local: 'Staff' }],
      jit: { enabled: true, groups: 'sync' },
    });
  });
  after(() => bed[Symbol.asyncDispose]());

  const begin = async () => {
    const { url, end } = await bed.begin();
    const browser = openSignInBrowser(bed.server.url);
    const there = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    assert.ok(there.location?.startsWith(peer.signOnUrl), there.text);
    return { browser, address: there.location!, end };
  };
  const post = (browser: ReturnType<typeof openSignInBrowser>, { xml, RelayState }: SamlAnswer): Promise<Shown> =>
    browser.go(`${bed.server.url}/login/partner/callback`, {
      SAMLResponse: Buffer.from(xml).toString('base64'),
      RelayState,
    });
  const countUsers = async () => (await api('GET', '/users?limit=1')).total as number;
  const ada = { uid: 'ada', 'urn:oid:2.5.4.42': 'Ada', mail: 'ada@partner.example', roles: ['staff', 'other'] };

  it('which finds in the metadata what this server is called and where it listens', async () => {
    const { metadataUrl, redirectUri, authenticator } = await api('GET', place);
    assert.equal(authenticator.certificate.trim(), peer.certificate.trim());
    const answer = await fetch(metadataUrl);
    assert.equal(answer.headers.get('content-type'), 'application/samlmetadata+xml; charset=utf-8');
    const text = await answer.text();
    assert.ok(text.includes(`entityID="${metadataUrl}"`) && text.includes(`Location="${redirectUri}"`), text);
    assert.match(text, /WantAssertionsSigned="true"/);
  });

  it('is made with attributes and groups, and found again by the name identifier', async () => {
    const first = await begin();
    const claims = await first.end(
      await post(first.browser, await peer.answer(first.address, { nameId: 'n-1', claims: ada })),
    );
    const user = await api('GET', '/users/ada');
    assert.equal(claims.sub, user.id);
    assert.deepEqual(user.attributes, {
      userName: 'ada',
      name: { givenName: 'Ada' },
      emails: [{ value: 'ada@partner.example', primary: true }],
    });
    assert.deepEqual(
      user.groups.map((one: { name: string }) => one.name),
      ['Staff'],
    );
    const again = await begin();
    const other = await peer.answer(again.address, { nameId: 'n-1', claims: { uid: 'renamed' } });
    assert.equal((await again.end(await post(again.browser, other))).sub, user.id);
  });

  it('an answer counts once, and only where the sign-in was begun', async () => {
    const { browser, address } = await begin();
    const answer = await peer.answer(address, { nameId: 'n-1', claims: ada });
    const stolen = await post(openSignInBrowser(bed.server.url), answer);
    assert.match(stolen.text, /is over, or was begun in another browser/);
    assert.equal((await post(browser, answer)).status, 404);
    const second = await begin();
    const replayed = { ...answer, RelayState: new URL(second.address).searchParams.get('RelayState')! };
    assert.match((await post(second.browser, replayed)).text, /does not prove who you are/);
  });

  const stranger = openSamlPeer(1);
  for (const [what, options, change] of [
    ['another issuer', { issuer: 'urn:evil' }, undefined],
    ['another audience', { audience: 'urn:somebody:else' }, undefined],
    ['no audience', { audience: undefined }, undefined],
    ['another recipient', { recipient: 'https://evil.example/acs' }, undefined],
    ['another question', { inResponseTo: `_${'0'.repeat(40)}` }, undefined],
    ['an end that is over', { lifetimeInSeconds: -600 }, undefined],
    ['no signature', { signAssertion: false }, undefined],
    ['a signature around it alone', { signAssertion: false, signResponse: true }, undefined],
    ['a signature by SHA-1', { signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' }, undefined],
    [
      'a name that is new each time',
      { nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' },
      undefined,
    ],
    ['a changed name', {}, (xml: string) => xml.replace('n-evil', 'n-1')],
    [
      'a question that stands only where nothing is signed',
      { inResponseTo: undefined },
      (xml: string, id: string) => xml.replace('<samlp:Response ', `<samlp:Response InResponseTo="${id}" `),
    ],
    ['a document type', {}, (xml: string) => `<!DOCTYPE x [<!ENTITY a "b">]>${xml}`],
    ['no XML', {}, () => 'nothing'],
  ] as const) {
    it(`${what} lets nobody in, and nothing is written`, async () => {
      const count = await countUsers();
      const { browser, address } = await begin();
      const given = { nameId: 'n-evil', claims: { ...ada, uid: 'evil' }, options };
      const answer = await peer.answer(address, given);
      const xml = change ? change(answer.xml, answer.id) : answer.xml;
      assert.equal(xml === answer.xml, change === undefined);
      const page = await post(browser, { ...answer, xml });
      assert.equal(page.status, 403, page.text);
      assert.match(page.text, /does not prove who you are/);
      assert.equal(await countUsers(), count);
    });
  }

  it('the key of somebody else lets nobody in', async () => {
    const { browser, address } = await begin();
    const page = await post(browser, await stranger.answer(address, { nameId: 'n-1', claims: ada }));
    assert.match(page.text, /does not prove who you are/);
  });

  const inside = (forged: string, signed: string) =>
    forged.replace('</saml:Assertion>', `<saml:Advice>${signed}</saml:Advice></saml:Assertion>`);
  for (const [what, wrap] of [
    ['before', (forged: string, signed: string) => `${forged}${signed}`],
    ['after', (forged: string, signed: string) => `${signed}${forged}`],
    ['around', inside],
    [
      'around, in its own place,',
      (forged: string, signed: string) => inside(forged.replace('_forged', idOf(signed)), signed),
    ],
  ] as const) {
    it(`an assertion ${what} a signed one is not taken for it`, async () => {
      const { browser, address } = await begin();
      const answer = await peer.answer(address, { nameId: 'n-9', claims: ada });
      const [signed] = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(answer.xml)!;
      const forged = signed
        .replace('n-9', 'n-1')
        .replace(idOf(signed), '_forged')
        .replace(/<Signature[\s\S]*<\/Signature>/, '');
      const xml = answer.xml.replace(signed, wrap(forged, signed));
      assert.ok(xml.includes('n-1') && xml.includes('n-9'));
      const page = await post(browser, { ...answer, xml });
      assert.equal(page.status, 403, page.text);
    });
  }
});

const idOf = (assertion: string) => / ID="([^"]+)"/.exec(assertion)![1]!;
