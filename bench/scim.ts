import { type Call, makeUser, rate, sendCalls } from './load.ts';
import { loadUsers, percentile, scimHeaders, usersPath, verdict } from './population.ts';
import { type PurveyProcess, startPurveyProcess } from './processes.ts';
import { compareFilters, comparePatches } from './scim-codecs.ts';

const filterMark = 3;
const patchMark = 2;
/** Times at the larger size over those at the smaller; above it, time would grow with the directory. */
const flatMark = 1.5;

/**
 * Filters and PATCH over the packages others use for them, in this process; then the door: pages of a list as the
 * directory grows. What one member more in a large group costs is `npm run bench -- group`.
 */
export async function benchScim({ quick }: { quick: boolean }): Promise<string> {
  const seconds = quick ? 2 : 10;
  const filters = compareFilters(seconds);
  const patches = comparePatches(seconds);
  const [filterRatio, patchRatio] = [filters.ours / filters.theirs, patches.ours / patches.theirs];
  console.log(
    `patch ratio ${patchRatio.toFixed(2)} (${rate(patches.ours)} read and applied, scim-patch ${rate(patches.theirs)}; mark ${patchMark}: ${verdict(patchRatio >= patchMark)})`,
  );
  await benchBulk();
  await benchLists(quick);
  return `scim ratio ${filterRatio.toFixed(2)} (${rate(filters.ours)} filters parsed, scim2-parse-filter ${rate(filters.theirs)}; mark ${filterMark}: ${verdict(filterRatio >= filterMark)})`;
}

const bulkUsers = 1_000;

/** `POST /Bulk` with 1,000 users, over as many requests at 16 connections, in turns; of each its best turn. */
async function benchBulk(): Promise<void> {
  const purvey = await startPurveyProcess();
  try {
    const best = { bulk: 0, single: 0 };
    for (let turn = 0; turn < 3; turn++) {
      const first = turn * 2 * bulkUsers;
      best.single = Math.max(best.single, (await loadUsers(purvey, { first, count: bulkUsers })).perSecond);
      best.bulk = Math.max(best.bulk, await loadInBulk(purvey, first + bulkUsers));
    }
    console.log(
      `bulk ratio ${(best.bulk / best.single).toFixed(2)} (${bulkUsers.toLocaleString('en-US')} users in one request: ${((bulkUsers / best.bulk) * 1_000).toFixed(0)} ms, ${rate(best.bulk)}; one by one at 16 connections ${rate(best.single)})`,
    );
  } finally {
    await purvey.stop();
  }
}

/** Users a second. */
async function loadInBulk(purvey: PurveyProcess, first: number): Promise<number> {
  const operations = Array.from({ length: bulkUsers }, (_, n) => ({
    method: 'POST',
    path: '/Users',
    bulkId: String(n),
    data: JSON.parse(makeUser(first + n).body) as object,
  }));
  const body = JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: operations,
  });
  const began = performance.now();
  const answer = await fetch(`${purvey.url}/scim2/Bulk`, { method: 'POST', headers: scimHeaders(purvey), body });
  const text = await answer.text();
  const seconds = (performance.now() - began) / 1_000;
  if (answer.status !== 200) throw new Error(`Bulk was answered ${answer.status}: ${text.slice(0, 500)}`);
  const { Operations } = JSON.parse(text) as { Operations: { status: string }[] };
  const made = Operations.filter(({ status }) => status === '201').length;
  if (made !== bulkUsers) throw new Error(`${made} of ${bulkUsers} users were created: ${text.slice(0, 500)}`);
  return bulkUsers / seconds;
}

/** `flat`: goes through an index and must not grow with the directory. The others are read from end to end. */
const lists: readonly { what: string; filter: (n: number, size: number) => string; flat: boolean }[] = [
  { what: 'userName eq', filter: (n) => `userName eq "user.${n}"`, flat: true },
  { what: 'emails.value eq', filter: (n) => `emails.value eq "user.${n}@acme.example"`, flat: true },
  // A prefix that 111 of the users have, whatever the size.
  {
    what: 'userName sw, active eq',
    filter: (n, size) => `userName sw "user.${size / 1_000 + (n % 9)}" and active eq true`,
    flat: true,
  },
  {
    what: 'title eq, familyName co',
    filter: (n) => `title eq "Engineer" and name.familyName co "${n % 10}"`,
    flat: false,
  },
];

/** The first page of 100 of lists by two attributes, in a directory of one size and of ten times as many. */
async function benchLists(quick: boolean): Promise<void> {
  const sizes = quick ? [1_000, 10_000] : [10_000, 100_000];
  const purvey = await startPurveyProcess();
  try {
    let there = 0;
    const times = new Map<string, number[]>();
    for (const size of sizes) {
      await loadUsers(purvey, { first: there, count: size - there });
      there = size;
      for (const { what, filter } of lists) {
        const took = await timeList(purvey, (n) => filter(n * 7, size), quick ? 10 : 30);
        times.set(what, [...(times.get(what) ?? []), took]);
      }
    }
    for (const { what, flat } of lists) {
      const [small, large] = times.get(what) as [number, number];
      const grows = large / small;
      const judged = flat ? `; mark: no more than ${flatMark}: ${verdict(grows <= flatMark)}` : '';
      console.log(
        `list ratio ${grows.toFixed(2)} (${what}: ${small.toFixed(1)} ms at ${sizes[0]!.toLocaleString('en-US')} users, ${large.toFixed(1)} ms at ${sizes[1]!.toLocaleString('en-US')}${judged})`,
      );
    }
  } finally {
    await purvey.stop();
  }
}

/** The median of `rounds` answers, in milliseconds. */
async function timeList(purvey: PurveyProcess, filter: (n: number) => string, rounds: number): Promise<number> {
  const took: number[] = [];
  const call = (n: number): Call => ({
    method: 'GET',
    path: `${usersPath}?count=100&filter=${encodeURIComponent(filter(n))}`,
    expect: 200,
  });
  let before = performance.now();
  await sendCalls({
    url: purvey.url,
    headers: scimHeaders(purvey),
    connections: 1,
    calls: rounds + 3,
    call,
    onAnswer(n) {
      const now = performance.now();
      if (n >= 3) took.push(now - before);
      before = now;
    },
  });
  return percentile(took, 0.5);
}
