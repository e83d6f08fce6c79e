import type { OAuthClientMade } from '../src/contract/oauth-client.ts';
import { makeUser, rate, sendCalls } from './load.ts';
import { startPurveyProcess } from './processes.ts';

const connections = 16;
const mark = 0.1;
const rounds = 5;
const open = '/scim2/ServiceProviderConfig';

/**
 * Access tokens per second by client credentials, each kept in the database before it is answered; and what looking at
 * a bearer token costs a SCIM request: the difference of one that needs no credentials with and without a token, over
 * the time of `GET /Users/{id}`. Mark: under 10 %.
 */
export async function benchOAuth({ quick }: { quick: boolean }): Promise<string> {
  const calls = quick ? 500 : 5_000;
  const purvey = await startPurveyProcess();
  try {
    await purvey.api('POST', '/service-providers', { name: 'bench' });
    const place = '/service-providers/bench/oauth-client';
    const made = await purvey.api<OAuthClientMade>('POST', place, { scopes: ['scim.read', 'scim.write'] });
    const basic = Buffer.from(`${made.clientId}:${made.clientSecret}`).toString('base64');
    const { pathname } = new URL(made.tokenEndpoint);
    let token = '';
    const tokens = await sendCalls({
      url: purvey.url,
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      connections,
      calls: quick ? 200 : 3_000,
      call: () => ({
        method: 'POST',
        path: pathname,
        body: 'grant_type=client_credentials&scope=scim.read%20scim.write',
        expect: 200,
      }),
      onAnswer: (_, text) => {
        token = (JSON.parse(text) as { access_token: string }).access_token;
      },
    });
    console.log(`access tokens: ${rate(tokens.perSecond)}`);

    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
    const shared = { url: purvey.url, connections, calls };
    let id = '';
    await sendCalls({
      ...shared,
      headers,
      calls: 1,
      call: () => ({ method: 'POST', path: '/scim2/Users', body: makeUser(1).body, expect: 201 }),
      onAnswer: (_, text) => {
        id = (JSON.parse(text) as { id: string }).id;
      },
    });
    const secondsOf = async (path: string, given: Record<string, string>) => {
      const { perSecond } = await sendCalls({
        ...shared,
        headers: given,
        call: () => ({ method: 'GET', path, expect: 200 }),
      });
      return 1 / perSecond;
    };
    const shares: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const without = await secondsOf(open, {});
      const withToken = await secondsOf(open, headers);
      const request = await secondsOf(`/scim2/Users/${id}`, headers);
      shares.push((withToken - without) / request);
    }
    console.log(`share of the check: ${shares.map((share) => `${(share * 100).toFixed(1)} %`).join(', ')}`);
    const share = Math.max(0, shares.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!);
    const verdict = share < mark ? 'met' : 'missed';
    return `oauth check ${(share * 100).toFixed(1)} % of a request, mark 10 %: ${verdict}; ${rate(tokens.perSecond)} tokens`;
  } finally {
    await purvey.stop();
  }
}
