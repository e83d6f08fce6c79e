import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { makeUser, rate } from './load.ts';
import {
  type Arrival,
  askTarget,
  bindTargets,
  loadUsers,
  monotonicMs,
  patchBody,
  percentile,
  scimHeaders,
  takeArrivals,
  untilArrived,
  untilDelivered,
  untilStatus,
  usersPath,
  verdict,
} from './population.ts';
import { type PurveyProcess, type Running, startProcess, startPurveyProcess } from './processes.ts';

const marks = { p50: 20, p99: 100, leaver: 5_000 };
const changesPerSecond = 50;
const requestsPerSecond = 50;

/**
 * How long a change takes from the door to the target, in milliseconds from sending the SCIM request to Purvey until
 * the request that carries it arrives at the target; the answer of the door is in it.
 *
 * Idle: 50 changes a second, at random moments as people make them, half of them new people and half new titles, to a
 * target that has nothing else to do. Leavers: people who have accounts are deleted one by one while 20,000 creations
 * wait for a target that takes 50 requests a second; until the DELETE arrives.
 */
export async function benchLatency({ quick }: { quick: boolean }): Promise<string> {
  const size = quick
    ? { people: 200, changes: 200, waiting: 2_000, leavers: 20 }
    : { people: 2_000, changes: 2_000, waiting: 20_000, leavers: 200 };
  const target = await startProcess('./null-target.ts');
  let purvey: PurveyProcess | undefined;
  try {
    purvey = await startPurveyProcess();
    const [targetId] = await bindTargets(purvey, target, ['bench']);
    await askTarget(target, '/open');
    const ids: string[] = [];
    await loadUsers(purvey, { first: 0, count: size.people }, ids);
    await untilDelivered(purvey, size.people);
    await takeArrivals(target);

    // What runs for the first time is compiled first; that belongs to no change.
    await measureChanges(purvey, target, ids, { first: 0, count: size.changes / 10 });
    const changes = await measureChanges(purvey, target, ids, { first: size.changes / 10, count: size.changes });
    const [p50, p99] = [percentile(changes.toArrival, 0.5), percentile(changes.toArrival, 0.99)];
    console.log(`idle target: ${size.changes} changes at ${rate(changes.perSecond)} (${changesPerSecond} asked for)`);
    console.log(`  from sending to arrival at the target: ${describe(changes.toArrival)}`);
    console.log(`  of which until the answer of the door: ${describe(changes.toAnswer)}`);
    console.log(
      `  marks: p50 < ${marks.p50} ms ${verdict(p50 < marks.p50)}, p99 < ${marks.p99} ms ${verdict(p99 < marks.p99)}`,
    );

    await purvey.api('PATCH', `/targets/${targetId}`, { policy: { requestsPerSecond } });
    const remoteIds = await readRemoteIds(target);
    const before = size.people + (size.changes * 1.1) / 2;
    await loadUsers(purvey, { first: 100_000, count: size.waiting });
    await untilStatus(
      purvey,
      (status) => status.unplannedChanges === 0 && status.targets[0]!.accounts === before + size.waiting,
      { maxSeconds: 300 },
    );
    await takeArrivals(target);
    const from = monotonicMs();
    const leavers = await measureLeavers(purvey, target, ids.slice(0, size.leavers), remoteIds, size.waiting / 100);
    const seconds = (monotonicMs() - from) / 1000;
    const { targets } = await purvey.api<{ targets: { pending: number }[] }>('GET', '/status');
    const still = targets[0]!.pending;
    if (still < size.waiting / 10) throw new Error(`only ${still} creations were still waiting at the end`);
    const leaver = percentile(leavers.waits, 0.99);
    console.log(
      `${size.leavers} leavers among ${size.waiting} waiting creations, ${requestsPerSecond} requests/s allowed: ${describe(leavers.waits)}`,
    );
    console.log(
      `  the target got ${rate(leavers.arrivals / seconds)} meanwhile; ${still} accounts were still waiting at the end`,
    );
    console.log(`  mark: p99 < ${marks.leaver} ms ${verdict(leaver < marks.leaver)}`);
    const met = p50 < marks.p50 && p99 < marks.p99 && leaver < marks.leaver;
    return `latency p50 ${p50.toFixed(1)} ms (< ${marks.p50}), p99 ${p99.toFixed(1)} ms (< ${marks.p99}), leaver p99 ${(leaver / 1000).toFixed(2)} s (< ${marks.leaver / 1000}): ${verdict(met)}`;
  } finally {
    await purvey?.stop();
    await target.stop();
  }
}

