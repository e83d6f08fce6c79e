import { setTimeout as wait } from 'node:timers/promises';
import { rate, sendCalls } from './load.ts';
import {
  askTarget,
  bindTargets,
  groupsPath,
  loadUsers,
  monotonicMs,
  patchBody,
  percentile,
  scimHeaders,
  takeArrivals,
  untilArrived,
  untilDelivered,
  verdict,
} from './population.ts';
import { type PurveyProcess, type Running, readUsage, startProcess, startPurveyProcess } from './processes.ts';

/** Times of the largest group over those of the smallest; above it, time would grow with the size. */
const mark = 1.5;
const membersPerCall = 2_000;

type Group = {
  size: number;
  id: string;
  remoteId: string;
  answers: number[];
  arrivals: number[];
  cpu: number[];
  bytes: number[];
  /** Of the request and of its answer at the door. */
  bytesIn: number[];
};

/**
 * One member added to a group of 100, of 10,000 and of 100,000, who all are at the target: a SCIM PATCH comes in and a
 * PATCH goes out. Measured in turn, so that whatever else the machine does meets all sizes alike: until the answer of
 * the door, until the arrival at the target, and the processor time of Purvey; and what was on the wire.
 */
export async function benchGroup({ quick }: { quick: boolean }): Promise<string> {
  const sizes = quick ? [100, 1_000, 10_000] : [100, 10_000, 100_000];
  const rounds = quick ? 20 : 100;
  const largest = sizes.at(-1)!;
  const target = await startProcess('./null-target.ts');
  let purvey: PurveyProcess | undefined;
  try {
    purvey = await startPurveyProcess();
    await bindTargets(purvey, target, ['bench'], { concurrency: 64 });
    await askTarget(target, '/open');
    const ids: string[] = [];
    // The last ones are in no group yet.
    const people = largest + rounds + warmUp;
    const load = await loadUsers(purvey, { first: 0, count: people }, ids);
    console.log(`${people} users in by SCIM at ${rate(load.perSecond)}`);
    const groups: Group[] = [];
    for (const size of sizes) groups.push(await makeGroup(purvey, size, ids));
    await untilDelivered(purvey, people + sizes.length);
    await nameRemotes(target, groups);
    await askTarget(target, '/clear');
    await takeArrivals(target);

    for (let round = 0; round < warmUp + rounds; round++) {
      const member = ids[largest + round]!;
      for (const group of groups) await addMember(purvey, target, group, member, round >= warmUp);
    }
    await untilDelivered(purvey, people + sizes.length);
    const late = await takeArrivals(target);
    if (late.length > 0) throw new Error(`${late.length} more requests came: ${JSON.stringify(late).slice(0, 1_000)}`);
    for (const group of groups) print(group);
    const [small, large] = [groups[0]!, groups.at(-1)!];
    const over = (pick: (group: Group) => number[]) => percentile(pick(large), 0.5) / percentile(pick(small), 0.5);
    const door = over((group) => group.answers);
    const arrival = over((group) => group.arrivals);
    const cpu = sum(large.cpu) / sum(small.cpu);
    const bytes = Math.max(...large.bytes);
    const met = Math.max(door, arrival, cpu) <= mark;
    console.log(
      `${count(large.size)} members over ${count(small.size)}: door ${door.toFixed(2)}, arrival ${arrival.toFixed(2)}, processor ${cpu.toFixed(2)} (mark: no more than ${mark})`,
    );
    return `group ratio ${arrival.toFixed(2)} (${count(small.size)} -> ${count(large.size)} members: door ${door.toFixed(2)}, processor ${cpu.toFixed(2)}), one operation of ${bytes} bytes on the wire: ${verdict(met)}`;
  } finally {
    await purvey?.stop();
    await target.stop();
  }
}

/** Additions that are made first and not counted. */
const warmUp = 10;

