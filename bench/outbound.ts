import { setTimeout as wait } from 'node:timers/promises';
import { makeUser, rate, sendCalls } from './load.ts';
import { type PurveyProcess, type Running, startProcess, startPurveyProcess } from './processes.ts';

const concurrency = 64;
const path = '/scim2/Users';

type Tally = { created: number; names: number; externalIds: number; searches: number; others: number; firstAt: number };
type Status = { unplannedChanges: number; targets: { accounts: number; pending: number; parked: number }[] };

/**
 * The initial load of a target: creations per second of the whole engine (claim, request, durable record of attempt,
 * exchange and account), over those of a bare loop with the same HTTP client, the same bodies and the same concurrency
 * to the same process. Users come in by SCIM and are planned first, while the target answers 429; the clock runs from
 * the first creation that it accepts until every account is written down as done.
 */
export async function benchOutbound({ quick }: { quick: boolean }): Promise<string> {
  const users = quick ? 2_000 : 20_000;
  const target = await startProcess('./null-target.ts');
  let purvey: PurveyProcess | undefined;
  try {
    purvey = await startPurveyProcess();
    await bindTarget(purvey, target);
    console.log(`loading ${users} users into the directory, and planning them …`);
    const loading = performance.now();
    const { url, token } = purvey;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
    const load = await sendCalls({
      url,
      headers,
      connections: 16,
      calls: users,
      maxSeconds: 180,
      call: (n) => ({ method: 'POST', path, body: makeUser(n).body, expect: 201 }),
    });
    await untilStatus(purvey, (status) => status.unplannedChanges === 0 && status.targets[0]!.accounts === users, 180);
    console.log(
      `  in by SCIM at ${rate(load.perSecond)}; all planned ${((performance.now() - loading) / 1000).toFixed(1)} s after the first`,
    );

    await ask(target, '/open');
    await untilSent(target, users, 300);
    await untilStatus(purvey, (status) => status.targets[0]!.pending === 0, 60);
    const endedAt = Date.now();
    const tally = JSON.parse(await ask(target, '/tally')) as Tally;
    const seconds = (endedAt - tally.firstAt) / 1000;
    const engine = users / seconds;
    const status = await purvey.api<Status>('GET', '/status');
    if (tally.created !== users || tally.names !== users || tally.externalIds !== users) {
      throw new Error(`the target should have got ${users} different users, once each: ${JSON.stringify(tally)}`);
    }
    if (status.targets[0]!.parked !== 0) throw new Error(`${status.targets[0]!.parked} accounts are parked`);
    console.log(`engine: ${users} creations in ${seconds.toFixed(2)} s, ${rate(engine)}`);
    console.log(
      `  the target got ${tally.created} users, ${tally.names} different; ${tally.searches} searches and ${tally.others} other requests beside`,
    );
    const bodies = (await ask(target, '/bodies')).split('\n');
    await purvey.stop();

    const bare = Math.max(await runBareLoop(target, bodies), await runBareLoop(target, bodies));
    console.log(`bare loop: ${rate(bare)} (the better of two runs)`);
    const ratio = (engine / bare).toFixed(2);
    return `outbound ratio ${ratio} (engine ${rate(engine)}, bare loop ${rate(bare)}, ${users} users, ${concurrency} at once)`;
  } finally {
    await purvey?.stop();
    await target.stop();
  }
}

async function bindTarget(purvey: PurveyProcess, target: Running): Promise<void> {
  await purvey.api('POST', '/identity-providers', { name: 'bench' });
  await purvey.api('POST', '/identity-providers/bench/targets', {
    type: 'SCIM2',
    settings: {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': 'bench',
      'scim2-user-ep': `${target.url}${path}`,
    },
    policy: { concurrency },
  });
  await purvey.api('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'bench:SCIM2' }] });
}

async function runBareLoop(target: Running, bodies: readonly string[]): Promise<number> {
  await ask(target, '/clear');
  const headers = {
    authorization: 'Bearer bench',
    'content-type': 'application/scim+json',
    accept: 'application/scim+json, application/json',
  };
  const { perSecond } = await sendCalls({
    url: target.url,
    headers,
    connections: concurrency,
    calls: bodies.length,
    call: (n) => ({ method: 'POST', path, body: bodies[n]!, expect: 201 }),
  });
  const { names } = JSON.parse(await ask(target, '/tally')) as Tally;
  if (names !== bodies.length) throw new Error(`the bare loop created ${names} of ${bodies.length} users`);
  return perSecond;
}

async function ask(target: Running, place: string): Promise<string> {
  return (await fetch(`${target.url}${place}`)).text();
}

async function untilSent(target: Running, users: number, maxSeconds: number): Promise<void> {
  const deadline = performance.now() + maxSeconds * 1000;
  for (;;) {
    const count = Number(await ask(target, '/count'));
    if (count >= users) return;
    if (performance.now() > deadline)
      throw new Error(`after ${maxSeconds} s the target has ${count} of ${users} users`);
    await wait(50);
  }
}

async function untilStatus(purvey: PurveyProcess, holds: (s: Status) => boolean, maxSeconds: number): Promise<void> {
  const deadline = performance.now() + maxSeconds * 1000;
  for (;;) {
    const status = await purvey.api<Status>('GET', '/status');
    if (holds(status)) return;
    if (performance.now() > deadline) throw new Error(`after ${maxSeconds} s: ${JSON.stringify(status)}`);
    await wait(25);
  }
}
