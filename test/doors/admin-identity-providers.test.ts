import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { IdentityProviderAnswer, IdentityProviderList } from '../../src/contract/identity-provider.ts';
import { ProblemAnswer } from '../../src/contract/problem.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed, settings } from './admin-bed.ts';

/** Self-signed, for CN=partner.example; its key was thrown away. */
const goodCertificate = `-----BEGIN CERTIFICATE-----
MIIBiDCCAS+gAwIBAgIUbVX/eVnCtQ3OxN6cA1/Lk0b/9L8wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPcGFydG5lci5leGFtcGxlMB4XDTI2MTEyMzE5MjIzNFoXDTM2
MTEyMDE5MjIzNFowGjEYMBYGA1UEAwwPcGFydG5lci5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE1oavTn8vlLBNrUQ48LwykNdrxL43NUq21ojMGc8r
JwuNasNyhuu3RkfffNjq1n+pZ+XFjX6n+r8VdpR6Vf0G9qNTMFEwHQYDVR0OBBYE
FB6XFCasVCZMqdA3c7vziM1SuqJMMB8GA1UdIwQYMBaAFB6XFCasVCZMqdA3c7vz
iM1SuqJMMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgPDO5gb2S
qZCpxxuv8cU9yk96SZVZQwlPhvgkZre8kaYCIA8qlufc0GYr6SmV0ESsEq266JRq
CGnBjUGqI/VYaeiT
-----END CERTIFICATE-----`;

