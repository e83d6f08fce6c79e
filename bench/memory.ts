import { setTimeout as wait } from 'node:timers/promises';
import { rate } from './load.ts';
import { askTarget, bindTargets, loadUsers, untilDelivered, verdict } from './population.ts';
import {
  buildPurvey,
  makeDataFolder,
  type PurveyProcess,
  readUsage,
  removeFolder,
  startProcess,
  startPurveyProcess,
  type Usage,
} from './processes.ts';

const marks = { residentMb: 250, startMs: 1_500 };
const starts = 3;
/** V8 gives memory back when nothing happened for about a minute: at rest is when it has, and no longer changes. */
const rest = { atLeastMs: 60_000, atMostMs: 180_000, everyMs: 5_000, sameReadings: 4 };
/** What a start leaves to do comes after it listens. */
const afterStartMs = 3_000;

/**
 * Memory that a server occupies with 10,000 and with 100,000 users at two targets each, all delivered by this very
 * process: at its end, at rest, and the most it ever did. Then how long it takes from starting a process on this
 * database to listening (the median of three), and what that process occupies. Measured on the compiled program, as it
 * is published: run from its sources, Node's TypeScript compiler takes 25 MB and 0.3 s beside.
 */
export async function benchMemory({ quick }: { quick: boolean }): Promise<string> {
  const sizes = quick ? [1_000, 10_000] : [10_000, 100_000];
  const program = buildPurvey();
  const data = makeDataFolder();
  const target = await startProcess('./null-target.ts');
  let purvey: PurveyProcess | undefined;
  try {
    purvey = await startPurveyProcess({ data, program });
    await bindTargets(purvey, target, ['one', 'two']);
    await askTarget(target, '/open');
    const empty = readUsage(purvey.pid);
    console.log(
      `empty: ${megabytes(empty.residentMb)} at rest; started in ${purvey.startedInMs.toFixed(0)} ms, the first time`,
    );
    let loaded = empty;
    let have = 0;
    for (const size of sizes) {
      const load = await loadUsers(purvey, { first: have, count: size - have });
      await untilDelivered(purvey, size);
      await askTarget(target, '/clear');
      have = size;
      const after = readUsage(purvey.pid);
      loaded = await untilRest(purvey.pid, quick ? 0 : rest.atLeastMs);
      const per = ((loaded.residentMb - empty.residentMb) * 1024) / size;
      console.log(
        `${count(size)} users, ${count(2 * size)} accounts: ${megabytes(after.residentMb)} right after the load, ${megabytes(loaded.residentMb)} at rest, ${megabytes(loaded.peakMb)} at most (${per.toFixed(1)} KB a user; in by SCIM at ${rate(load.perSecond)})`,
      );
    }
    await purvey.stop();

    const times: number[] = [];
    let started = empty;
    for (let n = 0; n < starts; n++) {
      purvey = await startPurveyProcess({ data, program });
      times.push(purvey.startedInMs);
      await wait(afterStartMs);
      started = readUsage(purvey.pid);
      await purvey.stop();
    }
    const startMs = times.sort((a, b) => a - b)[Math.floor(starts / 2)]!;
    console.log(
      `started with them: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms to listening, ${megabytes(started.residentMb)} at rest`,
    );
    const met = loaded.residentMb < marks.residentMb && startMs < marks.startMs;
    return `memory ${megabytes(loaded.residentMb)} at rest (< ${marks.residentMb} MB; at most ${megabytes(loaded.peakMb)}), start ${startMs.toFixed(0)} ms (< ${marks.startMs} ms) with ${count(have)} users and ${count(2 * have)} accounts: ${verdict(met)}`;
  } finally {
    await purvey?.stop();
    await target.stop();
    removeFolder(data);
  }
}

async function untilRest(pid: number, atLeastMs: number): Promise<Usage> {
  const begun = performance.now();
  const readings: Usage[] = [];
  for (;;) {
    readings.push(readUsage(pid));
    const last = readings.slice(-rest.sameReadings).map((one) => one.residentMb);
    const elapsed = performance.now() - begun;
    const isSame = last.length === rest.sameReadings && Math.max(...last) - Math.min(...last) < 2;
    if ((isSame && elapsed >= atLeastMs) || elapsed > rest.atMostMs) return readings.at(-1)!;
    await wait(rest.everyMs);
  }
}

const megabytes = (value: number): string => `${value.toFixed(0)} MB`;
const count = (value: number): string => value.toLocaleString('en-US');
