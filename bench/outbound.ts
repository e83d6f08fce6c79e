import { setTimeout as wait } from 'node:timers/promises';
import { rate, sendCalls } from './load.ts';
import { askTarget, bindTargets, loadUsers, type Status, untilStatus, usersPath } from './population.ts';
import { type PurveyProcess, type Running, readUsage, startProcess, startPurveyProcess } from './processes.ts';

const concurrency = 64;

type Tally = { created: number; names: number; externalIds: number; searches: number; others: number; firstAt: number };

/**
 * The initial load of a target: creations per second of the whole engine (claim, request, durable record of attempt,
 * exchange and account), over those of a bare loop with the same HTTP client, the same bodies and the same concurrency
 * to the same process.
 */
export async function benchOutbound({ quick }: { quick: boolean }): Promise<string> {
  const users = quick ? 2_000 : 20_000;
  const target = await startProcess('./null-target.ts');
  try {
    const { perSecond: engine, cpuMicros: micros } = await deliverFirstLoad(target, users);
    const bodies = (await askTarget(target, '/bodies')).split('\n');
    const runs = [await runBareLoop(target, bodies), await runBareLoop(target, bodies)];
    const bare = Math.max(...runs.map((run) => run.perSecond));
    const bareMicros = Math.min(...runs.map((run) => run.cpuMicros));
    console.log(
      `bare loop: ${rate(bare)}, ${bareMicros.toFixed(0)} µs of processor time each (the better of two runs)`,
    );
    console.log(
      `  in processor time, which other work on the machine hardly touches: ${(bareMicros / micros).toFixed(2)}`,
    );
    const ratio = (engine / bare).toFixed(2);
    return `outbound ratio ${ratio} (engine ${rate(engine)}, bare loop ${rate(bare)}, ${users} users, ${concurrency} at once)`;
  } finally {
    await target.stop();
  }
}

/**
 * Users come in by SCIM to a Purvey of its own and are planned first, while the target answers 429; the clock runs from
 * the first creation that it accepts until every account is written down as done. `prepare`: before anybody comes in.
 */
export async function deliverFirstLoad(
  target: Running,
  users: number,
  prepare?: (purvey: PurveyProcess) => Promise<void>,
): Promise<{ perSecond: number; cpuMicros: number }> {
  const purvey = await startPurveyProcess();
  try {
    await bindTargets(purvey, target, ['bench'], { concurrency });
    await prepare?.(purvey);
    console.log(`loading ${users} users into the directory, and planning them …`);
    const loading = performance.now();
    const load = await loadUsers(purvey, { first: 0, count: users });
    await untilStatus(purvey, (status) => status.unplannedChanges === 0 && status.targets[0]!.accounts === users, {
      maxSeconds: 180,
    });
    console.log(
      `  in by SCIM at ${rate(load.perSecond)}; all planned ${((performance.now() - loading) / 1000).toFixed(1)} s after the first`,
    );

    const usageBefore = readUsage(purvey.pid);
    await askTarget(target, '/open');
    await untilSent(target, users, 300);
    await untilStatus(purvey, (status) => status.targets[0]!.pending === 0, {
      maxSeconds: 60,
      everyMs: 25,
    });
    const usageAfter = readUsage(purvey.pid);
    const endedAt = Date.now();
    const tally = JSON.parse(await askTarget(target, '/tally')) as Tally;
    const seconds = (endedAt - tally.firstAt) / 1000;
    const engine = users / seconds;
    const micros = ((usageAfter.cpuSeconds - usageBefore.cpuSeconds) / users) * 1e6;
    const status = await purvey.api<Status>('GET', '/status');
    if (tally.created !== users || tally.names !== users || tally.externalIds !== users) {
      throw new Error(`the target should have got ${users} different users, once each: ${JSON.stringify(tally)}`);
    }
    if (status.targets[0]!.parked !== 0) throw new Error(`${status.targets[0]!.parked} accounts are parked`);
    console.log(
      `engine: ${users} creations in ${seconds.toFixed(2)} s, ${rate(engine)}, ${micros.toFixed(0)} µs of processor time each`,
    );
    console.log(
      `  the target got ${tally.created} users, ${tally.names} different; ${tally.searches} searches and ${tally.others} other requests beside`,
    );
    return { perSecond: engine, cpuMicros: micros };
  } finally {
    await purvey.stop();
  }
}

async function runBareLoop(
  target: Running,
  bodies: readonly string[],
): Promise<{ perSecond: number; cpuMicros: number }> {
  await askTarget(target, '/clear');
  const headers = {
    authorization: 'Bearer bench',
    'content-type': 'application/scim+json',
    accept: 'application/scim+json, application/json',
  };
  const before = readUsage(process.pid);
  const { perSecond } = await sendCalls({
    url: target.url,
    headers,
    connections: concurrency,
    calls: bodies.length,
    call: (n) => ({ method: 'POST', path: usersPath, body: bodies[n]!, expect: 201 }),
  });
  const after = readUsage(process.pid);
  const { names } = JSON.parse(await askTarget(target, '/tally')) as Tally;
  if (names !== bodies.length) throw new Error(`the bare loop created ${names} of ${bodies.length} users`);
  return { perSecond, cpuMicros: ((after.cpuSeconds - before.cpuSeconds) / bodies.length) * 1e6 };
}

async function untilSent(target: Running, users: number, maxSeconds: number): Promise<void> {
  const deadline = performance.now() + maxSeconds * 1000;
  for (;;) {
    const count = Number(await askTarget(target, '/count'));
    if (count >= users) return;
    if (performance.now() > deadline)
      throw new Error(`after ${maxSeconds} s the target has ${count} of ${users} users`);
    await wait(50);
  }
}
