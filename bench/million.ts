import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startPostgres } from '../test/postgres.ts';
import { sendCalls } from './load.ts';
import { blockMark, multiply, openPostgresBulk, openSqliteBulk, readShape } from './million-fill.ts';
import { type Answered, askAll, type Known, listQuestions } from './million-questions.ts';
import {
  askTarget,
  bindTargets,
  groupsPath,
  monotonicMs,
  patchBody,
  percentile,
  scimHeaders,
  takeArrivals,
  untilStatus,
  usersPath,
  verdict,
} from './population.ts';
import {
  buildPurvey,
  makeDataFolder,
  type PurveyProcess,
  type Running,
  readUsage,
  removeFolder,
  startProcess,
  startPurveyProcess,
} from './processes.ts';

export type Database = 'sqlite' | 'postgres';

/** Where a server has its data, and which program it runs. */
type Place = { data: string; program: string; databaseUrl?: string };

const marks = { p50: 100, slowest: 1_000, start: 1_500, delivery: 20 };
const starts = 3;
const deliveries = 60;
const afterStartMs = 3_000;

/** How many people the block has that is written again and again, and what happens to some of them. */
const block = { people: 1_000, deleted: 5, refused: 4, retitled: 100, pending: 5 };
const causes = ['title is too long', 'no licence is left for this department', 'the manager is unknown'];
/** `user.0042.7` is the seventh of block 42. */
const userName = (n: number) => `user${blockMark}${n}`;

function personOf(n: number): string {
  const [given, family] = [`Given${n % 97}`, `Family${blockMark}${n % 53}`];
  return JSON.stringify({
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    ],
    userName: userName(n),
    name: { givenName: given, familyName: family },
    displayName: `${given} ${family}`,
    title: 'Engineer',
    ...(n < block.refused ? { nickName: `refused: ${causes[n % causes.length]}` } : {}),
    active: true,
    emails: [{ value: `${userName(n)}@acme.example`, type: 'work', primary: true }],
    phoneNumbers: [{ value: '+44 20 7946 0123', type: 'work' }],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
      employeeNumber: `E${blockMark}${n}`,
      department: `Department ${n % 40}`,
      costCenter: `CC-${4100 + (n % 12) * 100}`,
    },
  });
}

/** Fills a block the way it always goes: through the doors, out to the target, and back into the database. */
async function fillBlock(purvey: PurveyProcess, target: Running): Promise<void> {
  const ids: string[] = [];
  const send = (
    calls: number,
    call: (n: number) => { method: 'POST' | 'PATCH'; path: string; body: string; expect: number },
    onAnswer?: (n: number, text: string) => void,
  ) =>
    sendCalls({
      url: purvey.url,
      headers: scimHeaders(purvey),
      connections: 16,
      calls,
      call,
      ...(onAnswer ? { onAnswer } : {}),
    });
  await bindTargets(purvey, target, ['one', 'two']);
  await askTarget(target, '/open');
  const total = block.people + block.deleted;
  await send(
    total,
    (n) => ({ method: 'POST', path: usersPath, body: personOf(n), expect: 201 }),
    (n, text) => {
      ids[n] = (JSON.parse(text) as { id: string }).id;
    },
  );
  await untilQuiet(purvey);
  const groups: string[] = [];
  await send(
    2,
    (n) => {
      const members = ids.slice(10, n === 0 ? 20 : 110).map((value) => ({ value }));
      const body = {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: `team${blockMark}${n}`,
        members,
      };
      return { method: 'POST', path: groupsPath, body: JSON.stringify(body), expect: 201 };
    },
    (n, text) => {
      groups[n] = (JSON.parse(text) as { id: string }).id;
    },
  );
  await untilQuiet(purvey);
  const join = [{ op: 'add', path: 'members', value: ids.slice(200, 210).map((value) => ({ value })) }];
  await send(2, (n) => ({
    method: 'PATCH',
    path: `${groupsPath}/${groups[n]}`,
    body: patchBody(...join),
    expect: 204,
  }));
  const retitle = (from: number, title: string) => (n: number) => ({
    method: 'PATCH' as const,
    path: `${usersPath}/${ids[from + n]}`,
    body: patchBody({ op: 'replace', path: 'title', value: title }),
    expect: 200,
  });
  await send(block.retitled, retitle(300, 'Senior Engineer'));
  for (const id of ids.slice(block.people)) {
    const answer = await fetch(`${purvey.url}${usersPath}/${id}`, { method: 'DELETE', headers: scimHeaders(purvey) });
    if (answer.status !== 204) throw new Error(`DELETE answered ${answer.status}`);
  }
  await untilQuiet(purvey);
  const { items } = await purvey.api<{ items: { id: number; name: string }[] }>('GET', '/targets');
  await purvey.api('POST', `/targets/${items.find(({ name }) => name.startsWith('two'))!.id}/pause`);
  await send(block.pending, retitle(500, 'Principal Engineer'));
  await untilStatus(purvey, ({ unplannedChanges, targets }) => unplannedChanges === 0 && targets[0]!.pending === 0, {
    maxSeconds: 60,
  });
}

