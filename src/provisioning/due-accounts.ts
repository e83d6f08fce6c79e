import type { AccountRow } from '../store/schema.ts';
import { prepare, type Tx } from '../store/store.ts';

/** Which due accounts go next (engine rule 6). */

const selectDue = prepare<
  { targetId: number; kind: 'user' | 'group'; urgency: number; now: number; limit: number },
  AccountRow
>((q, p, d) =>
  q
    .selectFrom('accounts')
    .selectAll()
    .where('target_id', '=', p.targetId)
    .where('kind', '=', p.kind)
    .where('urgency', '=', p.urgency)
    .where('due_at', '<=', p.now)
    .orderBy('due_at')
    .limit(p.limit)
    .modifyEnd(d.forUpdateSkipLocked),
);

const urgencies = [0, 1, 2, 3] as const;

/** Of every eight accounts one place is left to each less urgent class; the places are apart, so that one by one works too. */
const placesPerShare = 8;
const firstPlace = { 1: 6, 2: 3, 3: 0 } as const;

/**
 * Up to `limit` due accounts of one lane, locked until commit: the urgent first, but an eighth is left to each less
 * urgent class, so that a flood of removals cannot starve an update for ever. `turn`: how many were taken from the lane
 * before, by which also those who take one or two at a time come to the less urgent.
 */
export async function selectDueAccounts(
  tx: Tx,
  lane: { targetId: number; kind: 'user' | 'group'; turn?: number },
  limit: number,
): Promise<AccountRow[]> {
  const { targetId, kind, turn = 0 } = lane;
  const shares = ([1, 2, 3] as const).map((urgency) => {
    const passed = (places: number) => Math.floor((places + firstPlace[urgency]) / placesPerShare);
    return { urgency, places: passed(turn + limit) - passed(turn) };
  });
  const taken: AccountRow[] = [];
  const left: AccountRow[] = [];
  for (const urgency of urgencies) {
    const room = limit - taken.length;
    if (room <= 0) break;
    const rows = await tx.run(selectDue, { targetId, kind, urgency, now: tx.now, limit: room });
    const later = shares.filter((share) => share.urgency > urgency).reduce((sum, share) => sum + share.places, 0);
    const own = Math.max(0, room - later);
    taken.push(...rows.slice(0, own));
    left.push(...rows.slice(own));
  }
  return [...taken, ...left.slice(0, Math.max(0, limit - taken.length))];
}

/**
 * The account that has been due longest, whatever its urgency: what a held lane probes with. An account that was just
 * tried is the youngest, so one that always fails cannot keep the lane from finding out that others would not. `urgent`:
 * of the most urgent, since a target that forbids creations may take a removal still.
 */
export async function selectProbeAccount(
  tx: Tx,
  lane: { targetId: number; kind: 'user' | 'group' },
  which: 'oldest' | 'urgent' = 'oldest',
): Promise<AccountRow[]> {
  const oldest: AccountRow[] = [];
  for (const urgency of urgencies) {
    oldest.push(...(await tx.run(selectDue, { ...lane, urgency, now: tx.now, limit: 1 })));
  }
  if (which === 'urgent') return oldest.slice(0, 1);
  return oldest.sort((a, b) => a.due_at! - b.due_at!).slice(0, 1);
}
