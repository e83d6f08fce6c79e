import type { RemoteMember } from '../connectors/connector.ts';
import type { Courier } from '../outbound/courier.ts';
import type { LinkRow } from '../store/schema.ts';
import type { Claim } from './claim.ts';
import type { ConflictLookups } from './conflict.ts';
import { failureOf, finish, park, type Result, resultOf, setAside, stepOn, withhold } from './result.ts';

/** Says one chunk of memberships. A refused chunk is halved until the one bad member parks on its own link (rule 18). */
export async function sayMembers(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  membersPerRequest: number,
  remoteId: string,
  acked: string,
): Promise<Result> {
  const withheld = withhold(claim, 'PUT', { acked });
  if (withheld) return withheld;
  const links = claim.links.slice(0, Math.max(1, membersPerRequest));
  const members = await remoteMembers(links, lookups, claim);
  const said = await claim.open.connector.changeMembers(courier, {
    remoteId,
    add: members.filter((_, n) => links[n]!.op === 'add'),
    remove: members.filter((_, n) => links[n]!.op === 'remove'),
  });
  if (said.outcome === 'done') {
    return finish(claim, 'members', { acked, said: links.map((link) => ({ link })) });
  }
  if (said.outcome === 'absent') return setAside(claim, 'members', said.reason);
  if (said.outcome === 'refused') {
    const forbidden = { news: 'forbidden', reason: said.reason, subjectId: claim.account.subject_id } as const;
    const news = said.rights ? { news: forbidden } : {};
    const change = { operation: 'members', outcome: 'refused', reason: said.reason, acked, ...news } as const;
    if (links.length > 1) return resultOf(claim, { ...change, chunk: Math.ceil(links.length / 2) });
    return resultOf(claim, { ...change, chunk: null, said: [{ link: links[0]!, refused: said.reason }] });
  }
  return failureOf(claim, 'members', said, { settled: true, mutated: courier.mutated, change: { acked } });
}

/** A member in doubt is known soon; until then it is looked again this often. */
const membersSettleMs = 30_000;

/**
 * A group that is not ours stays, and whom we put into it is taken out, chunk by chunk; then we know it no more. With
 * `deprovisionAdopted: keep` they stay as well.
 */
export async function leaveGroup(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  remoteId: string,
): Promise<Result> {
  if (claim.open.target.policy.deprovisionAdopted === 'keep') {
    return finish(claim, 'none', { state: 'kept', doubt: 'keep', news: { news: 'nothing' } });
  }
  const forgotten = { remoteId: null, acked: null, drop: true } as const;
  if (!claim.anyLeft) return finish(claim, 'none', { ...forgotten, news: { news: 'nothing' } });
  if (claim.links.length === 0) {
    return resultOf(claim, {
      operation: 'none',
      outcome: 'done',
      reason: 'waits to hear what became of members that are to be taken out',
      state: 'waiting',
      againInMs: membersSettleMs,
      news: { news: 'nothing' },
    });
  }
  const withheld = withhold(claim, 'DELETE', { doubt: 'keep' });
  if (withheld) return withheld;
  const described = await claim.open.connector.describe(courier);
  if (described.outcome !== 'done')
    return failureOf(claim, 'members', described, { settled: claim.doubt === null, mutated: false });
  if (!described.patch) return wholeOnly(claim);
  const links = claim.links.slice(0, Math.max(1, described.membersPerRequest));
  const members = await remoteMembers(links, lookups, claim);
  const said = await claim.open.connector.changeMembers(courier, { remoteId, add: [], remove: members });
  if (said.outcome === 'done') return stepOn(claim, 'members', { said: links.map((link) => ({ link })), chunk: null });
  // Whom we put there went with it.
  if (said.outcome === 'absent') return finish(claim, 'members', { ...forgotten, reason: said.reason });
  if (said.outcome === 'refused' && !said.rights && links.length > 1) {
    const chunk = Math.ceil(links.length / 2);
    return resultOf(claim, { operation: 'members', outcome: 'refused', reason: said.reason, chunk });
  }
  return failureOf(claim, 'members', said, { settled: true, mutated: courier.mutated });
}

/** Without PATCH a group can only be said as a whole, and whoever somebody else put there would go by that. */
export function wholeOnly(claim: Claim): Result {
  const reason =
    'the target takes a group only as a whole (it has no PATCH), which would take out members that Purvey did not put there. Set groups to link-existing, full or none in the policy of this target';
  return park(claim, 'none', 'refused', reason, { news: { news: 'nothing' } });
}

export async function remoteMembers(
  links: readonly LinkRow[],
  lookups: ConflictLookups,
  claim: Claim,
): Promise<RemoteMember[]> {
  const kinds = await lookups.kindsOf(
    claim.open.target.id,
    links.map((link) => link.member_id),
  );
  return links.map((link) => ({ kind: kinds.get(link.member_id) ?? 'user', remoteId: link.remote_id! }));
}
