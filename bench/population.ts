import { setTimeout as wait } from 'node:timers/promises';
import { type Measured, makeUser, sendCalls } from './load.ts';
import type { PurveyProcess, Running } from './processes.ts';

/** A directory with targets, as the benches of the engine set it up. */

export const usersPath = '/scim2/Users';
export const groupsPath = '/scim2/Groups';

export type Status = { unplannedChanges: number; targets: { accounts: number; pending: number; parked: number }[] };

export function scimHeaders({ token }: PurveyProcess): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
}

/** Makes targets of these names, all at the same place, binds them to the resident service provider and gives their ids. */
export async function bindTargets(
  purvey: PurveyProcess,
  place: Running,
  names: readonly string[],
  policy: Record<string, unknown> = {},
): Promise<number[]> {
  const ids: number[] = [];
  for (const name of names) {
    await purvey.api('POST', '/identity-providers', { name });
    const { id } = await purvey.api<{ id: number }>('POST', `/identity-providers/${name}/targets`, {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'bench',
        'scim2-user-ep': `${place.url}${usersPath}`,
        'scim2-group-ep': `${place.url}${groupsPath}`,
      },
      policy,
    });
    ids.push(id);
  }
  const bindings = names.map((name) => ({ target: `${name}:SCIM2` }));
  await purvey.api('PUT', '/service-providers/resident/bindings', { bindings });
  return ids;
}

/** Creates users number `first` and up through the SCIM door at 16 connections. `ids` gets the id of each at its number. */
export async function loadUsers(
  purvey: PurveyProcess,
  range: { first: number; count: number },
  ids: string[] = [],
): Promise<Measured> {
  const { first, count } = range;
  const measured = await sendCalls({
    url: purvey.url,
    headers: scimHeaders(purvey),
    connections: 16,
    calls: count,
    maxSeconds: 600,
    call: (n) => ({ method: 'POST', path: usersPath, body: makeUser(first + n).body, expect: 201 }),
    onAnswer: (n, text) => {
      ids[first + n] = (JSON.parse(text) as { id: string }).id;
    },
  });
  if (measured.calls < count) throw new Error(`only ${measured.calls} of ${count} users were in after 600 s`);
  return measured;
}

export async function untilStatus(
  purvey: PurveyProcess,
  holds: (status: Status) => boolean,
  options: { maxSeconds: number; everyMs?: number },
): Promise<void> {
  const { maxSeconds, everyMs = 250 } = options;
  const deadline = performance.now() + maxSeconds * 1000;
  for (;;) {
    const status = await purvey.api<Status>('GET', '/status');
    if (holds(status)) return;
    if (performance.now() > deadline) throw new Error(`after ${maxSeconds} s: ${JSON.stringify(status)}`);
    await wait(everyMs);
  }
}

/** Waits until every target has `accounts` accounts, all of them delivered and none parked. */
export async function untilDelivered(purvey: PurveyProcess, accounts: number, maxSeconds = 900): Promise<void> {
  await untilStatus(
    purvey,
    ({ unplannedChanges, targets }) =>
      unplannedChanges === 0 && targets.every((one) => one.accounts === accounts && one.pending === 0),
    { maxSeconds },
  );
  const { targets } = await purvey.api<Status>('GET', '/status');
  const parked = targets.reduce((sum, one) => sum + one.parked, 0);
  if (parked > 0) throw new Error(`${parked} accounts are parked`);
}

/** A request as it came to the target. `at`: reading of the clock that `monotonicMs` reads, by all processes of a machine. */
export type Arrival = { at: number; method: string; path: string; bytes: number; body: string };

/** What came to the target since it was last asked. The first call begins it. */
export async function takeArrivals(target: Running): Promise<Arrival[]> {
  const answer = await fetch(`${target.url}/arrivals`);
  return (await answer.json()) as Arrival[];
}

export async function askTarget(target: Running, place: string): Promise<string> {
  return (await fetch(`${target.url}${place}`)).text();
}

/** Asks for arrivals until `enough` of those since the call began. */
export async function untilArrived(
  target: Running,
  enough: (arrivals: readonly Arrival[]) => boolean,
  options: { maxSeconds: number; everyMs?: number },
): Promise<Arrival[]> {
  const { maxSeconds, everyMs = 250 } = options;
  const deadline = performance.now() + maxSeconds * 1000;
  const arrivals: Arrival[] = [];
  for (;;) {
    arrivals.push(...(await takeArrivals(target)));
    if (enough(arrivals)) return arrivals;
    if (performance.now() > deadline) {
      throw new Error(`after ${maxSeconds} s only ${arrivals.length} requests had come to the target`);
    }
    await wait(everyMs);
  }
}

/** A SCIM PATCH (RFC 7644 section 3.5.2). */
export const patchBody = (...operations: { op: string; path: string; value?: unknown }[]): string =>
  JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations });

/** A clock that all processes of a machine share, in milliseconds. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The value that `share` (0 to 1) of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

export const verdict = (met: boolean): string => (met ? 'met' : 'MISSED');