/** A group with the first `size` of `ids`, in as many requests as a body's limit asks for. */
async function makeGroup(purvey: PurveyProcess, size: number, ids: readonly string[]): Promise<Group> {
  const headers = scimHeaders(purvey);
  const answer = await fetch(`${purvey.url}${groupsPath}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: nameOf(size),
    }),
  });
  if (answer.status !== 201) throw new Error(`the group was answered ${answer.status}: ${await answer.text()}`);
  const { id } = (await answer.json()) as { id: string };
  const members = ids.slice(0, size).map((value) => ({ value }));
  await sendCalls({
    url: purvey.url,
    headers,
    connections: 1,
    calls: Math.ceil(size / membersPerCall),
    maxSeconds: 300,
    call: (n) => ({
      method: 'PATCH',
      path: `${groupsPath}/${id}`,
      body: patchBody({
        op: 'add',
        path: 'members',
        value: members.slice(n * membersPerCall, (n + 1) * membersPerCall),
      }),
      expect: 204,
    }),
  });
  return { size, id, remoteId: '', answers: [], arrivals: [], cpu: [], bytes: [], bytesIn: [] };
}

const nameOf = (size: number): string => `Group of ${size}`;

/** The target's ids count creations, whatever was created. */
async function nameRemotes(target: Running, groups: readonly Group[]): Promise<void> {
  const bodies = (await askTarget(target, '/bodies')).split('\n');
  for (const group of groups) {
    const n = bodies.findIndex(
      (body) => (JSON.parse(body) as { displayName?: string }).displayName === nameOf(group.size),
    );
    if (n < 0) throw new Error(`the target does not have the group of ${group.size}`);
    group.remoteId = `n${n + 1}`;
  }
}

async function addMember(
  purvey: PurveyProcess,
  target: Running,
  group: Group,
  member: string,
  counts: boolean,
): Promise<void> {
  const before = readUsage(purvey.pid).cpuSeconds;
  const sent = monotonicMs();
  const asked = patchBody({ op: 'add', path: 'members', value: [{ value: member }] });
  const answer = await fetch(`${purvey.url}${groupsPath}/${group.id}`, {
    method: 'PATCH',
    headers: scimHeaders(purvey),
    body: asked,
  });
  const text = await answer.text();
  const answered = monotonicMs();
  if (answer.status !== 204) throw new Error(`PATCH was answered ${answer.status}: ${text}`);
  const arrivals = await untilArrived(target, (all) => all.length > 0, { maxSeconds: 30, everyMs: 20 });
  // The delivery is written down, and anything else that would be sent is sent by then.
  await wait(100);
  const after = readUsage(purvey.pid).cpuSeconds;
  arrivals.push(...(await takeArrivals(target)));
  const { method, path, body, bytes, at } = arrivals[0]!;
  const { Operations } = JSON.parse(body) as { Operations: { op: string; value: unknown[] }[] };
  const isOne = arrivals.length === 1 && Operations.length === 1 && Operations[0]!.value.length === 1;
  if (!isOne || method !== 'PATCH' || path !== `${groupsPath}/${group.remoteId}`) {
    throw new Error(`one PATCH with one member was to come: ${JSON.stringify(arrivals).slice(0, 1_000)}`);
  }
  if (!counts) return;
  group.answers.push(answered - sent);
  group.arrivals.push(at - sent);
  group.cpu.push(after - before);
  group.bytes.push(bytes);
  group.bytesIn.push(asked.length + text.length);
}

function print({ size, answers, arrivals, cpu, bytes, bytesIn }: Group): void {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const perAddition = (sum(cpu) / cpu.length) * 1000;
  console.log(
    `${count(size)} members: door p50 ${ms(percentile(answers, 0.5))}, p90 ${ms(percentile(answers, 0.9))}; arrival p50 ${ms(percentile(arrivals, 0.5))}, p90 ${ms(percentile(arrivals, 0.9))}; ${ms(perAddition)} of processor time; 1 PATCH with 1 operation, ${Math.max(...bytes)} bytes at most, for ${Math.max(...bytesIn)} at the door with the answer`,
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const count = (value: number): string => value.toLocaleString('en-US');
