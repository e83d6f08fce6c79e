import type { Described } from '../connectors/connector.ts';
import type { Attributes } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { Claim } from './claim.ts';
import type { ConflictLookups } from './conflict.ts';
import { passwordToSay, sayPassword } from './password.ts';
import { failureOf, finish, park, type Result, setAside, stepOn, withhold } from './result.ts';
import { settleDoubt } from './settle-doubt.ts';

/**
 * An attempt at an account of whom nothing, or only a part, is kept: it was only forwarded, and every account has been
 * told the whole, or it was given up (engine rule 23). What can be said is what stands by itself: a password, `active`,
 * memberships. Nothing is made and nothing is brought in line; what the target holds is asked where it has to be known.
 */

type Say = { members(described: Described, remoteId: string, known: Attributes): Promise<Result> };

export async function deliverWithoutBody(
  claim: Claim,
  courier: Courier,
  lookups: ConflictLookups,
  say: Say,
): Promise<Result> {
  const { account, open } = claim;
  const part = partOf(claim);
  const nothing = part === undefined && claim.owed === null && claim.links.length === 0;
  if (claim.doubt === null && account.remote_id === null) return missing(claim, 'none');
  if (claim.doubt === null && nothing && !claim.probe) return end(claim, 'none', { news: { news: 'nothing' } });

  const described = await open.connector.describe(courier);
  if (described.outcome !== 'done') {
    return failureOf(claim, 'none', described, { settled: claim.doubt === null, mutated: courier.mutated });
  }
  const settled = await settleDoubt(claim, courier, lookups);
  if ('outcome' in settled) return settled;
  const { remote_id: remoteId } = account;
  if (remoteId === null) return missing(claim, 'find');

  const known = settled.known ?? {};
  const acked = JSON.stringify(known);
  const differs = part !== undefined && known['active'] !== part.active;
  const password = passwordToSay(claim);
  const withheld = password === undefined ? undefined : withhold(claim, 'PATCH', { acked });
  if (password !== undefined && withheld === undefined) {
    const managed = Object.keys(known);
    const more = differs || claim.links.length > 0;
    return sayPassword(claim, courier, { remoteId, password, known, managed, more });
  }
  if (withheld && !differs) return withheld;
  if (differs) return sayPart(claim, courier, remoteId, known, part);
  return claim.links.length > 0 ? say.members(described, remoteId, known) : end(claim, 'read', { acked });
}

/** What is kept of it and has a place at the target; an account that was found switched off is not switched on (rule 16). */
function partOf({ subject, open, account }: Claim): { active: boolean } | undefined {
  if (subject?.forwarded?.body !== 'part' || typeof subject.attributes.active !== 'boolean') return undefined;
  const row = open.rows.find((one) => one.kind === account.kind && one.from === 'active' && one.to === 'active');
  if (!row) return undefined;
  return { active: subject.attributes.active && account.origin !== 'adopted-inactive' };
}

async function sayPart(
  claim: Claim,
  courier: Courier,
  remoteId: string,
  known: Attributes,
  part: { active: boolean },
): Promise<Result> {
  const { account, open } = claim;
  const acked = JSON.stringify(known);
  const withheld = withhold(claim, 'PUT', { acked });
  if (withheld) return withheld;
  const attributes = { ...known, active: part.active };
  const updated = await open.connector.update(courier, {
    kind: account.kind,
    remoteId,
    attributes,
    set: { active: part.active },
    unset: [],
  });
  switch (updated.outcome) {
    case 'done': {
      const change: Partial<Result> = {
        acked: JSON.stringify(attributes),
        origin: account.origin === 'adopted-inactive' && !claim.subject?.attributes.active ? 'adopted' : account.origin,
      };
      return claim.owed !== null ? stepOn(claim, 'update', change) : end(claim, 'update', change);
    }
    case 'absent':
      return setAside(claim, 'update', updated.reason);
    case 'exists':
      return park(claim, 'update', 'exists', updated.reason, { acked });
    default:
      return failureOf(claim, 'update', updated, {
        settled: true,
        mutated: courier.mutated,
        change: { acked, password: { fate: 'kept' } },
      });
  }
}

const again = 'send the whole again by PUT, or delete it';

/** The target has nothing of it and there is nothing to make it from. */
function missing(claim: Claim, operation: Result['operation']): Result {
  const reason =
    claim.subject?.forwarded?.lostSeq == null
      ? `it is not at the target, and what was forwarded is erased: ${again}`
      : `what was to be forwarded was given up and is erased: ${again}`;
  return park(claim, operation, 'refused', reason, { news: { news: 'nothing' } });
}

const stale = 'the settings of the target changed since it was forwarded';

/** Nothing more can be said. Whoever was never told what is erased is parked with that, and a change of settings is not done. */
function end(claim: Claim, operation: Result['operation'], change: Partial<Result>): Result {
  const { account, open, subject } = claim;
  const lostSeq = subject?.forwarded?.lostSeq ?? null;
  if (lostSeq !== null && account.seq_done < lostSeq) {
    const reason = `the target was not told what was forwarded last, and that is erased: ${again}`;
    return park(claim, operation, 'refused', reason, change);
  }
  const isStale = account.version !== open.target.version || account.reason?.startsWith(stale);
  const reason = `${stale}, which reaches it with the next PUT: what was said is not kept`;
  return finish(claim, operation, { ...change, ...(isStale ? { reason } : {}) });
}
