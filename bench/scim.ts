import { type Call, rate, sendCalls } from './load.ts';
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
  await benchLists(quick);
  return `scim ratio ${filterRatio.toFixed(2)} (${rate(filters.ours)} filters parsed, scim2-parse-filter ${rate(filters.theirs)}; mark ${filterMark}: ${verdict(filterRatio >= filterMark)})`;
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
