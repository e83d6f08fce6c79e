import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { fastify } from 'fastify';
import { openLog } from '../../src/base/log.ts';
import type { SealingKey } from '../../src/base/secret.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import { createUser } from '../../src/directory/users.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { openCurrentProvider } from '../../src/inbound/oauth/current-provider.ts';
import { oauthDoor, oauthPath } from '../../src/inbound/oauth/door.ts';
import { signInPages } from '../../src/inbound/oauth/sign-in.ts';
import { createClient } from '../../src/inbound/oauth-clients.ts';
import { idTokenSeconds, listKeys, makeKey, publishedBeforeMs, rotateKeys } from '../../src/inbound/oauth-keys.ts';
import { createServiceProvider } from '../../src/provisioning/service-providers.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestClock, type TestClock } from '../clock.ts';
import { type Bed, eachDatabase } from '../database.ts';
import { openSignInBrowser as openBrowser } from './sign-in-browser.ts';

const back = 'http://127.0.0.1:9/back';
const password = 'eine gute Losung';
const verifier = randomBytes(32).toString('base64url');
const minute = 60_000;

/** One of several servers on a database. */
async function openServer(store: Store, clock: TestClock, key: SealingKey) {
  const app = fastify({ forceCloseConnections: true });
  const log = openLog('silent');
  let url = '';
  const provider = openCurrentProvider({ store, clock, log, key, issuerOf: () => `${url}${oauthPath}` });
  await app.register(oauthDoor({ provider }));
  const credentials = openCredentials({ store, clock });
  await app.register(signInPages({ provider, store, credentials, log }), { prefix: oauthPath });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    async published(): Promise<string[]> {
      const { keys } = (await (await fetch(`${url}${oauthPath}/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** Signs in, and answers which key the ID token is signed with. */
async function signedWith(url: string, clientId: string): Promise<string> {
  const browser = openBrowser(url);
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: back,
    response_type: 'code',
    scope: 'openid',
    code_challenge: Buffer.from(hash).toString('base64url'),
    code_challenge_method: 'S256',
  });
  const page = await browser.go(`${url}${oauthPath}/authorize?${query}`);
  const { location, text } = await browser.send(page, '/login', { name: 'ada', password });
  assert.ok(location?.startsWith(back), text);
  const code = new URL(location!).searchParams.get('code')!;
  const form = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: back, code };
  const answer = await fetch(`${url}${oauthPath}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...form, code_verifier: verifier }),
  });
  const { id_token } = (await answer.json()) as { id_token: string };
  return JSON.parse(Buffer.from(id_token.split('.')[0]!, 'base64url').toString()).kid;
}

async function open(database: Bed) {
  const clock = openTestClock();
  const store = await database.open({ clock, time: 'clock' });
  const key = randomBytes(32) as SealingKey;
  const passwordHash = await hashPassword(password);
  const clientId = await store.write(async (tx) => {
    const { id } = await createServiceProvider(tx, { name: 'shop' });
    const origin = { spId: id, door: 'api', actor: 'test' } as const;
    await createUser(tx, { schemas: [], userName: 'ada' }, { origin, passwordHash });
    const settings = {
      grants: ['authorization_code' as const],
      redirectUris: [back],
      postLogoutRedirectUris: [],
      consent: 'none' as const,
      scopes: ['openid' as const],
      authMethod: 'none' as const,
      jwks: null,
      tokenSeconds: 600,
    };
    return (await createClient(tx, id, settings)).client.clientId;
  });
  const rotate = async () => {
    const fresh = await makeKey();
    return store.write((tx) => rotateKeys(tx, key, fresh));
  };
  return { clock, store, key, clientId, rotate };
}

eachDatabase('the keys that tokens are signed with', (database) => {
  it('are shown by every server before they sign, and until what they signed has ended', async () => {
    const { clock, store, key, clientId, rotate } = await open(database);
    await using one = await openServer(store, clock, key);
    await using two = await openServer(store, clock, key);
    const [first] = await one.published();
    assert.deepEqual(await two.published(), [first]);
    assert.equal(await signedWith(one.url, clientId), first);

    const [coming] = await rotate();
    assert.equal(coming?.state, 'coming');
    await clock.advance(11_000);
    for (const server of [one, two]) {
      assert.deepEqual((await server.published()).toSorted(), [first, coming!.kid].toSorted());
      assert.equal(await signedWith(server.url, clientId), first, 'the new one signs nothing yet');
    }
    await clock.advance(publishedBeforeMs);
    for (const server of [one, two]) {
      assert.equal(await signedWith(server.url, clientId), coming!.kid);
      assert.deepEqual((await server.published()).toSorted(), [first, coming!.kid].toSorted());
    }
    await clock.advance(idTokenSeconds * 1_000 - 2 * minute);
    assert.equal((await one.published()).length, 2, 'a token of the first is good still');
    await clock.advance(4 * minute);
    for (const server of [one, two]) assert.deepEqual(await server.published(), [coming!.kid]);
  });

  it('are not replaced while one is coming; the server that starts then takes them as they are', async () => {
    const { clock, store, key, clientId, rotate } = await open(database);
    await using one = await openServer(store, clock, key);
    const [first] = await one.published();
    const [second] = await rotate();
    await assert.rejects(rotate, {
      code: 'conflict',
      message: /is new and signs from .*: it can be replaced after that/,
    });
    await clock.advance(2 * publishedBeforeMs);
    await using late = await openServer(store, clock, key);
    assert.equal(await signedWith(late.url, clientId), second!.kid);
    const [third] = await rotate();
    assert.deepEqual(
      (await store.read(listKeys)).map(({ kid, state }) => [kid, state]),
      [
        [third!.kid, 'coming'],
        [second!.kid, 'signs'],
        [first, 'leaving'],
      ],
    );
    await clock.advance(3 * idTokenSeconds * 1_000);
    await rotate();
    const rows = await store.read((r) => r.all(r.q.selectFrom('oauth_keys').select('kid')));
    assert.equal(rows.length, 2, 'what is over is gone for good');
  });
});
