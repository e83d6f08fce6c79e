import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed } from './admin-bed.ts';
import { peers } from './saml-certificates.ts';

const place = '/identity-providers/partner/federation';
const pem = { type: 'pkcs8', format: 'pem' } as const;
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem).toString();
const locked = createPrivateKey(peers[1].key)
  .export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'of it' })
  .toString();
const oidc = { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey' };

eachDatabase('how people sign in through an identity provider is set', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
  });

  it('and is nothing before', async () => {
    const { body } = await api.call('GET', place);
    assert.deepEqual(body, {
      identityProvider: { id: body.identityProvider.id, name: 'partner' },
      redirectUri: 'http://127.0.0.1/login/partner/callback',
      metadataUrl: 'http://127.0.0.1/login/saml/partner/metadata',
      authenticator: null,
      domains: [],
      linkBy: 'none',
      claims: [],
      roleClaim: null,
      roles: [],
      jit: { enabled: false, domain: 'PRIMARY', updateAttributes: 'always', groups: 'off', prompt: 'silent' },
      modifiedAt: null,
    });
    assert.equal((await api.call('GET', '/identity-providers/none/federation')).status, 404);
  });

  it('with a secret that nobody is shown, and that goes to no other server', async () => {
    const made = await api.call('PUT', place, { authenticator: { ...oidc, clientSecret: 'of-the-partner' } });
    assert.equal(made.change, 'created');
    const { clientSecret } = made.body.authenticator;
    assert.equal(clientSecret.set, true);
    assert.deepEqual(made.body.authenticator.scopes, ['openid', 'profile', 'email']);
    assert.equal((await api.call('PUT', place, { authenticator: { ...oidc, clientSecret } })).change, 'unchanged');
    const changed = await api.call('PATCH', place, { authenticator: { clientId: 'other' } });
    assert.deepEqual([changed.change, changed.body.authenticator.clientSecret], ['updated', clientSecret]);
    const moved = await api.call('PATCH', place, { authenticator: { issuer: 'https://evil.example' } });
    assert.deepEqual([moved.status, moved.body.field], [400, 'authenticator.clientSecret']);
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('federations').selectAll()));
    assert.ok(![...api.heard, ...api.logged, JSON.stringify(rows)].join().includes('of-the-partner'));
    const gone = await api.call('PATCH', place, { authenticator: { clientSecret: null } });
    assert.equal(gone.body.authenticator.clientSecret, null);
  });

  it('by SAML in the place of OpenID Connect, with nothing left of that', async () => {
    await api.call('PATCH', place, { authenticator: { clientSecret: 'of-the-partner' } });
    const authenticator = {
      type: 'saml',
      entityId: 'urn:x',
      signOnUrl: 'https://x.example/sso',
      certificate: peers[0].cert,
    };
    const { body } = await api.call('PATCH', place, { authenticator });
    const withoutKey = { signRequests: false, requireEncryption: false, ownCertificate: null, ownKey: null };
    assert.deepEqual(body.authenticator, { ...authenticator, enabled: true, ...withoutKey });
    const [row] = await api.store.read((reading) => reading.all(reading.q.selectFrom('federations').selectAll()));
    assert.equal(row!.secret, null);
    assert.equal(
      (await api.call('PATCH', place, { authenticator: { enabled: false } })).body.authenticator.entityId,
      'urn:x',
    );
    assert.equal((await api.call('PUT', place, { authenticator: oidc })).status, 200);
  });

  it('by SAML with a key of ours that nobody is shown', async () => {
    const [{ cert: certificate }, own] = peers;
    const authenticator = { type: 'saml', entityId: 'urn:x', signOnUrl: 'https://x.example/sso', certificate };
    const withKey = { ...authenticator, signRequests: true, ownCertificate: own.cert, ownKey: own.key };
    const made = await api.call('PUT', place, { authenticator: withKey });
    assert.equal(made.status, 200, made.text);
    const { ownKey, ownCertificate, signRequests } = made.body.authenticator;
    assert.deepEqual([ownKey.set, ownCertificate, signRequests], [true, own.cert, true]);
    const again = { ...withKey, ownKey };
    assert.equal((await api.call('PUT', place, { authenticator: again })).change, 'unchanged');
    const changed = await api.call('PATCH', place, { authenticator: { requireEncryption: true } });
    assert.deepEqual([changed.change, changed.body.authenticator.ownKey], ['updated', ownKey]);
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('federations').selectAll()));
    const line = own.key.split('\n')[5]!;
    assert.ok(![...api.heard, ...api.logged, JSON.stringify(rows)].join().includes(line));
    for (const [change, field] of [
      [{ ownCertificate: certificate }, 'ownKey'],
      [{ ownKey: peers[0].key }, 'ownKey'],
      [{ ownKey: null }, 'ownKey'],
      [{ ownCertificate: null }, 'signRequests'],
      [{ ownCertificate: null, ownKey: own.key }, 'ownCertificate'],
      [{ ownCertificate: `${own.cert}${certificate}` }, 'ownCertificate'],
      [{ ownCertificate: own.key }, 'ownCertificate'],
      [{ ownKey: own.cert }, 'ownKey'],
      [{ ownKey: locked }, 'ownKey'],
      [{ ownKey: elliptic }, 'ownKey'],
      [{ ownKey: 7 }, 'ownKey'],
      [{ signRequests: 'yes' }, 'signRequests'],
    ] as const) {
      const refused = await api.call('PATCH', place, { authenticator: change });
      assert.deepEqual([refused.status, refused.body.field], [400, `authenticator.${field}`], refused.text);
      assert.ok(!refused.text.includes(line));
    }
    const none = { signRequests: false, requireEncryption: false, ownCertificate: null };
    assert.equal((await api.call('PATCH', place, { authenticator: none })).body.authenticator.ownKey, null);
    assert.equal((await api.call('PUT', place, { authenticator: oidc })).status, 200);
  });

  it('tried without being done', async () => {
    const tried = await api.call('PATCH', `${place}?dryRun=true`, { linkBy: 'verifiedEmail' });
    assert.deepEqual([tried.change, tried.body.linkBy], ['updated', 'verifiedEmail']);
    assert.equal((await api.call('GET', place)).body.linkBy, 'none');
  });

  for (const [field, body] of [
    ['authenticator.type', { authenticator: { ...oidc, type: 'magic' } }],
    ['authenticator.issuer', { authenticator: { ...oidc, issuer: 'http://login.partner.example' } }],
    ['authenticator.issuer', { authenticator: { ...oidc, issuer: 'https://a:b@login.partner.example' } }],
    ['authenticator.clientId', { authenticator: { ...oidc, clientId: '' } }],
    [
      'authenticator.certificate',
      { authenticator: { type: 'saml', entityId: 'urn:x', signOnUrl: 'https://x.example/sso', certificate: 'none' } },
    ],
    [
      'authenticator.signOnUrl',
      { authenticator: { type: 'saml', entityId: 'urn:x', signOnUrl: 'http://x.example', certificate: peers[0].cert } },
    ],
    ['domains[0]', { domains: ['not a domain'] }],
    ['jit.prompt', { jit: { prompt: 'loudly' } }],
    ['linkBy', { linkBy: 'userName' }],
    ['claims[0].local', { claims: [{ remote: 'x', local: 'nothing' }] }],
    ['claims[0].local', { claims: [{ remote: 'x', local: 'password' }] }],
    ['claims[0].local', { claims: [{ remote: 'x', local: 'id' }] }],
    ['claims[0].local', { claims: [{ remote: 'x', local: 'name' }] }],
    [
      'claims[1].local',
      {
        claims: [
          { remote: 'x', local: 'title' },
          { remote: 'y', local: 'Title' },
        ],
      },
    ],
    ['roles[0].local', { roles: [{ remote: 'x', local: '' }] }],
    ['jit.domain', { jit: { domain: 'NOWHERE' } }],
    ['jit.groups', { jit: { groups: 'all' } }],
    ['jit.enabled', { jit: { enabled: 'yes' } }],
    ['other', { other: true }],
  ] as const) {
    it(`${JSON.stringify(body)} is refused for ${field}`, async () => {
      const answer = await api.call('PUT', place, body);
      assert.deepEqual([answer.status, answer.body.field], [400, field], answer.text);
    });
  }

  it('and is forgotten with the identity provider', async () => {
    assert.equal((await api.call('DELETE', '/identity-providers/partner')).status, 204);
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('federations').selectAll()));
    assert.deepEqual(rows, []);
  });
});