const untilQuiet = (purvey: PurveyProcess) =>
  untilStatus(
    purvey,
    ({ unplannedChanges, targets }) => unplannedChanges === 0 && targets.every((one) => one.pending === 0),
    { maxSeconds: 120, everyMs: 100 },
  );

/** Fills a block by a server of its own and multiplies it. Answers how far the rows are from the block's own. */
async function fill(place: Place, target: Running, blocks: number, groups: ReadonlyMap<string, number>): Promise<void> {
  const purvey = await startPurveyProcess(place);
  try {
    await fillBlock(purvey, target);
  } finally {
    await purvey.stop();
  }
  const bulk =
    place.databaseUrl === undefined
      ? openSqliteBulk(join(place.data, 'purvey.db'))
      : await openPostgresBulk(place.databaseUrl);
  try {
    const before = await readShape(bulk);
    await multiply(bulk, blocks, groups);
    const after = await readShape(bulk);
    const others = [...before].filter(([column, share]) => Math.abs(share - after.get(column)!) > 1);
    const said = others.map(([column, share]) => `${column} ${share} % there, ${after.get(column)} % here`);
    console.log(
      `${before.size} columns of ${new Set([...before.keys()].map((one) => one.split('.')[0])).size} tables have a value as often as the engine gives them one${said.length === 0 ? '' : `, but for ${said.join('; ')}`}`,
    );
  } finally {
    await bulk.close();
  }
}

