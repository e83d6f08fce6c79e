import { type Measured, makeUser, rate, sendCalls } from './load.ts';
import { startProcess, startPurveyProcess } from './processes.ts';

const connections = 16;
const path = '/scim2/Users';

type Rates = { post: number; get: number; filter: number };

/**
 * Requests per second of the SCIM door with a token at 16 connections: `POST /Users` (durable when answered),
 * `GET /Users/{id}` and `filter=userName eq`, over scimmy-routers with users in memory in the same run, both with 1,000
 * users at first; then again with 100,000 users.
 */
export async function benchInbound({ quick }: { quick: boolean }): Promise<string> {
  const size = { first: 1_000, calls: quick ? 500 : 5_000, last: quick ? 5_000 : 100_000 };

  const scimmy = await startProcess('./scimmy-server.ts');
  let yardstick: Rates;
  try {
    const server = openServer(scimmy.url, 'bench');
    await server.grow(size.first);
    yardstick = await server.measure(size.calls);
  } finally {
    await scimmy.stop();
  }
  print('scimmy-routers, in memory', yardstick);

  const purvey = await startPurveyProcess();
  try {
    const server = openServer(purvey.url, purvey.token);
    await server.grow(size.first);
    const ours = await server.measure(size.calls);
    print(`Purvey, ${size.first} users at first`, ours);
    console.log(`growing the directory to ${size.last} users …`);
    const growth = await server.grow(size.last);
    console.log(`  ${growth.calls} users in ${growth.seconds.toFixed(1)} s, ${rate(growth.perSecond)}`);
    const grown = await server.measure(size.calls);
    print(`Purvey, ${size.last} users at first`, grown);
    const total = await server.count();
    if (total !== server.created())
      throw new Error(`${server.created()} answers said 201, but ${total} users are there`);
    console.log(`${total} users are there, one for each 201`);

    const over = (a: Rates, b: Rates) => ({ post: a.post / b.post, get: a.get / b.get, filter: a.filter / b.filter });
    const ratio = over(ours, yardstick);
    const kept = over(grown, ours);
    const two = (value: number) => value.toFixed(2);
    console.log(
      `growth ${size.first} -> ${size.last} users: POST ${two(kept.post)}, GET ${two(kept.get)}, filter ${two(kept.filter)} of the first speed`,
    );
    return `inbound ratio ${two(ratio.post)} (POST ${two(ratio.post)}x, GET ${two(ratio.get)}x, filter ${two(ratio.filter)}x; POST ${rate(ours.post)} durable against ${rate(yardstick.post)} in memory)`;
  } finally {
    await purvey.stop();
  }
}

function openServer(url: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
  const ids: string[] = [];
  const names: string[] = [];
  const post = (calls: number, maxSeconds: number): Promise<Measured> => {
    const first = ids.length;
    return sendCalls({
      url,
      headers,
      connections,
      calls,
      maxSeconds,
      call: (n) => ({ method: 'POST', path, body: makeUser(first + n).body, expect: 201 }),
      onAnswer: (n, text) => {
        ids.push((JSON.parse(text) as { id: string }).id);
        names.push(makeUser(first + n).userName);
      },
    });
  };
  const read = async (calls: number, call: (n: number) => string, check: (n: number, text: string) => boolean) => {
    const measured = await sendCalls({
      url,
      headers,
      connections,
      calls,
      maxSeconds: 20,
      call: (n) => ({ method: 'GET', path: call(n), expect: 200 }),
      onAnswer: (n, text) => {
        if (!check(n, text)) throw new Error(`a wrong answer to ${call(n)}: ${text.slice(0, 300)}`);
      },
    });
    return measured.perSecond;
  };
  // A stride that no cache of neighbours helps with.
  const at = (n: number) => (n * 7_919) % ids.length;
  return {
    created: () => ids.length,
    grow: (size: number) => post(size - ids.length, 240),
    async measure(calls: number): Promise<Rates> {
      const written = await post(calls, 20);
      const get = await read(
        calls,
        (n) => `${path}/${ids[at(n)]}`,
        (n, text) => text.includes(ids[at(n)]!),
      );
      const filter = await read(
        calls,
        (n) => `${path}?filter=${encodeURIComponent(`userName eq "${names[at(n)]}"`)}`,
        (n, text) => text.includes(`"${names[at(n)]}"`) && text.includes(ids[at(n)]!),
      );
      return { post: written.perSecond, get, filter };
    },
    async count(): Promise<number> {
      const answer = await fetch(`${url}${path}?count=0`, { headers });
      return ((await answer.json()) as { totalResults: number }).totalResults;
    },
  };
}

function print(who: string, { post, get, filter }: Rates): void {
  console.log(`${who}: POST ${rate(post)}, GET ${rate(get)}, filter ${rate(filter)}`);
}
