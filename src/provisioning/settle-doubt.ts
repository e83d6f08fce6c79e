import type { Failure, Remote } from '../connectors/connector.ts';
import type { Attributes } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { Claim } from './claim.ts';
import { type ConflictLookups, findHolder } from './conflict.ts';
import { isBare } from './owed-passwords.ts';
import { afterFinding } from './password.ts';
import { failureOf, type Result, setAside, stepOn } from './result.ts';

/**
 * Finds out what became of things said without an answer (rules 7 and 8). With a remote id: reads it back. Without:
 * looks for anything that bears our mark, under every name it may have. Answers with a result when the attempt ends
 * here, else with what the target is now known to hold.
 */
export async function settleDoubt(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
): Promise<Result | { known?: Attributes }> {
  const { account, open } = claim;
  if (account.remote_id !== null) {
    const read = await open.connector.read(courier, account.kind, account.remote_id);
    if (read.outcome === 'done') return { known: read.remote.attributes };
    if (read.outcome === 'absent') return setAside(claim, 'read', read.reason);
    return fail(claim, courier, 'read', read, false);
  }
  const found = await findOurs(claim, courier, lookups);
  if (found.outcome !== 'done') return fail(claim, courier, 'find', found, false);
  if (found.twin !== undefined) return removeTwin(claim, courier, found.twin);
  if (found.remote === undefined) return {};
  return stepOn(claim, 'find', {
    reason: 'an earlier request had arrived after all',
    remoteId: found.remote.remoteId,
    acked: JSON.stringify(found.remote.attributes),
    origin: account.origin ?? 'created',
    chunk: isBare(account) ? null : account.chunk,
    password: afterFinding(claim),
  });
}

/** After this many failed tries a search that shows what cannot be read is taken for one that never forgets. */
const disputes = 3;

/**
 * What bears our mark at the target, under any name it may have. A search may lag behind and show what is gone already,
 * so what it shows is read before it is believed. Where the two disagree nothing is concluded at once (rule 17): it is
 * asked again after the settle time, and only a reading that stays the same outweighs the search.
 *
 * Where nothing bears it, what was set aside is read once more: it is ours without a mark, unless it is somebody else's
 * of ours by now (rule 14).
 *
 * `twin`: another one bears it as well. A process that stood still sent its creation when another had searched for it
 * in vain and made its own.
 */
export async function findOurs(claim: Claim, courier: Courier, lookups: ConflictLookups) {
  const { account, open } = claim;
  const names = [...new Set([...(claim.doubt?.names ?? []), claim.name])].filter((name) => name !== '');
  const found = await open.connector.find(courier, { kind: account.kind, externalId: account.subject_id, names });
  if (found.outcome !== 'done') return found;
  let disputed: string | undefined;
  const ours: Remote[] = [];
  for (const shown of found.found) {
    if (shown.externalId !== account.subject_id) continue;
    const read = await open.connector.read(courier, account.kind, shown.remoteId);
    if (read.outcome === 'done') ours.push(read.remote);
    else if (read.outcome !== 'absent') return read;
    else disputed = shown.remoteId;
  }
  if (ours.length > 0) {
    const remote =
      ours.find((one) => one.remoteId === account.remote_id) ?? ours.find((one) => one.name === claim.name) ?? ours[0]!;
    return { outcome: 'done' as const, remote, twin: ours.find((one) => one !== remote)?.remoteId };
  }
  for (const id of claim.doubt?.aside ?? []) {
    const read = await open.connector.read(courier, account.kind, id);
    if (read.outcome === 'done') {
      if ((await findHolder(claim, lookups, [read.remote])) === undefined) {
        return { outcome: 'done' as const, remote: read.remote, twin: undefined };
      }
    } else if (read.outcome !== 'absent') return read;
    else if (found.found.some((shown) => shown.remoteId === id)) disputed ??= id;
  }
  if (disputed !== undefined && account.tries < disputes) {
    const reason = `a search shows the id ${disputed}, which is ours, but reading it says that it is not there`;
    const retryAfterMs = open.target.policy.settleMs;
    return { outcome: 'unavailable' as const, scope: 'account' as const, retryAfterMs, reason };
  }
  return { outcome: 'done' as const, remote: undefined, twin: undefined };
}

/** An account with a remote id is read by it, so a second resource with its mark has to be looked for. */
export async function settleTwin(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
): Promise<Result | undefined> {
  if (claim.account.remote_id === null || !claim.doubt?.twin) return undefined;
  const found = await findOurs(claim, courier, lookups);
  if (found.outcome !== 'done') return fail(claim, courier, 'find', found, false);
  return found.twin === undefined ? undefined : removeTwin(claim, courier, found.twin);
}

/** Of two resources that bear our mark one goes; which is ours is found out again by the next attempt. */
export async function removeTwin(claim: Claim, courier: Courier, remoteId: string): Promise<Result> {
  const removed = await claim.open.connector.remove(courier, claim.account.kind, remoteId);
  if (removed.outcome !== 'done' && removed.outcome !== 'absent') return fail(claim, courier, 'remove', removed, false);
  const reason = `two resources there bear the mark of this account; ${remoteId} was taken away`;
  return stepOn(claim, 'remove', { reason, doubt: 'keep' });
}

function fail(
  claim: Claim,
  courier: Courier,
  operation: Result['operation'],
  failure: Failure,
  settled: boolean,
): Result {
  return failureOf(claim, operation, failure, { settled, mutated: courier.mutated });
}