async function readKnown(purvey: PurveyProcess, blocks: number): Promise<Known> {
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${purvey.url}${path}`, { headers: scimHeaders(purvey) });
    return (await answer.json()) as T;
  };
  type Found = { Resources: { id: string }[] };
  const find = async (place: string, filter: string) =>
    (await get<Found>(`${place}?filter=${encodeURIComponent(filter)}`)).Resources[0]!.id;
  const { users, groups } = await purvey.api<{ users: number; groups: number }>('GET', '/status');
  const people: Known['people'] = [];
  for (let n = 0; n < deliveries; n++) {
    const mark = `.${String((n * 331) % blocks).padStart(4, '0')}.`;
    const name = `user${mark}${200 + ((n * 37) % (block.people - 200))}`;
    people.push({ userName: name, id: await find(usersPath, `userName eq "${name}"`) });
  }
  const { items } = await purvey.api<{ items: { key: string; target: string }[] }>('GET', '/causes');
  const changes = await purvey.api<{ items: { seq: number }[] }>('GET', '/changes?limit=1');
  return {
    people,
    users,
    groups,
    largest: await find(groupsPath, 'displayName eq "team.0000.0"'),
    causes: items.filter(({ target }) => target.startsWith('one')).map(({ key }) => key),
    remoteIds: people.map((_, n) => `n.${String((n * 331) % blocks).padStart(4, '0')}.${n + 100}`),
    lastSeq: changes.items[0]!.seq,
  };
}

/** Milliseconds from sending a change of one user to its arrival at the target, one change at a time. */
async function deliverOneByOne(purvey: PurveyProcess, target: Running, { people }: Known): Promise<number[]> {
  await takeArrivals(target);
  const sent: { at: number; title: string }[] = [];
  for (const [n, { id }] of people.entries()) {
    const title = `Title number ${n} of this run`;
    sent.push({ at: monotonicMs(), title });
    const body = patchBody({ op: 'replace', path: 'title', value: title });
    const answer = await fetch(`${purvey.url}${usersPath}/${id}`, {
      method: 'PATCH',
      headers: scimHeaders(purvey),
      body,
    });
    if (answer.status !== 200) throw new Error(`PATCH answered ${answer.status}: ${await answer.text()}`);
    await answer.text();
    await wait(50);
  }
  await wait(1_000);
  const arrivals = await takeArrivals(target);
  return sent.map(({ at, title }) => {
    const arrival = arrivals.find(({ body }) => body.includes(`"${title}"`));
    if (!arrival) throw new Error(`"${title}" did not arrive at the target`);
    return arrival.at - at;
  });
}

/**
 * A directory of a million users, 2,000 groups (the largest of 100,000) and two targets: what console, commands and SCIM
 * clients ask of a running server, and how long everybody else waits meanwhile; its start, its memory, and one change on
 * its way. Marks: the middle of each question under 100 ms and none over a second, a start under 1.5 s, a change at the
 * target within 20 ms. What no index can know is measured without a mark.
 *
 * The data is filled for a block of a thousand people through the doors and out to the target, and what the engine left
 * is then written a thousand times (`million-fill.ts`).
 */
export async function benchMillion({
  quick,
  database = 'sqlite',
}: {
  quick: boolean;
  database?: Database;
}): Promise<string> {
  const blocks = quick ? 20 : 1_000;
  const [large, middle] = quick ? [2_000, 500] : [100_000, 10_000];
  const groups = new Map([['team.0000.0', large]]);
  for (let n = 1; n <= 4; n++) groups.set(`team.000${n}.0`, middle);
  const program = buildPurvey();
  const data = makeDataFolder();
  // Gigabytes: also when it is interrupted.
  const forget = () => removeFolder(data);
  process.once('exit', forget);
  process.once('SIGINT', () => process.exit(130));
  let target: Running | undefined;
  let postgres: Awaited<ReturnType<typeof startPostgres>> | undefined;
  let purvey: PurveyProcess | undefined;
  try {
    target = await startProcess('./null-target.ts', [`n${blockMark}`]);
    if (database === 'postgres') postgres = await startPostgres();
    const place = { data, program, ...(postgres ? { databaseUrl: postgres.url } : {}) };
    const began = performance.now();
    await fill(place, target, blocks, groups);
    console.log(`filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`);

    const times: number[] = [];
    for (let n = 0; n < starts; n++) {
      await purvey?.stop();
      purvey = await startPurveyProcess(place);
      times.push(purvey.startedInMs);
      await wait(afterStartMs);
    }
    const server = purvey!;
    const start = percentile(times, 0.5);
    const atRest = readUsage(server.pid).residentMb;
    const known = await readKnown(server, blocks);
    console.log(
      `${count(known.users)} users, ${count(known.groups)} groups, on ${database}: started in ${times.map((ms) => ms.toFixed(0)).join(', ')} ms, ${atRest.toFixed(0)} MB at rest`,
    );
    console.log(`load of the machine ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} processors`);
    console.log(`${'question'.padEnd(30)}   middle  slowest  processor  others wait (ms)`);
    const answered = await askAll(server, listQuestions(known), { times: 30, maxMs: 10_000, onAnswered: print });
    const after = readUsage(server.pid);
    console.log(`memory after all questions: ${after.residentMb.toFixed(0)} MB, ${after.peakMb.toFixed(0)} MB at most`);
    console.log(`load of the machine now ${loadavg()[0]!.toFixed(1)}`);
    const toTarget = await deliverOneByOne(server, target, known);
    const delivery = percentile(toTarget, 0.5);
    console.log(
      `one change to the target: p50 ${delivery.toFixed(1)} ms, slowest ${Math.max(...toTarget).toFixed(1)} ms`,
    );

    const marked = answered.filter((one) => !one.isWide);
    const missed = marked.filter((one) => one.p50 >= marks.p50 || one.slowest >= marks.slowest);
    const slowest = marked.reduce((a, b) => (a.p50 > b.p50 ? a : b));
    const longest = marked.reduce((a, b) => (a.others > b.others ? a : b));
    const met = missed.length === 0 && start < marks.start && delivery < marks.delivery;
    if (missed.length > 0) console.log(`missed: ${missed.map(({ name }) => name).join('; ')}`);
    return `million on ${database}: ${marked.length - missed.length} of ${marked.length} questions p50 < ${marks.p50} ms and none over ${marks.slowest} ms (slowest p50 ${slowest.p50.toFixed(0)} ms, ${slowest.name}; others wait at most ${longest.others.toFixed(0)} ms, ${longest.name}); start ${start.toFixed(0)} ms (< ${marks.start}); one change delivered p50 ${delivery.toFixed(1)} ms (< ${marks.delivery}); ${atRest.toFixed(0)} MB at rest: ${verdict(met)}`;
  } finally {
    await purvey?.stop();
    await target?.stop();
    await postgres?.stop();
    process.off('exit', forget);
    forget();
  }
}

function print({ name, isWide, p50, slowest, processor, others }: Answered): void {
  const figures = [p50, slowest, processor, others].map((ms) => ms.toFixed(1).padStart(9));
  console.log(`${name.padEnd(30)}${figures.join('')}${isWide ? '  (no index, no mark)' : ''}`);
}

const count = (value: number): string => value.toLocaleString('en-US');