/** Half new people, half new titles of `ids`. Each is told from all others by a name or title of its own. */
async function measureChanges(
  purvey: PurveyProcess,
  target: Running,
  ids: readonly string[],
  range: { first: number; count: number },
) {
  const pool = new Pool(purvey.url, { connections: 16, pipelining: 1 });
  const headers = scimHeaders(purvey);
  const sentAt = new Map<string, number>();
  const toAnswer: number[] = [];
  const send = async (n: number) => {
    const isNew = n % 2 === 0;
    const made = makeUser(50_000 + n);
    const title = `Title ${n}`;
    const body = isNew ? made.body : patchBody({ op: 'replace', path: 'title', value: title });
    const sent = monotonicMs();
    sentAt.set(isNew ? made.userName : title, sent);
    const answer = await pool.request({
      method: isNew ? 'POST' : 'PATCH',
      path: isNew ? usersPath : `${usersPath}/${ids[n % ids.length]}`,
      headers,
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`change ${n} was answered ${answer.statusCode}: ${text}`);
    toAnswer.push(monotonicMs() - sent);
  };
  try {
    const begun = monotonicMs();
    const sending: Promise<void>[] = [];
    let at = 0;
    for (let n = range.first; n < range.first + range.count; n++) {
      // Moments that know nothing of each other: the next is due whether the last was answered or not.
      at += (-Math.log(1 - Math.random()) * 1000) / changesPerSecond;
      const pause = begun + at - monotonicMs();
      if (pause > 0) await wait(pause);
      sending.push(send(n));
    }
    const seconds = (monotonicMs() - begun) / 1000;
    await Promise.all(sending);
    const toArrival: number[] = [];
    await untilArrived(
      target,
      (arrivals) => {
        toArrival.length = 0;
        for (const arrival of arrivals) {
          const sent = sentAt.get(nameOf(arrival));
          if (sent !== undefined) toArrival.push(arrival.at - sent);
        }
        return toArrival.length >= range.count;
      },
      { maxSeconds: 30 },
    );
    if (toArrival.length > range.count) throw new Error(`${toArrival.length} requests carried ${range.count} changes`);
    return { toArrival, toAnswer, perSecond: range.count / seconds };
  } finally {
    await pool.destroy();
  }
}

/** What a change is told by: a new person's name, else the first value of a PATCH. */
function nameOf({ method, body }: Arrival): string {
  if (body === '') return '';
  const sent = JSON.parse(body) as { userName?: string; Operations?: { value?: unknown }[] };
  return method === 'POST' ? (sent.userName ?? '') : String(sent.Operations?.[0]?.value ?? '');
}

async function measureLeavers(
  purvey: PurveyProcess,
  target: Running,
  ids: readonly string[],
  remoteIds: ReadonlyMap<string, string>,
  everyMs: number,
) {
  const headers = scimHeaders(purvey);
  const leftAt = new Map<string, number>();
  for (const id of ids) {
    leftAt.set(`${usersPath}/${remoteIds.get(id)}`, monotonicMs());
    const answer = await fetch(`${purvey.url}${usersPath}/${id}`, { method: 'DELETE', headers });
    if (!answer.ok) throw new Error(`DELETE was answered ${answer.status}: ${await answer.text()}`);
    await wait(everyMs);
  }
  const waits: number[] = [];
  const arrivals = await untilArrived(
    target,
    (all) => {
      waits.length = 0;
      for (const { at, method, path } of all) {
        const left = method === 'DELETE' ? leftAt.get(path) : undefined;
        if (left !== undefined) waits.push(at - left);
      }
      return waits.length >= ids.length;
    },
    { maxSeconds: 120 },
  );
  return { waits, arrivals: arrivals.length };
}

/** The target's id of each user: it counts creations, and each bears our id as its externalId. */
async function readRemoteIds(target: Running): Promise<Map<string, string>> {
  const bodies = (await askTarget(target, '/bodies')).split('\n');
  return new Map(bodies.map((body, n) => [(JSON.parse(body) as { externalId: string }).externalId, `n${n + 1}`]));
}

function describe(values: readonly number[]): string {
  const at = (share: number) => `${percentile(values, share).toFixed(1)} ms`;
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, longest ${at(1)}`;
}
