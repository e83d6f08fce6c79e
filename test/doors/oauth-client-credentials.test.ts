import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as client from 'openid-client';
import { eachDatabase } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';

const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];

// With openid-client, as an application of somebody else's would.
eachDatabase('an application calls with its own credentials', (database) => {
  let server: WholeServer;
  before(async () => {
    server = await startWholeServer(database);
    await server.api('POST', '/service-providers', { name: 'hr-suite' });
    await server.api('POST', '/service-providers', { name: 'reports' });
  });
  after(() => server[Symbol.asyncDispose]());

  const place = (name: string) => `/service-providers/${name}/oauth-client`;
  const make = (name: string, input: object) => server.api('POST', place(name), input);
  const discover = (id: string, auth?: client.ClientAuth, secret?: string) =>
    client.discovery(new URL(`${server.url}/oauth2`), id, secret, auth, {
      execute: [client.allowInsecureRequests],
    });
  const scim = (token: string, method: string, path: string, body?: unknown) =>
    fetch(`${server.url}/scim2${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  /** Refused on every node two seconds later at the latest. */
  const refused = async (token: string) => {
    for (let n = 0; n < 30; n++) {
      if ((await scim(token, 'GET', '/Users')).status === 401) return;
      await sleep(100);
    }
    assert.fail('the token is still good after three seconds');
  };

  it('discovers the server, gets a token, and writes as its service provider', async () => {
    const made = await make('hr-suite', { scopes: ['scim.read', 'scim.write'] });
    assert.match(made.clientSecret, /^pvs_/);
    const config = await discover(made.clientId, undefined, made.clientSecret);
    const metadata = config.serverMetadata();
    assert.equal(metadata.issuer, `${server.url}/oauth2`);
    assert.equal(metadata.token_endpoint, made.tokenEndpoint);
    assert.deepEqual(metadata.grant_types_supported, ['client_credentials', 'authorization_code', 'refresh_token']);
    assert.deepEqual(metadata.response_types_supported, ['code']);
    const elsewhere = await fetch(`${server.url}/.well-known/oauth-authorization-server/oauth2`);
    assert.equal(((await elsewhere.json()) as { issuer: string }).issuer, metadata.issuer);
    const token = await client.clientCredentialsGrant(config, { scope: 'scim.read scim.write' });
    assert.equal(token.token_type, 'bearer');
    assert.equal(token.expires_in, 3_600);
    const created = await scim(token.access_token, 'POST', '/Users', { schemas, userName: 'ada' });
    assert.equal(created.status, 201, await created.text());
    const [change] = (await server.api('GET', '/changes?limit=1')).items;
    assert.equal(change.serviceProvider, 'hr-suite');
    assert.equal(change.actor, 'application hr-suite');
  });

  it('a token is good for what it was asked for and no more', async () => {
    const made = await make('reports', { scopes: ['scim.read'], tokenSeconds: 120 });
    const config = await discover(made.clientId, undefined, made.clientSecret);
    const { access_token: token, expires_in: lasts } = await client.clientCredentialsGrant(config, {
      scope: 'scim.read',
    });
    assert.equal(lasts, 120);
    assert.equal((await scim(token, 'GET', '/Users')).status, 200);
    const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter: 'userName eq "ada"' };
    assert.equal((await scim(token, 'POST', '/Users/.search', search)).status, 200);
    const refusal = await scim(token, 'POST', '/Users', { schemas, userName: 'eve' });
    assert.equal(refusal.status, 403);
    assert.match(await refusal.text(), /scim\.write/);
    assert.equal(
      (await fetch(`${server.url}/api/users`, { headers: { authorization: `Bearer ${token}` } })).status,
      403,
    );
    await assert.rejects(client.clientCredentialsGrant(config, { scope: 'scim.write' }), { error: 'invalid_scope' });
    const none = await client.clientCredentialsGrant(config);
    assert.equal((await scim(none.access_token, 'GET', '/Users')).status, 403);
  });

  it('the admin API goes as far as its scope', async () => {
    await server.api('PATCH', place('reports'), { scopes: ['scim.read', 'admin.read'] });
    const { clientId } = await server.api('GET', place('reports'));
    const { clientSecret } = await server.api('POST', `${place('reports')}/secret`, { overlapHours: 0 });
    const config = await discover(clientId, undefined, clientSecret);
    const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'admin.read' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    assert.equal((await fetch(`${server.url}/api/status`, { headers })).status, 200);
    const write = await fetch(`${server.url}/api/service-providers`, { method: 'POST', headers, body: '{"name":"x"}' });
    assert.equal(write.status, 403);
    assert.equal((await scim(token, 'GET', '/Users')).status, 403, 'it was not asked for scim');
  });

  it('asks about its tokens and revokes them; nobody else learns or ends anything', async () => {
    const [mine, other] = await Promise.all(
      ['hr-suite', 'reports'].map(async (name) => {
        const { clientId } = await server.api('GET', place(name));
        const { clientSecret } = await server.api('POST', `${place(name)}/secret`);
        return discover(clientId, undefined, clientSecret);
      }),
    );
    const { access_token: token } = await client.clientCredentialsGrant(mine!, { scope: 'scim.read' });
    const told = await client.tokenIntrospection(mine!, token);
    assert.equal(told.active, true);
    assert.equal(told.scope, 'scim.read');
    assert.equal((await client.tokenIntrospection(other!, token)).active, false);
    await client.tokenRevocation(other!, token).catch(() => {});
    await sleep(2_100);
    assert.equal((await scim(token, 'GET', '/Users')).status, 200, 'another client ended it');
    await client.tokenRevocation(mine!, token);
    assert.equal((await client.tokenIntrospection(mine!, token)).active, false);
    await refused(token);
    const answer = await scim(token, 'GET', '/Users');
    assert.match(answer.headers.get('www-authenticate')!, /error="invalid_token"/);
  });

  it('a new secret is good at once, the one before until its time is over', async () => {
    const { clientId } = await server.api('GET', place('hr-suite'));
    const one = (await server.api('POST', `${place('hr-suite')}/secret`)).clientSecret;
    const two = (await server.api('POST', `${place('hr-suite')}/secret`)).clientSecret;
    for (const secret of [one, two]) {
      await client.clientCredentialsGrant(await discover(clientId, undefined, secret), { scope: 'scim.read' });
    }
    const three = await server.api('POST', `${place('hr-suite')}/secret`, { overlapHours: 0 });
    assert.equal(three.secrets.length, 1);
    for (const secret of [one, two, `${three.clientSecret}x`, 'none']) {
      const config = await discover(clientId, client.ClientSecretBasic(secret), secret);
      await assert.rejects(client.clientCredentialsGrant(config), { status: 401 });
    }
    const shown = JSON.stringify(await server.api('GET', place('hr-suite')));
    for (const secret of [one, two, three.clientSecret]) assert.ok(!shown.includes(secret));
  });

  it('signs with a key of its own instead of a secret (RFC 7523), once with each assertion', async () => {
    const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'one', use: 'sig', alg: 'ES256' };
    await server.api('POST', '/service-providers', { name: 'signer' });
    const secretKey = await crypto.subtle.exportKey('jwk', privateKey);
    await assert.rejects(
      make('signer', { scopes: ['scim.read'], authMethod: 'private_key_jwt', jwks: { keys: [secretKey] } }),
      /holds a private key/,
    );
    const made = await make('signer', { scopes: ['scim.read'], authMethod: 'private_key_jwt', jwks: { keys: [jwk] } });
    assert.equal(made.clientSecret, null);
    let assertion = '';
    const signing = client.PrivateKeyJwt({ key: privateKey, kid: 'one' });
    const watching = async (...given: Parameters<client.ClientAuth>) => {
      await signing(...given);
      assertion = given[2].get('client_assertion')!;
    };
    const config = await discover(made.clientId, watching);
    const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'scim.read' });
    assert.equal((await scim(token, 'GET', '/Users')).status, 200);
    const again = await fetch(made.tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: made.clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    });
    assert.equal(again.status, 401, await again.text());
    const { privateKey: stranger } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const wrong = await discover(made.clientId, client.PrivateKeyJwt({ key: stranger, kid: 'one' }));
    await assert.rejects(client.clientCredentialsGrant(wrong), { error: 'invalid_client' });
  });

  it('a client that is removed takes its tokens with it, as does its service provider', async () => {
    for (const remove of [place('hr-suite'), '/service-providers/reports']) {
      const name = remove.includes('hr-suite') ? 'hr-suite' : 'reports';
      const { clientId } = await server.api('GET', place(name));
      const { clientSecret } = await server.api('POST', `${place(name)}/secret`);
      const config = await discover(clientId, undefined, clientSecret);
      const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'scim.read' });
      assert.equal((await scim(token, 'GET', '/Users')).status, 200);
      await server.api('DELETE', remove);
      await refused(token);
      await assert.rejects(client.clientCredentialsGrant(config), { error: 'invalid_client' });
    }
  });

  it('what cannot be is refused with the field at fault', async () => {
    const refuses = async (name: string, input: object, why: RegExp) =>
      assert.rejects(make(name, input), (error: Error) => why.test(error.message));
    await server.api('POST', '/service-providers', { name: 'strange' });
    await refuses('resident', { scopes: ['scim.read'] }, /the resident service provider speaks for console/);
    await refuses('strange', {}, /"field":"scopes"/);
    await refuses('strange', { scopes: ['root'] }, /"field":"scopes"/);
    await refuses('strange', { scopes: ['scim.read'], authMethod: 'none' }, /"field":"authMethod"/);
    await refuses('strange', { scopes: ['scim.read'], authMethod: 'private_key_jwt' }, /"field":"jwks"/);
    await refuses('strange', { scopes: ['scim.read'], tokenSeconds: 5 }, /"field":"tokenSeconds"/);
    for (const body of ['', 'grant_type=password&username=a&password=b', 'grant_type=client_credentials', '{"a":1}']) {
      const answer = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        headers: { 'content-type': body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded' },
        body,
      });
      assert.ok(answer.status >= 400 && answer.status < 500, `${body}: ${answer.status}`);
      assert.match(((await answer.json()) as { error: string }).error, /^(invalid_request|invalid_client)$/);
    }
    assert.equal((await fetch(`${server.url}/oauth2/auth`)).status, 404);
    assert.equal((await fetch(`${server.url}/oauth2/authorize`)).status, 400);
    const big = new URLSearchParams({ grant_type: 'client_credentials', scope: 'x'.repeat(200_000) });
    assert.ok((await fetch(`${server.url}/oauth2/token`, { method: 'POST', body: big })).status >= 400);
  });
});