const someCertificate = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUFZm2Lq0n8m6+wQ==
-----END CERTIFICATE-----`;

eachDatabase('identity providers', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
  });

  it('are made, shown, listed, replaced, patched and removed', async () => {
    const made = await api.call('POST', '/identity-providers', { name: 'Partner', description: 'the other one' });
    assert.equal(made.status, 201);
    assert.equal(made.change, 'created');
    assert.ok(fits(IdentityProviderAnswer, made.body));
    assert.equal(made.body.enabled, true);
    assert.equal(made.body.alias, null);
    assert.equal(made.headers.get('location'), `/api/identity-providers/${made.body.id}`);
    assert.equal(made.headers.get('cache-control'), 'no-store');

    const shown = await api.call('GET', '/identity-providers/partner');
    assert.deepEqual(shown.body, made.body);
    assert.deepEqual((await api.call('GET', `/identity-providers/${made.body.id}`)).body, made.body);
    const list = await api.call('GET', '/identity-providers');
    assert.ok(fits(IdentityProviderList, list.body));
    assert.deepEqual(list.body.items, [made.body]);

    const same = await api.call('PUT', '/identity-providers/partner', {
      name: 'Partner',
      description: 'the other one',
    });
    assert.equal(same.change, 'unchanged');
    assert.equal(same.body.modifiedAt, made.body.modifiedAt);
    const put = await api.call('PUT', '/identity-providers/partner', { name: 'Partner', alias: 'urn:p' });
    assert.equal(put.change, 'updated');
    assert.equal(put.body.description, null);
    assert.equal(put.body.alias, 'urn:p');
    const patched = await api.call('PATCH', '/identity-providers/partner', { enabled: false });
    assert.equal(patched.body.enabled, false);
    assert.equal(patched.body.alias, 'urn:p');
    const renamed = await api.call('PATCH', `/identity-providers/${made.body.id}`, { name: 'PARTNER' });
    assert.equal(renamed.body.name, 'PARTNER');

    assert.equal((await api.call('DELETE', '/identity-providers/partner')).status, 204);
    assert.equal((await api.call('GET', '/identity-providers/partner')).status, 404);
    assert.equal((await api.call('DELETE', '/identity-providers/partner')).status, 404);
  });

  it('have names that are unique without case, with the conflict at the field', async () => {
    await api.call('POST', '/identity-providers', { name: 'Straße' });
    const other = await api.call('POST', '/identity-providers', { name: 'other' });
    const taken = await api.call('POST', '/identity-providers', { name: 'sTRAßE' });
    assert.equal(taken.status, 409);
    assert.ok(fits(ProblemAnswer, taken.body));
    assert.match(taken.headers.get('content-type')!, /^application\/problem\+json/);
    assert.equal(taken.body.code, 'uniqueness');
    assert.equal(taken.body.field, 'name');
    const renamed = await api.call('PATCH', `/identity-providers/${other.body.id}`, { name: 'STRAßE' });
    assert.equal(renamed.status, 409);
    assert.equal(renamed.body.field, 'name');
    assert.equal((await api.call('GET', '/identity-providers/other')).status, 200);
  });

  const bad: [what: string, body: Record<string, unknown>, field: string][] = [
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a number as name', { name: 7 }, 'name'],
    ['a name that reads as an id', { name: '17' }, 'name'],
    ['a name that leads elsewhere in an address', { name: '..' }, 'name'],
    ['a name with a colon', { name: 'a:b' }, 'name'],
    ['a name with a slash', { name: 'a/b' }, 'name'],
    ['a name with a line break', { name: 'a\nb' }, 'name'],
    ['a name with a space at its end', { name: 'a ' }, 'name'],
    ['a long name', { name: 'x'.repeat(121) }, 'name'],
    ['an unknown field', { name: 'x', colour: 'red' }, 'colour'],
    ['a description that is no text', { name: 'x', description: 5 }, 'description'],
    ['enabled that is no boolean', { name: 'x', enabled: 'yes' }, 'enabled'],
    ['a JWKS URL that is none', { name: 'x', jwksUrl: 'partner/jwks' }, 'jwksUrl'],
    ['a JWKS URL with a password', { name: 'x', jwksUrl: 'https://u:p@partner.example/jwks' }, 'jwksUrl'],
    ['a certificate that is no PEM', { name: 'x', certificate: 'MIIB' }, 'certificate'],
    ['a certificate that is none', { name: 'x', certificate: someCertificate }, 'certificate'],
    [
      'a private key',
      { name: 'x', certificate: '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----' },
      'certificate',
    ],
  ];
  for (const [what, body, field] of bad) {
    it(`refuse ${what}, naming ${field}`, async () => {
      const refused = await api.call('POST', '/identity-providers', body);
      assert.equal(refused.status, 400, refused.text);
      assert.ok(fits(ProblemAnswer, refused.body));
      assert.equal(refused.body.code, 'invalidValue');
      assert.equal(refused.body.field, field);
      assert.equal((await api.call('GET', '/identity-providers/x')).status, 404);
    });
  }

  it('take a real certificate, and not a JWKS URL beside it', async () => {
    const certificate = goodCertificate;
    const made = await api.call('POST', '/identity-providers', { name: 'signed', certificate });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.certificate.trim(), certificate.trim());
    const again = await api.call('PUT', '/identity-providers/signed', { name: 'signed', certificate });
    assert.equal(again.change, 'unchanged');
    const both = await api.call('PATCH', '/identity-providers/signed', { jwksUrl: 'https://partner.example/jwks' });
    assert.equal(both.status, 400);
    assert.equal(both.body.field, 'jwksUrl');
    const swapped = await api.call('PATCH', '/identity-providers/signed', {
      certificate: null,
      jwksUrl: 'https://partner.example/jwks',
    });
    assert.equal(swapped.status, 200, swapped.text);
    const cut = await api.call('PUT', '/identity-providers/signed', {
      name: 'signed',
      certificate: `${certificate}\n-----BEGIN CERTIFICATE-----\nMIIB`,
    });
    assert.equal(cut.body.field, 'certificate');
  });

  it('are not removed while they hold connectors', async () => {
    await api.call('POST', '/identity-providers', { name: 'holder' });
    await api.call('POST', '/identity-providers/holder/targets', { type: 'SCIM2', settings: settings() });
    const refused = await api.call('DELETE', '/identity-providers/holder');
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /SCIM2/);
    assert.equal((await api.call('DELETE', '/targets/holder:SCIM2')).status, 204);
    assert.equal((await api.call('DELETE', '/identity-providers/holder')).status, 204);
  });
});
