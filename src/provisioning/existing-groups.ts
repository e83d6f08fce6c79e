import type { Courier } from '../outbound/courier.ts';
import type { Claim } from './claim.ts';
import { adopt, type ConflictLookups, findHolder, findThere, waitFor } from './conflict.ts';
import { keepsMembersOnly } from './group-modes.ts';
import { failureOf, type Result, resultOf } from './result.ts';

/** How often a group that is not there is looked for: one search in half an hour. */
const lookAgainMs = 30 * 60_000;

/**
 * Groups that have to be at the target already (`groups: membership-only` and `link-existing`): Purvey finds one by our
 * mark or by its name and takes it over, and makes none. The mode itself says that a name is enough, so `adopt`, which
 * is about accounts that Purvey would make otherwise, is not asked.
 *
 * One that is not there parks, and is looked for again by whatever ends parking (its own change, a retry, a wave, a
 * sync), and by itself after `lookAgainMs`. Members that come and go meanwhile are noted and do not start a search.
 */
export async function takeExisting(claim: Claim, courier: Courier, lookups: ConflictLookups): Promise<Result> {
  const found = await findThere(claim, courier);
  if (found.outcome !== 'done') return failureOf(claim, 'find', found, { settled: true, mutated: false });
  const marked = found.found.find((remote) => remote.externalId === claim.account.subject_id);
  const holder = marked ? undefined : await findHolder(claim, lookups, found.found);
  if (holder) return waitFor(claim, 'find', holder, `the target has one group named "${claim.name}"`);
  const there = marked ?? found.found[0];
  if (there) {
    return { ...adopt(claim, there), operation: 'find', origin: keepsMembersOnly(claim) ? 'linked' : 'adopted' };
  }
  const { groups } = claim.open.target.policy;
  return resultOf(claim, {
    operation: 'find',
    outcome: 'absent',
    reason: `the target has no group named "${claim.name}", and Purvey makes none there (policy groups: ${groups}). Make it at the target, or rename one of the two; it is looked for again within the hour, and at once by a retry`,
    finished: true,
    state: 'parked',
    lookAgainInMs: lookAgainMs,
    news: { news: 'answered', success: false },
  });
}
