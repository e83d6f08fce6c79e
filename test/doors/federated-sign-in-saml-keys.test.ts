import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';
import { peers } from './saml-certificates.ts';
import { openSamlPeer, type SamlPeer } from './saml-peer.ts';
import { openSignInBrowser, type Shown, type SignInBrowser } from './sign-in-browser.ts';

// The peer signs with the first of the two keys; the other one is ours.
const [theirs, own] = peers;
const claims = { uid: 'ada' };

eachDatabase('towards an identity provider that speaks SAML, with a key of ours,', (database) => {
  let bed: FederationBed;
  let peer: SamlPeer;
  const place = '/identity-providers/partner/federation';
  before(async () => {
    [bed, peer] = await Promise.all([openFederationBed(database), openSamlPeer()]);
  });
  after(() => bed[Symbol.asyncDispose]());

  const set = async (settings: Record<string, unknown>) => {
    const { entityId, signOnUrl, certificate } = peer;
    await bed.server.api('PUT', place, {
      authenticator: { type: 'saml', entityId, signOnUrl, certificate, ...settings },
      claims: [{ remote: 'uid', local: 'userName' }],
      jit: { enabled: true },
    });
  };
  const withKey = (settings: Record<string, unknown> = {}) =>
    set({ ownCertificate: own.cert, ownKey: own.key, ...settings });
  const begin = async () => {
    const { url, end } = await bed.begin();
    const browser = openSignInBrowser(bed.server.url);
    const { location } = await browser.follow(await browser.go(url), 'Sign in with Partner &amp; Co');
    return { browser, address: location!, end };
  };
  const post = (browser: SignInBrowser, xml: string, address: string): Promise<Shown> =>
    browser.go(`${bed.server.url}/login/partner/callback`, {
      SAMLResponse: Buffer.from(xml).toString('base64'),
      RelayState: new URL(address).searchParams.get('RelayState')!,
    });
  const encryptedFor = (certificate: string, options: Record<string, unknown> = {}) => ({
    encryptionCert: certificate,
    encryptionPublicKey: createPublicKey(certificate).export({ type: 'spki', format: 'pem' }).toString(),
    // CBC, which many use still.
    disallowEncryptionWithInsecureAlgorithm: false,
    warnOnInsecureEncryptionAlgorithm: false,
    ...options,
  });
  /** Comes back with an answer, and says on which page that ends. */
  const answer = async (options: Record<string, unknown>, change = (xml: string) => xml) => {
    const { browser, address, end } = await begin();
    const { xml } = await peer.answer(address, { nameId: 'n-1', claims, options });
    assert.equal(xml.includes('EncryptedAssertion'), options.encryptionCert !== undefined);
    return { page: await post(browser, change(xml), address), end };
  };
  const countUsers = async () => (await bed.server.api('GET', '/users?limit=1')).total as number;
  const metadata = async () => (await fetch((await bed.server.api('GET', place)).metadataUrl)).text();
  const plain = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');

  it('requests are signed, and the peer sees that they are ours', async () => {
    await withKey({ signRequests: true });
    const { address } = await begin();
    const { searchParams } = new URL(address);
    assert.equal(searchParams.get('SigAlg'), 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
    await peer.read(address, own.cert);
    await assert.rejects(peer.read(address, theirs.cert), /does not match/);
    searchParams.set('RelayState', 'another');
    await assert.rejects(peer.read(`https://x.example/?${searchParams}`, own.cert), /does not match/);
  });

  it('the metadata names the certificate, and what it is for', async () => {
    const signed = await metadata();
    assert.match(signed, /AuthnRequestsSigned="true"/);
    const uses = (text: string) =>
      [...text.matchAll(/use="(\w+)"[\s\S]*?<ds:X509Certificate>([^<]+)</g)].map(([, use, pem]) => [use, plain(pem!)]);
    assert.deepEqual(uses(signed), [
      ['signing', plain(own.cert)],
      ['encryption', plain(own.cert)],
    ]);
    assert.ok(!signed.includes(own.key.split('\n')[5]!));
    await withKey();
    const unsigned = await metadata();
    assert.match(unsigned, /AuthnRequestsSigned="false"/);
    assert.deepEqual(uses(unsigned), [['encryption', plain(own.cert)]]);
    assert.equal(new URL((await begin()).address).searchParams.get('Signature'), null);
    await set({});
    assert.deepEqual(uses(await metadata()), []);
  });

  for (const algorithm of [
    'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    'http://www.w3.org/2009/xmlenc11#aes128-gcm',
    'http://www.w3.org/2001/04/xmlenc#aes256-cbc',
    'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
  ]) {
    it(`an assertion that is encrypted by ${algorithm.split('#')[1]} is read`, async () => {
      await withKey({ requireEncryption: true });
      const { page, end } = await answer(encryptedFor(own.cert, { encryptionAlgorithm: algorithm }));
      assert.equal((await end(page)).sub, (await bed.server.api('GET', '/users/ada')).id);
    });
  }

  it('whoever declares its names further out is read, too', async () => {
    const names = / xmlns:(?:saml|xenc|e)="[^"]+"/g;
    const { page, end } = await answer(encryptedFor(own.cert), (xml) => {
      const [encrypted] = /<saml:EncryptedAssertion[\s\S]*<\/saml:EncryptedAssertion>/.exec(xml)!;
      const declared = encrypted.match(names)!.slice(0, 3).join('');
      const moved = xml.replace(encrypted, encrypted.replace(names, ''));
      return moved.replace('<samlp:Response ', `<samlp:Response${declared} `);
    });
    assert.ok((await end(page)).sub);
  });

  it('a key that stands beside what it opens is found by its name, and by nothing else', async () => {
    const beside = (uri: string) => (xml: string) => {
      const [key] = /<e:EncryptedKey[\s\S]*<\/e:EncryptedKey>/.exec(xml)!;
      const named = key.replace('<e:EncryptedKey', '<e:EncryptedKey Id="k"');
      const moved = xml.replace(key, `<RetrievalMethod URI="${uri}"/>`);
      return moved.replace('</saml:EncryptedAssertion>', `${named}</saml:EncryptedAssertion>`);
    };
    const { page, end } = await answer(encryptedFor(own.cert), beside('#k'));
    assert.ok((await end(page)).sub);
    for (const uri of ["#k' or '1", '#k&apos; or &apos;1']) {
      const refused = await answer(encryptedFor(own.cert), beside(uri));
      assert.match(refused.page.text, /does not say plainly where its key is/);
    }
    const endless = await answer(encryptedFor(own.cert), (xml) => xml.replaceAll('/saml:EncryptedAssertion', 'x/'));
    assert.match(endless.page.text, /that does not end/);
  });

  it('one that is not encrypted is taken, unless it has to be', async () => {
    await withKey();
    const taken = await answer({});
    assert.ok((await taken.end(taken.page)).sub);
    await withKey({ requireEncryption: true });
    const { page } = await answer({});
    assert.deepEqual([page.status, /not encrypted, as is set here/.test(page.text)], [403, true], page.text);
  });

  it('one for another key, or where no key is set, is refused in so many words', async () => {
    await withKey();
    const { page } = await answer(encryptedFor(theirs.cert));
    assert.deepEqual([page.status, /for another key than the one that is set here/.test(page.text)], [403, true]);
    await set({});
    const none = await answer(encryptedFor(own.cert));
    assert.match(none.page.text, /no key to read it with is set here/);
    await withKey();
    const old = await answer(encryptedFor(own.cert), (xml) => xml.replace('#rsa-oaep-mgf1p', '#rsa-1_5'));
    assert.match(old.page.text, /RSA 1\.5 or Triple DES, which are not safe/);
  });

  const stranger = openSamlPeer(1);
  const spoil = (xml: string) => {
    const at = xml.lastIndexOf('CipherValue>', xml.lastIndexOf('CipherValue>') - 1) + 60;
    return `${xml.slice(0, at)}${xml[at] === 'A' ? 'B' : 'A'}${xml.slice(at + 1)}`;
  };
  const cbc = { encryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#aes128-cbc' };
  for (const [what, options, change] of [
    ['not signed', { signAssertion: false }, undefined],
    ['signed around it alone', { signAssertion: false, signResponse: true }, undefined],
    ['signed by SHA-1', { signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' }, undefined],
    ['over', { lifetimeInSeconds: -600 }, undefined],
    ['changed on its way', {}, spoil],
    ['changed on its way, where nothing shows it but what comes out,', cbc, spoil],
    ['not the only one', {}, (xml: string) => xml.replace(/<saml:EncryptedAssertion[\s\S]*Assertion>/, '$&$&')],
  ] as const) {
    it(`what is ${what} lets nobody in, and the page does not say which of these it is`, async () => {
      await withKey();
      const count = await countUsers();
      const { page } = await answer(encryptedFor(own.cert, options), change);
      assert.equal(page.status, 403);
      assert.match(page.text, /cannot be read, is not signed with the certificate that is set here, or is not meant/);
      assert.equal(await countUsers(), count);
    });
  }

  it('that anybody can encrypt for us proves nothing', async () => {
    const { browser, address } = await begin();
    const { xml } = await stranger.answer(address, { nameId: 'n-1', claims, options: encryptedFor(own.cert) });
    assert.match((await post(browser, xml, address)).text, /is not signed with the certificate/);
  });
});
