import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from 'openid-client';

// A sample application: people sign in to it through Purvey. See README.md beside it.

export type App = AsyncDisposable & { url: string; stop(): Promise<void> };

type Begun = { verifier: string; state: string; nonce: string };

/**
 * Serves the application on this machine; `port` 0 takes any free one. `issuer` is the server's address with `/oauth2`.
 * Whoever signed in is shown what the application knows of them.
 */
export async function startApp(options: {
  issuer: string;
  clientId: string;
  clientSecret: string;
  port?: number;
}): Promise<App> {
  const { issuer, clientId, clientSecret, port = 0 } = options;
  const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  const config = await client.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute });
  const begun = new Map<string, Begun>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      const code = (error as { error?: string }).error ?? error.message;
      sendPage(
        response,
        'Not signed in',
        `<p id="trouble">${escapeHtml(code)}</p><p><a href="/sign-in">Try again</a></p>`,
      );
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', address());
    if (url.pathname === '/sign-in')
      return begin(response, url.searchParams.get('scope') ?? 'openid profile email groups');
    if (url.pathname === '/back') return end(url, response);
    if (url.pathname === '/signed-out') return sendPage(response, 'You are signed out', again);
    sendPage(response, 'Travel desk', again);
  }

  async function begin(response: ServerResponse, scope: string): Promise<void> {
    const one: Begun = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
    };
    begun.set(one.state, one);
    const to = client.buildAuthorizationUrl(config, {
      redirect_uri: `${address()}/back`,
      scope,
      state: one.state,
      nonce: one.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(one.verifier),
      code_challenge_method: 'S256',
    });
    response.writeHead(303, { location: to.href }).end();
  }

  async function end(url: URL, response: ServerResponse): Promise<void> {
    const state = url.searchParams.get('state') ?? '';
    const one = begun.get(state);
    begun.delete(state);
    if (!one) throw new Error('this sign-in was not begun here');
    const checks = { pkceCodeVerifier: one.verifier, expectedState: one.state, expectedNonce: one.nonce };
    const tokens = await client.authorizationCodeGrant(config, url, checks);
    const { sub } = tokens.claims()!;
    // Purvey asks whether to end the sign-in there too, and sends the browser back to us.
    const away = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: `${address()}/signed-out`,
      id_token_hint: tokens.id_token!,
    });
    const known = await client.fetchUserInfo(config, tokens.access_token, sub);
    sendPage(
      response,
      `Welcome, ${String(known.name ?? known.preferred_username ?? sub)}`,
      `<pre id="known">${escapeHtml(JSON.stringify(known, null, 2))}</pre>
<p><a href="${escapeHtml(away.href)}">Sign out</a></p>`,
    );
  }

  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { url: address(), stop, [Symbol.asyncDispose]: stop };
}

const again = '<p><a href="/sign-in">Sign in</a></p>';

function sendPage(response: ServerResponse, title: string, body: string): void {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em"><h1>${escapeHtml(title)}</h1>${body}</body></html>`;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

if (import.meta.main) {
  const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
  if (!ISSUER || !CLIENT_ID || !CLIENT_SECRET) {
    console.error('ISSUER, CLIENT_ID and CLIENT_SECRET must be set; README.md says where they come from');
    process.exit(2);
  }
  const app = await startApp({
    issuer: ISSUER,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    port: Number(PORT ?? 9090),
  });
  console.log(`the sample application is at ${app.url}`);
}
